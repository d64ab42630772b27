//! What `propose_message` needs from outside: rules, policy, and a rendering for the real reader.

use kit::message::{CheckReport, Draft, DraftRecord, RiskAssessment};
use kit::tool::{ToolContext, ToolError};
use kit::{BoxFuture, FactBook, StoreError};

use crate::error::RenderError;

/// Evidence about a draft. Implemented by the orchestrator over the brand rules, the policy and the profile store.
///
/// An error is never a "go": the tool call fails and nothing is recorded.
pub trait ContentGate: Send + Sync + 'static {
    /// Runs every content rule over the draft and the facts it cites.
    fn check<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a Draft,
        facts: &'a FactBook,
    ) -> BoxFuture<'a, Result<CheckReport, StoreError>>;

    /// What policy says about sending it: reasons why a person must look.
    fn assess<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a Draft,
        report: &'a CheckReport,
    ) -> BoxFuture<'a, Result<RiskAssessment, StoreError>>;

    /// Renders it for the real reader, with every subject option, and throws the result away.
    fn preview<'a>(&'a self, cx: &'a ToolContext, record: &'a DraftRecord) -> BoxFuture<'a, Result<(), PreviewFault>>;
}

/// Why a draft could not be previewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreviewFault {
    /// It does not render for this reader.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The reader could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PreviewFault> for ToolError {
    fn from(fault: PreviewFault) -> Self {
        match fault {
            PreviewFault::Render(error) if error.is_mendable() => {
                Self::ForModel(format!("it does not render: {error}"))
            }
            PreviewFault::Render(error) => Self::Fatal(format!("it does not render: {error}")),
            PreviewFault::Store(error) => error.into(),
        }
    }
}
