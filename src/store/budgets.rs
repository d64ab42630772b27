//! What offers may cost: budgets that no two runs can overdraw together, and wishes beyond the ladder.

use kit::{CustomerId, Money, OfferStepId, RunId, StoreError, Timestamp};

use super::error::map;
use super::{ShopStore, corrupt, micros, stamp};

/// A budget and its limit, such as `month:2026-11`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Its name, with the period.
    pub name: String,
    /// The limit in minor units.
    pub limit_minor: i64,
}

/// The offer of a run that wants to be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferHold {
    /// The run.
    pub run: RunId,
    /// Whose it is.
    pub customer: CustomerId,
    /// The ladder's step.
    pub step: OfferStepId,
    /// Its code.
    pub code: String,
    /// What it costs at most.
    pub cost: Money,
}

/// A wish beyond the ladder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OfferWish {
    /// The run that had it.
    pub run: RunId,
    /// What it asked for.
    pub step: String,
    /// The writer's reason.
    pub reason: String,
    /// When.
    pub asked_at: Timestamp,
}

impl ShopStore {
    /// Holds an offer against every budget, or against none: the name of the budget that has not enough left, if one has not.
    /// A run has one hold: asking again for it costs nothing more.
    pub async fn hold_offer(
        &self,
        hold: OfferHold,
        budgets: Vec<Budget>,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                let new = sqlx::query(
                    "INSERT INTO offer_holds (shop_id, run_id, customer_id, step, code, currency, cost_minor, held_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (shop_id, run_id) DO NOTHING",
                )
                .bind(shop.as_str())
                .bind(hold.run.as_str())
                .bind(hold.customer.as_str())
                .bind(hold.step.as_str())
                .bind(&hold.code)
                .bind(hold.cost.currency.as_str())
                .bind(hold.cost.minor)
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?
                .rows_affected();
                if new == 0 {
                    return Ok(None);
                }
                let mut taken: Vec<&Budget> = Vec::new();
                for budget in &budgets {
                    sqlx::query("INSERT INTO offer_budgets (shop_id, budget, spent_minor) VALUES ($1, $2, 0) ON CONFLICT (shop_id, budget) DO NOTHING")
                        .bind(shop.as_str())
                        .bind(&budget.name)
                        .execute(&mut *c)
                        .await
                        .map_err(map)?;
                    // The guard and the raise are one statement: two writers cannot both take the last euro.
                    let raised = sqlx::query(
                        "UPDATE offer_budgets SET spent_minor = spent_minor + $3 WHERE shop_id = $1 AND budget = $2 AND spent_minor + $3 <= $4",
                    )
                    .bind(shop.as_str())
                    .bind(&budget.name)
                    .bind(hold.cost.minor)
                    .bind(budget.limit_minor)
                    .execute(&mut *c)
                    .await
                    .map_err(map)?
                    .rows_affected();
                    if raised == 1 {
                        taken.push(budget);
                        continue;
                    }
                    for earlier in taken {
                        sqlx::query("UPDATE offer_budgets SET spent_minor = spent_minor - $3 WHERE shop_id = $1 AND budget = $2")
                            .bind(shop.as_str())
                            .bind(&earlier.name)
                            .bind(hold.cost.minor)
                            .execute(&mut *c)
                            .await
                            .map_err(map)?;
                    }
                    sqlx::query("DELETE FROM offer_holds WHERE shop_id = $1 AND run_id = $2")
                        .bind(shop.as_str())
                        .bind(hold.run.as_str())
                        .execute(&mut *c)
                        .await
                        .map_err(map)?;
                    return Ok(Some(budget.name.clone()));
                }
                Ok(None)
            })
        })
        .await
    }

    /// What is spoken for of a budget, in minor units.
    pub async fn budget_spent(&self, budget: &str) -> Result<i64, StoreError> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT spent_minor FROM offer_budgets WHERE shop_id = $1 AND budget = $2")
                .bind(self.shop.as_str())
                .bind(budget)
                .fetch_optional(self.readers())
                .await
                .map_err(map)?;
        Ok(row.map_or(0, |(spent,)| spent))
    }

    /// Notes a wish beyond the ladder, once a run and step.
    pub async fn wish_offer(&self, wish: OfferWish) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO offer_requests (shop_id, run_id, step, reason, asked_at) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (shop_id, run_id, step) DO NOTHING",
                )
                .bind(shop.as_str())
                .bind(wish.run.as_str())
                .bind(&wish.step)
                .bind(&wish.reason)
                .bind(micros(wish.asked_at))
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Wishes beyond the ladder, newest first.
    pub async fn offer_wishes(&self, limit: u32) -> Result<Vec<OfferWish>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT run_id, step, reason, asked_at FROM offer_requests WHERE shop_id = $1 ORDER BY asked_at DESC, run_id, step LIMIT $2",
        )
        .bind(self.shop.as_str())
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(run, step, reason, at)| {
                let run = RunId::new(run).map_err(|e| corrupt("offer request", e))?;
                Ok(OfferWish { run, step, reason, asked_at: stamp(at, "offer request")? })
            })
            .collect()
    }
}
