//! The budget of an offer that was never sent is given back, once, by the commit that ends what held it.

use kit::{CustomerId, StoreError, Timestamp};

use super::error::map;
use super::{DbConnection, micros};

/// A hold without a message: neither its run nor, for one of a campaign's people, whoever was given its code has a row in the
/// ledger that the provider did not refuse. What is reserved or unknown may have left, and counts as sent.
const UNSENT: &str = "NOT EXISTS (SELECT 1 FROM sends s WHERE s.shop_id = $1 AND s.run_id = h.run_id AND s.state <> 'refused')
     AND NOT EXISTS (SELECT 1 FROM offers_granted g JOIN sends s ON s.shop_id = g.shop_id AND s.run_id = g.run_id AND s.customer_id = g.customer_id
                      WHERE g.shop_id = $1 AND g.code = h.code AND s.state <> 'refused')";

/// Gives back what a run, or one of a campaign's people, holds, when nothing was sent with it. Whoever calls this has just ended
/// it in the same transaction. A second time finds nothing.
pub(super) async fn give_back(
    c: &mut DbConnection,
    shop: &str,
    holder: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "UPDATE offer_holds AS h SET given_back_at = $3 WHERE h.shop_id = $1 AND h.run_id = $2 AND h.given_back_at IS NULL AND {UNSENT}"
    ));
    let given_back = sqlx::query(sql).bind(shop).bind(holder).bind(micros(now)).execute(&mut *c).await.map_err(map)?;
    if given_back.rows_affected() == 0 {
        return Ok(());
    }
    let charges: Vec<(String, i64)> =
        sqlx::query_as("SELECT budget, paid_minor FROM offer_charges WHERE shop_id = $1 AND run_id = $2")
            .bind(shop)
            .bind(holder)
            .fetch_all(&mut *c)
            .await
            .map_err(map)?;
    for (budget, paid) in charges {
        sqlx::query("UPDATE offer_budgets SET spent_minor = spent_minor - $3 WHERE shop_id = $1 AND budget = $2")
            .bind(shop)
            .bind(&budget)
            .bind(paid)
            .execute(&mut *c)
            .await
            .map_err(map)?;
    }
    sqlx::query("DELETE FROM offer_charges WHERE shop_id = $1 AND run_id = $2")
        .bind(shop)
        .bind(holder)
        .execute(c)
        .await
        .map_err(map)?;
    Ok(())
}

/// Gives back all that somebody who is about to be erased holds unsent, and forgets what they took: their own budgets name them.
/// Before their rows in the ledger are emptied.
pub(super) async fn give_back_all(
    c: &mut DbConnection,
    shop: &str,
    customer: &CustomerId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let holders: Vec<(String,)> =
        sqlx::query_as("SELECT run_id FROM offer_holds WHERE shop_id = $1 AND customer_id = $2")
            .bind(shop)
            .bind(customer.as_str())
            .fetch_all(&mut *c)
            .await
            .map_err(map)?;
    for (holder,) in holders {
        give_back(c, shop, &holder, now).await?;
        sqlx::query("DELETE FROM offer_charges WHERE shop_id = $1 AND run_id = $2")
            .bind(shop)
            .bind(&holder)
            .execute(&mut *c)
            .await
            .map_err(map)?;
    }
    // `customer:<id>:<year-month>`.
    sqlx::query(
        "DELETE FROM offer_budgets WHERE shop_id = $1 AND budget = 'customer:' || $2 || ':' || SUBSTR(budget, LENGTH(budget) - 6)",
    )
    .bind(shop)
    .bind(customer.as_str())
    .execute(c)
    .await
    .map_err(map)?;
    Ok(())
}
