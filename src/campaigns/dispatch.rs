//! Sending: everybody at their own time, in chunks, each through the ledger.
//!
//! The recipient's row says who is still to be written to; the ledger's row is what makes a second message impossible.
//! Killed anywhere, the next run asks the ledger about everybody who still waits and goes on. Gates only take people out.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kit::campaign::{AudienceTree, CampaignId, CampaignTerms, Place, merkle};
use kit::message::{ApprovalState, Checked, Cleared, Hold, Release, ReserveOutcome, SendState};
use kit::tool::Subject;
use kit::{ApprovalId, Principal, StoreError};
use tokio::task::JoinSet;

use super::freeze::holder;
use super::{CampaignError, Composer, flow_of, run_of};
use crate::failpoint;
use crate::store::{CampaignApproval, CampaignState, Recipient, RecipientNews, RecipientState};
use crate::tenant::Tenant;
use ::offers::Held;

/// Recipients reserved together.
const CHUNK: u32 = 100;
/// Of a chunk, how many are under way at once: enough for group commits, few enough for memory.
const AT_ONCE: usize = 16;
/// Recipients read at once for the tree.
const PAGE: u32 = 2_000;
/// Why somebody is taken out whose offer the month's budgets cannot carry.
const OVER_BUDGET: &str = "offer_budget";
/// Why somebody is taken out who has had as many offers meanwhile as the ladder allows.
const TOO_MANY: &str = "offer_limit";
/// When a hold without an end of its own is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// How far a campaign is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// Messages that left in this run.
    pub sent: u32,
    /// People taken out by a gate in this run.
    pub removed: u32,
    /// Messages that did not lie inside what was approved.
    pub held: u32,
    /// Refused, or nobody knows.
    pub failed: u32,
    /// Looked at, and waiting for a later time.
    pub waiting: u32,
}

/// What one chunk needs.
struct Line {
    tenant: Arc<Tenant>,
    composer: Composer,
    terms: CampaignTerms,
    tree: AudienceTree,
    approval: CampaignApproval,
}

impl Tenant {
    /// Puts an approved campaign on its schedule.
    ///
    /// # Errors
    /// [`CampaignError`]: it is not approved, or was approved under another release.
    pub async fn schedule_campaign(&self, id: &CampaignId, who: &Principal) -> Result<CampaignApproval, CampaignError> {
        let campaign = self.store.campaign(id).await?.ok_or_else(|| CampaignError::Unknown(id.clone()))?;
        let approval = self.signed(id).await?;
        let Some(approval) = approval else {
            return Err(CampaignError::State(
                campaign.state,
                "nobody has approved it yet; see `mailwright approvals list`",
            ));
        };
        if approval.terms.release != self.release.digest {
            return Err(CampaignError::OtherRelease);
        }
        let now = self.clock.now();
        let from = &[CampaignState::Asked];
        if !self.store.move_campaign(id, from, CampaignState::Scheduled, &who.name(), None, now).await?
            && campaign.state != CampaignState::Scheduled
        {
            return Err(CampaignError::State(campaign.state, "only a campaign that was asked about is scheduled"));
        }
        Ok(approval)
    }

    /// Calls a campaign off: nothing of it leaves any more, whatever is under way.
    ///
    /// # Errors
    /// When it is over already.
    pub async fn cancel_campaign(&self, id: &CampaignId, who: &Principal, why: &str) -> Result<(), CampaignError> {
        let campaign = self.store.campaign(id).await?.ok_or_else(|| CampaignError::Unknown(id.clone()))?;
        let from = &[CampaignState::Frozen, CampaignState::Written, CampaignState::Asked, CampaignState::Scheduled];
        let (to, now) = (CampaignState::Cancelled, self.clock.now());
        if self.store.move_campaign(id, from, to, &who.name(), Some(why.to_owned()), now).await? {
            return Ok(());
        }
        Err(CampaignError::State(campaign.state, "it is over"))
    }

    /// The approval that a person gave and that still counts.
    async fn signed(&self, id: &CampaignId) -> Result<Option<CampaignApproval>, StoreError> {
        let approvals = self.store.campaign_approvals(id).await?;
        Ok(approvals.into_iter().find(|a| a.record.state == ApprovalState::Approved))
    }

