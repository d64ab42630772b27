//! The tool `queue_send`: hands the recorded draft over, through clearance and the ledger.

use std::sync::Arc;

use kit::message::{DraftRecord, Hold, Release, SendState};
use kit::tool::{Disposition, Effect, Phase, Tool, ToolContext, ToolError};
use kit::{BoxFuture, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Clears, renders, reserves and delivers a draft for the run's own customer. Implemented by the orchestrator.
pub trait Handover: Send + Sync + 'static {
    /// Takes the recorded draft to the end of its path: a ledger state, or the reason why it may not leave now.
    ///
    /// Calling it again for the same run finds the ledger row; it never sends twice.
    fn hand_over<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a DraftRecord,
    ) -> BoxFuture<'a, Result<Result<SendState, Hold>, StoreError>>;
}

/// Hands a message over.
pub struct QueueSend {
    handover: Arc<dyn Handover>,
}

impl QueueSend {
    /// The tool over this way out.
    pub fn new(handover: Arc<dyn Handover>) -> Self {
        Self { handover }
    }
}

impl std::fmt::Debug for QueueSend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueueSend")
    }
}

/// Which draft to send.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueArgs {
    /// The `draft` that the last `propose_message` answered with.
    #[schemars(length(min = 12, max = 64))]
    pub draft: String,
}

/// What became of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueuedStatus {
    /// In the ledger; the provider has not answered yet.
    Reserved,
    /// The provider has it.
    Sent,
    /// Nobody knows whether the provider has it.
    Unknown,
    /// The provider refused it for good.
    Refused,
    /// It may not leave now.
    Held,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queued {
    /// What became of it.
    pub status: QueuedStatus,
    /// The same in words, and what happens next.
    pub words: String,
}

impl Tool for QueueSend {
    type Args = QueueArgs;
    type Output = Queued;

    const NAME: &'static str = "queue_send";
    const DESCRIPTION: &'static str = include_str!("queue_send.md");
    const EFFECT: Effect = Effect::Act;
    const PHASES: &'static [Phase] = &[Phase::Deliver];

    async fn call(&self, cx: &ToolContext, args: QueueArgs) -> Result<Queued, ToolError> {
        let record = cx.draft.as_deref().ok_or_else(|| {
            ToolError::ForModel("there is no recorded draft to send: call propose_message first".to_owned())
        })?;
        let content = record.draft.content_hash(&record.facts).map_err(|e| ToolError::Fatal(e.to_string()))?;
        if !content.to_string().starts_with(&args.draft.to_ascii_lowercase()) {
            return Err(ToolError::ForModel(format!(
                "`{}` is not the recorded draft; that one is `{}`: send it, or propose again",
                shown(&args.draft),
                content.short()
            )));
        }
        let outcome = self.handover.hand_over(cx, record).await?;
        let (answer, disposition) = match outcome {
            Ok(state) => (queued(&state), Disposition::Queued { state }),
            Err(hold) => (held(&hold), Disposition::Held { hold }),
        };
        cx.dispose(disposition);
        Ok(answer)
    }
}

/// What the model wrote, capped: it goes back into a prompt.
fn shown(draft: &str) -> String {
    draft.chars().filter(char::is_ascii_alphanumeric).take(16).collect()
}

fn queued(state: &SendState) -> Queued {
    let (status, words) = match state {
        SendState::Reserved => (QueuedStatus::Reserved, "reserved; it leaves when the provider takes it".to_owned()),
        SendState::Sent { .. } => (QueuedStatus::Sent, "the provider has it; this run is done".to_owned()),
        SendState::Unknown { .. } => (
            QueuedStatus::Unknown,
            "nobody knows whether the provider has it; it is not sent again by itself, a person will look".to_owned(),
        ),
        SendState::Refused { .. } => {
            (QueuedStatus::Refused, "the provider refused it for good; a person will look".to_owned())
        }
    };
    Queued { status, words }
}

fn held(hold: &Hold) -> Queued {
    let next = match hold.release() {
        Release::Never => "it is dropped; this run is done".to_owned(),
        Release::At { at } => format!("it is tried again at {at} if everything still holds"),
        Release::WhenLifted => "it waits until a person lifts the cause".to_owned(),
    };
    Queued { status: QueuedStatus::Held, words: format!("not sent: {}; {next}", reason(hold)) }
}

/// The reason as a model may know it: nothing about the person, the experiment or other people (design.md section 4).
fn reason(hold: &Hold) -> String {
    match hold {
        Hold::Erased
        | Hold::NoConsent
        | Hold::Unreachable { .. }
        | Hold::Withdrawn
        | Hold::Suppressed { .. }
        | Hold::Holdout
        | Hold::OtherAudience => "this reader may not be written to".to_owned(),
        Hold::TicketOpen { .. } => "customer service is in touch with this reader".to_owned(),
        Hold::Killed { .. } => "sending is switched off".to_owned(),
        Hold::ApprovalVoid { .. } => "the approval does not cover it".to_owned(),
        Hold::Bought { .. }
        | Hold::Cancelled { .. }
        | Hold::Capped { .. }
        | Hold::Quiet { .. }
        | Hold::Recallable { .. }
        | Hold::WindowClosed { .. }
        | Hold::RulesChanged
        | Hold::FactsChanged { .. } => hold.to_string(),
    }
}
