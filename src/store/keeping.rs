//! What retention counts and lets go, class by class. That something came or went out stays; what it said does not.

use std::sync::Arc;

use kit::campaign::BRIEF_FLOW;
use kit::message::{DedupeKey, Outgoing, ReserveRequest};
use kit::{Principal, StoreError, Timestamp};

use super::error::map;
use super::ledger::request_of;
use super::retention::{Journal, prune_these};
use super::{ShopStore, corrupt, from_json, micros, to_json};

/// Rows let go in one commit: others wait that long.
const BATCH: i64 = 200;

const WEBHOOKS: &str = "FROM inbox WHERE shop_id = $1 AND state = 'done' AND received_at < $2 AND LENGTH(body) > 0";
const ACTIVITY: &str = "FROM activity WHERE shop_id = $1 AND at < $2";
const GISTS: &str = "FROM gists WHERE shop_id = $1 AND at < $2 AND customer_id IS NOT NULL";
const MESSAGES: &str = "FROM sends WHERE shop_id = $1 AND state <> 'reserved' AND reserved_at < $2 AND emptied_at IS NULL AND request <> ''";
const JOURNALS: &str = "FROM runs r WHERE r.shop_id = $1 AND r.state = 'done' AND r.updated_at < $2
     AND EXISTS (SELECT 1 FROM journal j WHERE j.shop_id = r.shop_id AND j.run_id = r.run_id)";

/// Conversations whose transcripts are there; their flow's name is written by code alone.
fn conversations() -> String {
    format!(
        "FROM runs r WHERE r.shop_id = $1 AND r.flow = '{BRIEF_FLOW}' AND r.updated_at < $2
         AND EXISTS (SELECT 1 FROM journal j WHERE j.shop_id = r.shop_id AND j.run_id = r.run_id)"
    )
}

impl ShopStore {
    async fn count(&self, from: &str, before: Timestamp) -> Result<u64, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {from}"));
        let (count,): (i64,) = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(micros(before))
            .fetch_one(self.readers())
            .await
            .map_err(map)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Webhooks that were worked in, came before a time and still have their body.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn old_webhooks(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.count(WEBHOOKS, before).await
    }

