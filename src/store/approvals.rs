//! Approvals: opened once per envelope, decided by compare-and-swap, used once.

use std::collections::BTreeSet;
use std::sync::Arc;

use kit::message::{ApprovalRecord, ApprovalState, DraftRecord, Envelope, RiskReason};
use kit::{ApprovalId, Principal, RunId, StoreError, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::error::map;
use super::seal::{Opener, Place, SealKey};
use super::settings::append_audit;
use super::signals::put_signal;
use super::trust::{self, Decision, Verdict};
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
    /// Why it was rejected, or what became of it when nobody decided.
    pub reason: Option<String>,
    /// The approval of the flow's control, where this message is one.
    pub control: Option<ApprovalId>,
}

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

/// The sealed columns.
const TERMS: &str = "approvals.terms";
const DRAFT: &str = "approvals.draft";
const SUMMARY: &str = "approvals.summary";
const REASONS: &str = "approvals.reasons";

const COLUMNS: &str = "SELECT approval_id, run_id, envelope, terms, draft, summary, reasons, authors, state, version, created_at, expires_at, decided_by, decided_at, reason, used_by, own_work, control_id FROM approvals";

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
struct ApprovalRow {
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
    control: Option<String>,
}

impl<'r> FromRow<'r, AnyRow> for RecordColumns {
    fn from_row(row: &'r AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("approval_id")?,
            envelope: row.try_get("envelope")?,
            state: row.try_get("state")?,
            authors: row.try_get("authors")?,
            decided_by: row.try_get("decided_by")?,
            expires_at: row.try_get("expires_at")?,
            used_by: row.try_get("used_by")?,
            own_work: row.try_get("own_work")?,
        })
    }
}

impl<'r> FromRow<'r, AnyRow> for ApprovalRow {
    fn from_row(row: &'r AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            record: RecordColumns::from_row(row)?,
            run: row.try_get("run_id")?,
            terms: row.try_get("terms")?,
            draft: row.try_get("draft")?,
            summary: row.try_get("summary")?,
            reasons: row.try_get("reasons")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
            decided_at: row.try_get("decided_at")?,
            reason: row.try_get("reason")?,
            control: row.try_get("control_id")?,
        })
    }
}

impl ApprovalRow {
    /// What is sealed of it.
    fn sealed(&self) -> [&[u8]; 4] {
        [&self.terms, &self.draft, &self.summary, &self.reasons].map(String::as_bytes)
    }
}

fn approval(row: ApprovalRow, opener: &Opener) -> Result<Approval, StoreError> {
    let id = row.record.id.clone();
    let open = |column, stored| opener.text(Place::of(column, &id), stored);
    Ok(Approval {
        record: row.record.read()?,
        run: RunId::new(row.run).map_err(|e| corrupt("approval", e))?,
        terms: from_json(&open(TERMS, row.terms)?, "approval")?,
        draft: from_json(&open(DRAFT, row.draft)?, "approval")?,
        summary: open(SUMMARY, row.summary)?,
        reasons: from_json(&open(REASONS, row.reasons)?, "approval")?,
        version: u32::try_from(row.version).map_err(|e| corrupt("approval", e))?,
        created_at: stamp(row.created_at, "approval")?,
        decided_at: row.decided_at.map(|at| stamp(at, "approval")).transpose()?,
        reason: row.reason,
        control: row.control.map(ApprovalId::new).transpose().map_err(|e| corrupt("approval", e))?,
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

/// A request as it is written.
pub(super) struct Columns {
    pub(super) envelope: String,
    pub(super) terms: String,
    pub(super) draft: String,
    pub(super) summary: String,
    pub(super) reasons: String,
    pub(super) authors: String,
}

impl Columns {
    pub(super) fn of(new: &NewApproval, key: &SealKey) -> Result<Self, StoreError> {
        let seal = |column, text: &str| key.seal(Place::of(column, new.id.as_str()), text);
        Ok(Self {
            envelope: new.terms.digest().to_string(),
            terms: seal(TERMS, &to_json(&new.terms, "approval")?)?,
            draft: seal(DRAFT, &to_json(&new.draft, "approval")?)?,
            summary: seal(SUMMARY, &new.summary)?,
            reasons: seal(REASONS, &to_json(&new.reasons, "approval")?)?,
            authors: to_json(&new.draft.authors, "approval")?,
        })
    }
}

impl ShopStore {
    async fn read_approvals(&self, rows: Vec<ApprovalRow>) -> Result<Vec<Approval>, StoreError> {
        let opener = self.opener(rows.iter().flat_map(ApprovalRow::sealed)).await?;
        rows.into_iter().map(|row| approval(row, &opener)).collect()
    }

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

/// What kit compares of an approval at clearance, and the approval of the flow's control, where its message is one.
pub(super) async fn record(
    c: &mut DbConnection,
    shop: &str,
    id: &ApprovalId,
) -> Result<Option<(ApprovalRecord, Option<ApprovalId>)>, StoreError> {
    let row: Option<Standing> = sqlx::query_as(
        "SELECT approval_id, envelope, state, authors, decided_by, expires_at, used_by, own_work, control_id FROM approvals
         WHERE shop_id = $1 AND approval_id = $2",
    )
    .bind(shop)
    .bind(id.as_str())
    .fetch_optional(c)
    .await
    .map_err(map)?;
    let Some(Standing { record, control }) = row else { return Ok(None) };
    let control = control.map(ApprovalId::new).transpose().map_err(|e| corrupt("approval", e))?;
    Ok(Some((record.read()?, control)))
}

/// The columns of [`record`].
struct Standing {
    record: RecordColumns,
    control: Option<String>,
}

impl<'r> FromRow<'r, AnyRow> for Standing {
    fn from_row(row: &'r AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self { record: RecordColumns::from_row(row)?, control: row.try_get("control_id")? })
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
