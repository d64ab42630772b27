//! Shopify webhooks, API 2026-04.
//!
//! What differs from what one would expect, all of it from Shopify's own samples:
//! ids are numbers beyond 2^53 (carts' are strings); money is decimal strings; `carts/*` carries neither customer nor
//! currency nor total nor link; a checkout's `email` may be another one than its customer's (the customer's counts: that
//! is whose consent is stored); an absent address may be `[]`; a line may have no product; `orders/*` bodies are the
//! same for every topic, so only the topic tells what happened.

mod wire;

use jiff::Timestamp;
use kit::fence::ThirdParty;
use kit::message::{Channel, ConsentState};
use kit::{CartId, Currency, CustomerId, Money, OrderId, ProductId};

use crate::amounts::{amount, currency, not_below, optional, reconcile, sum};
use crate::error::{Fault, WebhookError, field, shorten};
use crate::event::{
    CancelReason, Cart, Consent, EventBody, EventCustomer, Fulfillment, Inventory, LineItem, Order, Product, Refund,
    RefundLine,
};
use crate::json::{AmountText, IdText, decode};
use crate::topic::Topic;
use crate::values::{country, email, filled, https, id, language, third_party};
use crate::{Parsed, ShopDefaults};

/// Topics as Shopify names them.
pub const TOPICS: &[(&str, Topic)] = &[
    ("carts/create", Topic::CartUpdated),
    ("carts/update", Topic::CartUpdated),
    ("checkouts/create", Topic::CheckoutStarted),
    ("checkouts/update", Topic::CheckoutUpdated),
    ("orders/create", Topic::OrderCreated),
    ("orders/updated", Topic::OrderUpdated),
    ("orders/paid", Topic::OrderPaid),
    ("orders/cancelled", Topic::OrderCancelled),
    ("orders/fulfilled", Topic::OrderFulfilled),
    ("refunds/create", Topic::RefundCreated),
    ("fulfillments/update", Topic::FulfillmentUpdated),
    ("customers/create", Topic::CustomerCreated),
    ("customers/update", Topic::CustomerUpdated),
    ("customers_email_marketing_consent/update", Topic::ConsentUpdated),
    ("products/update", Topic::ProductUpdated),
    ("inventory_levels/update", Topic::InventoryUpdated),
    ("app/uninstalled", Topic::AppUninstalled),
    ("customers/data_request", Topic::DataRequested),
    ("customers/redact", Topic::CustomerErased),
    ("shop/redact", Topic::ShopErased),
];

pub(crate) fn parse(topic: Topic, text: &str, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    match topic {
        Topic::CartUpdated | Topic::CartAbandoned => cart(decode(text)?, defaults),
        Topic::CheckoutStarted | Topic::CheckoutUpdated => checkout(decode(text)?, defaults),
        Topic::OrderCreated
        | Topic::OrderUpdated
        | Topic::OrderPaid
        | Topic::OrderCancelled
        | Topic::OrderFulfilled => order(topic, decode(text)?, defaults),
        Topic::RefundCreated => refund(decode(text)?),
        Topic::FulfillmentUpdated => fulfillment(decode(text)?),
        Topic::CustomerCreated | Topic::CustomerUpdated => customer_changed(decode(text)?),
        Topic::ConsentUpdated => consent(decode(text)?),
        Topic::ProductUpdated => product(decode(text)?, text),
        Topic::InventoryUpdated => inventory(decode(text)?),
        Topic::AppUninstalled => decode::<wire::Any>(text).map(|_| bare(EventBody::AppUninstalled)),
        Topic::ShopErased => decode::<wire::Any>(text).map(|_| bare(EventBody::EraseShop)),
        Topic::DataRequested => privacy(decode(text)?, EventBody::DataRequest),
        Topic::CustomerErased => privacy(decode(text)?, EventBody::EraseCustomer),
        Topic::TicketOpened | Topic::TicketClosed | Topic::ProductViewed | Topic::WishlistUpdated => {
            Err(WebhookError::UnknownTopic {
                source_name: "shopify",
                topic: topic.as_str().to_owned(),
                known: TOPICS.iter().map(|(known, _)| *known).collect(),
            })
        }
    }
}

fn bare(body: EventBody) -> Parsed {
    Parsed { at: None, id: None, customer: None, body }
}

fn about(at: Timestamp, customer: Option<EventCustomer>, body: EventBody) -> Parsed {
    Parsed { at: Some(at), id: None, customer, body }
}

