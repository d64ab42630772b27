//! What the ledger tells: sends as listed for people, and what was sent or granted before.

use kit::message::{Channel, DedupeKey, LedgerRow, LedgerStore, SendState};
use kit::tool::Subject;
use kit::{CustomerId, RunId, StoreError, Timestamp};

use super::super::error::map;
use super::super::{ShopStore, corrupt, stamp};
use super::{COLUMNS, Tuple, row, send_state, sends_to};

/// A send as listed for people: no content, no address.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SendRow {
    /// The key.
    pub key: String,
    /// The run.
    pub run: RunId,
    /// For whom.
    pub customer: CustomerId,
    /// The flow.
    pub flow: String,
    /// Where it stands.
    pub state: SendState,
    /// The approval that cleared it.
    pub approval: Option<String>,
    /// When it was reserved.
    pub reserved_at: Timestamp,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

type Listed = (String, String, String, String, String, Option<String>, Option<String>, i64, Option<i64>);

const LISTED: &str =
    "SELECT dedupe_key, run_id, customer_id, flow, state, detail, approval_id, reserved_at, settled_at FROM sends";

fn listed(row: Listed) -> Result<SendRow, StoreError> {
    let (key, run, customer, flow, state, detail, approval, reserved_at, settled_at) = row;
    Ok(SendRow {
        key,
        run: RunId::new(run).map_err(|e| corrupt("send", e))?,
        customer: CustomerId::new(customer).map_err(|e| corrupt("send", e))?,
        flow,
        state: send_state(&state, detail, settled_at)?,
        approval,
        reserved_at: stamp(reserved_at, "send")?,
        settled_at: settled_at.map(|at| stamp(at, "send")).transpose()?,
    })
}

impl ShopStore {
    /// Sends, newest first.
    pub async fn sends(&self, limit: u32) -> Result<Vec<SendRow>, StoreError> {
        let sql =
            sqlx::AssertSqlSafe(format!("{LISTED} WHERE shop_id = $1 ORDER BY reserved_at DESC, dedupe_key LIMIT $2"));
        let rows: Vec<Listed> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(listed).collect()
    }

    /// Sends of one run.
    pub async fn sends_of(&self, run: &RunId) -> Result<Vec<SendRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{LISTED} WHERE shop_id = $1 AND run_id = $2 ORDER BY reserved_at, dedupe_key"
        ));
        let rows: Vec<Listed> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(run.as_str())
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(listed).collect()
    }

    /// Times of marketing messages to a customer since a time.
    pub async fn sends_to(&self, customer: &CustomerId, since: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        sends_to(&mut connection, self.shop.as_str(), customer.as_str(), "", "", since).await
    }

    /// The row of an occasion, whatever address it went to.
    pub async fn sent_for(&self, subject: &Subject, channel: Channel) -> Result<Option<LedgerRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE shop_id = $1 AND customer_id = $2 AND channel = $3 AND flow = $4 AND occasion = $5 AND step = $6 AND request <> ''"
        ));
        let found: Option<Tuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(subject.customer.as_str())
            .bind(channel.as_str())
            .bind(subject.flow.as_str())
            .bind(&subject.occasion)
            .bind(i64::from(subject.step))
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        let Some(found) = found else { return Ok(None) };
        let opener = self.opener([found.4.as_bytes()]).await?;
        row(found, &opener).map(Some)
    }

    /// The message of a send, for people with the right to see it.
    pub async fn sent_message(&self, key: DedupeKey) -> Result<Option<LedgerRow>, StoreError> {
        LedgerStore::find(self.store(), &self.shop, key).await
    }

    /// Keys of rows that are reserved but not settled: what a restart begins with.
    pub async fn unsettled_sends(&self) -> Result<Vec<DedupeKey>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT dedupe_key FROM sends WHERE shop_id = $1 AND state = 'reserved' ORDER BY reserved_at",
        )
        .bind(self.shop.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter().map(|(key,)| key.parse().map_err(|e| corrupt("send", e))).collect()
    }

    /// True when this step was granted to anybody under this release: an offer is new the first time.
    pub async fn offer_was_granted(&self, step: &kit::OfferStepId, release: kit::Digest) -> Result<bool, StoreError> {
        let row: Option<(String,)> = sqlx::query_as(
            "SELECT o.code FROM offers_granted o JOIN sends s ON s.shop_id = o.shop_id AND s.run_id = o.run_id
                 WHERE o.shop_id = $1 AND o.step = $2 AND s.release = $3 LIMIT 1",
        )
        .bind(self.shop.as_str())
        .bind(step.as_str())
        .bind(release.to_string())
        .fetch_optional(self.readers())
        .await
        .map_err(map)?;
        Ok(row.is_some())
    }

    /// How many messages of this flow and release have left: a new flow is watched by a person.
    pub async fn sends_of_release(&self, flow: &kit::FlowId, release: kit::Digest) -> Result<u64, StoreError> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM sends WHERE shop_id = $1 AND flow = $2 AND release = $3")
                .bind(self.shop.as_str())
                .bind(flow.as_str())
                .bind(release.to_string())
                .fetch_one(self.readers())
                .await
                .map_err(map)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
