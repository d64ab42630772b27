//! Results: what a run of suites came to, as a file that a later run is compared with.

use std::path::{Path, PathBuf};

use oracle::NeverEvent;
use serde::{Deserialize, Serialize};

use super::proof::Proof;
use super::score::Miss;
use super::stats::Rate;
use super::suite::Ending;

/// The schema of result and baseline files.
pub const SCHEMA: &str = "mailwright.eval/1";

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What was tried, by hash.
    pub proof: Proof,
    /// How often every case was tried.
    pub trials: u32,
    /// The cases, in the order of their suites.
    pub cases: Vec<CaseResult>,
}

/// What one case came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseResult {
    /// Its suite.
    pub suite: String,
    /// Its name.
    pub case: String,
    /// Its trials.
    pub trials: Vec<Trial>,
}

/// What one trial came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// How it ended.
    pub ending: Ending,
    /// What does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misses: Vec<Miss>,
    /// What must never happen, and did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub never: Vec<NeverEvent>,
    /// Mails that left.
    pub mails: u64,
    /// Model calls.
    pub model_calls: u64,
    /// Tool calls.
    pub tool_calls: u64,
    /// What the model calls cost, in millionths of a dollar.
    #[serde(default)]
    pub cost_micros: u64,
    /// The mails, for the HTML report; no part of files.
    #[serde(skip)]
    pub letters: Vec<oracle::Letter>,
}

impl Trial {
    /// Nothing amiss.
    pub fn passed(&self) -> bool {
        self.misses.is_empty() && self.never.is_empty()
    }
}

impl CaseResult {
    /// Trials that passed.
    pub fn passes(&self) -> usize {
        self.trials.iter().filter(|trial| trial.passed()).count()
    }

    /// A case passes when every trial does: what works sometimes does not work.
    pub fn passed(&self) -> bool {
        !self.trials.is_empty() && self.passes() == self.trials.len()
    }

    /// What names it in a baseline.
    pub fn key(&self) -> (&str, &str) {
        (&self.suite, &self.case)
    }
}

/// Figures over all cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Cases that passed.
    pub passed: Rate,
    /// Mails that left.
    pub mails: u64,
    /// Mails in trials with a never-event, of all mails: the upper end of the interval is what the run can promise.
    pub never_events: Rate,
    /// Model calls.
    pub model_calls: u64,
    /// Cost per mail, in millionths of a dollar.
    pub micros_per_mail: u64,
}

/// A result file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// It cannot be read or written.
    #[error("{}: {source}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no result.
    #[error("{}: it is no result of `mailwright eval run`: {why}", file.display())]
    Form {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Results {
    /// Reads a result file.
    ///
    /// # Errors
    /// [`ResultsError`].
    pub fn read(file: &Path) -> Result<Self, ResultsError> {
        let text =
            std::fs::read_to_string(file).map_err(|source| ResultsError::File { file: file.to_owned(), source })?;
        let form = |why: String| ResultsError::Form { file: file.to_owned(), why };
        let results: Self = serde_json::from_str(&text).map_err(|e| form(e.to_string()))?;
        if results.schema != SCHEMA {
            return Err(form(format!("`{}` is not {SCHEMA}", results.schema)));
        }
        Ok(results)
    }

    /// The file's text: one case a line, so that a change in review is a change of lines.
    ///
    /// # Errors
    /// When it cannot be written as JSON; it always can.
    pub fn to_file(&self) -> Result<String, serde_json::Error> {
        let cases: Vec<String> = self
            .cases
            .iter()
            .map(|case| serde_json::to_string(case).map(|line| format!("  {line}")))
            .collect::<Result<_, _>>()?;
        Ok(format!(
            "{{\"schema\": {},\n\"proof\": {},\n\"trials\": {},\n\"cases\": [\n{}\n]}}\n",
            serde_json::to_string(&self.schema)?,
            serde_json::to_string_pretty(&self.proof)?,
            self.trials,
            cases.join(",\n")
        ))
    }

    /// Figures over all cases.
    pub fn summary(&self) -> Summary {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let trials = || self.cases.iter().flat_map(|case| &case.trials);
        let mails: u64 = trials().map(|trial| trial.mails).sum();
        let cost: u64 = trials().map(|trial| trial.cost_micros).sum();
        let wrong: u64 = trials().filter(|trial| !trial.never.is_empty()).map(|trial| trial.mails.max(1)).sum();
        Summary {
            passed: Rate::wilson(
                count(self.cases.iter().filter(|case| case.passed()).count()),
                count(self.cases.len()),
            ),
            mails,
            never_events: Rate::wilson(wrong.min(mails), mails),
            model_calls: trials().map(|trial| trial.model_calls).sum(),
            micros_per_mail: cost.checked_div(mails).unwrap_or(0),
        }
    }
}
