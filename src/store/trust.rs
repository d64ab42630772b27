//! What people decided about messages, and how far flows are trusted for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use approval::TrustLevel;
use kit::{ApprovalId, Digest, FlowId, Principal, RunId, StoreError, Timestamp};

use super::error::map;
use super::journal::body_of;
use super::keyring::Keyring;
use super::settings::append_audit;
use super::{DbConnection, ShopStore, corrupt, from_json, micros, stamp};

/// What a message's writer is trusted by: another release or another model begins anew.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct TrustKey {
    /// The flow.
    pub flow: FlowId,
    /// The release that it was written under.
    pub release: Digest,
    /// The model, as it names itself.
    pub model: String,
}

/// What somebody decided about a message, as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Approved as it was written.
    Unchanged,
    /// Edited.
    Edited,
    /// Rejected, or objected to after it had gone out.
    Rejected,
    /// Its reader complained.
    Complained,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Edited => "edited",
            Self::Rejected => "rejected",
            Self::Complained => "complained",
        }
    }
}

/// Decisions of a window, the newest ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct TrustRecord {
    /// How many there were.
    pub decisions: u32,
    /// Of these, approved as written.
    pub unchanged: u32,
}

/// A level that was set.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TrustRow {
    /// How far.
    pub level: TrustLevel,
    /// Who set it, or `system`.
    pub set_by: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
}

const NEWEST: &str = "SELECT verdict FROM trust_evidence WHERE shop_id = $1 AND flow = $2 AND release = $3 AND model = $4 ORDER BY at DESC, approval_id LIMIT $5";

impl ShopStore {
    /// The model that wrote last in a run, as it names itself; `None` when none did.
    pub async fn writer_of(&self, run: &RunId) -> Result<Option<String>, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        writer_of(&mut connection, self.keyring(), self.shop.as_str(), run).await
    }

    /// The newest decisions about a key, at most `window` of them.
    pub async fn trust_record(&self, key: &TrustKey, window: u32) -> Result<TrustRecord, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        record(&mut connection, self.shop.as_str(), key, window).await
    }

    /// How far a key is trusted.
    pub async fn trust_level(&self, key: &TrustKey) -> Result<TrustLevel, StoreError> {
        let row: Option<(String,)> = sqlx::query_as(
            "SELECT level FROM trust_levels WHERE shop_id = $1 AND flow = $2 AND release = $3 AND model = $4",
        )
        .bind(self.shop.as_str())
        .bind(key.flow.as_str())
        .bind(key.release.to_string())
        .bind(&key.model)
        .fetch_optional(self.readers())
        .await
        .map_err(map)?;
        row.map_or(Ok(TrustLevel::Approve), |(level,)| from_json(&format!("\"{level}\""), "trust level"))
    }

    /// Every key with evidence or a level, with its level as it was set.
    pub async fn trust_keys(&self) -> Result<BTreeMap<TrustKey, Option<TrustRow>>, StoreError> {
        let mut keys = BTreeMap::new();
        let seen: Vec<(String, String, String)> =
            sqlx::query_as("SELECT DISTINCT flow, release, model FROM trust_evidence WHERE shop_id = $1")
                .bind(self.shop.as_str())
                .fetch_all(self.readers())
                .await
                .map_err(map)?;
        for (flow, release, model) in seen {
            keys.insert(key(flow, &release, model)?, None);
        }
        type Row = (String, String, String, String, String, String, i64);
        let set: Vec<Row> =
            sqlx::query_as("SELECT flow, release, model, level, set_by, why, at FROM trust_levels WHERE shop_id = $1")
                .bind(self.shop.as_str())
                .fetch_all(self.readers())
                .await
                .map_err(map)?;
        for (flow, release, model, level, set_by, why, at) in set {
            let level = from_json(&format!("\"{level}\""), "trust level")?;
            keys.insert(
                key(flow, &release, model)?,
                Some(TrustRow { level, set_by, why, at: stamp(at, "trust level")? }),
            );
        }
        Ok(keys)
    }

    /// Raises a key, provided that its record is still this one: what was proposed is what is confirmed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody decided meanwhile.
    pub async fn raise_trust(
        &self,
        of: &TrustKey,
        level: TrustLevel,
        window: u32,
        proposed: TrustRecord,
        who: &Principal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (of, who) = (of.clone(), who.name());
        self.write(move |c, shop| {
            Box::pin(async move {
                if record(c, shop.as_str(), &of, window).await? != proposed {
                    return Err(StoreError::Conflict(format!("trust of {}", of.flow)));
                }
                let why = format!("{} of {} approved as written", proposed.unchanged, proposed.decisions);
                sqlx::query(
                    "INSERT INTO trust_levels (shop_id, flow, release, model, level, set_by, why, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                     ON CONFLICT (shop_id, flow, release, model) DO UPDATE SET level = excluded.level, set_by = excluded.set_by, why = excluded.why, at = excluded.at",
                )
                .bind(shop.as_str()).bind(of.flow.as_str()).bind(of.release.to_string()).bind(&of.model).bind(level.as_str())
                .bind(&who).bind(&why).bind(micros(now))
                .execute(&mut *c).await.map_err(map)?;
                let detail = format!("to {} with {} under {}: {why}", level.as_str(), of.model, of.release.short());
                append_audit(c, shop.as_str(), now, &who, "trust.raised", of.flow.as_str(), &detail).await
            })
        })
        .await
    }

    /// Lowers every level of a flow at once, with the verdict that is the reason when it is about a send. Returns how many
    /// levels fell.
    pub async fn lower_trust(
        &self,
        flow: &FlowId,
        about: Option<(String, RunId, Verdict)>,
        who: &Principal,
        why: &str,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let (flow, who, why) = (flow.clone(), who.name(), why.to_owned());
        let keyring = Arc::clone(self.keyring());
        self.write(move |c, shop| {
            Box::pin(async move {
                if let Some((name, run, verdict)) = &about {
                    note(c, &keyring, shop.as_str(), name, run, *verdict, now).await?;
                }
                lower(c, shop.as_str(), &flow, &who, &why, now).await
            })
        })
        .await
    }
}

