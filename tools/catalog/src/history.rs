//! What a product cost before: a former price is shown only where the history proves it.
//!
//! EU: an announced reduction refers to the lowest price of the thirty days before it (Dir. 98/6 art. 6a, CJEU C-330/23).
//! US: a former price was really asked for a substantial time (16 CFR 233.1). The stricter of both holds for everybody: the
//! lowest price of those thirty days, and only if just that price was asked on most of the days before.

use jiff::SignedDuration;
use kit::{Money, Timestamp};

/// The days before a reduction whose lowest price counts.
const LOOK_BACK_DAYS: i64 = 30;
/// The days before a reduction in which the former price must have been asked …
const TRIAL_DAYS: i64 = 90;
/// … and on how many of them.
const SUBSTANTIAL_DAYS: i64 = 28;
/// A price that has stood for longer is no reduction any more.
const STALE_DAYS: i64 = 90;

/// A price and since when it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricePoint {
    /// Since when.
    pub at: Timestamp,
    /// The price.
    pub price: Money,
}

/// The former price that may stand beside the price of now; `None` when nothing proves one. `points` are in order of time.
pub fn former_price(points: &[PricePoint], now: Timestamp) -> Option<Money> {
    let known: Vec<&PricePoint> = points.iter().filter(|p| p.at <= now).collect();
    let (current, earlier) = known.split_last()?;
    let days = |n: i64| SignedDuration::from_hours(24 * n);
    if now.duration_since(current.at) > days(STALE_DAYS) {
        return None;
    }
    let ends = earlier.iter().skip(1).map(|p| p.at).chain([current.at]);
    let spans: Vec<(Timestamp, Timestamp, Money)> =
        earlier.iter().zip(ends).map(|(p, end)| (p.at, end, p.price)).collect();
    // The whole look-back must be known: a gap could hide a lower price.
    let from = current.at.checked_sub(days(LOOK_BACK_DAYS)).ok()?;
    if spans.first()?.0 > from || spans.iter().any(|(_, _, price)| price.currency != current.price.currency) {
        return None;
    }
    let lowest = spans.iter().filter(|(_, end, _)| *end > from).map(|(_, _, price)| *price).min_by_key(|p| p.minor)?;
    let trial = current.at.checked_sub(days(TRIAL_DAYS)).ok()?;
    let asked: SignedDuration = spans
        .iter()
        .filter(|(_, _, price)| *price == lowest)
        .map(|(start, end, _)| end.duration_since((*start).max(trial)))
        .filter(SignedDuration::is_positive)
        .sum();
    (lowest.minor > current.price.minor && asked >= days(SUBSTANTIAL_DAYS)).then_some(lowest)
}
