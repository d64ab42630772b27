//! Where a customer is in the journey, by their own clock.

pub use kit::campaign::Stage;
use serde::{Deserialize, Serialize};

use super::rhythm::Rhythm;
use super::{DataSource, Reason};
use crate::norms::StoreNorms;

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

/// The stage of somebody with this rhythm.
pub(super) fn stage(rhythm: &Rhythm, norms: &StoreNorms, thresholds: &Thresholds) -> Stage {
    let Some(elapsed) = rhythm.days_since else { return Stage::New };
    let once = rhythm.purchases == 1;
    // Nobody has an own rhythm after one purchase: the shop's second purchases are the measure.
    let expected = if once { norms.second_purchase_days } else { rhythm.expected_days };
    let ratio = elapsed / expected.max(1.0);
    let by_clock = match ratio {
        r if r < thresholds.due && once => Stage::FirstTime,
        r if r < thresholds.due => Stage::Active,
        r if r < thresholds.at_risk => Stage::Due,
        r if r < thresholds.lapsed => Stage::AtRisk,
        _ => Stage::Lapsed,
    };
    match by_clock {
        Stage::Due | Stage::AtRisk | Stage::Lapsed if rhythm.seasonal && elapsed <= thresholds.missed_season_days => {
            Stage::Seasonal
        }
        other => other,
    }
}

/// The stage in words.
pub(super) fn reason(stage: Stage) -> Reason {
    let text = match stage {
        Stage::New => "Has not bought here yet.",
        Stage::FirstTime => "Bought here for the first time not long ago.",
        Stage::Active => "A customer who comes back.",
        Stage::Due => "Would by their own rhythm buy again about now.",
        Stage::AtRisk => "Has been quiet for longer than usual.",
        Stage::Lapsed => "Has not been back for a long time.",
        Stage::Seasonal => "Buys in one season of the year; being quiet in between is normal.",
    };
    Reason::new(DataSource::Orders, text)
}