/// Notes what somebody decided about a run's message. The run says flow and release, its journal the model. A run whose
/// journal is gone, or that no model wrote, is no evidence. What is said later about the same thing counts.
pub(super) async fn note(
    c: &mut DbConnection,
    keyring: &Keyring,
    shop: &str,
    about: &str,
    run: &RunId,
    verdict: Verdict,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT flow, release FROM runs WHERE shop_id = $1 AND run_id = $2")
            .bind(shop)
            .bind(run.as_str())
            .fetch_optional(&mut *c)
            .await
            .map_err(map)?;
    let (Some((flow, release)), Some(model)) = (row, writer_of(c, keyring, shop, run).await?) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO trust_evidence (shop_id, approval_id, flow, release, model, verdict, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (shop_id, approval_id) DO UPDATE SET verdict = excluded.verdict, at = excluded.at",
    )
    .bind(shop)
    .bind(about)
    .bind(&flow)
    .bind(&release)
    .bind(&model)
    .bind(verdict.as_str())
    .bind(micros(now))
    .execute(&mut *c)
    .await
    .map_err(map)?;
    Ok(())
}

/// What somebody decided about a run's message.
pub(super) struct Decision<'a> {
    pub(super) id: &'a ApprovalId,
    pub(super) run: &'a RunId,
    pub(super) verdict: Verdict,
    pub(super) who: &'a str,
}

/// What a decision about a message means for trust: evidence, and with a rejection every level of the flow falls at once.
/// What a person has edited says nothing about its writer.
pub(super) async fn decided(
    c: &mut DbConnection,
    keyring: &Keyring,
    shop: &str,
    decision: Decision<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Decision { id, run, verdict, who } = decision;
    note(c, keyring, shop, id.as_str(), run, verdict, now).await?;
    if verdict != Verdict::Rejected {
        return Ok(());
    }
    let row: Option<(String,)> = sqlx::query_as("SELECT flow FROM runs WHERE shop_id = $1 AND run_id = $2")
        .bind(shop)
        .bind(run.as_str())
        .fetch_optional(&mut *c)
        .await
        .map_err(map)?;
    let Some((flow,)) = row else { return Ok(()) };
    let flow = FlowId::new(flow).map_err(|e| corrupt("run", e))?;
    lower(c, shop, &flow, who, &format!("{id} was rejected"), now).await.map(|_| ())
}

