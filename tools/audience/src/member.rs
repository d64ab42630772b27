//! A customer as an audience sees one.

use kit::campaign::Stage;
use kit::message::Channel;
use kit::{BoxFuture, CategoryId, CustomerId, Language, ProductId, ShopId, StoreError, Timestamp};

/// Whether somebody can be reached over a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// They agreed, there is an address, and nothing is known against it.
    Open,
    /// They did not agree, or there is no address.
    Closed,
    /// They agreed, and the address is on the suppression list.
    Suppressed,
}

/// Something bought: one line of an order that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The product.
    pub product: ProductId,
    /// Its category then.
    pub category: CategoryId,
    /// When.
    pub at: Timestamp,
}

/// A category looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The category.
    pub category: CategoryId,
    /// When.
    pub at: Timestamp,
}

/// What is known of a customer as of one moment. Nothing here names them but the id, which no model sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The customer.
    pub customer: CustomerId,
    /// Where they are in their journey.
    pub stage: Stage,
    /// On the shop's VIP list.
    pub vip: bool,
    /// The language they would be written to in.
    pub language: Language,
    /// Two letters, upper case.
    pub country: Option<String>,
    /// The shop's tier.
    pub loyalty_tier: Option<String>,
    /// Orders that stand.
    pub orders: u32,
    /// The newest of them.
    pub last_order: Option<Timestamp>,
    /// What they bought.
    pub purchases: Vec<Purchase>,
    /// What they looked at, as far back as it is kept.
    pub views: Vec<View>,
    /// How they can be reached; a channel that is missing is closed.
    pub reach: Vec<(Channel, Reach)>,
    /// A support ticket is open.
    pub open_ticket: bool,
    /// Messages of the last 24 hours.
    pub sent_day: u32,
    /// Messages of the last seven days.
    pub sent_week: u32,
    /// In the shop's standing holdout.
    pub holdout: bool,
}

impl Member {
    /// Whether they can be reached over a channel.
    pub fn reach(&self, channel: Channel) -> Reach {
        self.reach.iter().find(|(c, _)| *c == channel).map_or(Reach::Closed, |(_, reach)| *reach)
    }
}

/// What the shop allows, whatever a brief wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Messages per person within 24 hours.
    pub cap_day: u32,
    /// And within seven days.
    pub cap_week: u32,
    /// Somebody who bought within so many days gets no promotion.
    pub bought_within_days: u32,
}

/// Where members come from. Implemented by the orchestrator over its store.
pub trait Crowd: Send + Sync {
    /// The next customers in order of id, after this one; an empty page is the end. Erased customers never appear.
    fn page<'a>(
        &'a self,
        shop: &'a ShopId,
        after: Option<&'a CustomerId>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Member>, StoreError>>;

    /// What the shop allows.
    fn policy(&self, shop: &ShopId) -> Policy;
}
