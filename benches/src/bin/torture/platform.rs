//! The shop platform: sends webhooks until each is acknowledged, some twice, some in the wrong order.

use std::path::Path;

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use mailwright_bench::random::Random;
use serde_json::{Value, json};

use crate::http;
use crate::life::Life;
use crate::shop::{CONNECTION, SECRET};

/// One person with one cart.
#[derive(Debug, Clone)]
pub(crate) struct Cart {
    pub(crate) customer: String,
    pub(crate) email: String,
    /// The life in which its order was acknowledged.
    pub(crate) ordered_in: Option<u64>,
}

/// A webhook with what became of it.
#[derive(Debug, Clone)]
struct Hook {
    body: Vec<u8>,
    cart: usize,
    is_order: bool,
    acknowledged: bool,
}

/// The platform.
pub(crate) struct Platform {
    carts: Vec<Cart>,
    hooks: Vec<Hook>,
    /// Deliveries answered with 200, repeats included.
    pub(crate) acknowledged: u64,
    /// Deliveries that were not.
    pub(crate) refused: u64,
    life: u64,
    key: hmac::Key,
}

impl Platform {
    pub(crate) fn new() -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        Self { carts: Vec::new(), hooks: Vec::new(), acknowledged: 0, refused: 0, life: 0, key }
    }

    pub(crate) fn carts(&self) -> usize {
        self.carts.len()
    }

    pub(crate) fn all(&self) -> &[Cart] {
        &self.carts
    }

    /// Webhooks, each different: what the inbox must hold.
    pub(crate) fn webhooks(&self) -> usize {
        self.hooks.len()
    }

    pub(crate) fn owes_nothing(&self) -> bool {
        self.hooks.iter().all(|hook| hook.acknowledged)
    }

    /// One life's webhooks.
    pub(crate) async fn load(&mut self, life: &Life<'_>, now: Timestamp, carts: u32, random: &mut Random) {
        let mut batch: Vec<usize> =
            (0..self.hooks.len()).filter(|at| self.hooks.get(*at).is_some_and(|h| !h.acknowledged)).collect();
        for _ in 0..=random.below(carts) {
            let number = self.carts.len();
            let vip = random.below(4) == 0;
            self.carts.push(Cart {
                customer: format!("T-{number}"),
                email: format!("t{number}@torture.example"),
                ordered_in: None,
            });
            batch.push(self.hook(number, now, vip, false));
            if random.below(5) == 0 {
                let later = now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now);
                batch.push(self.hook(number, later, vip, false));
            }
            if random.below(5) == 0 {
                batch.push(self.hook(number, now, vip, true));
            }
        }
        // An order for a cart of some time ago, perhaps one whose mail is just leaving.
        if random.below(3) == 0 && self.carts.len() > 10 {
            let back = usize::try_from(random.below(10)).unwrap_or(0) + 1;
            let number = self.carts.len() - back;
            batch.push(self.hook(number, now, false, true));
        }
        // Repeated deliveries, and an order that overtakes its cart.
        if random.below(2) == 0 && !self.hooks.is_empty() {
            batch.push(usize::try_from(random.below(u32::try_from(self.hooks.len()).unwrap_or(u32::MAX))).unwrap_or(0));
        }
        for at in (1..batch.len()).rev() {
            let other = usize::try_from(random.below(u32::try_from(at + 1).unwrap_or(u32::MAX))).unwrap_or(0);
            batch.swap(at, other);
        }
        for at in batch {
            self.deliver(life, at).await;
        }
        self.life += 1;
    }

    pub(crate) async fn send_what_is_owed(&mut self, life: &Life<'_>) {
        for at in 0..self.hooks.len() {
            if self.hooks.get(at).is_some_and(|hook| !hook.acknowledged) {
                self.deliver(life, at).await;
            }
        }
        self.life += 1;
    }

    /// A person signs whatever waits, with the admin's token of the data folder.
    pub(crate) async fn approve_all(&self, life: &Life<'_>, dir: &Path) {
        let Ok(token) = std::fs::read_to_string(dir.join("admin.token")) else { return };
        let bearer = format!("Bearer {}", token.trim());
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let listed = http::ask(&life.address, "GET", "/api/v1/approvals?limit=1000", &headers, b"").await;
        let Ok((200, body)) = listed else { return };
        let listed: Value = serde_json::from_slice(&body).unwrap_or_default();
        let items = listed.get("items").or(Some(&listed)).and_then(Value::as_array).cloned().unwrap_or_default();
        for item in items {
            let Some(id) = item.get("approval").and_then(Value::as_str) else { continue };
            let path = format!("/api/v1/approvals/{id}");
            let Ok((200, body)) = http::ask(&life.address, "GET", &path, &headers, b"").await else { continue };
            let shown: Value = serde_json::from_slice(&body).unwrap_or_default();
            let seen = format!("\"{}\"", shown.get("seen").and_then(Value::as_str).unwrap_or_default());
            let named = [headers.as_slice(), &[("if-match", seen.as_str())]].concat();
            // Whoever dies at this moment is asked again in the next life.
            let _ = http::ask(&life.address, "POST", &format!("{path}/approve"), &named, b"{}").await;
        }
    }

    async fn deliver(&mut self, life: &Life<'_>, at: usize) {
        let Some(hook) = self.hooks.get(at).cloned() else { return };
        let signature = format!("sha256={}", hex::encode(hmac::sign(&self.key, &hook.body)));
        let headers = [("content-type", "application/json"), ("x-webhook-signature", signature.as_str())];
        let path = format!("/webhooks/generic/{CONNECTION}");
        let answered = http::ask(&life.address, "POST", &path, &headers, &hook.body).await;
        if !matches!(answered, Ok((200, _))) {
            self.refused += 1;
            return;
        }
        self.acknowledged += 1;
        if let Some(hook) = self.hooks.get_mut(at) {
            hook.acknowledged = true;
        }
        if hook.is_order
            && let Some(cart) = self.carts.get_mut(hook.cart)
        {
            cart.ordered_in.get_or_insert(self.life);
        }
    }

    fn hook(&mut self, cart: usize, at: Timestamp, vip: bool, is_order: bool) -> usize {
        let number = self.hooks.len();
        let tags = if vip { vec!["vip"] } else { Vec::new() };
        let customer = json!({
            "id": format!("T-{cart}"), "email": format!("t{cart}@torture.example"), "first_name": "Tess", "language": "en",
            "accepts_email_marketing": true, "tags": tags,
        });
        let items = json!([{ "product_id": "TT-1001", "title": "Boots", "price": "189.00", "quantity": 1 }]);
        let content = json!({ "currency": "EUR", "total_value": "189.00", "items": items });
        let (event, payload) = if is_order {
            (
                "order.created",
                json!({ "order_id": format!("O-{number}"), "cart_id": format!("K-{cart}"), "customer": customer, "order": content }),
            )
        } else {
            ("cart.updated", json!({ "cart_id": format!("K-{cart}"), "customer": customer, "cart": content }))
        };
        let body = json!({ "event": event, "id": format!("evt-{number}"), "triggered_at": at, "payload": payload });
        self.hooks.push(Hook { body: body.to_string().into_bytes(), cart, is_order, acknowledged: false });
        number
    }
}