/// A complaint about a destination: every flow that wrote to it lately falls.
pub(super) async fn complained(
    c: &mut DbConnection,
    keyring: &Keyring,
    shop: &str,
    destination: &str,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT dedupe_key, run_id, flow FROM sends WHERE shop_id = $1 AND destination = $2 AND reserved_at > $3 AND state <> 'refused'",
    )
    .bind(shop)
    .bind(destination)
    .bind(micros(since))
    .fetch_all(&mut *c)
    .await
    .map_err(map)?;
    for (key, run, flow) in rows {
        let run = RunId::new(run).map_err(|e| corrupt("send", e))?;
        note(c, keyring, shop, &key, &run, Verdict::Complained, now).await?;
        let flow = FlowId::new(flow).map_err(|e| corrupt("send", e))?;
        lower(c, shop, &flow, "system", "a reader complained", now).await?;
    }
    Ok(())
}

async fn lower(
    c: &mut DbConnection,
    shop: &str,
    flow: &FlowId,
    who: &str,
    why: &str,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let lowered = sqlx::query(
        "UPDATE trust_levels SET level = 'approve', set_by = $3, why = $4, at = $5
         WHERE shop_id = $1 AND flow = $2 AND level <> 'approve'",
    )
    .bind(shop)
    .bind(flow.as_str())
    .bind(who)
    .bind(why)
    .bind(micros(now))
    .execute(&mut *c)
    .await
    .map_err(map)?;
    let fell = u32::try_from(lowered.rows_affected()).unwrap_or(u32::MAX);
    if fell > 0 {
        append_audit(c, shop, now, who, "trust.lowered", flow.as_str(), why).await?;
    }
    Ok(fell)
}

async fn record(c: &mut DbConnection, shop: &str, of: &TrustKey, window: u32) -> Result<TrustRecord, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(NEWEST)
        .bind(shop)
        .bind(of.flow.as_str())
        .bind(of.release.to_string())
        .bind(&of.model)
        .bind(i64::from(window))
        .fetch_all(c)
        .await
        .map_err(map)?;
    let unchanged = rows.iter().filter(|(verdict,)| verdict == Verdict::Unchanged.as_str()).count();
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(TrustRecord { decisions: small(rows.len()), unchanged: small(unchanged) })
}

async fn writer_of(
    c: &mut DbConnection,
    keyring: &Keyring,
    shop: &str,
    run: &RunId,
) -> Result<Option<String>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT seq, body FROM journal WHERE shop_id = $1 AND run_id = $2 AND step = 'call_model' ORDER BY seq DESC",
    )
    .bind(shop)
    .bind(run.as_str())
    .fetch_all(&mut *c)
    .await
    .map_err(map)?;
    let opener = keyring.opener(c, shop, rows.iter().map(|(_, body)| body.as_bytes())).await?;
    for (seq, body) in rows {
        let seq = u32::try_from(seq).map_err(|e| corrupt("journal", e))?;
        let body = opener.text_or_as_it_stands(body_of(run.as_str(), seq), body);
        // The row's own type belongs to the driver; only the model's name for itself matters here.
        if body.starts_with("{\"input\":\"model\"") {
            let said: Option<serde_json::Value> = serde_json::from_str(&body).ok();
            let model = said.as_ref().and_then(|said| said.get("reply")?.get("model")?.as_str());
            return Ok(model.map(str::to_owned));
        }
    }
    Ok(None)
}

fn key(flow: String, release: &str, model: String) -> Result<TrustKey, StoreError> {
    Ok(TrustKey {
        flow: FlowId::new(flow).map_err(|e| corrupt("trust", e))?,
        release: release.parse().map_err(|e| corrupt("trust", e))?,
        model,
    })
}
