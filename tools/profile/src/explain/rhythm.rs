//! How a customer shops over time.

use std::f64::consts::{SQRT_2, TAU};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{DataSource, Reason, Stage};
use crate::norms::{StoreNorms, gaps, mean};
use crate::snapshot::CustomerSnapshot;

/// The rhythm of a customer's purchases. Days are of 24 hours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rhythm {
    /// Purchases; orders within a day of one another are one.
    pub purchases: usize,
    /// Days since the last one.
    pub days_since: Option<f64>,
    /// Days one expects between this customer's purchases: own history shrunk towards the shop's.
    pub expected_days: f64,
    /// True when own history alone shows a steady pace.
    pub steady: bool,
    /// True when purchases cluster in one part of the year, over at least two years.
    pub seasonal: bool,
    /// The chance that a customer of this pace is silent for longer than now.
    pub silence_probability: f64,
}

/// Purchases at least this far apart, in days, lie in different seasons: it keeps the turn of a year from looking like two.
const SEASON_APART: f64 = 270.0;
/// Mean resultant length of the day-of-year angle from which purchases count as seasonal (marketing science, section 3).
const SEASON_CONCENTRATION: f64 = 0.8;
/// Standard deviation of ln(days) up to which a pace is steady: gaps within about a third of one another.
const STEADY_LOG_SD: f64 = 0.3;

impl Rhythm {
    pub(super) fn of(snapshot: &CustomerSnapshot, norms: &StoreNorms, now: Timestamp) -> Self {
        let times = occasions(snapshot.purchases(now).map(|order| order.placed_at));
        let logs: Vec<f64> = gaps(&times).iter().map(|gap| gap.ln()).collect();
        let days_since = times.last().map(|last| days(*last, now));
        let log_expected = shrunken(&logs, norms);
        let silence_probability = match days_since {
            Some(elapsed) => 1.0 - normal_cdf((elapsed.max(1.0).ln() - log_expected) / norms.log_gap_within.sqrt()),
            None => 1.0,
        };
        Self {
            purchases: times.len(),
            days_since,
            expected_days: log_expected.exp(),
            steady: logs.len() >= 3 && deviation(&logs) <= STEADY_LOG_SD,
            seasonal: seasonal(&times),
            silence_probability,
        }
    }

    /// Days since the last purchase over the expected gap: 1 is due. `None` before the first purchase.
    pub fn due_ratio(&self) -> Option<f64> {
        self.days_since.map(|elapsed| elapsed / self.expected_days)
    }

    pub(super) fn reason(&self, stage: Stage) -> Option<Reason> {
        let text = match (self.steady, stage) {
            (true, Stage::Due) => "Buys at a steady pace and would about now buy again.",
            (true, Stage::AtRisk | Stage::Lapsed) => "Used to buy at a steady pace, which has broken off.",
            (true, Stage::New | Stage::FirstTime | Stage::Active | Stage::Seasonal) => "Buys at a steady pace.",
            (false, _) => return None,
        };
        Some(Reason::new(DataSource::Orders, text))
    }
}

/// Posterior mean of ln(days): `B·own + (1-B)·shop`, `B = between / (between + within / k)` (section 2).
fn shrunken(logs: &[f64], norms: &StoreNorms) -> f64 {
    if logs.is_empty() {
        return norms.log_gap_mean;
    }
    let trust = norms.log_gap_between / (norms.log_gap_between + norms.log_gap_within / logs.len() as f64);
    trust * mean(logs) + (1.0 - trust) * norms.log_gap_mean
}

fn deviation(logs: &[f64]) -> f64 {
    let centre = mean(logs);
    (logs.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (logs.len() as f64 - 1.0).max(1.0)).sqrt()
}

fn seasonal(times: &[Timestamp]) -> bool {
    let apart = times.iter().zip(times.iter().skip(1)).any(|(a, b)| days(*a, *b) >= SEASON_APART);
    if !apart {
        return false;
    }
    let angles = times.iter().map(|at| {
        let date = at.to_zoned(TimeZone::UTC).date();
        TAU * f64::from(date.day_of_year()) / f64::from(date.days_in_year())
    });
    let (cos, sin) = angles.fold((0.0, 0.0), |(c, s), angle| (c + angle.cos(), s + angle.sin()));
    f64::hypot(cos, sin) / times.len() as f64 > SEASON_CONCENTRATION
}

/// Days from `from` to `to`; negative when `to` is earlier.
pub(crate) fn days(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() / 86_400.0
}

/// Times in order, with those less than a day after the one before left out: two parcels of one shopping trip.
pub(crate) fn occasions(times: impl Iterator<Item = Timestamp>) -> Vec<Timestamp> {
    let mut times: Vec<Timestamp> = times.collect();
    times.sort();
    times.dedup_by(|later, earlier| days(*earlier, *later) < 1.0);
    times
}

/// Φ by the error function of Abramowitz and Stegun 7.1.26; absolute error below 1.5e-7.
fn normal_cdf(z: f64) -> f64 {
    let x = z.abs() / SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let erf = 1.0 - poly * (-x * x).exp();
    if z < 0.0 { (1.0 - erf) / 2.0 } else { (1.0 + erf) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phi_matches_the_tables() {
        for (z, phi) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.96, 0.024_997_9), (3.0, 0.998_650_1)] {
            assert!((normal_cdf(z) - phi).abs() < 2e-7, "{z}: {}", normal_cdf(z));
        }
    }

    #[test]
    fn shrinking_trusts_a_long_history_and_doubts_a_short_one() {
        let norms = StoreNorms::unknown();
        let own = 30f64.ln();
        let days = |k: usize| shrunken(&vec![own; k], &norms).exp();
        assert!((days(0) - 90.0).abs() < 1e-9);
        assert!(days(1) > 50.0 && days(1) < 70.0, "{}", days(1));
        assert!(days(12) < 34.0, "{}", days(12));
    }
}
