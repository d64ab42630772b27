//! What is usual in a shop: the priors towards which one customer's few data are shrunk.

use jiff::Timestamp;

use crate::explain::{days, occasions};

/// What is usual in a shop.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreNorms {
    /// Median days from a customer's first purchase to the second.
    pub second_purchase_days: f64,
    /// Mean of ln(days between purchases) over customers: the generalised-least-squares mean, in which heavy buyers do not
    /// outweigh the rest.
    pub log_gap_mean: f64,
    /// Variance of ln(days) within a customer.
    pub log_gap_within: f64,
    /// Variance of ln(days) between customers.
    pub log_gap_between: f64,
    /// Beta prior of the share of orders with a discount: orders with one.
    pub discount_alpha: f64,
    /// Beta prior: orders without one.
    pub discount_beta: f64,
    /// Lower and upper third of line prices, in minor units.
    pub price_thirds: (i64, i64),
}

/// One customer's history, as far as the norms need it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CustomerHistory {
    /// Times of orders that were not cancelled.
    pub placed_at: Vec<Timestamp>,
    /// How many of them had a discount.
    pub discounted: u32,
    /// Prices of one unit, per line, in minor units of the shop's currency.
    pub line_prices: Vec<i64>,
}

/// Fewer customers than this with a repeat purchase say nothing about a shop.
const ENOUGH_CUSTOMERS: usize = 20;

impl StoreNorms {
    /// For a shop without a history: three months between purchases, wide; one order in four discounted, weak. Guesses, to be
    /// replaced by [`StoreNorms::fit`] as soon as there is data.
    pub fn unknown() -> Self {
        Self {
            second_purchase_days: 90.0,
            log_gap_mean: 90f64.ln(),
            log_gap_within: 0.5,
            log_gap_between: 0.4,
            discount_alpha: 2.0,
            discount_beta: 6.0,
            price_thirds: (2_000, 8_000),
        }
    }

    /// Learns the norms from all histories; what cannot be learned keeps its value from [`StoreNorms::unknown`].
    pub fn fit(histories: &[CustomerHistory]) -> Self {
        let gaps: Vec<Vec<f64>> = histories.iter().map(|h| gaps(&h.placed_at)).filter(|g| !g.is_empty()).collect();
        let mut norms = Self::unknown();
        if gaps.len() >= ENOUGH_CUSTOMERS {
            let firsts = gaps.iter().filter_map(|g| g.first().copied()).collect();
            norms.second_purchase_days = quantile(firsts, 0.5).unwrap_or(norms.second_purchase_days);
            norms.fit_gaps(&gaps);
        }
        norms.fit_discounts(histories);
        let prices: Vec<f64> = histories.iter().flat_map(|h| &h.line_prices).map(|p| *p as f64).collect();
        if let (Some(low), Some(high)) = (quantile(prices.clone(), 1.0 / 3.0), quantile(prices, 2.0 / 3.0)) {
            norms.price_thirds = (low as i64, high as i64);
        }
        norms
    }

    /// One-way random effects by ANOVA moments, then the GLS mean (marketing science, section 2).
    fn fit_gaps(&mut self, gaps: &[Vec<f64>]) {
        let logs: Vec<Vec<f64>> = gaps.iter().map(|g| g.iter().map(|d| d.ln()).collect()).collect();
        let customers = logs.len() as f64;
        let total: f64 = logs.iter().map(|l| l.len() as f64).sum();
        let squares: f64 = logs.iter().map(|l| (l.len() as f64).powi(2)).sum();
        let grand = logs.iter().flatten().sum::<f64>() / total;
        let within_sum: f64 = logs.iter().map(|l| l.iter().map(|x| (x - mean(l)).powi(2)).sum::<f64>()).sum();
        let between_sum: f64 = logs.iter().map(|l| l.len() as f64 * (mean(l) - grand).powi(2)).sum();
        let within_df = total - customers;
        if within_df >= 1.0 {
            self.log_gap_within = (within_sum / within_df).max(MIN_VARIANCE);
        }
        let per_customer = (total - squares / total) / (customers - 1.0);
        let between = (between_sum / (customers - 1.0) - self.log_gap_within) / per_customer;
        self.log_gap_between = between.max(MIN_VARIANCE);
        let weight = |l: &[f64]| 1.0 / (self.log_gap_between + self.log_gap_within / l.len() as f64);
        let weights: f64 = logs.iter().map(|l| weight(l)).sum();
        self.log_gap_mean = logs.iter().map(|l| weight(l) * mean(l)).sum::<f64>() / weights;
    }

