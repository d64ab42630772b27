//! A run replayed offline from its journal: no model, no tool, no way out.
//!
//! The promise is equality for the same machine version: every row follows from those before it, the end is the end that
//! was noted, and the state stored when the run last waited is the state the fold arrives at. Else the first row that does
//! not follow is named.

use agent::{Input, MACHINE_VERSION, Machine, Outcome, Step};
use kit::{RunId, StoreError, Timestamp};

use super::journal::{self, Divergence, Started, step_name};
use super::{Planner as _, Seed};
use crate::store::{JournalRow, ParkedState, Run, RunState};
use crate::tenant::Tenant;

/// A run, replayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The run as stored.
    pub run: Run,
    /// What it was begun with.
    pub seed: Seed,
    /// How many rows its journal has.
    pub rows: usize,
    /// The machine version that began it; `None` when its journal does not say.
    pub machine: Option<u32>,
    /// Each step with what came of it.
    pub story: Vec<(Step, Input)>,
    /// What the run would do next.
    pub next: Step,
    /// True when the state stored at its last rest was compared, and is the same.
    pub state_compared: bool,
}

/// Why a run cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// No such run.
    #[error("there is no run {0}; see `mailwright runs list`")]
    Unknown(RunId),
    /// The journal does not make sense.
    #[error("run {run}: {divergence}{}", other_machine(*machine))]
    Diverged {
        /// The run.
        run: RunId,
        /// The machine version that began it.
        machine: Option<u32>,
        /// Where.
        divergence: Divergence,
    },
    /// The person was erased, and with them what was kept of the run.
    #[error("run {run}: {}; nothing of it is kept", crate::store::ERASED)]
    Erased {
        /// The run.
        run: RunId,
    },
    /// The journal is gone.
    #[error(
        "run {run}: its journal of {rows} rows (last hash {head}) was pruned at {at}; its approvals and sends stay"
    )]
    Pruned {
        /// The run.
        run: RunId,
        /// How many rows it had.
        rows: i64,
        /// The hash of its last row.
        head: String,
        /// When.
        at: Timestamp,
    },
    /// Its release cannot be used any more.
    #[error("run {run}: its release cannot be used: {why}")]
    Release {
        /// The run.
        run: RunId,
        /// Why.
        why: String,
    },
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn other_machine(machine: Option<u32>) -> String {
    match machine {
        Some(version) if version != MACHINE_VERSION => format!(
            "; the run was begun by machine version {version}, this program is version {MACHINE_VERSION} and promises equality for its own only"
        ),
        Some(_) | None => String::new(),
    }
}

impl Tenant {
    /// Replays a run from its journal alone.
    ///
    /// # Errors
    /// [`ReplayError::Diverged`] names the first row that does not follow.
    pub async fn replay(&self, id: &RunId) -> Result<Replayed, ReplayError> {
        let run = self.store.run(id).await?.ok_or_else(|| ReplayError::Unknown(id.clone()))?;
        if run.plan.is_empty() {
            return Err(ReplayError::Erased { run: id.clone() });
        }
        let seed: Seed = serde_json::from_str(&run.plan)
            .map_err(|e| StoreError::Corrupt { what: format!("run {id}"), why: e.to_string() })?;
        let rows = match self.store.journal(id).await {
            Err(StoreError::Erased { .. }) => return Err(ReplayError::Erased { run: id.clone() }),
            read => read?,
        };
        if rows.is_empty()
            && let Some(pruned) = self.store.pruned(id).await?
        {
            let head = pruned.head.short();
            return Err(ReplayError::Pruned { run: id.clone(), rows: pruned.rows, head, at: pruned.at });
        }
        let started = rows.first().map_or(run.created_at, |row| row.at);
        let plan = self
            .plan(run.release, &seed, started)
            .await
            .map_err(|why| ReplayError::Release { run: id.clone(), why })?;
        let machine =
            rows.first().and_then(|row| serde_json::from_str::<Started>(&row.body).ok()).and_then(|s| s.machine);
        let diverged = |divergence| ReplayError::Diverged { run: id.clone(), machine, divergence };
        let story = journal::replay(&run.plan, &rows, |_| plan.clone()).map_err(diverged)?;
        let mut folded = Machine::new(plan);
        refold(&mut folded, &rows);
        ends_as_noted(&run, &rows, &folded).map_err(diverged)?;
        let parked = self.store.parked_state(id).await?;
        let state_compared = match parked.filter(|p| p.version == folded.version() && p.seq as usize == rows.len()) {
            Some(parked) => same_state(&parked, &folded).map(|()| true).map_err(diverged)?,
            None => false,
        };
        Ok(Replayed { rows: rows.len(), machine, story, next: folded.next(), state_compared, run, seed })
    }
}

/// Takes in rows that were found to follow from each other.
fn refold(machine: &mut Machine, rows: &[JournalRow]) {
    for row in rows.iter().skip(1) {
        if row.step == journal::RESUME {
            machine.resumed(row.at);
        } else if let Ok(input) = serde_json::from_str::<Input>(&row.body) {
            // A row that does not fit has been named already.
            let _ = machine.apply(input);
        }
    }
}

/// Compares the end of the fold with the end that stands in the run's row: a journal whose last rows are gone shows here.
fn ends_as_noted(run: &Run, rows: &[JournalRow], machine: &Machine) -> Result<(), Divergence> {
    let last = rows.last().map_or(1, |row| row.seq + 1);
    let asked = machine.next();
    let noted = run.outcome.as_deref().map(serde_json::from_str::<Outcome>).transpose().map_err(|e| {
        let why = format!("the outcome noted in the run cannot be read: {e}");
        Divergence::missing(last, step_name(&asked), why)
    })?;
    match (&asked, noted) {
        (Step::Done(outcome), Some(noted)) if *outcome == noted => Ok(()),
        (Step::Done(_), Some(_)) => {
            Err(Divergence::missing(last, step_name(&asked), "the run is noted with another end than its journal has"))
        }
        (_, Some(_)) => {
            Err(Divergence::missing(last, step_name(&asked), "the run is noted as over, but its journal ends before"))
        }
        (_, None) if run.state == RunState::Done => {
            Err(Divergence::missing(last, step_name(&asked), "the run is noted as done, without an outcome"))
        }
        // Not over yet, or over and about to be noted as such.
        (_, None) => Ok(()),
    }
}

fn same_state(parked: &ParkedState, machine: &Machine) -> Result<(), Divergence> {
    let other = |why: String| Divergence {
        seq: parked.seq,
        asked: step_name(&machine.next()).to_owned(),
        found: "the state stored there".to_owned(),
        why,
    };
    match Machine::restore(&parked.body) {
        Ok(stored) if stored == *machine => Ok(()),
        Ok(_) => Err(other("the state stored when the run waited is another one".to_owned())),
        Err(error) => Err(other(error.to_string())),
    }
}
