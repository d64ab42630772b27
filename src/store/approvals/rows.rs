//! How a request stands in its table: what is sealed of it, and how it is read and written.

use std::collections::BTreeSet;

use kit::message::{ApprovalRecord, ApprovalState};
use kit::{ApprovalId, Principal, RunId, StoreError};
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::super::error::map;
use super::super::seal::{Opener, Place, SealKey};
use super::super::{DbConnection, ShopStore, corrupt, from_json, stamp, to_json};
use super::{Approval, NewApproval};

/// The sealed columns.
const TERMS: &str = "approvals.terms";
const DRAFT: &str = "approvals.draft";
const SUMMARY: &str = "approvals.summary";
pub(super) const REASONS: &str = "approvals.reasons";

pub(super) const COLUMNS: &str = "SELECT approval_id, run_id, envelope, terms, draft, summary, reasons, authors, state, version, created_at, expires_at, decided_by, decided_at, reason, used_by, own_work, control_id FROM approvals";

/// The columns that both tables of approvals have, whatever is approved.
pub(in super::super) struct RecordColumns {
    pub(in super::super) id: String,
    pub(in super::super) envelope: String,
    pub(in super::super) state: String,
    pub(in super::super) authors: String,
    pub(in super::super) decided_by: Option<String>,
    pub(in super::super) expires_at: i64,
    pub(in super::super) used_by: Option<String>,
    pub(in super::super) own_work: i64,
}

impl RecordColumns {
    /// What kit compares at clearance.
    pub(in super::super) fn read(self) -> Result<ApprovalRecord, StoreError> {
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

pub(in super::super) fn state_name(state: ApprovalState) -> &'static str {
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
pub(in super::super) struct Columns {
    pub(in super::super) envelope: String,
    pub(in super::super) terms: String,
    pub(in super::super) draft: String,
    pub(in super::super) summary: String,
    pub(in super::super) reasons: String,
    pub(in super::super) authors: String,
}

impl Columns {
    pub(in super::super) fn of(new: &NewApproval, key: &SealKey) -> Result<Self, StoreError> {
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
    pub(super) async fn read_approvals(&self, rows: Vec<ApprovalRow>) -> Result<Vec<Approval>, StoreError> {
        let opener = self.opener(rows.iter().flat_map(ApprovalRow::sealed)).await?;
        rows.into_iter().map(|row| approval(row, &opener)).collect()
    }
}

/// What kit compares of an approval at clearance, and the approval of the flow's control, where its message is one.
pub(in super::super) async fn record(
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
