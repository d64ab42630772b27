//! Whom a campaign is for: predicates over customers, and how many fall out for which reason.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CategoryId, ProductId};
use crate::locale::Language;
use crate::message::Channel;

/// The stage of a customer's journey, by their own rhythm of buying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Has not bought yet.
    New,
    /// Bought once, not long ago.
    FirstTime,
    /// Buys again within their own rhythm.
    Active,
    /// About to buy again, by their own rhythm.
    Due,
    /// Later than usual.
    AtRisk,
    /// Much later than usual.
    Lapsed,
    /// Buys in one part of the year; the silence in between means nothing.
    Seasonal,
}

/// One thing that is true of a customer or not. Lists mean "any of these"; a category means everything below it too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Predicate {
    /// In one of these stages.
    Stage {
        /// The stages.
        any: Vec<Stage>,
    },
    /// Marked as VIP by the shop.
    Vip,
    /// Bought something of a category.
    BoughtCategory {
        /// The category path.
        category: CategoryId,
        /// Within so many days; null for ever.
        within_days: Option<u32>,
    },
    /// Bought a product.
    BoughtProduct {
        /// The product id.
        product: ProductId,
        /// Within so many days; null for ever.
        within_days: Option<u32>,
    },
    /// Bought anything within so many days.
    BoughtWithin {
        /// Days.
        days: u32,
    },
    /// Never bought anything.
    NeverBought,
    /// Placed at least so many orders that stand.
    OrdersAtLeast {
        /// How many.
        orders: u32,
    },
    /// Placed at most so many orders that stand.
    OrdersAtMost {
        /// How many.
        orders: u32,
    },
    /// Looked at a category.
    Browsed {
        /// The category path.
        category: CategoryId,
        /// Within so many days; null for as long as it is kept.
        within_days: Option<u32>,
    },
    /// Reads one of these languages.
    Language {
        /// Language tags such as "de".
        any: Vec<Language>,
    },
    /// Lives in one of these countries.
    Country {
        /// Two letters, upper case, such as "IE".
        any: Vec<String>,
    },
    /// In one of these loyalty tiers of the shop.
    LoyaltyTier {
        /// The shop's own names, such as "gold".
        any: Vec<String>,
    },
    /// Agreed to hear from the shop over a channel.
    Consent {
        /// The channel.
        channel: Channel,
    },
}

/// Whom a campaign is for: everyone of whom all of `include` is true and none of `exclude`. With nothing included it is
/// for nobody yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudienceSpec {
    /// All of these hold.
    pub include: Vec<Predicate>,
    /// None of these holds.
    pub exclude: Vec<Predicate>,
}

/// What VIPs get. "Nothing for VIPs" can mean two things, so nothing is assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VipTreatment {
    /// Nobody said.
    #[default]
    Unstated,
    /// They get no message.
    Excluded,
    /// They get the message without the offer.
    Undiscounted,
    /// They are treated like everybody, as far as the shop's ladder allows.
    Included,
}

/// Why somebody who fits the brief gets no message. In the order in which they are looked at: one reason a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionReason {
    /// The brief excludes them.
    Brief,
    /// A VIP, and the brief leaves VIPs out.
    Vip,
    /// They agreed to none of the brief's channels, or there is no address for it.
    NoConsent,
    /// Their address is on the suppression list.
    Suppressed,
    /// A support ticket is open.
    OpenTicket,
    /// They bought within the last days: a promotion now would be too late or too much.
    BoughtRecently,
    /// They have had as many messages as the shop's caps allow.
    Cap,
    /// They read a language the brief is not written in.
    Language,
    /// In the shop's standing holdout or in the brief's own.
    Holdout,
}

/// How many fall out for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The reason.
    pub reason: ExclusionReason,
    /// How many.
    pub people: u32,
}

/// An audience in numbers. People never appear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceCount {
    /// Customers looked at.
    pub customers: u32,
    /// Who fits what the brief includes.
    pub matched: u32,
    /// Who would get a message now.
    pub recipients: u32,
    /// Of the recipients, VIPs.
    pub vips: u32,
    /// Who fits but gets none, by reason; only reasons that occur. Their sum and the recipients make `matched`.
    pub excluded: Vec<Exclusion>,
    /// When it was counted.
    pub as_of: Timestamp,
}
