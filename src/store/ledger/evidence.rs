//! The evidence for a reservation, read in the transaction that inserts the row.

use kit::message::{Channel, ConsentState, HoursTable, OpenHours, ReserveEvidence, ReserveRequest, in_holdout};
use kit::person::Email;
use kit::phone::{Destination, Phone};
use kit::{ApprovalId, Fact, FactKind, FactValue, StoreError, Timestamp};

use super::sends_to;
use crate::store::DbConnection;
use crate::store::customers::{
    NEWEST_CONSENT, OPEN_TICKETS, WITHDRAWN_FOR_ADDRESS, WITHDRAWN_FOR_PHONE, consent_state,
};
use crate::store::error::map;
use crate::store::keyring::Keyring;
use crate::store::orders::BOUGHT_SINCE;
use crate::store::settings::{Limits, killed, limits};
use crate::store::signals::signal_of;
use crate::store::{approvals, campaign_approvals, controls, signatures};
use crate::store::{corrupt, micros, stamp};

/// Everything the judge compares, read in the transaction that inserts.
pub(super) async fn gather(
    c: &mut DbConnection,
    keyring: &Keyring,
    request: &ReserveRequest,
) -> Result<ReserveEvidence, StoreError> {
    let shop = request.shop.as_str();
    let customer = request.customer.as_str();
    let Limits { rules, cap_day, cap_week, quiet, holdout_percent, sms_hours, recall_seconds } =
        limits(c, shop).await?.ok_or_else(|| corrupt("shop", "it is not set up"))?;
    let kill = killed(c, shop, &request.subject.flow, &request.customer).await?;
    let channel = request.envelope.channel;
    let Person { zone, to, open, erased } = person(c, request, sms_hours.as_ref()).await?;
    let consent: Option<(String,)> = sqlx::query_as(NEWEST_CONSENT)
        .bind(shop)
        .bind(customer)
        .bind(channel.as_str())
        .fetch_optional(&mut *c)
        .await
        .map_err(map)?;
    let destination = request.message.to().normalised();
    // The address may be stored for several customers: whoever of them took consent back took it back for the address.
    let withdrawn = match channel {
        Channel::Email => WITHDRAWN_FOR_ADDRESS,
        Channel::Sms => WITHDRAWN_FOR_PHONE,
    };
    let elsewhere: Option<(String,)> = sqlx::query_as(withdrawn)
        .bind(shop)
        .bind(&destination)
        .bind(channel.as_str())
        .fetch_optional(&mut *c)
        .await
        .map_err(map)?;
    let withdrawn_elsewhere = elsewhere.is_some();
    let suppressed: Option<(String,)> =
        sqlx::query_as("SELECT reason FROM suppressions WHERE shop_id = $1 AND channel = $2 AND destination = $3")
            .bind(shop)
            .bind(channel.as_str())
            .bind(&destination)
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
    let (destination, own) = (request.envelope.audience.to_string(), request.key.to_string());
    let recent_sends = sends_to(c, shop, customer, &destination, &own, week).await?;
    let approval = match &request.approval {
        None => None,
        Some(id) if request.campaign.is_some() => campaign_approvals::record(c, shop, id).await?,
        Some(id) => match approvals::record(c, shop, id).await? {
            Some((_, Some(control))) if !stands(c, shop, &control).await? => None,
            found => found.map(|(record, _)| record),
        },
    };
    let recallable_until = match &request.approval {
        None => None,
        Some(id) => signatures::usable_at(c, shop, id, request.campaign.is_some(), recall_seconds).await?,
    };
    Ok(ReserveEvidence {
        kill,
        erased,
        cancelled: cancelled(c, keyring, request).await?,
        audience: to.map(|to| to.digest(&request.shop)),
        consent: if withdrawn_elsewhere { ConsentState::Withdrawn } else { consent_state(consent)? },
        suppressed: suppressed.map(|(reason,)| reason),
        open_tickets: u32::try_from(tickets).unwrap_or(u32::MAX),
        bought_since: bought.map(|(at,)| stamp(at, "order")).transpose()?,
        holdout: in_holdout(&request.shop, &request.customer, holdout_percent),
        recent_sends,
        cap_day,
        cap_week,
        quiet,
        open,
        zone: jiff::tz::TimeZone::get(&zone).map_err(|e| corrupt("customer time zone", e))?,
        approval,
        recallable_until,
        rules,
        changed_facts: changed_facts(c, request).await?,
    })
}

/// False for a control whose own approval was taken back meanwhile.
async fn stands(c: &mut DbConnection, shop: &str, control: &ApprovalId) -> Result<bool, StoreError> {
    Ok(controls::control(c, shop, control).await?.is_some_and(|control| control.counts_by().is_some()))
}

/// What the customer's row says about reaching them on the channel.
struct Person {
    zone: String,
    to: Option<Destination>,
    open: Option<OpenHours>,
    erased: bool,
}

