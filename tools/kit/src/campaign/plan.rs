//! What a campaign offers and shows, when it leaves, and how it is judged.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CategoryId, OfferStepId, ProductId};
use crate::money::Money;

/// The figure that says a campaign worked. Each is compared with the holdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuccessMeasure {
    /// Contribution margin per recipient: what is left after goods, discount and sending.
    MarginPerRecipient,
    /// Revenue per recipient.
    RevenuePerRecipient,
    /// Orders per thousand recipients.
    Orders,
    /// Customers who bought once and now buy again.
    SecondPurchases,
    /// Lapsed customers who buy again.
    Reactivations,
    /// Units sold of the products shown.
    UnitsOfProducts,
}

/// One figure of success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuccessMetric {
    /// What is measured.
    pub measure: SuccessMeasure,
    /// Counted over so many days after a message.
    pub within_days: u16,
}

/// The figure that says a campaign did harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureMeasure {
    /// Unsubscribes per thousand delivered.
    Unsubscribes,
    /// Spam complaints per thousand delivered.
    Complaints,
    /// Orders sent back, per thousand orders.
    Returns,
    /// Orders with the discount from people who would have bought anyway, per thousand orders.
    DiscountedAnyway,
}

/// One figure of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureMetric {
    /// What is measured.
    pub measure: FailureMeasure,
    /// More than this per thousand is failure.
    pub above_per_mille: u16,
}

/// Whether there is an offer, and which.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "choice", rename_all = "snake_case")]
pub enum OfferChoice {
    /// Nobody said yet.
    #[default]
    Undecided,
    /// No offer.
    None,
    /// One step of the shop's ladder.
    Step {
        /// The step.
        step: OfferStepId,
    },
}

/// What is offered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferPlan {
    /// The choice.
    pub choice: OfferChoice,
    /// What the marketer asked for, in their words, when no step of the ladder is that. A wish for a person who may change
    /// the ladder; nothing is promised.
    pub beyond_ladder: Option<String>,
    /// What it may cost. Computed; shown to marketers, never to a model.
    pub cost: Option<OfferCost>,
}

/// What an offer may cost the shop with the audience of the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferCost {
    /// People who would get the offer.
    pub recipients: u32,
    /// The basket it was computed on: the audience's usual one.
    pub typical_basket: Money,
    /// What the step takes off that basket, within the ladder's limits.
    pub per_basket: Money,
    /// Everybody redeems once: `recipients × per_basket`.
    pub maximum: Money,
    /// Recipients expected to buy without any offer, by how often they bought of late.
    pub would_buy_anyway: u32,
    /// Margin given away to those: `would_buy_anyway × per_basket`.
    pub margin_at_risk: Money,
    /// When it was computed.
    pub as_of: Timestamp,
}

/// A product and why it is in the campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BriefProduct {
    /// The product.
    pub product: ProductId,
    /// Its title when it was chosen, for people to recognise.
    pub title: String,
    /// Its category.
    pub category: CategoryId,
    /// Why: the graph path in words, or how it was found.
    pub because: String,
    /// The graph path in ids; empty when it came from a search.
    pub path: String,
    /// A law regulates what may be said of it: `supplement`, `cosmetic`, `biocide`.
    pub regulated: Option<String>,
}

/// In whose zone a time of day is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SendZone {
    /// Each recipient's own.
    #[default]
    Recipient,
    /// The shop's: everybody at the same moment.
    Shop,
}

/// When a campaign leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The day.
    pub on: Date,
    /// The time of day.
    pub at: Time,
    /// In whose zone.
    pub zone: SendZone,
    /// The last day in that zone on which a message may still leave.
    pub not_after: Date,
    /// What the marketer said, when code worked the day out of it: "thursday".
    pub said: Option<String>,
}

/// What messages of a campaign are built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Angle {
    /// The season or event is the reason to write.
    Occasion,
    /// What the product does for the reader, from catalogue facts.
    Benefit,
    /// How to choose, use or look after it.
    Advice,
    /// What other customers say, in their words.
    Review,
    /// What is new where they like to look.
    NewArrivals,
    /// Good to have you back, from what they liked.
    Comeback,
    /// The offer comes first.
    Offer,
    /// It runs out or ends: only with a stock or date fact.
    Urgency,
}

/// What the law takes the messages for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegalClass {
    /// Advertising: needs consent, carries an unsubscribe link.
    #[default]
    Marketing,
    /// News a customer needs about something they bought: no offer, no promotion.
    Service,
}
