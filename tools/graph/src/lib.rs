//! The product-knowledge graph: relations, recommendations, substitutes.
//!
//! ```text
//! catalogue ──┐
//! curated.toml├─► GraphBuilder ─► ProductGraph ─► recommend · substitutes · neighbours · guides · explain
//! order log ──┘                                         └─► the tool `explore_graph`
//! ```
//!
//! * [`model`]: what goes in and what comes out, as plain types.
//! * [`curated`]: relations a merchandiser wrote down, from TOML.
//! * [`build`]: the builder. It learns two relations from orders: bought together (cosine over customers) and
//!   bought next (shrunken PMI over ordered pairs of baskets).
//! * [`graph`]: the finished graph. Every answer carries its path, and the path is the reason, in words.
//! * [`explore_graph`]: the tool a model calls.
//!
//! What may be offered (stock, owned, returned, regulated, price) is decided here by hard filters before anything is
//! ranked; a model cannot ask for less.

mod assembly;
pub mod build;
pub mod curated;
mod explain;
pub mod explore_graph;
mod gate;
pub mod graph;
mod intake;
mod learn;
pub mod model;
mod orders;
mod recommend;
mod scratch;
mod select;
mod substitute;
mod words;

pub use build::{BuildError, BuildFault, GraphBuilder, Tuning};
pub use curated::{Curated, CuratedError, CuratedFault, CuratedFaultKind};
pub use explore_graph::{ExploreGraph, Graphs, History};
pub use graph::ProductGraph;
pub use model::{
    Availability, GraphProduct, GuideRef, Interaction, Live, Neighbour, NodeRef, Owned, PathStep, PriceBand,
    Provenance, Recommendation, Relation, Request, compact,
};