async fn person(
    c: &mut DbConnection,
    request: &ReserveRequest,
    hours: Option<&HoursTable>,
) -> Result<Person, StoreError> {
    type Row = (String, Option<String>, Option<String>, Option<String>, Option<String>, Option<i64>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT time_zone, email, phone, country, region, erased_at FROM customers WHERE shop_id = $1 AND customer_id = $2",
    )
    .bind(request.shop.as_str())
    .bind(request.customer.as_str())
    .fetch_optional(c)
    .await
    .map_err(map)?;
    let Some((zone, email, phone, country, region, erased_at)) = row else {
        return Ok(Person { zone: "UTC".to_owned(), to: None, open: None, erased: true });
    };
    let (to, open) = match request.envelope.channel {
        Channel::Email => {
            let email = email.map(|e| Email::parse(&e)).transpose().map_err(|e| corrupt("customer e-mail", e))?;
            (email.as_ref().map(Destination::from), None)
        }
        Channel::Sms => {
            let phone = phone.map(|p| Phone::parse(&p)).transpose().map_err(|e| corrupt("customer phone", e))?;
            let american = phone.as_ref().is_some_and(Phone::is_north_american);
            let open = hours.map(|table| table.for_person(country.as_deref(), region.as_deref(), american));
            (phone.as_ref().map(Destination::from), open)
        }
    };
    Ok(Person { zone, to, open, erased: erased_at.is_some() })
}

/// A cancellation that lies in the run's inbox unread: the run is in the middle of a step.
async fn cancelled(
    c: &mut DbConnection,
    keyring: &Keyring,
    request: &ReserveRequest,
) -> Result<Option<String>, StoreError> {
    if request.campaign.is_some() {
        let row: Option<(String, Option<String>)> =
            sqlx::query_as("SELECT state, why FROM campaigns WHERE shop_id = $1 AND campaign_id = $2")
                .bind(request.shop.as_str())
                .bind(request.subject.flow.as_str())
                .fetch_optional(&mut *c)
                .await
                .map_err(map)?;
        // A campaign that is gone or stands anywhere else than at its run was not meant to send this.
        return Ok(match row {
            Some((state, _)) if state == "scheduled" => None,
            Some((state, why)) => Some(why.unwrap_or_else(|| format!("the campaign is {state}"))),
            None => Some("the campaign is gone".to_owned()),
        });
    }
    let signals: Vec<(String,)> =
        sqlx::query_as("SELECT body FROM signals WHERE shop_id = $1 AND run_id = $2 AND consumed = 0 ORDER BY seq")
            .bind(request.shop.as_str())
            .bind(request.run.as_str())
            .fetch_all(&mut *c)
            .await
            .map_err(map)?;
    let opener = keyring.opener(c, request.shop.as_str(), signals.iter().map(|(body,)| body.as_bytes())).await?;
    // The signal's own type belongs to the driver; only that it is a cancellation matters here.
    let reason = |body: &str| -> Option<String> {
        let signal: serde_json::Value = serde_json::from_str(body).ok()?;
        let ends = matches!(signal.get("signal")?.as_str()?, "cancel" | "order");
        let words = ends.then(|| signal.get("reason").and_then(|r| r.as_str()))?;
        Some(words.unwrap_or("called off").to_owned())
    };
    for (body,) in signals {
        if let Some(words) = reason(&opener.text(signal_of(request.run.as_str()), body)?) {
            return Ok(Some(words));
        }
    }
    Ok(None)
}

/// Compares the cited products' prices and stock with those of now, and the offer's end with the clock.
async fn changed_facts(c: &mut DbConnection, request: &ReserveRequest) -> Result<Vec<String>, StoreError> {
    let mut changed = Vec::new();
    for fact in request.products() {
        let now: Option<(i64, String, i64)> =
            sqlx::query_as("SELECT price_minor, currency, stock FROM products WHERE shop_id = $1 AND product_id = $2")
                .bind(request.shop.as_str())
                .bind(&fact.subject)
                .fetch_optional(&mut *c)
                .await
                .map_err(map)?;
        let other_price = |minor: i64, currency: &str| {
            fact.money("price").is_some_and(|cited| cited.minor != minor || cited.currency.as_str() != currency)
        };
        match now {
            None => changed.push(format!("{} is not in the catalogue any more", fact.subject)),
            // A product that was sold out when the message was written is named as sold out in it.
            Some((_, _, stock)) if stock <= 0 && fact.count("stock").is_none_or(|cited| cited > 0) => {
                changed.push(format!("{} is out of stock", fact.subject));
            }
            Some((price, currency, _)) if other_price(price, &currency) => {
                changed.push(format!("the price of {} changed", fact.subject));
            }
            Some(_) => {}
        }
    }
    let ended = |fact: &&Fact| matches!(fact.field("ends"), Some(FactValue::Time { at }) if *at <= request.now);
    let offers = request.facts.iter().filter(|f| f.kind == FactKind::Offer);
    changed.extend(offers.filter(ended).map(|f| format!("the offer {} has ended", f.subject)));
    Ok(changed)
}
