//! Products and guides as tools showed them.

use kit::{FactId, fence};
use serde_json::Value;

use super::{fact, list, text};

/// Whether a product can be bought now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stock {
    There,
    /// Sold out, or nobody said: never recommend it.
    Out,
}

/// Why a product is on the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Role {
    /// Of the cart or order that started the run.
    Run,
    Interest,
    Favourite,
}

/// The first step of the path that led to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Relation {
    Accessory,
    Next,
    BoughtNext,
    BoughtTogether,
    SamePurpose,
    Substitute,
    /// Of the same category as what it stands in for.
    SameKind,
    /// Nothing leads to it but its own numbers.
    None,
}

impl Relation {
    /// From a path such as `TT-1 -accessory-> TT-2`. A way over a category is a stand-in when it starts at a product
    /// (`TT-1 -in_category-> tents <-in_category- TT-2`) and a shelf otherwise (`tents <-in_category- TT-2`).
    fn of(path: &str) -> Self {
        let mut words = path.split_whitespace();
        let first = words.nth(1).map(|step| step.trim_matches(['-', '<', '>'])).unwrap_or_default();
        let goes_out = path.contains(&format!("-{first}->"));
        match first {
            "accessory" => Self::Accessory,
            "next" => Self::Next,
            "bought_next" => Self::BoughtNext,
            "bought_together" => Self::BoughtTogether,
            "serves_intent" => Self::SamePurpose,
            "substitute" => Self::Substitute,
            "in_category" if goes_out => Self::SameKind,
            _ => Self::None,
        }
    }
}

/// How the graph came to a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    relation: Relation,
    /// Where the path starts: a product, or a shelf.
    from: String,
    /// The reason in the graph's words, the other product's name included.
    because: String,
}

/// A product that may be cited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Product {
    pub(in super::super) fact: FactId,
    pub(in super::super) id: String,
    pub(in super::super) title: String,
    pub(in super::super) category: Option<String>,
    stock: Stock,
    pub(in super::super) highlight: Option<String>,
    pub(in super::super) care: Option<String>,
    pub(in super::super) regulated: bool,
    pub(in super::super) review: Option<FactId>,
    pub(in super::super) role: Option<Role>,
    link: Option<Link>,
}

impl Product {
    /// A product view of any tool; `None` without a fact, an id or a title.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let words = |key: &str| text(value, key).map(|words| fence::unfence(&words).to_owned());
        let stock = match text(value, "stock").as_deref() {
            Some("in_stock" | "low") => Stock::There,
            Some(_) | None => Stock::Out,
        };
        let role = match text(value, "role").as_deref() {
            Some("in_cart" | "ordered") => Some(Role::Run),
            Some("interest") => Some(Role::Interest),
            Some("favourite") => Some(Role::Favourite),
            Some(_) | None => None,
        };
        let because = text(value, "because");
        let highlights: Vec<String> = list(value, "highlights").filter_map(Value::as_str).map(super::clip).collect();
        Some(Self {
            fact: fact(value, "fact")?,
            id: text(value, "product")?,
            title: words("title")?,
            category: text(value, "category"),
            stock,
            highlight: highlights.first().map(|h| fence::unfence(h).to_owned()).filter(|h| !h.is_empty()),
            care: words("care"),
            regulated: value.get("regulated").is_some_and(|law| !law.is_null()),
            review: value.get("review").and_then(|review| fact(review, "fact")),
            role,
            link: because.map(|because| {
                let path = text(value, "path").unwrap_or_default();
                let from = path.split_whitespace().next().unwrap_or_default().to_owned();
                Link { relation: Relation::of(&path), from, because }
            }),
        })
    }

    /// The newest look counts; why it is on the table stays.
    pub(super) fn seen_again(&mut self, newer: Self) {
        let weak = |link: &Link| link.relation == Relation::None;
        let link = match (self.link.take(), newer.link) {
            (Some(old), Some(new)) if weak(&old) => Some(new),
            (old, new) => old.or(new),
        };
        *self = Self { role: self.role.or(newer.role), review: newer.review.or(self.review.take()), link, ..newer };
    }

    pub(in super::super) fn is_there(&self) -> bool {
        self.stock == Stock::There
    }

    pub(in super::super) fn relation(&self) -> Relation {
        self.link.as_ref().map_or(Relation::None, |link| link.relation)
    }

    /// The id of the product at which the path to it starts.
    pub(in super::super) fn source(&self) -> Option<&str> {
        self.link.as_ref().map(|link| link.from.as_str())
    }

    /// What the shop's team wrote about the pair, as a sentence: the words after the other product's name. `None` when there
    /// are none, or when they hold what copy may not hold.
    pub(in super::super) fn curated_words(&self, titles: &[&str]) -> Option<String> {
        let link = self.link.as_ref()?;
        match link.relation {
            Relation::Accessory | Relation::Next | Relation::Substitute => {}
            // The words there are counts and labels, not sentences.
            Relation::BoughtNext
            | Relation::BoughtTogether
            | Relation::SamePurpose
            | Relation::SameKind
            | Relation::None => return None,
        }
        let after = |title: &&str| {
            let (_, rest) = link.because.split_once(*title)?;
            rest.strip_prefix(": ")
        };
        let known = titles.iter().filter(|title| !title.is_empty()).filter_map(after).min_by_key(|rest| rest.len());
        let words = match known {
            Some(words) => words,
            // A title that was never seen: only an unambiguous colon parts it from the reason.
            None if link.because.matches(": ").count() == 1 => link.because.split_once(": ")?.1,
            None => return None,
        };
        let words = words.trim();
        let names_a_product = titles.iter().any(|title| !title.is_empty() && words.contains(title));
        (is_plain(words) && !names_a_product).then(|| sentence(words))
    }
}

/// Words that may stand in copy as they are: no figures, marks of code, links or noise.
fn is_plain(words: &str) -> bool {
    let chars = words.chars().count();
    let marked = |c: char| {
        c.is_numeric() || c.is_control() || "{}⟦⟧<>[]`*|\\@#!%€$£/_…".contains(c) || "\u{200b}\u{feff}".contains(c)
    };
    let lower = words.to_lowercase();
    (8..=200).contains(&chars)
        && words.chars().next().is_some_and(char::is_alphabetic)
        && !words.chars().any(marked)
        && !lower.contains("www.")
}

/// With a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if words.ends_with(['.', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// A guide that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Guide {
    pub(in super::super) fact: FactId,
    pub(in super::super) title: String,
    path: String,
}

impl Guide {
    pub(super) fn read(value: &Value) -> Option<Self> {
        let path = text(value, "path").unwrap_or_default();
        Some(Self { fact: fact(value, "fact")?, title: text(value, "title")?, path })
    }

    /// True when the guide explains this very product, not just something of the same purpose.
    pub(in super::super) fn explains(&self, product: &str) -> bool {
        let mut words = self.path.split_whitespace();
        words.next() == Some(product) && words.next() == Some("<-explains-")
    }
}
