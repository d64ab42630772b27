//! Rates with their intervals, and whether two runs of the same cases differ.

use serde::{Deserialize, Serialize};

/// The 97.5th percentile of the normal distribution: 95 % intervals.
const Z: f64 = 1.959_963_984_540_054;

/// A share with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How many did.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Rate {
    /// The share with its Wilson interval: it stays within 0 and 1 and makes sense for few cases and for none.
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
    pub fn wilson(hits: u64, of: u64) -> Self {
        if of == 0 {
            return Self { hits, of, low: 0.0, high: 1.0 };
        }
        let (n, p) = (of as f64, hits as f64 / of as f64);
        let square = Z * Z;
        let centre = (p + square / (2.0 * n)) / (1.0 + square / n);
        let half = Z / (1.0 + square / n) * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
        // At the ends the interval ends where the share does.
        let low = if hits == 0 { 0.0 } else { (centre - half).max(0.0) };
        let high = if hits >= of { 1.0 } else { (centre + half).min(1.0) };
        Self { hits, of, low, high }
    }

    /// `58 of 60 (97 %, 95 % interval 89 to 99 %)`.
    pub fn to_words(self) -> String {
        #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
        let share = if self.of == 0 { 0.0 } else { self.hits as f64 / self.of as f64 };
        format!(
            "{} of {} ({:.0} %, 95 % interval {:.0} to {:.0} %)",
            self.hits,
            self.of,
            share * 100.0,
            self.low * 100.0,
            self.high * 100.0
        )
    }
}

/// The two-sided p-value of McNemar's exact test: `lost` cases passed before and fail now, `won` the other way round.
/// Cases that did not change say nothing.
pub fn mcnemar(lost: u32, won: u32) -> f64 {
    let n = lost + won;
    if n == 0 {
        return 1.0;
    }
    // The binomial tail of a fair coin, its terms one from the other.
    let mut term = 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut tail = term;
    for k in 0..lost.min(won) {
        term *= f64::from(n - k) / f64::from(k + 1);
        tail += term;
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 5e-4
    }

    #[test]
    fn wilson_intervals_are_those_of_the_textbook() {
        // Newcombe 1998, table I, method 3.
        for (hits, of, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let rate = Rate::wilson(hits, of);
            assert!(near(rate.low, low) && near(rate.high, high), "{rate:?}");
        }
        assert_eq!(Rate::wilson(0, 0), Rate { hits: 0, of: 0, low: 0.0, high: 1.0 });
        assert!(near(Rate::wilson(20, 20).high, 1.0));
    }

    #[test]
    fn mcnemar_is_the_sign_test_of_what_changed() {
        assert!(near(mcnemar(0, 0), 1.0));
        assert!(near(mcnemar(1, 0), 1.0));
        assert!(near(mcnemar(5, 0), 0.0625));
        assert!(near(mcnemar(6, 0), 0.03125));
        assert!(near(mcnemar(10, 2), 0.0386));
        assert!(near(mcnemar(2, 10), 0.0386));
        assert!(near(mcnemar(7, 7), 1.0));
    }
}
