//! Runs and their journal.

use kit::{CustomerId, Digest, FlowId, RunId, StoreError, Timestamp};

use super::error::map;
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

/// A run to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// The flow.
    pub flow: FlowId,
    /// For whom.
    pub customer: CustomerId,
    /// What makes the occasion distinct.
    pub occasion: String,
    /// Which message of the flow.
    pub step: u32,
    /// When it is due.
    pub due: Timestamp,
    /// The release it is pinned to.
    pub release: Digest,
    /// What the driver needs to begin, as its own versioned JSON.
    pub plan: String,
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

/// One journaled step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Position, from 1.
    pub seq: u32,
    /// The step's kind.
    pub step: String,
    /// Hash over everything up to and with this row.
    pub input_hash: Digest,
    /// What happened, as the agent's JSON.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// The machine of a run that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedState {
    /// The last journal row folded into it.
    pub seq: u32,
    /// The machine's version.
    pub version: u32,
    /// The machine as JSON.
    pub body: String,
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
);

const COLUMNS: &str = "SELECT run_id, flow, customer_id, occasion, step, state, wake_at, wait_for, release, plan, outcome, created_at, updated_at FROM runs";

fn run(row: RunTuple) -> Result<Run, StoreError> {
    let (id, flow, customer, occasion, step, state, wake_at, wait_for, release, plan, outcome, created_at, updated_at) =
        row;
    let bad = |e: kit::InvalidId| corrupt("run", e);
    Ok(Run {
        id: RunId::new(id).map_err(bad)?,
        flow: FlowId::new(flow).map_err(bad)?,
        customer: CustomerId::new(customer).map_err(bad)?,
        occasion,
        step: u32::try_from(step).map_err(|e| corrupt("run", e))?,
        state: RunState::parse(&state)?,
        wake_at: wake_at.map(|at| stamp(at, "run")).transpose()?,
        wait_for,
        release: release.parse().map_err(|e| corrupt("run", e))?,
        plan,
        outcome,
        created_at: stamp(created_at, "run")?,
        updated_at: stamp(updated_at, "run")?,
    })
}

