//! The machine: its state, the one question it answers, and the fold of what happened.

mod bounds;
mod errors;
mod models;
mod phases;
mod plan;
mod prompts;
mod repeats;
mod reply;
mod stored;
mod talk;
mod turn;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use kit::message::{DraftRecord, Hold};
use kit::tool::Phase;
use kit::{ApprovalId, CallId, FactBook};
use serde::{Deserialize, Serialize};

use self::bounds::Meter;
use self::repeats::Repeats;
use self::stored::Version;
use self::talk::Talk;
use self::turn::Turn;
use crate::limits::Spent;
use crate::step::{HumanReason, Input, Outcome, Step, TurnEnd};
use crate::transcript::{Message, ModelRequest, ToolChoice};

pub use self::errors::{Mismatch, RestoreError};
pub use self::plan::{DECIDE_NO_SEND, PlannedTool, RunPlan};
pub use self::stored::MACHINE_VERSION;

/// A run, as far as it has got.
///
/// The whole state serialises; [`Machine::restore`] reads it back. Folding the same inputs over the same plan gives an
/// equal machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    version: Version,
    plan: RunPlan,
    phase: Phase,
    stage: Stage,
    transcript: Vec<Message>,
    #[serde(with = "stored::shared")]
    facts: Arc<FactBook>,
    #[serde(with = "stored::shared_option")]
    draft: Option<Arc<DraftRecord>>,
    /// Why a person must look at the draft, in words; empty when policy clears it.
    needs_approval: Vec<String>,
    /// The approval that clears the draft, once a person gave it.
    approval: Option<ApprovalId>,
    /// The model profile that was switched to; `None` while the run's own model answers.
    profile: Option<String>,
    meter: Meter,
    patience: Patience,
    rounds: Rounds,
    /// A tool of [`RunPlan::gather_done_by`] has answered.
    gathered: bool,
    /// Reads that were answered well: what another model gets to keep.
    learned: BTreeSet<CallId>,
    /// Every call id of the run.
    taken: BTreeSet<CallId>,
    /// The conversation about a brief, when the run is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    talk: Option<Box<Talk>>,
}

/// The current step, with what is needed to take its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
enum Stage {
    AskModel,
    RunTools { turn: Turn },
    AwaitApproval { approval: ApprovalId, until: Timestamp },
    Deliver,
    AwaitRelease { at: Option<Timestamp>, hold: Hold },
    SwitchModel { why: HumanReason },
    AwaitMarketer { ended: TurnEnd },
    Done { outcome: Outcome },
}

/// How much a model has been borne with. Starts afresh when the conversation takes a new turn from outside.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Patience {
    /// Unusable answers in a row.
    reasks: u32,
    /// Refusals in a row.
    refusals: u32,
    repeats: Repeats,
}

/// Rounds of a run that each have a bound of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Rounds {
    /// Drafts sent back by a person.
    revisions: u32,
    /// Drafts sent back because facts or rules changed.
    rechecks: u32,
    /// Holds that were waited for.
    holds: u32,
    /// Models that were replaced.
    switches: u32,
}

impl Machine {
    /// A run at its beginning.
    pub fn new(plan: RunPlan) -> Self {
        let plan = plan.in_order();
        let talk = Self::talk_of(plan.start);
        let mut machine = Self {
            version: Version::for_run(talk.is_some()),
            phase: plan.start,
            stage: Stage::AskModel,
            transcript: Vec::new(),
            facts: Arc::default(),
            draft: None,
            needs_approval: Vec::new(),
            approval: None,
            profile: None,
            meter: Meter::started(plan.started_at),
            patience: Patience::default(),
            rounds: Rounds::default(),
            gathered: false,
            learned: BTreeSet::new(),
            taken: BTreeSet::new(),
            talk,
            plan,
        };
        machine.transcript = machine.opening();
        match machine.talk {
            Some(_) => machine.await_marketer(TurnEnd::Begun),
            None => machine.ask(),
        }
        machine
    }

    /// What to do next. The same state always gives the same answer.
    pub fn next(&self) -> Step {
        match &self.stage {
            Stage::AskModel => Step::CallModel,
            Stage::RunTools { turn } => Step::RunTools { calls: turn.running().to_vec() },
            Stage::AwaitApproval { approval, until } => {
                Step::AwaitApproval { approval: approval.clone(), until: *until }
            }
            Stage::Deliver => Step::Deliver { approval: self.approval.clone() },
            Stage::AwaitRelease { at, hold } => Step::AwaitRelease { at: *at, hold: hold.clone() },
            Stage::SwitchModel { why } => Step::SwitchModel { why: why.clone() },
            Stage::AwaitMarketer { ended } => Step::AwaitMarketer { ended: ended.clone() },
            Stage::Done { outcome } => Step::Done(outcome.clone()),
        }
    }

