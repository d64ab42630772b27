//! People decide: the one place where approvals are approved, rejected and edited, for every door (command line, web, chat).

use agent::ApprovalDecision;
use approval::{Decision, DecisionError};
use jiff::SignedDuration;
use kit::message::{Block, DraftRecord, Rendered};
use kit::tool::{NoSend, Subject};
use kit::{ApprovalId, Digest, Principal, RunId, StoreError, Timestamp};

use crate::delivery::Delivery;

use crate::failpoint;
use crate::runs::{Seed, Signal};
use crate::store::{Approval, NewApproval};
use crate::tenant::Tenant;
use crate::toolbox;

/// What a person changes in a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// A new first subject; the others stay.
    pub subject: Option<String>,
    /// A new preheader.
    pub preheader: Option<String>,
    /// New blocks, all of them.
    pub blocks: Option<Vec<Block>>,
}

/// Why a decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// No such approval.
    #[error("there is no approval {0}; see `mailwright approvals list`")]
    Unknown(ApprovalId),
    /// The rules of deciding.
    #[error(transparent)]
    Rule(#[from] DecisionError),
    /// The edited message breaks a content rule.
    #[error("the edited message breaks {} rule(s), nothing was changed:\n{}", .0.len(), .0.join("\n"))]
    Findings(Vec<String>),
    /// The edited message cites something else than facts of its run.
    #[error("{0}; nothing was changed")]
    Facts(String),
    /// The edit changes nothing.
    #[error("the edit changes nothing")]
    Same,
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Delivery {
    /// What is asked of a person about a draft: the terms they sign, why they must look, and until when.
    ///
    /// `asked_by` names what asks within the run: asking again after a crash makes the same request, another call or edit
    /// makes another one, so that the same thing may be asked again once it was decided.
    pub(crate) async fn approval_request(
        &self,
        run: &RunId,
        subject: &Subject,
        draft: &DraftRecord,
        summary: &str,
        asked_by: &str,
        now: Timestamp,
    ) -> Result<Result<NewApproval, NoSend>, StoreError> {
        let terms = match self.envelope(subject, draft).await? {
            Ok(terms) => terms,
            Err(no_send) => return Ok(Err(no_send)),
        };
        let risk = self.assess(subject, &draft.draft, &draft.facts, &draft.report).await?;
        let hours = i64::from(self.release.risk.expires_hours);
        let lapses = now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(terms.not_after);
        let name = Digest::of_parts([run.as_str(), &terms.digest().to_string(), asked_by]);
        Ok(Ok(NewApproval {
            id: ApprovalId::from_digest("apr", &name),
            run: run.clone(),
            // An approval never outlives the window of what it approves.
            expires_at: lapses.min(terms.not_after),
            terms,
            draft: draft.clone(),
            summary: summary.to_owned(),
            reasons: risk.reasons,
        }))
    }
}

impl Tenant {
    /// Approves exactly what was viewed.
    ///
    /// # Errors
    /// [`DecideError`]; nothing has changed then.
    pub async fn approve(&self, id: &ApprovalId, who: &Principal) -> Result<Approval, DecideError> {
        self.conclude(id, who, &Decision::Approve, None, ApprovalDecision::Approved).await
    }

    /// Rejects with a reason. With `revise` the reason goes back to the writer, without it the run ends.
    ///
    /// # Errors
    /// [`DecideError`]; nothing has changed then.
    pub async fn reject(
        &self,
        id: &ApprovalId,
        who: &Principal,
        reason: &str,
        revise: bool,
    ) -> Result<Approval, DecideError> {
        let decision = Decision::Reject { reason: reason.to_owned() };
        let signal = ApprovalDecision::Rejected { reason: reason.to_owned(), revise };
        self.conclude(id, who, &decision, Some(reason.to_owned()), signal).await
    }

    async fn conclude(
        &self,
        id: &ApprovalId,
        who: &Principal,
        decision: &Decision,
        reason: Option<String>,
        signal: ApprovalDecision,
    ) -> Result<Approval, DecideError> {
        let viewed = self.store.approval(id).await?.ok_or_else(|| DecideError::Unknown(id.clone()))?;
        let now = self.clock.now();
        let decided = approval::decide(&viewed.record, who, now, decision)?;
        let signal = Signal::Approval { approval: id.clone(), decision: signal }.to_json()?;
        self.store.decide(&viewed, decided, reason, None, signal, now).await?;
        failpoint::hit("after_decide");
        Ok(viewed)
    }

    /// Edits the message. The editor becomes an author, every rule runs again, and a new approval takes the old one's place.
    ///
    /// # Errors
    /// [`DecideError`]; nothing has changed then.
    pub async fn edit(&self, id: &ApprovalId, who: &Principal, edit: Edit) -> Result<ApprovalId, DecideError> {
        let viewed = self.store.approval(id).await?.ok_or_else(|| DecideError::Unknown(id.clone()))?;
        let now = self.clock.now();
        let decided = approval::decide(&viewed.record, who, now, &Decision::Edit)?;
        let seed = self.seed_of(&viewed).await?;
        let draft = self.edited(&viewed, &seed, who, edit).await?;
        let (run, asked_by) = (&viewed.run, format!("edit of {id}"));
        let request =
            self.delivery.approval_request(run, &seed.subject, &draft, &viewed.summary, &asked_by, now).await?;
        let new = request.map_err(|no_send| DecideError::Facts(no_send.reason))?;
        let (successor, expires_at) = (new.id.clone(), new.expires_at);
        let edited = ApprovalDecision::Edited { approval: successor.clone(), expires_at, draft: Box::new(draft) };
        let signal = Signal::Approval { approval: id.clone(), decision: edited }.to_json()?;
        self.store.decide(&viewed, decided, None, Some(new), signal, now).await?;
        failpoint::hit("after_decide");
        Ok(successor)
    }

    async fn edited(
        &self,
        viewed: &Approval,
        seed: &Seed,
        who: &Principal,
        edit: Edit,
    ) -> Result<DraftRecord, DecideError> {
        let mut draft = viewed.draft.draft.clone();
        if let Some(subject) = edit.subject {
            draft.subjects.retain(|s| *s != subject);
            draft.subjects.insert(0, subject);
            draft.subjects.truncate(5);
        }
        if let Some(preheader) = edit.preheader {
            draft.preheader = preheader;
        }
        if let Some(blocks) = edit.blocks {
            draft.blocks = blocks;
        }
        if draft == viewed.draft.draft {
            return Err(DecideError::Same);
        }
        let facts = viewed.draft.facts.clone();
        if let Some(unknown) = draft.cited().into_iter().find(|id| facts.get(id).is_none()) {
            return Err(DecideError::Facts(format!("{unknown} is no fact of this message")));
        }
        let tags = toolbox::tags(&self.catalog, &facts);
        let report = toolbox::check(&self.release, &draft, &facts, &seed.subject.flow, &tags, self.clock.now())?;
        if report.blocks() {
            return Err(DecideError::Findings(report.findings.iter().map(|f| format!("- {f}")).collect()));
        }
        let mut authors = viewed.draft.authors.clone();
        authors.insert(who.name());
        Ok(DraftRecord { draft, facts, report, authors })
    }

    /// The message of an approval exactly as it would leave now, or in words why it could not.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn preview(&self, viewed: &Approval) -> Result<Result<Rendered, String>, StoreError> {
        let seed = self.seed_of(viewed).await?;
        self.delivery.preview(&seed.subject, &viewed.draft).await
    }

    async fn seed_of(&self, viewed: &Approval) -> Result<Seed, StoreError> {
        let corrupt = |why: String| StoreError::Corrupt { what: format!("run {}", viewed.run), why };
        let run = self.store.run(&viewed.run).await?.ok_or_else(|| corrupt("it is gone".to_owned()))?;
        serde_json::from_str(&run.plan).map_err(|e| corrupt(e.to_string()))
    }
}
