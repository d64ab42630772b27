//! Runs as rows: where each stands, and which want to be driven.

mod admit;
mod moves;

use kit::{CustomerId, Digest, FlowId, RunId, StoreError, Timestamp};

pub use admit::{Admission, NewRun, Supersede};

use super::error::map;
use super::seal::Place;
use super::{ShopStore, corrupt, micros, stamp};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for its time.
    Delayed,
    /// Wants to be driven now.
    Ready,
    /// Waits for a person or for a cause to be lifted.
    Waiting,
    /// Cannot go on by itself: an operator must look.
    Parked,
    /// Ended.
    Done,
}

impl RunState {
    /// The name in tables and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Done => "done",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        match text {
            "delayed" => Ok(Self::Delayed),
            "ready" => Ok(Self::Ready),
            "waiting" => Ok(Self::Waiting),
            "parked" => Ok(Self::Parked),
            "done" => Ok(Self::Done),
            other => Err(corrupt("run", format!("state {other}"))),
        }
    }
}

/// A run as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The flow.
    pub flow: FlowId,
    /// For whom.
    pub customer: CustomerId,
    /// The occasion.
    pub occasion: String,
    /// Which message of the flow.
    pub step: u32,
    /// Where it stands.
    pub state: RunState,
    /// When it wakes by itself.
    pub wake_at: Option<Timestamp>,
    /// The version of its timer that counts.
    pub timer: i64,
    /// Tries of its present step that failed in a row.
    pub failures: i64,
    /// What it waits for, in words.
    pub wait_for: Option<String>,
    /// The release it is pinned to.
    pub release: Digest,
    /// The driver's JSON.
    pub plan: String,
    /// How it ended, as JSON.
    pub outcome: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

type RunTuple = (
    String,
    String,
    String,
    String,
    i64,
    String,
    Option<i64>,
    Option<String>,
    String,
    String,
    Option<String>,
    i64,
    i64,
    i64,
    i64,
);

const COLUMNS: &str = "SELECT run_id, flow, customer_id, occasion, step, state, wake_at, wait_for, release, plan, outcome, created_at, updated_at, timer, failures FROM runs";

fn run(row: RunTuple) -> Result<Run, StoreError> {
    let (
        id,
        flow,
        customer,
        occasion,
        step,
        state,
        wake_at,
        wait_for,
        release,
        plan,
        outcome,
        since,
        changed,
        timer,
        failures,
    ) = row;
    let bad = |e: kit::InvalidId| corrupt("run", e);
    Ok(Run {
        id: RunId::new(id).map_err(bad)?,
        flow: FlowId::new(flow).map_err(bad)?,
        customer: CustomerId::new(customer).map_err(bad)?,
        occasion,
        step: u32::try_from(step).map_err(|e| corrupt("run", e))?,
        state: RunState::parse(&state)?,
        wake_at: wake_at.map(|at| stamp(at, "run")).transpose()?,
        timer,
        failures,
        wait_for,
        release: release.parse().map_err(|e| corrupt("run", e))?,
        plan,
        outcome,
        created_at: stamp(since, "run")?,
        updated_at: stamp(changed, "run")?,
    })
}

/// The column of outcomes.
pub(super) const OUTCOME: &str = "runs.outcome";

impl ShopStore {
    /// Rows with their outcomes opened. One that was changed keeps what stands there: a replay finds out.
    async fn read_runs(&self, rows: Vec<RunTuple>) -> Result<Vec<Run>, StoreError> {
        let mut runs = rows.into_iter().map(run).collect::<Result<Vec<_>, _>>()?;
        let outcomes = runs.iter().filter_map(|run| run.outcome.as_ref()).map(String::as_bytes);
        let opener = self.opener(outcomes).await?;
        for run in &mut runs {
            let stored = run.outcome.take();
            run.outcome = stored.map(|text| opener.text_or_as_it_stands(Place::of(OUTCOME, run.id.as_str()), text));
        }
        Ok(runs)
    }

    /// All runs of an occasion, the first one first.
    pub async fn runs_of(
        &self,
        flow: &FlowId,
        customer: &CustomerId,
        occasion: &str,
        step: u32,
    ) -> Result<Vec<Run>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE shop_id = $1 AND flow = $2 AND customer_id = $3 AND occasion = $4 AND step = $5 ORDER BY attempt"
        ));
        let rows: Vec<RunTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(flow.as_str())
            .bind(customer.as_str())
            .bind(occasion)
            .bind(i64::from(step))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        self.read_runs(rows).await
    }

    /// A run by id.
    pub async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        let erasures = self.keyring().erasures();
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE shop_id = $1 AND run_id = $2"));
        let row: Option<RunTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        let found = self.read_runs(row.into_iter().collect()).await?.pop();
        if let Some(run) = found.as_ref().filter(|run| !run.plan.is_empty()) {
            // Whoever reads a run writes about it next: whose key it takes is known then.
            self.keyring().note_run(self.shop.as_str(), run.id.as_str(), run.customer.as_str(), erasures);
        }
        Ok(found)
    }

    /// Runs, newest first.
    pub async fn runs(&self, limit: u32) -> Result<Vec<Run>, StoreError> {
        let sql =
            sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE shop_id = $1 ORDER BY created_at DESC, run_id LIMIT $2"));
        let rows: Vec<RunTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        self.read_runs(rows).await
    }

    /// Runs that want to be driven: ready ones, and delayed or waiting ones whose time has come. Conversations are not among
    /// them: they are driven by whoever talks.
    pub async fn due_runs(&self, now: Timestamp) -> Result<Vec<RunId>, StoreError> {
        // A part for each state: as one condition, ordered, it was read off all runs by their age, parked and ended ones too.
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT run_id FROM (
                 SELECT run_id, created_at FROM runs WHERE shop_id = $1 AND state = 'ready' AND flow <> $3
                 UNION ALL
                 SELECT run_id, created_at FROM runs WHERE shop_id = $1 AND state = 'delayed' AND wake_at <= $2 AND flow <> $3
                 UNION ALL
                 SELECT run_id, created_at FROM runs WHERE shop_id = $1 AND state = 'waiting' AND wake_at <= $2 AND flow <> $3
             ) AS due ORDER BY created_at, run_id",
        )
        .bind(self.shop.as_str()).bind(micros(now)).bind(kit::campaign::BRIEF_FLOW).fetch_all(self.readers()).await.map_err(map)?;
        rows.into_iter().map(|(id,)| RunId::new(id).map_err(|e| corrupt("run", e))).collect()
    }

    /// Runs of a customer that have not ended: what an order cancels.
    pub async fn open_runs_of(&self, customer: &CustomerId) -> Result<Vec<Run>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE shop_id = $1 AND customer_id = $2 AND state IN ('delayed', 'ready', 'waiting') ORDER BY created_at, run_id"
        ));
        let rows: Vec<RunTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(customer.as_str())
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        self.read_runs(rows).await
    }
}
