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

    /// Approvals in one state from a place on, the most urgent first: those behind `after` in that order, or from the
    /// beginning. One that is not there any more begins at the beginning as well.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn approvals_page(
        &self,
        state: ApprovalState,
        after: Option<&ApprovalId>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        let after: Option<(i64, String)> = match after {
            None => None,
            Some(id) => {
                sqlx::query_as("SELECT expires_at, approval_id FROM approvals WHERE shop_id = $1 AND approval_id = $2")
                    .bind(self.shop.as_str())
                    .bind(id.as_str())
                    .fetch_optional(self.readers())
                    .await
                    .map_err(map)?
            }
        };
        let (at, id) = after.unwrap_or((i64::MIN, String::new()));
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE shop_id = $1 AND state = $2 AND expires_at >= $3 AND (expires_at > $3 OR approval_id > $4)
             ORDER BY expires_at, approval_id LIMIT $5"
        ));
        let rows: Vec<ApprovalRow> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(state_name(state))
            .bind(at)
            .bind(id)
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        self.read_approvals(rows).await
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
