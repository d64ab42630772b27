//! Edits of a marketer that need no model: undo, flip, choose, take back. Each is a change like any other.

use agent::{Input, Machine, TurnEnd};
use kit::campaign::Brief;
use kit::tool::Disposition;
use kit::{BriefId, Timestamp};

use super::{Chat, ChatError, Ready, View, run_of};
use crate::runs::{Rest, Signal};
use crate::store::{BriefVersion, JournalRow};

/// Who made a version: the marketer by an edit of their own.
pub(super) const BY_MARKETER: &str = "marketer";
/// Or the model by a patch.
const BY_MODEL: &str = "model";

impl Chat {
    /// Takes the last change back, whoever made it; again and again, as far as the beginning.
    ///
    /// # Errors
    /// [`ChatError::NothingToUndo`] at the beginning, [`ChatError::Busy`] while a turn is under way.
    pub async fn undo(&self, id: &BriefId) -> Result<View, ChatError> {
        let (machine, rows) = self.at_rest(id).await?;
        let versions = versions(&rows)?;
        let current = current(&machine);
        let find = |number: u32| versions.iter().find(|v| v.version == number);
        let parent = find(current.version).map_or(0, |v| v.parent);
        let restored = find(parent).map(|v| v.brief.clone()).unwrap_or_default();
        if restored.diff(&current).iter().all(|change| change.field().is_computed()) {
            return Err(ChatError::NothingToUndo);
        }
        let note = format!("They undid the last change: the brief is as it was in version {parent}.");
        self.edit(id, &current, restored, note, Some(parent)).await
    }

    /// Flips an assumption.
    ///
    /// # Errors
    /// When there is no such assumption, or a standing constraint forbids the other setting.
    pub async fn flip(&self, id: &BriefId, assumption: u32) -> Result<View, ChatError> {
        let (machine, _) = self.at_rest(id).await?;
        let current = current(&machine);
        let flipped = brief::flip(&current, assumption, &crate::toolbox::briefs::facts(&self.tenant.release))?;
        self.edit(id, &current, flipped, format!("They flipped assumption A{assumption}."), None).await
    }

    /// Chooses one of the briefs on offer, counted from 1.
    ///
    /// # Errors
    /// When there is no such choice.
    pub async fn choose(&self, id: &BriefId, number: usize) -> Result<View, ChatError> {
        let (machine, _) = self.at_rest(id).await?;
        let choices = machine.choices();
        let chosen = number.checked_sub(1).and_then(|n| choices.get(n)).ok_or_else(|| {
            let on_offer = match choices.len() {
                0 => "none is on offer".to_owned(),
                n => format!("there are {n}"),
            };
            ChatError::NoChoice(number, on_offer)
        })?;
        let title = chosen.brief.title.clone().unwrap_or_default();
        let note = format!("They chose brief {number} of those you proposed: {title}.");
        self.edit(id, &current(&machine), Brief::clone(&chosen.brief), note, None).await
    }

    /// Takes a constraint back.
    ///
    /// # Errors
    /// When no such constraint stands.
    pub async fn take_back(&self, id: &BriefId, constraint: u32) -> Result<View, ChatError> {
        let (machine, _) = self.at_rest(id).await?;
        let turn = machine.talk().map_or(0, |talk| talk.turn);
        let current = current(&machine);
        let mut next = current.clone();
        let stands = next.constraints.iter_mut().find(|c| c.id == constraint && c.stands());
        stands.ok_or(ChatError::NoConstraint(constraint))?.taken_back = Some(turn);
        self.edit(id, &current, next, format!("They took constraint C{constraint} back."), None).await
    }

    /// The brief as messages are written from it: looked at again at this moment.
    ///
    /// # Errors
    /// [`ChatError::NotReady`] with everything that is missing.
    pub async fn ready(&self, id: &BriefId) -> Result<Ready, ChatError> {
        let (machine, _) = self.at_rest(id).await?;
        let (brief, figures) = self.computed(id, current(&machine)).await?;
        if !brief.is_ready() {
            return Err(ChatError::NotReady(brief.gaps.iter().filter(|g| g.blocks).map(|g| g.text.clone()).collect()));
        }
        let digest = brief.digest().map_err(ChatError::form)?;
        Ok(Ready { id: id.clone(), brief, digest, figures })
    }

    /// Puts an edit into the conversation's inbox and has it taken.
    async fn edit(
        &self,
        id: &BriefId,
        current: &Brief,
        mut next: Brief,
        note: String,
        restores: Option<u32>,
    ) -> Result<View, ChatError> {
        next.version = current.version.saturating_add(1);
        let (brief, _) = self.computed(id, next).await?;
        let (version, brief) = (brief.version, Box::new(brief));
        let signal = Signal::Edited { brief: brief.clone(), note, restores };
        self.tenant.store.signal(&run_of(id)?, signal.to_json()?, self.tenant.clock.now()).await?;
        let view = self.resume(id).await?;
        // Somebody may have been faster; then this edit was dropped.
        let kept = view.versions.iter().find(|v| v.version == version).is_some_and(|v| v.brief == *brief);
        if kept { Ok(view) } else { Err(ChatError::Overtaken) }
    }

