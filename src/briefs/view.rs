//! A conversation as its marketer sees it.

use agent::{Spent, TurnEnd};
use brief::Figures;
use kit::campaign::{Brief, Change, Question};
use kit::{BriefId, Digest};

use super::talk::{BY_MARKETER, current, ended, versions};
use super::{Chat, ChatError};
use crate::store::BriefVersion;

/// A conversation at rest, with the figures of this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The brief's id.
    pub id: BriefId,
    /// The brief, its computed parts as of now.
    pub brief: Brief,
    /// The live count and cost.
    pub figures: Figures,
    /// Turns so far.
    pub turn: u32,
    /// How the last turn ended.
    pub ended: TurnEnd,
    /// What was answered in words; the questions when some were asked.
    pub answer: Option<String>,
    /// Questions that were asked so far.
    pub questions: Vec<Question>,
    /// Briefs to choose from.
    pub choices: Vec<Choice>,
    /// Every version, oldest first.
    pub versions: Vec<BriefVersion>,
    /// What the conversation has used up.
    pub spent: Spent,
}

/// A brief on offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What sets it apart.
    pub why: String,
    /// The brief.
    pub brief: Brief,
    /// Its count and cost of this moment.
    pub figures: Figures,
}

/// A brief that messages can be written from.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    /// Its id.
    pub id: BriefId,
    /// The brief; its version number names it together with the id.
    pub brief: Brief,
    /// What was decided, hashed.
    pub digest: Digest,
    /// The live count and cost.
    pub figures: Figures,
}

impl View {
    /// What the last edit or turn changed, field by field; what code computed is left out.
    pub fn last_changes(&self) -> Vec<Change> {
        let Some(last) = self.versions.last() else { return Vec::new() };
        // An edit is told alone, the changes of a turn together.
        let earlier = |v: &&BriefVersion| {
            v.version < last.version && (last.made_by == BY_MARKETER || v.made_by == BY_MARKETER || v.turn < last.turn)
        };
        match self.versions.iter().rev().find(earlier) {
            Some(before) => decided(&last.brief, &before.brief),
            None => decided(&last.brief, &Brief::default()),
        }
    }
}

fn decided(new: &Brief, old: &Brief) -> Vec<Change> {
    new.diff(old).into_iter().filter(|change| !change.field().is_computed()).collect()
}

impl Chat {
    /// The conversation as it is, without taking it on.
    ///
    /// # Errors
    /// When the brief is unknown or its journal cannot be read.
    pub async fn view(&self, id: &BriefId) -> Result<View, ChatError> {
        self.known(id).await?;
        let (machine, rows) = self.load(id).await?;
        let (brief, figures) = self.computed(id, current(&machine)).await?;
        let mut choices = Vec::with_capacity(machine.choices().len());
        for choice in machine.choices() {
            let (brief, figures) = self.computed(id, Brief::clone(&choice.brief)).await?;
            choices.push(Choice { why: choice.why.clone(), brief, figures });
        }
        let talk = machine.talk();
        Ok(View {
            id: id.clone(),
            brief,
            figures,
            turn: talk.as_ref().map_or(0, |talk| talk.turn),
            ended: ended(&machine),
            answer: machine.answer(),
            questions: talk.map(|talk| talk.asked).unwrap_or_default(),
            choices,
            versions: versions(&rows)?,
            spent: machine.spent(),
        })
    }
}
