//! Approvals: opened once per envelope, decided by compare-and-swap, used once.

mod lists;
mod rows;

use std::sync::Arc;

use kit::message::{ApprovalRecord, ApprovalState, DraftRecord, Envelope, RiskReason};
use kit::{ApprovalId, Principal, RunId, StoreError, Timestamp};

use super::error::map;
use super::settings::append_audit;
use super::signals::put_signal;
use super::trust::{self, Decision, Verdict};
use super::{DbConnection, ShopStore, corrupt, micros, stamp, to_json};

pub(super) use lists::BEHIND;
pub use lists::{ListPlace, Waiting};
use rows::{ApprovalRow, COLUMNS};
pub(super) use rows::{Columns, RecordColumns, record, state_name};

/// An approval to open.
#[derive(Debug, Clone)]
pub struct NewApproval {
    /// Its id.
    pub id: ApprovalId,
    /// The run that waits.
    pub run: RunId,
    /// What is to be signed.
    pub terms: Envelope,
    /// The message as shown.
    pub draft: DraftRecord,
    /// What and to whom, in words.
    pub summary: String,
    /// Why a person must look.
    pub reasons: Vec<RiskReason>,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// An approval as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// What kit compares at clearance.
    pub record: ApprovalRecord,
    /// The run that waits.
    pub run: RunId,
    /// What is signed.
    pub terms: Envelope,
    /// The message as shown.
    pub draft: DraftRecord,
    /// What and to whom.
    pub summary: String,
    /// Why a person must look.
    pub reasons: Vec<RiskReason>,
    /// Counts up with every change; a decision names the version that was viewed.
    pub version: u32,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Why it was rejected, or what became of it when nobody decided.
    pub reason: Option<String>,
    /// The approval of the flow's control, where this message is one.
    pub control: Option<ApprovalId>,
}

impl ShopStore {
    /// Opens an approval. The same request again, or one for an envelope that is pending, gets the one that is there.
    pub async fn open_approval(&self, new: NewApproval, now: Timestamp) -> Result<(ApprovalId, Timestamp), StoreError> {
        let columns = Columns::of(&new, &*self.key_of_run(&new.run).await?)?;
        self.write(move |c, shop| {
            Box::pin(async move {
                let opened = sqlx::query(
                    "INSERT INTO approvals (shop_id, approval_id, run_id, envelope, terms, draft, summary, reasons, authors, state, version, created_at, expires_at)
                     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', 1, $10, $11
                     WHERE NOT EXISTS (SELECT 1 FROM runs WHERE shop_id = $1 AND run_id = $3 AND plan = '') ON CONFLICT DO NOTHING",
                )
                .bind(shop.as_str()).bind(new.id.as_str()).bind(new.run.as_str()).bind(&columns.envelope).bind(&columns.terms).bind(&columns.draft)
                .bind(&columns.summary).bind(&columns.reasons).bind(&columns.authors).bind(micros(now)).bind(micros(new.expires_at))
                .execute(&mut *c).await.map_err(map)?;
                // Asked again after a crash, this very request may have been decided meanwhile.
                let (id, expires_at): (String, i64) = sqlx::query_as(
                    "SELECT approval_id, expires_at FROM approvals
                     WHERE shop_id = $1 AND run_id = $2 AND envelope = $3 AND (approval_id = $4 OR state = 'pending')
                     ORDER BY approval_id = $4 DESC LIMIT 1",
                )
                .bind(shop.as_str()).bind(new.run.as_str()).bind(&columns.envelope).bind(new.id.as_str())
                .fetch_optional(&mut *c).await.map_err(map)?
                // Its person was erased meanwhile.
                .ok_or_else(|| StoreError::Conflict(format!("run {}", new.run)))?;
                if opened.rows_affected() > 0 {
                    append_audit(c, shop.as_str(), now, "system", "approval.open", &id, &columns.envelope).await?;
                }
                Ok((ApprovalId::new(id).map_err(|e| corrupt("approval", e))?, stamp(expires_at, "approval")?))
            })
        })
        .await
    }

