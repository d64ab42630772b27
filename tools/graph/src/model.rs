//! The plain types around the graph: what it is built from, what it is asked, what it answers.

use std::fmt;

use kit::{CategoryId, GuideId, IntentId, Language, Money, ProductId, Timestamp};

/// A product as the graph needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphProduct {
    /// The product.
    pub id: ProductId,
    /// Its category path, such as `footwear/hiking-boots`. Parents become nodes of their own.
    pub category: CategoryId,
    /// Attributes as name and value.
    pub attributes: Vec<(String, String)>,
    /// Free tags; they become attributes named `tag`.
    pub tags: Vec<String>,
    /// The list price, for "a similar price". Filters use the live price.
    pub price: Money,
    /// Contribution margin in thousandths of the price, when known. It is never shown to a model.
    pub margin_permille: Option<u16>,
    /// True when people buy it again after using it up.
    pub consumable: bool,
}

/// One line of a paid order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interaction {
    /// Any number that stands for the customer.
    pub customer: u32,
    /// The position of the product in the list the builder was made from.
    pub product: u32,
    /// Any number that stands for the order. All lines of an order carry the same time.
    pub basket: u32,
    /// When it was paid.
    pub at: Timestamp,
}

/// Something the customer has bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The product.
    pub product: ProductId,
    /// The last time.
    pub last_bought: Timestamp,
    /// It was sent back.
    pub returned: bool,
    /// When the customer's own cycle says a consumable is due; `None` falls back on the product's usual interval.
    pub due_at: Option<Timestamp>,
}

/// How two nodes are related. The order is the order of strength in recommendations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Relation {
    /// Curated: the second product is used with the first.
    Accessory,
    /// Curated: the second product is the next step after the first.
    Next,
    /// Learned: bought in a later order within 90 days.
    BoughtNext,
    /// Learned: bought by the same customers.
    BoughtTogether,
    /// A product or guide serves an intent.
    ServesIntent,
    /// Curated: the second product can stand in for the first.
    Substitute,
    /// A guide explains a product.
    Explains,
    /// A product, or a narrower category, lies in a category.
    InCategory,
    /// A product has an attribute.
    HasAttribute,
}

impl Relation {
    /// The name in paths and tool arguments.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accessory => "accessory",
            Self::Next => "next",
            Self::BoughtNext => "bought_next",
            Self::BoughtTogether => "bought_together",
            Self::ServesIntent => "serves_intent",
            Self::Substitute => "substitute",
            Self::Explains => "explains",
            Self::InCategory => "in_category",
            Self::HasAttribute => "has_attribute",
        }
    }

    /// How much a relation of full weight says, 0 to 1: the same order everywhere, judged, not fitted.
    pub(crate) const fn strength(self) -> f32 {
        match self {
            Self::Accessory => 0.95,
            Self::Substitute | Self::Explains => 0.9,
            Self::Next => 0.85,
            Self::BoughtNext => 0.75,
            Self::BoughtTogether => 0.5,
            Self::ServesIntent => 0.35,
            Self::InCategory => 0.2,
            Self::HasAttribute => 0.1,
        }
    }

    /// True for what was counted from orders.
    pub const fn is_learned(self) -> bool {
        match self {
            Self::BoughtNext | Self::BoughtTogether => true,
            Self::Accessory
            | Self::Next
            | Self::ServesIntent
            | Self::Substitute
            | Self::Explains
            | Self::InCategory
            | Self::HasAttribute => false,
        }
    }
}

/// Where an edge comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// Read from the catalogue.
    Catalogue,
    /// Written by a merchandiser.
    Curated,
    /// Counted from orders.
    Learned {
        /// Customers who show it; saturates at 65,535.
        support: u16,
    },
}

/// A node by its public name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeRef {
    /// A product.
    Product(ProductId),
    /// A category path.
    Category(CategoryId),
    /// An attribute.
    Attribute {
        /// Its name, such as `material`.
        name: String,
        /// Its value, such as `leather`.
        value: String,
    },
    /// An intent.
    Intent(IntentId),
    /// A guide.
    Guide(GuideId),
}

