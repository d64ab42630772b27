//! The bounds of a run. Each ends in an outcome, not an error.

use serde::{Deserialize, Serialize};

/// What a run may use up.
///
/// Turns and tool calls are never exceeded. Tokens, cost and time are known only after a turn, so the last turn may exceed
/// them once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Model calls, re-asks included.
    pub turns: u32,
    /// Tool calls that are run.
    pub tool_calls: u32,
    /// Prompt and answer tokens together.
    pub tokens: u64,
    /// Cost, in millionths of a US dollar. At 0 a free model still runs.
    pub cost_micros: u64,
    /// Working time in seconds. Waiting for a decision or a release is not counted.
    pub seconds: u32,
    /// From this occurrence on, at least the second, the same call with the same arguments is not run again; at twice
    /// this number it is a loop.
    pub identical_calls: u32,
    /// Re-asks in a row after answers that cannot be used, per model.
    pub reasks: u32,
}

impl Default for Limits {
    /// Room for about four times the usual run of 6 model calls and 7 tool calls.
    fn default() -> Self {
        Self {
            turns: 24,
            tool_calls: 48,
            tokens: 400_000,
            cost_micros: 500_000,
            seconds: 600,
            identical_calls: 3,
            reasks: 3,
        }
    }
}

/// What a run has used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Model calls.
    pub turns: u32,
    /// Tool calls that were run.
    pub tool_calls: u32,
    /// Prompt and answer tokens together.
    pub tokens: u64,
    /// Cost, in millionths of a US dollar.
    pub cost_micros: u64,
    /// Working time in milliseconds, without waiting for a decision or a release.
    pub millis: u64,
}

impl Spent {
    /// What came on top of an earlier count.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            turns: self.turns.saturating_sub(earlier.turns),
            tool_calls: self.tool_calls.saturating_sub(earlier.tool_calls),
            tokens: self.tokens.saturating_sub(earlier.tokens),
            cost_micros: self.cost_micros.saturating_sub(earlier.cost_micros),
            millis: self.millis.saturating_sub(earlier.millis),
        }
    }
}
