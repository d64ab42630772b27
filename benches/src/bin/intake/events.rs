//! Carts as a shop sends them, each a little different, some two kilobytes long, signed.

use aws_lc_rs::hmac;
use jiff::Timestamp;
use serde_json::json;

/// What signs them.
pub(crate) const SECRET: &str = "intake_secret";
/// The connection that they come in by.
pub(crate) const CONNECTION: &str = "any";
/// Items of a cart: as many as make two kilobytes.
const ITEMS: u32 = 14;

/// One webhook.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) body: Vec<u8>,
    /// The whole request as it goes over the wire.
    pub(crate) request: Vec<u8>,
}

pub(crate) fn make(round: u32, count: u32) -> Vec<Event> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let now = Timestamp::now();
    (0..count).map(|number| event(&key, now, &format!("{round}-{number}"))).collect()
}

fn event(key: &hmac::Key, now: Timestamp, number: &str) -> Event {
    let items: Vec<_> = (0..ITEMS)
        .map(|item| {
            json!({
                "product_id": "TT-1001", "variant_id": format!("TT-1001-{item}"), "title": "Fells Mid leather boots",
                "price": "189.00", "quantity": 1,
            })
        })
        .collect();
    let total = format!("{}.00", 189 * ITEMS);
    let body = json!({
        "event": "cart.updated", "id": format!("evt-{number}"), "triggered_at": now,
        "payload": {
            "cart_id": format!("K-{number}"),
            "customer": { "id": format!("C-{number}"), "email": format!("c{number}@intake.example"), "language": "en" },
            "cart": { "currency": "EUR", "total_value": total, "items": items },
        },
    });
    let body = body.to_string().into_bytes();
    let head = format!(
        "POST /webhooks/generic/{CONNECTION} HTTP/1.1\r\nhost: intake\r\ncontent-type: application/json\r\n\
         x-webhook-signature: sha256={}\r\ncontent-length: {}\r\n\r\n",
        hex::encode(hmac::sign(key, &body)),
        body.len()
    );
    let request = [head.as_bytes(), &body].concat();
    Event { id: format!("evt-{number}"), body, request }
}
