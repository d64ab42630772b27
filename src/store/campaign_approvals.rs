//! Approvals of whole campaigns: opened once for each set of terms, decided by compare-and-swap, used by one campaign.

use std::collections::BTreeSet;

use kit::campaign::{CampaignId, CampaignTerms};
use kit::message::{ApprovalRecord, ApprovalState};
use kit::{ApprovalId, StoreError, Timestamp};

use super::approvals::{BEHIND, ListPlace, RecordColumns, state_name};
use super::error::map;
use super::settings::append_audit;
use super::{DbConnection, ShopStore, corrupt, from_json, micros, stamp, to_json};

/// An approval of a campaign as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignApproval {
    /// What kit compares at clearance; its envelope is the digest of the terms.
    pub record: ApprovalRecord,
    /// The campaign.
    pub campaign: CampaignId,
    /// What is signed.
    pub terms: CampaignTerms,
    /// Counts up with every change; a decision names the version that was viewed.
    pub version: u32,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Why it was rejected.
    pub reason: Option<String>,
}

type Tuple = (
    String,
    String,
    String,
    String,
    String,
    String,
    i64,
    i64,
    i64,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
    i64,
);
const COLUMNS: &str = "SELECT approval_id, campaign_id, envelope, terms, authors, state, version, created_at, expires_at, decided_by, decided_at, reason, used_by, own_work FROM campaign_approvals";

fn approval(row: Tuple) -> Result<CampaignApproval, StoreError> {
    let (
        id,
        campaign,
        envelope,
        terms,
        authors,
        state,
        version,
        created_at,
        expires_at,
        decided_by,
        decided_at,
        reason,
        used_by,
        own_work,
    ) = row;
    Ok(CampaignApproval {
        record: RecordColumns { id, envelope, state, authors, decided_by, expires_at, used_by, own_work }.read()?,
        campaign: CampaignId::new(campaign).map_err(|e| corrupt("approval", e))?,
        terms: from_json(&terms, "approval")?,
        version: u32::try_from(version).map_err(|e| corrupt("approval", e))?,
        created_at: stamp(created_at, "approval")?,
        decided_at: decided_at.map(|at| stamp(at, "approval")).transpose()?,
        reason,
    })
}

/// What clears a message of a campaign, as it is in the transaction that is open.
pub(super) async fn record(
    c: &mut DbConnection,
    shop: &str,
    id: &ApprovalId,
) -> Result<Option<ApprovalRecord>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE shop_id = $1 AND approval_id = $2"));
    let row: Option<Tuple> = sqlx::query_as(sql).bind(shop).bind(id.as_str()).fetch_optional(c).await.map_err(map)?;
    Ok(row.map(approval).transpose()?.map(|found| found.record))
}

impl ShopStore {
    /// Opens an approval of a campaign; for terms that are pending already the one that is there.
    pub async fn open_campaign_approval(
        &self,
        id: &ApprovalId,
        terms: &CampaignTerms,
        authors: &BTreeSet<String>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<ApprovalId, StoreError> {
        let (id, campaign, envelope) = (id.clone(), terms.campaign.clone(), terms.digest().to_string());
        let (terms, authors) = (to_json(terms, "approval")?, to_json(authors, "approval")?);
        self.write(move |c, shop| {
            Box::pin(async move {
                // Other terms of the same campaign are out of date: nobody may still sign them.
                sqlx::query(
                    "UPDATE campaign_approvals SET state = 'superseded', version = version + 1, decided_at = $4
                     WHERE shop_id = $1 AND campaign_id = $2 AND envelope <> $3 AND state IN ('pending', 'approved')",
                )
                .bind(shop.as_str()).bind(campaign.as_str()).bind(&envelope).bind(micros(now))
                .execute(&mut *c).await.map_err(map)?;
                let opened = sqlx::query(
                    "INSERT INTO campaign_approvals (shop_id, approval_id, campaign_id, envelope, terms, authors, state, version, created_at, expires_at)
                     VALUES ($1, $2, $3, $4, $5, $6, 'pending', 1, $7, $8) ON CONFLICT DO NOTHING",
                )
                .bind(shop.as_str()).bind(id.as_str()).bind(campaign.as_str()).bind(&envelope).bind(&terms).bind(&authors)
                .bind(micros(now)).bind(micros(expires_at)).execute(&mut *c).await.map_err(map)?;
                let (found,): (String,) = sqlx::query_as(
                    "SELECT approval_id FROM campaign_approvals WHERE shop_id = $1 AND campaign_id = $2 AND envelope = $3
                     AND (approval_id = $4 OR state = 'pending') ORDER BY created_at DESC LIMIT 1",
                )
                .bind(shop.as_str()).bind(campaign.as_str()).bind(&envelope).bind(id.as_str())
                .fetch_one(&mut *c).await.map_err(map)?;
                if opened.rows_affected() > 0 {
                    append_audit(c, shop.as_str(), now, "system", "approval.open", &found, &envelope).await?;
                }
                ApprovalId::new(found).map_err(|e| corrupt("approval", e))
            })
        })
        .await
    }

    /// An approval of a campaign by id.
    pub async fn campaign_approval(&self, id: &ApprovalId) -> Result<Option<CampaignApproval>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE shop_id = $1 AND approval_id = $2"));
        let row: Option<Tuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(approval).transpose()
    }

    /// Approvals of a campaign, newest first.
    pub async fn campaign_approvals(&self, of: &CampaignId) -> Result<Vec<CampaignApproval>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE shop_id = $1 AND campaign_id = $2 ORDER BY created_at DESC, approval_id LIMIT 200"
        ));
        let rows: Vec<Tuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(of.as_str())
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(approval).collect()
    }

    /// Approvals of campaigns in one state behind a place, the most urgent first.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn campaign_approvals_page(
        &self,
        state: ApprovalState,
        after: &ListPlace,
        limit: u32,
    ) -> Result<Vec<CampaignApproval>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} {BEHIND}"));
        let rows: Vec<Tuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(state_name(state))
            .bind(after.at)
            .bind(&after.id)
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(approval).collect()
    }

    /// Records a decision about exactly the version that was viewed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody was faster.
    pub async fn decide_campaign(
        &self,
        viewed: &CampaignApproval,
        decided: ApprovalRecord,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, version) = (viewed.record.id.clone(), viewed.version);
        let by = decided.decided_by.as_ref().map(|p| to_json(p, "approval")).transpose()?;
        let who = decided.decided_by.as_ref().map_or_else(|| "system".to_owned(), kit::Principal::name);
        let state = state_name(decided.state);
        self.write(move |c, shop| {
            Box::pin(async move {
                let changed = sqlx::query(
                    "UPDATE campaign_approvals SET state = $4, decided_by = $5, decided_at = $6, reason = $7, version = version + 1
                     WHERE shop_id = $1 AND approval_id = $2 AND version = $3 AND state = 'pending'",
                )
                .bind(shop.as_str()).bind(id.as_str()).bind(i64::from(version)).bind(state).bind(&by).bind(micros(now)).bind(&reason)
                .execute(&mut *c).await.map_err(map)?;
                if changed.rows_affected() == 0 {
                    return Err(StoreError::Conflict(format!("approval {id}")));
                }
                let action = format!("approval.{state}");
                append_audit(c, shop.as_str(), now, &who, &action, id.as_str(), reason.as_deref().unwrap_or_default()).await
            })
        })
        .await
    }
}
