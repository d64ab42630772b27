//! How a step is tried again, and how long a run and its steps may take: data of the release, not constants.

use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::Error as _;

/// Where the policy stands in a release.
pub const RUN_POLICY_FILE: &str = "knowledge/policy/runs.toml";

/// The policy as shipped: also what a release without the file runs by.
const SHIPPED: &str = include_str!("../../knowledge/policy/runs.toml");

/// Deadlines and retries of runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPolicy {
    /// After this time a run that has not ended is called off.
    #[serde(deserialize_with = "duration")]
    pub deadline: SignedDuration,
    /// How long the journal of a run that has ended is kept; without it, for ever.
    #[serde(default, deserialize_with = "optional")]
    pub keep_journals: Option<SignedDuration>,
    /// Calls of tools, within their step.
    pub tools: RetryPolicy,
    /// Steps whose cause of failure passes: storage or a provider that does not answer.
    pub steps: RetryPolicy,
}

/// How often something is tried, how long between, and for how long one try may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// Tries, the first included.
    pub attempts: u32,
    /// The pause after the first failed try; it doubles after each.
    #[serde(deserialize_with = "duration")]
    pub backoff: SignedDuration,
    /// The longest pause.
    #[serde(deserialize_with = "duration")]
    pub longest: SignedDuration,
    /// How long one try may last.
    #[serde(deserialize_with = "duration")]
    pub deadline: SignedDuration,
}

impl RetryPolicy {
    /// The pause after this many failed tries.
    pub fn pause(&self, failed: u32) -> SignedDuration {
        let doubled = 1i32.checked_shl(failed.saturating_sub(1).min(24)).unwrap_or(i32::MAX);
        self.backoff.checked_mul(doubled).unwrap_or(self.longest).min(self.longest)
    }

    /// The same for a sleep.
    pub(super) fn sleep(&self, failed: u32) -> Duration {
        self.pause(failed).unsigned_abs()
    }
}

/// A policy file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {why}")]
pub struct RunPolicyError {
    file: String,
    line: usize,
    why: String,
}

impl RunPolicy {
    /// The policy as shipped.
    ///
    /// # Errors
    /// Never in a build whose tests pass.
    pub fn shipped() -> Result<Self, RunPolicyError> {
        Self::parse(RUN_POLICY_FILE, SHIPPED)
    }

    /// Reads the policy.
    ///
    /// # Errors
    /// Names the line.
    pub fn parse(file: &str, text: &str) -> Result<Self, RunPolicyError> {
        let fail = |line, why: String| RunPolicyError { file: file.to_owned(), line, why };
        let policy: Self = toml::from_str(text).map_err(|e| {
            let before = e.span().and_then(|s| text.get(..s.start)).unwrap_or_default();
            fail(before.matches('\n').count() + 1, e.message().to_owned())
        })?;
        if policy.tools.attempts == 0 || policy.steps.attempts == 0 {
            return Err(fail(1, "attempts must be at least 1".to_owned()));
        }
        Ok(policy)
    }
}

fn optional<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SignedDuration>, D::Error> {
    duration(deserializer).map(Some)
}

fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let known: SignedDuration =
        text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no duration such as 50ms, 30s or 72h")))?;
    if known.is_positive() { Ok(known) } else { Err(D::Error::custom(format!("`{text}` is not above zero"))) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_shipped_policy_reads() {
        let policy = RunPolicy::parse(RUN_POLICY_FILE, SHIPPED).unwrap();
        assert!(policy.deadline > SignedDuration::from_hours(24 * 7));
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RunPolicy::parse(RUN_POLICY_FILE, SHIPPED).unwrap().steps;
        let retry =
            RetryPolicy { backoff: SignedDuration::from_secs(2), longest: SignedDuration::from_secs(60), ..policy };
        let pauses: Vec<i64> = [1, 2, 3, 6, 40].map(|failed| retry.pause(failed).as_secs()).to_vec();
        assert_eq!(pauses, [2, 4, 8, 60, 60]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let told = |text: &str| RunPolicy::parse("runs.toml", text).unwrap_err().to_string();
        let wrong = SHIPPED.replacen("backoff = \"", "backoff = \"x", 1);
        assert!(told(&wrong).contains("is no duration such as 50ms, 30s or 72h"), "{}", told(&wrong));
        assert!(told(&SHIPPED.replacen("attempts =", "atempts =", 1)).contains("unknown field `atempts`"));
    }
}
