//! Signing, recalling, escalating and lapsing: what happens to a request of either kind in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use approval::{Route, Signature};
use kit::campaign::CampaignId;
use kit::message::{ApprovalRecord, ApprovalState};
use kit::{ApprovalId, Principal, RunId, StoreError, Timestamp};

use super::approvals::state_name;
use super::error::map;
use super::settings::append_audit;
use super::signals::put_signal;
use super::trust::{self, Decision, Verdict};
use super::{DbConnection, ShopStore, micros, stamp, to_json};

/// What waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// A run's message, with the signal that wakes the run.
    Run {
        /// The run.
        run: RunId,
        /// The signal, as JSON.
        signal: String,
    },
    /// A campaign.
    Campaign(CampaignId),
}

impl Waits {
    fn table(&self) -> &'static str {
        match self {
            Self::Run { .. } => "approvals",
            Self::Campaign(_) => "campaign_approvals",
        }
    }
}

/// A person's signatures on a request as they saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The request as approved; written when nothing is missing any more.
    pub approved: ApprovalRecord,
    /// The version that was looked at.
    pub version: u32,
    /// What waits for it.
    pub waits: Waits,
    /// What it takes.
    pub route: Route,
    /// What is signed now.
    pub given: Vec<Signature>,
    /// What was looked at, in the form in which it was shown.
    pub seen: String,
}

impl ShopStore {
    /// Signatures of everything that waits, by request, oldest first: what waits is listed with one question.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn pending_signatures(&self) -> Result<BTreeMap<ApprovalId, Vec<Signature>>, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT approval_id, section, signer, standing, at FROM approval_signatures s WHERE shop_id = $1
             AND (EXISTS (SELECT 1 FROM approvals a WHERE a.shop_id = $1 AND a.approval_id = s.approval_id AND a.state = 'pending')
               OR EXISTS (SELECT 1 FROM campaign_approvals a WHERE a.shop_id = $1 AND a.approval_id = s.approval_id AND a.state = 'pending'))
             ORDER BY at, section, signer",
        )
        .bind(self.shop.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let mut given: BTreeMap<ApprovalId, Vec<Signature>> = BTreeMap::new();
        for (id, section, signer, standing, at) in rows {
            let id = ApprovalId::new(id).map_err(|e| super::corrupt("signature", e))?;
            given.entry(id).or_default().push(Signature { section, signer, standing, at: stamp(at, "signature")? });
        }
        Ok(given)
    }

    /// Signatures of a request, oldest first.
    pub async fn signatures(&self, id: &ApprovalId) -> Result<Vec<Signature>, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        signatures(&mut connection, self.shop.as_str(), id).await
    }

    /// Writes signatures against the version that was looked at. With the last one that the route asks for the request is
    /// approved and its run woken, in the same commit. Returns what is still missing, in words.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody decided or edited meanwhile.
    pub async fn sign(&self, signing: Signing, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let by = signing.approved.decided_by.as_ref().map(|p| to_json(p, "approval")).transpose()?;
        let who = name_of(signing.approved.decided_by.as_ref());
        let signing = Signing { waits: self.seal_waits(signing.waits).await?, ..signing };
        let keyring = Arc::clone(self.keyring());
        self.write(move |c, shop| {
            Box::pin(async move {
                let Signing { approved, version, waits, route, given, seen } = signing;
                let (id, table) = (&approved.id, waits.table());
                let sql = format!(
                    "SELECT version FROM {table} WHERE shop_id = $1 AND approval_id = $2 AND state = 'pending'"
                );
                let row: Option<(i64,)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                    .bind(shop.as_str())
                    .bind(id.as_str())
                    .fetch_optional(&mut *c)
                    .await
                    .map_err(map)?;
                if row.is_none_or(|(found,)| found != i64::from(version)) {
                    return Err(StoreError::Conflict(format!("approval {id}")));
                }
                for signature in &given {
                    sqlx::query(
                        "INSERT INTO approval_signatures (shop_id, approval_id, section, signer, standing, seen, at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                    )
                    .bind(shop.as_str())
                    .bind(id.as_str())
                    .bind(&signature.section)
                    .bind(&signature.signer)
                    .bind(&signature.standing)
                    .bind(&seen)
                    .bind(micros(signature.at))
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                    let detail = format!("{} ({}) of {seen}", signature.section, signature.standing);
                    append_audit(c, shop.as_str(), now, &who, "approval.signed", id.as_str(), &detail).await?;
                }
                let all = signatures(c, shop.as_str(), id).await?;
                let missing = route.missing(&all);
                if !missing.is_empty() {
                    return Ok(missing);
                }
                let sql = format!(
                    "UPDATE {table} SET state = 'approved', version = version + 1, decided_by = $3, decided_at = $4, own_work = $5
                     WHERE shop_id = $1 AND approval_id = $2"
                );
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(shop.as_str())
                    .bind(id.as_str())
                    .bind(&by)
                    .bind(micros(now))
                    .bind(i64::from(approved.own_work))
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                if let Waits::Run { run, signal } = &waits {
                    put_signal(c, shop.as_str(), run.as_str(), signal, now).await?;
                    // What a person has edited says nothing about its writer.
                    if !approved.authors.iter().any(|author| author.starts_with("user:")) {
                        trust::decided(c, &keyring, shop.as_str(), Decision { id, run, verdict: Verdict::Unchanged, who: &who }, now).await?;
                    }
                }
                append_audit(c, shop.as_str(), now, &who, "approval.approved", id.as_str(), &seen).await?;
                Ok(missing)
            })
        })
        .await
    }

    /// With the signal as it is put into the run's inbox.
    async fn seal_waits(&self, waits: Waits) -> Result<Waits, StoreError> {
        Ok(match waits {
            Waits::Run { run, signal } => Waits::Run { signal: self.seal_signal(&run, &signal).await?, run },
            Waits::Campaign(campaign) => Waits::Campaign(campaign),
        })
    }

    /// Takes an approval back before anything was reserved with it. The writer performs one command at a time, so that a
    /// message is reserved before or held after this, and nothing lies between. A run is woken to end; a campaign goes back
    /// to where it can be asked about again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a message is on its way with it, or it is not approved any more.
    pub async fn recall(
        &self,
        id: &ApprovalId,
        waits: Waits,
        who: &Principal,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, who, reason) = (id.clone(), who.name(), reason.to_owned());
        let (waits, keyring) = (self.seal_waits(waits).await?, Arc::clone(self.keyring()));
        self.write(move |c, shop| {
            Box::pin(async move {
                let sql = format!(
                    "UPDATE {} SET state = $3, version = version + 1, reason = $4
                     WHERE shop_id = $1 AND approval_id = $2 AND state = 'approved' AND used_by IS NULL",
                    waits.table()
                );
                let recalled = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(shop.as_str())
                    .bind(id.as_str())
                    .bind(state_name(ApprovalState::Recalled))
                    .bind(&reason)
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                if recalled.rows_affected() == 0 {
                    return Err(StoreError::Conflict(format!("approval {id}")));
                }
                match &waits {
                    Waits::Run { run, signal } => {
                        put_signal(c, shop.as_str(), run.as_str(), signal, now).await?;
                        trust::decided(
                            c,
                            &keyring,
                            shop.as_str(),
                            Decision { id: &id, run, verdict: Verdict::Rejected, who: &who },
                            now,
                        )
                        .await?;
                    }
                    Waits::Campaign(campaign) => {
                        sqlx::query(
                            "UPDATE campaigns SET state = 'written', updated_at = $3
                             WHERE shop_id = $1 AND campaign_id = $2 AND state IN ('asked', 'scheduled')",
                        )
                        .bind(shop.as_str())
                        .bind(campaign.as_str())
                        .bind(micros(now))
                        .execute(&mut *c)
                        .await
                        .map_err(map)?;
                    }
                }
                append_audit(c, shop.as_str(), now, &who, "approval.recalled", id.as_str(), &reason).await
            })
        })
        .await
    }

    /// Notes that a request is escalated; false when that was noted before.
    pub async fn note_escalated(
        &self,
        id: &ApprovalId,
        waits: &Waits,
        to: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, table, to) = (id.clone(), waits.table(), to.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                let sql = format!(
                    "UPDATE {table} SET escalated_at = $3
                     WHERE shop_id = $1 AND approval_id = $2 AND state = 'pending' AND escalated_at IS NULL"
                );
                let noted = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(shop.as_str())
                    .bind(id.as_str())
                    .bind(micros(now))
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                if noted.rows_affected() > 0 {
                    append_audit(c, shop.as_str(), now, "system", "approval.escalated", id.as_str(), &to).await?;
                }
                Ok(noted.rows_affected() > 0)
            })
        })
        .await
    }

    /// Closes a campaign's request that nobody decided in time; false when it was decided. The campaign can be asked about
    /// again.
    pub async fn lapse_campaign(
        &self,
        id: &ApprovalId,
        campaign: &CampaignId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, campaign) = (id.clone(), campaign.clone());
        self.write(move |c, shop| {
            Box::pin(async move {
                let lapsed = sqlx::query(
                    "UPDATE campaign_approvals SET state = 'expired', version = version + 1, decided_at = $3
                     WHERE shop_id = $1 AND approval_id = $2 AND state = 'pending'",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if lapsed.rows_affected() == 0 {
                    return Ok(false);
                }
                sqlx::query(
                    "UPDATE campaigns SET state = 'written', updated_at = $3
                     WHERE shop_id = $1 AND campaign_id = $2 AND state = 'asked'",
                )
                .bind(shop.as_str())
                .bind(campaign.as_str())
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                append_audit(
                    c,
                    shop.as_str(),
                    now,
                    "system",
                    "approval.expired",
                    id.as_str(),
                    "nobody decided in time",
                )
                .await?;
                Ok(true)
            })
        })
        .await
    }
}

