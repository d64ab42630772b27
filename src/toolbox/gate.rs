//! Content rules, policy and rendering, for the tools that propose and hand over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use brand::{CheckContext, RuleBook, RuleBooks};
use catalog::Catalog;
use content::{ContentGate, PreviewFault, RenderError};
use esp::Handover;
use kit::message::{CheckReport, Draft, DraftRecord, Hold, RiskAssessment, SendState};
use kit::tool::ToolContext;
use kit::{BoxFuture, FactBook, FactKind, ProductId, Provenance, ShopId, StoreError};

use super::Acts;
use crate::delivery::Delivery;
use crate::release::Release;

pub(super) struct Gate {
    pub(super) delivery: Arc<Delivery>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) acts: Acts,
}

/// Runs the release's content rules over a draft.
///
/// # Errors
/// When the draft cannot be hashed.
pub fn check(
    release: &Release,
    draft: &Draft,
    facts: &FactBook,
    flow: &kit::FlowId,
    tags: &Tags,
    now: kit::Timestamp,
) -> Result<CheckReport, StoreError> {
    check_proposed(release, draft, facts, facts, flow, tags, now)
}

/// Runs them with all that the run has learned at hand: a review pasted into a paragraph is known by the fact it came from.
///
/// # Errors
/// When the draft cannot be hashed.
pub fn check_proposed(
    release: &Release,
    draft: &Draft,
    facts: &FactBook,
    learned: &FactBook,
    flow: &kit::FlowId,
    tags: &Tags,
    now: kit::Timestamp,
) -> Result<CheckReport, StoreError> {
    let shop = &release.shop.identity;
    let context = CheckContext {
        language: &draft.language,
        now,
        shop_name: &shop.name,
        link_hosts: &shop.link_hosts,
        flow,
        product_tags: tags,
        learned: Some(learned),
    };
    release
        .rules
        .report(draft, facts, &context)
        .map_err(|e| StoreError::Corrupt { what: "draft".to_owned(), why: e.to_string() })
}

/// Catalogue tags by product id.
pub type Tags = BTreeMap<String, BTreeSet<String>>;

impl RuleBooks for Gate {
    fn rules(&self, shop: &ShopId) -> Option<Arc<RuleBook>> {
        (shop == self.delivery.store.id()).then(|| self.delivery.release.rules.clone())
    }

    fn product_tags(&self, _: &ShopId, product: &str) -> BTreeSet<String> {
        tags_of(&self.catalog, product)
    }
}

impl ContentGate for Gate {
    fn check<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a Draft,
        facts: &'a FactBook,
    ) -> BoxFuture<'a, Result<CheckReport, StoreError>> {
        Box::pin(async move {
            let tags = tags(&self.catalog, facts);
            check_proposed(&self.delivery.release, draft, facts, &cx.facts, &cx.subject.flow, &tags, cx.now)
        })
    }

    fn assess<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a Draft,
        report: &'a CheckReport,
    ) -> BoxFuture<'a, Result<RiskAssessment, StoreError>> {
        Box::pin(self.delivery.assess(&cx.run, &cx.subject, draft, &cx.facts, report))
    }

    fn preview<'a>(&'a self, cx: &'a ToolContext, record: &'a DraftRecord) -> BoxFuture<'a, Result<(), PreviewFault>> {
        Box::pin(async move {
            let reader = match self.delivery.reader(&cx.subject).await? {
                Ok(reader) => reader,
                Err(no_send) => {
                    return Err(StoreError::Corrupt { what: "reader".to_owned(), why: no_send.reason }.into());
                }
            };
            let identity = &self.delivery.release.shop.identity;
            let utm = self.delivery.utm(&cx.subject);
            for subject in 0..record.draft.subjects.len() {
                content::render(record, identity, &reader, &utm, subject)
                    .map_err(|e: RenderError| PreviewFault::Render(e))?;
            }
            Ok(())
        })
    }
}

impl Handover for Gate {
    fn hand_over<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a DraftRecord,
    ) -> BoxFuture<'a, Result<Result<SendState, Hold>, StoreError>> {
        match self.acts {
            Acts::ForReal => Box::pin(self.delivery.hand_over(&cx.run, &cx.subject, draft, None, cx.now)),
            // As far as a rehearsal goes: it would be in the ledger now.
            Acts::InSandbox => Box::pin(async { Ok(Ok(SendState::Reserved)) }),
        }
    }
}

/// Tags of the products a draft may speak of, for claims that hold for a tag.
pub fn tags(catalog: &Catalog, facts: &FactBook) -> Tags {
    let products = facts.iter().filter(|f| f.kind == FactKind::Product);
    products.map(|f| (f.subject.clone(), tags_of(catalog, &f.subject))).collect()
}

/// Tags of a third party prove no claim.
fn tags_of(catalog: &Catalog, product: &str) -> BTreeSet<String> {
    let known = ProductId::new(product).ok().and_then(|id| catalog.get(&id));
    let trusted = known.filter(|p| p.provenance != Provenance::ThirdParty);
    trusted.map(|p| p.tags.iter().cloned().collect()).unwrap_or_default()
}
