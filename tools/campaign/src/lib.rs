//! Message classes of a campaign: a model writes once for people who have product, angle, tone, language and offer in
//! common, and code composes for each of them.
//!
//! * [`plan`]: who belongs to which class, with a bound on how many there are.
//! * [`alike`]: when two subjects are the same idea in other words.
//! * [`LookupClass`], [`ProposeClass`]: the tools of a class run. They know class facts only, no person.
//! * [`ClassDesk`]: what they need from outside.

pub mod alike;
mod desk;
mod lookup_class;
pub mod plan;
mod propose_class;

pub use desk::{ClassDesk, ClassFacts, ClassOffer, PreviewFault};
pub use lookup_class::{ClassView, LookupArgs, LookupClass, OfferView};
pub use propose_class::{ProposeArgs, ProposeClass, Proposed, SUBJECTS, SubjectArg};
