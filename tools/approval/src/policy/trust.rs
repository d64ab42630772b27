//! How a flow earns to send unseen: the `[trust]` part of knowledge/policy/approvals.toml.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{PolicyError, Source};

/// How far a flow is trusted. The order is that of trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustLevel {
    /// A person approves every message.
    Approve,
    /// Messages leave unseen, and people are told.
    Notify,
    /// Messages leave unseen.
    Automatic,
}

impl TrustLevel {
    /// The name in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Notify => "notify",
            Self::Automatic => "automatic",
        }
    }
}

/// What a record of decisions must show for a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// At least so many decisions.
    pub decisions: u32,
    /// The lower end of the 95 % interval of the share approved as written, in per cent.
    pub at_least_percent: u32,
}

/// How a flow earns to send unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustRules {
    /// How many of the newest decisions count.
    pub window: u32,
    /// For [`TrustLevel::Notify`].
    pub notify: Bar,
    /// For [`TrustLevel::Automatic`].
    pub automatic: Bar,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustFile {
    window: Spanned<u32>,
    notify: BarFile,
    automatic: BarFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BarFile {
    decisions: Spanned<u32>,
    at_least_percent: Spanned<u32>,
}

impl TrustFile {
    pub(super) fn read(&self, source: &Source<'_>) -> Result<TrustRules, PolicyError> {
        let bar = |file: &BarFile| {
            Ok(Bar {
                decisions: source.within(&file.decisions, "decisions", 10..=100_000)?,
                at_least_percent: source.within(&file.at_least_percent, "at_least_percent", 50..=99)?,
            })
        };
        let (notify, automatic) = (bar(&self.notify)?, bar(&self.automatic)?);
        let window = source.within(&self.window, "window", 10..=100_000)?;
        if window < automatic.decisions.max(notify.decisions) {
            let why = format!("window {window} holds fewer decisions than a level asks for");
            return Err(source.fault(self.window.span(), why));
        }
        if automatic.decisions < notify.decisions || automatic.at_least_percent < notify.at_least_percent {
            let why = "`automatic` must ask for no less than `notify`";
            return Err(source.fault(self.automatic.decisions.span(), why));
        }
        Ok(TrustRules { window, notify, automatic })
    }
}
