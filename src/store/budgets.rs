//! What offers may cost: budgets that no two runs can overdraw together, and wishes beyond the ladder.

use kit::{CustomerId, Money, OfferStepId, Principal, RunId, StoreError, Timestamp};

use super::error::map;
use super::settings::append_audit;
use super::{ShopStore, corrupt, from_json, micros, stamp};

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
    /// What a person answered; `None` while nobody has.
    pub answer: Option<WishAnswer>,
    /// Who did.
    pub answered_by: Option<String>,
    /// Why, or what will be changed.
    pub note: Option<String>,
}

/// What a person answers to a wish. Neither grants anything: offers come from the ladder alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WishAnswer {
    /// There will be no such offer.
    Refused,
    /// The ladder gets such a step.
    Adopted,
}

impl WishAnswer {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Adopted => "adopted",
        }
    }
}

type WishTuple = (String, String, String, i64, Option<String>, Option<String>, Option<String>);
const WISH: &str = "SELECT run_id, step, reason, asked_at, answer, answered_by, note FROM offer_requests";

fn wish(row: WishTuple) -> Result<OfferWish, StoreError> {
    let (run, step, reason, at, answer, answered_by, note) = row;
    Ok(OfferWish {
        run: RunId::new(run).map_err(|e| corrupt("offer request", e))?,
        step,
        reason,
        asked_at: stamp(at, "offer request")?,
        answer: answer.map(|word| from_json(&format!("\"{word}\""), "offer request")).transpose()?,
        answered_by,
        note,
    })
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
        let sql =
            sqlx::AssertSqlSafe(format!("{WISH} WHERE shop_id = $1 ORDER BY asked_at DESC, run_id, step LIMIT $2"));
        let rows: Vec<WishTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(wish).collect()
    }

    /// A run's wish for a step.
    pub async fn offer_wish(&self, run: &RunId, step: &str) -> Result<Option<OfferWish>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{WISH} WHERE shop_id = $1 AND run_id = $2 AND step = $3"));
        let row: Option<WishTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(run.as_str())
            .bind(step)
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(wish).transpose()
    }

    /// Answers a wish, once; false when there is none or it was answered.
    pub async fn answer_wish(
        &self,
        run: &RunId,
        step: &str,
        answer: WishAnswer,
        who: &Principal,
        note: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (run, step, who, note) = (run.clone(), step.to_owned(), who.name(), note.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                let answered = sqlx::query(
                    "UPDATE offer_requests SET answer = $4, answered_by = $5, answered_at = $6, note = $7
                     WHERE shop_id = $1 AND run_id = $2 AND step = $3 AND answer IS NULL",
                )
                .bind(shop.as_str())
                .bind(run.as_str())
                .bind(&step)
                .bind(answer.as_str())
                .bind(&who)
                .bind(micros(now))
                .bind(&note)
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if answered.rows_affected() == 0 {
                    return Ok(false);
                }
                let action = format!("offer.wish_{}", answer.as_str());
                append_audit(c, shop.as_str(), now, &who, &action, run.as_str(), &format!("{step}: {note}")).await?;
                Ok(true)
            })
        })
        .await
    }
}
