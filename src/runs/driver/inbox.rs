//! What a run's inbox means at the step it stands at.

use agent::{Input, Step};
use kit::StoreError;
use kit::campaign::Brief;
use kit::message::Hold;

use super::super::{DriveError, Signal};
use super::drive::Drive;

impl Drive<'_> {
    /// The oldest signal that means something at this step. Signals are read where a run waits or is about to act; what a
    /// person decided about a step that is over is dropped.
    pub(super) async fn signal(&self, step: &Step) -> Result<Option<(u32, Input)>, DriveError> {
        let reads = match step {
            Step::AwaitApproval { .. } | Step::AwaitRelease { .. } | Step::Deliver { .. } => true,
            Step::AwaitMarketer { .. } => true,
            // In a conversation the marketer may want it to stop at any step.
            Step::CallModel | Step::RunTools { .. } | Step::SwitchModel { .. } if self.machine.talk().is_some() => true,
            Step::CallModel => self.untouched,
            Step::RunTools { .. } | Step::SwitchModel { .. } | Step::Done(_) => false,
        };
        if !reads {
            return Ok(None);
        }
        let now = self.driver.clock.now();
        for (seq, body) in self.driver.store.signals(&self.run.id).await? {
            let signal: Signal = serde_json::from_str(&body)
                .map_err(|e| StoreError::Corrupt { what: "signal".to_owned(), why: e.to_string() })?;
            match (signal, step) {
                (Signal::Cancel(reason) | Signal::Order { reason, .. }, _) => {
                    return Ok(Some((seq, Input::Cancelled { reason, at: now })));
                }
                (Signal::Approval { approval, decision }, Step::AwaitApproval { approval: awaited, .. })
                    if approval == *awaited =>
                {
                    return Ok(Some((seq, Input::Approval { approval, decision, at: now })));
                }
                (Signal::TicketClosed { .. }, Step::AwaitRelease { hold: Hold::TicketOpen { .. }, .. })
                | (Signal::Released, Step::AwaitRelease { .. }) => return Ok(Some((seq, Input::Released { at: now }))),
                (Signal::Said { text, today }, Step::AwaitMarketer { .. }) => {
                    return Ok(Some((seq, Input::Marketer { text, today, at: now })));
                }
                // Said while a turn is under way: the next one.
                (Signal::Said { .. }, _) => {}
                (Signal::Edited { brief, note, restores }, Step::AwaitMarketer { .. }) if self.fits(&brief) => {
                    return Ok(Some((seq, Input::BriefEdited { brief, note, restores, at: now })));
                }
                (Signal::Stop, Step::CallModel | Step::RunTools { .. } | Step::SwitchModel { .. }) => {
                    return Ok(Some((seq, Input::Stopped { at: now })));
                }
                (
                    Signal::Approval { .. }
                    | Signal::Released
                    | Signal::TicketClosed { .. }
                    | Signal::Edited { .. }
                    | Signal::Stop,
                    _,
                ) => self.driver.store.drop_signal(&self.run.id, seq).await?,
            }
        }
        Ok(None)
    }

    /// True for an edit of the brief as it stands; one that somebody else was faster than is dropped.
    fn fits(&self, edited: &Brief) -> bool {
        self.machine.talk().is_some_and(|talk| talk.brief.version.saturating_add(1) == edited.version)
    }
}
