//! Shops, releases and kill switches.

use std::collections::BTreeMap;

use kit::message::{HoursTable, QuietHours};
use kit::{CustomerId, Digest, FlowId, Principal, StoreError, Timestamp};

pub(super) use super::audit::append_audit;
use super::error::map;
use super::{DbConnection, ShopStore, from_json, micros, stamp, to_json};

/// The scope that stops every shop of the installation.
pub(super) const EVERYWHERE: &str = "*";

/// What the ledger compares against, taken from the active release when it was activated: it stands in the shop's row so
/// that the reserving transaction reads the present value without parsing a rule file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Digest of the content rules.
    pub rules: Digest,
    /// Marketing messages per person and 24 hours.
    pub cap_day: u32,
    /// Marketing messages per person and 7 days.
    pub cap_week: u32,
    /// Hours without mail, in the recipient's zone.
    pub quiet: QuietHours,
    /// Share of customers who get nothing, for measurement.
    pub holdout_percent: u32,
    /// When text messages may arrive, by region. A shop set up before there were any has none, and sends none.
    #[serde(default)]
    pub sms_hours: Option<HoursTable>,
    /// Seconds after an approval in which it can be recalled and nothing leaves with it.
    #[serde(default)]
    pub recall_seconds: u32,
}

/// Segments that a kill switch can stop: VIPs, people with an order that stands, and people without one. Who belongs to
/// them is read in the transaction that would hand over, so that a switch holds from its commit on.
pub const SEGMENTS: [&str; 3] = ["vip", "buyers", "prospects"];

/// A kill switch that is on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KillSwitch {
    /// `global`, `shop`, `flow:<id>`, `segment:<name>` of [`SEGMENTS`], or `esp:<name>`.
    pub scope: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub set_by: String,
    /// Since when.
    pub at: Timestamp,
}

