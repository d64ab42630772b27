//! When a model cannot or will not go on: give up on it, and what the next one gets to keep.

use kit::CallId;
use kit::tool::Phase;

use super::{Machine, Patience, Stage};
use crate::step::{HumanReason, ModelFault};
use crate::transcript::Message;

/// The tool that proposes a message.
const PROPOSE_MESSAGE: &str = "propose_message";
/// Models that may replace another within one run.
const MAX_SWITCHES: u32 = 2;

impl Machine {
    /// Another model may do better after an outage; a request that is wrong in itself needs a person.
    pub(super) fn model_failed(&mut self, fault: ModelFault) {
        if fault.transient {
            self.give_up("model_failed", fault.why);
        } else {
            self.park("model_failed", fault.why);
        }
    }

    /// Hands the run to another model, unless enough were tried or there is nothing left to try with.
    pub(super) fn give_up(&mut self, code: &str, text: String) {
        if let Some(bound) = self.reached() {
            return self.park_at(bound);
        }
        if self.rounds.switches >= MAX_SWITCHES {
            return self.park(code, text);
        }
        self.stage = Stage::SwitchModel { why: HumanReason { code: code.to_owned(), text } };
    }

    /// Another model goes on with what was learned. Complete pairs of reads and their answers stay, and so does a draft that
    /// was accepted: only handing it over is left to do. Whatever else the former model said or failed at goes, and so does
    /// its share of blame.
    pub(super) fn switched(&mut self, profile: String) {
        self.profile = Some(profile);
        self.rounds.switches = self.rounds.switches.saturating_add(1);
        let accepted = self.accepted_by();
        let kept = |id: &CallId| self.learned.contains(id) || accepted.as_ref() == Some(id);
        let former = std::mem::take(&mut self.transcript);
        self.transcript = self.opening();
        for message in former {
            match message {
                Message::System { .. } | Message::User { .. } => {}
                Message::Assistant { calls, .. } => {
                    let calls: Vec<_> = calls.into_iter().filter(|call| kept(&call.id)).collect();
                    if !calls.is_empty() {
                        self.transcript.push(Message::Assistant { text: None, calls });
                    }
                }
                Message::Tool { call, name, content } => {
                    if kept(&call) {
                        self.transcript.push(Message::Tool { call, name, content });
                    }
                }
            }
        }
        let phase = if self.gathered && !self.talks() { Phase::Compose } else { self.plan.start };
        if accepted.is_some() {
            self.patience = Patience::default();
        } else {
            self.start_afresh(phase);
        }
        self.meter.forget_warnings();
        self.ask();
    }

    /// The call whose answer accepted the draft that stands, when all that is left is to hand it over.
    fn accepted_by(&self) -> Option<CallId> {
        let left = matches!(self.phase, Phase::Clear | Phase::Deliver);
        let name = self.draft.as_ref().filter(|_| left)?.report.content.short();
        self.transcript.iter().rev().find_map(|message| match message {
            Message::Tool { call, name: tool, content } if tool == PROPOSE_MESSAGE && content.contains(&name) => {
                Some(call.clone())
            }
            Message::Tool { .. } | Message::System { .. } | Message::User { .. } | Message::Assistant { .. } => None,
        })
    }
}