impl ShopStore {
    /// Begins a run, or moves a run of the same occasion that still waits for its time: a cart update restarts the
    /// delay. Returns the run's id and whether it is new; a run that has begun is left alone.
    pub async fn admit(&self, new: NewRun, now: Timestamp) -> Result<(RunId, bool), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                let found: Option<(String, String)> = sqlx::query_as(
                    "SELECT run_id, state FROM runs WHERE shop_id = $1 AND flow = $2 AND customer_id = $3 AND occasion = $4 AND step = $5 ORDER BY attempt DESC LIMIT 1",
                )
                .bind(shop.as_str()).bind(new.flow.as_str()).bind(new.customer.as_str()).bind(&new.occasion).bind(i64::from(new.step))
                .fetch_optional(&mut *c).await.map_err(map)?;
                if let Some((id, state)) = found {
                    if state == RunState::Delayed.as_str() {
                        sqlx::query("UPDATE runs SET wake_at = $3, plan = $4, release = $5, updated_at = $6 WHERE shop_id = $1 AND run_id = $2 AND wake_at <= $3")
                            .bind(shop.as_str()).bind(&id).bind(micros(new.due)).bind(&new.plan).bind(new.release.to_string()).bind(micros(now))
                            .execute(&mut *c).await.map_err(map)?;
                    }
                    return Ok((RunId::new(id).map_err(|e| corrupt("run", e))?, false));
                }
                let state = if new.due > now { RunState::Delayed } else { RunState::Ready };
                sqlx::query(
                    "INSERT INTO runs (shop_id, run_id, flow, customer_id, occasion, step, state, wake_at, wait_for, release, plan, outcome, created_at, updated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $10, NULL, $11, $11)",
                )
                .bind(shop.as_str()).bind(new.id.as_str()).bind(new.flow.as_str()).bind(new.customer.as_str()).bind(&new.occasion)
                .bind(i64::from(new.step)).bind(state.as_str()).bind(micros(new.due)).bind(new.release.to_string()).bind(&new.plan).bind(micros(now))
                .execute(&mut *c).await.map_err(map)?;
                Ok((new.id, true))
            })
        })
        .await
    }

    /// Begins another run of an occasion whose last one is over, as long as the occasion has no message. `None` when that
    /// is not so any more: another process took the occasion up, or something was sent.
    pub async fn admit_again(&self, new: NewRun, attempt: u32, now: Timestamp) -> Result<Option<RunId>, StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                let state = if new.due > now { RunState::Delayed } else { RunState::Ready };
                let begun = sqlx::query(
                    "INSERT INTO runs (shop_id, run_id, flow, customer_id, occasion, step, attempt, state, wake_at, wait_for, release, plan, outcome, created_at, updated_at)
                     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, $10, $11, NULL, $12, $12 FROM shops
                     WHERE shop_id = $1
                       AND NOT EXISTS (SELECT 1 FROM sends WHERE shop_id = $1 AND customer_id = $4 AND flow = $3 AND occasion = $5 AND step = $6)
                       AND $7 = (SELECT MAX(attempt) + 1 FROM runs WHERE shop_id = $1 AND flow = $3 AND customer_id = $4 AND occasion = $5 AND step = $6)",
                )
                .bind(shop.as_str()).bind(new.id.as_str()).bind(new.flow.as_str()).bind(new.customer.as_str()).bind(&new.occasion)
                .bind(i64::from(new.step)).bind(i64::from(attempt)).bind(state.as_str()).bind(micros(new.due)).bind(new.release.to_string())
                .bind(&new.plan).bind(micros(now))
                .execute(&mut *c).await.map_err(map)?;
                Ok((begun.rows_affected() > 0).then_some(new.id))
            })
        })
        .await
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
        rows.into_iter().map(run).collect()
    }

    /// A run by id.
    pub async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE shop_id = $1 AND run_id = $2"));
        let row: Option<RunTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(run).transpose()
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
        rows.into_iter().map(run).collect()
    }

    /// Runs that want to be driven: ready ones, and delayed or waiting ones whose time has come.
    pub async fn due_runs(&self, now: Timestamp) -> Result<Vec<RunId>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT run_id FROM runs WHERE shop_id = $1 AND (state = 'ready' OR (state IN ('delayed', 'waiting') AND wake_at <= $2)) ORDER BY created_at, run_id",
        )
        .bind(self.shop.as_str()).bind(micros(now)).fetch_all(self.readers()).await.map_err(map)?;
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
        rows.into_iter().map(run).collect()
    }

    /// The journal of a run from its beginning.
    pub async fn journal(&self, id: &RunId) -> Result<Vec<JournalRow>, StoreError> {
        let rows: Vec<(i64, String, String, String, i64)> = sqlx::query_as(
            "SELECT seq, step, input_hash, body, at FROM journal WHERE shop_id = $1 AND run_id = $2 ORDER BY seq",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(seq, step, hash, body, at)| {
                Ok(JournalRow {
                    seq: u32::try_from(seq).map_err(|e| corrupt("journal", e))?,
                    step,
                    input_hash: hash.parse().map_err(|e| corrupt("journal", e))?,
                    body,
                    at: stamp(at, "journal")?,
                })
            })
            .collect()
    }

    /// Appends a step and, in the same commit, uses up the signal that it answers. [`StoreError::Conflict`] when another
    /// driver wrote this position: this one must stop.
    pub async fn append(&self, id: &RunId, row: JournalRow, signal: Option<u32>) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("INSERT INTO journal (shop_id, run_id, seq, step, input_hash, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
                    .bind(shop.as_str()).bind(id.as_str()).bind(i64::from(row.seq)).bind(&row.step).bind(row.input_hash.to_string()).bind(&row.body).bind(micros(row.at))
                    .execute(&mut *c).await.map_err(map)?;
                if row.seq == 1 {
                    // It has begun: a later event of the same occasion must not move it any more.
                    sqlx::query("UPDATE runs SET state = 'ready' WHERE shop_id = $1 AND run_id = $2 AND state = 'delayed'")
                        .bind(shop.as_str()).bind(id.as_str()).execute(&mut *c).await.map_err(map)?;
                }
                if let Some(seq) = signal {
                    sqlx::query("UPDATE signals SET consumed = 1 WHERE shop_id = $1 AND run_id = $2 AND seq = $3")
                        .bind(shop.as_str()).bind(id.as_str()).bind(i64::from(seq)).execute(&mut *c).await.map_err(map)?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Notes that a run has ended or is parked. A run that has ended stays as it ended.
    pub async fn end_run(
        &self,
        id: &RunId,
        state: RunState,
        why: Option<String>,
        outcome: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE runs SET state = $3, wake_at = NULL, wait_for = $4, outcome = $5, updated_at = $6
                     WHERE shop_id = $1 AND run_id = $2 AND state <> 'done'",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(state.as_str())
                .bind(&why)
                .bind(&outcome)
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                // Nobody is asked about a run that is over.
                sqlx::query(
                    "UPDATE approvals SET state = 'expired' WHERE shop_id = $1 AND run_id = $2 AND state = 'pending'",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that a run waits, and the machine state a newer binary would begin from. A signal that came meanwhile keeps
    /// the run ready: it would be overlooked otherwise.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the journal has grown since `parked.seq`: another driver took the run on, and what
    /// this one knows is out of date.
    pub async fn rest_run(
        &self,
        id: &RunId,
        wake_at: Option<Timestamp>,
        wait_for: String,
        parked: ParkedState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                let (last,): (i64,) =
                    sqlx::query_as("SELECT COALESCE(MAX(seq), 0) FROM journal WHERE shop_id = $1 AND run_id = $2")
                        .bind(shop.as_str()).bind(id.as_str()).fetch_one(&mut *c).await.map_err(map)?;
                if last != i64::from(parked.seq) {
                    return Err(StoreError::Conflict(format!("run {id}")));
                }
                sqlx::query(
                    "UPDATE runs SET wake_at = $3, wait_for = $4, updated_at = $5, state = CASE
                         WHEN EXISTS (SELECT 1 FROM signals WHERE shop_id = $1 AND run_id = $2 AND consumed = 0) THEN 'ready'
                         ELSE 'waiting' END
                     WHERE shop_id = $1 AND run_id = $2 AND state <> 'done'",
                )
                .bind(shop.as_str()).bind(id.as_str()).bind(wake_at.map(micros)).bind(&wait_for).bind(micros(now))
                .execute(&mut *c).await.map_err(map)?;
                sqlx::query(
                    "INSERT INTO parked_states (shop_id, run_id, seq, version, body) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (shop_id, run_id) DO UPDATE SET seq = excluded.seq, version = excluded.version, body = excluded.body",
                )
                .bind(shop.as_str()).bind(id.as_str()).bind(i64::from(parked.seq)).bind(i64::from(parked.version)).bind(&parked.body)
                .execute(c).await.map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Makes a run that waits for its time due now.
    pub async fn wake(&self, id: &RunId, now: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("UPDATE runs SET state = 'ready', updated_at = $3 WHERE shop_id = $1 AND run_id = $2 AND state = 'delayed'")
                    .bind(shop.as_str()).bind(id.as_str()).bind(micros(now)).execute(c).await.map_err(map)?;
                Ok(())
            })
        })
        .await
    }
}
