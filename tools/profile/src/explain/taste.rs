//! What a customer prefers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kit::{CategoryId, ProductId};

use super::{DataSource, Reason, category_words, days, list};
use crate::snapshot::{ActivityKind, CustomerSnapshot, OrderFacts};

/// Preferences.
pub(super) struct Taste {
    pub(super) categories: Vec<CategoryId>,
    pub(super) favourites: Vec<ProductId>,
    pub(super) looked_at: Vec<ProductId>,
    pub(super) returned: Vec<ProductId>,
    pub(super) cancelled: Option<Reason>,
    bought: Vec<CategoryId>,
    sent_back: Option<CategoryId>,
}

/// A purchase loses half of its weight in this many days.
const BUY_HALF_LIFE: f64 = 365.0;
/// A look, a wish, a cart: in this many.
const LOOK_HALF_LIFE: f64 = 30.0;
/// A cancellation older than this many days explains nothing.
const CANCELLED_DAYS: f64 = 30.0;

impl Taste {
    pub(super) fn of(snapshot: &CustomerSnapshot, now: Timestamp) -> Self {
        let mut categories: BTreeMap<&CategoryId, f64> = BTreeMap::new();
        let mut bought: BTreeMap<&CategoryId, f64> = BTreeMap::new();
        let mut owned: BTreeMap<&ProductId, f64> = BTreeMap::new();
        let mut looked_at: BTreeMap<&ProductId, f64> = BTreeMap::new();
        let mut returned: Vec<ProductId> = Vec::new();
        let mut sent_back = None;
        for order in snapshot.purchases(now) {
            let weight = 3.0 * fade(days(order.placed_at, now), BUY_HALF_LIFE);
            for line in &order.lines {
                if line.returned {
                    returned.push(line.product.clone());
                    sent_back = Some(line.category.clone());
                    continue;
                }
                *categories.entry(&line.category).or_default() += weight;
                *bought.entry(&line.category).or_default() += weight;
                *owned.entry(&line.product).or_default() += weight;
            }
        }
        for activity in snapshot.activity.iter().filter(|a| a.at <= now) {
            let weight = interest(activity.kind) * fade(days(activity.at, now), LOOK_HALF_LIFE);
            if let Some(category) = &activity.category {
                *categories.entry(category).or_default() += weight;
            }
            if let Some(product) = &activity.product {
                *looked_at.entry(product).or_default() += weight;
            }
        }
        returned.sort();
        returned.dedup();
        // A look is no purchase: "you know this one" would be untrue, and would tell people that they are watched.
        looked_at.retain(|product, _| !returned.contains(product) && !owned.contains_key(product));
        owned.retain(|product, _| !returned.contains(product) && bought_again(snapshot, product, now));
        Self {
            categories: best(categories, 3),
            favourites: best(owned, 6),
            looked_at: best(looked_at, 6),
            cancelled: cancelled(snapshot, now),
            bought: best(bought, 3),
            returned,
            sent_back,
        }
    }

    pub(super) fn reasons(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let bought: Vec<String> = self.bought.iter().filter_map(category_words).collect();
        if !bought.is_empty() {
            reasons.push(Reason::new(DataSource::Orders, format!("Mostly buys {}.", list(&bought))));
        }
        if let Some(words) = self.sent_back.as_ref().and_then(category_words) {
            let text = format!("Sent something from {words} back: not a category to push.");
            reasons.push(Reason::new(DataSource::Returns, text));
        }
        reasons
    }
}

/// Half after each half-life.
fn fade(age_days: f64, half_life: f64) -> f64 {
    0.5f64.powf(age_days.max(0.0) / half_life)
}

fn interest(kind: ActivityKind) -> f64 {
    match kind {
        ActivityKind::Viewed => 0.5,
        ActivityKind::Searched => 0.75,
        ActivityKind::Cart | ActivityKind::Checkout => 1.5,
        ActivityKind::Wished => 2.0,
    }
}

/// A tent that is owned is not wanted again; what was bought twice may be.
fn bought_again(snapshot: &CustomerSnapshot, product: &ProductId, now: Timestamp) -> bool {
    let holds = |order: &&OrderFacts| order.lines.iter().any(|line| line.product == *product && !line.returned);
    snapshot.purchases(now).filter(holds).count() > 1
}

/// The highest scores first; equal scores in order of name, so that equal snapshots have equal profiles.
fn best<T: Clone + Ord>(scores: BTreeMap<&T, f64>, limit: usize) -> Vec<T> {
    let mut ranked: Vec<(&T, f64)> = scores.into_iter().collect();
    ranked.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| a.cmp(b)));
    ranked.into_iter().take(limit).map(|(item, _)| item.clone()).collect()
}

/// The last order, when it was cancelled lately.
fn cancelled(snapshot: &CustomerSnapshot, now: Timestamp) -> Option<Reason> {
    let last = snapshot.orders.iter().filter(|o| o.placed_at <= now).max_by_key(|o| o.placed_at)?;
    let at = last.cancelled_at.filter(|at| *at <= now && days(*at, now) <= CANCELLED_DAYS)?;
    let later = snapshot.purchases(now).any(|o| o.placed_at > at);
    if later {
        return None;
    }
    let text = match last.cancel_reason.as_deref() {
        Some("inventory") => "Their last order was cancelled because we ran out of stock.",
        Some("declined") => "Their last order was cancelled because the payment did not go through.",
        Some("customer") => "Cancelled their last order themselves.",
        Some(_) | None => "Their last order was cancelled.",
    };
    Some(Reason::new(DataSource::Cancellations, text))
}