async fn signatures(c: &mut DbConnection, shop: &str, id: &ApprovalId) -> Result<Vec<Signature>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT section, signer, standing, at FROM approval_signatures
         WHERE shop_id = $1 AND approval_id = $2 ORDER BY at, section, signer",
    )
    .bind(shop)
    .bind(id.as_str())
    .fetch_all(c)
    .await
    .map_err(map)?;
    rows.into_iter()
        .map(|(section, signer, standing, at)| Ok(Signature { section, signer, standing, at: stamp(at, "signature")? }))
        .collect()
}

/// When this approval may be used: so long after the decision it can still be recalled.
pub(super) async fn usable_at(
    c: &mut DbConnection,
    shop: &str,
    id: &ApprovalId,
    of_campaign: bool,
    recall_seconds: u32,
) -> Result<Option<Timestamp>, StoreError> {
    let table = if of_campaign { "campaign_approvals" } else { "approvals" };
    let sql = format!("SELECT decided_at FROM {table} WHERE shop_id = $1 AND approval_id = $2");
    let row: Option<(Option<i64>,)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(shop).bind(id.as_str()).fetch_optional(c).await.map_err(map)?;
    let decided = row.and_then(|(at,)| at).map(|at| stamp(at, "approval")).transpose()?;
    Ok(decided.and_then(|at| at.checked_add(jiff::SignedDuration::from_secs(i64::from(recall_seconds))).ok()))
}

fn name_of(who: Option<&Principal>) -> String {
    who.map_or_else(|| "system".to_owned(), Principal::name)
}