impl ShopStore {
    /// Stores a release (a map of file name to content) and makes it the shop's active one.
    pub async fn activate_release(
        &self,
        name: &str,
        files: &BTreeMap<String, String>,
        limits: Limits,
        by: &Principal,
        now: Timestamp,
    ) -> Result<Digest, StoreError> {
        let body = to_json(files, "release")?;
        let limits = to_json(&limits, "limits")?;
        let digest = Digest::of_bytes(body.as_bytes());
        let (name, release, by) = (name.to_owned(), digest.to_string(), by.name());
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("INSERT INTO releases (shop_id, release, files, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                    .bind(shop.as_str()).bind(&release).bind(&body).bind(micros(now))
                    .execute(&mut *c).await.map_err(map)?;
                sqlx::query(
                    "INSERT INTO shops (shop_id, name, active_release, limits, created_at) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (shop_id) DO UPDATE SET name = excluded.name, active_release = excluded.active_release, limits = excluded.limits",
                )
                .bind(shop.as_str()).bind(&name).bind(&release).bind(&limits).bind(micros(now))
                .execute(&mut *c).await.map_err(map)?;
                append_audit(c, shop.as_str(), now, &by, "release.in_force", &release, "").await
            })
        })
        .await?;
        Ok(digest)
    }

    /// The active release's digest and files; `None` when the shop is not set up.
    pub async fn active_release(&self) -> Result<Option<(Digest, BTreeMap<String, String>)>, StoreError> {
        let row: Option<(String, String)> = sqlx::query_as(
            "SELECT r.release, r.files FROM shops s JOIN releases r ON r.shop_id = s.shop_id AND r.release = s.active_release WHERE s.shop_id = $1",
        )
        .bind(self.shop.as_str()).fetch_optional(self.readers()).await.map_err(map)?;
        row.map(|(release, files)| {
            Ok((release.parse().map_err(|e| super::corrupt("release", e))?, from_json(&files, "release")?))
        })
        .transpose()
    }

    /// What the ledger compares against now.
    pub async fn limits(&self) -> Result<Option<Limits>, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        limits(&mut connection, self.shop.as_str()).await
    }

    /// Shops of this installation.
    pub async fn shop_ids(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT shop_id FROM shops ORDER BY shop_id")
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// All stored releases, newest first.
    pub async fn releases(&self) -> Result<Vec<(Digest, Timestamp)>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT release, created_at FROM releases WHERE shop_id = $1 ORDER BY created_at DESC, release",
        )
        .bind(self.shop.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(release, at)| {
                Ok((release.parse().map_err(|e| super::corrupt("release", e))?, stamp(at, "release")?))
            })
            .collect()
    }

    /// The files of any stored release: runs are pinned to the one they began with.
    pub async fn release(&self, release: Digest) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT files FROM releases WHERE shop_id = $1 AND release = $2")
            .bind(self.shop.as_str())
            .bind(release.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(|(files,)| from_json(&files, "release")).transpose()
    }

    /// True when an admin lets authors approve their own work: a shop of one person.
    pub async fn solo(&self) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT solo FROM shops WHERE shop_id = $1")
            .bind(self.shop.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        Ok(row.is_some_and(|(solo,)| solo != 0))
    }

    /// Lets authors approve their own work, or ends that, with who said so and why.
    pub async fn set_solo(&self, on: bool, by: &Principal, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let (by, reason) = (by.name(), reason.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("UPDATE shops SET solo = $2 WHERE shop_id = $1")
                    .bind(shop.as_str())
                    .bind(i64::from(on))
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                let action = if on { "approval.solo_on" } else { "approval.solo_off" };
                append_audit(c, shop.as_str(), now, &by, action, shop.as_str(), &reason).await
            })
        })
        .await
    }

    /// Turns a kill switch on. Scope `global` stops every shop.
    pub async fn kill_on(&self, scope: &str, reason: &str, by: &Principal, now: Timestamp) -> Result<(), StoreError> {
        let (scope, reason, by) = (scope.to_owned(), reason.to_owned(), by.name());
        self.write(move |c, shop| {
            Box::pin(async move {
                let owner = if scope == "global" { EVERYWHERE } else { shop.as_str() };
                sqlx::query("INSERT INTO kill_switches (shop_id, scope, reason, set_by, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
                    .bind(owner).bind(&scope).bind(&reason).bind(&by).bind(micros(now))
                    .execute(&mut *c).await.map_err(map)?;
                append_audit(c, shop.as_str(), now, &by, "kill.on", &scope, &reason).await
            })
        })
        .await
    }

    /// Turns a kill switch off; false when it was not on.
    pub async fn kill_off(&self, scope: &str, by: &Principal, now: Timestamp) -> Result<bool, StoreError> {
        let (scope, by) = (scope.to_owned(), by.name());
        self.write(move |c, shop| {
            Box::pin(async move {
                let owner = if scope == "global" { EVERYWHERE } else { shop.as_str() };
                let done = sqlx::query("DELETE FROM kill_switches WHERE shop_id = $1 AND scope = $2")
                    .bind(owner)
                    .bind(&scope)
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                append_audit(c, shop.as_str(), now, &by, "kill.off", &scope, "").await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// The switch that stops this flow for this person now, in words.
    pub async fn killed(&self, flow: &FlowId, customer: &CustomerId) -> Result<Option<String>, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        killed(&mut connection, self.shop.as_str(), flow, customer).await
    }

    /// Switches that are on for this shop, the installation's included.
    pub async fn kill_switches(&self) -> Result<Vec<KillSwitch>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT scope, reason, set_by, at FROM kill_switches WHERE shop_id = $1 OR shop_id = $2 ORDER BY scope",
        )
        .bind(self.shop.as_str())
        .bind(EVERYWHERE)
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(scope, reason, set_by, at)| Ok(KillSwitch { scope, reason, set_by, at: stamp(at, "kill switch")? }))
            .collect()
    }
}

/// The switch that stops a flow for a person, as it is in the transaction that is open: everywhere, the shop, the flow
/// itself, or a segment that they belong to.
pub(super) async fn killed(
    c: &mut DbConnection,
    shop: &str,
    flow: &FlowId,
    customer: &CustomerId,
) -> Result<Option<String>, StoreError> {
    let row: Option<(String, String)> = sqlx::query_as(
        "WITH standing AS (SELECT 1 FROM orders WHERE shop_id = $1 AND customer_id = $4 AND cancelled_at IS NULL)
         SELECT scope, reason FROM kill_switches WHERE (shop_id = $1 OR shop_id = $2) AND (
             scope IN ('global', 'shop', $3)
             OR (scope = 'segment:vip' AND EXISTS (SELECT 1 FROM customers WHERE shop_id = $1 AND customer_id = $4 AND vip <> 0))
             OR (scope = 'segment:buyers' AND EXISTS (SELECT 1 FROM standing))
             OR (scope = 'segment:prospects' AND NOT EXISTS (SELECT 1 FROM standing))
         ) ORDER BY scope LIMIT 1",
    )
    .bind(shop)
    .bind(EVERYWHERE)
    .bind(format!("flow:{flow}"))
    .bind(customer.as_str())
    .fetch_optional(c)
    .await
    .map_err(map)?;
    Ok(row.map(|(scope, reason)| format!("{scope}: {reason}")))
}

/// The limits as they are in the transaction that is open.
pub(super) async fn limits(c: &mut DbConnection, shop: &str) -> Result<Option<Limits>, StoreError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT limits FROM shops WHERE shop_id = $1")
        .bind(shop)
        .fetch_optional(c)
        .await
        .map_err(map)?;
    row.map(|(limits,)| from_json(&limits, "limits")).transpose()
}
