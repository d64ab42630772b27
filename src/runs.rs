//! Runs: the agent machine driven durably.
//!
//! [`Driver::drive`] folds a run's journal into a machine, then performs step after step and journals each outcome before it
//! is folded in. Killed anywhere, the next driver repeats at most the one step whose outcome was not yet journaled; that a
//! repeated hand-over sends nothing twice is the ledger's business, not ours.

mod driver;
mod guard;
mod journal;
mod perform;
mod policy;
mod rehearse;
mod replay;
pub(crate) mod task;

use agent::{ApprovalDecision, Input, Outcome, Step, TurnEnd};
use kit::campaign::Brief;
use kit::tool::{NoSend, Subject};
use kit::{ApprovalId, OrderId, Principal, RunId, StoreError, TicketId, Timestamp};
use serde::{Deserialize, Serialize};

pub use driver::{Driver, Planner};
pub(crate) use guard::PrivacyGuard;
pub use journal::{Divergence, replay};
pub use perform::Deliverer;
pub use policy::{RUN_POLICY_FILE, RetryPolicy, RunPolicy, RunPolicyError};
pub use rehearse::{Comparison, End, RehearseError, Side, Turn};
pub use replay::{ReplayError, Replayed};

/// What a run begins with, as stored. The plan itself follows from the pinned release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed {
    /// Whom and what it is about.
    pub subject: Subject,
    /// On whose behalf it acts.
    pub principal: Principal,
}

/// What reaches a run from outside, through its inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum Signal {
    /// A person decided.
    Approval {
        /// About which request.
        approval: ApprovalId,
        /// What.
        decision: ApprovalDecision,
    },
    /// The cause of a hold was lifted: the kill switch is off, the ticket closed.
    Released,
    /// The run is called off.
    Cancel(NoSend),
    /// An order, or what became of one, ended what the run is about: it is called off.
    Order {
        /// Which order.
        order: OrderId,
        /// What that means for the run.
        #[serde(flatten)]
        reason: NoSend,
    },
    /// A support ticket of the person was closed: a message that was held for it is tried again, any other hold stands.
    TicketClosed {
        /// Which ticket.
        ticket: TicketId,
    },
    /// The marketer of a conversation said something.
    Said {
        /// Their words.
        text: String,
        /// The date in the shop's zone, in words.
        today: String,
    },
    /// The marketer changed the brief without words.
    Edited {
        /// The brief as they left it.
        brief: Box<Brief>,
        /// What they did.
        note: String,
        /// The version it takes up again.
        restores: Option<u32>,
    },
    /// The marketer wants the turn under way to stop.
    Stop,
}

impl Signal {
    /// The form in which it lies in the inbox.
    ///
    /// # Errors
    /// When it cannot be written as JSON; it always can.
    pub fn to_json(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|e| StoreError::Corrupt { what: "signal".to_owned(), why: e.to_string() })
    }
}

/// Where a drive ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Rest {
    /// The run is over.
    Done(Outcome),
    /// It waits for a person.
    Approval {
        /// The request.
        approval: ApprovalId,
        /// When it lapses.
        until: Timestamp,
    },
    /// It is held.
    Held {
        /// Why.
        hold: kit::message::Hold,
        /// When it tries again by itself.
        at: Option<Timestamp>,
    },
    /// A conversation waits for its marketer.
    Marketer {
        /// How the turn before ended.
        ended: TurnEnd,
    },
    /// It is not due yet.
    Delayed {
        /// Until when.
        until: Timestamp,
    },
}

/// Why a run could not be driven. The run itself is unharmed: it can be driven again.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such run.
    #[error("there is no run {0}; see `mailwright runs list`")]
    Unknown(RunId),
    /// The journal and the machine disagree.
    #[error("run {run}: {divergence}; it is parked for an operator")]
    Diverged {
        /// The run.
        run: RunId,
        /// Where.
        divergence: Divergence,
    },
    /// Another process drives this run.
    #[error("run {0} is driven by another process")]
    Elsewhere(RunId),
    /// The release the run is pinned to cannot be read any more.
    #[error("run {run}: its release cannot be used: {why}")]
    Release {
        /// The run.
        run: RunId,
        /// Why.
        why: String,
    },
}

impl DriveError {
    /// True when the same run may be driven later without anybody's help.
    pub fn is_retryable(&self) -> bool {
        match self {
            // A full disk ends when somebody makes room.
            Self::Store(error) => error.is_retryable() || matches!(error, StoreError::Unwritable(_)),
            Self::Unknown(_) | Self::Diverged { .. } | Self::Elsewhere(_) | Self::Release { .. } => false,
        }
    }
}

/// Sees each step as it is performed: traces, the demo, progress.
pub trait Observer: Send + Sync {
    /// A step was asked for and answered.
    fn step(&self, run: &RunId, step: &Step, input: &Input);

    /// The model writes: words as they come. They may still turn out to be useless; [`Observer::step`] says what came of
    /// them.
    fn writes(&self, _run: &RunId, _delta: &str) {}

    /// The model begins a call of this tool.
    fn calls(&self, _run: &RunId, _tool: &str) {}
}

/// Sees nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn step(&self, _: &RunId, _: &Step, _: &Input) {}
}