    pub(super) async fn computed(&self, id: &BriefId, brief: Brief) -> Result<(Brief, brief::Figures), ChatError> {
        let (desk, now) = (self.tenant.brief_desk(), self.tenant.clock.now());
        Ok(brief::computed(&desk, self.tenant.store.id(), id.as_str(), brief, now).await?)
    }

    /// The conversation, taken up and waiting for its marketer.
    async fn at_rest(&self, id: &BriefId) -> Result<(Machine, Vec<JournalRow>), ChatError> {
        self.known(id).await?;
        match self.drive(id).await? {
            Rest::Marketer { .. } => self.load(id).await,
            Rest::Done(outcome) => Err(ChatError::Ended(format!("{outcome:?}"))),
            Rest::Approval { .. } | Rest::Held { .. } | Rest::Delayed { .. } => Err(ChatError::Busy),
        }
    }

    pub(super) async fn load(&self, id: &BriefId) -> Result<(Machine, Vec<JournalRow>), ChatError> {
        let driver = self.tenant.driver(self.observer.clone());
        Ok(driver.machine(&run_of(id)?).await?)
    }

    /// Keeps what the journal holds in the table of versions. Done after every drive, so that a crash between the two is
    /// mended by the next.
    pub(super) async fn keep_versions(&self, id: &BriefId) -> Result<(), ChatError> {
        let rows = self.tenant.store.journal(&run_of(id)?).await?;
        let kept = self.tenant.store.brief(id, None).await?.map_or(0, |v| v.version);
        let new: Vec<BriefVersion> = versions(&rows)?.into_iter().filter(|v| v.version > kept).collect();
        if !new.is_empty() {
            self.tenant.store.keep_brief_versions(id, new).await?;
        }
        Ok(())
    }
}

/// How the turn before ended.
pub(super) fn ended(machine: &Machine) -> TurnEnd {
    match machine.next() {
        agent::Step::AwaitMarketer { ended } => ended,
        agent::Step::CallModel
        | agent::Step::RunTools { .. }
        | agent::Step::AwaitApproval { .. }
        | agent::Step::Deliver { .. }
        | agent::Step::AwaitRelease { .. }
        | agent::Step::SwitchModel { .. }
        | agent::Step::Done(_) => TurnEnd::Begun,
    }
}

/// The brief as the machine holds it.
pub(super) fn current(machine: &Machine) -> Brief {
    machine.talk().map(|talk| Brief::clone(&talk.brief)).unwrap_or_default()
}

/// Every version that a journal tells of, with what undoing it goes back to.
pub(super) fn versions(rows: &[JournalRow]) -> Result<Vec<BriefVersion>, ChatError> {
    let mut versions: Vec<BriefVersion> = Vec::new();
    let mut turn = 0;
    for row in rows {
        // Rows that answer no step hold no input.
        let Ok(input) = serde_json::from_str::<Input>(&row.body) else { continue };
        match input {
            Input::Marketer { .. } => turn += 1,
            Input::BriefEdited { brief, restores, at, .. } => {
                let parent = match restores {
                    // Undoing an undo goes back further, not forward.
                    Some(restored) => versions.iter().find(|v| v.version == restored).map_or(0, |v| v.parent),
                    None => brief.version.saturating_sub(1),
                };
                versions.push(version(*brief, parent, turn, BY_MARKETER, at)?);
            }
            Input::Tools { answers, at } => {
                for answer in answers {
                    if let Some(Disposition::Briefed { brief }) = answer.disposition {
                        let parent = brief.version.saturating_sub(1);
                        versions.push(version(*brief, parent, turn, BY_MODEL, at)?);
                    }
                }
            }
            Input::Model { .. }
            | Input::ModelFailed { .. }
            | Input::Approval { .. }
            | Input::SwitchedModel { .. }
            | Input::NoMoreModels { .. }
            | Input::Delivery { .. }
            | Input::Released { .. }
            | Input::Stopped { .. }
            | Input::Fatal { .. }
            | Input::Cancelled { .. } => {}
        }
    }
    Ok(versions)
}

fn version(brief: Brief, parent: u32, turn: u32, by: &str, at: Timestamp) -> Result<BriefVersion, ChatError> {
    let digest = brief.digest().map_err(ChatError::form)?;
    Ok(BriefVersion { version: brief.version, parent, turn, made_by: by.to_owned(), digest, brief, at })
}
