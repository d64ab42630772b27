//! Running the calls of one answer: reads in a row together, everything else alone, each call answered once and in order.
//!
//! A batch is answered before the next one starts, so a call whose ground was taken away by an earlier one is not run.

use std::collections::VecDeque;
use std::sync::Arc;

use kit::CallId;
use kit::tool::Effect;
use serde::{Deserialize, Serialize};

use super::reply::{MAX_ARGUMENT_BYTES, MAX_CALLS_RUN};
use super::{Machine, Mismatch, Stage, prompts};
use crate::step::ToolAnswer;
use crate::transcript::{Message, ToolCall};

/// One answer of a model, as far as its calls have got.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Turn {
    /// The batch under way, each call with its ordinal in the run.
    running: Vec<(u32, ToolCall)>,
    /// Calls that come after it.
    waiting: VecDeque<Waiting>,
    /// Some call was answered with more than an error.
    useful: bool,
    /// The last call that was to change something changed nothing or was not run: an act that builds on it must not run.
    unsettled: bool,
}

/// A call that was not answered yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) call: ToolCall,
    /// Why it will not be run; decided when the answer came in.
    pub(super) refusal: Option<Refusal>,
}

/// Why a call is answered without being run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refusal {
    Unknown,
    NotOffered,
    TooMany,
    TooLong,
    Contradicted,
    Unsettled,
    Repeated,
    UsedUp,
}

impl Turn {
    pub(super) fn new(calls: Vec<Waiting>) -> Self {
        Self { running: Vec::new(), waiting: calls.into(), useful: false, unsettled: false }
    }

    /// The batch under way.
    pub(super) fn running(&self) -> &[(u32, ToolCall)] {
        &self.running
    }

    /// All calls without an answer.
    pub(super) fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.running.iter().map(|(_, call)| call).chain(self.waiting.iter().map(|waiting| &waiting.call))
    }

    /// Checks that the answers are one a call of the batch, in its order.
    pub(super) fn expects(&self, answers: &[ToolAnswer]) -> Result<(), Mismatch> {
        let expected: Vec<CallId> = self.running.iter().map(|(_, call)| call.id.clone()).collect();
        let got: Vec<CallId> = answers.iter().map(|answer| answer.call.clone()).collect();
        if expected == got { Ok(()) } else { Err(Mismatch::Answers { expected, got }) }
    }
}

impl Machine {
    /// Starts the next batch. Calls that come before it and are not to run are answered on the way; when none is left to
    /// run, the turn is over.
    pub(super) fn advance(&mut self, mut turn: Turn) {
        while let Some(next) = turn.waiting.front() {
            let effect = self.effect(&next.call);
            let builds_on_nothing = (turn.unsettled && effect == Effect::Act).then_some(Refusal::Unsettled);
            let refusal = next.refusal.or(builds_on_nothing).or_else(|| self.refusal_now(&next.call));
            let joins_batch = refusal.is_none() && effect == Effect::Read;
            if !joins_batch && !turn.running.is_empty() {
                break;
            }
            let Some(Waiting { call, .. }) = turn.waiting.pop_front() else { break };
            if refusal.is_none_or(|refusal| refusal == Refusal::Repeated) {
                self.patience.repeats.count(&call);
            }
            if let Some(refusal) = refusal {
                turn.unsettled |= effect != Effect::Read;
                self.answer_not_run(&call, &self.refusal_words(refusal, &call));
                if refusal == Refusal::Repeated && self.is_loop(&call) {
                    self.leave_unrun(turn);
                    return self.park("loop", format!("the model keeps calling {} with the same arguments", call.name));
                }
                continue;
            }
            turn.running.push((self.meter.count_tool_call(), call));
            if !joins_batch {
                break;
            }
        }
        if turn.running.is_empty() {
            self.end_turn(turn.useful);
        } else {
            self.stage = Stage::RunTools { turn };
        }
    }

