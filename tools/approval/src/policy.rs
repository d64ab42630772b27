//! The policy files of a shop.

mod approvals;
mod hours;
mod risk;
mod sending;
mod trust;

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;

pub use approvals::ApprovalPolicy;
pub(crate) use approvals::{SectionRule, named};
pub use hours::sms_hours;
pub use risk::{RiskInput, RiskPolicy, Trust};
pub use sending::SendingPolicy;
pub use trust::{Bar, TrustLevel, TrustRules};

/// A policy file that cannot be used. Nothing of it is in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {why}")]
pub struct PolicyError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub why: String,
}

/// A policy file while it is read.
struct Source<'a> {
    label: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, PolicyError> {
        toml::from_str(self.text).map_err(|e| self.fault(e.span().unwrap_or_default(), e.message().replace('\n', " ")))
    }

    fn fault(&self, at: Range<usize>, why: impl Into<String>) -> PolicyError {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        PolicyError { file: self.label.to_owned(), line: before.matches('\n').count() + 1, why: why.into() }
    }

    fn schema(&self, found: &Spanned<String>, expected: &str) -> Result<(), PolicyError> {
        if found.get_ref() == expected {
            return Ok(());
        }
        Err(self.fault(found.span(), format!("schema `{}`; this build reads `{expected}`", found.get_ref())))
    }

    /// A number within its bounds.
    fn within(
        &self,
        found: &Spanned<u32>,
        name: &str,
        bounds: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, PolicyError> {
        let value = *found.get_ref();
        if bounds.contains(&value) {
            return Ok(value);
        }
        let (least, most) = (bounds.start(), bounds.end());
        Err(self.fault(found.span(), format!("{name} is {value}; it must lie between {least} and {most}")))
    }
}
