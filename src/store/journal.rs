//! The journal: one row a step, appended once, and the machine of a run that waits.

use kit::{Digest, RunId, ShopId, StoreError, Timestamp};

use super::error::map;
use super::seal::{Place, SealKey};
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
    /// The journal of a run from its beginning. A row that was changed keeps what stands in it: whoever folds the journal
    /// finds out at its position, since that is not what its hash is over.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when the key of its person is gone.
    pub async fn journal(&self, id: &RunId) -> Result<Vec<JournalRow>, StoreError> {
        let rows: Vec<(i64, String, String, String, i64)> = sqlx::query_as(
            "SELECT seq, step, input_hash, body, at FROM journal WHERE shop_id = $1 AND run_id = $2 ORDER BY seq",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let opener = self.opener(rows.iter().map(|(_, _, _, body, _)| body.as_bytes())).await?;
        if !rows.is_empty() && rows.iter().all(|(_, _, _, body, _)| opener.is_erased(body)) {
            return Err(StoreError::Erased { what: format!("the journal of run {id}") });
        }
        rows.into_iter()
            .map(|(seq, step, hash, body, at)| {
                let seq = u32::try_from(seq).map_err(|e| corrupt("journal", e))?;
                Ok(JournalRow {
                    seq,
                    step,
                    input_hash: hash.parse().map_err(|e| corrupt("journal", e))?,
                    body: opener.text_or_as_it_stands(body_of(id.as_str(), seq), body),
                    at: stamp(at, "journal")?,
                })
            })
            .collect()
    }

    /// What a run's journal takes in the tables: bytes of its steps, hashes and bodies as they stand, sealed.
    pub async fn journal_bytes(&self, id: &RunId) -> Result<u64, StoreError> {
        let (bytes,): (i64,) = sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(LENGTH(step) + LENGTH(input_hash) + LENGTH(body)), 0) AS BIGINT) FROM journal
             WHERE shop_id = $1 AND run_id = $2",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_one(self.readers())
        .await
        .map_err(map)?;
        u64::try_from(bytes).map_err(|e| corrupt("journal", e))
    }

    /// The machine stored when the run last waited. One that was changed keeps what stands there, as in the journal.
    pub async fn parked_state(&self, id: &RunId) -> Result<Option<ParkedState>, StoreError> {
        let row: Option<(i64, i64, String)> =
            sqlx::query_as("SELECT seq, version, body FROM parked_states WHERE shop_id = $1 AND run_id = $2")
                .bind(self.shop.as_str())
                .bind(id.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(map)?;
        let Some((seq, version, body)) = row else { return Ok(None) };
        let small = |n: i64| u32::try_from(n).map_err(|e| corrupt("parked state", e));
        let opener = self.opener([body.as_bytes()]).await?;
        let body = opener.text_or_as_it_stands(Place::of(PARKED, id.as_str()), body);
        Ok(Some(ParkedState { seq: small(seq)?, version: small(version)?, body }))
    }

    /// Appends a step and, in the same commit, uses up the signal that it answers. [`StoreError::Conflict`] when another
    /// driver wrote this position: this one must stop.
    pub async fn append(&self, id: &RunId, row: JournalRow, signal: Option<u32>) -> Result<(), StoreError> {
        let row = row.sealed(id, &*self.key_of_run(id).await?)?;
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
        let body = self.key_of_run(&id).await?.seal(Place::of(PARKED, id.as_str()), &parked.body)?;
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
                .bind(shop.as_str()).bind(id.as_str()).bind(i64::from(parked.seq)).bind(i64::from(parked.version)).bind(&body)
                .execute(c).await.map_err(map)?;
                Ok(())
            })
        })
        .await
    }
}

/// The column of stored machines.
const PARKED: &str = "parked_states.body";

/// Where a journal row's body stands.
pub(super) fn body_of(run: &str, seq: u32) -> Place<'_> {
    Place { column: "journal.body", row: run, seq }
}

impl JournalRow {
    /// As it is written. Its hash stays the one over what it says.
    pub(super) fn sealed(self, run: &RunId, key: &SealKey) -> Result<Self, StoreError> {
        let body = key.seal(body_of(run.as_str(), self.seq), &self.body)?;
        Ok(Self { body, ..self })
    }
}

/// A row of a run of a shop, to be written: sealed.
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