    /// Empties them: that they came stays. Returns how many.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn empty_webhooks(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = format!(
            "UPDATE inbox SET body = $3 WHERE shop_id = $1 AND event_id IN (SELECT event_id {WEBHOOKS} ORDER BY received_at, event_id LIMIT {BATCH})"
        );
        self.by_batches(&sql, before, Some(Vec::new())).await
    }

    /// Visits from before a time.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn old_activity(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.count(ACTIVITY, before).await
    }

    /// Drops them, some customers a commit. Returns how many.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn drop_activity(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = format!(
            "DELETE {ACTIVITY} AND customer_id IN (SELECT DISTINCT customer_id {ACTIVITY} ORDER BY customer_id LIMIT {BATCH})"
        );
        self.by_batches(&sql, before, None).await
    }

    /// What customers' notes and tickets from before a time were about.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn old_said(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.count(GISTS, before).await
    }

    /// Drops it, some customers a commit. Returns how many.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn drop_said(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = format!(
            "DELETE {GISTS} AND customer_id IN (SELECT DISTINCT customer_id {GISTS} ORDER BY customer_id LIMIT {BATCH})"
        );
        self.by_batches(&sql, before, None).await
    }

    /// Runs a statement that changes a few rows from before a time until it changes none: a commit each. Returns how many.
    async fn by_batches(&self, sql: &str, before: Timestamp, third: Option<Vec<u8>>) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let (sql, third) = (sql.to_owned(), third.clone());
            let some = self
                .write(move |c, shop| {
                    Box::pin(async move {
                        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(shop.as_str()).bind(micros(before));
                        if let Some(third) = third {
                            query = query.bind(third);
                        }
                        Ok(query.execute(c).await.map_err(map)?.rows_affected())
                    })
                })
                .await?;
            if some == 0 {
                return Ok(all);
            }
            all += some;
        }
    }

    /// Settled messages from before a time that still have their words.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn old_messages(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.count(MESSAGES, before).await
    }

    /// Empties some of them: the row stays, so that nothing goes out twice. Returns their keys; none when no more is there.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn empty_messages(&self, before: Timestamp, now: Timestamp) -> Result<Vec<DedupeKey>, StoreError> {
        let sql = format!("SELECT dedupe_key, request {MESSAGES} ORDER BY reserved_at, dedupe_key LIMIT {BATCH}");
        let keyring = Arc::clone(self.keyring());
        self.write(move |c, shop| {
            Box::pin(async move {
                let rows: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                    .bind(shop.as_str())
                    .bind(micros(before))
                    .fetch_all(&mut *c)
                    .await
                    .map_err(map)?;
                let mut keys = Vec::with_capacity(rows.len());
                let stored = rows.iter().map(|(_, request)| request.as_bytes());
                let opener = keyring.opener(&mut *c, shop.as_str(), stored).await?;
                for (key, stored) in rows {
                    let sealed = opener.key_of(&stored).cloned();
                    let mut request: ReserveRequest = from_json(&opener.text(request_of(&key), stored)?, "send")?;
                    match &mut request.message {
                        Outgoing::Mail(mail) => {
                            mail.subject.clear();
                            mail.html.clear();
                            mail.text.clear();
                            mail.headers.clear();
                        }
                        Outgoing::Sms(text) => text.body.clear(),
                    }
                    request.facts.clear();
                    let plain = to_json(&request, "send")?;
                    let emptied = match sealed {
                        Some(sealed) => sealed.seal(request_of(&key), &plain)?,
                        None => plain,
                    };
                    sqlx::query(
                        "UPDATE sends SET request = $3, emptied_at = $4 WHERE shop_id = $1 AND dedupe_key = $2",
                    )
                    .bind(shop.as_str())
                    .bind(&key)
                    .bind(emptied)
                    .bind(micros(now))
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                    keys.push(key.parse().map_err(|e| corrupt("send", e))?);
                }
                Ok(keys)
            })
        })
        .await
    }

    /// Journals of runs that ended before a time.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn old_journals(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.count(JOURNALS, before).await
    }

    /// Conversations in which nothing was said since a time.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn old_conversations(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.count(&conversations(), before).await
    }

    /// Ends them and lets their transcripts go; their briefs stay. Returns how many.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn prune_conversations(
        &self,
        before: Timestamp,
        who: &Principal,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = format!(
            "SELECT r.run_id, (SELECT MAX(k.seq) FROM journal k WHERE k.shop_id = r.shop_id AND k.run_id = r.run_id) {} ORDER BY r.updated_at, r.run_id LIMIT {BATCH}",
            conversations()
        );
        let outcome =
            r#"{"outcome":"no_send","code":"retention","reason":"its transcript was kept as long as the policy says"}"#;
        let mut pruned = 0;
        loop {
            let (sql, who) = (sql.clone(), who.name());
            let some = self
                .write(move |c, shop| {
                    Box::pin(async move {
                        let old: Vec<(String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                            .bind(shop.as_str())
                            .bind(micros(before))
                            .fetch_all(&mut *c)
                            .await
                            .map_err(map)?;
                        let mut journals = Vec::with_capacity(old.len());
                        for (run, rows) in old {
                            let (head,): (String,) = sqlx::query_as(
                                "SELECT input_hash FROM journal WHERE shop_id = $1 AND run_id = $2 AND seq = $3",
                            )
                            .bind(shop.as_str())
                            .bind(&run)
                            .bind(rows)
                            .fetch_one(&mut *c)
                            .await
                            .map_err(map)?;
                            sqlx::query(
                                "UPDATE runs SET state = 'done', wake_at = NULL, wait_for = NULL, outcome = COALESCE(outcome, $3)
                                 WHERE shop_id = $1 AND run_id = $2",
                            )
                            .bind(shop.as_str())
                            .bind(&run)
                            .bind(outcome)
                            .execute(&mut *c)
                            .await
                            .map_err(map)?;
                            journals.push(Journal { run, rows, head });
                        }
                        prune_these(c, shop.as_str(), &journals, now).await?;
                        if !journals.is_empty() {
                            let detail = format!("{} transcripts from before {before}", journals.len());
                            super::settings::append_audit(c, shop.as_str(), now, &who, "conversations.pruned", "runs", &detail)
                                .await?;
                        }
                        Ok(journals.len() as u64)
                    })
                })
                .await?;
            if some == 0 {
                return Ok(pruned);
            }
            pruned += some;
        }
    }
}
