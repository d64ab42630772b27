//! What the tools need to know of the shop.

use std::sync::Arc;

use jiff::tz::TimeZone;
use kit::campaign::{AudienceCount, Brief, BriefProduct, OfferCost};
use kit::message::Channel;
use kit::{BoxFuture, CategoryId, Language, OfferStepId, ProductId, ShopId, StoreError, Timestamp};

/// One step of the ladder, as far as a brief is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Its id.
    pub step: OfferStepId,
    /// What a reader is told, in the shop's language.
    pub label: String,
    /// Per cent off; nothing for another concession.
    pub percent: Option<u8>,
    /// A person must look at every message that carries it.
    pub needs_approval: bool,
}

/// What is fixed in a shop.
#[derive(Debug, Clone)]
pub struct ShopFacts {
    /// The zone its days are meant in.
    pub zone: TimeZone,
    /// The languages it writes, its own first.
    pub languages: Vec<Language>,
    /// The channels it can use.
    pub channels: Vec<Channel>,
    /// The steps that give something away, shallow to deep.
    pub ladder: Vec<Rung>,
    /// VIPs may be given offers at all.
    pub vips_get_offers: bool,
}

/// A product as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownProduct {
    /// With its title and the reason why it fits the others.
    pub product: BriefProduct,
    /// It can be sold now.
    pub in_stock: bool,
    /// Its cost is known, so that a discount can be proven to keep the margin.
    pub cost_known: bool,
}

/// What code computes from a brief and the shop's data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// The audience; nothing while nobody is included.
    pub audience: Option<AudienceCount>,
    /// What the offer may cost; nothing without an offer or an audience.
    pub cost: Option<OfferCost>,
}

/// Where the tools get it. Implemented by the orchestrator.
pub trait BriefDesk: Send + Sync {
    /// What is fixed in the shop.
    fn facts(&self, shop: &ShopId) -> ShopFacts;

    /// What the shop sells, and how its products belong together.
    fn goods<'a>(&'a self, shop: &'a ShopId) -> BoxFuture<'a, Result<Arc<dyn Goods>, StoreError>>;

    /// Counts the audience of a brief and what its offer may cost. `campaign` names the brief.
    fn figures<'a>(
        &'a self,
        shop: &'a ShopId,
        campaign: &'a str,
        brief: &'a Brief,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Figures, StoreError>>;
}

/// What a shop sells.
pub trait Goods: Send + Sync {
    /// True when the catalogue has something in this category or below it.
    fn has_category(&self, category: &CategoryId) -> bool;

    /// A product, with the path by which it belongs to the other products of the brief; `None` when the shop has no such.
    fn product(&self, product: &ProductId, others: &[ProductId], now: Timestamp) -> Option<ShownProduct>;
}
