//! A run that waits for a person: what was decided already, and what happens when nobody decides.

use agent::{ApprovalDecision, Input, Step};
use kit::message::ApprovalState;
use kit::{ApprovalId, Timestamp};

use super::super::{DriveError, Signal};
use super::drive::{Drive, Performed};
use crate::delivery::{ControlUse, StandIn};
use crate::failpoint;

impl Drive<'_> {
    /// The decision that stands in the approval's row without a signal of its own: the writer proposed the very message
    /// again that a person has decided about already.
    pub(super) async fn decided(&self, approval: &ApprovalId, now: Timestamp) -> Result<Option<Input>, DriveError> {
        let Some(found) = self.driver.store.approval(approval).await? else { return Ok(None) };
        let decision = match found.record.state {
            ApprovalState::Approved => ApprovalDecision::Approved,
            ApprovalState::Rejected => {
                ApprovalDecision::Rejected { reason: found.reason.unwrap_or_default(), revise: false }
            }
            ApprovalState::Expired => ApprovalDecision::Expired,
            // What was recalled comes with a cancellation of its own.
            ApprovalState::Pending | ApprovalState::Superseded | ApprovalState::Recalled => return Ok(None),
        };
        Ok(Some(Input::Approval { approval: approval.clone(), decision, at: now }))
    }

    /// Nobody decided in time. The row is closed first: a decision that comes at the same moment wins or loses there.
    pub(super) async fn expire(&self, id: &ApprovalId, now: Timestamp) -> Result<Performed, DriveError> {
        let store = &self.driver.store;
        let Some(viewed) = store.approval(id).await? else {
            return Ok(Performed::Answer(Input::Fatal { why: format!("approval {id} is gone"), at: now }));
        };
        if let Some(expired) = approval::expire(&viewed.record, now) {
            let signal = |decision| Signal::Approval { approval: id.clone(), decision }.to_json();
            match self.driver.deliverer.stand_in(&self.seed, &viewed, self.machine.facts(), now).await? {
                StandIn::Nothing => {
                    store.decide(&viewed, expired, None, None, signal(ApprovalDecision::Expired)?, now).await?;
                }
                StandIn::Not { why } => {
                    let lapsed = signal(ApprovalDecision::Lapsed { why: why.clone() })?;
                    store
                        .decide(&viewed, expired, Some(format!("its control stayed: {why}")), None, lapsed, now)
                        .await?;
                }
                StandIn::Control(stands_in) => {
                    let ControlUse { control, by: _, new } = *stands_in;
                    let (approval, draft) = (new.id.clone(), Box::new(new.draft.clone()));
                    let decision = ApprovalDecision::Control { control: control.clone(), approval, draft };
                    store.put_control(&viewed, expired, &control, new, signal(decision)?, now).await?;
                    failpoint::hit("after_control");
                }
            }
        }
        // The signal just written, or the person's own, is there now.
        let signal = self.signal(&Step::AwaitApproval { approval: id.clone(), until: now }).await?;
        let expired = || Input::Approval { approval: id.clone(), decision: ApprovalDecision::Expired, at: now };
        Ok(match signal {
            Some((seq, input)) => Performed::Signalled(seq, input),
            None => Performed::Answer(expired()),
        })
    }
}
