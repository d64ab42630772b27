//! Approve, reject, recall.

use agent::ApprovalDecision;
use approval::Decision;
use kit::message::{ApprovalRecord, ApprovalState};
use kit::personal::{self, Known};
use kit::tool::NoSend;
use kit::{ApprovalId, Principal, RunId, StoreError, Timestamp};

use super::DecideError;
use super::look::{Asked, Looked, Seen};
use crate::failpoint;
use crate::runs::Signal;
use crate::store::{Customer, Signing, Waits};
use crate::tenant::Tenant;

/// The code of the reason of a run that ends because its approval was taken back.
const RECALLED: &str = "recalled";

/// What somebody says with their yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assent {
    /// What they saw.
    pub seen: Seen,
    /// How many people get it, where the policy wants that typed.
    pub typed_count: Option<u32>,
}

/// What came of a yes.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The request as it was looked at.
    pub asked: Asked,
    /// What is still missing, in words; empty when it is approved.
    pub missing: Vec<String>,
    /// Until when it can be recalled; nothing leaves before. `None` while something is missing.
    pub recallable_until: Option<Timestamp>,
}

impl Tenant {
    /// Signs what is this person's to sign of exactly what they saw. With the last signature it is approved, and a run that
    /// waits for it goes on once the time to recall it is over.
    ///
    /// # Errors
    /// [`DecideError`]; nothing has changed then.
    pub async fn approve(&self, id: &ApprovalId, who: &Principal, assent: &Assent) -> Result<Signed, DecideError> {
        let looked = self.look(id).await?;
        let now = self.clock.now();
        if let Some(replaced) = self.replacement(&looked.asked).await? {
            return Err(replaced);
        }
        let record = looked.asked.record();
        let yes = self.yes_of(&looked, who).await?;
        approval::decide(record, who, now, &yes)?;
        unchanged(id, &looked, Some(&assent.seen))?;
        let (route, given) = (&looked.route, &looked.signatures);
        let (approved, given) = approval::sign(record, route, who, &yes, given, assent.typed_count, now)?;
        let signing = Signing {
            approved,
            version: looked.asked.version(),
            waits: waits(&looked.asked, id, ApprovalDecision::Approved)?,
            route: looked.route,
            given,
            seen: looked.seen.to_string(),
        };
        let missing = self.store.sign(signing, now).await?;
        failpoint::hit("after_decide");
        let wait = jiff::SignedDuration::from_secs(i64::from(self.release.approvals.recall_seconds));
        let recallable_until = if missing.is_empty() { now.checked_add(wait).ok() } else { None };
        Ok(Signed { asked: looked.asked, missing, recallable_until })
    }

    /// A yes, or an author's yes where an admin has allowed that and nothing is regulated.
    async fn yes_of(&self, looked: &Looked, who: &Principal) -> Result<Decision, StoreError> {
        let own = looked.asked.record().authors.contains(&who.name());
        if own && !looked.regulated && self.store.solo().await? {
            return Ok(Decision::ApproveOwn);
        }
        Ok(Decision::Approve)
    }

    /// Rejects with a reason. With `revise` the reason goes back to a message's writer, without it the run ends. `seen` is
    /// compared when it is named.
    ///
    /// # Errors
    /// [`DecideError`]; nothing has changed then.
    pub async fn reject(
        &self,
        id: &ApprovalId,
        who: &Principal,
        reason: &str,
        revise: bool,
        seen: Option<&Seen>,
    ) -> Result<Asked, DecideError> {
        let looked = self.look(id).await?;
        let now = self.clock.now();
        if let Some(replaced) = self.replacement(&looked.asked).await? {
            return Err(replaced);
        }
        let decision = Decision::Reject { reason: reason.to_owned() };
        let decided = approval::decide(looked.asked.record(), who, now, &decision)?;
        unchanged(id, &looked, seen)?;
        match &looked.asked {
            Asked::Message(viewed) => {
                // People read what was typed, the run and its writer do not.
                let told = self.without_the_person(&viewed.run, reason).await?;
                let decision = ApprovalDecision::Rejected { reason: told, revise };
                let signal = Signal::Approval { approval: id.clone(), decision }.to_json()?;
                self.store.decide(viewed, decided, Some(reason.to_owned()), None, signal, now).await?;
            }
            Asked::Campaign(viewed) => {
                self.store.decide_campaign(viewed, decided, Some(reason.to_owned()), now).await?;
            }
        }
        failpoint::hit("after_decide");
        Ok(looked.asked)
    }

    /// Somebody's words about the person of a run, as anything but the approval itself may hold them: tokens in the place of what
    /// is known of that person, and of what has the form of personal data.
    pub(crate) async fn without_the_person(&self, run: &RunId, words: &str) -> Result<String, StoreError> {
        let person = match self.store.run(run).await? {
            Some(run) => self.store.customer(&run.customer).await?,
            None => None,
        };
        let known = person.as_ref().map_or_else(Known::nobody, Customer::known);
        Ok(personal::mask(words, &known).into_owned())
    }

    /// Takes an approval back before anything left with it: the run ends without a message, a campaign goes back to where it
    /// can be asked about again. Whoever may edit may stop.
    ///
    /// # Errors
    /// [`DecideError`]; nothing has changed then.
    pub async fn recall(&self, id: &ApprovalId, who: &Principal, reason: &str) -> Result<Asked, DecideError> {
        let asked = self.look(id).await?.asked;
        approval::may_recall(asked.record(), who, reason)?;
        let ApprovalRecord { state, used_by, .. } = asked.record();
        if *state != ApprovalState::Approved {
            return Err(DecideError::NotApproved { id: id.clone(), state: *state });
        }
        let used = || DecideError::Used { id: id.clone(), what_stops: what_stops(&asked) };
        if used_by.is_some() {
            return Err(used());
        }
        let waits = match &asked {
            Asked::Message(viewed) => {
                let words = format!("{who} recalled it: {reason}");
                let signal = Signal::Cancel(NoSend { code: RECALLED.to_owned(), reason: words }).to_json()?;
                Waits::Run { run: viewed.run.clone(), signal }
            }
            Asked::Campaign(viewed) => Waits::Campaign(viewed.campaign.clone()),
        };
        match self.store.recall(id, waits, who, reason, self.clock.now()).await {
            // A message was reserved between the look and the write.
            Err(StoreError::Conflict(_)) => Err(used()),
            other => {
                other?;
                failpoint::hit("after_decide");
                Ok(asked)
            }
        }
    }
}

fn waits(asked: &Asked, id: &ApprovalId, decision: ApprovalDecision) -> Result<Waits, StoreError> {
    Ok(match asked {
        Asked::Message(viewed) => {
            let signal = Signal::Approval { approval: id.clone(), decision }.to_json()?;
            Waits::Run { run: viewed.run.clone(), signal }
        }
        Asked::Campaign(viewed) => Waits::Campaign(viewed.campaign.clone()),
    })
}

/// A decision is about what was seen, or about nothing.
fn unchanged(id: &ApprovalId, looked: &Looked, seen: Option<&Seen>) -> Result<(), DecideError> {
    match seen.map(|seen| looked.since(seen)) {
        Some(what) if !what.is_empty() => Err(DecideError::Changed { id: id.clone(), what }),
        Some(_) | None => Ok(()),
    }
}

fn what_stops(asked: &Asked) -> String {
    match asked {
        Asked::Message(_) => String::new(),
        Asked::Campaign(viewed) => {
            format!("; `mailwright campaigns cancel {}` stops what has not left", viewed.campaign)
        }
    }
}
