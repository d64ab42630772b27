//! WooCommerce webhooks: the objects of its REST API v3.
//!
//! What differs from what one would expect: times come twice, and the one without zone named `_gmt` is UTC; a line's
//! `price` is a JSON number with the noise of a division, so the unit price is taken from the line's `subtotal`; a guest
//! has `customer_id` 0; a cancelled, completed or refunded order comes as `order.updated` with its `status`, and a refund of a
//! part names no lines. There is no topic for carts.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kit::fence::ThirdParty;
use kit::{Currency, CustomerId, Money, OrderId, ProductId};
use serde::Deserialize;

use crate::amounts::{amount, currency, optional};
use crate::error::{Fault, WebhookError, field};
use crate::event::{CancelReason, EventBody, EventCustomer, LineItem, Order, Shelf};
use crate::json::{AmountText, IdText, decode};
use crate::topic::Topic;
use crate::values::{country, email, filled, id, third_party};
use crate::{Parsed, ShopDefaults};

/// Units of a product whose stock the shop does not track: enough never to be called scarce.
const UNTRACKED_STOCK: i64 = 1_000;

/// Topics as WooCommerce names them. Deleting or restoring one comes with a body that says no more than its id.
pub const TOPICS: &[(&str, Topic)] = &[
    ("order.created", Topic::OrderCreated),
    ("order.updated", Topic::OrderUpdated),
    ("customer.created", Topic::CustomerCreated),
    ("customer.updated", Topic::CustomerUpdated),
    ("product.created", Topic::ProductUpdated),
    ("product.updated", Topic::ProductUpdated),
];

#[derive(Deserialize)]
struct WireOrder {
    id: IdText,
    status: String,
    currency: Option<String>,
    date_created_gmt: String,
    date_modified_gmt: Option<String>,
    date_completed_gmt: Option<String>,
    discount_total: Option<AmountText>,
    total: AmountText,
    customer_id: Option<IdText>,
    billing: Option<Address>,
    line_items: Vec<Line>,
    #[serde(default)]
    coupon_lines: Vec<Coupon>,
    customer_note: Option<String>,
}

