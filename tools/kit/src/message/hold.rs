//! Why a cleared message does not leave, and when it may be tried again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a run does with a held message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum Release {
    /// Never: the message is dropped with its reason.
    Never,
    /// At this time, if everything still holds.
    At {
        /// When.
        at: Timestamp,
    },
    /// When somebody lifts the cause.
    WhenLifted,
}

/// Why a cleared message does not leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "hold", rename_all = "snake_case")]
pub enum Hold {
    /// A kill switch is on.
    #[error("the kill switch is on ({scope})")]
    Killed {
        /// Which one.
        scope: String,
    },
    /// Erased.
    #[error("the person was erased")]
    Erased,
    /// Called off: an order came in, an operator said so.
    #[error("the run was called off: {reason}")]
    Cancelled {
        /// Why.
        reason: String,
    },
    /// Nobody to write to: no customer, no address, or no words for their language.
    #[error("nobody can be written to: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
    /// No consent.
    #[error("no consent for this channel")]
    NoConsent,
    /// Consent taken back.
    #[error("consent was withdrawn")]
    Withdrawn,
    /// Suppressed.
    #[error("the address is suppressed: {reason}")]
    Suppressed {
        /// Why.
        reason: String,
    },
    /// A support ticket is open.
    #[error("{count} support ticket(s) are open")]
    TicketOpen {
        /// How many.
        count: u32,
    },
    /// Bought meanwhile.
    #[error("the customer bought at {at}")]
    Bought {
        /// When.
        at: Timestamp,
    },
    /// Held out for measurement.
    #[error("the customer is in the holdout group")]
    Holdout,
    /// A frequency cap.
    #[error("the cap of {cap} per {window} is reached")]
    Capped {
        /// The cap.
        cap: u32,
        /// `24 h` or `7 d`.
        window: String,
        /// When the cap frees a slot.
        until: Timestamp,
    },
    /// Quiet hours.
    #[error("quiet hours until {until}")]
    Quiet {
        /// When they end.
        until: Timestamp,
    },
    /// The schedule window has closed.
    #[error("the message was good until {not_after}")]
    WindowClosed {
        /// Its end.
        not_after: Timestamp,
    },
    /// Just approved: it can still be recalled.
    #[error("the approval can be recalled until {until}")]
    Recallable {
        /// When it may leave.
        until: Timestamp,
    },
    /// The approval does not count any more.
    #[error("the approval does not count: {why}")]
    ApprovalVoid {
        /// Why.
        why: String,
    },
    /// The rules have changed since the check.
    #[error("the content rules changed since this message was checked")]
    RulesChanged,
    /// A cited fact is another one now.
    #[error("facts changed: {}", what.join("; "))]
    FactsChanged {
        /// Which.
        what: Vec<String>,
    },
    /// The rendered message is not for the cleared audience.
    #[error("the rendered message is addressed to somebody else")]
    OtherAudience,
}

impl Hold {
    /// A short code for counting and for case files.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Killed { .. } => "killed",
            Self::Erased => "erased",
            Self::Cancelled { .. } => "cancelled",
            Self::Unreachable { .. } => "unreachable",
            Self::NoConsent => "no_consent",
            Self::Withdrawn => "withdrawn",
            Self::Suppressed { .. } => "suppressed",
            Self::TicketOpen { .. } => "ticket_open",
            Self::Bought { .. } => "bought",
            Self::Holdout => "holdout",
            Self::Capped { .. } => "capped",
            Self::Quiet { .. } => "quiet_hours",
            Self::WindowClosed { .. } => "window_closed",
            Self::Recallable { .. } => "recallable",
            Self::ApprovalVoid { .. } => "approval_void",
            Self::RulesChanged => "rules_changed",
            Self::FactsChanged { .. } => "facts_changed",
            Self::OtherAudience => "other_audience",
        }
    }

    /// When the run may try again.
    pub fn release(&self) -> Release {
        match self {
            Self::Killed { .. } | Self::TicketOpen { .. } => Release::WhenLifted,
            Self::Capped { until, .. } | Self::Quiet { until } | Self::Recallable { until } => {
                Release::At { at: *until }
            }
            Self::Erased
            | Self::Cancelled { .. }
            | Self::Unreachable { .. }
            | Self::NoConsent
            | Self::Withdrawn
            | Self::Suppressed { .. }
            | Self::Bought { .. }
            | Self::Holdout
            | Self::WindowClosed { .. }
            | Self::ApprovalVoid { .. }
            | Self::RulesChanged
            | Self::FactsChanged { .. }
            | Self::OtherAudience => Release::Never,
        }
    }
}
