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
}

/// The name of the first row's step.
pub(super) const START: &str = "start";
/// The name of a row that says: the process was gone, and here another took the run up.
pub(super) const RESUME: &str = "resume";

/// Where a journal stops making sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal diverges at step {seq}: {why}")]
pub struct Divergence {
    /// The row.
    pub seq: u32,
    /// What does not fit.
    pub why: String,
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
    let diverged = |seq: u32, why: String| Divergence { seq, why };
    let mut chain = Chain::begin(seed);
    let started: Started = serde_json::from_str(&first.body).map_err(|e| diverged(first.seq, e.to_string()))?;
    chain = chain.extend(START, &first.body);
    if first.step != START || first.input_hash != chain.hash() {
        return Err(diverged(first.seq, "it is not the start of this run".to_owned()));
    }
    let mut machine = Machine::new(plan(started.at));
    let mut next_seq = first.seq + 1;
    let mut untouched = true;
    for row in rest {
        if row.seq != next_seq {
            return Err(diverged(next_seq, "the row is missing".to_owned()));
        }
        next_seq += 1;
        if row.step == RESUME {
            chain = chain.extend(RESUME, &row.body);
            if row.input_hash != chain.hash() {
                return Err(diverged(row.seq, "this row is not what it was".to_owned()));
            }
            let resumed: Started = serde_json::from_str(&row.body).map_err(|e| diverged(row.seq, e.to_string()))?;
            machine.resumed(resumed.at);
            continue;
        }
        untouched = false;
        let step = step_text(&machine.next());
        if row.step != step_name(&machine.next()) {
            return Err(diverged(
                row.seq,
                format!("recorded `{}`, the machine asks for `{}`", row.step, step_name(&machine.next())),
            ));
        }
        chain = chain.extend(&step, &row.body);
        if row.input_hash != chain.hash() {
            return Err(diverged(row.seq, "this row or the release is not what it was".to_owned()));
        }
        let input: Input = serde_json::from_str(&row.body).map_err(|e| diverged(row.seq, e.to_string()))?;
        machine.apply(input).map_err(|e| diverged(row.seq, e.to_string()))?;
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
