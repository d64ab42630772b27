//! The shop platform: sends webhooks until each is acknowledged, many at once, some twice, some in the wrong order, some
//! that nobody can read, some that are not its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use mailwright_bench::random::Random;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::http;
use crate::shop::{CONNECTION, SECRET};

/// Deliveries at a time.
const AT_ONCE: usize = 8;
/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// One person with one cart.
#[derive(Debug, Clone)]
pub(crate) struct Cart {
    pub(crate) customer: String,
    pub(crate) email: String,
    /// The life in which its order was acknowledged.
    pub(crate) ordered_in: Option<u64>,
}

/// What a webhook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cart,
    Order,
    /// Its payload says nothing: to be kept for a person.
    Unreadable,
    /// The id of another event with another body: to be kept for a person.
    Twin,
}

/// A webhook with what became of it.
#[derive(Debug, Clone)]
struct Hook {
    body: Vec<u8>,
    cart: usize,
    kind: Kind,
    acknowledged: bool,
}

/// The platform.
pub(crate) struct Platform {
    carts: Vec<Cart>,
    hooks: Vec<Hook>,
    /// Deliveries by what came back: a status, or `none`.
    pub(crate) answers: BTreeMap<String, u64>,
    /// Forged webhooks that were taken: there must be none.
    pub(crate) forged_taken: u64,
    life: u64,
    key: hmac::Key,
}

impl Platform {
    pub(crate) fn new() -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        Self { carts: Vec::new(), hooks: Vec::new(), answers: BTreeMap::new(), forged_taken: 0, life: 0, key }
    }

    pub(crate) fn carts(&self) -> &[Cart] {
        &self.carts
    }

    /// Webhooks, each different: what the inbox must hold.
    pub(crate) fn webhooks(&self) -> usize {
        self.hooks.len()
    }

    /// Of these, what is to be parked.
    pub(crate) fn for_a_person(&self) -> usize {
        self.hooks.iter().filter(|hook| matches!(hook.kind, Kind::Unreadable | Kind::Twin)).count()
    }

    pub(crate) fn owes_nothing(&self) -> bool {
        self.hooks.iter().all(|hook| hook.acknowledged)
    }

    /// One life: its webhooks, then a person who signs whatever waits, until it is `over`.
    pub(crate) async fn live(
        &mut self,
        address: &str,
        dir: &Path,
        load: Option<(Timestamp, u32, &mut Random)>,
        over: &AtomicBool,
    ) {
        if let Some((now, carts, random)) = load {
            let batch = self.batch(now, carts, random);
            self.deliver(address, batch).await;
            if random.below(4) == 0 {
                self.forge(address).await;
            }
        }
        while !over.load(Ordering::SeqCst) {
            approve_all(address, dir).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.life += 1;
    }

    /// Whatever nobody has acknowledged yet.
    pub(crate) async fn send_what_is_owed(&mut self, address: &str) {
        let owed = self.owed();
        self.deliver(address, owed).await;
    }

    fn owed(&self) -> Vec<usize> {
        self.hooks.iter().enumerate().filter(|(_, hook)| !hook.acknowledged).map(|(at, _)| at).collect()
    }

    fn batch(&mut self, now: Timestamp, carts: u32, random: &mut Random) -> Vec<usize> {
        let mut batch = self.owed();
        for _ in 0..=random.below(carts) {
            let number = self.carts.len();
            let vip = random.below(4) == 0;
            self.carts.push(Cart {
                customer: format!("T-{number}"),
                email: format!("t{number}@torture.example"),
                ordered_in: None,
            });
            batch.push(self.hook(number, now, vip, Kind::Cart));
            if random.below(5) == 0 {
                let later = now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now);
                batch.push(self.hook(number, later, vip, Kind::Cart));
            }
            if random.below(5) == 0 {
                batch.push(self.hook(number, now, vip, Kind::Order));
            }
        }
        // An order for a cart of some time ago, perhaps one whose mail is just leaving.
        if random.below(3) == 0 && self.carts.len() > 10 {
            let number = self.carts.len() - 1 - place(random, 10);
            batch.push(self.hook(number, now, false, Kind::Order));
        }
        if random.below(6) == 0 {
            batch.push(self.hook(0, now, false, Kind::Unreadable));
        }
        let twin_of = place(random, self.hooks.len());
        if random.below(6) == 0 && self.hooks.get(twin_of).is_some_and(|h| h.acknowledged && h.kind == Kind::Cart) {
            batch.push(self.twin(twin_of));
        }
        // Repeated deliveries, the same one at the same time as well.
        for _ in 0..random.below(3) {
            batch.push(place(random, self.hooks.len()));
        }
        for at in (1..batch.len()).rev() {
            batch.swap(at, place(random, at + 1));
        }
        batch
    }

    async fn deliver(&mut self, address: &str, batch: Vec<usize>) {
        let mut waiting = batch.into_iter();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some(at) = waiting.next()
            {
                let Some(hook) = self.hooks.get(at) else { continue };
                let signature = hex::encode(hmac::sign(&self.key, &hook.body));
                under_way.spawn(post(address.to_owned(), signature, hook.body.clone(), at));
            }
            let Some(ended) = under_way.join_next().await else { return };
            let Ok((at, status)) = ended else { continue };
            self.count(status);
            if status == Some(200) {
                self.acknowledge(at);
            }
        }
    }

    fn acknowledge(&mut self, at: usize) {
        let Some(hook) = self.hooks.get_mut(at) else { return };
        hook.acknowledged = true;
        if hook.kind == Kind::Order
            && let Some(cart) = self.carts.get_mut(hook.cart)
        {
            cart.ordered_in.get_or_insert(self.life);
        }
    }

    fn count(&mut self, status: Option<u16>) {
        let answer = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        *self.answers.entry(answer).or_default() += 1;
    }

    /// Somebody else's webhook, signed with another secret.
    async fn forge(&mut self, address: &str) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"somebody else's");
        let body = json!({ "event": "cart.updated", "id": "forged", "payload": {} }).to_string().into_bytes();
        let signature = hex::encode(hmac::sign(&key, &body));
        let (_, status) = post(address.to_owned(), signature, body, 0).await;
        self.count(status);
        self.forged_taken += u64::from(status == Some(200));
    }

    fn hook(&mut self, cart: usize, at: Timestamp, vip: bool, kind: Kind) -> usize {
        let number = self.hooks.len();
        let tags = if vip { vec!["vip"] } else { Vec::new() };
        let customer = json!({
            "id": format!("T-{cart}"), "email": format!("t{cart}@torture.example"), "first_name": "Tess", "language": "en",
            "accepts_email_marketing": true, "tags": tags,
        });
        let items = json!([{ "product_id": "TT-1001", "title": "Boots", "price": "189.00", "quantity": 1 }]);
        let content = json!({ "currency": "EUR", "total_value": "189.00", "items": items });
        let (event, payload) = match kind {
            Kind::Order => (
                "order.created",
                json!({ "order_id": format!("O-{number}"), "cart_id": format!("K-{cart}"), "customer": customer, "order": content }),
            ),
            Kind::Cart | Kind::Twin => {
                ("cart.updated", json!({ "cart_id": format!("K-{cart}"), "customer": customer, "cart": content }))
            }
            Kind::Unreadable => ("cart.updated", json!({ "number": number })),
        };
        let body = json!({ "event": event, "id": format!("evt-{number}"), "triggered_at": at, "payload": payload });
        self.hooks.push(Hook { body: body.to_string().into_bytes(), cart, kind, acknowledged: false });
        number
    }

    /// The same event, but for one more blank.
    fn twin(&mut self, of: usize) -> usize {
        let number = self.hooks.len();
        let Some(hook) = self.hooks.get(of) else { return of };
        let (mut body, cart) = (hook.body.clone(), hook.cart);
        // As many blanks as there are webhooks: no two twins are alike.
        body.extend(std::iter::repeat_n(b' ', number));
        self.hooks.push(Hook { body, cart, kind: Kind::Twin, acknowledged: false });
        number
    }
}

