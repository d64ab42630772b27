//! People decide: the one place where approvals of messages and of campaigns are signed, rejected, edited and recalled, for
//! every door (command line, API, chat).
//!
//! * `ask`: what is asked of a person about a draft, and the way of a request under the policy in force.
//! * `look`: what somebody saw, as a tag that a decision names; what has changed since.
//! * `control`: what goes out when nobody decides in time, approved once; `control_words`: that no rule forbids its words.
//! * `decide`: approve, reject, recall.
//! * `edit`: other words, another author, another request.
//! * `page`: what waits, in lists.
//! * `trust`: how far a flow is trusted, and what it takes to earn it.
//! * `tend`: what time does to requests: escalated, lapsed.

mod ask;
mod control;
mod control_words;
mod decide;
mod edit;
mod look;
mod page;
mod tend;
mod trust;

use approval::DecisionError;
use kit::message::ApprovalState;
use kit::{ApprovalId, StoreError};

pub use approval::TrustLevel;
pub use control::{ControlRefused, ControlView};
pub use control_words::ControlFinding;
pub use decide::{Assent, Signed};
pub use edit::Edit;
pub use look::{Asked, InvalidSeen, Looked, Seen};
pub use page::PageError;
pub use trust::{Standing, TrustError};

/// Why a decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// No such approval.
    #[error("there is no approval {0}; see `mailwright approvals list`")]
    Unknown(ApprovalId),
    /// The rules of deciding.
    #[error(transparent)]
    Rule(#[from] DecisionError),
    /// It is another thing than what was looked at.
    #[error("{id} is not what you looked at any more: {}; look again: mailwright approvals show {id}", .what.join("; "))]
    Changed {
        /// Which.
        id: ApprovalId,
        /// What changed, in words.
        what: Vec<String>,
    },
    /// Something else took its place.
    #[error("{id} was {how}; {successor} takes its place: {}", .what.join("; "))]
    Replaced {
        /// Which.
        id: ApprovalId,
        /// Edited, or asked again.
        how: String,
        /// What to look at instead.
        successor: ApprovalId,
        /// What is other in it, in words.
        what: Vec<String>,
    },
    /// Nobody decided in time, and the flow's control went out.
    #[error("nobody decided about {id} in time: the control {how} in its place, by {instead}")]
    ControlWent {
        /// Which.
        id: ApprovalId,
        /// The approval by which the control went.
        instead: ApprovalId,
        /// Whether it has left.
        how: &'static str,
    },
    /// It cannot be taken back.
    #[error("{id} cannot be recalled: it is {state:?}")]
    NotApproved {
        /// Which.
        id: ApprovalId,
        /// Where it stands.
        state: ApprovalState,
    },
    /// Something left with it.
    #[error("{id} cannot be recalled any more: a message is on its way with it{}", .what_stops)]
    Used {
        /// Which.
        id: ApprovalId,
        /// What stops the rest, in words; empty when there is none.
        what_stops: String,
    },
    /// The edited message breaks a content rule.
    #[error("the edited message breaks {} rule(s), nothing was changed:\n{}", .0.len(), .0.join("\n"))]
    Findings(Vec<String>),
    /// The edited message cites something else than facts of its run.
    #[error("{0}; nothing was changed")]
    Facts(String),
    /// The edit changes nothing.
    #[error("the edit changes nothing")]
    Same,
    /// A campaign's words are edited in its brief.
    #[error("{0} is about a campaign: change its brief and write it again")]
    Campaign(ApprovalId),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}
