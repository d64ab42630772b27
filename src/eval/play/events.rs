//! What happens in a story: webhooks in the generic form, and the world's own changes.

use std::sync::Arc;

use jiff::SignedDuration;
use kit::{Money, ProductId};
use oracle::world::Period;
use serde_json::{Value, json};
use shop::{Delivery, Source};

use super::{PlayError, Player, Run};
use crate::eval::suite::{CartWith, Consent, Door, Step, Switch};
use crate::eval::template;

/// Products that a step names.
pub fn products_of(step: &Step) -> Vec<&ProductId> {
    match step {
        Step::Cart(items) | Step::OtherCart(items) | Step::Buys(items) | Step::Fulfilled(items) => {
            items.iter().collect()
        }
        Step::CartWith(cart) => cart.items.iter().collect(),
        Step::Cancelled(order) => order.items.iter().collect(),
        Step::Stock(changes) => changes.keys().collect(),
        Step::Price(changes) => changes.keys().collect(),
        Step::Again
        | Step::CheckoutCompleted
        | Step::CancelsOrder
        | Step::Start(_)
        | Step::Ticket(_)
        | Step::Consent(_)
        | Step::Erased
        | Step::Suppressed(_)
        | Step::Kill(_)
        | Step::Bans(_)
        | Step::Wait(_)
        | Step::Due
        | Step::Now
        | Step::Approve
        | Step::EditAndApproveOneself(_)
        | Step::EditAndApprove(_)
        | Step::Reject(_)
        | Step::Revise(_)
        | Step::EspFails(_)
        | Step::Chat(_)
        | Step::Changed(_)
        | Step::Undo
        | Step::Flip(_)
        | Step::TakeBack(_)
        | Step::Choose(_)
        | Step::Write
        | Step::ApproveOneself => Vec::new(),
    }
}

