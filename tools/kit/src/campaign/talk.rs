//! What is said about a brief: questions, choices, and what a tool may know of the conversation.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Brief;

/// The flow name under which conversations about briefs run. No flow file may have it.
pub const BRIEF_FLOW: &str = "brief";

/// Questions that may be asked at once, and once in a brief.
pub const MAX_QUESTIONS: usize = 3;

/// What the answer to a question changes. A question that changes none of these is not asked: it becomes an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Changes {
    /// Who gets a message.
    Audience,
    /// What is offered, or to whom.
    Offer,
    /// When it leaves.
    Date,
    /// What the law takes it for.
    LegalClass,
}

/// A question to the marketer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The question.
    pub text: String,
    /// What the answer changes.
    pub changes: Changes,
    /// Answers to choose from; the marketer may say something else.
    pub options: Vec<String>,
}

impl Question {
    /// True when it is about VIPs.
    pub fn is_about_vips(&self) -> bool {
        mentions_vip(&self.text) || self.options.iter().any(|option| mentions_vip(option))
    }
}

/// True when a text speaks of VIPs.
pub fn mentions_vip(text: &str) -> bool {
    let said = |word: &str| word.eq_ignore_ascii_case("vip") || word.eq_ignore_ascii_case("vips");
    text.split(|c: char| !c.is_alphanumeric()).any(said)
}

/// One of several briefs that would serve a goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BriefChoice {
    /// What sets it apart, in a sentence.
    pub why: String,
    /// The brief it would become.
    pub brief: Box<Brief>,
}

/// What a tool may know of the conversation it is called in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefContext {
    /// The brief as it stands.
    pub brief: Arc<Brief>,
    /// The marketer's turn, from 1.
    pub turn: u32,
    /// What the marketer said in this turn.
    pub said: String,
    /// What was answered in the turn before; empty in the first.
    pub answered_before: String,
    /// Questions that were asked so far.
    pub asked: Vec<Question>,
}
