//! What was fetched, as events.
//!
//! What differs from what one would expect: Orders V2 writes times as mail does (RFC 2822) and amounts with four decimals;
//! a guest has `customer_id` 0; an order has a status before it is one (`Incomplete`, 0) and one for every end.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use kit::fence::ThirdParty;
use kit::message::{Channel, ConsentState};
use kit::{CartId, CustomerId, Money, OrderId, ProductId};

use super::wire::{CartLine, CartParts, Customer, CustomerParts, OrderParts, ProductParts, SubscriberParts};
use crate::ShopDefaults;
use crate::amounts::{amount, currency, optional};
use crate::error::{Fault, WebhookError, field};
use crate::event::{CancelReason, Cart, Consent, EventBody, EventCustomer, LineItem, Order, Refund, RefundLine, Shelf};
use crate::json::IdText;
use crate::values::{country, email, filled, https, id, language, third_party};

/// The consent that a newsletter needs; another one, such as `abandoned_cart`, is not it.
const NEWSLETTER: &str = "marketing_newsletter";
/// Units of a product whose stock the shop does not track: enough never to be called scarce.
const UNTRACKED_STOCK: i64 = 1_000;

type Read = (Option<EventCustomer>, EventBody);

pub(super) fn order(parts: OrderParts, defaults: &ShopDefaults) -> Result<Read, WebhookError> {
    let OrderParts { order, products } = parts;
    let at = |name: &str| format!("$.fetched.order.{name}");
    let currency = currency(order.currency_code.as_deref(), defaults.currency, &at("currency_code"))?;
    let placed_at = time(Some(&order.date_created), &at("date_created"))?
        .ok_or_else(|| field(at("date_created"), Fault::Missing))?;
    let changed = time(order.date_modified.as_deref(), &at("date_modified"))?.unwrap_or(placed_at);
    let shipped = time(order.date_shipped.as_deref(), &at("date_shipped"))?;
    // Order statuses: 2 shipped, 4 refunded, 5 cancelled, 6 declined, 10 completed.
    let (cancelled, fulfilled) = match order.status_id {
        5 => (Some(CancelReason::Other), false),
        6 => (Some(CancelReason::Declined), false),
        2 | 10 => (None, true),
        _ => (None, false),
    };
    let zero = Money::new(0, currency);
    let cut = optional(order.discount_amount.as_ref(), currency, &at("discount_amount"))?.unwrap_or(zero);
    let coupon = optional(order.coupon_discount.as_ref(), currency, &at("coupon_discount"))?.unwrap_or(zero);
    let mut items = Vec::new();
    for (index, line) in products.iter().enumerate().filter(|(_, line)| line.quantity > 0) {
        let at = |name: &str| format!("$.fetched.products[{index}].{name}");
        items.push(LineItem {
            product: own(line.product_id.as_ref(), &at("product_id"))?,
            variant: line.variant_id.as_ref().filter(|id| id.0 != "0").map(|id| id.0.clone()),
            sku: filled(line.sku.clone()),
            title: ThirdParty::new(line.name.clone()),
            price: amount(&line.price_inc_tax, currency, &at("price_inc_tax"))?,
            quantity: line.quantity,
            category: None,
        });
    }
    let known = order.customer_id.as_ref().filter(|id| id.0 != "0");
    let bill = order.billing_address.as_ref();
    let buyer = EventCustomer {
        id: known.map(|number| id(number, &at("customer_id"), CustomerId::new)).transpose()?,
        email: email(bill.and_then(|b| b.email.as_deref()), &at("billing_address.email"))?,
        first_name: filled(bill.and_then(|b| b.first_name.clone())),
        country: country(bill.and_then(|b| b.country_iso2.as_deref()), &at("billing_address.country_iso2"))?,
        language: language(order.customer_locale.as_deref(), &at("customer_locale")).unwrap_or(None),
        accepts_email_marketing: order.is_email_opt_in,
        ..EventCustomer::default()
    };
    let body = Order {
        id: id(&order.id, &at("id"), OrderId::new)?,
        cart: order.cart_id.as_ref().map(|cart| id(cart, &at("cart_id"), CartId::new)).transpose()?,
        placed_at,
        items,
        total: amount(&order.total_inc_tax, currency, &at("total_inc_tax"))?,
        discount: cut.plus(coupon).map_err(|e| field(at("discount_amount"), e))?,
        discount_codes: Vec::new(),
        cancelled_at: cancelled.map(|_| changed),
        cancel_reason: cancelled,
        fulfilled_at: fulfilled.then(|| shipped.unwrap_or(changed)),
        refunded: order.status_id == 4,
        note: third_party(order.customer_message),
    };
    let named = buyer.id.is_some() || buyer.email.is_some();
    Ok((named.then_some(buyer), EventBody::Order(body)))
}

pub(super) fn refund(parts: OrderParts, at: Option<Timestamp>) -> Result<EventBody, WebhookError> {
    let mut lines = Vec::new();
    for (index, line) in parts.products.iter().enumerate() {
        if let Some(quantity) = line.quantity_refunded.filter(|units| *units > 0) {
            let path = format!("$.fetched.products[{index}].product_id");
            lines.push(RefundLine { product: own(line.product_id.as_ref(), &path)?, quantity });
        }
    }
    let order = id(&parts.order.id, "$.fetched.order.id", OrderId::new)?;
    let at = at.ok_or_else(|| field("$.created_at", Fault::Missing))?;
    Ok(EventBody::Refund(Refund { order, lines, at }))
}

