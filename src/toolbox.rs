//! The tools of a shop, and what they ask of us.
//!
//! A tool crate declares small traits for what it needs from outside; the desks below answer them from the store, the
//! release and the delivery. Adding a tool is one folder under tools/ and one line in [`registry`].

mod approvals;
mod gate;
mod offers;
mod people;
mod shelves;

use std::sync::Arc;

use ::offers::QuoteOffer;
use approval::{DecideNoSend, RequestApproval};
use brand::CheckBrandRules;
use catalog::{Catalog, GetProducts, SearchCatalog};
use content::ProposeMessage;
use esp::QueueSend;
use graph::{ExploreGraph, ProductGraph};
use kit::tool::{Registry, RegistryError, ToolSpec};
use profile::{LookupProfile, StoreNorms, Thresholds};

use crate::delivery::Delivery;
use crate::release::Release;
use crate::store::ShopStore;

pub use gate::{Tags, check, tags};
pub use people::People;
pub use shelves::graph_product;

/// All tools of a shop.
///
/// # Errors
/// When a tool's arguments cannot be described strictly: a fault of the build, found at start-up.
pub fn registry(
    store: &ShopStore,
    release: &Arc<Release>,
    catalog: &Arc<Catalog>,
    graph: &Arc<ProductGraph>,
    norms: &Arc<StoreNorms>,
    delivery: &Arc<Delivery>,
) -> Result<Registry, RegistryError> {
    let shelves =
        Arc::new(shelves::Shelves { shop: store.id().clone(), catalog: catalog.clone(), graph: graph.clone() });
    let people = Arc::new(people::People { store: store.clone(), norms: norms.clone() });
    let offers = Arc::new(offers::Offers { store: store.clone(), release: release.clone(), catalog: catalog.clone() });
    let gate = Arc::new(gate::Gate { delivery: delivery.clone(), catalog: catalog.clone() });
    let desk = Arc::new(approvals::Desk { delivery: delivery.clone() });
    Registry::new()
        .with(LookupProfile::new(people.clone(), catalog.clone(), Thresholds::default()))?
        .with(SearchCatalog::new(shelves.clone()))?
        .with(GetProducts::new(shelves.clone()))?
        .with(ExploreGraph::new(shelves, people, catalog.clone()))?
        .with(CheckBrandRules::new(gate.clone()))?
        .with(QuoteOffer::new(offers))?
        .with(ProposeMessage::new(gate.clone()))?
        .with(RequestApproval::new(desk))?
        .with(QueueSend::new(gate))?
        .with(DecideNoSend)
}

/// What a model is told about every tool, in order of name, without opening a shop.
///
/// # Errors
/// As [`registry`].
pub fn specs() -> Result<Vec<ToolSpec>, RegistryError> {
    let mut specs = vec![
        ToolSpec::of::<LookupProfile>()?,
        ToolSpec::of::<SearchCatalog>()?,
        ToolSpec::of::<GetProducts>()?,
        ToolSpec::of::<ExploreGraph>()?,
        ToolSpec::of::<CheckBrandRules>()?,
        ToolSpec::of::<QuoteOffer>()?,
        ToolSpec::of::<ProposeMessage>()?,
        ToolSpec::of::<RequestApproval>()?,
        ToolSpec::of::<QueueSend>()?,
        ToolSpec::of::<DecideNoSend>()?,
    ];
    specs.sort_by_key(|spec| spec.name);
    Ok(specs)
}

/// The array that is sent as `tools` to a model.
///
/// # Errors
/// As [`registry`].
pub fn to_openai() -> Result<serde_json::Value, RegistryError> {
    Ok(specs()?.iter().map(ToolSpec::to_openai).collect())
}