    /// Takes in what happened.
    ///
    /// # Errors
    /// [`Mismatch`] when the input does not answer the current step; nothing has changed then. A late or repeated decision
    /// ends here, and the driver may ignore it.
    pub fn apply(&mut self, input: Input) -> Result<(), Mismatch> {
        let (at, got) = (input.at(), input.what());
        match input {
            Input::Model { reply, .. } => {
                let Stage::AskModel = &self.stage else { return Err(self.unexpected(got)) };
                self.tick(at);
                self.take_reply(reply);
            }
            Input::ModelFailed { fault, .. } => {
                let Stage::AskModel = &self.stage else { return Err(self.unexpected(got)) };
                self.tick(at);
                self.model_failed(fault);
            }
            Input::Tools { answers, .. } => {
                let Stage::RunTools { turn } = &mut self.stage else { return Err(self.unexpected(got)) };
                turn.expects(&answers)?;
                let turn = std::mem::take(turn);
                self.tick(at);
                self.take_answers(turn, answers);
            }
            Input::Approval { approval, decision, .. } => {
                let Stage::AwaitApproval { approval: awaited, .. } = &self.stage else {
                    return Err(self.unexpected(got));
                };
                if *awaited != approval {
                    return Err(Mismatch::Approval { expected: awaited.clone(), got: approval });
                }
                self.tick(at);
                self.decided(approval, decision);
            }
            Input::SwitchedModel { profile, .. } => {
                let Stage::SwitchModel { .. } = &self.stage else { return Err(self.unexpected(got)) };
                self.tick(at);
                self.switched(profile);
            }
            Input::NoMoreModels { .. } => {
                let Stage::SwitchModel { why } = &self.stage else {
                    return Err(self.unexpected(got));
                };
                let HumanReason { code, text } = why.clone();
                self.tick(at);
                self.park(&code, text);
            }
            Input::Delivery { result, .. } => {
                let Stage::Deliver = &self.stage else { return Err(self.unexpected(got)) };
                self.tick(at);
                self.handed_over(result);
            }
            Input::Released { .. } => {
                let Stage::AwaitRelease { .. } = &self.stage else { return Err(self.unexpected(got)) };
                self.tick(at);
                self.stage = Stage::Deliver;
            }
            Input::Marketer { text, today, .. } => {
                let Stage::AwaitMarketer { .. } = &self.stage else { return Err(self.unexpected(got)) };
                self.tick(at);
                self.marketer_said(text, today);
            }
            Input::BriefEdited { brief, note, .. } => {
                let Stage::AwaitMarketer { .. } = &self.stage else { return Err(self.unexpected(got)) };
                self.marketer_edited(*brief, note)?;
                self.tick(at);
            }
            Input::Stopped { .. } => {
                let works = matches!(self.stage, Stage::AskModel | Stage::RunTools { .. } | Stage::SwitchModel { .. });
                if !self.talks() || !works {
                    return Err(self.unexpected(got));
                }
                self.tick(at);
                self.stopped();
            }
            Input::Fatal { why, .. } => {
                self.still_running(got)?;
                self.tick(at);
                self.park("fatal", why);
            }
            Input::Cancelled { reason, .. } => {
                self.still_running(got)?;
                self.tick(at);
                self.finish(Outcome::NoSend(reason));
            }
        }
        Ok(())
    }

    /// The question to the model, when the next step is to ask it.
    pub fn request(&self) -> Option<ModelRequest<'_>> {
        let Stage::AskModel = &self.stage else { return None };
        Some(ModelRequest {
            messages: &self.transcript,
            tools: self.plan.offered(self.phase).map(|tool| tool.name.clone()).collect(),
            // In a conversation words are an answer; a run for a customer always ends in a call.
            tool_choice: if self.talks() { ToolChoice::Auto } else { ToolChoice::Required },
            form: None,
        })
    }

    /// The version of the stored state that this one is written in.
    pub fn version(&self) -> u32 {
        self.version.into()
    }

    /// What the run is pinned to.
    pub fn plan(&self) -> &RunPlan {
        &self.plan
    }

    /// Where the run stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What was used up.
    pub fn spent(&self) -> Spent {
        self.meter.spent()
    }

    /// Everything learned so far.
    pub fn facts(&self) -> &Arc<FactBook> {
        &self.facts
    }

    /// The draft that stands, with any edits of a person.
    pub fn draft(&self) -> Option<&Arc<DraftRecord>> {
        self.draft.as_ref()
    }

    /// Why a person must look at the draft, in words; empty when there is no draft or policy clears it.
    pub fn needs_approval(&self) -> &[String] {
        &self.needs_approval
    }

    /// The conversation with the present model.
    pub fn transcript(&self) -> &[Message] {
        &self.transcript
    }

    /// The model profile to ask; `None` for the one the run was pinned to.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// How the run ended, once it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Stage::Done { outcome } => Some(outcome),
            Stage::AskModel
            | Stage::RunTools { .. }
            | Stage::AwaitApproval { .. }
            | Stage::Deliver
            | Stage::AwaitRelease { .. }
            | Stage::SwitchModel { .. }
            | Stage::AwaitMarketer { .. } => None,
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        self.stage = Stage::Done { outcome };
    }

    /// A person must look. In a conversation one is there: the turn ends, and only a fault in our own house ends it all.
    fn park(&mut self, code: &str, text: String) {
        let reason = HumanReason { code: code.to_owned(), text };
        if self.talks() && code != "fatal" {
            return self.await_marketer(TurnEnd::Failed { reason });
        }
        self.finish(Outcome::Parked(reason));
    }

    /// Says something to the model. Notes in a row become one message: some servers insist that roles alternate.
    fn say(&mut self, words: &str) {
        if let Some(Message::User { text }) = self.transcript.last_mut() {
            text.push_str("\n\n");
            text.push_str(words);
            return;
        }
        self.transcript.push(Message::User { text: words.to_owned() });
    }

    fn unexpected(&self, got: &'static str) -> Mismatch {
        Mismatch::Step { expected: self.next().waits_for(), got }
    }

    fn still_running(&self, got: &'static str) -> Result<(), Mismatch> {
        if self.outcome().is_some() { Err(self.unexpected(got)) } else { Ok(()) }
    }
}
