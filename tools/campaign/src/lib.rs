//! Message classes of a campaign: a model writes once for people who have product, angle, tone, language and offer in
//! common, and code composes for each of them.
//!
//! * [`plan`]: who belongs to which class, with a bound on how many there are.
//! * [`alike`]: when two subjects are the same idea in other words.
//! * [`LookupClass`], [`ProposeClass`]: the tools of a class run. They know class facts only, no person.
//! * [`ClassEdit`]: what a person changes in a copy, held to the same rules.
//! * [`ClassDesk`]: what they need from outside.

pub mod alike;
mod desk;
mod edit;
mod lookup_class;
pub mod plan;
mod propose_class;
mod shape;

pub use desk::{ClassDesk, ClassFacts, ClassOffer, PreviewFault};
pub use edit::{Change, Check, ClassEdit, EditError, changes};
pub use lookup_class::{ClassView, LookupArgs, LookupClass, OfferView};
pub use propose_class::{ProposeArgs, ProposeClass, Proposed, SUBJECTS, SubjectArg};
