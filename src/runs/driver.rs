//! The driver: one run, step by step, each outcome journaled before it counts.

mod approval;
mod ask;
mod drive;
mod inbox;

use std::sync::Arc;

use agent::{Machine, Outcome, RunPlan, Step};
use jiff::SignedDuration;
use kit::tool::{NoSend, Registry};
use kit::{Digest, RunId, StoreError, Timestamp};

use self::drive::Drive;
use super::journal::{self, Chain, Folded, START, Started};
use super::perform::Deliverer;
use super::{DriveError, Observer, Rest, RunPolicy, Seed};
use crate::clock::Clock;
use crate::failpoint;
use crate::model::ChatModel;
use crate::spend::Purse;
use crate::store::{JournalRow, Run, RunState, ShopStore};

/// Drives runs of one shop.
pub struct Driver {
    /// The shop's store.
    pub store: ShopStore,
    /// Its tools.
    pub registry: Registry,
    /// The hand-over after an approval.
    pub deliverer: Arc<dyn Deliverer>,
    /// Models in order of preference: the first answers, the others stand in.
    pub models: Vec<Arc<dyn ChatModel>>,
    /// Makes a run's plan from its pinned release.
    pub planner: Arc<dyn Planner>,
    /// Deadlines and retries.
    pub policy: Arc<RunPolicy>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// What models may cost.
    pub purse: Purse,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("shop", self.store.id()).finish_non_exhaustive()
    }
}

/// Makes a plan from a pinned release.
pub trait Planner: Send + Sync {
    /// The plan of a run that starts now.
    ///
    /// # Errors
    /// In words, when the release cannot be used.
    fn plan<'a>(
        &'a self,
        release: Digest,
        seed: &'a Seed,
        started_at: Timestamp,
    ) -> kit::BoxFuture<'a, Result<RunPlan, String>>;
}

/// After this silence a run was interrupted: shorter ones do not matter for the time it may work.
const INTERRUPTED: SignedDuration = SignedDuration::from_secs(60);

/// Whether a run works at this step; else it waits for somebody, and no time counts.
fn works(step: &Step) -> bool {
    match step {
        Step::CallModel | Step::RunTools { .. } | Step::Deliver { .. } | Step::SwitchModel { .. } => true,
        Step::AwaitApproval { .. } | Step::AwaitRelease { .. } | Step::AwaitMarketer { .. } | Step::Done(_) => false,
    }
}