    /// Takes the answers to a batch, which [`Turn::expects`] has found to fit.
    pub(super) fn take_answers(&mut self, mut turn: Turn, answers: Vec<ToolAnswer>) {
        let mut ending = None;
        for ((_, call), answer) in std::mem::take(&mut turn.running).into_iter().zip(answers) {
            let ToolAnswer { content, is_error, facts, disposition, .. } = answer;
            turn.useful |= !is_error || disposition.is_some();
            for fact in facts {
                Arc::make_mut(&mut self.facts).insert(fact);
            }
            if self.effect(&call) != Effect::Read {
                turn.unsettled = disposition.is_none();
            }
            if !is_error {
                self.learn(&call);
            }
            self.transcript.push(Message::Tool { call: call.id, name: call.name, content });
            // The first call that decides how the run goes on counts; nothing after it may change that.
            if ending.is_none() {
                ending = disposition.and_then(|disposition| self.dispose(disposition));
            }
        }
        match ending {
            Some(ending) => {
                self.leave_unrun(turn);
                self.forgive();
                self.end_with(ending);
            }
            None => self.advance(turn),
        }
    }

    /// True when the tool is on offer now.
    pub(super) fn is_offered(&self, name: &str) -> bool {
        self.plan.offered(self.phase).any(|tool| tool.name == name)
    }

    fn end_turn(&mut self, useful: bool) {
        if useful {
            self.forgive();
            return self.ask();
        }
        self.retry(None);
    }

    /// After a useful answer, failures count from the start again.
    fn forgive(&mut self) {
        self.patience.reasks = 0;
        self.patience.refusals = 0;
    }

    fn learn(&mut self, call: &ToolCall) {
        if self.effect(call) == Effect::Read {
            self.learned.insert(call.id.clone());
        }
        if self.plan.gather_done_by.contains(&call.name) {
            self.gathered();
        }
    }

    /// What can be said against running a call only now that its turn has come.
    fn refusal_now(&self, call: &ToolCall) -> Option<Refusal> {
        if !self.is_offered(&call.name) {
            return Some(Refusal::NotOffered);
        }
        let times = self.patience.repeats.of(call).saturating_add(1);
        if times >= self.identical_calls() {
            return Some(Refusal::Repeated);
        }
        self.tool_calls_used_up().then_some(Refusal::UsedUp)
    }

    fn is_loop(&self, call: &ToolCall) -> bool {
        self.patience.repeats.of(call) >= self.identical_calls().saturating_mul(2)
    }

    fn identical_calls(&self) -> u32 {
        self.plan.limits.identical_calls.max(2)
    }

    /// A tool that is not in the plan is never run; it counts as one that acts.
    fn effect(&self, call: &ToolCall) -> Effect {
        self.plan.tool(&call.name).map_or(Effect::Act, |tool| tool.effect)
    }

    fn refusal_words(&self, refusal: Refusal, call: &ToolCall) -> String {
        let offer = self.plan.offer(self.phase);
        match refusal {
            Refusal::Unknown => prompts::unknown_tool(&call.name, &offer),
            Refusal::NotOffered => prompts::not_offered(&call.name, &offer),
            Refusal::TooMany => prompts::too_many(MAX_CALLS_RUN),
            Refusal::TooLong => prompts::too_long(MAX_ARGUMENT_BYTES),
            Refusal::Contradicted => prompts::contradicted().to_owned(),
            Refusal::Unsettled => prompts::unsettled().to_owned(),
            Refusal::Repeated => prompts::repeated().to_owned(),
            Refusal::UsedUp => prompts::tool_calls_used_up().to_owned(),
        }
    }

    fn leave_unrun(&mut self, turn: Turn) {
        for Waiting { call, .. } in turn.waiting {
            self.answer_not_run(&call, prompts::overtaken());
        }
    }

    pub(super) fn answer_not_run(&mut self, call: &ToolCall, words: &str) {
        self.transcript.push(Message::Tool {
            call: call.id.clone(),
            name: call.name.clone(),
            content: words.to_owned(),
        });
    }
}