pub(super) fn cart(
    parts: CartParts,
    abandoned_at: Option<Timestamp>,
    defaults: &ShopDefaults,
) -> Result<Read, WebhookError> {
    let cart = parts.cart.data;
    let at = |name: &str| format!("$.fetched.cart.data.{name}");
    let code = cart.currency.as_ref().and_then(|currency| currency.code.as_deref());
    let currency = currency(code, defaults.currency, &at("currency.code"))?;
    let line = |line: &CartLine, path: String| {
        let price = line.sale_price.as_ref().unwrap_or(&line.list_price);
        Ok::<_, WebhookError>(LineItem {
            product: own(line.product_id.as_ref(), &format!("{path}.product_id"))?,
            variant: line.variant_id.as_ref().map(|id| id.0.clone()),
            sku: filled(line.sku.clone()),
            title: ThirdParty::new(line.name.clone()),
            price: amount(price, currency, &format!("{path}.sale_price"))?,
            quantity: line.quantity,
            category: None,
        })
    };
    let mut items = Vec::new();
    for (kind, lines) in
        [("physical_items", &cart.line_items.physical_items), ("digital_items", &cart.line_items.digital_items)]
    {
        for (index, item) in lines.iter().enumerate().filter(|(_, item)| item.quantity > 0) {
            items.push(line(item, at(&format!("line_items.{kind}[{index}]")))?);
        }
    }
    let mut buyer = match parts.customer {
        Some(wrapped) => wrapped.data.into_iter().next().map(person).transpose()?.unwrap_or_default(),
        None => EventCustomer::default(),
    };
    if buyer.email.is_none() {
        buyer.email = email(cart.email.as_deref(), &at("email"))?;
    }
    buyer.language = language(cart.locale.as_deref(), &at("locale")).unwrap_or(None);
    let named = buyer.id.is_some() || buyer.email.is_some();
    let url = cart.redirect_urls.and_then(|urls| urls.cart_url);
    let body = Cart {
        id: id(&cart.id, &at("id"), CartId::new)?,
        items,
        total: amount(&cart.cart_amount, currency, &at("cart_amount"))?,
        abandoned_at,
        completed_at: None,
        recover_url: https(filled(url), &at("redirect_urls.cart_url"))?,
        note: None,
    };
    Ok((named.then_some(buyer), EventBody::Cart(body)))
}

pub(super) fn customer(parts: CustomerParts) -> Result<EventCustomer, WebhookError> {
    let told = parts.customer.data.into_iter().next();
    person(told.ok_or_else(|| field("$.fetched.customer.data", Fault::Missing))?)
}

fn person(told: Customer) -> Result<EventCustomer, WebhookError> {
    let at = |name: &str| format!("$.fetched.customer.data[0].{name}");
    let lives = told.addresses.first().and_then(|address| address.country_code.as_deref());
    Ok(EventCustomer {
        id: Some(id(&told.id, &at("id"), CustomerId::new)?),
        email: email(told.email.as_deref(), &at("email"))?,
        first_name: filled(told.first_name),
        country: country(lives, &at("addresses[0].country_code"))?,
        ..EventCustomer::default()
    })
}

pub(super) fn subscriber(parts: SubscriberParts) -> Result<Read, WebhookError> {
    let told = parts.subscriber.data;
    let at = |name: &str| format!("$.fetched.subscriber.data.{name}");
    let address = email(Some(&told.email), &at("email"))?.ok_or_else(|| field(at("email"), Fault::Missing))?;
    let agreed = told.consents.iter().any(|consent| consent == NEWSLETTER);
    let consent = Consent {
        channel: Channel::Email,
        state: if agreed { ConsentState::Subscribed } else { ConsentState::None },
        at: time(told.date_modified.as_deref(), &at("date_modified"))?,
        given_via: filled(told.source),
        wording: agreed.then(|| NEWSLETTER.to_owned()),
        subscription: Some(told.id.0),
    };
    let person =
        EventCustomer { email: Some(address), first_name: filled(told.first_name), ..EventCustomer::default() };
    Ok((Some(person), EventBody::Consent(consent)))
}

pub(super) fn product(parts: ProductParts, defaults: &ShopDefaults) -> Result<EventBody, WebhookError> {
    let told = parts.product.data;
    let at = |name: &str| format!("$.fetched.product.data.{name}");
    // The API writes 0 where there is no sale price.
    let sale = told.sale_price.as_ref().filter(|price| price.0.bytes().any(|b| matches!(b, b'1'..=b'9')));
    let price = amount(sale.unwrap_or(&told.price), defaults.currency, &at("price"))?;
    let on_sale = told.is_visible != Some(false) && told.availability.as_deref() != Some("disabled");
    let tracked = told.inventory_tracking.as_deref().unwrap_or("none") != "none";
    let stock = match (on_sale, tracked) {
        (false, _) => 0,
        (true, true) => told.inventory_level.unwrap_or(0),
        (true, false) => UNTRACKED_STOCK,
    };
    let product = id(&told.id, &at("id"), ProductId::new)?;
    Ok(EventBody::Shelf(Shelf { product, sku: filled(told.sku), price: Some(price), stock: Some(stock) }))
}

/// A product of the catalogue; custom lines have 0 or nothing.
fn own(number: Option<&IdText>, path: &str) -> Result<Option<ProductId>, WebhookError> {
    number.filter(|id| id.0 != "0").map(|number| id(number, path, ProductId::new)).transpose()
}

/// V2 writes `Tue, 20 Nov 2012 00:00:00 +0000`, V3 `2012-11-20T00:00:00Z`; nothing is `""`.
fn time(text: Option<&str>, path: &str) -> Result<Option<Timestamp>, WebhookError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = text.parse::<Timestamp>().or_else(|_| rfc2822::parse(text).map(|zoned| zoned.timestamp()));
    read.map(Some).map_err(|_| {
        let why = "no time such as Tue, 20 Nov 2012 00:00:00 +0000".to_owned();
        field(path, Fault::Shape { why, line: 1, column: 1 })
    })
}
