//! The journal: one row a step, appended once, and the machine of a run that waits.

use kit::{Digest, RunId, ShopId, StoreError, Timestamp};

use super::error::map;
use super::signals::use_up;
use super::writer::{Row, Statements, TOGETHER};
use super::{DbConnection, ShopStore, corrupt, micros, stamp};

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

impl ShopStore {
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
        let Some(signal) = signal else {
            return self.store.writer.append(Appended { shop: self.shop.clone(), run: id.clone(), row }).await;
        };
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                let appended = Appended { shop, run: id, row };
                insert(c, &[&appended]).await?;
                use_up(c, appended.shop.as_str(), appended.run.as_str(), signal).await
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
}

/// A row of a run of a shop, to be written.
pub(super) struct Appended {
    pub(super) shop: ShopId,
    pub(super) run: RunId,
    pub(super) row: JournalRow,
}

impl Row for Appended {
    type Answer = ();

    async fn together(c: &mut DbConnection, rows: &[&Self]) -> Result<Vec<()>, StoreError> {
        insert(c, rows).await?;
        Ok(vec![(); rows.len()])
    }

    async fn alone(&self, c: &mut DbConnection) -> Result<(), StoreError> {
        insert(c, &[self]).await
    }
}

static INSERT: Statements = Statements::new(
    "INSERT INTO journal (shop_id, run_id, seq, step, input_hash, body, at)
     SELECT column1, column2, column3, column4, column5, column6, column7 FROM (VALUES ",
    7,
    ") AS entries WHERE NOT EXISTS (SELECT 1 FROM runs WHERE shop_id = column1 AND run_id = column2 AND plan = '')",
);

/// Writes journal rows, sixteen a statement; a position may be taken only once, and none in a run whose person was erased
/// meanwhile.
///
/// # Errors
/// [`StoreError::Conflict`] when that is so for one of them; others may be written then, and the caller takes them back.
pub(super) async fn insert(c: &mut DbConnection, rows: &[&Appended]) -> Result<(), StoreError> {
    for together in rows.chunks(TOGETHER) {
        let mut query = sqlx::query(INSERT.of(together.len()));
        for Appended { shop, run, row } in together {
            query = query.bind(shop.as_str()).bind(run.as_str()).bind(i64::from(row.seq)).bind(row.step.as_str());
            query = query.bind(row.input_hash.to_string()).bind(row.body.as_str()).bind(micros(row.at));
        }
        let written = query.execute(&mut *c).await.map_err(map)?;
        // Its person was erased while it was driven.
        if written.rows_affected() != together.len() as u64 {
            let runs: Vec<&str> = together.iter().map(|appended| appended.run.as_str()).collect();
            return Err(StoreError::Conflict(format!("run {}", runs.join(", "))));
        }
    }
    Ok(())
}
