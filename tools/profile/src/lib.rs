//! The explainable customer profile.
//!
//! [`CustomerSnapshot`] is what the store knows of a person; [`explain`] turns it into a [`Profile`]: what they prefer,
//! how they shop, where they are in their journey, what they seem to want now. Every statement is a [`Reason`] in words
//! with the data it rests on. What a model may see of it is what [`LookupProfile`] answers and no more: value, price level,
//! discount habits and VIP status stay in [`Internal`], for code and for the shop's team.
//!
//! First-party data only. Nothing here reads a clock or a database.

mod acts;
mod angle;
mod explain;
mod lookup_profile;
mod norms;
mod snapshot;

pub use angle::{Angle, angles};
pub use explain::{
    DataSource, Intent, IntentLevel, Internal, PriceLevel, Profile, Reason, Rhythm, Stage, Thresholds, explain, stage,
};
pub use lookup_profile::{Candidate, CartView, LookupProfile, LookupProfileArgs, ProfileView, Role};
pub use norms::{CustomerHistory, StoreNorms};
pub use snapshot::{Activity, ActivityKind, ConsentFact, CustomerSnapshot, OrderFacts, OrderLine, Profiles, Said};
