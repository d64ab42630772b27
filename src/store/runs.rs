//! Runs and their journal.

use kit::{CustomerId, Digest, FlowId, RunId, StoreError, Timestamp};

use super::error::map;
use super::signals::put_signal;
use super::timers::set_timer;
use super::{DbConnection, ShopStore, corrupt, from_json, micros, stamp};

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
    /// What sets its timer: an event's id, or who begins it by hand.
    pub cause: String,
    /// What it takes the place of.
    pub supersede: Option<Supersede>,
    /// The release it is pinned to.
    pub release: Digest,
    /// What the driver needs to begin, as its own versioned JSON.
    pub plan: String,
}

/// Runs of the same flow and customer whose place a new one takes while they wait for their time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supersede {
    /// Begun since then.
    pub since: Timestamp,
    /// The signal that calls them off.
    pub signal: String,
}

/// What became of a run to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The run of this occasion.
    pub run: RunId,
    /// False when an earlier event had begun it.
    pub new: bool,
    /// Runs whose place it takes: called off.
    pub superseded: Vec<RunId>,
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

impl ShopStore {
    /// Begins a run, or moves a run of the same occasion that still waits for its time: a cart update restarts the
    /// delay, an older one that comes late does not. A run that has begun is left alone.
    pub async fn admit(&self, new: NewRun, now: Timestamp) -> Result<Admission, StoreError> {
        self.write(move |c, shop| Box::pin(async move { admit(c, shop.as_str(), new, now).await })).await
    }

    /// Begins another run of an occasion whose last one is over, as long as the occasion has no message. `None` when that
    /// is not so any more: another process took the occasion up, or something was sent.
    pub async fn admit_again(&self, new: NewRun, attempt: u32, now: Timestamp) -> Result<Option<RunId>, StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                let state = if new.due > now { RunState::Delayed } else { RunState::Ready };
                let begun = sqlx::query(
                    "INSERT INTO runs (shop_id, run_id, flow, customer_id, occasion, step, attempt, state, wake_at, wait_for, release, plan, outcome, created_at, updated_at, timer)
                     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, $10, $11, NULL, $12, $12, 1 FROM shops
                     WHERE shop_id = $1
                       AND NOT EXISTS (SELECT 1 FROM sends WHERE shop_id = $1 AND customer_id = $4 AND flow = $3 AND occasion = $5 AND step = $6)
                       AND $7 = (SELECT MAX(attempt) + 1 FROM runs WHERE shop_id = $1 AND flow = $3 AND customer_id = $4 AND occasion = $5 AND step = $6)",
                )
                .bind(shop.as_str()).bind(new.id.as_str()).bind(new.flow.as_str()).bind(new.customer.as_str()).bind(&new.occasion)
                .bind(i64::from(new.step)).bind(i64::from(attempt)).bind(state.as_str()).bind(micros(new.due)).bind(new.release.to_string())
                .bind(&new.plan).bind(micros(now))
                .execute(&mut *c).await.map_err(map)?;
                if begun.rows_affected() == 0 {
                    return Ok(None);
                }
                set_timer(c, shop.as_str(), new.id.as_str(), 1, new.due, &new.cause, now).await?;
                Ok(Some(new.id))
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

    /// Runs that want to be driven: ready ones, and delayed or waiting ones whose time has come. Conversations are not among
    /// them: they are driven by whoever talks.
    pub async fn due_runs(&self, now: Timestamp) -> Result<Vec<RunId>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT run_id FROM runs WHERE shop_id = $1 AND flow <> $3 AND (state = 'ready' OR (state IN ('delayed', 'waiting') AND wake_at <= $2)) ORDER BY created_at, run_id",
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

