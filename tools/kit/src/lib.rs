//! The ground floor of Mailwright: what every tool and the orchestrator share.
//!
//! * [`ids`], [`money`], [`locale`], [`person`], [`phone`], [`principal`]: the vocabulary as types. [`sms`] counts parts.
//! * [`fact`], [`product`], [`placeholder`], [`fence`]: what may be said, where it came from, and how text from outside is marked.
//! * [`gist`]: what a text from outside is about, in closed words.
//! * [`personal`]: personal data in free text, found and masked before a model can read it.
//! * [`tool`]: the typed tool trait, strict schemas, argument validation, the registry.
//! * [`campaign`]: what a marketer decided about a campaign, as a typed brief with diffs.
//! * [`message`]: the one path of a message, `Draft → Checked → Cleared → Reserved → Sent | Unknown | Refused`.
//!
//! Nothing here does I/O or reads a clock.

pub mod campaign;
pub mod digest;
pub mod fact;
pub mod fence;
pub mod gist;
pub mod ids;
pub mod locale;
pub mod message;
pub mod money;
pub mod person;
pub mod personal;
pub mod phone;
pub mod placeholder;
pub mod principal;
pub mod product;
pub mod sms;
pub mod store;
pub mod tool;

pub use digest::Digest;
pub use fact::{Fact, FactBook, FactKind, FactMint, FactValue, Provenance};
pub use ids::*;
pub use locale::Language;
pub use money::{Currency, Money};
pub use principal::{Principal, Role};
pub use store::{BoxFuture, StoreError};

/// A point in time, UTC. Zones are applied at the edge only.
pub use jiff::Timestamp;
