//! Controls that people have approved, and the messages that left by such an approval.

use kit::message::ApprovalRecord;
use kit::{ApprovalId, Digest, FlowId, Principal, StoreError, Timestamp};

use super::approvals::{Columns, state_name};
use super::error::map;
use super::settings::append_audit;
use super::signals::put_signal;
use super::{Approval, DbConnection, NewApproval, ShopStore, corrupt, from_json, micros, stamp, to_json};

/// A person's approval of a flow's control under one release.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ControlApproval {
    /// The control's name: follows from flow, release and words.
    pub id: ApprovalId,
    /// The flow.
    pub flow: FlowId,
    /// The release.
    pub release: Digest,
    /// Who gave it.
    pub approved_by: Principal,
    /// When.
    pub approved_at: Timestamp,
    /// When it was taken back, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl ControlApproval {
    /// Who stands for it, while it counts.
    pub fn counts_by(&self) -> Option<&Principal> {
        (self.revoked_at.is_none() && self.approved_by.may_approve()).then_some(&self.approved_by)
    }
}

type Row = (String, String, String, String, i64, Option<i64>);
const COLUMNS: &str = "SELECT control_id, flow, release, approved_by, approved_at, revoked_at FROM controls";

fn read((id, flow, release, by, at, revoked): Row) -> Result<ControlApproval, StoreError> {
    Ok(ControlApproval {
        id: ApprovalId::new(id).map_err(|e| corrupt("control", e))?,
        flow: FlowId::new(flow).map_err(|e| corrupt("control", e))?,
        release: release.parse().map_err(|e| corrupt("control", e))?,
        approved_by: from_json(&by, "control")?,
        approved_at: stamp(at, "control")?,
        revoked_at: revoked.map(|at| stamp(at, "control")).transpose()?,
    })
}

impl ShopStore {
    /// The approval of a control, whether it still counts or not.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn control(&self, id: &ApprovalId) -> Result<Option<ControlApproval>, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        control(&mut connection, self.shop.as_str(), id).await
    }

    /// Notes that a person approved a control. Again after it was taken back.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn approve_control(&self, new: ControlApproval) -> Result<(), StoreError> {
        let by = to_json(&new.approved_by, "control")?;
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO controls (shop_id, control_id, flow, release, approved_by, approved_at) VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT (shop_id, control_id) DO UPDATE SET approved_by = $5, approved_at = $6, revoked_at = NULL",
                )
                .bind(shop.as_str())
                .bind(new.id.as_str())
                .bind(new.flow.as_str())
                .bind(new.release.to_string())
                .bind(&by)
                .bind(micros(new.approved_at))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                let (who, detail) = (new.approved_by.name(), format!("flow {}, release {}", new.flow, new.release.short()));
                append_audit(c, shop.as_str(), new.approved_at, &who, "control.approved", new.id.as_str(), &detail).await
            })
        })
        .await
    }

    /// Takes the approval of a control back; false when there is none that counts.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn revoke_control(
        &self,
        id: &ApprovalId,
        who: &Principal,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, who, reason) = (id.clone(), who.name(), reason.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                let revoked = sqlx::query(
                    "UPDATE controls SET revoked_at = $3 WHERE shop_id = $1 AND control_id = $2 AND revoked_at IS NULL",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if revoked.rows_affected() == 0 {
                    return Ok(false);
                }
                append_audit(c, shop.as_str(), now, &who, "control.revoked", id.as_str(), &reason).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Closes a request that nobody decided about, and opens in the same commit the approval by which the flow's control goes
    /// out in its place.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody decided meanwhile, or the control's approval was taken back.
    pub async fn put_control(
        &self,
        viewed: &Approval,
        expired: ApprovalRecord,
        control_id: &ApprovalId,
        new: NewApproval,
        signal: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (version, run, control_id) = (viewed.version, viewed.run.clone(), control_id.clone());
        let (columns, signal) =
            (Columns::of(&new, &*self.key_of_run(&run).await?)?, self.seal_signal(&run, &signal).await?);
        self.write(move |c, shop| {
            Box::pin(async move {
                let standing = control(c, shop.as_str(), &control_id).await?;
                let Some(by) = standing.as_ref().and_then(ControlApproval::counts_by) else {
                    return Err(StoreError::Conflict(format!("control {control_id}")));
                };
                let reason = format!("the control goes out in its place, by {}", new.id);
                let closed = sqlx::query(
                    "UPDATE approvals SET state = $4, version = version + 1, decided_at = $5, reason = $6
                     WHERE shop_id = $1 AND approval_id = $2 AND version = $3 AND state = 'pending'",
                )
                .bind(shop.as_str())
                .bind(expired.id.as_str())
                .bind(i64::from(version))
                .bind(state_name(expired.state))
                .bind(micros(now))
                .bind(&reason)
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if closed.rows_affected() == 0 {
                    return Err(StoreError::Conflict(format!("approval {}", expired.id)));
                }
                sqlx::query(
                    "INSERT INTO approvals (shop_id, approval_id, run_id, envelope, terms, draft, summary, reasons, authors, state, version, created_at, expires_at, decided_by, decided_at, control_id)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'approved', 1, $10, $11, $12, $10, $13)",
                )
                .bind(shop.as_str())
                .bind(new.id.as_str())
                .bind(run.as_str())
                .bind(&columns.envelope)
                .bind(&columns.terms)
                .bind(&columns.draft)
                .bind(&columns.summary)
                .bind(&columns.reasons)
                .bind(&columns.authors)
                .bind(micros(now))
                .bind(micros(new.expires_at))
                .bind(to_json(by, "approval")?)
                .bind(control_id.as_str())
                .execute(&mut *c)
                .await
                .map_err(map)?;
                put_signal(c, shop.as_str(), run.as_str(), &signal, now).await?;
                append_audit(c, shop.as_str(), now, "system", "approval.expired", expired.id.as_str(), &reason).await?;
                let detail = format!("{control_id}, approved by {}", by.name());
                append_audit(c, shop.as_str(), now, "system", "control.stands_in", new.id.as_str(), &detail).await
            })
        })
        .await
    }
}

/// The approval of a control.
pub(super) async fn control(
    c: &mut DbConnection,
    shop: &str,
    id: &ApprovalId,
) -> Result<Option<ControlApproval>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE shop_id = $1 AND control_id = $2"));
    let row: Option<Row> = sqlx::query_as(sql).bind(shop).bind(id.as_str()).fetch_optional(c).await.map_err(map)?;
    row.map(read).transpose()
}
