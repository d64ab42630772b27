//! Requests in lists: by state, by the page, by run.

use kit::message::{ApprovalState, RiskReason};
use kit::{ApprovalId, RunId, StoreError, Timestamp};

use super::super::error::map;
use super::super::seal::Place;
use super::super::{ShopStore, corrupt, from_json, stamp};
use super::Approval;
use super::rows::{ApprovalRow, COLUMNS, REASONS, state_name};

/// What is known of a request that waits without reading its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The approval.
    pub id: ApprovalId,
    /// The run that waits.
    pub run: RunId,
    /// Why a person must look.
    pub reasons: Vec<RiskReason>,
    /// Since when.
    pub created_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// A place in lists of requests. They are ordered by when they lapse, which is never changed: somebody who turns the page gets each
/// that was there all the time once, whatever was decided or asked meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPlace {
    pub(in crate::store) at: i64,
    pub(in crate::store) id: String,
}

impl ListPlace {
    /// Before the first.
    pub fn start() -> Self {
        Self { at: i64::MIN, id: String::new() }
    }
}

/// One page: shop, state, place and limit.
pub(in crate::store) const BEHIND: &str =
    "WHERE shop_id = $1 AND state = $2 AND expires_at >= $3 AND (expires_at > $3 OR approval_id > $4)
     ORDER BY expires_at, approval_id LIMIT $5";

impl ShopStore {
    /// Approvals in one state, the most urgent first.
    pub async fn approvals(&self, state: ApprovalState, limit: u32) -> Result<Vec<Approval>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE shop_id = $1 AND state = $2 ORDER BY expires_at, approval_id LIMIT $3"
        ));
        let rows: Vec<ApprovalRow> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(state_name(state))
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        self.read_approvals(rows).await
    }

    /// Approvals in one state behind a place, the most urgent first.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn approvals_page(
        &self,
        state: ApprovalState,
        after: &ListPlace,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} {BEHIND}"));
        let rows: Vec<ApprovalRow> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(state_name(state))
            .bind(after.at)
            .bind(&after.id)
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        self.read_approvals(rows).await
    }

    /// Where a request stands in lists, of a message or a campaign, whatever became of it; `None` when there is none.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn list_place(&self, id: &ApprovalId) -> Result<Option<ListPlace>, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(
            "SELECT expires_at FROM approvals WHERE shop_id = $1 AND approval_id = $2
             UNION ALL SELECT expires_at FROM campaign_approvals WHERE shop_id = $1 AND approval_id = $2",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_optional(self.readers())
        .await
        .map_err(map)?;
        Ok(row.map(|(at,)| ListPlace { at, id: id.to_string() }))
    }

    /// How many messages wait for a person.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn pending_approvals(&self) -> Result<u64, StoreError> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM approvals WHERE shop_id = $1 AND state = 'pending'")
                .bind(self.shop.as_str())
                .fetch_one(self.readers())
                .await
                .map_err(map)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// What waits and is not noted as escalated, the most urgent first: only what says when it escalates, since every one is
    /// looked at again and again.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn not_escalated(&self, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        let rows: Vec<(String, String, String, i64, i64)> = sqlx::query_as(
            "SELECT approval_id, run_id, reasons, created_at, expires_at FROM approvals
             WHERE shop_id = $1 AND state = 'pending' AND escalated_at IS NULL ORDER BY expires_at, approval_id LIMIT $2",
        )
        .bind(self.shop.as_str())
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let opener = self.opener(rows.iter().map(|(_, _, reasons, ..)| reasons.as_bytes())).await?;
        let read = |(id, run, reasons, created_at, expires_at): (String, String, String, i64, i64)| {
            let reasons = opener.text(Place::of(REASONS, &id), reasons)?;
            Ok(Waiting {
                id: ApprovalId::new(id).map_err(|e| corrupt("approval", e))?,
                run: RunId::new(run).map_err(|e| corrupt("approval", e))?,
                reasons: from_json(&reasons, "approval")?,
                created_at: stamp(created_at, "approval")?,
                expires_at: stamp(expires_at, "approval")?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// Everything that was asked about a run, oldest first.
    pub async fn approvals_of(&self, run: &RunId) -> Result<Vec<Approval>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE shop_id = $1 AND run_id = $2 ORDER BY created_at, approval_id"
        ));
        let rows: Vec<ApprovalRow> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(run.as_str())
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        self.read_approvals(rows).await
    }
}
