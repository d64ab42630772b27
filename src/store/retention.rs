//! Retention: what an ended run's journal leaves behind when it is pruned.
//!
//! The run's row, its approvals, its sends and the audit trail stay: who decided what about which message, and what became of
//! it. What goes is the journal itself, with the state and the signals that only it needed.

use kit::{Digest, Principal, RunId, StoreError, Timestamp};

use super::error::map;
use super::settings::append_audit;
use super::{DbConnection, ShopStore, corrupt, micros, stamp};

/// Journals pruned in one commit: others wait that long.
const BATCH: i64 = 200;

/// What is left of a pruned journal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Pruned {
    /// How many rows it had.
    pub rows: i64,
    /// The hash of its last row, over all before it.
    pub head: Digest,
    /// When it was pruned.
    pub at: Timestamp,
}

impl ShopStore {
    /// Prunes journals of runs that ended before a time. Returns how many.
    pub async fn prune_journals(
        &self,
        ended_before: Timestamp,
        who: &Principal,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut pruned = 0;
        loop {
            let who = who.name();
            let some = self
                .write(move |c, shop| Box::pin(async move { prune(c, shop.as_str(), ended_before, &who, now).await }))
                .await?;
            if some == 0 {
                return Ok(pruned);
            }
            pruned += some;
        }
    }

    /// What is left of a run's journal, if it was pruned.
    pub async fn pruned(&self, run: &RunId) -> Result<Option<Pruned>, StoreError> {
        let row: Option<(i64, String, i64)> =
            sqlx::query_as("SELECT entries, head, pruned_at FROM pruned_journals WHERE shop_id = $1 AND run_id = $2")
                .bind(self.shop.as_str())
                .bind(run.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(map)?;
        row.map(|(rows, head, at)| {
            let head = head.parse().map_err(|e| corrupt("pruned journal", e))?;
            Ok(Pruned { rows, head, at: stamp(at, "pruned journal")? })
        })
        .transpose()
    }
}

/// A journal to let go.
pub(super) struct Journal {
    pub(super) run: String,
    pub(super) rows: i64,
    pub(super) head: String,
}

async fn prune(
    c: &mut DbConnection,
    shop: &str,
    ended_before: Timestamp,
    who: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let runs: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT r.run_id, j.seq, j.input_hash FROM runs r JOIN journal j ON j.shop_id = r.shop_id AND j.run_id = r.run_id
         WHERE r.shop_id = $1 AND r.state = 'done' AND r.updated_at < $2
         AND j.seq = (SELECT MAX(k.seq) FROM journal k WHERE k.shop_id = r.shop_id AND k.run_id = r.run_id)
         ORDER BY r.updated_at, r.run_id LIMIT $3",
    )
    .bind(shop)
    .bind(micros(ended_before))
    .bind(BATCH)
    .fetch_all(&mut *c)
    .await
    .map_err(map)?;
    let journals: Vec<Journal> = runs.into_iter().map(|(run, rows, head)| Journal { run, rows, head }).collect();
    prune_these(c, shop, &journals, now).await?;
    if !journals.is_empty() {
        let detail = format!("{} journals of runs that ended before {ended_before}", journals.len());
        append_audit(c, shop, now, who, "journals.pruned", "runs", &detail).await?;
    }
    Ok(journals.len() as u64)
}

/// Lets journals go, with the states and signals that only they needed.
pub(super) async fn prune_these(
    c: &mut DbConnection,
    shop: &str,
    journals: &[Journal],
    now: Timestamp,
) -> Result<(), StoreError> {
    for Journal { run, rows, head } in journals {
        sqlx::query(
            "INSERT INTO pruned_journals (shop_id, run_id, entries, head, pruned_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(shop)
        .bind(run)
        .bind(rows)
        .bind(head)
        .bind(micros(now))
        .execute(&mut *c)
        .await
        .map_err(map)?;
        for table in ["journal", "parked_states", "signals"] {
            let sql = sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE shop_id = $1 AND run_id = $2"));
            sqlx::query(sql).bind(shop).bind(run).execute(&mut *c).await.map_err(map)?;
        }
    }
    Ok(())
}
