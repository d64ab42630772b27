//! What goes out when nobody decided in time: nothing, or the flow's control, which a person has approved before.

use std::collections::BTreeSet;

use kit::message::{DraftRecord, NotChecked, RiskReason, Severity};
use kit::tool::Subject;
use kit::{ApprovalId, Digest, FactBook, Principal, StoreError, Timestamp};

use super::Delivery;
use crate::flows::{OnExpiry, RiskClass};
use crate::store::{Approval, NewApproval};
use crate::toolbox;

/// Reasons that say something about the flow or about the words of the message that nobody decided about. A control has other
/// words, and a person has seen them for the whole flow. Any other reason (a VIP, regulated goods, a rule) wants a person for
/// this very reader.
const ABOUT_THE_MESSAGE: [&str; 7] =
    ["flow_review", "new_flow", "not_trusted", "confidence", "brand_score", "offer", "new_offer"];

/// What stands in for a message that nobody decided about.
#[derive(Debug)]
pub enum StandIn {
    /// Nothing: the flow says so.
    Nothing,
    /// Nothing, although the flow has a control.
    Not {
        /// Why, in words.
        why: String,
    },
    /// The control, as an approval of its own for this reader.
    Control(Box<ControlUse>),
}

/// A control for one reader.
#[derive(Debug)]
pub struct ControlUse {
    /// The approval of the control.
    pub control: ApprovalId,
    /// Who gave it.
    pub by: Principal,
    /// What leaves: terms and message of this reader.
    pub new: NewApproval,
}

impl Delivery {
    /// What stands in for a message of a run whose request has just expired. Everything that a gate looks at later is looked
    /// at there again; here it is about what nobody may be sent unseen.
    pub(crate) async fn stand_in(
        &self,
        subject: &Subject,
        expired: &Approval,
        facts: &FactBook,
        now: Timestamp,
    ) -> Result<StandIn, StoreError> {
        let not = |why: String| Ok(StandIn::Not { why });
        let flow = match self.release.flows.get(&subject.flow) {
            Some(flow) if flow.rules.on_expiry == OnExpiry::Control => flow,
            Some(_) | None => return Ok(StandIn::Nothing),
        };
        if flow.rules.risk == RiskClass::High {
            return not(format!("a person sees every message of {}", subject.flow));
        }
        let Some(control) = self.release.controls.get(&subject.flow) else {
            return not(format!("the release has no prompts/controls/{}.toml", subject.flow));
        };
        let name = control.name(&subject.flow, self.release.digest);
        let Some(by) = self.store.control(&name).await?.and_then(|standing| standing.counts_by().cloned()) else {
            return not(format!("nobody has approved {name}, the control of this release"));
        };
        if let Some(reason) = wants_a_person(&expired.reasons) {
            return not(format!("a person must see this reader's message: {reason}"));
        }
        let draft = match control.draft(&subject.language, subject.products.first(), facts) {
            Ok(draft) => draft,
            Err(why) => return not(why),
        };
        let evidence = draft.evidence(facts);
        // No claim of a control is proven by a product's tag.
        let tags = toolbox::Tags::new();
        let report = toolbox::check_proposed(&self.release, &draft, &evidence, facts, &subject.flow, &tags, now)?;
        if let Some(finding) = report.findings.iter().find(|finding| finding.severity != Severity::Warn) {
            return not(format!("a content rule stops it: {finding}"));
        }
        let risk = self.assess(&expired.run, subject, &draft, &evidence, &report).await?;
        if let Some(reason) = wants_a_person(&risk.reasons) {
            return not(format!("a person must see it: {reason}"));
        }
        let authors = BTreeSet::from([format!("release:{}", self.release.digest.short())]);
        let draft = DraftRecord { draft, facts: evidence, report, authors };
        if let Err(why @ (NotChecked::OtherContent | NotChecked::Blocked(_))) =
            kit::message::Checked::new(draft.clone())
        {
            return not(why.to_string());
        }
        let terms = match self.envelope(subject, &draft).await? {
            Ok(terms) => terms,
            Err(no_send) => return not(no_send.reason),
        };
        if terms.not_after <= now {
            return not(format!("the message was good until {}", terms.not_after));
        }
        if let Err(why) = self.preview(subject, &draft).await? {
            return not(why);
        }
        let id = Digest::of_parts([expired.run.as_str(), &terms.digest().to_string(), name.as_str()]);
        let new = NewApproval {
            id: ApprovalId::from_digest("apr", &id),
            run: expired.run.clone(),
            expires_at: terms.not_after,
            terms,
            draft,
            summary: format!("{name}, the control of {}, in the place of {}", subject.flow, expired.record.id),
            reasons: risk.reasons,
        };
        Ok(StandIn::Control(Box::new(ControlUse { control: name, by, new })))
    }
}

fn wants_a_person(reasons: &[RiskReason]) -> Option<&RiskReason> {
    reasons.iter().find(|reason| !ABOUT_THE_MESSAGE.contains(&reason.code.as_str()))
}
