//! What model calls cost: reserved before, settled after, summed by scope in the same transaction.

use kit::{FlowId, RunId, StoreError, Timestamp};

use super::error::map;
use super::{DbConnection, ShopStore, corrupt, micros, stamp};

/// An amount to reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSpend {
    /// The run that asks.
    pub run: RunId,
    /// Its flow.
    pub flow: FlowId,
    /// The model profile that is asked.
    pub profile: String,
    /// The most it may cost, in millionths of a US dollar.
    pub micros: u64,
    /// Each scope that the amount counts in, with its cap if it has one.
    pub scopes: Vec<(String, Option<u64>)>,
    /// The day, as YYYY-MM-DD.
    pub day: String,
}

/// What came of reserving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// The amount counts now; this is the call's number in its run.
    Call(i64),
    /// It would pass the cap of this scope; nothing was reserved.
    Over {
        /// Which of the scopes, by its position.
        scope: usize,
        /// What was used of it, open reservations among them.
        used: u64,
        /// Its cap.
        cap: u64,
    },
}

/// One call's cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendRow {
    /// The call's number in its run, from 1.
    pub call: i64,
    /// The model profile that was asked.
    pub profile: String,
    /// What was reserved, in millionths of a US dollar.
    pub reserved: u64,
    /// What it cost; `None` while it is open, or when the process died over it.
    pub settled: Option<u64>,
    /// When it was reserved.
    pub at: Timestamp,
}

impl ShopStore {
    /// Reserves an amount in every scope, or in none.
    pub async fn reserve_spend(&self, new: NewSpend, now: Timestamp) -> Result<Reserved, StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                let amount = stored(new.micros);
                for (position, (scope, cap)) in new.scopes.iter().enumerate() {
                    let Some(cap) = cap else { continue };
                    let used = total(c, shop.as_str(), scope).await?;
                    if used.saturating_add(amount) > stored(*cap) {
                        return Ok(Reserved::Over { scope: position, used: read(used)?, cap: *cap });
                    }
                }
                for (scope, _) in &new.scopes {
                    add(c, shop.as_str(), scope, amount).await?;
                }
                let (call,): (i64,) =
                    sqlx::query_as("SELECT COALESCE(MAX(call_no), 0) + 1 FROM spend WHERE shop_id = $1 AND run_id = $2")
                        .bind(shop.as_str())
                        .bind(new.run.as_str())
                        .fetch_one(&mut *c)
                        .await
                        .map_err(map)?;
                sqlx::query(
                    "INSERT INTO spend (shop_id, run_id, call_no, flow, day, profile, reserved_micros, settled_micros, at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8)",
                )
                .bind(shop.as_str())
                .bind(new.run.as_str())
                .bind(call)
                .bind(new.flow.as_str())
                .bind(&new.day)
                .bind(&new.profile)
                .bind(amount)
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                Ok(Reserved::Call(call))
            })
        })
        .await
    }

    /// Puts what a call cost in the place of what was reserved for it; a second time changes nothing.
    pub async fn settle_spend(&self, run: &RunId, call: i64, cost: u64, scopes: Vec<String>) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                let open: Option<(i64,)> = sqlx::query_as(
                    "SELECT reserved_micros FROM spend WHERE shop_id = $1 AND run_id = $2 AND call_no = $3 AND settled_micros IS NULL",
                )
                .bind(shop.as_str())
                .bind(run.as_str())
                .bind(call)
                .fetch_optional(&mut *c)
                .await
                .map_err(map)?;
                let Some((reserved,)) = open else { return Ok(()) };
                sqlx::query("UPDATE spend SET settled_micros = $4 WHERE shop_id = $1 AND run_id = $2 AND call_no = $3")
                    .bind(shop.as_str())
                    .bind(run.as_str())
                    .bind(call)
                    .bind(stored(cost))
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                for scope in &scopes {
                    add(c, shop.as_str(), scope, stored(cost).saturating_sub(reserved)).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// What counts in a scope now, open reservations among it.
    pub async fn spent_in(&self, scope: &str) -> Result<u64, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT micros FROM spend_totals WHERE shop_id = $1 AND scope = $2")
            .bind(self.shop.as_str())
            .bind(scope)
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map_or(Ok(0), |(micros,)| read(micros))
    }

    /// What the calls of a run cost, in their order.
    pub async fn spend_of(&self, run: &RunId) -> Result<Vec<SpendRow>, StoreError> {
        let rows: Vec<(i64, String, i64, Option<i64>, i64)> = sqlx::query_as(
            "SELECT call_no, profile, reserved_micros, settled_micros, at FROM spend WHERE shop_id = $1 AND run_id = $2 ORDER BY call_no",
        )
        .bind(self.shop.as_str())
        .bind(run.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(call, profile, reserved, settled, at)| {
                let settled = settled.map(read).transpose()?;
                Ok(SpendRow { call, profile, reserved: read(reserved)?, settled, at: stamp(at, "spend")? })
            })
            .collect()
    }
}

async fn total(c: &mut DbConnection, shop: &str, scope: &str) -> Result<i64, StoreError> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT micros FROM spend_totals WHERE shop_id = $1 AND scope = $2")
        .bind(shop)
        .bind(scope)
        .fetch_optional(&mut *c)
        .await
        .map_err(map)?;
    Ok(row.map_or(0, |(micros,)| micros))
}

async fn add(c: &mut DbConnection, shop: &str, scope: &str, amount: i64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO spend_totals (shop_id, scope, micros) VALUES ($1, $2, $3)
         ON CONFLICT (shop_id, scope) DO UPDATE SET micros = spend_totals.micros + excluded.micros",
    )
    .bind(shop)
    .bind(scope)
    .bind(amount)
    .execute(&mut *c)
    .await
    .map_err(map)?;
    Ok(())
}

/// No amount of money for one call is anywhere near this bound; sums stay far below overflow.
const MOST: i64 = 1 << 50;

fn stored(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(MOST).min(MOST)
}

fn read(micros: i64) -> Result<u64, StoreError> {
    u64::try_from(micros).map_err(|e| corrupt("spend", e))
}
