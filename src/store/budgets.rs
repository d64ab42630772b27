//! What offers may cost: budgets that no two runs can overdraw together, and wishes beyond the ladder.

use ::offers::Held;
use kit::{CustomerId, Money, OfferStepId, Principal, RunId, StoreError, Timestamp};

use super::error::map;
use super::settings::append_audit;
use super::{DbConnection, ShopStore, corrupt, from_json, micros, stamp};

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

/// What one offer may not exceed, compared in the transaction that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferLimits {
    /// Budgets that pay for it.
    pub budgets: Vec<Budget>,
    /// Offers that one customer may have since [`Self::since`], this one included.
    pub per_customer: u32,
    /// Where the window of [`Self::per_customer`] begins.
    pub since: Timestamp,
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
    /// Holds an offer against every limit, or changes nothing. A run has one hold: asking again for it costs nothing more,
    /// unless its basket has become dearer meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the run has ended; when storage cannot answer.
    pub async fn hold_offer(&self, hold: OfferHold, limits: OfferLimits, now: Timestamp) -> Result<Held, StoreError> {
        self.write(move |c, shop| Box::pin(async move { hold_within(c, shop.as_str(), &hold, &limits, now).await }))
            .await
    }

    /// Steps of a customer's offers that count at present, oldest first: sent since a time, or held by a run that has not
    /// ended. What `except` holds is left out: a run is not in its own way.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn offers_since(
        &self,
        customer: &CustomerId,
        since: Timestamp,
        except: &RunId,
    ) -> Result<Vec<OfferStepId>, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        let offers = offers_of(&mut connection, self.shop.as_str(), customer, since, except).await?;
        offers.into_iter().map(|(step, _)| OfferStepId::new(step).map_err(|e| corrupt("offer", e))).collect()
    }

    /// True when a code is nobody's, or this customer's own.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn code_is_free(&self, code: &str, customer: &CustomerId) -> Result<bool, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        Ok(!code_is_others(&mut connection, self.shop.as_str(), code, customer).await?)
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

async fn hold_within(
    c: &mut DbConnection,
    shop: &str,
    hold: &OfferHold,
    limits: &OfferLimits,
    now: Timestamp,
) -> Result<Held, StoreError> {
    let ended: Option<(String,)> =
        sqlx::query_as("SELECT run_id FROM runs WHERE shop_id = $1 AND run_id = $2 AND state = 'done'")
            .bind(shop)
            .bind(hold.run.as_str())
            .fetch_optional(&mut *c)
            .await
            .map_err(map)?;
    if ended.is_some() {
        // What it held has been given back, and nothing would ever give back this one.
        return Err(StoreError::Conflict(format!("run {} has ended", hold.run)));
    }
    let before: Option<(String, String, String, i64, Option<i64>)> = sqlx::query_as(
        "SELECT step, code, currency, cost_minor, given_back_at FROM offer_holds WHERE shop_id = $1 AND run_id = $2",
    )
    .bind(shop)
    .bind(hold.run.as_str())
    .fetch_optional(&mut *c)
    .await
    .map_err(map)?;
    let currency = hold.cost.currency.as_str();
    let paid = match before {
        Some((step, code, ..)) if step != hold.step.as_str() || code != hold.code => {
            let step = OfferStepId::new(step).map_err(|e| corrupt("offer hold", e))?;
            return Ok(Held::Stands { step, code });
        }
        // Budgets are kept in one currency: what was held in another one cannot be topped up.
        Some((.., held, _, _)) if held != currency => return Ok(Held::Over { budget: format!("held in {held}") }),
        // What was given back is held anew, as if it had never been.
        Some((.., Some(_))) => None,
        Some((.., paid, None)) => Some(paid),
        None => None,
    };
    if paid.is_none() {
        let granted = offers_of(c, shop, &hold.customer, limits.since, &hold.run).await?.len();
        let granted = u32::try_from(granted).unwrap_or(u32::MAX);
        if granted >= limits.per_customer {
            return Ok(Held::TooMany { granted });
        }
        if code_is_others(c, shop, &hold.code, &hold.customer).await? {
            return Ok(Held::CodeTaken);
        }
    }
    let more = hold.cost.minor.saturating_sub(paid.unwrap_or(0)).max(0);
    if more == 0 && paid.is_some() {
        return Ok(Held::Held);
    }
    if let Some(budget) = raise(c, shop, &limits.budgets, more).await? {
        return Ok(Held::Over { budget });
    }
    for budget in &limits.budgets {
        sqlx::query(
            "INSERT INTO offer_charges (shop_id, run_id, budget, paid_minor) VALUES ($1, $2, $3, $4)
             ON CONFLICT (shop_id, run_id, budget) DO UPDATE SET paid_minor = offer_charges.paid_minor + $4",
        )
        .bind(shop)
        .bind(hold.run.as_str())
        .bind(&budget.name)
        .bind(more)
        .execute(&mut *c)
        .await
        .map_err(map)?;
    }
    sqlx::query(
        "INSERT INTO offer_holds (shop_id, run_id, customer_id, step, code, currency, cost_minor, held_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (shop_id, run_id) DO UPDATE
             SET cost_minor = $7, held_at = CASE WHEN offer_holds.given_back_at IS NULL THEN offer_holds.held_at ELSE $8 END, given_back_at = NULL",
    )
    .bind(shop)
    .bind(hold.run.as_str())
    .bind(hold.customer.as_str())
    .bind(hold.step.as_str())
    .bind(&hold.code)
    .bind(currency)
    .bind(hold.cost.minor)
    .bind(micros(now))
    .execute(&mut *c)
    .await
    .map_err(map)?;
    Ok(Held::Held)
}

