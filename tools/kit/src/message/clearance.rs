//! `Draft → Checked → Cleared`: content rules, then policy or a person.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::draft::{Channel, DraftRecord};
use super::finding::Finding;
use super::reserve::DedupeKey;
use crate::campaign::Covered;
use crate::digest::Digest;
use crate::ids::{ApprovalId, CustomerId, FlowId, OfferStepId, ShopId};
use crate::principal::Principal;

/// A draft whose every content rule ran over exactly its present words and values, with no blocking finding.
#[derive(Debug)]
pub struct Checked {
    record: DraftRecord,
}

/// Why a draft is not [`Checked`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotChecked {
    /// The report is about other words or values.
    #[error("the report is about other content than this draft; check it again")]
    OtherContent,
    /// Some rule forbids it.
    #[error("{} finding(s) forbid this draft; the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Blocked(Vec<Finding>),
}

impl Checked {
    /// Compares the report with the draft.
    pub fn new(record: DraftRecord) -> Result<Self, NotChecked> {
        let content = record.draft.content_hash(&record.facts).map_err(|_| NotChecked::OtherContent)?;
        if content != record.report.content {
            return Err(NotChecked::OtherContent);
        }
        if record.report.blocks() {
            let blocking =
                record.report.findings.iter().filter(|f| f.severity == super::Severity::Block).cloned().collect();
            return Err(NotChecked::Blocked(blocking));
        }
        Ok(Self { record })
    }

    /// The draft with its facts and report.
    pub fn record(&self) -> &DraftRecord {
        &self.record
    }
}

/// Everything an approval is bound to. Any change makes another digest and voids the approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The shop.
    pub shop: ShopId,
    /// The flow or campaign.
    pub flow: FlowId,
    /// The channel.
    pub channel: Channel,
    /// Hash of words and cited values.
    pub content: Digest,
    /// Who gets it: for one person the digest of the destination.
    pub audience: Digest,
    /// The offer step it grants.
    pub offer: Option<OfferStepId>,
    /// The last moment it may leave.
    pub not_after: Timestamp,
    /// The rules that checked it.
    pub rules: Digest,
    /// The prompts, policy and model settings it was made with.
    pub release: Digest,
}

impl Envelope {
    /// The digest an approver signs.
    pub fn digest(&self) -> Digest {
        Digest::of_parts([
            self.shop.as_str(),
            self.flow.as_str(),
            self.channel.as_str(),
            &self.content.to_string(),
            &self.audience.to_string(),
            self.offer.as_ref().map_or("", OfferStepId::as_str),
            &self.not_after.to_string(),
            &self.rules.to_string(),
            &self.release.to_string(),
        ])
    }
}

/// One reason why a person must look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskReason {
    /// A short code such as `vip`.
    pub code: String,
    /// The reason in words.
    pub text: String,
}

impl fmt::Display for RiskReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

/// What policy says about a message: evidence, not a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskAssessment {
    /// Why a person must look; empty when policy sees no reason.
    pub reasons: Vec<RiskReason>,
    /// Which policy file spoke.
    pub policy: Digest,
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has decided.
    Pending,
    /// Approved by a person who is no author.
    Approved,
    /// Rejected with a reason.
    Rejected,
    /// Somebody edited the message; a new approval stands in its place.
    Superseded,
    /// Nobody decided in time.
    Expired,
    /// Taken back after it was approved, before anything left with it.
    Recalled,
}

/// An approval as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRecord {
    /// Its id.
    pub id: ApprovalId,
    /// Digest of the [`Envelope`] that was shown.
    pub envelope: Digest,
    /// Where it stands.
    pub state: ApprovalState,
    /// Names of the authors.
    pub authors: BTreeSet<String>,
    /// Who decided.
    pub decided_by: Option<Principal>,
    /// The last moment at which it counts.
    pub expires_at: Timestamp,
    /// The one send that used it.
    pub used_by: Option<DedupeKey>,
    /// Its author gave it, in a shop of one person. Never for regulated goods.
    pub own_work: bool,
}

/// A message that may go out to the audience of its envelope. Made here only.
#[derive(Debug)]
pub struct Cleared {
    record: DraftRecord,
    envelope: Envelope,
    customer: CustomerId,
    approval: Option<ApprovalId>,
    /// The campaign whose terms it lies inside, with their digest.
    campaign: Option<CampaignUse>,
}

/// A message as part of a campaign: which terms an approver signed, and what uses that approval up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignUse {
    /// Digest of the terms.
    pub terms: Digest,
    /// The campaign, as the approval notes who used it.
    pub used_by: DedupeKey,
}