    /// Sends what is due of a scheduled campaign. `tell` hears how far it is after each chunk.
    ///
    /// # Errors
    /// When storage or the way out is not available; everybody's row says where to go on.
    pub async fn run_campaign(
        self: &Arc<Self>,
        id: &CampaignId,
        tell: &(dyn Fn(Progress) + Sync),
    ) -> Result<Progress, CampaignError> {
        let campaign = self.store.campaign(id).await?.ok_or_else(|| CampaignError::Unknown(id.clone()))?;
        if campaign.state != CampaignState::Scheduled {
            return Err(CampaignError::State(campaign.state, "it is not scheduled"));
        }
        let Some(approval) = self.signed(id).await? else {
            return Err(CampaignError::State(campaign.state, "its approval does not count any more; ask again"));
        };
        let terms = approval.terms.clone();
        if terms.release != self.release.digest {
            return Err(CampaignError::OtherRelease);
        }
        // The ledger holds every message until then all the same; composing them for that is work for nothing.
        let wait = SignedDuration::from_secs(i64::from(self.release.approvals.recall_seconds));
        let until = approval.decided_at.and_then(|at| at.checked_add(wait).ok());
        if let Some(until) = until.filter(|until| *until > self.clock.now()) {
            return Err(CampaignError::Recallable { until });
        }
        let tree = self.tree(id).await?;
        let composer = Composer::open(self, campaign).await?.within(terms.products.clone());
        let line = Arc::new(Line { tenant: self.clone(), composer, terms, tree, approval });
        let mut progress = Progress::default();
        loop {
            let now = self.clock.now();
            let chunk = self.store.due_recipients(id, now, CHUNK).await?;
            if chunk.is_empty() {
                break;
            }
            let news = line.chunk(chunk, now).await?;
            for one in &news {
                let counter = match one.state {
                    RecipientState::Sent => &mut progress.sent,
                    RecipientState::Removed => &mut progress.removed,
                    RecipientState::Held => &mut progress.held,
                    RecipientState::Unknown | RecipientState::Refused => &mut progress.failed,
                    RecipientState::Pending => &mut progress.waiting,
                };
                *counter += 1;
            }
            failpoint::hit("campaign_before_note");
            self.store.note_recipients(id, news, now).await?;
            tell(progress);
        }
        if self.store.next_recipient(id).await?.is_none() {
            let (from, now) = (&[CampaignState::Scheduled], self.clock.now());
            self.store.move_campaign(id, from, CampaignState::Done, "system", None, now).await?;
        }
        Ok(progress)
    }

    async fn tree(&self, id: &CampaignId) -> Result<AudienceTree, StoreError> {
        let (mut leaves, mut from) = (Vec::new(), 0);
        loop {
            let page = self.store.recipients(id, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(AudienceTree::new(leaves)) };
            from = last.place.saturating_add(1);
            leaves.extend(page.iter().map(|r| merkle::leaf(r.destination, &r.class, r.offer.as_ref())));
        }
    }
}

impl Line {
    /// Sends to one chunk, some at once.
    async fn chunk(
        self: &Arc<Self>,
        chunk: Vec<Recipient>,
        now: Timestamp,
    ) -> Result<Vec<RecipientNews>, CampaignError> {
        let mut waiting = chunk.into_iter();
        let mut running = JoinSet::new();
        let mut news = Vec::new();
        loop {
            while running.len() < AT_ONCE
                && let Some(person) = waiting.next()
            {
                let line = self.clone();
                running.spawn(async move { line.one(person, now).await });
            }
            match running.join_next().await {
                Some(Ok(one)) => news.push(one?),
                Some(Err(stopped)) => {
                    let why = format!("a send stopped: {stopped}");
                    return Err(StoreError::Unavailable(why).into());
                }
                None => return Ok(news),
            }
        }
    }

    async fn one(&self, person: Recipient, now: Timestamp) -> Result<RecipientNews, CampaignError> {
        let outcome = self.send(&person, now).await?;
        let (customer, until) = (person.customer, person.until_at);
        let news = |state, detail: Option<String>, due_at| {
            let subject = outcome.1;
            let nothing_left = match state {
                RecipientState::Refused | RecipientState::Removed | RecipientState::Held => true,
                RecipientState::Pending | RecipientState::Sent | RecipientState::Unknown => false,
            };
            let lets_go = nothing_left.then(|| holder(&self.composer.campaign().id, &customer));
            RecipientNews { customer: customer.clone(), state, detail, subject, due_at, lets_go }
        };
        Ok(match outcome.0 {
            Ok(SendState::Sent { provider_id, .. }) => news(RecipientState::Sent, Some(provider_id), None),
            Ok(SendState::Refused { why }) => news(RecipientState::Refused, Some(why), None),
            Ok(SendState::Unknown { why }) => news(RecipientState::Unknown, Some(why), None),
            // Reserved, and somebody else hands it over at this moment: look again soon.
            Ok(SendState::Reserved) => news(RecipientState::Pending, None, now.checked_add(LOOK_AGAIN).ok()),
            Err(Outcome::Outside(why)) => news(RecipientState::Held, Some(why), None),
            Err(Outcome::NoOffer(why)) => news(RecipientState::Removed, Some(why.to_owned()), None),
            Err(Outcome::Hold(hold)) => {
                let code = hold.code().to_owned();
                let again = match hold.release() {
                    Release::Never => None,
                    Release::At { at } => Some(at),
                    Release::WhenLifted => now.checked_add(LOOK_AGAIN).ok(),
                };
                match again.filter(|at| *at < until) {
                    Some(at) => news(RecipientState::Pending, Some(code), Some(at)),
                    None if outside(&hold) => news(RecipientState::Held, Some(hold.to_string()), None),
                    None => news(RecipientState::Removed, Some(code), None),
                }
            }
        })
    }

