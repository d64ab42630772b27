//! Editing a message: other words make another author and another request.

use agent::ApprovalDecision;
use approval::Decision;
use kit::message::{Block, DraftRecord, Rendered};
use kit::{ApprovalId, Principal, StoreError};

use super::DecideError;
use super::look::Asked;
use crate::failpoint;
use crate::runs::{Seed, Signal};
use crate::store::Approval;
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

impl Tenant {
    /// Edits the message. The editor becomes an author, every rule runs again, and a new approval takes the old one's place.
    ///
    /// # Errors
    /// [`DecideError`]; nothing has changed then.
    pub async fn edit(&self, id: &ApprovalId, who: &Principal, edit: Edit) -> Result<ApprovalId, DecideError> {
        let asked = self.look(id).await?.asked;
        let now = self.clock.now();
        if let Some(replaced) = self.replacement(&asked).await? {
            return Err(replaced);
        }
        let Asked::Message(viewed) = asked else { return Err(DecideError::Campaign(id.clone())) };
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
