//! What a run has used up, and the one door to the next model call, where every bound is checked.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Machine, Stage, prompts};
use crate::limits::{Limits, Spent};
use crate::transcript::Usage;

/// A bound of [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    Turns,
    ToolCalls,
    Tokens,
    Cost,
    Seconds,
}

impl Bound {
    const ALL: [Self; 5] = [Self::Turns, Self::ToolCalls, Self::Tokens, Self::Cost, Self::Seconds];

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Turns => "turns",
            Self::ToolCalls => "tool_calls",
            Self::Tokens => "tokens",
            Self::Cost => "cost",
            Self::Seconds => "seconds",
        }
    }

    /// What is counted, for people.
    fn unit(self) -> &'static str {
        match self {
            Self::Turns => "model calls",
            Self::ToolCalls => "tool calls",
            Self::Tokens => "tokens",
            Self::Cost => "millionths of a dollar",
            Self::Seconds => "milliseconds of working time",
        }
    }

    fn used(self, spent: &Spent) -> u64 {
        match self {
            Self::Turns => spent.turns.into(),
            Self::ToolCalls => spent.tool_calls.into(),
            Self::Tokens => spent.tokens,
            Self::Cost => spent.cost_micros,
            Self::Seconds => spent.millis,
        }
    }

    fn limit(self, limits: &Limits) -> u64 {
        match self {
            Self::Turns => limits.turns.into(),
            Self::ToolCalls => limits.tool_calls.into(),
            Self::Tokens => limits.tokens,
            Self::Cost => limits.cost_micros,
            Self::Seconds => u64::from(limits.seconds).saturating_mul(1000),
        }
    }

    /// What another turn takes at the least: one call of a kind that is counted, perhaps nothing of what is measured.
    fn least(self) -> u64 {
        match self {
            Self::Turns | Self::ToolCalls => 1,
            Self::Tokens | Self::Cost | Self::Seconds => 0,
        }
    }

    /// True when another turn must not begin.
    fn is_reached(self, spent: &Spent, limits: &Limits) -> bool {
        self.used(spent).saturating_add(self.least()) > self.limit(limits)
    }

    /// True when a turn like the last one would reach the bound.
    fn is_near(self, before: &Spent, spent: &Spent, limits: &Limits) -> bool {
        let last_turn = self.used(spent).saturating_sub(self.used(before)).max(self.least());
        self.used(spent).saturating_add(last_turn).saturating_add(self.least()) > self.limit(limits)
    }
}

/// What a run has used up, and when it was last heard of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Meter {
    spent: Spent,
    /// The same when the model was last asked.
    before: Spent,
    last_at: Timestamp,
    /// Bounds the model has been warned of.
    warned: BTreeSet<Bound>,
    /// What had been used up when the turn under way began. Nothing in a run that is no conversation.
    #[serde(default, skip_serializing_if = "is_nothing")]
    earlier: Spent,
}

fn is_nothing(spent: &Spent) -> bool {
    *spent == Spent::default()
}

impl Meter {
    pub(super) fn started(at: Timestamp) -> Self {
        Self {
            spent: Spent::default(),
            before: Spent::default(),
            last_at: at,
            warned: BTreeSet::new(),
            earlier: Spent::default(),
        }
    }

    pub(super) fn spent(&self) -> Spent {
        self.spent
    }

    /// What bounds are held against: the whole run, or the turn of a conversation.
    fn counted(&self) -> Spent {
        self.spent.since(&self.earlier)
    }

    /// A turn of a conversation begins, with its bounds to itself.
    pub(super) fn begin_turn(&mut self) {
        self.earlier = self.spent;
        self.before = self.spent;
        self.warned.clear();
    }

    pub(super) fn count_turn(&mut self, usage: &Usage) {
        self.spent.turns = self.spent.turns.saturating_add(1);
        let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
        self.spent.tokens = self.spent.tokens.saturating_add(tokens);
        self.spent.cost_micros = self.spent.cost_micros.saturating_add(usage.cost_micros);
    }

    /// Counts a tool call and returns its ordinal, from 1.
    pub(super) fn count_tool_call(&mut self) -> u32 {
        self.spent.tool_calls = self.spent.tool_calls.saturating_add(1);
        self.spent.tool_calls
    }

    /// A model that was not there has not been warned.
    pub(super) fn forget_warnings(&mut self) {
        self.warned.clear();
    }

    /// Clocks may step back between processes: time then stands still instead.
    fn tick(&mut self, at: Timestamp, working: bool) {
        let passed = at.duration_since(self.last_at);
        if working {
            let millis = u64::try_from(passed.as_millis()).unwrap_or(0);
            self.spent.millis = self.spent.millis.saturating_add(millis);
        }
        self.last_at = self.last_at.max(at);
    }
}

impl Machine {
    /// Counts the time since the last input as working time, unless the run was waiting for somebody.
    pub(super) fn tick(&mut self, at: Timestamp) {
        let working = match &self.stage {
            Stage::AwaitApproval { .. } | Stage::AwaitRelease { .. } | Stage::AwaitMarketer { .. } => false,
            Stage::AskModel
            | Stage::RunTools { .. }
            | Stage::Deliver
            | Stage::SwitchModel { .. }
            | Stage::Done { .. } => true,
        };
        self.meter.tick(at, working);
    }

    /// The run is taken up again after its process was gone: the time in between is nobody's working time.
    pub fn resumed(&mut self, at: Timestamp) {
        self.meter.tick(at, false);
    }

    /// The only door to a model call: parks the run when a bound is reached, warns the model when one is near.
    pub(super) fn ask(&mut self) {
        if let Some(bound) = self.reached() {
            return self.park_at(bound);
        }
        let meter = &self.meter;
        let near = Bound::ALL.into_iter().find(|bound| {
            !meter.warned.contains(bound)
                && bound.is_near(&meter.before.since(&meter.earlier), &meter.counted(), &self.plan.limits)
        });
        if let Some(bound) = near {
            self.meter.warned.insert(bound);
            let words = match self.talk {
                Some(_) => prompts::last_call(),
                None => &prompts::last_turn(bound, &self.plan.closing_offer(self.phase)),
            };
            self.say(words);
        }
        self.meter.before = self.meter.spent;
        self.stage = Stage::AskModel;
    }

    /// The first bound that forbids another turn.
    pub(super) fn reached(&self) -> Option<Bound> {
        Bound::ALL.into_iter().find(|bound| bound.is_reached(&self.meter.counted(), &self.plan.limits))
    }

    pub(super) fn park_at(&mut self, bound: Bound) {
        let used = bound.used(&self.meter.counted());
        let limit = bound.limit(&self.plan.limits);
        let what = if self.talks() { "turn" } else { "run" };
        self.park(bound.code(), format!("the {what} has used {used} of {limit} {}", bound.unit()));
    }

    /// True when no further tool may be run.
    pub(super) fn tool_calls_used_up(&self) -> bool {
        Bound::ToolCalls.is_reached(&self.meter.counted(), &self.plan.limits)
    }
}