#[derive(Deserialize)]
struct Coupon {
    code: String,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    product_id: Option<IdText>,
    variation_id: Option<IdText>,
    quantity: u32,
    subtotal: AmountText,
    sku: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    first_name: Option<String>,
    country: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct WireCustomer {
    id: IdText,
    email: Option<String>,
    first_name: Option<String>,
    billing: Option<Address>,
    date_created_gmt: Option<String>,
    date_modified_gmt: Option<String>,
}

#[derive(Deserialize)]
struct WireProduct {
    id: IdText,
    date_modified_gmt: Option<String>,
    sku: Option<String>,
    price: Option<AmountText>,
    status: Option<String>,
    stock_status: Option<String>,
    stock_quantity: Option<i64>,
}

pub(crate) fn parse(topic: Topic, text: &str, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    match topic {
        Topic::CustomerCreated | Topic::CustomerUpdated => customer(decode(text)?),
        Topic::ProductUpdated => {
            let product: WireProduct = decode(text)?;
            let at = utc(product.date_modified_gmt.as_deref(), "$.date_modified_gmt")?;
            Ok(Parsed { at, id: None, customer: None, body: EventBody::Shelf(shelf(product, defaults)?) })
        }
        // The table above has no other topics than those of orders.
        _ => order(decode(text)?, defaults),
    }
}

/// Draft and private products are not on sale. Where stock is not counted, its status says whether there is any.
fn shelf(product: WireProduct, defaults: &ShopDefaults) -> Result<Shelf, WebhookError> {
    let on_sale = product.status.as_deref().is_none_or(|status| status == "publish");
    let sold_out = product.stock_status.as_deref() == Some("outofstock");
    let stock = match (on_sale && !sold_out, product.stock_quantity) {
        (false, _) => Some(0),
        (true, Some(units)) => Some(units),
        (true, None) => product.stock_status.map(|_| UNTRACKED_STOCK),
    };
    // A product whose variations have prices has "" as its own.
    let told = product.price.filter(|price| !price.0.is_empty());
    Ok(Shelf {
        product: id(&product.id, "$.id", ProductId::new)?,
        sku: filled(product.sku),
        price: optional(told.as_ref(), defaults.currency, "$.price")?,
        stock,
    })
}

fn order(order: WireOrder, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    let currency = currency(order.currency.as_deref(), defaults.currency, "$.currency")?;
    let placed_at = utc(Some(&order.date_created_gmt), "$.date_created_gmt")?
        .ok_or_else(|| field("$.date_created_gmt", Fault::Missing))?;
    let changed = utc(order.date_modified_gmt.as_deref(), "$.date_modified_gmt")?.unwrap_or(placed_at);
    let completed = utc(order.date_completed_gmt.as_deref(), "$.date_completed_gmt")?;
    let (cancelled, fulfilled) = match order.status.as_str() {
        "cancelled" => (Some(CancelReason::Other), false),
        "failed" => (Some(CancelReason::Declined), false),
        "completed" => (None, true),
        _ => (None, false),
    };
    let body = Order {
        id: id(&order.id, "$.id", OrderId::new)?,
        cart: None,
        placed_at,
        items: lines(&order.line_items, currency)?,
        total: amount(&order.total, currency, "$.total")?,
        discount: optional(order.discount_total.as_ref(), currency, "$.discount_total")?
            .unwrap_or(Money::new(0, currency)),
        discount_codes: order.coupon_lines.into_iter().map(|coupon| coupon.code).collect(),
        cancelled_at: cancelled.map(|_| changed),
        cancel_reason: cancelled,
        fulfilled_at: fulfilled.then(|| completed.unwrap_or(changed)),
        refunded: order.status == "refunded",
        note: third_party(order.customer_note),
    };
    let known = order.customer_id.as_ref().filter(|id| id.0 != "0");
    let buyer = person(known, order.billing.as_ref(), None, None)?;
    let named = buyer.id.is_some() || buyer.email.is_some();
    Ok(Parsed { at: Some(changed), id: None, customer: named.then_some(buyer), body: EventBody::Order(body) })
}

fn customer(customer: WireCustomer) -> Result<Parsed, WebhookError> {
    let at = utc(customer.date_modified_gmt.as_deref(), "$.date_modified_gmt")?
        .or(utc(customer.date_created_gmt.as_deref(), "$.date_created_gmt")?);
    let read = person(Some(&customer.id), customer.billing.as_ref(), customer.email.as_deref(), customer.first_name)?;
    Ok(Parsed { at, id: None, customer: Some(read), body: EventBody::Customer })
}

/// The account's own words before the billing address's.
fn person(
    number: Option<&IdText>,
    billing: Option<&Address>,
    mail: Option<&str>,
    name: Option<String>,
) -> Result<EventCustomer, WebhookError> {
    let mail = email(mail, "$.email")?;
    let billed = billing.and_then(|billing| billing.email.as_deref());
    Ok(EventCustomer {
        id: number.map(|number| id(number, "$.customer_id", CustomerId::new)).transpose()?,
        email: match mail {
            Some(mail) => Some(mail),
            None => email(billed, "$.billing.email")?,
        },
        first_name: filled(name).or_else(|| filled(billing.and_then(|billing| billing.first_name.clone()))),
        country: country(billing.and_then(|billing| billing.country.as_deref()), "$.billing.country")?,
        ..EventCustomer::default()
    })
}

fn lines(lines: &[Line], currency: Currency) -> Result<Vec<LineItem>, WebhookError> {
    let kept = lines.iter().enumerate().filter(|(_, line)| line.quantity > 0);
    kept.map(|(index, line)| {
        let at = |name: &str| format!("$.line_items[{index}].{name}");
        let product = line.product_id.as_ref().filter(|id| id.0 != "0");
        let full = amount(&line.subtotal, currency, &at("subtotal"))?;
        Ok(LineItem {
            product: product.map(|product| id(product, &at("product_id"), ProductId::new)).transpose()?,
            variant: line.variation_id.as_ref().filter(|id| id.0 != "0").map(|id| id.0.clone()),
            sku: filled(line.sku.clone()),
            title: ThirdParty::new(line.name.clone()),
            price: each(full, line.quantity),
            quantity: line.quantity,
            category: None,
        })
    })
    .collect()
}

/// The price of one, rounded to the minor unit: half a cent goes up.
pub(crate) fn each(full: Money, quantity: u32) -> Money {
    let units = i64::from(quantity.max(1));
    let minor = full.minor.saturating_add(units / 2).checked_div(units).unwrap_or(full.minor);
    Money::new(minor, full.currency)
}

/// A time without a zone that is UTC: `2017-03-22T19:28:02`.
pub(crate) fn utc(text: Option<&str>, path: &str) -> Result<Option<Timestamp>, WebhookError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Some(at));
    }
    let at = text.parse::<DateTime>().ok().and_then(|at| TimeZone::UTC.to_timestamp(at).ok());
    at.map(Some).ok_or_else(|| {
        let why = "no time such as 2017-03-22T19:28:02".to_owned();
        field(path, Fault::Shape { why, line: 1, column: 1 })
    })
}
