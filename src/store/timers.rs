//! Timers: every time a run was given to begin at. The newest version counts, and one that was moved finds that out when it
//! fires.

use kit::{RunId, StoreError, Timestamp};

use super::error::map;
use super::journal::{Appended, insert};
use super::{DbConnection, JournalRow, ShopStore, micros, stamp};

/// One version of a run's timer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Timer {
    /// Counts from 1.
    pub version: i64,
    /// When it is due.
    pub due_at: Timestamp,
    /// What set it: an event's id, or who began the run by hand.
    pub cause: String,
    /// When it was set.
    pub set_at: Timestamp,
    /// How it ended: `moved`, `fired`, or `early` (the run was begun before its time, by a person or a cancellation).
    pub ended: Option<String>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl ShopStore {
    /// All versions of a run's timer, oldest first.
    pub async fn timers(&self, run: &RunId) -> Result<Vec<Timer>, StoreError> {
        type Row = (i64, i64, String, i64, Option<String>, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT version, due_at, cause, set_at, ended, ended_at FROM timers WHERE shop_id = $1 AND run_id = $2 ORDER BY version",
        )
        .bind(self.shop.as_str())
        .bind(run.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(version, due_at, cause, set_at, ended, ended_at)| {
                Ok(Timer {
                    version,
                    due_at: stamp(due_at, "timer")?,
                    cause,
                    set_at: stamp(set_at, "timer")?,
                    ended,
                    ended_at: ended_at.map(|at| stamp(at, "timer")).transpose()?,
                })
            })
            .collect()
    }

    /// Begins a run: its first journal row and the end of its timer in one commit. False, and nothing written, when the timer
    /// was moved since the run was read: it is not due any more.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another driver has begun it.
    pub async fn begin_run(&self, id: &RunId, timer: i64, row: JournalRow) -> Result<bool, StoreError> {
        let id = id.clone();
        let row = row.sealed(&id, &*self.key_of_run(&id).await?)?;
        self.write(move |c, shop| {
            Box::pin(async move {
                // It has begun: a later event of the same occasion must not move it any more.
                let begun = sqlx::query(
                    "UPDATE runs SET state = CASE state WHEN 'delayed' THEN 'ready' ELSE state END
                     WHERE shop_id = $1 AND run_id = $2 AND timer = $3",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(timer)
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if begun.rows_affected() == 0 {
                    return Ok(false);
                }
                let at = row.at;
                insert(c, &[&Appended { shop: shop.clone(), run: id.clone(), row }]).await?;
                let ended = "CASE WHEN due_at <= $4 THEN 'fired' ELSE 'early' END";
                end_timer(c, shop.as_str(), id.as_str(), timer, at, ended).await?;
                Ok(true)
            })
        })
        .await
    }
}

/// Sets a run's first timer, or its next version in place of the one that stands.
pub(super) async fn set_timer(
    c: &mut DbConnection,
    shop: &str,
    run: &str,
    version: i64,
    due: Timestamp,
    cause: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if version > 1 {
        end_timer(c, shop, run, version - 1, now, "'moved'").await?;
    }
    sqlx::query("INSERT INTO timers (shop_id, run_id, version, due_at, cause, set_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(shop)
        .bind(run)
        .bind(version)
        .bind(micros(due))
        .bind(cause)
        .bind(micros(now))
        .execute(c)
        .await
        .map_err(map)?;
    Ok(())
}

/// `how` is SQL of this file: a word in quotes, or what chooses one.
async fn end_timer(
    c: &mut DbConnection,
    shop: &str,
    run: &str,
    version: i64,
    at: Timestamp,
    how: &'static str,
) -> Result<(), StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "UPDATE timers SET ended = {how}, ended_at = $4 WHERE shop_id = $1 AND run_id = $2 AND version = $3 AND ended IS NULL"
    ));
    sqlx::query(sql).bind(shop).bind(run).bind(version).bind(micros(at)).execute(c).await.map_err(map)?;
    Ok(())
}