/// Raises every budget, or none: the name of the one that has not enough left.
async fn raise(c: &mut DbConnection, shop: &str, budgets: &[Budget], more: i64) -> Result<Option<String>, StoreError> {
    let mut taken: Vec<&Budget> = Vec::new();
    for budget in budgets {
        sqlx::query(
            "INSERT INTO offer_budgets (shop_id, budget, spent_minor) VALUES ($1, $2, 0) ON CONFLICT (shop_id, budget) DO NOTHING",
        )
        .bind(shop)
        .bind(&budget.name)
        .execute(&mut *c)
        .await
        .map_err(map)?;
        // The guard and the raise are one statement: two writers cannot both take the last euro.
        let raised = sqlx::query(
            "UPDATE offer_budgets SET spent_minor = spent_minor + $3 WHERE shop_id = $1 AND budget = $2 AND spent_minor + $3 <= $4",
        )
        .bind(shop)
        .bind(&budget.name)
        .bind(more)
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
                .bind(shop)
                .bind(&earlier.name)
                .bind(more)
                .execute(&mut *c)
                .await
                .map_err(map)?;
        }
        return Ok(Some(budget.name.clone()));
    }
    Ok(None)
}

/// Step and code of a customer's offers that count, oldest first; each code once, whether held, sent or both.
async fn offers_of(
    c: &mut DbConnection,
    shop: &str,
    customer: &CustomerId,
    since: Timestamp,
    except: &RunId,
) -> Result<Vec<(String, String)>, StoreError> {
    // A run that ended without a message gives its place back. A campaign's person has a hold and no run of their own: their place
    // is given back with the budget.
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT step, code FROM (
             SELECT step, code, granted_at AS at FROM offers_granted g
              WHERE g.shop_id = $1 AND g.customer_id = $2 AND g.granted_at > $3
                AND NOT EXISTS (SELECT 1 FROM offer_holds o WHERE o.shop_id = $1 AND o.run_id = $4 AND o.code = g.code)
             UNION ALL
             SELECT h.step, h.code, h.held_at AS at FROM offer_holds h
               LEFT JOIN runs r ON r.shop_id = h.shop_id AND r.run_id = h.run_id
              WHERE h.shop_id = $1 AND h.customer_id = $2 AND h.run_id <> $4
                AND ((r.run_id IS NULL AND h.held_at > $3 AND h.given_back_at IS NULL) OR r.state <> 'done')
                AND NOT EXISTS (SELECT 1 FROM offers_granted g WHERE g.shop_id = $1 AND g.code = h.code)
         ) AS offers ORDER BY at, code",
    )
    .bind(shop)
    .bind(customer.as_str())
    .bind(micros(since))
    .bind(except.as_str())
    .fetch_all(c)
    .await
    .map_err(map)?;
    let mut seen = std::collections::BTreeSet::new();
    Ok(rows.into_iter().filter(|(_, code)| seen.insert(code.clone())).collect())
}

async fn code_is_others(
    c: &mut DbConnection,
    shop: &str,
    code: &str,
    customer: &CustomerId,
) -> Result<bool, StoreError> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT (SELECT COUNT(*) FROM offer_holds WHERE shop_id = $1 AND code = $2 AND customer_id <> $3)
              + (SELECT COUNT(*) FROM offers_granted WHERE shop_id = $1 AND code = $2 AND customer_id <> $3)",
    )
    .bind(shop)
    .bind(code)
    .bind(customer.as_str())
    .fetch_one(c)
    .await
    .map_err(map)?;
    Ok(count > 0)
}
