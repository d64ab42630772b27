//! The tool `request_approval`: how the model reaches the people who must look.

use std::sync::Arc;

use kit::message::DraftRecord;
use kit::tool::{Disposition, Effect, Phase, Tool, ToolContext, ToolError};
use kit::{ApprovalId, BoxFuture, StoreError, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A request that was opened, or that was open already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its id.
    pub approval: ApprovalId,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// Where approvals are kept. Implemented by the orchestrator.
pub trait ApprovalDesk: Send + Sync {
    /// Opens a request for exactly this draft and the run's audience, offer and schedule. The same run asking again for the
    /// same envelope gets the request that is there.
    fn open<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a DraftRecord,
        summary: &'a str,
    ) -> BoxFuture<'a, Result<Opened, StoreError>>;
}

/// Asks a person to look at the draft.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestApprovalArgs {
    /// The draft's id from propose_message, twelve characters.
    #[schemars(length(min = 12, max = 12))]
    pub draft: String,
    /// What the message says and why it is right for this reader now, in one or two sentences. No name, address or number.
    #[schemars(length(min = 20, max = 400))]
    pub summary: String,
    /// What the approver should look at twice: a doubt, a claim, an assumption. "None" if there is none.
    #[schemars(length(min = 4, max = 300))]
    pub risk_notes: String,
}

/// What the model gets back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApprovalRequested {
    /// The request.
    pub approval: ApprovalId,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// What happens now.
    pub next: &'static str,
}

/// The tool.
#[derive(Clone)]
pub struct RequestApproval {
    desk: Arc<dyn ApprovalDesk>,
}

impl RequestApproval {
    /// A tool that asks at this desk.
    pub fn new(desk: Arc<dyn ApprovalDesk>) -> Self {
        Self { desk }
    }
}

impl Tool for RequestApproval {
    type Args = RequestApprovalArgs;
    type Output = ApprovalRequested;

    const NAME: &'static str = "request_approval";
    const DESCRIPTION: &'static str = include_str!("request_approval.md");
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Clear];

    async fn call(&self, cx: &ToolContext, args: RequestApprovalArgs) -> Result<ApprovalRequested, ToolError> {
        let Some(draft) = cx.draft.clone() else {
            return Err(ToolError::ForModel("there is no checked draft yet: call propose_message first".to_owned()));
        };
        let current = draft.report.content.short();
        if args.draft != current {
            return Err(ToolError::ForModel(format!(
                "draft: `{}` is not the accepted draft; call request_approval again with draft `{current}`",
                args.draft
            )));
        }
        for (field, text) in [("summary", &args.summary), ("risk_notes", &args.risk_notes)] {
            if text.chars().any(unprintable) {
                let mend = "write one line of plain words";
                return Err(ToolError::ForModel(format!("{field} holds line breaks or hidden characters: {mend}")));
            }
            if looks_personal(text) {
                let mend = "write it without addresses, links and numbers; the approver sees the message beside it";
                return Err(ToolError::ForModel(format!("{field} holds what may be personal data: {mend}")));
            }
        }
        let summary = match args.risk_notes.trim() {
            none if none.trim_end_matches('.').eq_ignore_ascii_case("none") => args.summary.trim().to_owned(),
            notes => format!("{}\nLook twice: {notes}", args.summary.trim()),
        };
        let Opened { approval, expires_at } = self.desk.open(cx, &draft, &summary).await?;
        cx.dispose(Disposition::AwaitApproval { approval: approval.clone(), expires_at });
        Ok(ApprovalRequested { approval, expires_at, next: "the run waits for a person; you are done" })
    }
}

/// Control characters, and marks that reorder or hide text: an approver must see in the terminal, the page and the log
/// exactly what was written.
fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// An address, a link, or a run of digits as long as a house number with its street's code or a telephone number.
fn looks_personal(text: &str) -> bool {
    let long_number = text
        .split(|c: char| !(c.is_numeric() || matches!(c, ' ' | '-' | '/' | '(' | ')' | '+')))
        .any(|run| run.chars().filter(|c| c.is_numeric()).count() >= 5);
    text.contains('@') || text.contains("://") || long_number
}
