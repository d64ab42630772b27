//! Beginning runs: one run an occasion, moved by a newer event, or in the place of others.

use kit::{CustomerId, Digest, FlowId, RunId, StoreError, Timestamp};

use super::super::error::map;
use super::super::signals::put_signal;
use super::super::timers::set_timer;
use super::super::{DbConnection, ShopStore, corrupt, from_json, micros};
use super::RunState;

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
}

async fn admit(c: &mut DbConnection, shop: &str, new: NewRun, now: Timestamp) -> Result<Admission, StoreError> {
    let superseded = supersede(c, shop, &new, now).await?;
    let state = if new.due > now { RunState::Delayed } else { RunState::Ready };
    // Most occasions are new: asking first would be a statement more.
    let begun = sqlx::query(
        "INSERT INTO runs (shop_id, run_id, flow, customer_id, occasion, step, state, wake_at, wait_for, release, plan, outcome, created_at, updated_at, timer)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $10, NULL, $11, $11, 1) ON CONFLICT DO NOTHING",
    )
    .bind(shop).bind(new.id.as_str()).bind(new.flow.as_str()).bind(new.customer.as_str()).bind(&new.occasion)
    .bind(i64::from(new.step)).bind(state.as_str()).bind(micros(new.due)).bind(new.release.to_string()).bind(&new.plan).bind(micros(now))
    .execute(&mut *c).await.map_err(map)?;
    if begun.rows_affected() > 0 {
        set_timer(c, shop, new.id.as_str(), 1, new.due, &new.cause, now).await?;
        return Ok(Admission { run: new.id, new: true, superseded });
    }
    let run = again(c, shop, &new, now).await?;
    Ok(Admission { run, new: false, superseded })
}

/// The run that an occasion has already, moved when it still waits for its time and the event is newer.
async fn again(c: &mut DbConnection, shop: &str, new: &NewRun, now: Timestamp) -> Result<RunId, StoreError> {
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
    // No run of the occasion: its id is another occasion's.
    let (id, state, wake_at, plan, timer) = found.ok_or_else(|| StoreError::Conflict(format!("run {}", new.id)))?;
    let due = micros(new.due);
    // The newer event counts, not the later due time: a cart that changed from boots to socks is due earlier.
    let newer = triggered_at(&plan)? <= triggered_at(&new.plan)?;
    if state == RunState::Delayed.as_str() && newer && (wake_at != due || plan != new.plan) {
        sqlx::query("UPDATE runs SET wake_at = $3, plan = $4, release = $5, updated_at = $6, timer = $7 WHERE shop_id = $1 AND run_id = $2")
            .bind(shop).bind(&id).bind(due).bind(&new.plan).bind(new.release.to_string()).bind(micros(now)).bind(timer + 1)
            .execute(&mut *c).await.map_err(map)?;
        set_timer(c, shop, &id, timer + 1, new.due, &new.cause, now).await?;
    }
    RunId::new(id).map_err(|e| corrupt("run", e))
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
