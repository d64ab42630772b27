//! Approvals: opened once per envelope, decided by compare-and-swap, used once.

use std::collections::BTreeSet;

use kit::message::{ApprovalRecord, ApprovalState, DraftRecord, Envelope, RiskReason};
use kit::{ApprovalId, Principal, RunId, StoreError, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::error::map;
use super::settings::append_audit;
use super::signals::put_signal;
use super::trust::{self, Verdict};
use super::{DbConnection, ShopStore, corrupt, from_json, micros, stamp, to_json};

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
    /// Why it was rejected.
    pub reason: Option<String>,
}

pub(super) const COLUMNS: &str = "SELECT approval_id, run_id, envelope, terms, draft, summary, reasons, authors, state, version, created_at, expires_at, decided_by, decided_at, reason, used_by, own_work FROM approvals";

/// The columns that both tables of approvals have, whatever is approved.
pub(super) struct RecordColumns {
    pub(super) id: String,
    pub(super) envelope: String,
    pub(super) state: String,
    pub(super) authors: String,
    pub(super) decided_by: Option<String>,
    pub(super) expires_at: i64,
    pub(super) used_by: Option<String>,
    pub(super) own_work: i64,
}

impl RecordColumns {
    /// What kit compares at clearance.
    pub(super) fn read(self) -> Result<ApprovalRecord, StoreError> {
        Ok(ApprovalRecord {
            id: ApprovalId::new(self.id).map_err(|e| corrupt("approval", e))?,
            envelope: self.envelope.parse().map_err(|e| corrupt("approval", e))?,
            state: from_json(&format!("\"{}\"", self.state), "approval")?,
            authors: from_json::<BTreeSet<String>>(&self.authors, "approval")?,
            decided_by: self.decided_by.map(|p| from_json::<Principal>(&p, "approval")).transpose()?,
            expires_at: stamp(self.expires_at, "approval")?,
            used_by: self.used_by.map(|k| k.parse()).transpose().map_err(|e| corrupt("approval", e))?,
            own_work: self.own_work != 0,
        })
    }
}

/// A row of [`COLUMNS`].
pub(super) struct ApprovalRow {
    record: RecordColumns,
    run: String,
    terms: String,
    draft: String,
    summary: String,
    reasons: String,
    version: i64,
    created_at: i64,
    decided_at: Option<i64>,
    reason: Option<String>,
}

impl<'r> FromRow<'r, AnyRow> for ApprovalRow {
    fn from_row(row: &'r AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            record: RecordColumns {
                id: row.try_get("approval_id")?,
                envelope: row.try_get("envelope")?,
                state: row.try_get("state")?,
                authors: row.try_get("authors")?,
                decided_by: row.try_get("decided_by")?,
                expires_at: row.try_get("expires_at")?,
                used_by: row.try_get("used_by")?,
                own_work: row.try_get("own_work")?,
            },
            run: row.try_get("run_id")?,
            terms: row.try_get("terms")?,
            draft: row.try_get("draft")?,
            summary: row.try_get("summary")?,
            reasons: row.try_get("reasons")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
            decided_at: row.try_get("decided_at")?,
            reason: row.try_get("reason")?,
        })
    }
}

pub(super) fn approval(row: ApprovalRow) -> Result<Approval, StoreError> {
    Ok(Approval {
        record: row.record.read()?,
        run: RunId::new(row.run).map_err(|e| corrupt("approval", e))?,
        terms: from_json(&row.terms, "approval")?,
        draft: from_json(&row.draft, "approval")?,
        summary: row.summary,
        reasons: from_json(&row.reasons, "approval")?,
        version: u32::try_from(row.version).map_err(|e| corrupt("approval", e))?,
        created_at: stamp(row.created_at, "approval")?,
        decided_at: row.decided_at.map(|at| stamp(at, "approval")).transpose()?,
        reason: row.reason,
    })
}

pub(super) fn state_name(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Pending => "pending",
        ApprovalState::Approved => "approved",
        ApprovalState::Rejected => "rejected",
        ApprovalState::Superseded => "superseded",
        ApprovalState::Expired => "expired",
        ApprovalState::Recalled => "recalled",
    }
}

