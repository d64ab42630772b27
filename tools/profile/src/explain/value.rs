//! What a customer is worth and how they respond to discounts: for code and for the shop's team, never for a model.

use jiff::Timestamp;
use kit::Money;
use serde::Serialize;

use super::rhythm::Rhythm;
use crate::norms::StoreNorms;
use crate::snapshot::{CustomerSnapshot, OrderFacts};

/// What a customer usually pays for one thing, beside the shop's other customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceLevel {
    /// In the lower third of the shop's prices.
    Low,
    /// In the middle.
    Middle,
    /// In the upper third.
    High,
}

/// Values that steer code: spending per person, offers, approval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Internal {
    /// The shop marks them as VIP.
    pub vip: bool,
    /// Paid so far; `None` without a purchase or with several currencies.
    pub spent: Option<Money>,
    /// Revenue expected in the next year: chance to return × purchases a year × average order. A ranking, not a promise; it
    /// knows no margin.
    pub next_year: Option<Money>,
    /// The price level of their lines.
    pub price_level: Option<PriceLevel>,
    /// Posterior mean share of orders with a discount, 0 to 1. A habit, not a causal response to price.
    pub discount_affinity: f64,
    /// Orders with a discount in a row, up to the last one. After two, the next trigger must not offer one.
    pub discounts_in_a_row: usize,
    /// Share of lines that came back.
    pub return_share: f64,
}

impl Internal {
    pub(super) fn of(snapshot: &CustomerSnapshot, rhythm: &Rhythm, norms: &StoreNorms, now: Timestamp) -> Self {
        let mut orders: Vec<&OrderFacts> = snapshot.purchases(now).collect();
        orders.sort_by_key(|order| order.placed_at);
        let discounted = orders.iter().filter(|o| o.discount.minor > 0).count() as f64;
        let count = orders.len() as f64;
        let spent = spent(&orders);
        let lines: Vec<_> = orders.iter().flat_map(|order| &order.lines).collect();
        let returned = lines.iter().filter(|line| line.returned).count() as f64;
        Self {
            vip: snapshot.is_vip(),
            spent,
            next_year: spent.map(|spent| next_year(spent, count, rhythm)),
            price_level: price_level(lines.iter().map(|line| line.price.minor).collect(), norms),
            discount_affinity: (norms.discount_alpha + discounted)
                / (norms.discount_alpha + norms.discount_beta + count),
            discounts_in_a_row: orders.iter().rev().take_while(|o| o.discount.minor > 0).count(),
            return_share: if lines.is_empty() { 0.0 } else { returned / lines.len() as f64 },
        }
    }
}

fn spent(orders: &[&OrderFacts]) -> Option<Money> {
    let (first, rest) = orders.split_first()?;
    rest.iter().try_fold(first.total, |sum, order| sum.plus(order.total)).ok()
}

fn next_year(spent: Money, orders: f64, rhythm: &Rhythm) -> Money {
    let purchases = rhythm.silence_probability * 365.0 / rhythm.expected_days.max(1.0);
    // `as` from a float saturates; the value is far below 2^53 for any real shop.
    Money::new((spent.minor as f64 / orders.max(1.0) * purchases).round() as i64, spent.currency)
}

fn price_level(mut prices: Vec<i64>, norms: &StoreNorms) -> Option<PriceLevel> {
    prices.sort_unstable();
    let median = *prices.get(prices.len() / 2)?;
    let (low, high) = norms.price_thirds;
    Some(match median {
        m if m < low => PriceLevel::Low,
        m if m <= high => PriceLevel::Middle,
        _ => PriceLevel::High,
    })
}