impl fmt::Display for NodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Product(id) => id.fmt(f),
            Self::Category(id) => id.fmt(f),
            Self::Attribute { name, value } => write!(f, "{name}={value}"),
            Self::Intent(id) => id.fmt(f),
            Self::Guide(id) => id.fmt(f),
        }
    }
}

/// One step of a path, in reading direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// Where the step starts.
    pub from: NodeRef,
    /// Where it leads.
    pub to: NodeRef,
    /// The relation it follows.
    pub relation: Relation,
    /// The step goes against the arrow of the relation.
    pub reversed: bool,
    /// What the merchandiser wrote about it, in the reader's language.
    pub why: Option<String>,
}

/// A path in one line: `TT-1001 -accessory-> TT-1402`, `TT-1001 -serves_intent-> first-hike <-serves_intent- TT-1002`.
pub fn compact(path: &[PathStep]) -> String {
    let mut line = path.first().map(|step| step.from.to_string()).unwrap_or_default();
    for PathStep { to, relation, reversed, .. } in path {
        let name = relation.name();
        line.push_str(&if *reversed { format!(" <-{name}- {to}") } else { format!(" -{name}-> {to}") });
    }
    line
}

/// A product that fits, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// The product.
    pub product: ProductId,
    /// How well it fits; only the order means something, within one answer.
    pub score: f32,
    /// The path that led to it; empty for an overall best-seller.
    pub path: Vec<PathStep>,
    /// The path in words, in the reader's language.
    pub reason: String,
}

/// A node beside another.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// The step to it.
    pub step: PathStep,
    /// Strength, 0 to 1.
    pub weight: f32,
    /// Where the edge comes from.
    pub provenance: Provenance,
    /// When it was true.
    pub as_of: Timestamp,
}

/// A guide for a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuideRef {
    /// The guide.
    pub id: GuideId,
    /// Its title, in the reader's language when the guide has one in it.
    pub title: String,
    /// What it says in a sentence or two.
    pub summary: String,
    /// Absolute https link.
    pub url: String,
    /// The path from the product.
    pub path: Vec<PathStep>,
    /// When the entry was read.
    pub as_of: Timestamp,
}

/// The prices a reader should see, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceBand {
    /// From.
    pub min: Money,
    /// To.
    pub max: Money,
}

impl PriceBand {
    /// True when the price lies inside and is in the same currency.
    pub fn holds(&self, price: Money) -> bool {
        price.currency == self.min.currency
            && price.currency == self.max.currency
            && (self.min.minor..=self.max.minor).contains(&price.minor)
    }
}

/// For whom something is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What is in the cart or order at hand: relations start here, and it is never offered.
    pub basket: &'a [ProductId],
    /// Never offered either: for example this run's cart when the basket holds other products.
    pub exclude: &'a [ProductId],
    /// What the customer bought before.
    pub history: &'a [Owned],
    /// Categories the customer likes, best first, for when nothing relates to basket or history.
    pub favourites: &'a [CategoryId],
    /// How many products.
    pub k: usize,
    /// The language of the reasons: German for `de`, else English.
    pub language: &'a Language,
    /// The time of asking.
    pub now: Timestamp,
    /// Also offer products that a law regulates.
    pub regulated: bool,
    /// Only offer prices inside.
    pub price_band: Option<PriceBand>,
}

/// Whether a product can be offered at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Out of stock, or no longer in the shop.
    Unavailable,
    /// It can be bought.
    Sellable {
        /// The price now.
        price: Money,
        /// A law regulates what may be said about it.
        regulated: bool,
    },
}

/// What only the live catalogue knows. The graph holds relations; stock and titles change too often to be in it.
pub trait Live {
    /// Whether the product can be offered now.
    fn availability(&self, product: &ProductId) -> Availability;
    /// Its title in the reader's language, fenced when a third party wrote it; `None` when the shop no longer has it.
    fn title(&self, product: &ProductId) -> Option<String>;
}