fn cart(cart: wire::Cart, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    let money = cart.line_items.first().and_then(|line| line.price_set.as_ref()).map(|set| &set.shop_money);
    let code = money.map(|money| money.currency_code.as_str());
    let currency = currency(code, defaults.currency, "$.line_items[0].price_set.shop_money.currency_code")?;
    let items = lines(&cart.line_items, currency)?;
    // A cart states no total; each line states its own.
    let mut total = Money::new(0, currency);
    for (index, line) in cart.line_items.iter().enumerate() {
        let at = |name: &str| format!("$.line_items[{index}].{name}");
        let unit = amount(line.original_price.as_ref().unwrap_or(&line.price), currency, &at("original_price"))?;
        let full = unit.times(line.quantity).map_err(|e| field(at("quantity"), e))?;
        if let Some(stated) = optional(line.original_line_price.as_ref(), currency, &at("original_line_price"))? {
            reconcile(full, stated, 1, &at("original_line_price"))?;
        }
        let paid = optional(line.line_price.as_ref(), currency, &at("line_price"))?.unwrap_or(full);
        total = total.plus(paid).map_err(|e| field(at("line_price"), e))?;
    }
    let body = Cart {
        id: id(&cart.token, "$.token", CartId::new)?,
        items,
        total,
        abandoned_at: None,
        completed_at: None,
        recover_url: None,
        note: third_party(cart.note),
    };
    Ok(Parsed { at: cart.updated_at.or(cart.created_at), id: None, customer: None, body: EventBody::Cart(body) })
}

fn checkout(checkout: wire::Checkout, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    let currency = currency(checkout.currency.as_deref(), defaults.currency, "$.currency")?;
    let items = lines(&checkout.line_items, currency)?;
    let full = sum(&items, currency, "$.line_items")?;
    if let Some(stated) = optional(checkout.total_line_items_price.as_ref(), currency, "$.total_line_items_price")? {
        reconcile(full, stated, items.len(), "$.total_line_items_price")?;
    }
    let least = after_discounts(full, checkout.total_discounts.as_ref(), currency)?;
    let subtotal = optional(checkout.subtotal_price.as_ref(), currency, "$.subtotal_price")?;
    let due = optional(checkout.total_price.as_ref(), currency, "$.total_price")?;
    for (stated, path) in [(subtotal, "$.subtotal_price"), (due, "$.total_price")] {
        if let Some(stated) = stated {
            not_below(least, stated, items.len(), path)?;
        }
    }
    let total = subtotal.unwrap_or(full);
    let token = match checkout.cart_token.as_ref().filter(|token| !token.0.is_empty()) {
        Some(cart) => id(cart, "$.cart_token", CartId::new)?,
        None => id(&checkout.token, "$.token", CartId::new)?,
    };
    let buyer = Buyer {
        email: checkout.email.as_deref().map(|text| (text, "$.email")),
        locale: checkout.customer_locale.as_deref(),
        accepts: checkout.buyer_accepts_marketing,
        address: [&checkout.shipping_address, &checkout.billing_address],
    };
    let customer = buyer.customer(checkout.customer.as_ref())?;
    let body = Cart {
        id: token,
        items,
        total,
        abandoned_at: None,
        completed_at: checkout.completed_at,
        recover_url: https(filled(checkout.abandoned_checkout_url), "$.abandoned_checkout_url")?,
        note: third_party(checkout.note),
    };
    Ok(about(checkout.updated_at.unwrap_or(checkout.created_at), customer, EventBody::Cart(body)))
}

/// What the lines cost after every discount that the body states.
fn after_discounts(full: Money, discounts: Option<&AmountText>, currency: Currency) -> Result<Money, WebhookError> {
    let path = "$.total_discounts";
    let discount = optional(discounts, currency, path)?.unwrap_or(Money::new(0, currency));
    full.minus(discount).map_err(|e| field(path, e))
}