    /// One person's message to the end of its path. The second value is the subject they got.
    async fn send(
        &self,
        person: &Recipient,
        now: Timestamp,
    ) -> Result<(Result<SendState, Outcome>, Option<u32>), CampaignError> {
        let delivery = &self.tenant.delivery;
        let campaign = self.composer.campaign();
        let Some((facts, _)) = self.composer.class(&person.class) else {
            return Ok((Err(Outcome::Outside("its class is gone".to_owned())), None));
        };
        let subject = Subject {
            flow: flow_of(&campaign.id)?,
            customer: person.customer.clone(),
            occasion: campaign.id.to_string(),
            step: 1,
            triggered_at: campaign.created_at,
            products: vec![facts.key.lead.clone()],
            cart_url: None,
            stops_on_purchase: false,
            language: facts.key.language.clone(),
            release: self.terms.release,
        };
        // The ledger first: whatever is there of this campaign for this person stands, whatever address it went to.
        if let Some(row) = self.tenant.store.sent_for(&subject, person.channel).await? {
            let settled = match row.state {
                SendState::Reserved => delivery.resume(row.key).await?.map_err(Outcome::Hold),
                state => Ok(state),
            };
            return Ok((settled, None));
        }
        if person.until_at <= now {
            let hold = Hold::WindowClosed { not_after: person.until_at };
            return Ok((Err(Outcome::Hold(hold)), None));
        }
        let composed = match self.composer.compose(person, now).await? {
            Ok(composed) => composed,
            Err(why) => return Ok((Err(Outcome::Outside(why)), None)),
        };
        let arm = u32::try_from(composed.subject).ok();
        let Some((_, copy)) = self.composer.class(&person.class) else {
            return Ok((Err(Outcome::Outside("its class is gone".to_owned())), None));
        };
        let Some(proof) = self.tree.proof(person.place as usize) else {
            return Ok((Err(Outcome::Outside("it was not in the frozen audience".to_owned())), None));
        };
        let to = composed.message.to().digest(self.tenant.store.id());
        let place = Place { class: &person.class, destination: to, offer: person.offer.as_ref(), proof: &proof };
        let covered = match self.terms.covers(&place, copy, &composed.fill, &composed.record, now) {
            Ok(covered) => covered,
            Err(outside) => return Ok((Err(Outcome::Outside(outside.to_string())), None)),
        };
        let approval: &ApprovalId = &self.approval.record.id;
        let cleared = Checked::new(composed.record).map_err(|e| e.to_string()).and_then(|checked| {
            let (customer, record) = (person.customer.clone(), &self.approval.record);
            Cleared::by_campaign(checked, covered, customer, record, now).map_err(|e| format!("{approval}: {e}"))
        });
        let cleared = match cleared {
            Ok(cleared) => cleared,
            Err(why) => return Ok((Err(Outcome::Outside(why)), None)),
        };
        // Before the row: whoever is written to has their offer paid for, and nobody's message leaves beyond the budget.
        if let Some(granted) = &composed.granted {
            match self.tenant.hold_granted(&campaign.id, &person.customer, granted, now).await? {
                Held::Held => {}
                Held::Over { .. } => return Ok((Err(Outcome::NoOffer(OVER_BUDGET)), None)),
                Held::TooMany { .. } => return Ok((Err(Outcome::NoOffer(TOO_MANY)), None)),
                Held::Stands { step, .. } => {
                    return Ok((Err(Outcome::Outside(format!("the campaign holds {step} for them"))), None));
                }
                // Somebody was given this code between the draw and the hold: the next round draws another one.
                Held::CodeTaken => {
                    return Err(StoreError::Unavailable("a voucher code was taken meanwhile".to_owned()).into());
                }
            }
        }
        failpoint::hit("before_reserve");
        let run = run_of(&campaign.id)?;
        let state = match delivery.ledger.reserve(cleared, run, subject, composed.message, now).await? {
            ReserveOutcome::Held(hold) => Err(Outcome::Hold(hold)),
            ReserveOutcome::Already(state) => Ok(state),
            ReserveOutcome::Reserved(reserved) => {
                failpoint::hit("after_reserve");
                Ok(delivery.dispatch(*reserved).await?)
            }
        };
        Ok((state, arm))
    }
}

/// Why a message did not leave now.
enum Outcome {
    /// A gate.
    Hold(Hold),
    /// It does not lie inside what was approved, or cannot be made.
    Outside(String),
    /// A limit stands in the way of its offer: which one.
    NoOffer(&'static str),
}

/// Holds that say something about the message and not about the person.
fn outside(hold: &Hold) -> bool {
    matches!(hold, Hold::FactsChanged { .. } | Hold::RulesChanged | Hold::ApprovalVoid { .. } | Hold::OtherAudience)
}