    /// Beta prior by moments over customers with at least three orders (section 8).
    fn fit_discounts(&mut self, histories: &[CustomerHistory]) {
        let shares: Vec<f64> = histories
            .iter()
            .filter(|h| h.placed_at.len() >= 3)
            .map(|h| f64::from(h.discounted) / h.placed_at.len() as f64)
            .collect();
        if shares.len() < ENOUGH_CUSTOMERS {
            return;
        }
        let share = mean(&shares).clamp(0.01, 0.99);
        let variance = shares.iter().map(|s| (s - share).powi(2)).sum::<f64>() / (shares.len() as f64 - 1.0);
        // A strength between "weak" and "fifty orders"; a variance of 0 would make it infinite.
        let strength = (share * (1.0 - share) / variance.max(1e-6) - 1.0).clamp(2.0, 50.0);
        self.discount_alpha = share * strength;
        self.discount_beta = (1.0 - share) * strength;
    }
}

/// Keeps variances above zero, so that no weight becomes infinite.
const MIN_VARIANCE: f64 = 1e-3;

/// Days between purchases, oldest first; purchases within a day are one.
pub(crate) fn gaps(placed_at: &[Timestamp]) -> Vec<f64> {
    let times = occasions(placed_at.iter().copied());
    times.iter().zip(times.iter().skip(1)).map(|(earlier, later)| days(*earlier, *later)).collect()
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The value below which this share of the values lies, without interpolation.
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let index = ((values.len() as f64) * share) as usize;
    values.get(index.min(values.len().saturating_sub(1))).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn every(gap: i64, orders: i64) -> CustomerHistory {
        let start: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
        let at = |n: i64| start.checked_add(jiff::SignedDuration::from_hours(24 * gap * n)).unwrap();
        CustomerHistory { placed_at: (0..orders).map(at).collect(), discounted: 0, line_prices: vec![gap * 100] }
    }

    #[test]
    fn random_effects_find_the_planted_centre_and_spread() {
        // Ten customers every 30 days, ten every 120: centre 60, no variance within, ln(2)² between.
        let histories: Vec<_> = (0..10).flat_map(|_| [every(30, 4), every(120, 4)]).collect();
        let norms = StoreNorms::fit(&histories);
        assert!((norms.log_gap_mean.exp() - 60.0).abs() < 0.1, "{norms:?}");
        assert_eq!(norms.log_gap_within, MIN_VARIANCE);
        assert!((norms.log_gap_between - 2f64.ln().powi(2) * 20.0 / 19.0).abs() < 0.01, "{norms:?}");
        assert_eq!(norms.price_thirds, (3_000, 12_000));
        assert!(norms.discount_alpha / (norms.discount_alpha + norms.discount_beta) < 0.02);
    }

    #[test]
    fn heavy_buyers_do_not_outweigh_the_rest() {
        // One customer with 200 gaps of 5 days beside thirty with two gaps of 80.
        let mut histories = vec![every(5, 201)];
        histories.extend((0..30).map(|_| every(80, 3)));
        let norms = StoreNorms::fit(&histories);
        assert!(norms.log_gap_mean.exp() > 60.0, "{}", norms.log_gap_mean.exp());
    }

    #[test]
    fn a_shop_without_history_keeps_the_guesses() {
        assert_eq!(StoreNorms::fit(&[]), StoreNorms::unknown());
        let one = StoreNorms::fit(&[every(3, 9)]);
        assert_eq!(StoreNorms { price_thirds: StoreNorms::unknown().price_thirds, ..one }, StoreNorms::unknown());
    }
}