fn order(topic: Topic, order: wire::Order, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    let currency = currency(order.currency.as_deref(), defaults.currency, "$.currency")?;
    let items = lines(&order.line_items, currency)?;
    let full = sum(&items, currency, "$.line_items")?;
    if let Some(stated) = optional(order.total_line_items_price.as_ref(), currency, "$.total_line_items_price")? {
        reconcile(full, stated, items.len(), "$.total_line_items_price")?;
    }
    if topic == Topic::OrderCancelled && order.cancelled_at.is_none() {
        return Err(field("$.cancelled_at", Fault::Missing));
    }
    let changed = order.updated_at.unwrap_or(order.created_at);
    let fulfilled = topic == Topic::OrderFulfilled || order.fulfillment_status.as_deref() == Some("fulfilled");
    let last_parcel = order.fulfillments.iter().filter_map(|parcel| parcel.created_at).max();
    let token = order.cart_token.as_ref().or(order.checkout_token.as_ref()).filter(|token| !token.0.is_empty());
    let buyer = Buyer {
        email: filled(order.email).or(filled(order.contact_email)).as_deref().map(|text| (text, "$.email")),
        locale: order.customer_locale.as_deref(),
        accepts: order.buyer_accepts_marketing,
        address: [&order.shipping_address, &order.billing_address],
    }
    .customer(order.customer.as_ref())?;
    let body = Order {
        id: id(&order.id, "$.id", OrderId::new)?,
        cart: token.map(|token| id(token, "$.cart_token", CartId::new)).transpose()?,
        placed_at: order.created_at,
        items,
        total: amount(&order.total_price, currency, "$.total_price")?,
        discount: optional(order.total_discounts.as_ref(), currency, "$.total_discounts")?
            .unwrap_or(Money::new(0, currency)),
        discount_codes: order.discount_codes.into_iter().map(|code| code.code).collect(),
        cancelled_at: order.cancelled_at,
        cancel_reason: order.cancel_reason.as_deref().map(CancelReason::read),
        fulfilled_at: fulfilled.then(|| last_parcel.unwrap_or(changed)),
        refunded: order.financial_status.as_deref() == Some("refunded"),
        note: third_party(order.note),
    };
    Ok(about(changed, buyer, EventBody::Order(body)))
}

fn refund(refund: wire::Refund) -> Result<Parsed, WebhookError> {
    let line = |(index, line): (usize, &wire::RefundLine)| {
        let path = format!("$.refund_line_items[{index}].line_item.product_id");
        let product = line.line_item.as_ref().and_then(|item| item.product_id.as_ref());
        let product = product.map(|product| id(product, &path, ProductId::new)).transpose()?;
        Ok(RefundLine { product, quantity: line.quantity })
    };
    let lines = refund.refund_line_items.iter().enumerate().map(line).collect::<Result<_, WebhookError>>()?;
    let body = Refund { order: id(&refund.order_id, "$.order_id", OrderId::new)?, lines, at: refund.created_at };
    Ok(about(refund.created_at, None, EventBody::Refund(body)))
}

fn fulfillment(parcel: wire::Fulfillment) -> Result<Parsed, WebhookError> {
    let at = parcel.updated_at.unwrap_or(parcel.created_at);
    let body = Fulfillment {
        order: id(&parcel.order_id, "$.order_id", OrderId::new)?,
        status: shorten(&parcel.status),
        shipment_status: parcel.shipment_status.as_deref().map(shorten),
        at,
    };
    Ok(about(at, None, EventBody::Fulfillment(body)))
}

fn customer_changed(customer: wire::Customer) -> Result<Parsed, WebhookError> {
    let read = read_customer(&customer, "$")?;
    let at = customer.updated_at.or(customer.created_at);
    Ok(Parsed { at, id: None, customer: Some(read), body: EventBody::Customer })
}

fn consent(change: wire::ConsentChange) -> Result<Parsed, WebhookError> {
    /// Shopify's `CustomerEmailMarketingState`.
    const STATES: &[&str] = &["subscribed", "not_subscribed", "pending", "unsubscribed", "redacted", "invalid"];
    let consent = change.email_marketing_consent;
    let state = match consent.state.as_str() {
        "subscribed" => ConsentState::Subscribed,
        // Pending waits for the second opt-in; invalid is about the address, not about anybody's will.
        "not_subscribed" | "pending" | "invalid" => ConsentState::None,
        "unsubscribed" | "redacted" => ConsentState::Withdrawn,
        other => {
            let found = shorten(other);
            return Err(field("$.email_marketing_consent.state", Fault::Word { found, known: STATES }));
        }
    };
    let customer = EventCustomer {
        id: Some(id(&change.customer_id, "$.customer_id", CustomerId::new)?),
        email: email(change.email_address.as_deref(), "$.email_address")?,
        ..EventCustomer::default()
    };
    let at = consent.consent_updated_at;
    let given_via = filled(consent.opt_in_level);
    let body = Consent { channel: Channel::Email, state, at, given_via, wording: None, subscription: None };
    Ok(Parsed { at, id: None, customer: Some(customer), body: EventBody::Consent(body) })
}

