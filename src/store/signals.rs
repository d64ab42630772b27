//! A run's own inbox: what reaches it from outside, used up when the journal row that answers it is written.

use kit::{Principal, RunId, StoreError, Timestamp};

use super::error::map;
use super::seal::Place;
use super::settings::append_audit;
use super::{DbConnection, ShopStore, corrupt, micros};

impl ShopStore {
    /// Puts a signal into a run's inbox and wakes it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is no such run, or its person was erased.
    pub async fn signal(&self, id: &RunId, body: String, now: Timestamp) -> Result<(), StoreError> {
        let body = self.seal_signal(id, &body).await?;
        let id = id.clone();
        self.write(move |c, shop| Box::pin(async move { put_signal(c, shop.as_str(), id.as_str(), &body, now).await }))
            .await
    }

    /// Calls a run off: the signal, and who said so and why.
    pub async fn call_off(
        &self,
        id: &RunId,
        signal: String,
        who: &Principal,
        words: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let signal = self.seal_signal(id, &signal).await?;
        let (id, who, words) = (id.clone(), who.name(), words.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                put_signal(c, shop.as_str(), id.as_str(), &signal, now).await?;
                append_audit(c, shop.as_str(), now, &who, "run.cancelled", id.as_str(), &words).await
            })
        })
        .await
    }

    /// Wakes every run that a kill switch holds, with this signal, which says nothing about anybody and is stored as it is;
    /// each looks again for itself. Returns how many.
    pub async fn release_killed(&self, signal: &str, now: Timestamp) -> Result<u64, StoreError> {
        let signal = signal.to_owned();
        self.write(move |c, shop| {
            Box::pin(async move {
                let held: Vec<(String,)> = sqlx::query_as(
                    "SELECT run_id FROM runs WHERE shop_id = $1 AND state = 'waiting' AND wait_for LIKE '%kill switch%' ORDER BY run_id",
                )
                .bind(shop.as_str())
                .fetch_all(&mut *c)
                .await
                .map_err(map)?;
                let count = held.len() as u64;
                for (run,) in held {
                    put_signal(c, shop.as_str(), &run, &signal, now).await?;
                }
                Ok(count)
            })
        })
        .await
    }

    /// Signals not yet used, oldest first.
    pub async fn signals(&self, id: &RunId) -> Result<Vec<(u32, String)>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT seq, body FROM signals WHERE shop_id = $1 AND run_id = $2 AND consumed = 0 ORDER BY seq",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let opener = self.opener(rows.iter().map(|(_, body)| body.as_bytes())).await?;
        rows.into_iter()
            .map(|(seq, body)| {
                let seq = u32::try_from(seq).map_err(|e| corrupt("signal", e))?;
                Ok((seq, opener.text(signal_of(id.as_str()), body)?))
            })
            .collect()
    }

    /// A signal as it is put into a run's inbox.
    pub(super) async fn seal_signal(&self, run: &RunId, body: &str) -> Result<String, StoreError> {
        self.key_of_run(run).await?.seal(signal_of(run.as_str()), body)
    }

    /// Drops a signal that no longer has a meaning (a decision on a run that moved on).
    pub async fn drop_signal(&self, id: &RunId, seq: u32) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| Box::pin(async move { use_up(c, shop.as_str(), id.as_str(), seq).await })).await
    }
}

/// Notes that a signal is not to be read again.
pub(super) async fn use_up(c: &mut DbConnection, shop: &str, run: &str, seq: u32) -> Result<(), StoreError> {
    sqlx::query("UPDATE signals SET consumed = 1 WHERE shop_id = $1 AND run_id = $2 AND seq = $3")
        .bind(shop)
        .bind(run)
        .bind(i64::from(seq))
        .execute(c)
        .await
        .map_err(map)?;
    Ok(())
}

/// Where a run's signals stand. Their numbers are given in the database, so a signal is bound to its run alone.
pub(super) fn signal_of(run: &str) -> Place<'_> {
    Place::of("signals.body", run)
}

/// Within a transaction that is open already: the decision and its signal commit together. The body is sealed
/// ([`ShopStore::seal_signal`]), or words of our own that name nobody.
pub(super) async fn put_signal(
    c: &mut DbConnection,
    shop: &str,
    run: &str,
    body: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO signals (shop_id, run_id, seq, body, at, consumed)
         SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, 0 FROM signals WHERE shop_id = $1 AND run_id = $2",
    )
    .bind(shop)
    .bind(run)
    .bind(body)
    .bind(micros(now))
    .execute(&mut *c)
    .await
    .map_err(map)?;
    sqlx::query("UPDATE runs SET state = 'ready', updated_at = $3 WHERE shop_id = $1 AND run_id = $2 AND state IN ('delayed', 'waiting')")
        .bind(shop).bind(run).bind(micros(now)).execute(c).await.map_err(map)?;
    Ok(())
}
