//! BigCommerce webhooks: they name what changed and carry next to nothing of it.
//!
//! ```json
//! { "scope": "store/order/created", "store_id": "1025646", "data": { "type": "order", "id": 250 },
//!   "hash": "dd70…", "created_at": 1561479335, "producer": "stores/{store_hash}" }
//! ```
//!
//! A stock level is all there. Everything else must be fetched, which [`WebhookError::FetchNeeded`] says: the event is
//! kept, and can be worked in once it can be. `hash` is the same for a repeat of the same event.

use jiff::Timestamp;
use kit::EventId;
use serde::Deserialize;

use crate::Parsed;
use crate::error::{Fault, WebhookError, field, shorten};
use crate::event::{EventBody, Inventory};
use crate::json::{IdText, decode};
use crate::topic::Topic;

/// Scopes, which are this platform's topics.
pub const TOPICS: &[(&str, Topic)] = &[
    ("store/cart/created", Topic::CartUpdated),
    ("store/cart/updated", Topic::CartUpdated),
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
    ("store/app/uninstalled", Topic::AppUninstalled),
];

#[derive(Deserialize)]
struct Webhook {
    data: Data,
    hash: Option<String>,
    created_at: Option<i64>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<IdText>,
    inventory: Option<Stock>,
}

#[derive(Deserialize)]
struct Stock {
    product_id: IdText,
    method: String,
    value: i64,
}

pub(crate) fn parse(topic: Topic, text: &str) -> Result<Parsed, WebhookError> {
    let webhook: Webhook = decode(text)?;
    let at = webhook.created_at.map(|seconds| Timestamp::from_second(seconds).map_err(|_| bad_time())).transpose()?;
    let id = webhook.hash.map(|hash| EventId::new(hash).map_err(|e| field("$.hash", e))).transpose()?;
    let body = match (topic, webhook.data.inventory) {
        (Topic::InventoryUpdated, Some(stock)) if stock.method == "absolute" => EventBody::Inventory(Inventory {
            item: stock.product_id.0,
            location: "store".to_owned(),
            available: stock.value,
        }),
        (Topic::AppUninstalled, _) => EventBody::AppUninstalled,
        _ => {
            return Err(WebhookError::FetchNeeded {
                what: shorten(webhook.data.kind.as_deref().unwrap_or("the thing")),
                id: shorten(webhook.data.id.as_ref().map_or("?", |id| id.0.as_str())),
            });
        }
    };
    Ok(Parsed { at, id, customer: None, body })
}

fn bad_time() -> WebhookError {
    let why = "no number of seconds since 1970".to_owned();
    field("$.created_at", Fault::Shape { why, line: 1, column: 1 })
}
