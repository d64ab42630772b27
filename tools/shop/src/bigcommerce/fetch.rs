//! What a webhook leaves unsaid, and what to ask the shop's API for it. Pure: somebody else asks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{alone, wire};
use crate::error::{Fault, WebhookError, field};
use crate::json::{IdText, decode, guard};
use crate::{Source, Topic};

/// One request to the shop's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Under which name the answer is put.
    pub part: &'static str,
    /// The path below the API's base, with its query.
    pub path: String,
}

/// What to ask next for this webhook; `None` when nothing is missing any more.
///
/// # Errors
/// [`WebhookError`] when the body is no webhook of this scope, or names nothing that can be asked for.
pub fn next(scope: &str, body: &[u8]) -> Result<Option<Ask>, WebhookError> {
    let topic = Source::BigCommerce.topic(scope)?;
    let text = guard(body)?;
    let webhook = wire::webhook(text)?;
    let at = webhook.created_at.and_then(|s| jiff::Timestamp::from_second(s).ok());
    if alone(topic, &webhook, at)?.is_some() {
        return Ok(None);
    }
    wanted(topic, &webhook, text)
}

/// The body with an answer put beside what is there. An empty answer stands for an empty list: V2 says 204 for one.
///
/// # Errors
/// [`WebhookError`] when either is no JSON, or the whole grows too large.
pub fn with(body: &[u8], part: &str, answer: &[u8]) -> Result<Vec<u8>, WebhookError> {
    #[derive(Deserialize)]
    struct Held<'a> {
        #[serde(borrow)]
        webhook: Option<&'a RawValue>,
        #[serde(borrow, default)]
        fetched: BTreeMap<&'a str, &'a RawValue>,
    }
    let text = guard(body)?;
    let shape = |why: String| field("$", Fault::Shape { why, line: 1, column: 1 });
    let held: Held<'_> = serde_json::from_str(text).map_err(|_| shape("no webhook".to_owned()))?;
    let webhook = held.webhook.map_or(text, RawValue::get);
    let answer = if answer.is_empty() { "[]" } else { guard(answer)? };
    decode_any(answer)?;
    let mut fetched = held.fetched.iter().map(|(name, raw)| format!("\"{name}\":{}", raw.get())).collect::<Vec<_>>();
    fetched.push(format!("\"{part}\":{answer}"));
    let whole = format!("{{\"webhook\":{webhook},\"fetched\":{{{}}}}}", fetched.join(",")).into_bytes();
    guard(&whole)?;
    Ok(whole)
}

/// Why nothing follows from a body to which nothing is missing; `None` when something does.
///
/// # Errors
/// [`WebhookError`] when the body is no webhook of this scope.
pub fn idle(scope: &str, body: &[u8]) -> Result<Option<&'static str>, WebhookError> {
    #[derive(Deserialize)]
    struct Parts {
        order: Status,
    }
    #[derive(Deserialize)]
    struct Status {
        status_id: u32,
    }
    match Source::BigCommerce.topic(scope)? {
        Topic::OrderCreated | Topic::OrderUpdated | Topic::RefundCreated => {
            let whole: wire::Whole<Parts> = decode(guard(body)?)?;
            // Made when the checkout begins to pay; another event comes when it is an order.
            Ok((whole.fetched.order.status_id == 0).then_some("the order is not complete yet"))
        }
        _ => Ok(None),
    }
}

fn decode_any(text: &str) -> Result<(), WebhookError> {
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|e| WebhookError::Malformed {
        line: e.line(),
        column: e.column(),
        why: "the API's answer is no JSON".to_owned(),
    })
}

#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    fetched: BTreeMap<String, IgnoredAny>,
}

pub(super) fn wanted(topic: Topic, webhook: &wire::Webhook, text: &str) -> Result<Option<Ask>, WebhookError> {
    let parts: Parts = decode(text)?;
    let has = |part: &str| parts.fetched.contains_key(part);
    let ask = |part: &'static str, path: String| Ok((!has(part)).then_some(Ask { part, path }));
    let data = &webhook.data;
    match topic {
        Topic::CartUpdated | Topic::CartAbandoned => {
            let cart = plain(data.cart_id.as_ref().or(data.id.as_ref()), "$.data.id")?;
            if !has("cart") {
                return ask("cart", format!("v3/carts/{cart}?include=redirect_urls"));
            }
            let whole: wire::Whole<wire::CartParts> = decode(text)?;
            match whole.fetched.cart.data.customer_id.as_ref().filter(|id| id.0 != "0") {
                Some(id) => ask("customer", customers(&plain(Some(id), "$.fetched.cart.data.customer_id")?)),
                None => Ok(None),
            }
        }
        Topic::OrderCreated | Topic::OrderUpdated | Topic::RefundCreated => {
            let order = plain(data.order_id.as_ref().or(data.id.as_ref()), "$.data.id")?;
            if !has("order") {
                return ask("order", format!("v2/orders/{order}"));
            }
            ask("products", format!("v2/orders/{order}/products?limit=250"))
        }
        Topic::CustomerCreated | Topic::CustomerUpdated => {
            ask("customer", customers(&plain(data.id.as_ref(), "$.data.id")?))
        }
        Topic::ConsentUpdated => {
            let id = plain(data.id.as_ref(), "$.data.id")?;
            ask("subscriber", format!("v3/customers/subscribers/{id}"))
        }
        // The table of topics has no others than those of products.
        _ => {
            let named = data.inventory.as_ref().map(|stock| &stock.product_id).or(data.id.as_ref());
            ask("product", format!("v3/catalog/products/{}", plain(named, "$.data.id")?))
        }
    }
}

fn customers(id: &str) -> String {
    format!("v3/customers?id:in={id}&include=addresses")
}

/// An id that can stand in a path.
fn plain(id: Option<&IdText>, path: &str) -> Result<String, WebhookError> {
    let id = id.ok_or_else(|| field(path, Fault::Missing))?;
    let fits = (1..=64).contains(&id.0.len()) && id.0.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits {
        return Ok(id.0.clone());
    }
    let why = "no id of at most 64 letters, digits and dashes".to_owned();
    Err(field(path, Fault::Shape { why, line: 1, column: 1 }))
}
