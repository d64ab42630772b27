//! Where a customer is in the journey, by their own clock.

use serde::{Deserialize, Serialize};

use super::rhythm::Rhythm;
use super::{DataSource, Reason};
use crate::norms::StoreNorms;

/// The stage of the journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Has not bought yet.
    New,
    /// Bought once, not long ago.
    FirstTime,
    /// Buys again within their own rhythm.
    Active,
    /// About to buy again, by their own rhythm.
    Due,
    /// Later than usual.
    AtRisk,
    /// Much later than usual.
    Lapsed,
    /// Buys in one part of the year; the silence in between means nothing.
    Seasonal,
}

/// Where stages begin, as multiples of the expected days between purchases. Proposals of marketing science section 3, to be tuned
/// on the shop's holdout; data, not code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// From here on a customer is due.
    pub due: f64,
    /// From here on at risk.
    pub at_risk: f64,
    /// From here on lapsed.
    pub lapsed: f64,
    /// A seasonal buyer silent for longer than this many days has missed a season and counts like anybody.
    pub missed_season_days: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { due: 1.0, at_risk: 1.5, lapsed: 2.5, missed_season_days: 455.0 }
    }
}

impl Stage {
    pub(super) fn of(rhythm: &Rhythm, norms: &StoreNorms, thresholds: &Thresholds) -> Self {
        let Some(elapsed) = rhythm.days_since else { return Self::New };
        let once = rhythm.purchases == 1;
        // Nobody has an own rhythm after one purchase: the shop's second purchases are the measure.
        let expected = if once { norms.second_purchase_days } else { rhythm.expected_days };
        let ratio = elapsed / expected.max(1.0);
        let by_clock = match ratio {
            r if r < thresholds.due && once => Self::FirstTime,
            r if r < thresholds.due => Self::Active,
            r if r < thresholds.at_risk => Self::Due,
            r if r < thresholds.lapsed => Self::AtRisk,
            _ => Self::Lapsed,
        };
        match by_clock {
            Self::Due | Self::AtRisk | Self::Lapsed if rhythm.seasonal && elapsed <= thresholds.missed_season_days => {
                Self::Seasonal
            }
            other => other,
        }
    }

    pub(super) fn reason(self) -> Reason {
        let text = match self {
            Self::New => "Has not bought here yet.",
            Self::FirstTime => "Bought here for the first time not long ago.",
            Self::Active => "A customer who comes back.",
            Self::Due => "Would by their own rhythm buy again about now.",
            Self::AtRisk => "Has been quiet for longer than usual.",
            Self::Lapsed => "Has not been back for a long time.",
            Self::Seasonal => "Buys in one season of the year; being quiet in between is normal.",
        };
        Reason::new(DataSource::Orders, text)
    }
}
