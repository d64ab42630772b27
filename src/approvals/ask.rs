//! What is asked of a person, and what it takes to answer under the policy in force.

use approval::{Ask, Route};
use jiff::SignedDuration;
use kit::message::{DraftRecord, RiskReason, Severity};
use kit::tool::{NoSend, Subject};
use kit::{Digest, RunId, StoreError, Timestamp};

use super::look::Asked;
use crate::delivery::Delivery;
use crate::store::{Approval, Campaign, CampaignApproval, NewApproval};
use crate::tenant::Tenant;

/// The code of the reason why a person decides about a campaign: all of them are seen.
const CAMPAIGN: &str = "campaign";

/// The code of the reason that goods are regulated, as risk.toml's policy names it too.
const REGULATED: &str = "regulated";

/// True when regulated goods are among the reasons.
pub(super) fn is_regulated(reasons: &[RiskReason]) -> bool {
    reasons.iter().any(|reason| reason.code == REGULATED)
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
        let risk = self.assess(run, subject, &draft.draft, &draft.facts, &draft.report).await?;
        // An approval never outlives the window of what it approves.
        let last = self.lapses(now).min(terms.not_after);
        let ask = Ask { reasons: &risk.reasons, recipients: 1, offer_cost: None, asked_at: now, last };
        let route = self.release.approvals.route(&ask, now);
        let name = Digest::of_parts([run.as_str(), &terms.digest().to_string(), asked_by]);
        Ok(Ok(NewApproval {
            id: kit::ApprovalId::from_digest("apr", &name),
            run: run.clone(),
            expires_at: route.decide_by,
            terms,
            draft: draft.clone(),
            summary: summary.to_owned(),
            reasons: risk.reasons,
        }))
    }

    /// When a request that begins at this time lapses at the latest, by risk.toml.
    pub(super) fn lapses(&self, asked_at: Timestamp) -> Timestamp {
        let most = SignedDuration::from_hours(i64::from(self.release.risk.expires_hours));
        asked_at.checked_add(most).unwrap_or(Timestamp::MAX)
    }
}

impl Tenant {
    /// What it takes to approve a request, as things stand now.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn route(&self, asked: &Asked, now: Timestamp) -> Result<Route, StoreError> {
        match asked {
            Asked::Message(approval) => Ok(self.route_of(approval, now)),
            Asked::Campaign(approval) => {
                let campaign = self.store.campaign(&approval.campaign).await?;
                self.route_of_campaign(approval, campaign.as_ref(), now).await
            }
        }
    }

    /// The way of a message's request.
    pub fn route_of(&self, approval: &Approval, now: Timestamp) -> Route {
        let (asked_at, last) = (approval.created_at, approval.record.expires_at);
        let ask = Ask { reasons: &approval.reasons, recipients: 1, offer_cost: None, asked_at, last };
        self.release.approvals.route(&ask, now)
    }

    /// The way of a campaign's request.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn route_of_campaign(
        &self,
        approval: &CampaignApproval,
        campaign: Option<&Campaign>,
        now: Timestamp,
    ) -> Result<Route, StoreError> {
        let reasons = self.campaign_reasons(approval).await?;
        let offer_cost = campaign.and_then(|c| c.brief.offer.cost.as_ref()).map(|cost| cost.maximum);
        let asked_at = approval.created_at;
        let last = self.delivery.lapses(asked_at).min(approval.terms.not_after);
        let recipients = approval.terms.recipients;
        Ok(self.release.approvals.route(&Ask { reasons: &reasons, recipients, offer_cost, asked_at, last }, now))
    }

    /// Why people must look at a campaign, by the same codes as at a message.
    pub(super) async fn campaign_reasons(&self, approval: &CampaignApproval) -> Result<Vec<RiskReason>, StoreError> {
        let terms = &approval.terms;
        let reason = |code: &str, text: String| RiskReason { code: code.to_owned(), text };
        let mut reasons = vec![reason(CAMPAIGN, "every campaign is seen by a person".to_owned())];
        let regulated = |product| self.catalog.get(product).is_some_and(|product| product.regulated.is_some());
        if terms.products.keys().any(regulated) {
            reasons.push(reason(REGULATED, "it shows goods that a law regulates".to_owned()));
        }
        if let Some(step) = terms.classes.iter().find_map(|class| class.key.offer.as_ref()) {
            reasons.push(reason("offer", format!("it makes the offer {step}")));
        }
        for class in self.store.campaign_classes(&approval.campaign).await? {
            let written = class.copy.iter().flat_map(|copy| copy.mail.iter().chain(&copy.sms));
            let findings = written.flat_map(|record| &record.report.findings);
            reasons
                .extend(findings.filter(|f| f.severity == Severity::Approve).map(|f| reason(&f.rule, f.why.clone())));
        }
        reasons.dedup();
        Ok(reasons)
    }
}
