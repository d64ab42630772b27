//! What the machine asks for and what it is told.

use jiff::Timestamp;
use kit::message::Hold;
use kit::message::SendState;
use kit::tool::{Disposition, NoSend};
use kit::{ApprovalId, Fact};
use serde::{Deserialize, Serialize};

use crate::transcript::{ModelReply, ToolCall};

/// What to do next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Ask the model; [`crate::Machine::request`] holds the question.
    CallModel,
    /// Run these calls, in this order; those whose tools only read may run side by side. Each comes with its ordinal
    /// in the run, from 1, which names the facts it mints.
    RunTools {
        /// Ordinal and call.
        calls: Vec<(u32, ToolCall)>,
    },
    /// Wait for a person until the deadline.
    AwaitApproval {
        /// The request.
        approval: ApprovalId,
        /// When it lapses.
        until: Timestamp,
    },
    /// A person approved, or a hold passed: hand the drafted message to clearance and ledger. No model is asked.
    Deliver {
        /// The approval that clears it; `None` when policy cleared it.
        approval: Option<ApprovalId>,
    },
    /// The message is held for a cause that passes: try the same hand-over again at that time, or, without a time, when
    /// somebody lifts the cause.
    AwaitRelease {
        /// When to try again.
        at: Option<Timestamp>,
        /// Why it is held.
        hold: Hold,
    },
    /// Nothing more.
    Done(Outcome),
}

/// How a tool call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolAnswer {
    /// The call.
    pub call: kit::CallId,
    /// What the model reads: JSON, or an error in words.
    pub content: String,
    /// True when `content` is an error the model should mend.
    pub is_error: bool,
    /// What the call learned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// What it changed about the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
}

/// Why the model could not be asked, after the model client's own retries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFault {
    /// What happened, without bodies.
    pub why: String,
    /// True when another model may do better (outage, quota); false when the request itself is at fault.
    pub transient: bool,
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum ApprovalDecision {
    /// Send it.
    Approved,
    /// Do not; the reason goes back to the writer or ends the run.
    Rejected {
        /// Why, in the person's words.
        reason: String,
        /// True when the writer should try again with the reason in hand.
        revise: bool,
    },
    /// A person edited the message: this approval is void, the edited one stands in its place.
    Edited {
        /// The new request.
        approval: ApprovalId,
        /// When it lapses.
        expires_at: Timestamp,
        /// The edited message.
        draft: Box<kit::message::DraftRecord>,
    },
    /// Nobody decided in time.
    Expired,
}

/// What happened. The journal holds these, one a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// The model answered.
    Model {
        /// What it answered.
        reply: ModelReply,
        /// When.
        at: Timestamp,
    },
    /// The model could not be asked.
    ModelFailed {
        /// Why.
        fault: ModelFault,
        /// When.
        at: Timestamp,
    },
    /// Tools answered: all calls of the step, in its order.
    Tools {
        /// One answer a call.
        answers: Vec<ToolAnswer>,
        /// When.
        at: Timestamp,
    },
    /// A person decided, or the deadline passed.
    Approval {
        /// The request it is about.
        approval: ApprovalId,
        /// What was decided.
        decision: ApprovalDecision,
        /// When.
        at: Timestamp,
    },
    /// The driver continued with another model profile; the conversation restarts at compose with all facts kept.
    SwitchedModel {
        /// The profile's name.
        profile: String,
        /// When.
        at: Timestamp,
    },
    /// The message was handed to the ledger after an approval, or a release was tried again.
    Delivery {
        /// Where it stands now, or why it is held.
        result: Result<SendState, Hold>,
        /// When.
        at: Timestamp,
    },
    /// The run was called off from outside: an order came in, the kill switch, an operator.
    Cancelled {
        /// Why.
        reason: NoSend,
        /// When.
        at: Timestamp,
    },
}

/// Why a person must take the run over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanReason {
    /// A short code: `turns`, `loop`, `refused`, `model_failed`, `fatal`.
    pub code: String,
    /// In words.
    pub text: String,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// A message is in the ledger.
    Delivered {
        /// Where it stands.
        state: SendState,
    },
    /// No message, on purpose.
    NoSend(NoSend),
    /// A cleared message was held for good.
    Held {
        /// Why.
        hold: Hold,
    },
    /// Nothing went out and nothing will by itself: a person must look.
    Parked(HumanReason),
}