fn product(product: wire::Product, text: &str) -> Result<Parsed, WebhookError> {
    let body = Product { id: id(&product.id, "$.id", ProductId::new)?, json: text.to_owned() };
    Ok(Parsed { at: product.updated_at, id: None, customer: None, body: EventBody::Product(body) })
}

fn inventory(level: wire::InventoryLevel) -> Result<Parsed, WebhookError> {
    let body = Inventory {
        item: level.inventory_item_id.0,
        location: level.location_id.0,
        // Untracked items have no number; nothing can be said about them.
        available: level.available.ok_or_else(|| field("$.available", Fault::Missing))?,
    };
    Ok(Parsed { at: level.updated_at, id: None, customer: None, body: EventBody::Inventory(body) })
}

fn privacy(request: wire::Privacy, body: fn(Vec<OrderId>) -> EventBody) -> Result<Parsed, WebhookError> {
    let orders = request.orders_requested.or(request.orders_to_redact).unwrap_or_default();
    let order = |(index, order): (usize, &IdText)| id(order, &format!("$.orders[{index}]"), OrderId::new);
    let orders = orders.iter().enumerate().map(order).collect::<Result<_, _>>()?;
    let customer = EventCustomer {
        id: Some(id(&request.customer.id, "$.customer.id", CustomerId::new)?),
        email: email(request.customer.email.as_deref(), "$.customer.email")?,
        ..EventCustomer::default()
    };
    Ok(Parsed { at: None, id: None, customer: Some(customer), body: body(orders) })
}

/// Lines with a quantity of 0 were removed and are left out.
fn lines(lines: &[wire::Line], currency: Currency) -> Result<Vec<LineItem>, WebhookError> {
    let kept = lines.iter().enumerate().filter(|(_, line)| line.quantity > 0);
    kept.map(|(index, line)| {
        let at = |name: &str| format!("$.line_items[{index}].{name}");
        let product = line.product_id.as_ref();
        Ok(LineItem {
            product: product.map(|product| id(product, &at("product_id"), ProductId::new)).transpose()?,
            variant: line.variant_id.as_ref().map(|variant| variant.0.clone()),
            sku: filled(line.sku.clone()),
            title: ThirdParty::new(line.title.clone()),
            price: amount(&line.price, currency, &at("price"))?,
            quantity: line.quantity,
            category: None,
        })
    })
    .collect()
}

/// What a checkout or order says about its buyer outside the customer object.
struct Buyer<'a> {
    email: Option<(&'a str, &'static str)>,
    locale: Option<&'a str>,
    accepts: Option<bool>,
    address: [&'a Option<wire::AddressForm>; 2],
}

impl Buyer<'_> {
    /// The customer object with the gaps filled; `None` when nobody can be told from the body.
    fn customer(&self, object: Option<&wire::Customer>) -> Result<Option<EventCustomer>, WebhookError> {
        let mut customer = match object {
            Some(object) => read_customer(object, "$.customer")?,
            None => EventCustomer::default(),
        };
        if let (None, Some((text, path))) = (&customer.email, self.email) {
            customer.email = email(Some(text), path)?;
        }
        if customer.language.is_none() {
            customer.language = language(self.locale, "$.customer_locale")?;
        }
        if customer.country.is_none() {
            let code = self.address.iter().find_map(|form| wire::country_code(form));
            customer.country = country(code, "$.shipping_address.country_code")?;
        }
        customer.accepts_email_marketing = customer.accepts_email_marketing.or(self.accepts);
        Ok((customer.id.is_some() || customer.email.is_some()).then_some(customer))
    }
}

fn read_customer(customer: &wire::Customer, at: &str) -> Result<EventCustomer, WebhookError> {
    let consent = customer.email_marketing_consent.as_ref().map(|consent| consent.state == "subscribed");
    let address = wire::country_code(&customer.default_address);
    Ok(EventCustomer {
        id: Some(id(&customer.id, &format!("{at}.id"), CustomerId::new)?),
        email: email(customer.email.as_deref(), &format!("{at}.email"))?,
        first_name: filled(customer.first_name.clone()),
        language: language(customer.locale.as_deref(), &format!("{at}.locale"))?,
        country: country(address, &format!("{at}.default_address.country_code"))?,
        time_zone: None,
        accepts_email_marketing: consent.or(customer.accepts_marketing),
        loyalty_tier: None,
        total_orders: customer.orders_count,
        tags: customer.tags.as_deref().map(tags).unwrap_or_default(),
    })
}

/// Shopify sends tags as one text: `vip, returning`.
fn tags(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}