impl ShopStore {
    /// Opens an approval. The same request again, or one for an envelope that is pending, gets the one that is there.
    pub async fn open_approval(&self, new: NewApproval, now: Timestamp) -> Result<(ApprovalId, Timestamp), StoreError> {
        let envelope = new.terms.digest().to_string();
        let terms = to_json(&new.terms, "approval")?;
        let draft = to_json(&new.draft, "approval")?;
        let reasons = to_json(&new.reasons, "approval")?;
        let authors = to_json(&new.draft.authors, "approval")?;
        self.write(move |c, shop| {
            Box::pin(async move {
                let opened = sqlx::query(
                    "INSERT INTO approvals (shop_id, approval_id, run_id, envelope, terms, draft, summary, reasons, authors, state, version, created_at, expires_at)
                     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', 1, $10, $11
                     WHERE NOT EXISTS (SELECT 1 FROM runs WHERE shop_id = $1 AND run_id = $3 AND plan = '') ON CONFLICT DO NOTHING",
                )
                .bind(shop.as_str()).bind(new.id.as_str()).bind(new.run.as_str()).bind(&envelope).bind(&terms).bind(&draft)
                .bind(&new.summary).bind(&reasons).bind(&authors).bind(micros(now)).bind(micros(new.expires_at))
                .execute(&mut *c).await.map_err(map)?;
                // Asked again after a crash, this very request may have been decided meanwhile.
                let (id, expires_at): (String, i64) = sqlx::query_as(
                    "SELECT approval_id, expires_at FROM approvals
                     WHERE shop_id = $1 AND run_id = $2 AND envelope = $3 AND (approval_id = $4 OR state = 'pending')
                     ORDER BY approval_id = $4 DESC LIMIT 1",
                )
                .bind(shop.as_str()).bind(new.run.as_str()).bind(&envelope).bind(new.id.as_str())
                .fetch_optional(&mut *c).await.map_err(map)?
                // Its person was erased meanwhile.
                .ok_or_else(|| StoreError::Conflict(format!("run {}", new.run)))?;
                if opened.rows_affected() > 0 {
                    append_audit(c, shop.as_str(), now, "system", "approval.open", &id, &envelope).await?;
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
        row.map(approval).transpose()
    }

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
        rows.into_iter().map(approval).collect()
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
        rows.into_iter().map(approval).collect()
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
        let successor = successor
            .map(|n| {
                let columns = (
                    to_json(&n.terms, "approval")?,
                    to_json(&n.draft, "approval")?,
                    to_json(&n.reasons, "approval")?,
                    to_json(&n.draft.authors, "approval")?,
                );
                Ok::<_, StoreError>((n, columns))
            })
            .transpose()?;
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
                if let Some((new, (terms, draft, reasons, authors))) = &successor {
                    sqlx::query(
                        "INSERT INTO approvals (shop_id, approval_id, run_id, envelope, terms, draft, summary, reasons, authors, state, version, created_at, expires_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', 1, $10, $11)",
                    )
                    .bind(shop.as_str()).bind(new.id.as_str()).bind(run.as_str()).bind(new.terms.digest().to_string()).bind(terms).bind(draft)
                    .bind(&new.summary).bind(reasons).bind(authors).bind(micros(now)).bind(micros(new.expires_at))
                    .execute(&mut *c).await.map_err(map)?;
                    append_audit(c, shop.as_str(), now, &who, "approval.open", new.id.as_str(), &new.terms.digest().to_string()).await?;
                }
                put_signal(c, shop.as_str(), run.as_str(), &signal, now).await?;
                let verdict = match decided.state {
                    ApprovalState::Rejected => Some(Verdict::Rejected),
                    ApprovalState::Superseded => Some(Verdict::Edited),
                    ApprovalState::Pending | ApprovalState::Approved | ApprovalState::Expired | ApprovalState::Recalled => None,
                };
                if let Some(verdict) = verdict {
                    trust::decided(c, shop.as_str(), &decided.id, &run, verdict, &who, now).await?;
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
