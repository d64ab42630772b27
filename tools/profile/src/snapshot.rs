//! What the store knows of a customer, and the door through which the tool asks for it.

use std::fmt;

use jiff::Timestamp;
use kit::gist::Gist;
use kit::message::{Channel, ConsentState};
use kit::{BoxFuture, CategoryId, CustomerId, Language, Money, OrderId, ProductId, ShopId, StoreError};

use crate::norms::StoreNorms;

/// Everything stored about one customer that the profile may use, as of one moment.
#[derive(Clone, PartialEq)]
pub struct CustomerSnapshot {
    /// The customer.
    pub id: CustomerId,
    /// As they typed it.
    pub first_name: Option<String>,
    /// Their language.
    pub language: Language,
    /// Two letters (ISO 3166-1).
    pub country: Option<String>,
    /// An IANA zone name.
    pub time_zone: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// The shop's tags; `vip` in any case marks a VIP.
    pub tags: Vec<String>,
    /// The shop's own tier.
    pub loyalty_tier: Option<String>,
    /// The newest consent of each channel.
    pub consents: Vec<ConsentFact>,
    /// All orders, in any order.
    pub orders: Vec<OrderFacts>,
    /// Browsing, searches, carts: as far back as retention allows, in any order.
    pub activity: Vec<Activity>,
    /// Support tickets that are open.
    pub open_tickets: u32,
    /// What they wrote to the shop in the last weeks, newest first: in closed words, never theirs.
    pub said: Vec<Said>,
    /// Times of marketing messages of the last weeks.
    pub sent: Vec<Timestamp>,
}

impl CustomerSnapshot {
    /// True for customers whom the shop marks as VIP.
    pub fn is_vip(&self) -> bool {
        self.tags.iter().any(|tag| tag.trim().eq_ignore_ascii_case("vip"))
    }

    /// Orders that count as purchases at `now`: placed, not in the future, not cancelled.
    pub(crate) fn purchases(&self, now: Timestamp) -> impl Iterator<Item = &OrderFacts> {
        self.orders.iter().filter(move |order| order.placed_at <= now && order.cancelled_at.is_none())
    }
}

impl fmt::Debug for CustomerSnapshot {
    // No name, no note: snapshots must be loggable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerSnapshot")
            .field("id", &self.id)
            .field("orders", &self.orders.len())
            .field("activity", &self.activity.len())
            .finish_non_exhaustive()
    }
}

/// Something that a customer wrote, in closed words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// What it is about and how it sounds.
    pub gist: Gist,
}

/// What a consent record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentFact {
    /// For which channel.
    pub channel: Channel,
    /// What holds.
    pub state: ConsentState,
    /// Since when.
    pub at: Timestamp,
    /// Where it was given.
    pub source: String,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFacts {
    /// Its id.
    pub id: OrderId,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// What was paid.
    pub total: Money,
    /// What was taken off.
    pub discount: Money,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Why, in the words of the shop platform: `customer`, `inventory`, `fraud`, `declined`, `staff`, `other`.
    pub cancel_reason: Option<String>,
    /// When all of it was sent.
    pub fulfilled_at: Option<Timestamp>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// The product.
    pub product: ProductId,
    /// Its category path.
    pub category: CategoryId,
    /// Units.
    pub quantity: u32,
    /// Price of one unit.
    pub price: Money,
    /// It came back.
    pub returned: bool,
}

/// What a customer did on the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivityKind {
    /// Looked at a product.
    Viewed,
    /// Searched.
    Searched,
    /// Kept it for later.
    Wished,
    /// Put it into the cart.
    Cart,
    /// Began to pay.
    Checkout,
}

/// One thing a customer did on the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// What.
    pub kind: ActivityKind,
    /// With which product.
    pub product: Option<ProductId>,
    /// In which category.
    pub category: Option<CategoryId>,
    /// When.
    pub at: Timestamp,
    /// Seconds on the page.
    pub dwell_s: u32,
}

/// Where profiles come from. Implemented by the orchestrator's store.
pub trait Profiles: Send + Sync {
    /// What is known of the customer at `now`; `None` when nothing is, or when they were erased.
    fn snapshot<'a>(
        &'a self,
        shop: &'a ShopId,
        customer: &'a CustomerId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<CustomerSnapshot>, StoreError>>;

    /// What is usual in the shop. It changes over weeks: the store may keep it for a day.
    fn norms<'a>(&'a self, shop: &'a ShopId, now: Timestamp) -> BoxFuture<'a, Result<StoreNorms, StoreError>>;
}