async fn post(address: String, signature: String, body: Vec<u8>, at: usize) -> (usize, Option<u16>) {
    let signature = format!("sha256={signature}");
    let headers = [("content-type", "application/json"), ("x-webhook-signature", signature.as_str())];
    let path = format!("/webhooks/generic/{CONNECTION}");
    let asked = http::ask(&address, "POST", &path, &headers, &body);
    let answered = tokio::time::timeout(PATIENCE, asked).await;
    (at, answered.ok().and_then(Result::ok).map(|(status, _)| status))
}

/// A person signs whatever waits, with the admin's token of the data folder.
pub(crate) async fn approve_all(address: &str, dir: &Path) {
    let Ok(token) = std::fs::read_to_string(dir.join("admin.token")) else { return };
    let bearer = format!("Bearer {}", token.trim());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let asked = http::ask(address, "GET", "/api/v1/approvals?limit=1000", &headers, b"");
    let Ok(Ok((200, body))) = tokio::time::timeout(PATIENCE, asked).await else { return };
    let listed: Value = serde_json::from_slice(&body).unwrap_or_default();
    let items = listed.get("items").or(Some(&listed)).and_then(Value::as_array).cloned().unwrap_or_default();
    for item in items {
        let Some(id) = item.get("approval").and_then(Value::as_str) else { continue };
        let path = format!("/api/v1/approvals/{id}");
        let asked = http::ask(address, "GET", &path, &headers, b"");
        let Ok(Ok((200, body))) = tokio::time::timeout(PATIENCE, asked).await else { continue };
        let shown: Value = serde_json::from_slice(&body).unwrap_or_default();
        let seen = format!("\"{}\"", shown.get("seen").and_then(Value::as_str).unwrap_or_default());
        let named = [headers.as_slice(), &[("if-match", seen.as_str())]].concat();
        let path = format!("{path}/approve");
        // Whoever dies at this moment is asked again in the next life.
        let _ = tokio::time::timeout(PATIENCE, http::ask(address, "POST", &path, &named, b"{}")).await;
    }
}

fn place(random: &mut Random, below: usize) -> usize {
    usize::try_from(random.below(u32::try_from(below).unwrap_or(u32::MAX))).unwrap_or(0)
}
