//! Rules that people's decisions suggest: read from the approvals, confirmed by a marketer, put in force as a release.
//!
//! Nothing here acts by itself. A rejection that quotes words of the message, and the same words taken out of several messages,
//! make a proposal (`brand::proposals`); accepting one appends a phrase rule to the rule file and puts the whole in force.

use std::collections::BTreeMap;

use brand::proposals::{Decided, Proposal, Verdict, proposals};
use kit::message::{ApprovalState, Severity};
use kit::{Digest, FlowId, Principal, RunId, StoreError, Timestamp};

use crate::store::Approval;
use crate::tenant::{Tenant, TenantError};

/// Decided approvals looked at, at most.
const APPROVALS: u32 = 10_000;
/// The rule file within a release.
const RULES: &str = "knowledge/brand/rules.toml";

/// Why a proposal was not answered.
#[derive(Debug, thiserror::Error)]
pub enum RuleProposalError {
    /// Nothing of that id is proposed now.
    #[error("no rule `{0}` is proposed; see `mailwright brand proposals list`")]
    Unknown(String),
    /// There is nothing to add a rule to.
    #[error("the release in force has no {RULES}; put one in force with `mailwright release apply`")]
    NoRules,
    /// The rule file with the new rule in it, or what else is checked before a release is in force.
    #[error(transparent)]
    Release(#[from] TenantError),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RuleProposalError {
    /// True when the same may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unknown(_) | Self::NoRules => false,
            Self::Release(TenantError::Store(error)) | Self::Store(error) => error.is_retryable(),
            Self::Release(_) => false,
        }
    }
}

impl Tenant {
    /// Rules that decisions of people suggest and nobody has answered yet, the most supported first.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn rule_proposals(&self) -> Result<Vec<Proposal>, RuleProposalError> {
        let (mut decisions, mut about) = (Vec::new(), BTreeMap::new());
        for approval in self.store.approvals(ApprovalState::Rejected, APPROVALS).await? {
            let Some(reason) = approval.reason else { continue };
            about.insert(approval.record.id.to_string(), approval.run);
            let verdict = Verdict::Rejected { reason };
            decisions.push(Decided { approval: approval.record.id.to_string(), draft: approval.draft.draft, verdict });
        }
        let mut runs: BTreeMap<RunId, Vec<Approval>> = BTreeMap::new();
        for before in self.store.approvals(ApprovalState::Superseded, APPROVALS).await? {
            if !runs.contains_key(&before.run) {
                runs.insert(before.run.clone(), self.store.approvals_of(&before.run).await?);
            }
            let of_run = runs.get(&before.run).map(Vec::as_slice).unwrap_or_default();
            if let Some(after) = of_run.iter().find(|after| is_edit(&before, after)) {
                let verdict = Verdict::Edited { after: Box::new(after.draft.draft.clone()) };
                let draft = before.draft.draft;
                decisions.push(Decided { approval: before.record.id.to_string(), draft, verdict });
            }
        }
        // Phrase rules are the same in every flow.
        let flow =
            FlowId::new("brand").map_err(|e| StoreError::Corrupt { what: "flow".to_owned(), why: e.to_string() })?;
        let declined = self.store.declined_rules().await?;
        let mut proposed = proposals(&decisions, &self.release.rules, &flow, self.clock.now());
        proposed.retain(|proposal| !declined.contains(&proposal.id));
        let mut nameless = Vec::with_capacity(proposed.len());
        for proposal in proposed {
            nameless.extend(self.nameless(proposal, &about).await?);
        }
        Ok(nameless)
    }

    /// The proposal as a marketer may read it: reasons without the people they were about, and nothing whose very words name one
    /// of them, since those would stand in the rule file.
    async fn nameless(
        &self,
        mut proposal: Proposal,
        about: &BTreeMap<String, RunId>,
    ) -> Result<Option<Proposal>, StoreError> {
        for (approval, reason) in &mut proposal.rejected {
            let Some(run) = about.get(approval) else { continue };
            if self.without_the_person(run, &proposal.phrase).await? != proposal.phrase {
                return Ok(None);
            }
            *reason = self.without_the_person(run, reason).await?;
        }
        Ok(Some(proposal))
    }

    /// One of them.
    ///
    /// # Errors
    /// [`RuleProposalError::Unknown`], or storage.
    pub async fn rule_proposal(&self, id: &str) -> Result<Proposal, RuleProposalError> {
        let proposed = self.rule_proposals().await?;
        proposed.into_iter().find(|p| p.id == id).ok_or_else(|| RuleProposalError::Unknown(id.to_owned()))
    }

    /// Writes a proposed rule into the rule file and puts the whole in force as a release, in somebody's name.
    ///
    /// # Errors
    /// [`RuleProposalError`]; what is in force stays then.
    pub async fn accept_rule(
        &self,
        id: &str,
        severity: Severity,
        who: &Principal,
        now: Timestamp,
    ) -> Result<Digest, RuleProposalError> {
        let proposal = self.rule_proposal(id).await?;
        let (_, mut files) = self.store.active_release().await?.ok_or(RuleProposalError::NoRules)?;
        let rules = files.get_mut(RULES).ok_or(RuleProposalError::NoRules)?;
        rules.push_str(&proposal.to_toml(severity));
        let (_, release) = Self::put_in_force(self.store.store(), files, who, now).await?;
        self.store.note_accepted_rule(proposal.id, who, release, now).await?;
        Ok(release)
    }

    /// Notes that a proposed rule is not wanted: it is not proposed again.
    ///
    /// # Errors
    /// [`RuleProposalError`].
    pub async fn decline_rule(
        &self,
        id: &str,
        who: &Principal,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), RuleProposalError> {
        let proposal = self.rule_proposal(id).await?;
        Ok(self.store.decline_rule(proposal.id, who, reason.to_owned(), now).await?)
    }
}

/// The approval that an edit put in the place of another one: opened as that one was closed, with somebody more among its authors.
fn is_edit(before: &Approval, after: &Approval) -> bool {
    let (before_authors, authors) = (&before.draft.authors, &after.draft.authors);
    Some(after.created_at) == before.decided_at && authors.is_superset(before_authors) && authors != before_authors
}
