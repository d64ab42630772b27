//! Facts: every value that can end up in a message, with an id, a source and an age.
//!
//! Tools mint facts while they answer; the model cites them as placeholders (`{{f103.price}}`); code fills them in
//! at render. A figure without a fact does not leave (mission N13).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{FactId, ProductId};
use crate::money::Money;

/// Who stands behind a value. Ordered by trust: a value made of two takes the lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Anybody outside: customers, reviewers, feeds, tickets. Data, never orders.
    ThirdParty,
    /// The shop platform or ESP.
    Platform,
    /// The shop's own catalogue, guides and rules.
    Merchant,
    /// A marketer's brief or edit.
    Marketer,
}

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// A product: fields `title`, `price`, `url`, `image`, `image_alt`, `highlight`, `care`, `stock`, and `was` when reduced.
    Product,
    /// A customer review: fields `text`, `author`, `stars`, `product`.
    Review,
    /// A guide: fields `title`, `summary`, `url`.
    Guide,
    /// One permitted offer step: fields `label`, `percent`, `code`, `ends`, `url`.
    Offer,
    /// The cart or checkout: fields `url`, and `products`, which proves what a message says is in it.
    Cart,
    /// What this customer ordered: fields `ordered` (cancelled or not) and `bought` (neither cancelled nor sent back). It proves
    /// what a message says of their orders; no tool shows it to a model.
    Order,
    /// An approved claim: field `text`.
    Claim,
}

/// One typed value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FactValue {
    /// Words.
    Text {
        /// The text.
        text: String,
        /// Who wrote it.
        provenance: Provenance,
    },
    /// A price or total.
    Money {
        /// The amount.
        money: Money,
    },
    /// A whole number: stock, stars, per cent.
    Count {
        /// The number.
        count: i64,
    },
    /// An absolute https link.
    Url {
        /// The link.
        url: String,
    },
    /// A point in time.
    Time {
        /// UTC.
        at: Timestamp,
    },
    /// Products that something is true of, such as being in the cart: a proof for the content rules, never words.
    Products {
        /// Their ids.
        products: BTreeSet<ProductId>,
    },
}

impl FactValue {
    /// True when a text may hold the value: links stand in blocks, and proofs nowhere.
    pub fn is_printable(&self) -> bool {
        match self {
            Self::Text { .. } | Self::Money { .. } | Self::Count { .. } | Self::Time { .. } => true,
            Self::Url { .. } | Self::Products { .. } => false,
        }
    }

    /// Merchant text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), provenance: Provenance::Merchant }
    }
    /// Text from outside.
    pub fn third_party(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), provenance: Provenance::ThirdParty }
    }
    /// A link.
    pub fn url(url: impl Into<String>) -> Self {
        Self::Url { url: url.into() }
    }
    /// A whole number.
    pub fn count(count: i64) -> Self {
        Self::Count { count }
    }
    /// An amount.
    pub fn money(money: Money) -> Self {
        Self::Money { money }
    }
}

/// A value with its origin: what it is about, where it was read, when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The id by which the model cites it.
    pub id: FactId,
    /// What it is about.
    pub kind: FactKind,
    /// The id of the thing itself: a product id, a guide id.
    pub subject: String,
    /// Its fields by name.
    pub fields: BTreeMap<String, FactValue>,
    /// The engine that answered, such as `catalog`.
    pub source: String,
    /// When the value was true.
    pub as_of: Timestamp,
}

impl Fact {
    /// A field by name.
    pub fn field(&self, name: &str) -> Option<&FactValue> {
        self.fields.get(name)
    }
    /// A text field's words.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.fields.get(name)? {
            FactValue::Text { text, .. } => Some(text),
            FactValue::Url { url } => Some(url),
            FactValue::Money { .. } | FactValue::Count { .. } | FactValue::Time { .. } | FactValue::Products { .. } => {
                None
            }
        }
    }
    /// A money field.
    pub fn money(&self, name: &str) -> Option<Money> {
        match self.fields.get(name)? {
            FactValue::Money { money } => Some(*money),
            FactValue::Text { .. }
            | FactValue::Url { .. }
            | FactValue::Count { .. }
            | FactValue::Time { .. }
            | FactValue::Products { .. } => None,
        }
    }
    /// A count field.
    pub fn count(&self, name: &str) -> Option<i64> {
        match self.fields.get(name)? {
            FactValue::Count { count } => Some(*count),
            FactValue::Text { .. }
            | FactValue::Url { .. }
            | FactValue::Money { .. }
            | FactValue::Time { .. }
            | FactValue::Products { .. } => None,
        }
    }
    /// The products a field names.
    pub fn products(&self, name: &str) -> Option<&BTreeSet<ProductId>> {
        match self.fields.get(name)? {
            FactValue::Products { products } => Some(products),
            FactValue::Text { .. }
            | FactValue::Url { .. }
            | FactValue::Money { .. }
            | FactValue::Count { .. }
            | FactValue::Time { .. } => None,
        }
    }
}

/// All facts of a run, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FactBook(BTreeMap<FactId, Fact>);

impl FactBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a fact. Ids come from a [`FactMint`] and are unique within a run.
    pub fn insert(&mut self, fact: Fact) {
        self.0.insert(fact.id.clone(), fact);
    }
    /// A fact by id.
    pub fn get(&self, id: &FactId) -> Option<&Fact> {
        self.0.get(id)
    }
    /// All facts in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.values()
    }
    /// True when nothing was learned yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// How many facts.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Mints fact ids for one tool call.
///
/// Call `n` of a run mints `f{n}01 … f{n}99`: parallel calls cannot collide, and a replay mints the same ids.
#[derive(Debug)]
pub struct FactMint {
    call: u32,
    minted: Vec<Fact>,
}

/// Facts one call may mint.
pub const MAX_FACTS_PER_CALL: usize = 99;

impl FactMint {
    /// A mint for the call with this ordinal in its run, counted from 1.
    pub fn for_call(call: u32) -> Self {
        Self { call, minted: Vec::new() }
    }

    /// Mints a fact and returns its id; `None` when this call has minted [`MAX_FACTS_PER_CALL`].
    pub fn mint(
        &mut self,
        kind: FactKind,
        subject: impl Into<String>,
        source: &str,
        as_of: Timestamp,
        fields: impl IntoIterator<Item = (&'static str, FactValue)>,
    ) -> Option<FactId> {
        if self.minted.len() >= MAX_FACTS_PER_CALL {
            return None;
        }
        let id = FactId::new(format!("f{}{:02}", self.call, self.minted.len() + 1)).ok()?;
        self.minted.push(Fact {
            id: id.clone(),
            kind,
            subject: subject.into(),
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            source: source.to_owned(),
            as_of,
        });
        Some(id)
    }

    /// Everything minted, in order.
    pub fn into_facts(self) -> Vec<Fact> {
        self.minted
    }
}
