//! What a marketer does in a story: they talk, edit, have messages written, and the campaign leaves.

use kit::campaign::{Brief, CampaignId, Field};
use kit::message::ApprovalState;
use kit::{ApprovalId, BriefId, Principal, Role, StoreError};
use oracle::world::Approval as Told;

use super::people::{Yes, user};
use super::{PlayError, Player};
use crate::approvals::{Asked, DecideError};
use crate::briefs::{Chat, ChatError, View};
use crate::campaigns::CampaignError;
use crate::eval::suite::{Ending, Step};
use crate::runs::DriveError;
use crate::store::{CampaignApproval, CampaignState, RecipientState};

/// Different times at which a campaign leaves, for readers of different zones; beyond that something goes round.
const MAX_DEPARTURES: usize = 50;
/// Recipients read at once: more than a case has people.
const PAGE: u32 = 1_000;

/// A brief under way, and the campaign it became.
pub(super) struct Briefing {
    chat: Chat,
    id: BriefId,
    /// The brief as the last turn or edit found it.
    before: Brief,
    /// The conversation after it.
    pub(super) view: View,
    campaign: Option<CampaignId>,
    approval: Option<ApprovalId>,
    /// Why writing was refused, by code and in words.
    refused: Option<(&'static str, String)>,
}

/// Mia, who briefs.
fn mia() -> Principal {
    user("mia", Role::Marketer)
}

/// What the marketer is told when the conversation cannot go on; what is nobody's fault but the harness's is an error.
fn told(error: ChatError) -> Result<String, PlayError> {
    match error {
        ChatError::Store(error) => Err(error.into()),
        ChatError::Drive(error) => Err(error.into()),
        refused => Ok(refused.to_string()),
    }
}

fn refused(error: CampaignError) -> Result<(&'static str, String), PlayError> {
    match error {
        CampaignError::Store(error) => Err(error.into()),
        CampaignError::Drive(DriveError::Store(error)) => Err(error.into()),
        CampaignError::Drive(error) => Err(error.into()),
        CampaignError::NotReady(why) => Ok(("not_ready", why.join("; "))),
        CampaignError::Nobody => Ok(("nobody", CampaignError::Nobody.to_string())),
        error @ CampaignError::NotWritten { .. } => Ok(("not_written", error.to_string())),
        error @ (CampaignError::NoBrief(_)
        | CampaignError::Unknown(_)
        | CampaignError::State(..)
        | CampaignError::OtherRelease
        | CampaignError::NothingComposed(_)
        | CampaignError::Recallable { .. }
        | CampaignError::NoClass { .. }
        | CampaignError::Edit(_)
        | CampaignError::Preview(_)
        | CampaignError::Id(_)
        | CampaignError::Tools(_)
        | CampaignError::Outside(_)) => Ok(("refused", error.to_string())),
    }
}

impl Player<'_> {
    /// A step of a marketer.
    pub(super) async fn brief_step(&mut self, step: &Step) -> Result<(), PlayError> {
        if let Step::Chat(words) = step {
            return self.chat(words).await;
        }
        let Some(briefing) = &self.briefing else {
            self.stumbles.push("there is no brief yet".to_owned());
            return Ok(());
        };
        let (chat, id) = (&briefing.chat, &briefing.id);
        let edited = match step {
            Step::Undo => chat.undo(id).await,
            Step::Flip(number) => chat.flip(id, *number).await,
            Step::TakeBack(number) => chat.take_back(id, *number).await,
            Step::Choose(number) => chat.choose(id, *number).await,
            Step::Changed(fields) => {
                let wrong = changed(briefing, fields);
                self.stumbles.extend(wrong);
                return Ok(());
            }
            Step::Write => return self.write().await,
            Step::ApproveOneself => return self.approve_oneself().await,
            _ => return Ok(()),
        };
        self.seen(edited)
    }

    async fn chat(&mut self, words: &str) -> Result<(), PlayError> {
        if self.briefing.is_none() {
            let chat = Chat::new(self.stage.tenant.clone(), self.log.clone());
            let id = self.brief.clone();
            match chat.start_as(id.clone(), &mia()).await {
                Ok(view) => {
                    let before = view.brief.clone();
                    let (campaign, approval, refused) = (None, None, None);
                    self.briefing = Some(Briefing { chat, id, before, view, campaign, approval, refused });
                }
                Err(error) => {
                    let why = told(error)?;
                    self.stumbles.push(why);
                    return Ok(());
                }
            }
        }
        let Some(Briefing { chat, id, .. }) = &self.briefing else { return Ok(()) };
        let said = chat.say(id, words).await;
        self.seen(said)
    }

