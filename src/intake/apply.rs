//! What an event says about the shop's world: customers, consent, orders, stock, tickets, activity.

use kit::message::{Channel, ConsentState};
use kit::{CategoryId, CustomerId, Language, Money, Principal, ProductId, TicketId};
use shop::{EventBody, EventCustomer, LineItem, ShopEvent};

use super::IntakeError;
use crate::store::{Activity, Consent, Customer, Order, OrderLine, Ticket};
use crate::tenant::Tenant;

/// What working an event in found out.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// The customer it is about, once known to us.
    pub(super) customer: Option<Customer>,
    /// Products of the cart or order that the catalogue knows, most valuable first.
    pub(super) products: Vec<ProductId>,
    /// Some of them is a purchase people think over.
    pub(super) considered: bool,
    /// What a person must still do; the event stays parked until then.
    pub(super) unfinished: Option<String>,
    /// What was done, where that is not about runs.
    pub(super) note: Option<String>,
    /// The event itself names whom it erased: it is emptied once all is done.
    pub(super) erases: bool,
}

impl Tenant {
    pub(super) async fn apply(&self, event: &ShopEvent) -> Result<Applied, IntakeError> {
        if let Some(applied) = self.withdraw(event).await? {
            return Ok(applied);
        }
        let customer = match (&event.customer, &event.body) {
            (Some(said), _) => self.merge_customer(said, event).await?,
            // A refund names its order only.
            (None, EventBody::Refund(refund)) => match self.store.customer_of_order(&refund.order).await? {
                Some(id) => self.store.customer(&id).await?,
                None => None,
            },
            (None, _) => None,
        };
        let mut applied = Applied { customer, ..Applied::default() };
        self.note_said(event, applied.customer.as_ref()).await?;
        match &event.body {
            EventBody::Cart(cart) => {
                applied.products = self.known_products(&cart.items);
                self.note_activity(event, &applied, "cart").await?;
            }
            EventBody::Order(order) => {
                applied.products = self.known_products(&order.items);
                self.put_order(order, applied.customer.as_ref()).await?;
            }
            EventBody::Consent(consent) => {
                if let Some(customer) = &applied.customer {
                    // A yes dated in the future would outlive every later no.
                    let at = consent.at.unwrap_or(event.triggered_at).min(self.clock.now());
                    let source = consent.given_via.clone().unwrap_or_else(|| event.source.to_string());
                    let wording = consent.wording.clone().unwrap_or_default();
                    let row = Consent { channel: consent.channel, state: consent.state, at, source, wording };
                    self.store.add_consents(vec![(customer.id.clone(), row)]).await?;
                    if let Some(subscription) = &consent.subscription {
                        self.store.note_subscription(subscription, &customer.id).await?;
                    }
                }
            }
            EventBody::Unsubscribed(subscription) => self.unsubscribed(event, subscription, &mut applied).await?,
            EventBody::Product(product) => {
                self.put_product_json(&product.id, product.json.as_bytes(), event.triggered_at).await?
            }
            EventBody::Ticket(ticket) => {
                if let Some(customer) = &applied.customer {
                    self.put_ticket(&ticket.id, &customer.id, ticket.open, event.triggered_at).await?;
                }
            }
            EventBody::View(view) => {
                applied.products = self.resolve(Some(&view.product), None).into_iter().collect();
                self.note_activity(event, &applied, "viewed").await?;
            }
            EventBody::Wish(wish) => {
                applied.products = self.resolve(Some(&wish.product), None).into_iter().collect();
                self.note_activity(event, &applied, if wish.added { "wished" } else { "unwished" }).await?;
            }
            EventBody::Shelf(shelf) => applied.note = self.put_shelf(shelf, event.triggered_at).await?,
            EventBody::Inventory(inventory) => {
                // Shopify counts by inventory item; only shops whose items are product ids can be matched here.
                if let Ok(id) = ProductId::new(inventory.item.clone())
                    && self.store.set_stock(&id, inventory.available, event.triggered_at).await?
                {
                    // The row just updated is in the catalogue unless it is newer than this process.
                    let _ = self.catalog.set_stock(&id, inventory.available);
                }
            }
            EventBody::Refund(refund) => {
                let products: Vec<ProductId> = refund.lines.iter().filter_map(|l| l.product.clone()).collect();
                self.store.return_lines(&refund.order, products).await?;
            }
            // They change nothing that a message depends on.
            EventBody::Fulfillment(_) | EventBody::Customer => {}
            // Taken by `withdraw` above.
            EventBody::AppUninstalled
            | EventBody::DataRequest(_)
            | EventBody::EraseCustomer(_)
            | EventBody::EraseShop => {}
        }
        applied.considered = applied.products.iter().any(|id| self.catalog.get(id).is_some_and(|p| p.considered));
        Ok(applied)
    }

