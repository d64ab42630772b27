//! Many measurements in a few numbers.

use std::time::Duration;

use serde::Serialize;

/// Milliseconds of CPU time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Millis {
    /// The median.
    pub p50: f64,
    /// What 99 of 100 stay within.
    pub p99: f64,
    /// The mean.
    pub mean: f64,
}

impl Millis {
    /// All zero without a measurement.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let total: Duration = times.iter().sum();
        let count = u32::try_from(times.len()).unwrap_or(u32::MAX).max(1);
        Self { p50: millis(percentile(&times, 50)), p99: millis(percentile(&times, 99)), mean: millis(total / count) }
    }

    /// How many times the floor's numbers these are.
    pub fn over(&self, floor: &Self) -> Self {
        Self { p50: self.p50 / floor.p50, p99: self.p99 / floor.p99, mean: self.mean / floor.mean }
    }
}

/// Milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The nearest-rank percentile of sorted times; zero without any.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

/// The median of what was measured in several rounds, item by item: noise of the machine falls out, what the item
/// itself costs stays.
pub fn median_by_item(rounds: &[Vec<Duration>]) -> Vec<Duration> {
    let items = rounds.iter().map(Vec::len).min().unwrap_or(0);
    let of_item = |item: usize| {
        let mut times: Vec<Duration> = rounds.iter().filter_map(|round| round.get(item).copied()).collect();
        times.sort_unstable();
        percentile(&times, 50)
    };
    (0..items).map(of_item).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn ms(times: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        times.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        assert_eq!(Millis::of(ms((1..=200).rev())), Millis { p50: 100.0, p99: 198.0, mean: 100.5 });
        assert_eq!(Millis::of(ms([4])), Millis { p50: 4.0, p99: 4.0, mean: 4.0 });
        assert_eq!(Millis::of(Vec::new()), Millis { p50: 0.0, p99: 0.0, mean: 0.0 });
    }

    #[test]
    fn a_disturbed_round_does_not_count() {
        let rounds = [ms([1, 20, 3]), ms([900, 21, 3]), ms([2, 22, 900])];
        assert_eq!(median_by_item(&rounds), ms([2, 21, 3]));
        assert_eq!(median_by_item(&[]), Vec::<Duration>::new());
    }
}
