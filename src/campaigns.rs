//! Campaigns: a ready brief becomes classes, each written once by a model, composed for each person by code, approved as one,
//! and sent at its time.
//!
//! * `freeze`: the audience as it is now, frozen with class and offer; its Merkle root is what the approval is bound to.
//! * `classes`: class facts and the runs that write them. No person is in a prompt.
//! * `edit`: a person changes a class's copy; what was signed before does not cover it.
//! * `compose`: one person's message from the class, and the proof that it lies inside what was approved.
//! * `approve`: the terms, what the approver sees; deciding is `crate::approvals`.
//! * `dispatch`: everybody at their own time, through the ledger, each once.

mod approve;
mod classes;
mod compose;
mod dispatch;
mod edit;
mod freeze;

use std::collections::BTreeSet;

use agent::Outcome;
use kit::campaign::{Angle, CampaignId, ClassId, ClassKey, Outside};
use kit::message::Channel;
use kit::{BriefId, FlowId, InvalidId, OfferStepId, RunId, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

use crate::runs::DriveError;
use crate::store::CampaignState;

pub use approve::{CampaignView, ClassSample, PersonSample};
pub(crate) use classes::is_class_run;
pub use classes::{CLASS_FLOW, Estimate};
pub use compose::{Composed, Composer, Granted};
pub use dispatch::Progress;
pub use edit::ClassEdited;

/// The flow name under which campaigns are known to the ladder and the content rules.
pub const CAMPAIGN_FLOW: &str = "campaign";

/// A class's facts as stored with its campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFacts {
    /// What its people have in common.
    pub key: ClassKey,
    /// The objective, in the marketer's words.
    pub objective: String,
    /// Whom it is for, in words.
    pub audience: String,
    /// Angles for subjects.
    pub angles: Vec<Angle>,
    /// How messages travel.
    pub channels: Vec<Channel>,
    /// The offer.
    pub offer: Option<StoredOffer>,
}

/// The offer of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOffer {
    /// The ladder step.
    pub step: OfferStepId,
    /// What a reader is told.
    pub label: String,
    /// Per cent, when it is a percentage.
    pub percent: Option<i64>,
    /// The last moment it is good.
    pub ends: Timestamp,
    /// A code of the form that people get.
    pub sample_code: String,
}

/// Why a campaign cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// No such brief.
    #[error("there is no brief {0}; see `mailwright briefs list`")]
    NoBrief(BriefId),
    /// No such campaign.
    #[error("there is no campaign {0}; see `mailwright campaigns list`")]
    Unknown(CampaignId),
    /// Something is missing in the brief.
    #[error("the brief is not ready: {}", .0.join("; "))]
    NotReady(Vec<String>),
    /// Nobody would get a message.
    #[error("nobody is left in the audience; look at the exclusions of the brief")]
    Nobody,
    /// The campaign stands elsewhere.
    #[error("the campaign is {0:?}; {1}")]
    State(CampaignState, &'static str),
    /// Some class has no copy.
    #[error("class {class} is not written: {why}; run `mailwright campaigns write` again, or narrow the brief")]
    NotWritten {
        /// Which.
        class: ClassId,
        /// How its run ended.
        why: String,
    },
    /// The release changed.
    #[error("the shop runs another release than the one this was approved with; ask for the approval again")]
    OtherRelease,
    /// Just approved.
    #[error("its approval can still be recalled; nothing of it leaves before {until}, run it then")]
    Recallable {
        /// When messages may leave.
        until: Timestamp,
    },
    /// No composed message lies inside, or none can be composed.
    #[error("nobody's message can be composed: {0}")]
    NothingComposed(String),
    /// No such class.
    #[error("campaign {campaign} has no class {class}; see `mailwright campaigns show {campaign}`")]
    NoClass {
        /// The campaign.
        campaign: CampaignId,
        /// What was asked for.
        class: ClassId,
    },
    /// The edit is not taken.
    #[error(transparent)]
    Edit(#[from] ::campaign::EditError),
    /// The edited copy does not render.
    #[error("the edited copy does not render, nothing was changed: {0}")]
    Preview(#[from] ::campaign::PreviewFault),
    /// An id that cannot be one.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// A run.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// The tools of a class run.
    #[error(transparent)]
    Tools(#[from] kit::tool::RegistryError),
    /// Outside of the terms.
    #[error(transparent)]
    Outside(#[from] Outside),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The campaign as a flow: in envelopes, keys and kill switches (`flow:cmp-…`).
pub fn flow_of(campaign: &CampaignId) -> Result<FlowId, InvalidId> {
    FlowId::new(campaign.as_str())
}

/// The campaign as what sends: the run of its ledger rows.
fn run_of(campaign: &CampaignId) -> Result<RunId, InvalidId> {
    RunId::new(campaign.as_str())
}

/// How the run of a class ended, in words.
fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Written { .. } => "written".to_owned(),
        Outcome::NoSend(reason) => reason.reason.clone(),
        Outcome::Parked(reason) => reason.text.clone(),
        Outcome::Held { hold } => hold.to_string(),
        Outcome::Delivered { state } => state.as_str().to_owned(),
    }
}

/// Names of authors with the one who decided on the brief: nobody approves what they shaped themselves.
fn with_owner(mut authors: BTreeSet<String>, owner: &str) -> BTreeSet<String> {
    authors.insert(owner.to_owned());
    authors
}
