//! Email service providers behind one trait, the Maildir outbox, and the tool that hands a message over.
//!
//! An adapter takes a [`kit::message::Reserved`] and nothing else: what has no ledger row cannot be delivered. Correctness
//! of sends rests on the ledger's dedupe key; an adapter says in its [`Capabilities`] how much of that it can carry.
//!
//! * [`Esp`], [`EspError`], [`Lookup`]: the contract. `tests/support` holds one conformance test for all adapters.
//! * [`Outbox`]: RFC 5322 files in a Maildir, the keyless default.
//! * [`HttpEsp`]: any service that takes a message over HTTP with an idempotency key.
//! * [`QueueSend`], [`Handover`]: the tool `queue_send`.

mod esp;
mod http;
mod mail;
mod outbox;
mod queue_send;

pub use esp::{ADAPTERS, Accepted, Capabilities, Esp, EspError, Lookup};
pub use http::{HttpAnswer, HttpCall, HttpEsp, HttpFault, HttpWire, Promises};
pub use mail::{MailError, build as to_rfc5322};
pub use outbox::Outbox;
pub use queue_send::{Handover, QueueArgs, QueueSend, Queued, QueuedStatus};
