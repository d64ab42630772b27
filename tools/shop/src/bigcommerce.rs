//! BigCommerce webhooks: they name what changed and carry next to nothing of it.
//!
//! ```json
//! { "scope": "store/order/created", "store_id": "1025646", "data": { "type": "order", "id": 250 },
//!   "hash": "dd70…", "created_at": 1561479335, "producer": "stores/{store_hash}" }
//! ```
//!
//! A stock level and a parcel are all there. Everything else must be fetched, which [`WebhookError::FetchNeeded`] says.
//! [`next`] tells what to ask the shop's API for, [`with`] puts an answer beside the webhook, and a body to which nothing
//! is missing is read like any other. `hash` is the same for a repeat of the same event.
//!
//! There is no scope for wishlists, browsing or support tickets. A subscriber that was deleted cannot be fetched any more:
//! whose it was is known from the events before.

mod fetch;
mod read;
mod wire;

use jiff::Timestamp;
use kit::{EventId, OrderId};

pub use fetch::{Ask, idle, next, with};

use crate::error::{Fault, WebhookError, field, shorten};
use crate::event::{EventBody, Fulfillment, Shelf};
use crate::json::decode;
use crate::topic::Topic;
use crate::values::id;
use crate::{Parsed, ShopDefaults};

/// Scopes, which are this platform's topics.
pub const TOPICS: &[(&str, Topic)] = &[
    ("store/cart/created", Topic::CartUpdated),
    ("store/cart/updated", Topic::CartUpdated),
    ("store/cart/lineItem/created", Topic::CartUpdated),
    ("store/cart/lineItem/updated", Topic::CartUpdated),
    ("store/cart/lineItem/deleted", Topic::CartUpdated),
    ("store/cart/abandoned", Topic::CartAbandoned),
    ("store/cart/converted", Topic::OrderCreated),
    ("store/order/created", Topic::OrderCreated),
    ("store/order/updated", Topic::OrderUpdated),
    ("store/order/statusUpdated", Topic::OrderUpdated),
    ("store/order/refund/created", Topic::RefundCreated),
    ("store/shipment/created", Topic::FulfillmentUpdated),
    ("store/shipment/updated", Topic::FulfillmentUpdated),
    ("store/customer/created", Topic::CustomerCreated),
    ("store/customer/updated", Topic::CustomerUpdated),
    ("store/subscriber/created", Topic::ConsentUpdated),
    ("store/subscriber/updated", Topic::ConsentUpdated),
    ("store/subscriber/deleted", Topic::ConsentUpdated),
    ("store/product/created", Topic::ProductUpdated),
    ("store/product/updated", Topic::ProductUpdated),
    ("store/product/inventory/updated", Topic::InventoryUpdated),
    ("store/product/inventory/order/updated", Topic::InventoryUpdated),
    ("store/sku/inventory/updated", Topic::InventoryUpdated),
    ("store/sku/inventory/order/updated", Topic::InventoryUpdated),
    ("store/app/uninstalled", Topic::AppUninstalled),
];

pub(crate) fn parse(topic: Topic, text: &str, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    let webhook = wire::webhook(text)?;
    let at = webhook.created_at.map(|seconds| Timestamp::from_second(seconds).map_err(|_| bad_time())).transpose()?;
    let hash = webhook.hash.clone().map(|hash| EventId::new(hash).map_err(|e| field("$.hash", e))).transpose()?;
    if let Some(body) = alone(topic, &webhook, at)? {
        return Ok(Parsed { at, id: hash, customer: None, body });
    }
    if fetch::wanted(topic, &webhook, text)?.is_some() {
        return Err(WebhookError::FetchNeeded {
            what: shorten(webhook.data.kind.as_deref().unwrap_or("the thing")),
            id: shorten(webhook.data.id.as_ref().map_or("?", |id| id.0.as_str())),
        });
    }
    let (customer, body) = match topic {
        Topic::CartUpdated | Topic::CartAbandoned => {
            let whole: wire::Whole<wire::CartParts> = decode(text)?;
            let abandoned_at = at.filter(|_| topic == Topic::CartAbandoned);
            read::cart(whole.fetched, abandoned_at, defaults)?
        }
        Topic::OrderCreated | Topic::OrderUpdated => read::order(decode::<wire::Whole<_>>(text)?.fetched, defaults)?,
        Topic::RefundCreated => (None, read::refund(decode::<wire::Whole<_>>(text)?.fetched, at)?),
        Topic::ConsentUpdated => read::subscriber(decode::<wire::Whole<_>>(text)?.fetched)?,
        Topic::ProductUpdated | Topic::InventoryUpdated => {
            (None, read::product(decode::<wire::Whole<_>>(text)?.fetched, defaults)?)
        }
        // The table above has no other topics than those of customers.
        _ => (Some(read::customer(decode::<wire::Whole<wire::CustomerParts>>(text)?.fetched)?), EventBody::Customer),
    };
    Ok(Parsed { at, id: hash, customer, body })
}

/// What a webhook says without anything fetched.
fn alone(topic: Topic, webhook: &wire::Webhook, at: Option<Timestamp>) -> Result<Option<EventBody>, WebhookError> {
    let data = &webhook.data;
    Ok(match (topic, &data.inventory) {
        // The level of a variant is not its product's, and an order's is a difference: both are fetched.
        (Topic::InventoryUpdated, Some(stock)) if stock.method == "absolute" && stock.variant_id.is_none() => {
            let product = id(&stock.product_id, "$.data.inventory.product_id", kit::ProductId::new)?;
            Some(EventBody::Shelf(Shelf { product, sku: None, price: None, stock: Some(stock.value) }))
        }
        (Topic::FulfillmentUpdated, _) => {
            let order = data.order_id.as_ref().ok_or_else(|| field("$.data.orderId", Fault::Missing))?;
            let at = at.ok_or_else(|| field("$.created_at", Fault::Missing))?;
            let order = id(order, "$.data.orderId", OrderId::new)?;
            Some(EventBody::Fulfillment(Fulfillment { order, status: "success".to_owned(), shipment_status: None, at }))
        }
        (Topic::ConsentUpdated, _) if webhook.scope.as_deref() == Some("store/subscriber/deleted") => {
            let id = data.id.as_ref().ok_or_else(|| field("$.data.id", Fault::Missing))?;
            Some(EventBody::Unsubscribed(id.0.clone()))
        }
        (Topic::AppUninstalled, _) => Some(EventBody::AppUninstalled),
        _ => None,
    })
}

fn bad_time() -> WebhookError {
    let why = "no number of seconds since 1970".to_owned();
    field("$.created_at", Fault::Shape { why, line: 1, column: 1 })
}