    /// Topics that end a relation: sending stops at once, and what is stored goes.
    async fn withdraw(&self, event: &ShopEvent) -> Result<Option<Applied>, IntakeError> {
        let stop = |why: &'static str| self.store.kill_on("shop", why, &Principal::System, event.triggered_at);
        match &event.body {
            EventBody::EraseCustomer(_) => Ok(Some(Applied { erases: true, ..self.erase_person(event).await? })),
            EventBody::DataRequest(_) => Ok(Some(self.tell_person(event).await?)),
            EventBody::AppUninstalled => {
                stop("the shop removed the app").await?;
                Ok(Some(Applied::default()))
            }
            EventBody::EraseShop => {
                stop("the shop asked to be forgotten").await?;
                Ok(Some(self.erase_shop(event).await?))
            }
            EventBody::Cart(_)
            | EventBody::Order(_)
            | EventBody::Refund(_)
            | EventBody::Fulfillment(_)
            | EventBody::Customer
            | EventBody::Consent(_)
            | EventBody::Unsubscribed(_)
            | EventBody::Product(_)
            | EventBody::Inventory(_)
            | EventBody::Shelf(_)
            | EventBody::Ticket(_)
            | EventBody::View(_)
            | EventBody::Wish(_) => Ok(None),
        }
    }

    pub(super) async fn find_customer(&self, said: Option<&EventCustomer>) -> Result<Option<Customer>, IntakeError> {
        let Some(said) = said else { return Ok(None) };
        let by_id = match &said.id {
            Some(id) => self.store.customer(id).await?,
            None => None,
        };
        Ok(match (by_id, &said.email) {
            (Some(customer), _) => Some(customer),
            (None, Some(email)) => self.store.customer_by_email(email).await?,
            (None, None) => None,
        })
    }

    /// Finds the customer by id, then by address, and takes over what the event says about them.
    async fn merge_customer(&self, said: &EventCustomer, event: &ShopEvent) -> Result<Option<Customer>, IntakeError> {
        if self.was_erased(said, event.triggered_at).await? {
            return Ok(None);
        }
        let known = self.find_customer(Some(said)).await?;
        let id = match (&known, &said.id, &said.email) {
            (Some(customer), _, _) => customer.id.clone(),
            (None, Some(id), _) => id.clone(),
            (None, None, Some(email)) => guest_id(self.store.id(), email),
            (None, None, None) => return Ok(None),
        };
        let settings = &self.release.shop;
        let mut customer = known.unwrap_or_else(|| Customer {
            id,
            email: None,
            first_name: None,
            language: settings.default_language.clone(),
            country: None,
            time_zone: settings.time_zone.clone(),
            loyalty_tier: None,
            vip: false,
            created_at: event.triggered_at,
            erased_at: None,
        });
        if customer.erased_at.is_some() {
            return Ok(Some(customer));
        }
        take(&mut customer.email, &said.email);
        take(&mut customer.first_name, &said.first_name);
        take(&mut customer.country, &said.country);
        take(&mut customer.loyalty_tier, &said.loyalty_tier);
        if let Some(language) = &said.language {
            customer.language = Language::clone(language);
        }
        if let Some(zone) = said.time_zone.as_ref().filter(|z| jiff::tz::TimeZone::get(z).is_ok()) {
            customer.time_zone = zone.clone();
        }
        customer.vip |= said.tags.iter().any(|tag| tag.eq_ignore_ascii_case("vip"));
        self.store.put_customers(vec![customer.clone()]).await?;
        // A ticked box is an opt-in at the time of the event; an empty one takes nothing back.
        if said.accepts_email_marketing == Some(true) && !self.store.was_asked(&customer.id, Channel::Email).await? {
            let wording = match &event.body {
                EventBody::Cart(_) | EventBody::Order(_) => "checkout box",
                _ => "as the platform states it",
            };
            let row = Consent {
                channel: Channel::Email,
                state: ConsentState::Subscribed,
                at: event.triggered_at.min(self.clock.now()),
                source: format!("{} {}", event.source, event.topic),
                wording: wording.to_owned(),
            };
            self.store.add_consents(vec![(customer.id.clone(), row)]).await?;
        }
        Ok(Some(customer))
    }

