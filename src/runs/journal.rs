//! The journal's form, and its reading.
//!
//! Each row holds the outcome of one step and a hash over everything up to it: the release and subject, every earlier
//! outcome, the step that was asked, and this outcome. A changed byte anywhere shows by the number of its row.

use agent::{Input, Machine, RunPlan, Step};
use kit::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::JournalRow;

/// A row that answers no step: the first of every journal, and one where a run was taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Started {
    pub(super) at: Timestamp,
    /// The machine that folds from here on; rows of the first binaries do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) machine: Option<u32>,
}

impl Started {
    pub(super) fn by_this_machine(at: Timestamp) -> Self {
        Self { at, machine: Some(agent::MACHINE_VERSION) }
    }
}

/// The name of the first row's step.
pub(super) const START: &str = "start";
/// The name of a row that says: the process was gone, and here another took the run up.
pub(super) const RESUME: &str = "resume";

/// Where a journal stops making sense.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("the journal diverges at step {seq}: {why} (asked: {asked}, found: {found})")]
pub struct Divergence {
    /// The row's position.
    pub seq: u32,
    /// The step that the machine asks for there.
    pub asked: String,
    /// The step that the row holds, or that there is none.
    pub found: String,
    /// What does not fit.
    pub why: String,
}

impl Divergence {
    /// At this row.
    pub(super) fn at(row: &JournalRow, asked: &str, why: impl ToString) -> Self {
        Self { seq: row.seq, asked: asked.to_owned(), found: row.step.clone(), why: why.to_string() }
    }

    /// Where a row should be and none is.
    pub(super) fn missing(seq: u32, asked: &str, why: impl ToString) -> Self {
        Self { seq, asked: asked.to_owned(), found: "no row".to_owned(), why: why.to_string() }
    }
}

/// A machine folded from its journal, ready to go on.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) machine: Machine,
    pub(super) chain: Chain,
    pub(super) next_seq: u32,
    /// Nothing was done yet but to begin.
    pub(super) untouched: bool,
}

/// The running hash: after each row it is the hash which that row carries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain(Digest);

impl Chain {
    pub(super) fn begin(seed: &str) -> Self {
        Self(Digest::of_parts(["mailwright.journal/1", seed]))
    }

    pub(super) fn hash(self) -> Digest {
        self.0
    }

    pub(super) fn extend(self, step: &str, body: &str) -> Self {
        Self(Digest::of_parts([&self.0.to_string(), step, body]))
    }
}

/// Folds a journal. `plan` makes the run's plan once its start is known.
///
/// # Errors
/// Names the first row that does not follow from those before it.
pub(super) fn fold(
    seed: &str,
    rows: &[JournalRow],
    plan: impl FnOnce(Timestamp) -> RunPlan,
) -> Result<Option<Folded>, Divergence> {
    let Some((first, rest)) = rows.split_first() else { return Ok(None) };
    let mut chain = Chain::begin(seed);
    let started: Started = serde_json::from_str(&first.body).map_err(|e| Divergence::at(first, START, e))?;
    chain = chain.extend(START, &first.body);
    if first.step != START || first.input_hash != chain.hash() {
        return Err(Divergence::at(first, START, "it is not the start of this run"));
    }
    let mut machine = Machine::new(plan(started.at));
    let mut next_seq = first.seq + 1;
    let mut untouched = true;
    for row in rest {
        let step = machine.next();
        let asked = step_name(&step);
        if row.seq != next_seq {
            return Err(Divergence::missing(next_seq, asked, "the row is missing"));
        }
        next_seq += 1;
        if row.step == RESUME {
            chain = chain.extend(RESUME, &row.body);
            if row.input_hash != chain.hash() {
                return Err(Divergence::at(row, RESUME, "this row is not what it was"));
            }
            let resumed: Started = serde_json::from_str(&row.body).map_err(|e| Divergence::at(row, RESUME, e))?;
            machine.resumed(resumed.at);
            continue;
        }
        untouched = false;
        if row.step != asked {
            let why = format!("recorded `{}`, the machine asks for `{asked}`", row.step);
            return Err(Divergence::at(row, asked, why));
        }
        chain = chain.extend(&step_text(&step), &row.body);
        if row.input_hash != chain.hash() {
            return Err(Divergence::at(row, asked, "this row or the release is not what it was"));
        }
        let input: Input = serde_json::from_str(&row.body).map_err(|e| Divergence::at(row, asked, e))?;
        machine.apply(input).map_err(|e| Divergence::at(row, asked, e))?;
    }
    Ok(Some(Folded { machine, chain, next_seq, untouched }))
}

/// Replays a run from its journal alone, without model, tools or ESP, and returns each step with its outcome.
///
/// # Errors
/// Names the first row that does not follow.
pub fn replay(
    seed: &str,
    rows: &[JournalRow],
    plan: impl FnOnce(Timestamp) -> RunPlan,
) -> Result<Vec<(Step, Input)>, Divergence> {
    let mut start = None;
    let keep = |at| {
        let plan = plan(at);
        start = Some(plan.clone());
        plan
    };
    if fold(seed, rows, keep)?.is_none() {
        return Ok(Vec::new());
    }
    let Some(plan) = start else { return Ok(Vec::new()) };
    let mut machine = Machine::new(plan);
    let mut story = Vec::new();
    for row in rows.iter().skip(1) {
        if row.step == RESUME {
            machine.resumed(row.at);
            continue;
        }
        let Ok(input) = serde_json::from_str::<Input>(&row.body) else { break };
        story.push((machine.next(), input.clone()));
        if machine.apply(input).is_err() {
            break;
        }
    }
    Ok(story)
}

/// The step as hashed.
pub(super) fn step_text(step: &Step) -> String {
    // A step is plain data: writing it cannot fail, and an empty text would only fail a replay.
    serde_json::to_string(step).unwrap_or_default()
}

/// The step's name in the journal.
pub(super) fn step_name(step: &Step) -> &'static str {
    match step {
        Step::CallModel => "call_model",
        Step::RunTools { .. } => "run_tools",
        Step::AwaitApproval { .. } => "await_approval",
        Step::Deliver { .. } => "deliver",
        Step::AwaitRelease { .. } => "await_release",
        Step::SwitchModel { .. } => "switch_model",
        Step::AwaitMarketer { .. } => "await_marketer",
        Step::Done(_) => "done",
    }
}
