//! Webhooks as a shop without an adapter of its own sends them.

use kit::message::ConsentState;
use kit::{CustomerId, ProductId, Timestamp};
use mailwright::intake::{Intake, IntakeError};
use serde_json::{Value, json};
use shop::{Delivery, Source};

use super::World;

/// A cart event that is about to be fired.
#[derive(Debug, Clone)]
pub(crate) struct Basket {
    pub(crate) event: String,
    pub(crate) cart: String,
    pub(crate) at: Timestamp,
    pub(crate) customer: Value,
    pub(crate) items: Vec<Value>,
    pub(crate) url: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) completed_at: Option<Timestamp>,
}

/// An order event that is about to be fired.
#[derive(Debug, Clone)]
pub(crate) struct Purchase {
    pub(crate) topic: &'static str,
    pub(crate) order: String,
    pub(crate) customer: CustomerId,
    pub(crate) items: Vec<Value>,
    pub(crate) placed_at: Timestamp,
    pub(crate) reason: Option<&'static str>,
}

/// Two decimals, as platforms write amounts.
fn amount(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn total(items: &[Value]) -> String {
    let minor = |item: &Value| {
        item["price"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap() * item["quantity"].as_i64().unwrap()
    };
    amount(items.iter().map(minor).sum())
}

impl World {
    pub(crate) fn item(&self, product: &ProductId) -> Value {
        let title = &self.shelf.product_of(product).title;
        json!({ "product_id": product, "title": title, "price": amount(self.price_of(product)), "quantity": 1 })
    }

    /// A cart of this customer, left now.
    pub(crate) fn basket(&self, customer: &CustomerId, products: &[ProductId]) -> Basket {
        let number = self.number();
        Basket {
            event: format!("evt-{number}"),
            cart: format!("cart-{number}"),
            at: self.now(),
            customer: json!({ "id": customer }),
            items: products.iter().map(|id| self.item(id)).collect(),
            url: Some(format!("https://www.{}/cart/c{number}", self.shelf.domain)),
            note: None,
            completed_at: None,
        }
    }

    pub(crate) async fn fire(&mut self, basket: &Basket) -> Intake {
        self.offer(basket).await.unwrap()
    }

    /// As [`World::fire`], for bodies that may be refused.
    pub(crate) async fn offer(&mut self, basket: &Basket) -> Result<Intake, IntakeError> {
        let Basket { event, cart, at, customer, items, url, note, completed_at } = basket;
        let inner = json!({ "items": items, "total_value": total(items), "url": url, "note": note, "completed_at": completed_at });
        let payload = json!({ "cart_id": cart, "customer": customer, "cart": inner });
        self.deliver(
            "cart.updated",
            json!({ "event": "cart.updated", "id": event, "triggered_at": at, "payload": payload }),
        )
        .await
    }

    /// The same cart as a Shopify checkout tells it: by address and stock-keeping unit.
    pub(crate) async fn checkout(&mut self, basket: &Basket, email: &str) -> Intake {
        self.step().await;
        let line = |item: &Value| json!({ "product_id": 8_514_000_000_001_u64, "sku": item["product_id"], "title": item["title"], "price": item["price"], "line_price": item["price"], "quantity": item["quantity"] });
        let lines: Vec<Value> = basket.items.iter().map(line).collect();
        let value = total(&basket.items);
        let body = json!({
            "token": format!("token-{}", basket.cart), "cart_token": basket.cart, "email": email, "customer_locale": "en-GB",
            "currency": self.shelf.currency, "line_items": lines, "total_line_items_price": value, "subtotal_price": value,
            "total_price": value, "abandoned_checkout_url": basket.url, "note": basket.note,
            "created_at": basket.at, "updated_at": basket.at, "completed_at": basket.completed_at,
        })
        .to_string();
        let (topic, received_at) = ("checkouts/update", self.now());
        let delivery = Delivery {
            source: Source::Shopify,
            topic,
            body: body.as_bytes(),
            event_id: Some(&basket.event),
            triggered_at: Some(basket.at),
            received_at,
        };
        self.tenant.take_in(&delivery).await.unwrap()
    }

    pub(crate) fn purchase(&self, topic: &'static str, customer: &CustomerId, products: &[ProductId]) -> Purchase {
        let ago = if topic == "order.created" { 0 } else { 48 };
        Purchase {
            topic,
            order: format!("order-{}", self.number()),
            customer: customer.clone(),
            items: products.iter().map(|id| self.item(id)).collect(),
            placed_at: self.now() - jiff::SignedDuration::from_hours(ago),
            reason: (topic == "order.cancelled").then_some("inventory"),
        }
    }

    pub(crate) async fn report(&mut self, purchase: &Purchase) -> Intake {
        let Purchase { topic, order, customer, items, placed_at, reason } = purchase;
        let inner =
            json!({ "items": items, "total_value": total(items), "placed_at": placed_at, "cancel_reason": reason });
        let payload = json!({ "order_id": order, "customer": { "id": customer }, "order": inner });
        let at = self.now();
        self.send(topic, json!({ "event": topic, "triggered_at": at, "payload": payload })).await
    }

    /// An order is placed now.
    pub(crate) async fn buys(&mut self, customer: &CustomerId, products: &[ProductId]) -> Intake {
        // Events of one instant have no order; a purchase comes after what led to it.
        self.clock.set(self.now() + jiff::SignedDuration::from_secs(1));
        let purchase = self.purchase("order.created", customer, products);
        self.report(&purchase).await
    }

    pub(crate) async fn ticket(&mut self, customer: &CustomerId, open: bool) -> Intake {
        self.ticket_saying(customer, "a part is missing", open).await
    }

    pub(crate) async fn ticket_saying(&mut self, customer: &CustomerId, subject: &str, open: bool) -> Intake {
        let topic = if open { "ticket.opened" } else { "ticket.closed" };
        let payload =
            json!({ "ticket_id": format!("T-{customer}"), "customer": { "id": customer }, "subject": subject });
        let at = self.now();
        self.send(topic, json!({ "event": topic, "triggered_at": at, "payload": payload })).await
    }

    /// The person says yes or no, now.
    pub(crate) async fn says(&mut self, customer: &CustomerId, channel: &str, state: ConsentState) -> Intake {
        let consent = json!({ "channel": channel, "state": state, "source": "preference page", "wording": "v2" });
        let at = self.now();
        let payload = json!({ "customer": { "id": customer }, "consent": consent });
        self.send("consent.updated", json!({ "event": "consent.updated", "triggered_at": at, "payload": payload }))
            .await
    }

    async fn send(&mut self, topic: &str, body: Value) -> Intake {
        self.deliver(topic, body).await.unwrap()
    }

    async fn deliver(&mut self, topic: &str, body: Value) -> Result<Intake, IntakeError> {
        self.step().await;
        let body = body.to_string();
        let delivery = Delivery {
            source: Source::Generic,
            topic,
            body: body.as_bytes(),
            event_id: None,
            triggered_at: None,
            received_at: self.now(),
        };
        self.tenant.take_in(&delivery).await
    }
}
