//! What a customer seems to want now.

use jiff::Timestamp;
use kit::{CategoryId, ProductId};
use serde::Serialize;

use super::{DataSource, Reason, category_words, days};
use crate::snapshot::{Activity, ActivityKind, CustomerSnapshot};

/// How much a customer wants something, from nothing to a checkout (mission 20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentLevel {
    /// No sign.
    None,
    /// A glance: one short look.
    Glance,
    /// A real look: stayed a while, compared, or searched.
    Looking,
    /// Came back to the same thing.
    Returning,
    /// Kept it for later.
    Wished,
    /// In the cart.
    Cart,
    /// Began to pay.
    Checkout,
}

/// What a customer seems to want now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// How much.
    pub level: IntentLevel,
    /// Which product, if one stands out.
    pub product: Option<ProductId>,
    /// Which category.
    pub category: Option<CategoryId>,
}

/// What happened longer ago than this many days is not "now".
const NOW_DAYS: f64 = 14.0;
/// A look of at least this many seconds is a real one.
const REAL_LOOK_S: u32 = 20;
/// This many looks within a category are a comparison.
const COMPARED: usize = 3;

impl Intent {
    /// Reads activity of the last two weeks that came after the last purchase: buying ends wanting.
    pub(super) fn of(snapshot: &CustomerSnapshot, now: Timestamp) -> Self {
        let bought = snapshot.purchases(now).map(|order| order.placed_at).max();
        let recent: Vec<&Activity> = snapshot
            .activity
            .iter()
            .filter(|a| a.at <= now && days(a.at, now) <= NOW_DAYS && bought.is_none_or(|at| a.at > at))
            .collect();
        let strongest = recent.iter().map(|a| (level(a, &recent), a.at, *a)).max_by_key(|(level, at, _)| (*level, *at));
        match strongest {
            Some((level, _, activity)) => {
                Self { level, product: activity.product.clone(), category: activity.category.clone() }
            }
            None => Self { level: IntentLevel::None, product: None, category: None },
        }
    }

    pub(super) fn reason(&self) -> Option<Reason> {
        let what = self.category.as_ref().and_then(category_words);
        let (source, text) = match (self.level, what) {
            (IntentLevel::None | IntentLevel::Glance, _) => return None,
            (IntentLevel::Checkout, Some(what)) => {
                (DataSource::Cart, format!("Began to order {what} and did not finish."))
            }
            (IntentLevel::Checkout, None) => (DataSource::Cart, "Began to order and did not finish.".to_owned()),
            (IntentLevel::Cart, Some(what)) => (DataSource::Cart, format!("Has {what} in the cart.")),
            (IntentLevel::Cart, None) => (DataSource::Cart, "Has something in the cart.".to_owned()),
            (IntentLevel::Wished, Some(what)) => (DataSource::Browsing, format!("Keeps {what} on the wish list.")),
            (IntentLevel::Returning | IntentLevel::Looking, Some(what)) => {
                (DataSource::Browsing, format!("Seems interested in {what} right now; do not say how we know."))
            }
            (IntentLevel::Wished | IntentLevel::Returning | IntentLevel::Looking, None) => return None,
        };
        Some(Reason::new(source, text))
    }
}

/// How much one activity says, given what else happened.
fn level(activity: &Activity, recent: &[&Activity]) -> IntentLevel {
    match activity.kind {
        ActivityKind::Checkout => IntentLevel::Checkout,
        ActivityKind::Cart => IntentLevel::Cart,
        ActivityKind::Wished => IntentLevel::Wished,
        ActivityKind::Searched => IntentLevel::Looking,
        ActivityKind::Viewed => viewed(activity, recent),
    }
}

/// A look counts as real by dwell or comparison, as a return when the same product was looked at on another day.
fn viewed(activity: &Activity, recent: &[&Activity]) -> IntentLevel {
    let views = || recent.iter().filter(|a| a.kind == ActivityKind::Viewed);
    let again = activity.product.is_some()
        && views().any(|a| a.product == activity.product && days(a.at, activity.at).abs() >= 0.5);
    if again {
        return IntentLevel::Returning;
    }
    let compared =
        activity.category.is_some() && views().filter(|a| a.category == activity.category).count() >= COMPARED;
    if compared || activity.dwell_s >= REAL_LOOK_S { IntentLevel::Looking } else { IntentLevel::Glance }
}