    /// Takes consent back for whoever had the subscription.
    async fn unsubscribed(
        &self,
        event: &ShopEvent,
        subscription: &str,
        applied: &mut Applied,
    ) -> Result<(), IntakeError> {
        let Some(customer) = self.store.subscriber(subscription).await? else {
            let what = format!(
                "subscription {subscription} was deleted, and whose it was is not known: look it up in the shop, and have that person's consent withdrawn"
            );
            applied.unfinished = Some(what);
            return Ok(());
        };
        let row = Consent {
            channel: Channel::Email,
            state: ConsentState::Withdrawn,
            at: event.triggered_at.min(self.clock.now()),
            source: event.source.to_string(),
            wording: "subscription deleted".to_owned(),
        };
        self.store.add_consents(vec![(customer.clone(), row)]).await?;
        applied.customer = self.store.customer(&customer).await?;
        Ok(())
    }

    async fn put_order(&self, order: &shop::Order, customer: Option<&Customer>) -> Result<(), IntakeError> {
        // An order without a customer we can name has nobody to call off a message for.
        let Some(customer) = customer else { return Ok(()) };
        let line = |item| self.order_line(item).map(|line| OrderLine { returned: order.refunded, ..line });
        let lines = order.items.iter().filter_map(line).collect();
        let row = Order {
            id: order.id.clone(),
            customer: customer.id.clone(),
            cart: order.cart.clone(),
            placed_at: order.placed_at,
            total: order.total,
            discount: Money::new(order.discount.minor, order.total.currency),
            cancelled_at: order.cancelled_at,
            cancel_reason: order.cancel_reason.map(|reason| reason.as_str().to_owned()),
            fulfilled_at: order.fulfilled_at,
            lines,
        };
        Ok(self.store.put_orders(vec![row]).await?)
    }

    fn order_line(&self, item: &LineItem) -> Option<OrderLine> {
        let product = self.resolve(item.product.as_ref(), item.sku.as_deref()).or_else(|| item.product.clone())?;
        let category = self.catalog.get(&product).map(|p| p.category.clone()).or_else(|| item.category.clone());
        let category = category.or_else(|| CategoryId::new("unknown").ok())?;
        Some(OrderLine { product, category, quantity: item.quantity, price: item.price, returned: false })
    }

    async fn put_ticket(
        &self,
        id: &TicketId,
        customer: &CustomerId,
        open: bool,
        at: kit::Timestamp,
    ) -> Result<(), IntakeError> {
        let ticket =
            Ticket { id: id.clone(), customer: customer.clone(), opened_at: at, closed_at: (!open).then_some(at) };
        Ok(self.store.put_tickets(vec![ticket]).await?)
    }

    async fn note_activity(&self, event: &ShopEvent, applied: &Applied, kind: &str) -> Result<(), IntakeError> {
        let Some(customer) = &applied.customer else { return Ok(()) };
        let dwell_s = match &event.body {
            EventBody::View(view) => view.dwell_s,
            _ => 0,
        };
        let rows = applied.products.iter().map(|product| Activity {
            customer: customer.id.clone(),
            at: event.triggered_at,
            kind: kind.to_owned(),
            product: Some(product.clone()),
            category: self.catalog.get(product).map(|p| p.category.clone()),
            dwell_s,
        });
        Ok(self.store.add_activity(rows.collect()).await?)
    }

    /// Products of these lines that the catalogue knows, by id or by SKU, most valuable line first.
    pub(super) fn known_products(&self, items: &[LineItem]) -> Vec<ProductId> {
        let mut lines: Vec<(i64, ProductId)> = items
            .iter()
            .filter_map(|item| {
                let value = item.price.minor.saturating_mul(i64::from(item.quantity));
                self.resolve(item.product.as_ref(), item.sku.as_deref()).map(|id| (value, id))
            })
            .collect();
        lines.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let mut products = Vec::new();
        for (_, product) in lines {
            if !products.contains(&product) {
                products.push(product);
            }
        }
        products
    }

    pub(super) fn resolve(&self, id: Option<&ProductId>, sku: Option<&str>) -> Option<ProductId> {
        let by_sku = || sku.and_then(|sku| ProductId::new(sku).ok());
        id.cloned()
            .filter(|id| self.catalog.get(id).is_some())
            .or_else(|| by_sku().filter(|id| self.catalog.get(id).is_some()))
    }
}

fn take<T: Clone>(own: &mut Option<T>, said: &Option<T>) {
    if said.is_some() {
        *own = said.clone();
    }
}

/// Guests have no id of their own: one is made from their address, so that the same guest is the same customer.
fn guest_id(shop: &kit::ShopId, email: &kit::person::Email) -> CustomerId {
    CustomerId::from_digest("guest", &email.digest(shop))
}
