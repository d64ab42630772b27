//! What the class tools need from outside: class facts, content rules, and a rendering for a sample reader.

use kit::campaign::{Angle, ClassCopy, ClassKey};
use kit::message::{Channel, CheckReport, Draft};
use kit::product::ProductCard;
use kit::tool::{ToolContext, ToolError};
use kit::{BoxFuture, FactBook, OfferStepId, StoreError, Timestamp};

/// The offer of a class as everybody in it gets it; the code is each person's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassOffer {
    /// The ladder step.
    pub step: OfferStepId,
    /// What a reader is told.
    pub label: String,
    /// Per cent, when it is a percentage.
    pub percent: Option<i64>,
    /// The last moment it is good.
    pub ends: Timestamp,
    /// A code of the form that people get, to judge how long a text becomes.
    pub sample_code: String,
}

/// Everything a model may know of a class. No person is in it, nor how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassFacts {
    /// What its people have in common.
    pub key: ClassKey,
    /// The campaign's objective, in the marketer's words.
    pub objective: String,
    /// Whom it is for, in words.
    pub audience: String,
    /// The product that leads.
    pub lead: ProductCard,
    /// The offer.
    pub offer: Option<ClassOffer>,
    /// Angles that subjects may take.
    pub angles: Vec<Angle>,
    /// How the messages travel.
    pub channels: Vec<Channel>,
}

/// Why a copy could not be previewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreviewFault {
    /// The writer can mend it.
    #[error("{0}")]
    Mendable(String),
    /// An operator must look.
    #[error("{0}")]
    Broken(String),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PreviewFault> for ToolError {
    fn from(fault: PreviewFault) -> Self {
        match fault {
            PreviewFault::Mendable(why) => Self::ForModel(format!("it does not render: {why}")),
            PreviewFault::Broken(why) => Self::Fatal(format!("it does not render: {why}")),
            PreviewFault::Store(error) => error.into(),
        }
    }
}

/// Implemented by the orchestrator. An error is never a "go".
pub trait ClassDesk: Send + Sync + 'static {
    /// The facts of the class that this run writes.
    fn facts<'a>(&'a self, cx: &'a ToolContext) -> BoxFuture<'a, Result<ClassFacts, StoreError>>;

    /// Runs every content rule over a draft.
    fn check<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a Draft,
        facts: &'a FactBook,
    ) -> BoxFuture<'a, Result<CheckReport, StoreError>>;

    /// Renders both channels for sample readers with every subject, the longest that may come, and throws them away.
    fn preview<'a>(&'a self, cx: &'a ToolContext, copy: &'a ClassCopy) -> BoxFuture<'a, Result<(), PreviewFault>>;
}