    /// Keeps what a turn or edit came to.
    fn seen(&mut self, view: Result<View, ChatError>) -> Result<(), PlayError> {
        let Some(briefing) = &mut self.briefing else { return Ok(()) };
        match view {
            Ok(view) => {
                if let agent::TurnEnd::Failed { reason } = &view.ended {
                    self.stumbles.push(format!("the turn failed: {}", reason.text));
                }
                let before = std::mem::replace(&mut briefing.view, view);
                briefing.before = before.brief;
            }
            Err(error) => self.stumbles.push(told(error)?),
        }
        Ok(())
    }

    /// The audience is frozen, each class is written, and the approval is asked for.
    async fn write(&mut self) -> Result<(), PlayError> {
        let Some(briefing) = &mut self.briefing else { return Ok(()) };
        let ready = match briefing.chat.ready(&briefing.id).await {
            Ok(ready) => ready,
            Err(ChatError::NotReady(missing)) => {
                briefing.refused = Some(("not_ready", missing.join("; ")));
                return Ok(());
            }
            Err(error) => {
                self.stumbles.push(told(error)?);
                return Ok(());
            }
        };
        let (tenant, log) = (self.stage.tenant.clone(), self.log.clone());
        let asked = async {
            let campaign = tenant.freeze_campaign(briefing.id.as_str(), &ready.brief, &mia()).await?;
            tenant.write_campaign(&campaign, &mia(), log).await?;
            let approval = tenant.ask_for_campaign(&campaign, &mia()).await?;
            Ok((campaign, approval))
        };
        match asked.await {
            Ok((campaign, approval)) => {
                (briefing.campaign, briefing.approval) = (Some(campaign), Some(approval));
                self.asked.get_or_insert_with(Vec::new).push("campaign".to_owned());
            }
            Err(error) => briefing.refused = Some(refused(error)?),
        }
        Ok(())
    }

    /// Nora, who shaped nothing, approves the campaign that waits, and it goes on its schedule; `false` when none waits.
    pub(super) async fn approve_campaign(&mut self) -> Result<bool, PlayError> {
        let Some((campaign, approval)) = self.asked_for() else { return Ok(false) };
        match self.sign(&approval, "nora").await? {
            Yes::Given { asked: Asked::Campaign(decided), by } => self.note_yes(&decided, by).await?,
            Yes::Given { asked: Asked::Message(_), .. } => {}
            Yes::Missing(why) | Yes::Refused(why) => {
                self.stumbles.push(format!("approving it: {why}"));
                return Ok(true);
            }
        }
        let tenant = self.stage.tenant.clone();
        if let Err(error) = tenant.schedule_campaign(&campaign, &mia()).await {
            let (_, why) = refused(error)?;
            self.stumbles.push(format!("scheduling it: {why}"));
        }
        Ok(true)
    }

    /// The marketer has the right to approve, and tries it with what they shaped themselves.
    async fn approve_oneself(&mut self) -> Result<(), PlayError> {
        let Some((campaign, approval)) = self.asked_for() else {
            self.stumbles.push("there is nothing to approve".to_owned());
            return Ok(());
        };
        let Yes::Given { asked: Asked::Campaign(decided), by } = self.sign(&approval, "mia").await? else {
            return Ok(());
        };
        self.note_yes(&decided, by).await?;
        // What follows an approval follows this one, so that what leaves is judged.
        let scheduled = self.stage.tenant.schedule_campaign(&campaign, &mia()).await;
        scheduled.map(|_| ()).or_else(|error| refused(error).map(|_| ()))
    }

    /// Somebody turns the campaign down; `false` when none waits.
    pub(super) async fn reject_campaign(&mut self, reason: &str) -> Result<bool, PlayError> {
        let Some((_, approval)) = self.asked_for() else { return Ok(false) };
        let tenant = self.stage.tenant.clone();
        match tenant.reject(&approval, &user("nora", Role::Approver), reason, false, None).await {
            Ok(_) => {}
            Err(DecideError::Store(error)) => return Err(error.into()),
            Err(error) => self.stumbles.push(format!("turning it down: {error}")),
        }
        Ok(true)
    }

    fn asked_for(&self) -> Option<(CampaignId, ApprovalId)> {
        let briefing = self.briefing.as_ref()?;
        Some((briefing.campaign.clone()?, briefing.approval.clone()?))
    }

    /// Tells the oracle of a yes: it counts for everybody of the case, with the subjects that were shown.
    async fn note_yes(&mut self, decided: &CampaignApproval, by: &str) -> Result<(), PlayError> {
        let tenant = self.stage.tenant.clone();
        let view = match tenant.view_campaign(decided).await {
            Ok(view) => view,
            Err(error) => {
                let (_, why) = refused(error)?;
                self.stumbles.push(format!("looking at it: {why}"));
                return Ok(());
            }
        };
        let subjects: Vec<String> = view.classes.iter().flat_map(|class| class.chosen.clone()).collect();
        let record = &decided.record;
        let told = self.people.iter().map(|person| Told {
            person: person.id.to_string(),
            at: self.now(),
            until: record.expires_at,
            by: by.to_owned(),
            authors: record.authors.iter().map(|name| name.trim_start_matches("user:").to_owned()).collect(),
            subjects: subjects.clone(),
        });
        let told: Vec<Told> = told.collect();
        self.world.approvals.extend(told);
        Ok(())
    }