    /// The machine stored when the run last waited.
    pub async fn parked_state(&self, id: &RunId) -> Result<Option<ParkedState>, StoreError> {
        let row: Option<(i64, i64, String)> =
            sqlx::query_as("SELECT seq, version, body FROM parked_states WHERE shop_id = $1 AND run_id = $2")
                .bind(self.shop.as_str())
                .bind(id.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(map)?;
        row.map(|(seq, version, body)| {
            let small = |n: i64| u32::try_from(n).map_err(|e| corrupt("parked state", e));
            Ok(ParkedState { seq: small(seq)?, version: small(version)?, body })
        })
        .transpose()
    }

    /// Appends a step and, in the same commit, uses up the signal that it answers. [`StoreError::Conflict`] when another
    /// driver wrote this position: this one must stop.
    pub async fn append(&self, id: &RunId, row: JournalRow, signal: Option<u32>) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                insert_row(c, shop.as_str(), id.as_str(), &row).await?;
                if let Some(seq) = signal {
                    sqlx::query("UPDATE signals SET consumed = 1 WHERE shop_id = $1 AND run_id = $2 AND seq = $3")
                        .bind(shop.as_str())
                        .bind(id.as_str())
                        .bind(i64::from(seq))
                        .execute(&mut *c)
                        .await
                        .map_err(map)?;
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
                super::approvals::lapse(c, shop.as_str(), &id, now).await
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

    /// Notes that a try failed, and when the next one is.
    pub async fn postpone(&self, id: &RunId, until: Timestamp, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let (id, why) = (id.clone(), format!("another try: {why}"));
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE runs SET failures = failures + 1, state = 'waiting', wake_at = $3, wait_for = $4, updated_at = $5
                     WHERE shop_id = $1 AND run_id = $2 AND state IN ('delayed', 'ready', 'waiting')",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(micros(until))
                .bind(&why)
                .bind(micros(now))
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that a step worked after tries of it had failed.
    pub async fn recovered(&self, id: &RunId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("UPDATE runs SET failures = 0 WHERE shop_id = $1 AND run_id = $2")
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

    /// Lets a parked run, or one that waits for its next try, be driven at once.
    pub async fn unpark(&self, id: &RunId, now: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE runs SET state = 'ready', failures = 0, wait_for = NULL, updated_at = $3
                     WHERE shop_id = $1 AND run_id = $2 AND state IN ('parked', 'waiting') AND outcome IS NULL",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(micros(now))
                .execute(c)
                .await
                .map_err(map)?;
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

async fn admit(c: &mut DbConnection, shop: &str, new: NewRun, now: Timestamp) -> Result<Admission, StoreError> {
    let superseded = supersede(c, shop, &new, now).await?;
    let found: Option<(String, String, i64, String, i64)> = sqlx::query_as(
        "SELECT run_id, state, COALESCE(wake_at, 0), plan, timer FROM runs WHERE shop_id = $1 AND flow = $2 AND customer_id = $3 AND occasion = $4 AND step = $5
         ORDER BY attempt DESC LIMIT 1",
    )
    .bind(shop)
    .bind(new.flow.as_str())
    .bind(new.customer.as_str())
    .bind(&new.occasion)
    .bind(i64::from(new.step))
    .fetch_optional(&mut *c)
    .await
    .map_err(map)?;
    let due = micros(new.due);
    if let Some((id, state, wake_at, plan, timer)) = found {
        // The newer event counts, not the later due time: a cart that changed from boots to socks is due earlier.
        let newer = triggered_at(&plan)? <= triggered_at(&new.plan)?;
        let moves = newer && (wake_at != due || plan != new.plan);
        if state == RunState::Delayed.as_str() && moves {
            sqlx::query("UPDATE runs SET wake_at = $3, plan = $4, release = $5, updated_at = $6, timer = $7 WHERE shop_id = $1 AND run_id = $2")
                .bind(shop).bind(&id).bind(due).bind(&new.plan).bind(new.release.to_string()).bind(micros(now)).bind(timer + 1)
                .execute(&mut *c).await.map_err(map)?;
            set_timer(c, shop, &id, timer + 1, new.due, &new.cause, now).await?;
        }
        return Ok(Admission { run: RunId::new(id).map_err(|e| corrupt("run", e))?, new: false, superseded });
    }
    let state = if new.due > now { RunState::Delayed } else { RunState::Ready };
    sqlx::query(
        "INSERT INTO runs (shop_id, run_id, flow, customer_id, occasion, step, state, wake_at, wait_for, release, plan, outcome, created_at, updated_at, timer)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $10, NULL, $11, $11, 1)",
    )
    .bind(shop).bind(new.id.as_str()).bind(new.flow.as_str()).bind(new.customer.as_str()).bind(&new.occasion)
    .bind(i64::from(new.step)).bind(state.as_str()).bind(due).bind(new.release.to_string()).bind(&new.plan).bind(micros(now))
    .execute(&mut *c).await.map_err(map)?;
    set_timer(c, shop, new.id.as_str(), 1, new.due, &new.cause, now).await?;
    Ok(Admission { run: new.id, new: true, superseded })
}

/// When the event happened that a plan is about.
fn triggered_at(plan: &str) -> Result<Timestamp, StoreError> {
    #[derive(serde::Deserialize)]
    struct Plan {
        subject: Subject,
    }
    #[derive(serde::Deserialize)]
    struct Subject {
        triggered_at: Timestamp,
    }
    from_json::<Plan>(plan, "run plan").map(|plan| plan.subject.triggered_at)
}

/// Debounce: of one flow's occasions for one person that come close together, only the newest is written about.
async fn supersede(c: &mut DbConnection, shop: &str, new: &NewRun, now: Timestamp) -> Result<Vec<RunId>, StoreError> {
    let Some(Supersede { since, signal }) = &new.supersede else { return Ok(Vec::new()) };
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT run_id FROM runs WHERE shop_id = $1 AND flow = $2 AND customer_id = $3 AND occasion <> $4 AND state = 'delayed'
         AND created_at >= $5 AND wake_at <= $6 ORDER BY run_id",
    )
    .bind(shop)
    .bind(new.flow.as_str())
    .bind(new.customer.as_str())
    .bind(&new.occasion)
    .bind(micros(*since))
    .bind(micros(new.due))
    .fetch_all(&mut *c)
    .await
    .map_err(map)?;
    let mut superseded = Vec::with_capacity(rows.len());
    for (id,) in rows {
        put_signal(c, shop, &id, signal, now).await?;
        superseded.push(RunId::new(id).map_err(|e| corrupt("run", e))?);
    }
    Ok(superseded)
}

/// Writes one journal row; its position may be taken only once, and not in a run whose person was erased meanwhile.
pub(super) async fn insert_row(
    c: &mut DbConnection,
    shop: &str,
    run: &str,
    row: &JournalRow,
) -> Result<(), StoreError> {
    let written = sqlx::query(
        "INSERT INTO journal (shop_id, run_id, seq, step, input_hash, body, at) SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE NOT EXISTS (SELECT 1 FROM runs WHERE shop_id = $1 AND run_id = $2 AND plan = '')",
    )
    .bind(shop)
    .bind(run)
    .bind(i64::from(row.seq))
    .bind(&row.step)
    .bind(row.input_hash.to_string())
    .bind(&row.body)
    .bind(micros(row.at))
    .execute(c)
    .await
    .map_err(map)?;
    // Its person was erased while it was driven.
    if written.rows_affected() == 0 {
        return Err(StoreError::Conflict(format!("run {run}")));
    }
    Ok(())
}
