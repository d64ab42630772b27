//! What the machine asks for and what it is told.

use jiff::Timestamp;
use kit::campaign::Brief;
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
    /// This model cannot or will not go on: continue with another profile allowed for this shop, or say that there is none.
    SwitchModel {
        /// What went wrong with this one; the run is parked with it when no other is left.
        why: HumanReason,
    },
    /// A conversation waits for its marketer.
    AwaitMarketer {
        /// How the turn before ended.
        ended: TurnEnd,
    },
    /// Nothing more.
    Done(Outcome),
}

/// How a turn of a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum TurnEnd {
    /// There was none yet.
    Begun,
    /// The model answered in words.
    Answered,
    /// The model asked questions.
    Asked,
    /// The model offered briefs to choose from.
    Offered,
    /// The marketer stopped it.
    Stopped,
    /// The model could not answer, or a bound was reached.
    Failed {
        /// Why.
        reason: HumanReason,
    },
}

impl Step {
    /// What the step waits for, in words: for traces and for [`crate::Mismatch`].
    pub fn waits_for(&self) -> &'static str {
        match self {
            Self::CallModel => "a model's answer",
            Self::RunTools { .. } => "answers of tools",
            Self::AwaitApproval { .. } => "a decision",
            Self::Deliver { .. } => "the outcome of the hand-over",
            Self::AwaitRelease { .. } => "a release",
            Self::SwitchModel { .. } => "another model, or word that there is none",
            Self::AwaitMarketer { .. } => "the marketer",
            Self::Done(_) => "nothing: the run is over",
        }
    }
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

impl ToolAnswer {
    /// The call worked; `content` is the tool's JSON.
    pub fn ok(call: &ToolCall, content: impl Into<String>) -> Self {
        Self { call: call.id.clone(), content: content.into(), is_error: false, facts: Vec::new(), disposition: None }
    }

    /// The call failed in a way that the model can mend; `words` say how.
    pub fn error(call: &ToolCall, words: impl Into<String>) -> Self {
        Self { call: call.id.clone(), content: words.into(), is_error: true, facts: Vec::new(), disposition: None }
    }

    /// The call was never run.
    pub fn not_run(call: &ToolCall, why: &str) -> Self {
        Self::error(call, format!("not run: {why}"))
    }
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
    /// Nobody decided in time, and the flow's control could not go out either.
    Lapsed {
        /// Why it could not.
        why: String,
    },
    /// Nobody decided in time: the flow's control, which a person has approved before, goes out instead.
    Control {
        /// The approval of the control.
        control: ApprovalId,
        /// The approval of this reader's message that follows from it.
        approval: ApprovalId,
        /// The message.
        draft: Box<kit::message::DraftRecord>,
    },
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
    /// The driver continues with another model profile. The conversation restarts from what was learned: facts and
    /// answered reads are kept; drafts, words and failed attempts of the former model are not.
    SwitchedModel {
        /// The profile's name.
        profile: String,
        /// When.
        at: Timestamp,
    },
    /// No other model profile is left or allowed.
    NoMoreModels {
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
    /// The cause of a hold has passed or was lifted: hand over again.
    Released {
        /// When.
        at: Timestamp,
    },
    /// The marketer said something: a turn of a conversation begins.
    Marketer {
        /// Their words.
        text: String,
        /// The date in the shop's zone, in words: a model has no calendar.
        today: String,
        /// When.
        at: Timestamp,
    },
    /// The marketer changed the brief without words: undid a change, flipped an assumption, chose a brief.
    BriefEdited {
        /// The brief as it stands now.
        brief: Box<Brief>,
        /// What they did, for the model to read.
        note: String,
        /// The version this one takes up again, when it undoes a change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restores: Option<u32>,
        /// When.
        at: Timestamp,
    },
    /// The marketer stopped the turn under way.
    Stopped {
        /// When.
        at: Timestamp,
    },
    /// A tool or an engine failed for good ([`kit::tool::ToolError::Fatal`]): an operator must look.
    Fatal {
        /// What happened, without bodies.
        why: String,
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

impl Input {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Model { at, .. }
            | Self::ModelFailed { at, .. }
            | Self::Tools { at, .. }
            | Self::Approval { at, .. }
            | Self::SwitchedModel { at, .. }
            | Self::NoMoreModels { at }
            | Self::Delivery { at, .. }
            | Self::Released { at }
            | Self::Marketer { at, .. }
            | Self::BriefEdited { at, .. }
            | Self::Stopped { at }
            | Self::Fatal { at, .. }
            | Self::Cancelled { at, .. } => *at,
        }
    }

    /// What it is, in words: for traces and for [`crate::Mismatch`].
    pub fn what(&self) -> &'static str {
        match self {
            Self::Model { .. } => "a model's answer",
            Self::ModelFailed { .. } => "a failed model call",
            Self::Tools { .. } => "answers of tools",
            Self::Approval { .. } => "a decision",
            Self::SwitchedModel { .. } => "another model",
            Self::NoMoreModels { .. } => "word that no model is left",
            Self::Delivery { .. } => "the outcome of a hand-over",
            Self::Released { .. } => "a release",
            Self::Marketer { .. } => "words of the marketer",
            Self::BriefEdited { .. } => "an edit of the brief",
            Self::Stopped { .. } => "word that the marketer stopped the turn",
            Self::Fatal { .. } => "a fatal failure",
            Self::Cancelled { .. } => "a cancellation",
        }
    }
}

/// Why a person must take the run over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanReason {
    /// A short code. A bound: `turns`, `tool_calls`, `tokens`, `cost`, `seconds`, `holds`. The model: `reasks`,
    /// `refused`, `loop`, `model_failed`. A fault in our own house: `fatal`.
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
    /// The copy of a message class is written; a person approves it with its campaign.
    Written {
        /// What was written.
        copy: Box<kit::campaign::ClassCopy>,
    },
    /// A cleared message was held for good.
    Held {
        /// Why.
        hold: Hold,
    },
    /// Nothing went out and nothing will by itself: a person must look.
    Parked(HumanReason),
}
