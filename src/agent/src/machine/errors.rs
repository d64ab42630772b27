//! What can go wrong at the machine's two doors: taking an input and reading a stored state.

use kit::{ApprovalId, CallId};

use super::stored::MACHINE_VERSION;

/// An input that does not answer the current step. The machine has not changed; the input may be dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The run waits for something else.
    #[error("the run waits for {expected}; it got {got}")]
    Step {
        /// What would answer the step.
        expected: &'static str,
        /// What came.
        got: &'static str,
    },
    /// A decision about a request that is not open: late, repeated or superseded.
    #[error("the run waits for a decision about approval {expected}; it got one about {got}")]
    Approval {
        /// The open request.
        expected: ApprovalId,
        /// The request the decision is about.
        got: ApprovalId,
    },
    /// An edit of another version of the brief: somebody else was faster.
    #[error("the brief waits for version {expected}; the edit makes version {got}")]
    Version {
        /// The next version.
        expected: u32,
        /// The version that came.
        got: u32,
    },
    /// Answers that are not one a call in the order of the step.
    #[error("the run waits for answers to the calls [{}]; it got answers to [{}]", list(expected), list(got))]
    Answers {
        /// The calls of the step.
        expected: Vec<CallId>,
        /// The calls that were answered.
        got: Vec<CallId>,
    },
}

fn list(ids: &[CallId]) -> String {
    ids.iter().map(CallId::as_str).collect::<Vec<_>>().join(", ")
}

/// A stored state that cannot be read. Such a run is parked for an operator, never dropped.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Another machine wrote it.
    #[error(
        "the state was written by machine version {found}; this program reads versions up to {MACHINE_VERSION}: run the program of that version, or migrate"
    )]
    Version {
        /// The version in the state.
        found: u32,
    },
    /// It is no machine's state.
    #[error("the text is no state of a run: {0}")]
    Form(#[from] serde_json::Error),
}
