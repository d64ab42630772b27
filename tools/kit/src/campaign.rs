//! A campaign before a word of it is written: the brief as a type.
//!
//! A marketer talks; what they decided stands in a [`Brief`], kept by code. The model proposes changes to it and reads it back
//! every turn, so nothing depends on what a model remembers. Every change is a [`Change`]: shown, stored, undone as one.
//!
//! * [`audience`]: whom it is for, as predicates that code evaluates, and who falls out for which reason.
//! * [`plan`]: what is offered, shown, measured, and when it leaves.
//! * [`standing`]: constraints with the turn that stated them, assumptions that can be flipped, gaps, risk.
//! * [`class`], [`merkle`], [`terms`]: what is written once and composed for each person, the frozen audience, and what one
//!   approval of all of it covers.
//! * [`change`]: settings, diffs, and applying them.
//! * [`talk`]: questions, choices, and what a tool may know of the conversation.
//! * [`words`]: a brief in words, for people and for models.

pub mod audience;
pub mod change;
pub mod class;
pub mod merkle;
pub mod plan;
pub mod standing;
pub mod talk;
pub mod terms;
pub mod words;

use serde::{Deserialize, Serialize};

pub use audience::{AudienceCount, AudienceSpec, Exclusion, ExclusionReason, Predicate, Stage, VipTreatment};
pub use change::{Change, ChangeError, Field, Setting};
pub use class::{CampaignId, ClassCopy, ClassId, ClassKey, Fill, SlotProduct, SubjectOption, compose, slot_fact};
pub use merkle::{AudienceProof, AudienceTree};
pub use plan::{
    Angle, BriefProduct, FailureMeasure, FailureMetric, LegalClass, OfferChoice, OfferCost, OfferPlan, Schedule,
    SendZone, SuccessMeasure, SuccessMetric,
};
pub use standing::{Assumption, AssumptionError, Constraint, Gap, GapKind, Risk, RiskTier, Rule};
pub use talk::{BRIEF_FLOW, BriefChoice, BriefContext, Changes, MAX_QUESTIONS, Question};
pub use terms::{CampaignTerms, ClassTerms, Covered, Outside, Place, SlotRules};

use crate::digest::Digest;
use crate::locale::Language;
use crate::message::Channel;

/// The stored form of a brief; a form this build does not know is refused when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum BriefSchema {
    /// The first form.
    #[default]
    #[serde(rename = "mailwright.brief/1")]
    V1,
}

/// What a marketer decided about one campaign. Empty at first; versions count from 0.
///
/// Three parts are computed by code after every change and never proposed by a model: [`OfferPlan::cost`], [`Brief::gaps`]
/// and [`Brief::risk`]. They are no part of [`Brief::digest`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brief {
    /// The stored form.
    pub schema: BriefSchema,
    /// Counts up with every change, also when one is undone.
    pub version: u32,
    /// A short name such as "Back to school".
    pub title: Option<String>,
    /// What it should achieve, in the marketer's words.
    pub objective: Option<String>,
    /// The one figure that says it worked.
    pub success: Option<SuccessMetric>,
    /// The one figure that says it did harm.
    pub failure: Option<FailureMetric>,
    /// Whom it is for.
    pub audience: AudienceSpec,
    /// What VIPs get.
    pub vip: VipTreatment,
    /// What is offered, and what it may cost.
    pub offer: OfferPlan,
    /// What is shown, each with the reason why.
    pub products: Vec<BriefProduct>,
    /// How it travels, in order of preference.
    pub channels: Vec<Channel>,
    /// When it leaves.
    pub schedule: Option<Schedule>,
    /// Per cent of the audience that gets nothing, to measure what the campaign is worth.
    pub holdout_percent: u8,
    /// What the messages are built on.
    pub angles: Vec<Angle>,
    /// How they sound, in a few words.
    pub tone: Option<String>,
    /// The languages they are written in.
    pub languages: Vec<Language>,
    /// What the law takes them for.
    pub legal: LegalClass,
    /// Who answers for it: a principal's name.
    pub owner: Option<String>,
    /// What the marketer ruled, each with the turn that said so. Kept until taken back.
    pub constraints: Vec<Constraint>,
    /// What was assumed rather than asked.
    pub assumptions: Vec<Assumption>,
    /// What is missing or contradictory. Computed.
    pub gaps: Vec<Gap>,
    /// How closely people must look. Computed.
    pub risk: Risk,
}

impl Brief {
    /// True when messages can be written from it: nothing that blocks is missing.
    pub fn is_ready(&self) -> bool {
        self.gaps.iter().all(|gap| !gap.blocks)
    }

    /// Constraints that hold: stated and not taken back.
    pub fn standing(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints.iter().filter(|constraint| constraint.stands())
    }

    /// Constraints that hold and speak of VIPs.
    pub fn speaks_of_vips(&self) -> impl Iterator<Item = &Constraint> {
        self.standing().filter(|constraint| constraint.speaks_of_vips())
    }

    /// The content hash of what was decided: the same decisions have the same digest, whatever the version number and
    /// whatever code computed from them.
    ///
    /// # Errors
    /// Never for a brief; the signature is that of JSON.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        let decided = Self {
            version: 0,
            gaps: Vec::new(),
            risk: Risk::default(),
            offer: OfferPlan { cost: None, ..self.offer.clone() },
            ..self.clone()
        };
        Digest::of_json(&decided)
    }
}
