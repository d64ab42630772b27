//! What a content rule found.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// What a finding does to a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Shown to the writer and the approver.
    Warn,
    /// A person must approve.
    Approve,
    /// Does not leave.
    Block,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Place {
    /// Subject option `index`, from 0.
    Subject {
        /// Which one.
        index: usize,
    },
    /// The preheader.
    Preheader,
    /// A field of block `index`, from 0.
    Block {
        /// Which one.
        index: usize,
        /// Its field, such as `text` or `reason`.
        field: String,
    },
    /// The message as a whole.
    Whole,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject { index } => write!(f, "subjects[{index}]"),
            Self::Preheader => f.write_str("preheader"),
            Self::Block { index, field } => write!(f, "blocks[{index}].{field}"),
            Self::Whole => f.write_str("message"),
        }
    }
}

/// One finding: which rule, how severe, where exactly, why, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// What it does to the draft.
    pub severity: Severity,
    /// Which part of the message.
    pub place: Place,
    /// Byte range within that part's source text; `None` for the whole part.
    pub span: Option<(usize, usize)>,
    /// The words found, capped.
    pub excerpt: String,
    /// Why the rule exists.
    pub why: String,
    /// How to mend it.
    pub mend: String,
    /// Who answers for the rule, such as `legal` or `merchandising`; empty in reports from before findings named it.
    #[serde(default)]
    pub owner: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warn => "warn",
            Severity::Approve => "approve",
            Severity::Block => "block",
        };
        write!(f, "{severity} {} at {}", self.rule, self.place)?;
        if !self.excerpt.is_empty() {
            write!(f, " `{}`", self.excerpt)?;
        }
        write!(f, ": {}; {}", self.why, self.mend)
    }
}

/// Evidence that all content rules ran over exactly this content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The draft's [`super::Draft::content_hash`] at the time.
    pub content: Digest,
    /// Which rules ran.
    pub rules_version: Digest,
    /// What they found, worst first.
    pub findings: Vec<Finding>,
    /// When.
    pub checked_at: Timestamp,
}

impl CheckReport {
    /// True when some finding forbids the draft.
    pub fn blocks(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Block)
    }
    /// Findings that want a person.
    pub fn wants_approval(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.severity == Severity::Approve)
    }
}
