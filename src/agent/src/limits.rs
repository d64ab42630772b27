//! The bounds of a run. Each ends in an outcome, not an error.

use serde::{Deserialize, Serialize};

/// What a run may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Model calls, re-asks included.
    pub turns: u32,
    /// Tool calls.
    pub tool_calls: u32,
    /// Prompt and answer tokens together.
    pub tokens: u64,
    /// Cost, in millionths of a US dollar.
    pub cost_micros: u64,
    /// Working time in seconds, waiting for people not counted.
    pub seconds: i64,
    /// The same call with the same arguments, before it counts as a loop.
    pub identical_calls: u32,
    /// Re-asks in a row after answers that cannot be used.
    pub reasks: u32,
}

impl Default for Limits {
    /// Measured on the sample shop: a good model needs 5 to 8 turns.
    fn default() -> Self {
        Self { turns: 24, tool_calls: 48, tokens: 400_000, cost_micros: 500_000, seconds: 600, identical_calls: 3, reasks: 3 }
    }
}

/// What a run has used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Model calls.
    pub turns: u32,
    /// Tool calls.
    pub tool_calls: u32,
    /// Tokens.
    pub tokens: u64,
    /// Cost, in millionths of a US dollar.
    pub cost_micros: u64,
}