    /// Sends what is due of the campaign; the clock goes on to each reader's hour first.
    pub(super) async fn campaign_due(&mut self, moves_clock: bool) -> Result<(), PlayError> {
        let Some(id) = self.briefing.as_ref().and_then(|briefing| briefing.campaign.clone()) else { return Ok(()) };
        let tenant = self.stage.tenant.clone();
        for _ in 0..MAX_DEPARTURES {
            let state = tenant.store.campaign(&id).await?.map(|campaign| campaign.state);
            let (Some(CampaignState::Scheduled), Some(next)) = (state, tenant.store.next_recipient(&id).await?) else {
                break;
            };
            if moves_clock {
                self.stage.clock.set(next.max(self.now()));
            } else if next > self.now() {
                break;
            }
            self.stage.before_sending(&id).await;
            match tenant.run_campaign(&id, &|_| {}).await {
                Ok(_) => {}
                Err(CampaignError::Store(StoreError::Unavailable(_))) => break,
                Err(error) => {
                    let (_, why) = refused(error)?;
                    self.stumbles.push(format!("sending it: {why}"));
                    break;
                }
            }
        }
        Ok(())
    }

    async fn turned_down(&self) -> Result<bool, PlayError> {
        let Some((_, approval)) = self.asked_for() else { return Ok(false) };
        let found = self.stage.tenant.store.campaign_approval(&approval).await?;
        Ok(found.is_some_and(|found| found.record.state == ApprovalState::Rejected))
    }

    /// How the campaign stands at the end of the story.
    pub(super) async fn campaign_ending(&self) -> Result<Option<(Ending, Option<String>, String)>, PlayError> {
        let Some(briefing) = &self.briefing else { return Ok(None) };
        let Some(id) = &briefing.campaign else {
            let why = briefing.refused.clone();
            let told = why.as_ref().map_or("it is with its marketer", |(_, told)| told).to_owned();
            return Ok(Some((Ending::Briefed, why.map(|(code, _)| code.to_owned()), told)));
        };
        let store = &self.stage.tenant.store;
        let Some(campaign) = store.campaign(id).await? else { return Ok(None) };
        let recipients = store.recipients(id, 0, PAGE).await?;
        let of = |state: RecipientState| recipients.iter().filter(move |r| r.state == state);
        let detail = |state| of(state).find_map(|r| r.detail.clone());
        Ok(Some(match campaign.state {
            CampaignState::Frozen | CampaignState::Written => {
                (Ending::Briefed, Some("not_written".to_owned()), "its messages are not written".to_owned())
            }
            CampaignState::Asked if self.turned_down().await? => {
                (Ending::Dropped, Some("rejected".to_owned()), "a person turned the campaign down".to_owned())
            }
            CampaignState::Asked => (Ending::Waiting, None, "a person is asked about the campaign".to_owned()),
            CampaignState::Cancelled => (Ending::Dropped, None, campaign.why.unwrap_or_default()),
            CampaignState::Scheduled | CampaignState::Done if of(RecipientState::Sent).next().is_some() => {
                (Ending::Sent, None, "the campaign left".to_owned())
            }
            CampaignState::Scheduled => {
                let why = detail(RecipientState::Pending);
                (Ending::Delayed, why, "it is on its schedule".to_owned())
            }
            CampaignState::Done if of(RecipientState::Held).next().is_some() => {
                let told = detail(RecipientState::Held).unwrap_or_default();
                (Ending::Held, Some("outside".to_owned()), told)
            }
            CampaignState::Done => {
                let why = detail(RecipientState::Removed);
                (Ending::Dropped, why, "nobody was left to write to".to_owned())
            }
        }))
    }
}

/// What is wrong with what the last turn changed, in words. Assumptions follow from the rest, and are no change of their own.
fn changed(briefing: &Briefing, expected: &[Field]) -> Option<String> {
    let words = |fields: &[Field]| match fields {
        [] => "nothing".to_owned(),
        fields => fields.iter().map(|field| field.label()).collect::<Vec<_>>().join(", "),
    };
    let changes = briefing.view.brief.diff(&briefing.before);
    let mut found: Vec<Field> = changes.iter().map(kit::campaign::Change::field).collect();
    found.retain(|field| !field.is_computed() && *field != Field::Assumptions);
    let mut wanted = expected.to_vec();
    wanted.sort();
    found.sort();
    (found != wanted).then(|| format!("the last turn changed {}, expected was {}", words(&found), words(&wanted)))
}
