//! What policy must know before it grants a step.

use jiff::Timestamp;
use kit::{CategoryId, FlowId, Money, OfferStepId, ProductId};

/// One line of the basket the offer would apply to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasketLine {
    /// The product.
    pub product: ProductId,
    /// Its category path.
    pub category: CategoryId,
    /// The price of one unit now.
    pub price: Money,
    /// What one unit costs the shop; `None` when nobody entered it.
    pub cost: Option<Money>,
    /// Units.
    pub quantity: u32,
    /// The price is already a reduced one.
    pub reduced: bool,
    /// Its labels in the catalogue: some brands forbid discounts below their own price.
    pub tags: Vec<String>,
    /// A law regulates it (food supplements, cosmetics): its price is never lowered, whatever the ladder says.
    pub regulated: bool,
}

/// What the shop gave this customer before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfferHistory {
    /// Orders ever placed; 0 is a new customer.
    pub orders: u32,
    /// Offers granted within the ladder's window ([`crate::Ladder::window_days`]), those that other runs hold included.
    pub granted_in_window: u32,
    /// How many of the latest orders, counted back from the last one without a gap, used a discount.
    pub last_orders_discounted: u32,
    /// Carts abandoned in the last 90 days, this one included.
    pub abandoned_carts_90d: u32,
    /// Share of customers with a lower discount affinity, in per cent; `None` when too little is known.
    pub discount_affinity_percentile: Option<u8>,
    /// The last step this customer was given.
    pub last_step: Option<OfferStepId>,
}

/// One question to the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferRequest {
    /// The flow that would make the offer.
    pub flow: FlowId,
    /// The step asked for; `None` asks for the smallest that policy allows.
    pub step: Option<OfferStepId>,
    /// What it would apply to. For a flow without a cart: the products the message would recommend, one unit each.
    pub basket: Vec<BasketLine>,
    /// What the customer got before.
    pub history: OfferHistory,
    /// The customer is on the shop's VIP list.
    pub vip: bool,
    /// When the occasion began. The end date counts from here, so that it is the same however often it is quoted.
    pub triggered_at: Timestamp,
    /// Now.
    pub now: Timestamp,
}