/// Two decimals, as platforms write amounts.
fn amount(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

impl Player<'_> {
    pub(super) async fn step(&mut self, step: &Step) -> Result<(), PlayError> {
        match step {
            Step::Cart(items) => self.cart(&plain(items)).await,
            Step::CartWith(cart) => self.cart(cart).await,
            Step::OtherCart(items) => {
                self.cart = 0;
                self.cart(&plain(items)).await
            }
            Step::Again => self.again().await,
            Step::CheckoutCompleted => self.completed().await,
            Step::Buys(items) => self.buys(items).await,
            Step::Fulfilled(items) => {
                self.order = self.number();
                self.order_event("order.fulfilled", items, 48, None).await
            }
            Step::Cancelled(order) => {
                self.order = self.number();
                self.order_event("order.cancelled", &order.items, 48, Some(&order.reason)).await
            }
            Step::CancelsOrder => self.order_event("order.cancelled", &[], 48, Some("customer")).await,
            Step::Start(flow) => self.start(flow).await,
            Step::Ticket(door) => self.ticket(*door).await,
            Step::Consent(consent) => self.consent(*consent).await,
            Step::Erased => self.erased().await,
            Step::Suppressed(reason) => self.suppressed(reason).await,
            Step::Stock(changes) => {
                for (product, units) in changes {
                    self.stock(product, *units).await?;
                }
                Ok(())
            }
            Step::Price(changes) => {
                for (product, price) in changes {
                    self.price(product, price).await?;
                }
                Ok(())
            }
            Step::Kill(switch) => self.kill(*switch).await,
            Step::Bans(phrase) => self.bans(phrase).await,
            Step::Wait(hours) => {
                self.later(SignedDuration::from_hours(*hours));
                Ok(())
            }
            Step::Due => self.due(true).await,
            Step::Now => self.due(false).await,
            Step::Approve => self.approve().await,
            Step::EditAndApproveOneself(subject) => self.edit(subject, "sam").await,
            Step::EditAndApprove(subject) => self.edit(subject, "nora").await,
            Step::Reject(reason) => self.reject(reason, false).await,
            Step::Revise(reason) => self.reject(reason, true).await,
            Step::EspFails(fault) => {
                self.fails(*fault);
                Ok(())
            }
            Step::Chat(_)
            | Step::Changed(_)
            | Step::Undo
            | Step::Flip(_)
            | Step::TakeBack(_)
            | Step::Choose(_)
            | Step::Write
            | Step::ApproveOneself => self.brief_step(step).await,
        }
    }

    fn number(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }

    fn item(&self, product: &ProductId) -> Value {
        let known = self.stage.tenant.catalog.get(product);
        let title = known.as_ref().map_or("Something else", |p| p.title.as_str());
        let price = self.stage.tenant.catalog.live(product).map_or(500, |live| live.price.minor);
        json!({ "product_id": product, "title": title, "price": amount(price), "quantity": 1 })
    }

    /// The lines of these products, and what they come to.
    fn lines(&self, products: &[ProductId]) -> (Vec<Value>, String) {
        let price = |id: &ProductId| self.stage.tenant.catalog.live(id).map_or(500, |live| live.price.minor);
        (products.iter().map(|id| self.item(id)).collect(), amount(products.iter().map(price).sum()))
    }

    fn customer(&self) -> Value {
        json!({ "id": self.hero.id })
    }

    async fn cart(&mut self, cart: &CartWith) -> Result<(), PlayError> {
        if self.cart == 0 {
            self.cart = self.number();
        }
        let (mut items, total) = self.lines(&cart.items);
        if let (Some(title), Some(first)) = (&cart.title, items.first_mut()) {
            *first = json!({ "product_id": first.get("product_id"), "title": title, "price": first.get("price"), "quantity": 1 });
        }
        let site = self.stage.tenant.release.shop.identity.site.clone();
        let url = cart.url.clone().unwrap_or_else(|| format!("{site}/cart/c{}", self.cart));
        let mut customer = self.customer();
        if let (Some(name), Some(customer)) = (&cart.first_name, customer.as_object_mut()) {
            customer.insert("first_name".to_owned(), json!(name));
        }
        let inner = json!({ "items": items, "total_value": total, "url": url, "note": cart.note });
        let payload = json!({ "cart_id": self.cart_id(), "customer": customer, "cart": inner });
        self.fire("cart.updated", payload).await
    }

    fn cart_id(&self) -> String {
        format!("{}-cart-{}", self.hero.id, self.cart)
    }

    async fn completed(&mut self) -> Result<(), PlayError> {
        let inner = json!({ "items": [], "total_value": "0.00", "completed_at": self.now() });
        let payload = json!({ "cart_id": self.cart_id(), "customer": self.customer(), "cart": inner });
        self.fire("cart.updated", payload).await
    }

    async fn buys(&mut self, items: &[ProductId]) -> Result<(), PlayError> {
        // Events of one instant have no order; a purchase comes after what led to it.
        self.later(SignedDuration::from_secs(1));
        self.order = self.number();
        let now = self.now();
        if let Some(hero) = self.hero_mut() {
            hero.orders.push(now);
        }
        self.order_event("order.created", items, 0, None).await
    }

    async fn order_event(
        &mut self,
        topic: &'static str,
        items: &[ProductId],
        hours_ago: i64,
        reason: Option<&str>,
    ) -> Result<(), PlayError> {
        let (items, total) = self.lines(items);
        let placed_at = self.now().checked_sub(SignedDuration::from_hours(hours_ago)).unwrap_or(self.now());
        let order = json!({ "items": items, "total_value": total, "placed_at": placed_at, "cancel_reason": reason });
        let id = format!("{}-order-{}", self.hero.id, self.order);
        self.fire(topic, json!({ "order_id": id, "customer": self.customer(), "order": order })).await
    }

    async fn start(&mut self, flow: &kit::FlowId) -> Result<(), PlayError> {
        let admitted = self.stage.tenant.start_flow(flow, &self.hero.id).await?;
        match admitted {
            Ok(admitted) => {
                self.stage.tenant.store.wake(&admitted.run, self.now()).await?;
                self.add(admitted.run);
            }
            Err(why) => self.stumbles.push(why),
        }
        Ok(())
    }

    async fn ticket(&mut self, door: Door) -> Result<(), PlayError> {
        let now = self.now();
        let open = door == Door::Opened;
        if let Some(hero) = self.hero_mut() {
            if open {
                hero.tickets.push(Period { from: now, until: None });
            } else {
                hero.tickets
                    .iter_mut()
                    .filter(|ticket| ticket.until.is_none())
                    .for_each(|ticket| ticket.until = Some(now));
            }
        }
        let payload =
            json!({ "ticket_id": self.hero.ticket, "customer": self.customer(), "subject": "a part is missing" });
        self.fire(if open { "ticket.opened" } else { "ticket.closed" }, payload).await
    }

    async fn consent(&mut self, consent: Consent) -> Result<(), PlayError> {
        let now = self.now();
        let state = match consent {
            Consent::Subscribed => "subscribed",
            Consent::None => "none",
            Consent::Withdrawn => "withdrawn",
        };
        if let Some(hero) = self.hero_mut() {
            match consent {
                Consent::Subscribed => hero.consents.push((now, true)),
                Consent::Withdrawn => hero.consents.push((now, false)),
                Consent::None => {}
            }
        }
        let said = json!({ "channel": "email", "state": state, "source": "preference page", "wording": "v2" });
        self.fire("consent.updated", json!({ "customer": self.customer(), "consent": said })).await
    }

    async fn erased(&mut self) -> Result<(), PlayError> {
        let now = self.now();
        if let Some(hero) = self.hero_mut() {
            hero.erased = Some(now);
        }
        let customer = json!({ "id": self.hero.id, "email": self.hero.email.reveal() });
        let body = json!({ "shop_id": 1, "shop_domain": "shop.example", "customer": customer, "orders_to_redact": [] });
        self.take_in(Source::Shopify, "customers/redact", body.to_string()).await
    }

    async fn suppressed(&mut self, reason: &str) -> Result<(), PlayError> {
        let now = self.now();
        if let Some(hero) = self.hero_mut() {
            hero.suppressed = Some(now);
        }
        let store = &self.stage.tenant.store;
        Ok(store.suppress(kit::message::Channel::Email, &self.hero.email, reason, now).await?)
    }

    async fn stock(&mut self, product: &ProductId, units: i64) -> Result<(), PlayError> {
        let now = self.now();
        let tenant = &self.stage.tenant;
        let known =
            tenant.store.set_stock(product, units, now).await? && tenant.catalog.set_stock(product, units).is_ok();
        match Arc::make_mut(&mut self.world.products).get_mut(product.as_str()).filter(|_| known) {
            Some(told) => told.stock.push((now, units)),
            None => self.stumbles.push(format!("the stock of {product} cannot be set")),
        }
        Ok(())
    }

    async fn price(&mut self, product: &ProductId, price: &str) -> Result<(), PlayError> {
        let now = self.now();
        let currency = self.stage.tenant.release.shop.currency;
        let price =
            Money::parse(price, currency).map_err(|e| PlayError::Event { step: "price", why: e.to_string() })?;
        let tenant = &self.stage.tenant;
        let known = tenant.store.set_price(product, price.minor, now).await?
            && tenant.catalog.set_price(product, price).is_ok();
        match Arc::make_mut(&mut self.world.products).get_mut(product.as_str()).filter(|_| known) {
            Some(told) => told.prices.push((now, price.minor)),
            None => self.stumbles.push(format!("the price of {product} cannot be set")),
        }
        Ok(())
    }

    async fn kill(&mut self, switch: Switch) -> Result<(), PlayError> {
        let now = self.now();
        let store = &self.stage.tenant.store;
        let ops = super::people::ops();
        match switch {
            Switch::Engaged => {
                store.kill_on("shop", "the case says so", &ops, now).await?;
                self.world.stops.push(Period { from: now, until: None });
            }
            Switch::Lifted => {
                store.kill_off("shop", &ops, now).await?;
                self.world.stops.iter_mut().filter(|stop| stop.until.is_none()).for_each(|stop| stop.until = Some(now));
            }
        }
        Ok(())
    }

    async fn bans(&mut self, phrase: &str) -> Result<(), PlayError> {
        let now = self.now();
        let mut failed = None;
        self.stage.release(|files| failed = template::ban(files, phrase).err(), now).await?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        self.world.limits.forbidden.push(phrase.to_owned());
        self.plant_secrets();
        Ok(())
    }

    async fn fire(&mut self, topic: &'static str, payload: Value) -> Result<(), PlayError> {
        let number = self.number();
        let id = format!("{}-{number}", self.hero.id);
        let body = json!({ "event": topic, "id": id, "triggered_at": self.now(), "payload": payload }).to_string();
        self.last_event = Some((topic, body.clone()));
        self.take_in(Source::Generic, topic, body).await
    }

    async fn again(&mut self) -> Result<(), PlayError> {
        match self.last_event.clone() {
            Some((topic, body)) => self.take_in(Source::Generic, topic, body).await,
            None => {
                self.stumbles.push("there is no event to repeat".to_owned());
                Ok(())
            }
        }
    }

    async fn take_in(&mut self, source: Source, topic: &'static str, body: String) -> Result<(), PlayError> {
        let delivery = Delivery {
            source,
            topic,
            body: body.as_bytes(),
            event_id: None,
            triggered_at: None,
            received_at: self.now(),
        };
        let intake = self
            .stage
            .tenant
            .take_in(&delivery)
            .await
            .map_err(|e| PlayError::Event { step: topic, why: e.to_string() })?;
        if let Some(skipped) = intake.skipped.into_iter().next() {
            self.skipped = Some(format!("{}: {}", skipped.flow, skipped.reason));
        }
        for admitted in intake.runs {
            self.add(admitted.run);
        }
        Ok(())
    }

    /// A run that an event began or moved is the one the story is about from now on.
    fn add(&mut self, id: kit::RunId) {
        match self.runs.iter().position(|run| run.id == id) {
            Some(at) => {
                let run = self.runs.remove(at);
                self.runs.push(run);
            }
            None => self.runs.push(Run { id, rest: None, unavailable: false }),
        }
    }
}

fn plain(items: &[ProductId]) -> CartWith {
    CartWith { items: items.to_vec(), note: None, title: None, url: None, first_name: None }
}
