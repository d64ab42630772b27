//! From a snapshot to statements in words.

mod intent;
mod journey;
mod rhythm;
mod taste;
mod value;

use jiff::Timestamp;
use kit::{CategoryId, ProductId};
use serde::Serialize;

pub use intent::{Intent, IntentLevel};
pub use journey::{Stage, Thresholds};
pub use rhythm::Rhythm;
pub(crate) use rhythm::{days, occasions};
pub use value::{Internal, PriceLevel};

use crate::norms::StoreNorms;
use crate::snapshot::CustomerSnapshot;

/// Which of the shop's own data a statement rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// Orders.
    Orders,
    /// Orders that were cancelled.
    Cancellations,
    /// Lines that came back.
    Returns,
    /// The cart or checkout.
    Cart,
    /// Product pages, searches and the wish list.
    Browsing,
    /// Messages we sent.
    Messages,
    /// Support tickets.
    Tickets,
}

/// One statement about a customer: words without figures, dates or personal data, and the data behind them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// In words.
    pub text: String,
    /// From which data.
    pub source: DataSource,
}

impl Reason {
    pub(crate) fn new(source: DataSource, text: impl Into<String>) -> Self {
        Self { text: text.into(), source }
    }
}

/// What can be said about a customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Where they are in their journey with the shop.
    pub stage: Stage,
    /// Categories they like best, best first, at most three.
    pub categories: Vec<CategoryId>,
    /// Products they bought more than once, best first; nothing that they sent back.
    pub favourites: Vec<ProductId>,
    /// Products they looked at, searched, wished for or put into a cart and never bought, best first.
    pub looked_at: Vec<ProductId>,
    /// Products that they sent back: never suggest them.
    pub returned: Vec<ProductId>,
    /// How they shop.
    pub rhythm: Rhythm,
    /// What they seem to want now.
    pub intent: Intent,
    /// All of it in words, the most telling first.
    pub reasons: Vec<Reason>,
    /// For code and for the shop's team, never for a model.
    pub internal: Internal,
}

/// Explains a customer at `now`.
pub fn explain(snapshot: &CustomerSnapshot, norms: &StoreNorms, thresholds: &Thresholds, now: Timestamp) -> Profile {
    let rhythm = Rhythm::of(snapshot, norms, now);
    let stage = journey::stage(&rhythm, norms, thresholds);
    let intent = Intent::of(snapshot, now);
    let taste = taste::Taste::of(snapshot, now);
    let internal = Internal::of(snapshot, &rhythm, norms, now);
    let mut reasons: Vec<Reason> = Vec::new();
    reasons.extend(intent.reason());
    reasons.extend(taste.cancelled.clone());
    reasons.extend(messages(snapshot, now));
    reasons.push(journey::reason(stage));
    reasons.extend(taste.reasons());
    reasons.extend(rhythm.reason(stage));
    Profile {
        stage,
        categories: taste.categories,
        favourites: taste.favourites,
        looked_at: taste.looked_at,
        returned: taste.returned,
        rhythm,
        intent,
        reasons,
        internal,
    }
}

/// Where somebody is in their journey, and nothing else: for whole audiences.
pub fn stage(snapshot: &CustomerSnapshot, norms: &StoreNorms, thresholds: &Thresholds, now: Timestamp) -> Stage {
    journey::stage(&Rhythm::of(snapshot, norms, now), norms, thresholds)
}

/// Two messages in a week are enough to say less.
fn messages(snapshot: &CustomerSnapshot, now: Timestamp) -> Option<Reason> {
    let lately = snapshot.sent.iter().filter(|at| **at <= now && days(**at, now) <= 7.0).count();
    (lately >= 2)
        .then(|| Reason::new(DataSource::Messages, "Has heard from us more than once lately: say less, or nothing."))
}

/// A category in a reader's words: the last part of `footwear/hiking-boots` is `hiking boots`. `None` for anything that is
/// more than plain words: categories of generic webhooks are text from outside.
pub(crate) fn category_words(category: &CategoryId) -> Option<String> {
    let words = category.as_str().rsplit('/').next()?.replace(['-', '_'], " ").trim().to_lowercase();
    let plain = words.chars().all(|c| c.is_alphabetic() || c == ' ' || c == '&');
    (plain && !words.is_empty() && words.chars().count() <= 40).then_some(words)
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