/// Why a checked draft is not [`Cleared`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCleared {
    /// Policy or a finding wants a person.
    #[error("a person must approve: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NeedsApproval(Vec<RiskReason>),
    /// The envelope is about other words or rules.
    #[error("the envelope does not match this draft")]
    OtherEnvelope,
    /// The approval is about something else.
    #[error("the approval {0} is about another content, audience, offer or schedule")]
    OtherApproval(ApprovalId),
    /// Not approved.
    #[error("the approval {0} is {1:?}")]
    NotApproved(ApprovalId, ApprovalState),
    /// Lapsed.
    #[error("the approval {0} expired at {1}")]
    Expired(ApprovalId, Timestamp),
    /// The approver wrote it.
    #[error("{1} is an author and cannot approve {0}")]
    OwnWork(ApprovalId, String),
    /// The approver may not approve.
    #[error("{1} may not approve {0}")]
    NoRole(ApprovalId, String),
    /// Already used.
    #[error("the approval {0} was used already")]
    Used(ApprovalId),
}

impl Cleared {
    /// Clears a message that no rule and no policy wants a person to see.
    pub fn by_policy(
        checked: Checked,
        envelope: Envelope,
        customer: CustomerId,
        risk: &RiskAssessment,
    ) -> Result<Self, NotCleared> {
        let mut reasons = risk.reasons.clone();
        reasons.extend(
            checked.record.report.wants_approval().map(|f| RiskReason { code: f.rule.clone(), text: f.why.clone() }),
        );
        if !reasons.is_empty() {
            return Err(NotCleared::NeedsApproval(reasons));
        }
        Self::sealed(checked, envelope, customer, None)
    }

    /// Clears a message that a person approved.
    pub fn by_approval(
        checked: Checked,
        envelope: Envelope,
        customer: CustomerId,
        record: &ApprovalRecord,
        now: Timestamp,
    ) -> Result<Self, NotCleared> {
        counts(record, envelope.digest(), &checked.record.authors, now)?;
        if record.used_by.is_some() {
            return Err(NotCleared::Used(record.id.clone()));
        }
        Self::sealed(checked, envelope, customer, Some(record.id.clone()))
    }

    /// Clears one message of a campaign whose terms a person approved. `covered` is the proof that it lies inside them.
    pub fn by_campaign(
        checked: Checked,
        covered: Covered,
        customer: CustomerId,
        record: &ApprovalRecord,
        now: Timestamp,
    ) -> Result<Self, NotCleared> {
        counts(record, covered.terms(), &checked.record.authors, now)?;
        let campaign = CampaignUse {
            terms: covered.terms(),
            used_by: DedupeKey::of_campaign(&covered.envelope().shop, covered.campaign()),
        };
        if record.used_by.is_some_and(|by| by != campaign.used_by) {
            return Err(NotCleared::Used(record.id.clone()));
        }
        let cleared = Self::sealed(checked, covered.envelope().clone(), customer, Some(record.id.clone()))?;
        Ok(Self { campaign: Some(campaign), ..cleared })
    }

    fn sealed(
        checked: Checked,
        envelope: Envelope,
        customer: CustomerId,
        approval: Option<ApprovalId>,
    ) -> Result<Self, NotCleared> {
        let Checked { record } = checked;
        let same = envelope.content == record.report.content
            && envelope.rules == record.report.rules_version
            && envelope.channel == record.draft.channel
            && envelope.offer.is_some() == record.draft.offer().is_some();
        if !same {
            return Err(NotCleared::OtherEnvelope);
        }
        Ok(Self { record, envelope, customer, approval, campaign: None })
    }

    /// The draft with its facts.
    pub fn record(&self) -> &DraftRecord {
        &self.record
    }
    /// What was cleared.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }
    /// For whom.
    pub fn customer(&self) -> &CustomerId {
        &self.customer
    }
    /// Its part in a campaign, if it is one's.
    pub fn campaign(&self) -> Option<CampaignUse> {
        self.campaign
    }
    /// The approval that cleared it, if a person did.
    pub fn approval(&self) -> Option<&ApprovalId> {
        self.approval.as_ref()
    }
}

/// True evidence of an approval for exactly these terms, now.
pub(super) fn counts(
    record: &ApprovalRecord,
    terms: Digest,
    authors: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(), NotCleared> {
    let id = || record.id.clone();
    if record.state != ApprovalState::Approved {
        return Err(NotCleared::NotApproved(id(), record.state));
    }
    if record.envelope != terms {
        return Err(NotCleared::OtherApproval(id()));
    }
    if record.expires_at <= now {
        return Err(NotCleared::Expired(id(), record.expires_at));
    }
    match &record.decided_by {
        Some(person) if !person.may_approve() => Err(NotCleared::NoRole(id(), person.name())),
        Some(person)
            if !record.own_work && (authors.contains(&person.name()) || record.authors.contains(&person.name())) =>
        {
            Err(NotCleared::OwnWork(id(), person.name()))
        }
        Some(_) => Ok(()),
        None => Err(NotCleared::NotApproved(id(), record.state)),
    }
}