impl Driver {
    /// Drives a run until it ends or has to wait.
    ///
    /// # Errors
    /// [`DriveError`]: the run is unharmed and can be driven again, or is parked with its reason.
    pub async fn drive(&self, id: &RunId) -> Result<Rest, DriveError> {
        let run = self.store.run(id).await?.ok_or_else(|| DriveError::Unknown(id.clone()))?;
        if run.plan.is_empty() {
            let reason = NoSend { code: "erased".to_owned(), reason: crate::store::ERASED.to_owned() };
            return Ok(Rest::Done(Outcome::NoSend(reason)));
        }
        if run.state == RunState::Done {
            let outcome = run.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok());
            return outcome.map(Rest::Done).ok_or_else(|| {
                StoreError::Corrupt { what: format!("run {id}"), why: "it is done without an outcome".to_owned() }
                    .into()
            });
        }
        let now = self.clock.now();
        if let (RunState::Delayed, Some(until)) = (run.state, run.wake_at.filter(|at| *at > now)) {
            return Ok(Rest::Delayed { until });
        }
        match self.open(run).await? {
            Some(drive) => drive.run_on().await,
            // Its timer was moved between the reading and the beginning: it is not due any more.
            None => {
                let run = self.store.run(id).await?.ok_or_else(|| DriveError::Unknown(id.clone()))?;
                Ok(Rest::Delayed { until: run.wake_at.unwrap_or(now) })
            }
        }
    }

    /// A run as it is, with its journal, without taking it on.
    ///
    /// # Errors
    /// When there is no such run, or its journal does not follow from its release.
    pub async fn machine(&self, id: &RunId) -> Result<(Machine, Vec<JournalRow>), DriveError> {
        let run = self.store.run(id).await?.ok_or_else(|| DriveError::Unknown(id.clone()))?;
        let seed: Seed = serde_json::from_str(&run.plan)
            .map_err(|e| StoreError::Corrupt { what: format!("run {}", run.id), why: e.to_string() })?;
        let rows = self.store.journal(id).await?;
        let started_at = rows.first().map_or(run.created_at, |row| row.at);
        let plan = self.planner.plan(run.release, &seed, started_at).await;
        let plan = plan.map_err(|why| DriveError::Release { run: id.clone(), why })?;
        let folded = journal::fold(&run.plan, &rows, |_| plan.clone());
        let folded = folded.map_err(|divergence| DriveError::Diverged { run: id.clone(), divergence })?;
        Ok((folded.map_or_else(|| Machine::new(plan), |folded| folded.machine), rows))
    }

    /// Drives a run; when that fails, notes when the next try is, and after the last one parks the run. What looks lasting (a
    /// release or a row that cannot be read) is tried as often: the program that can read it may be on its way back.
    ///
    /// # Errors
    /// As [`Driver::drive`].
    pub async fn drive_or_postpone(&self, id: &RunId) -> Result<Rest, DriveError> {
        let error = match self.drive(id).await {
            Err(error @ (DriveError::Store(_) | DriveError::Release { .. })) => error,
            other @ (Ok(_) | Err(DriveError::Unknown(_) | DriveError::Diverged { .. } | DriveError::Elsewhere(_))) => {
                return other;
            }
        };
        let (now, retry) = (self.clock.now(), self.policy.steps);
        let failed = self.store.run(id).await?.map_or(0, |run| run.failures).saturating_add(1);
        let failed = u32::try_from(failed).unwrap_or(u32::MAX);
        if failed >= retry.attempts {
            self.park(id, &format!("{failed} tries failed, the last one: {error}")).await?;
        } else {
            let until = now.checked_add(retry.pause(failed)).unwrap_or(now);
            self.store.postpone(id, until, &error.to_string(), now).await?;
        }
        Err(error)
    }

    /// Folds the journal, or begins it; `None` when it is not due after all.
    async fn open(&self, run: Run) -> Result<Option<Drive<'_>>, DriveError> {
        let seed: Seed = serde_json::from_str(&run.plan)
            .map_err(|e| StoreError::Corrupt { what: format!("run {}", run.id), why: e.to_string() })?;
        let rows = self.store.journal(&run.id).await?;
        // Read together, before anything that takes time: a clock that is set from here on shows at the next row.
        let noted = (self.clock.now(), self.clock.steady());
        let started_at = rows.first().map_or(noted.0, |row| row.at);
        let plan = self
            .planner
            .plan(run.release, &seed, started_at)
            .await
            .map_err(|why| DriveError::Release { run: run.id.clone(), why })?;
        let folded = match self.fold(&run, &rows, plan.clone()).await? {
            Ok(Some(folded)) => match rows.last() {
                Some(last) => self.resume(&run, folded, last.at, noted.0).await?,
                None => folded,
            },
            Ok(None) => match self.begin(&run, plan, started_at).await? {
                Some(begun) => begun,
                None => return Ok(None),
            },
            Err(divergence) => {
                self.park(&run.id, &divergence.to_string()).await?;
                return Err(DriveError::Diverged { run: run.id, divergence });
            }
        };
        let Folded { machine, chain, next_seq, untouched } = folded;
        let model =
            machine.profile().and_then(|name| self.models.iter().position(|m| m.profile() == name)).unwrap_or(0);
        Ok(Some(Drive {
            driver: self,
            run,
            seed,
            machine,
            chain,
            next_seq,
            began_at: started_at,
            noted,
            untouched,
            model,
            guard: None,
        }))
    }

    /// Folds the journal; what an older machine wrote and this one reads otherwise goes on from the state stored when the run
    /// last waited.
    async fn fold(
        &self,
        run: &Run,
        rows: &[JournalRow],
        plan: RunPlan,
    ) -> Result<Result<Option<Folded>, journal::Divergence>, DriveError> {
        let folded = journal::fold(&run.plan, rows, |_| plan);
        let Err(divergence) = &folded else { return Ok(folded) };
        let Some(parked) = self.store.parked_state(&run.id).await? else { return Ok(folded) };
        let from_state = journal::fold_from(&run.plan, rows, &parked);
        if let Ok(Some(_)) = &from_state {
            tracing::warn!(run = %run.id, %divergence, "an older program's run goes on from its stored state");
        }
        Ok(match from_state {
            Ok(None) => folded,
            other => other,
        })
    }

    async fn begin(&self, run: &Run, plan: RunPlan, at: Timestamp) -> Result<Option<Folded>, DriveError> {
        let body = serde_json::to_string(&Started::by_this_machine(at))
            .map_err(|e| StoreError::Corrupt { what: "journal row".to_owned(), why: e.to_string() })?;
        let chain = Chain::begin(&run.plan).extend(START, &body);
        let row = JournalRow { seq: 1, step: START.to_owned(), input_hash: chain.hash(), body, at };
        failpoint::hit("before_append.1");
        match self.store.begin_run(&run.id, run.timer, row).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(StoreError::Conflict(_)) => return Err(DriveError::Elsewhere(run.id.clone())),
            Err(error) => return Err(error.into()),
        }
        failpoint::hit("after_append.1");
        Ok(Some(Folded { machine: Machine::new(plan), chain, next_seq: 2, untouched: true }))
    }

    /// Notes that a run which was in the middle of its work is taken up again. Without that the hours until somebody starts
    /// the service would count as the run's working time and end it.
    async fn resume(
        &self,
        run: &Run,
        mut folded: Folded,
        last_at: Timestamp,
        at: Timestamp,
    ) -> Result<Folded, DriveError> {
        if !works(&folded.machine.next()) || at.duration_since(last_at) < INTERRUPTED {
            return Ok(folded);
        }
        let (row, chain) = journal::taken_up(folded.chain, folded.next_seq, at)?;
        self.append(&run.id, row, None).await?;
        folded.chain = chain;
        folded.machine.resumed(at);
        folded.next_seq += 1;
        Ok(folded)
    }

    async fn append(&self, run: &RunId, row: JournalRow, signal: Option<u32>) -> Result<(), DriveError> {
        let seq = row.seq;
        failpoint::hit(format_args!("before_append.{seq}"));
        match self.store.append(run, row, signal).await {
            Err(StoreError::Conflict(_)) => return Err(DriveError::Elsewhere(run.clone())),
            other => other?,
        }
        failpoint::hit(format_args!("after_append.{seq}"));
        Ok(())
    }

    async fn park(&self, run: &RunId, why: &str) -> Result<(), StoreError> {
        self.store.end_run(run, RunState::Parked, Some(why.to_owned()), None, self.clock.now()).await
    }
}
