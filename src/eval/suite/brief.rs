//! What a brief must hold after the marketer's last turn. What a case does not say may be anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time};
use kit::campaign::{
    Changes, ExclusionReason, FailureMeasure, Field, GapKind, LegalClass, Predicate, Stage, SuccessMeasure,
    VipTreatment,
};
use kit::message::Channel;
use kit::{CategoryId, Language, ProductId};
use serde::Deserialize;

/// What the brief must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BriefThen {
    /// Whether messages can be written from it.
    pub ready: Option<bool>,
    /// Its short name.
    pub title: Option<String>,
    /// Words of its objective, in any letter case.
    pub objective_says: Option<String>,
    /// The figure that says it worked.
    pub success: Option<SuccessMeasure>,
    /// Days over which success is counted.
    pub success_days: Option<u16>,
    /// The figure that says it did harm.
    pub failure: Option<FailureMeasure>,
    /// Stages of the people it is for, and nothing else about them.
    pub stages: Option<BTreeSet<Stage>>,
    /// Whom it leaves out.
    pub leaves_out: Option<Vec<Predicate>>,
    /// What VIPs get.
    pub vip: Option<VipTreatment>,
    /// The offer: a step of the ladder, `none`, or `undecided`.
    pub offer: Option<String>,
    /// What was asked for and is beyond the ladder.
    pub beyond_ladder: Option<String>,
    /// Exactly these products.
    pub products: Option<Vec<ProductId>>,
    /// Some products, and all of them below this category.
    pub products_below: Option<CategoryId>,
    /// Exactly these channels, in this order.
    pub channels: Option<Vec<Channel>>,
    /// The day on which it leaves.
    pub leaves: Option<Date>,
    /// The time of day.
    pub at: Option<Time>,
    /// The last day on which it may leave.
    pub until: Option<Date>,
    /// Per cent held out.
    pub holdout_percent: Option<u8>,
    /// How it sounds.
    pub tone: Option<String>,
    /// The languages it is written in.
    pub languages: Option<Vec<Language>>,
    /// What the law takes it for.
    pub legal: Option<LegalClass>,
    /// The marketer's words of every constraint that stands.
    pub standing: Option<Vec<String>>,
    /// Fields that are assumed rather than said, among others.
    pub assumes: BTreeSet<Field>,
    /// What keeps it from being written: exactly this.
    pub missing: Option<BTreeSet<GapKind>>,
    /// What the marketer was asked about in the whole conversation, in order.
    pub asked: Option<Vec<Changes>>,
    /// Words of the last answer, in any letter case.
    pub answer_says: Vec<String>,
    /// Words that the last answer must not hold.
    pub answer_never_says: Vec<String>,
    /// How many people would get a message.
    pub reaches: Option<u32>,
    /// How many fall out, by reason: exactly this.
    pub excluded: Option<BTreeMap<ExclusionReason, u32>>,
    /// How many briefs are on offer to choose from.
    pub choices: Option<usize>,
}
