//! The evidence for a reservation, read in the transaction that inserts the row.

use kit::message::{ReserveEvidence, ReserveRequest, in_holdout};
use kit::{StoreError, Timestamp};
use sqlx::SqliteConnection;

use super::sends_to;
use crate::store::approvals;
use crate::store::customers::{NEWEST_CONSENT, OPEN_TICKETS, consent_state};
use crate::store::error::map;
use crate::store::orders::BOUGHT_SINCE;
use crate::store::settings::{Limits, killed, limits};
use crate::store::{corrupt, micros, stamp};

/// Everything the judge compares, read in the transaction that inserts.
pub(super) async fn gather(c: &mut SqliteConnection, request: &ReserveRequest) -> Result<ReserveEvidence, StoreError> {
    let shop = request.shop.as_str();
    let customer = request.customer.as_str();
    let Limits { rules, cap_day, cap_week, quiet, holdout_percent } =
        limits(c, shop).await?.ok_or_else(|| corrupt("shop", "it is not set up"))?;
    let kill = killed(c, shop, &request.subject.flow).await?;
    let person: Option<(String, Option<i64>)> =
        sqlx::query_as("SELECT time_zone, erased_at FROM customers WHERE shop_id = $1 AND customer_id = $2")
            .bind(shop)
            .bind(customer)
            .fetch_optional(&mut *c)
            .await
            .map_err(map)?;
    let (zone, erased) = match person {
        Some((zone, erased_at)) => (zone, erased_at.is_some()),
        None => ("UTC".to_owned(), true),
    };
    let consent: Option<(String,)> = sqlx::query_as(NEWEST_CONSENT)
        .bind(shop)
        .bind(customer)
        .bind(request.envelope.channel.as_str())
        .fetch_optional(&mut *c)
        .await
        .map_err(map)?;
    let suppressed: Option<(String,)> =
        sqlx::query_as("SELECT reason FROM suppressions WHERE shop_id = $1 AND channel = $2 AND destination = $3")
            .bind(shop)
            .bind(request.envelope.channel.as_str())
            .bind(request.message.to.normalised())
            .fetch_optional(&mut *c)
            .await
            .map_err(map)?;
    let (tickets,): (i64,) =
        sqlx::query_as(OPEN_TICKETS).bind(shop).bind(customer).fetch_one(&mut *c).await.map_err(map)?;
    // A flow that an order does not stop asks about no time at all.
    let since = if request.subject.stops_on_purchase { micros(request.subject.triggered_at) } else { i64::MAX };
    let bought: Option<(i64,)> = sqlx::query_as(BOUGHT_SINCE)
        .bind(shop)
        .bind(customer)
        .bind(since)
        .fetch_optional(&mut *c)
        .await
        .map_err(map)?;
    let week = request.now.checked_sub(jiff::Span::new().hours(24 * 7)).unwrap_or(Timestamp::MIN);
    let recent_sends = sends_to(c, shop, customer, week).await?;
    let approval = match &request.approval {
        None => None,
        Some(id) => {
            let sql = sqlx::AssertSqlSafe(format!("{} WHERE shop_id = $1 AND approval_id = $2", approvals::COLUMNS));
            let row = sqlx::query_as(sql).bind(shop).bind(id.as_str()).fetch_optional(&mut *c).await.map_err(map)?;
            row.map(approvals::approval).transpose()?.map(|a| a.record)
        }
    };
    Ok(ReserveEvidence {
        kill,
        erased,
        consent: consent_state(consent)?,
        suppressed: suppressed.map(|(reason,)| reason),
        open_tickets: u32::try_from(tickets).unwrap_or(u32::MAX),
        bought_since: bought.map(|(at,)| stamp(at, "order")).transpose()?,
        holdout: in_holdout(&request.shop, &request.customer, holdout_percent),
        recent_sends,
        cap_day,
        cap_week,
        quiet,
        zone: jiff::tz::TimeZone::get(&zone).map_err(|e| corrupt("customer time zone", e))?,
        approval,
        rules,
        changed_facts: changed_facts(c, request).await?,
    })
}

/// Compares the cited products' prices and stock with those of now.
async fn changed_facts(c: &mut SqliteConnection, request: &ReserveRequest) -> Result<Vec<String>, StoreError> {
    let mut changed = Vec::new();
    for fact in request.products() {
        let now: Option<(i64, i64)> =
            sqlx::query_as("SELECT price_minor, stock FROM products WHERE shop_id = $1 AND product_id = $2")
                .bind(request.shop.as_str())
                .bind(&fact.subject)
                .fetch_optional(&mut *c)
                .await
                .map_err(map)?;
        match now {
            None => changed.push(format!("{} is not in the catalogue any more", fact.subject)),
            Some((_, stock)) if stock <= 0 => changed.push(format!("{} is out of stock", fact.subject)),
            Some((price, _)) if fact.money("price").is_some_and(|cited| cited.minor != price) => {
                changed.push(format!("the price of {} changed", fact.subject));
            }
            Some(_) => {}
        }
    }
    Ok(changed)
}
