//! The journal's form, and its reading.
//!
//! Each row holds the outcome of one step and a hash over everything up to it: the release and subject, every earlier
//! outcome, the step that was asked, and this outcome. A changed byte anywhere shows by the number of its row.

use agent::{Input, MACHINE_VERSION, Machine, RunPlan, Step};
use kit::{Digest, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{JournalRow, ParkedState};

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
        Self { at, machine: Some(MACHINE_VERSION) }
    }
}

/// The name of the first row's step.
pub(super) const START: &str = "start";
/// The name of a row that says: the process was gone, and here another took the run up.
pub(super) const RESUME: &str = "resume";

/// The row that says: what has passed since the row before was nobody's working time. With the chain after it.
pub(super) fn taken_up(chain: Chain, seq: u32, at: Timestamp) -> Result<(JournalRow, Chain), StoreError> {
    let body = serde_json::to_string(&Started::by_this_machine(at))
        .map_err(|e| StoreError::Corrupt { what: "journal row".to_owned(), why: e.to_string() })?;
    let chain = chain.extend(RESUME, &body);
    Ok((JournalRow { seq, step: RESUME.to_owned(), input_hash: chain.hash(), body, at }, chain))
}

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
    let (started, chain) = start(seed, first)?;
    if let Some(version) = started.machine.filter(|version| *version > MACHINE_VERSION) {
        let why = format!(
            "a newer mailwright began it (machine version {version}, this one knows {MACHINE_VERSION}); run that one"
        );
        return Err(Divergence::at(first, START, why));
    }
    let machine = Machine::new(plan(started.at));
    let mut folded = Folded { machine, chain, next_seq: first.seq + 1, untouched: true };
    folded.follow(rest)?;
    Ok(Some(folded))
}

/// Goes on from the state stored when the run last waited: for a journal that an older machine wrote and that this one, whose
/// rules are others, does not fold to where it stands. `None` where that is not so.
///
/// # Errors
/// Names the row at which the state cannot be read, or the first one after it that does not follow.
pub(super) fn fold_from(seed: &str, rows: &[JournalRow], parked: &ParkedState) -> Result<Option<Folded>, Divergence> {
    let Some(first) = rows.first() else { return Ok(None) };
    let (started, _) = start(seed, first)?;
    if started.machine.unwrap_or(1) >= MACHINE_VERSION {
        return Ok(None);
    }
    let Some(place) = rows.iter().position(|row| row.seq == parked.seq) else { return Ok(None) };
    let (until, after) = rows.split_at(place + 1);
    let Some(last) = until.last() else { return Ok(None) };
    let machine = Machine::restore(&parked.body)
        .map_err(|e| Divergence::at(last, "the state stored there", format!("it cannot be taken over: {e}")))?;
    let mut folded = Folded { machine, chain: Chain(last.input_hash), next_seq: last.seq + 1, untouched: false };
    folded.follow(after)?;
    Ok(Some(folded))
}

/// Reads the first row, which every machine writes alike.
fn start(seed: &str, first: &JournalRow) -> Result<(Started, Chain), Divergence> {
    let started: Started = serde_json::from_str(&first.body).map_err(|e| Divergence::at(first, START, e))?;
    let chain = Chain::begin(seed).extend(START, &first.body);
    if first.step != START || first.input_hash != chain.hash() {
        return Err(Divergence::at(first, START, "it is not the start of this run"));
    }
    Ok((started, chain))
}

impl Folded {
    /// Takes in the rows that come next.
    fn follow(&mut self, rows: &[JournalRow]) -> Result<(), Divergence> {
        for row in rows {
            let step = self.machine.next();
            let asked = step_name(&step);
            if row.seq != self.next_seq {
                return Err(Divergence::missing(self.next_seq, asked, "the row is missing"));
            }
            self.next_seq += 1;
            if row.step == RESUME {
                self.chain = self.chain.extend(RESUME, &row.body);
                if row.input_hash != self.chain.hash() {
                    return Err(Divergence::at(row, RESUME, "this row is not what it was"));
                }
                let resumed: Started = serde_json::from_str(&row.body).map_err(|e| Divergence::at(row, RESUME, e))?;
                self.machine.resumed(resumed.at);
                continue;
            }
            self.untouched = false;
            if row.step != asked {
                let why = format!("recorded `{}`, the machine asks for `{asked}`", row.step);
                return Err(Divergence::at(row, asked, why));
            }
            self.chain = self.chain.extend(&step_text(&step), &row.body);
            if row.input_hash != self.chain.hash() {
                return Err(Divergence::at(row, asked, "this row or the release is not what it was"));
            }
            let input: Input = serde_json::from_str(&row.body).map_err(|e| Divergence::at(row, asked, e))?;
            self.machine.apply(input).map_err(|e| Divergence::at(row, asked, e))?;
        }
        Ok(())
    }
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
