//! Controls: approved once for a flow and a release, sent when nobody decided about a message in time.

use kit::message::ApprovalState;
use kit::{ApprovalId, Digest, FlowId, Principal, StoreError};

use super::DecideError;
use super::control_words::{self, ControlFinding};
use super::look::Asked;
use crate::flows::{OnExpiry, RiskClass};
use crate::release::Control;
use crate::store::ControlApproval;
use crate::tenant::Tenant;

/// Why a control cannot be decided about.
#[derive(Debug, thiserror::Error)]
pub enum ControlRefused {
    /// No such flow.
    #[error("there is no flow {0} in the release in force")]
    NoFlow(FlowId),
    /// It has none.
    #[error("{0} has no control: add prompts/controls/{0}.toml and `on_expiry = \"control\"` in its front matter")]
    NoControl(FlowId),
    /// A person sees all of it.
    #[error("{0} is a flow of high risk: a person sees each of its messages, so no control goes out")]
    HighRisk(FlowId),
    /// Another one than was looked at.
    #[error("the control of {flow} is {now} now; look again: mailwright approvals control show {flow}")]
    Changed {
        /// Of which flow.
        flow: FlowId,
        /// What it is.
        now: ApprovalId,
    },
    /// Its words break content rules, whoever reads them.
    #[error("the control of {flow} breaks content rules and would never leave:\n{}", told(.findings))]
    Words {
        /// Of which flow.
        flow: FlowId,
        /// What stops it.
        findings: Vec<ControlFinding>,
    },
    /// May not.
    #[error("{0} may not approve; that takes the role approver")]
    NoRole(String),
    /// Nothing to take back.
    #[error("no approval of the control of {0} counts")]
    NotApproved(FlowId),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn told(findings: &[ControlFinding]) -> String {
    findings.iter().map(|finding| format!("  {finding}")).collect::<Vec<_>>().join("\n")
}

/// A flow's control as it is now.
#[derive(Debug, Clone)]
pub struct ControlView {
    /// The flow.
    pub flow: FlowId,
    /// The release in force.
    pub release: Digest,
    /// What happens when nobody decides in time.
    pub on_expiry: OnExpiry,
    /// Its name under this release, and its words.
    pub control: Option<(ApprovalId, Control)>,
    /// Its approval, whether it still counts or not.
    pub standing: Option<ControlApproval>,
}

impl Tenant {
    /// The controls of all flows of the release in force.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn controls(&self) -> Result<Vec<ControlView>, StoreError> {
        let mut views = Vec::new();
        for (flow, rules) in &self.release.flows {
            let control = self.release.controls.get(flow).cloned();
            let control = control.map(|control| (control.name(flow, self.release.digest), control));
            let standing = match &control {
                Some((name, _)) => self.store.control(name).await?,
                None => None,
            };
            let on_expiry = rules.rules.on_expiry;
            views.push(ControlView { flow: flow.clone(), release: self.release.digest, on_expiry, control, standing });
        }
        Ok(views)
    }

    /// The control of one flow.
    ///
    /// # Errors
    /// [`ControlRefused::NoFlow`], or when storage cannot answer.
    pub async fn control(&self, flow: &FlowId) -> Result<ControlView, ControlRefused> {
        let found = self.controls().await?.into_iter().find(|view| view.flow == *flow);
        found.ok_or_else(|| ControlRefused::NoFlow(flow.clone()))
    }

    /// What the content rules find in the words of a flow's control, whoever reads it; nothing where there is no control.
    ///
    /// # Errors
    /// When its draft cannot be hashed.
    pub fn control_findings(&self, flow: &FlowId) -> Result<Vec<ControlFinding>, StoreError> {
        let Some(control) = self.release.controls.get(flow) else { return Ok(Vec::new()) };
        control_words::findings(&self.release, flow, control, self.clock.now())
    }

    /// Approves the control of a flow under the release in force: exactly the one that was looked at. The content rules look
    /// at its words first, since whoever approves it believes that it can leave; what is about one reader they look at when it
    /// is due.
    ///
    /// # Errors
    /// [`ControlRefused`]; nothing has changed then.
    pub async fn approve_control(
        &self,
        flow: &FlowId,
        who: &Principal,
        seen: &ApprovalId,
    ) -> Result<ControlApproval, ControlRefused> {
        let view = self.control(flow).await?;
        let (name, _) = match (view.control, view.on_expiry) {
            (Some(control), OnExpiry::Control) => control,
            (None, _) | (_, OnExpiry::Skip) => return Err(ControlRefused::NoControl(flow.clone())),
        };
        if self.release.flows.get(flow).is_none_or(|flow| flow.rules.risk == RiskClass::High) {
            return Err(ControlRefused::HighRisk(flow.clone()));
        }
        if !who.may_approve() {
            return Err(ControlRefused::NoRole(who.name()));
        }
        if name != *seen {
            return Err(ControlRefused::Changed { flow: flow.clone(), now: name });
        }
        let mut findings = self.control_findings(flow)?;
        findings.retain(ControlFinding::stops);
        if !findings.is_empty() {
            return Err(ControlRefused::Words { flow: flow.clone(), findings });
        }
        let approved = ControlApproval {
            id: name,
            flow: flow.clone(),
            release: self.release.digest,
            approved_by: who.clone(),
            approved_at: self.clock.now(),
            revoked_at: None,
        };
        self.store.approve_control(approved.clone()).await?;
        Ok(approved)
    }

    /// Takes it back: nothing that has not left goes out by it.
    ///
    /// # Errors
    /// [`ControlRefused`]; nothing has changed then.
    pub async fn revoke_control(&self, flow: &FlowId, who: &Principal, reason: &str) -> Result<(), ControlRefused> {
        let view = self.control(flow).await?;
        let not_approved = || ControlRefused::NotApproved(flow.clone());
        let (name, _) = view.control.ok_or_else(not_approved)?;
        if !who.may_approve() {
            return Err(ControlRefused::NoRole(who.name()));
        }
        let revoked = self.store.revoke_control(&name, who, reason, self.clock.now()).await?;
        if revoked { Ok(()) } else { Err(not_approved()) }
    }

    /// What went out in the place of a request that nobody decided about in time.
    pub(super) async fn stood_in(&self, asked: &Asked) -> Result<Option<DecideError>, StoreError> {
        let Asked::Message(expired) = asked else { return Ok(None) };
        if expired.record.state != ApprovalState::Expired {
            return Ok(None);
        }
        let siblings = self.store.approvals_of(&expired.run).await?;
        Ok(siblings.into_iter().find(|sibling| sibling.control.is_some()).map(|stands_in| DecideError::ControlWent {
            id: expired.record.id.clone(),
            instead: stands_in.record.id.clone(),
            how: if stands_in.record.used_by.is_some() { "has gone out" } else { "is on its way" },
        }))
    }
}