    /// An approval by id.
    pub async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE shop_id = $1 AND approval_id = $2"));
        let row: Option<ApprovalRow> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        Ok(self.read_approvals(row.into_iter().collect()).await?.pop())
    }

    /// Writes a decision against the version that was viewed, with the signal that wakes the run and, for an edit, the
    /// approval that takes its place: one commit.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody decided or edited meanwhile.
    pub async fn decide(
        &self,
        viewed: &Approval,
        decided: ApprovalRecord,
        reason: Option<String>,
        successor: Option<NewApproval>,
        signal: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (version, run) = (viewed.version, viewed.run.clone());
        let by = decided.decided_by.as_ref().map(|p| to_json(p, "approval")).transpose()?;
        let who = decided.decided_by.as_ref().map_or_else(|| "system".to_owned(), Principal::name);
        let signal = self.seal_signal(&run, &signal).await?;
        let key = self.key_of_run(&run).await?;
        let successor = successor.map(|new| Columns::of(&new, &key).map(|columns| (new, columns))).transpose()?;
        let keyring = Arc::clone(self.keyring());
        self.write(move |c, shop| {
            Box::pin(async move {
                let changed = sqlx::query(
                    "UPDATE approvals SET state = $4, version = version + 1, decided_by = $5, decided_at = $6, reason = $7
                     WHERE shop_id = $1 AND approval_id = $2 AND version = $3 AND state = 'pending'",
                )
                .bind(shop.as_str()).bind(decided.id.as_str()).bind(i64::from(version)).bind(state_name(decided.state)).bind(&by).bind(micros(now)).bind(&reason)
                .execute(&mut *c).await.map_err(map)?;
                if changed.rows_affected() == 0 {
                    return Err(StoreError::Conflict(format!("approval {}", decided.id)));
                }
                if let Some((new, columns)) = &successor {
                    sqlx::query(
                        "INSERT INTO approvals (shop_id, approval_id, run_id, envelope, terms, draft, summary, reasons, authors, state, version, created_at, expires_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', 1, $10, $11)",
                    )
                    .bind(shop.as_str()).bind(new.id.as_str()).bind(run.as_str()).bind(&columns.envelope).bind(&columns.terms).bind(&columns.draft)
                    .bind(&columns.summary).bind(&columns.reasons).bind(&columns.authors).bind(micros(now)).bind(micros(new.expires_at))
                    .execute(&mut *c).await.map_err(map)?;
                    append_audit(c, shop.as_str(), now, &who, "approval.open", new.id.as_str(), &columns.envelope).await?;
                }
                put_signal(c, shop.as_str(), run.as_str(), &signal, now).await?;
                let verdict = match decided.state {
                    ApprovalState::Rejected => Some(Verdict::Rejected),
                    ApprovalState::Superseded => Some(Verdict::Edited),
                    ApprovalState::Pending | ApprovalState::Approved | ApprovalState::Expired | ApprovalState::Recalled => None,
                };
                if let Some(verdict) = verdict {
                    trust::decided(c, &keyring, shop.as_str(), Decision { id: &decided.id, run: &run, verdict, who: &who }, now).await?;
                }
                let action = format!("approval.{}", state_name(decided.state));
                append_audit(c, shop.as_str(), now, &who, &action, decided.id.as_str(), reason.as_deref().unwrap_or_default()).await
            })
        })
        .await
    }
}

/// Closes what is still asked about a run that is over.
pub(super) async fn lapse(c: &mut DbConnection, shop: &str, run: &RunId, now: Timestamp) -> Result<(), StoreError> {
    let open: Vec<(String,)> = sqlx::query_as(
        "SELECT approval_id FROM approvals WHERE shop_id = $1 AND run_id = $2 AND state = 'pending' ORDER BY approval_id",
    )
    .bind(shop)
    .bind(run.as_str())
    .fetch_all(&mut *c)
    .await
    .map_err(map)?;
    for (id,) in open {
        sqlx::query(
            "UPDATE approvals SET state = 'expired' WHERE shop_id = $1 AND approval_id = $2 AND state = 'pending'",
        )
        .bind(shop)
        .bind(&id)
        .execute(&mut *c)
        .await
        .map_err(map)?;
        append_audit(c, shop, now, "system", "approval.expired", &id, "its run is over").await?;
    }
    Ok(())
}
