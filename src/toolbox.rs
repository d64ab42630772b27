//! The tools of a shop, and what they ask of us.
//!
//! A tool crate declares small traits for what it needs from outside; the desks below answer them from the store, the
//! release and the delivery. Adding a tool is one folder under tools/ and one line in `tools!`.

mod approvals;
pub(crate) mod briefs;
mod gate;
pub(crate) mod offers;
pub(crate) mod people;
mod shelves;

use std::sync::Arc;

use ::campaign::{ClassDesk, LookupClass, ProposeClass};
use ::offers::QuoteOffer;
use approval::{DecideNoSend, RequestApproval};
use audience::PreviewAudience;
use brand::CheckBrandRules;
use brief::{AskMarketer, ProposeBriefs, UpdateBrief};
use catalog::{Catalog, GetProducts, SearchCatalog};
use content::{ContentGate, ProposeMessage};
use esp::QueueSend;
use graph::ExploreGraph;
use kit::tool::{Registry, RegistryError, ToolSpec};
use profile::{LookupProfile, Thresholds};

use crate::delivery::Delivery;
use crate::release::Release;
use crate::store::ShopStore;
use crate::tenant::Learned;

pub use gate::{Tags, check, check_proposed, tags};
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
    learned: &Arc<Learned>,
    delivery: &Arc<Delivery>,
) -> Result<Registry, RegistryError> {
    assemble(store, release, catalog, learned, delivery, Acts::ForReal)
}

/// What `propose_message` asks about a draft in this shop, by itself: for whoever puts something around it.
pub fn content_gate(delivery: &Arc<Delivery>, catalog: &Arc<Catalog>) -> Arc<dyn ContentGate> {
    Arc::new(gate::Gate { delivery: delivery.clone(), catalog: catalog.clone(), acts: Acts::ForReal })
}

/// The same tools for a rehearsal: they look, check and refuse as ever, but no approval is opened, no offer is held and nothing is
/// handed over.
///
/// # Errors
/// As [`registry`].
pub(crate) fn rehearsal(tenant: &crate::tenant::Tenant, delivery: &Arc<Delivery>) -> Result<Registry, RegistryError> {
    let crate::tenant::Tenant { store, catalog, learned, .. } = tenant;
    assemble(store, &delivery.release, catalog, learned, delivery, Acts::InSandbox)
}

/// Whether what a tool does reaches the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acts {
    /// It does.
    ForReal,
    /// It looks as if it did.
    InSandbox,
}

fn assemble(
    store: &ShopStore,
    release: &Arc<Release>,
    catalog: &Arc<Catalog>,
    learned: &Arc<Learned>,
    delivery: &Arc<Delivery>,
    acts: Acts,
) -> Result<Registry, RegistryError> {
    let shelves =
        Arc::new(shelves::Shelves { shop: store.id().clone(), catalog: catalog.clone(), learned: learned.clone() });
    let people = Arc::new(people::People { store: store.clone(), learned: learned.clone() });
    let offers = Arc::new(offers::Offers {
        store: store.clone(),
        release: release.clone(),
        catalog: catalog.clone(),
        learned: learned.clone(),
        acts,
    });
    let gate = Arc::new(gate::Gate { delivery: delivery.clone(), catalog: catalog.clone(), acts });
    let desk = Arc::new(approvals::Desk { delivery: delivery.clone(), acts });
    let briefs = Arc::new(briefs::Briefs {
        store: store.clone(),
        release: release.clone(),
        catalog: catalog.clone(),
        learned: learned.clone(),
    });
    fill(&Desks { people, catalog: catalog.clone(), shelves, offers, gate, desk, briefs })
}

/// What the tools ask.
struct Desks {
    people: Arc<People>,
    catalog: Arc<Catalog>,
    shelves: Arc<shelves::Shelves>,
    offers: Arc<offers::Offers>,
    gate: Arc<gate::Gate>,
    desk: Arc<approvals::Desk>,
    briefs: Arc<briefs::Briefs>,
}

/// One line a tool: its type, and how it is made from the desks.
macro_rules! tools {
    (|$desks:ident| $($tool:ty => $made:expr),+ $(,)?) => {
        fn fill($desks: &Desks) -> Result<Registry, RegistryError> {
            let registry = Registry::new();
            $(let registry = registry.with::<$tool>($made)?;)+
            Ok(registry)
        }

        /// What a model is told about every tool, in order of name, without opening a shop.
        ///
        /// # Errors
        /// As [`registry`].
        pub fn specs() -> Result<Vec<ToolSpec>, RegistryError> {
            let mut specs = vec![$(ToolSpec::of::<$tool>()?),+];
            specs.sort_by_key(|spec| spec.name);
            Ok(specs)
        }
    };
}

tools! { |desks|
    LookupProfile => LookupProfile::new(desks.people.clone(), desks.catalog.clone(), Thresholds::default()),
    SearchCatalog => SearchCatalog::new(desks.shelves.clone()),
    GetProducts => GetProducts::new(desks.shelves.clone()),
    ExploreGraph => ExploreGraph::new(desks.shelves.clone(), desks.people.clone(), desks.catalog.clone()),
    CheckBrandRules => CheckBrandRules::new(desks.gate.clone()),
    QuoteOffer => QuoteOffer::new(desks.offers.clone()),
    ProposeMessage => ProposeMessage::new(desks.gate.clone()),
    RequestApproval => RequestApproval::new(desks.desk.clone()),
    QueueSend => QueueSend::new(desks.gate.clone()),
    DecideNoSend => DecideNoSend,
    UpdateBrief => UpdateBrief::new(desks.briefs.clone()),
    PreviewAudience => PreviewAudience::new(desks.briefs.clone()),
    AskMarketer => AskMarketer,
    ProposeBriefs => ProposeBriefs::new(desks.briefs.clone()),
}

/// The tools of runs that write a message class: none of them knows a person, and nothing they come to is handed over.
///
/// # Errors
/// As [`registry`].
pub fn class_registry(desk: Arc<dyn ClassDesk>) -> Result<Registry, RegistryError> {
    Registry::new().with(LookupClass::new(desk.clone()))?.with(ProposeClass::new(desk))?.with(DecideNoSend)
}

/// Everything that any model is told of tools, those of class runs among it.
///
/// # Errors
/// As [`registry`].
pub fn told() -> Result<serde_json::Value, RegistryError> {
    let of_classes = [ToolSpec::of::<LookupClass>()?, ToolSpec::of::<ProposeClass>()?];
    Ok(specs()?.iter().chain(&of_classes).map(ToolSpec::to_openai).collect())
}

/// The array that is sent as `tools` to a model.
///
/// # Errors
/// As [`registry`].
pub fn to_openai() -> Result<serde_json::Value, RegistryError> {
    Ok(specs()?.iter().map(ToolSpec::to_openai).collect())
}
