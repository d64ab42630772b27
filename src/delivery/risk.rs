//! What policy is told about a message.

use std::collections::BTreeSet;

use approval::{RiskInput, Trust, TrustLevel};
use jiff::SignedDuration;
use kit::message::{CheckReport, Draft, RiskAssessment, RiskReason};
use kit::tool::Subject;
use kit::{FactBook, FactKind, RunId, StoreError};

use super::{Delivery, offer_step};
use crate::flows::RiskClass;

/// The code of the reason, as policy names it too.
const FLOW_REVIEW: &str = "flow_review";

impl Delivery {
    /// Asks policy about a draft for this person: evidence, not a verdict.
    pub(crate) async fn assess(
        &self,
        run: &RunId,
        subject: &Subject,
        draft: &Draft,
        facts: &FactBook,
        report: &CheckReport,
    ) -> Result<RiskAssessment, StoreError> {
        let vip = self.store.customer(&subject.customer).await?.is_some_and(|c| c.vip);
        let said = match self.release.risk.said_days() {
            Some(days) => {
                let since = self.clock.now().checked_sub(SignedDuration::from_hours(24 * i64::from(days)));
                let said = self.store.said_by(&subject.customer, since.unwrap_or(kit::Timestamp::MIN)).await?;
                said.into_iter().flat_map(|said| said.gist.topics).collect()
            }
            None => BTreeSet::new(),
        };
        let cited = draft.cited();
        let regulated = cited
            .iter()
            .filter_map(|id| facts.get(id))
            .any(|f| f.kind == FactKind::Product && f.fields.contains_key("regulated"));
        let step = offer_step(draft, facts);
        let offer_is_new = match &step {
            Some(step) => !self.store.offer_was_granted(step, subject.release).await?,
            None => false,
        };
        let sends = self.store.sends_of_release(&subject.flow, subject.release).await?;
        let trusted = match self.release.risk.trust(&subject.flow) {
            Trust::Earned => self.trust(&subject.flow, run).await? > TrustLevel::Approve,
            Trust::Review | Trust::First { .. } | Trust::Open => false,
        };
        let mut risk = self.release.risk.assess(&RiskInput {
            flow: &subject.flow,
            vip,
            regulated,
            offer: step.as_ref(),
            offer_is_new,
            offer_marked: step.as_ref().and_then(|s| self.release.ladder.step(s)).is_some_and(|s| s.requires_approval),
            audience_size: 1,
            said: &said,
            confidence: draft.confidence,
            sends_so_far: u32::try_from(sends).unwrap_or(u32::MAX),
            trusted,
            findings: &report.findings,
        });
        // A flow whose own file says so is always seen by a person: policy may add to that, not take it away.
        let high = self.release.flows.get(&subject.flow).is_none_or(|flow| flow.rules.risk == RiskClass::High);
        if high && !risk.reasons.iter().any(|reason| reason.code == FLOW_REVIEW) {
            let text = format!("every message of {} is seen by a person", subject.flow);
            risk.reasons.push(RiskReason { code: FLOW_REVIEW.to_owned(), text });
        }
        Ok(risk)
    }
}
