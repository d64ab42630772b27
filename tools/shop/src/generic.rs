//! The generic webhook: what a shop without an adapter of its own sends.
//!
//! ```json
//! { "event": "cart.updated", "id": "evt_1", "triggered_at": "2026-05-15T14:30:00Z", "payload": { … } }
//! ```
//!
//! `event` is one of [`TOPICS`] and equals the topic of the delivery; `id` (optional) is the same on every retry.
//! Fields in brackets are optional; amounts are JSON numbers or decimal strings; times are RFC 3339 with an offset.
//!
//! | event | payload |
//! |---|---|
//! | `cart.updated` `cart.abandoned` `checkout.started` | `cart_id`, `customer`, `cart` {`items`, `total_value`, \[`currency`, `discount_value`, `shipping_value`, `tax_value`, `abandoned_at`, `completed_at`, `url`, `note`\]} |
//! | `order.created` `order.cancelled` `order.fulfilled` | `order_id`, \[`cart_id`\], `customer`, `order` {`items`, `total_value`, \[`currency`, `discount_value`, `shipping_value`, `tax_value`, `discount_codes`, `placed_at`, `cancelled_at`, `cancel_reason`, `fulfilled_at`, `note`\]} |
//! | `customer.updated` | `customer` |
//! | `consent.updated` | `customer`, `consent` {`channel`: `email` or `sms`, `state`: `subscribed`, `none` or `withdrawn`, \[`at`, `source`, `wording`\]} |
//! | `ticket.opened` `ticket.closed` | `ticket_id`, `customer`, \[`subject`\] |
//! | `product.viewed` | `customer`, `product_id`, \[`category`, `dwell_seconds`\] |
//! | `wishlist.added` `wishlist.removed` | `customer`, `product_id` |
//! | `refund.created` | `order_id`, `items` of `product_id` and `quantity` |
//! | `product.updated` `inventory.updated` | `product_id`, \[`sku`, `price`, `currency`, `stock`\]: `stock` 0 when it is not on sale |
//!
//! `customer`: `id`, \[`email`, `first_name`, `language`, `country`, `time_zone`, `accepts_email_marketing`,
//! `loyalty_tier`, `total_orders`, `tags`\]. An item: `product_id`, `title`, `price` of one unit, `quantity`,
//! \[`variant_id`, `sku`, `category`\].
//!
//! `total_value` is what the customer would pay: items − `discount_value` + `shipping_value` + `tax_value`, to within one
//! minor unit per item and one for the total. `cancelled_at` and `fulfilled_at` default to the time of the event for their own topic.

mod wire;

use jiff::Timestamp;
use kit::fence::ThirdParty;
use kit::message::{Channel, ConsentState};
use kit::money::MoneyError;
use kit::{CartId, CategoryId, Currency, CustomerId, EventId, Money, OrderId, ProductId, TicketId};

use crate::amounts::{amount, currency, optional, reconcile, sum};
use crate::error::{Fault, WebhookError, field, shorten};
use crate::event::{
    CancelReason, Cart, Consent, EventBody, EventCustomer, LineItem, Order, Refund, RefundLine, Shelf, Ticket, View,
    Wish,
};
use crate::json::{AmountText, IdText, decode};
use crate::topic::Topic;
use crate::values::{country, email, filled, https, id, language, third_party};
use crate::{Parsed, ShopDefaults};

/// Topics as this format names them.
pub const TOPICS: &[(&str, Topic)] = &[
    ("cart.updated", Topic::CartUpdated),
    ("cart.abandoned", Topic::CartAbandoned),
    ("checkout.started", Topic::CheckoutStarted),
    ("order.created", Topic::OrderCreated),
    ("order.cancelled", Topic::OrderCancelled),
    ("order.fulfilled", Topic::OrderFulfilled),
    ("customer.updated", Topic::CustomerUpdated),
    ("consent.updated", Topic::ConsentUpdated),
    ("ticket.opened", Topic::TicketOpened),
    ("ticket.closed", Topic::TicketClosed),
    ("product.viewed", Topic::ProductViewed),
    ("wishlist.added", Topic::WishlistUpdated),
    ("wishlist.removed", Topic::WishlistUpdated),
    ("refund.created", Topic::RefundCreated),
    ("product.updated", Topic::ProductUpdated),
    ("inventory.updated", Topic::InventoryUpdated),
];

pub(crate) fn parse(topic: Topic, name: &str, text: &str, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    let head: wire::Head = decode(text)?;
    if head.event != name {
        return Err(WebhookError::OtherTopic { topic: name.to_owned(), event: shorten(&head.event) });
    }
    let at = head.triggered_at;
    let body = match topic {
        // Nothing of these is about a customer that the body names.
        Topic::RefundCreated => Some(EventBody::Refund(refund(payload(text)?, at)?)),
        Topic::ProductUpdated | Topic::InventoryUpdated => Some(EventBody::Shelf(shelf(payload(text)?, defaults)?)),
        _ => None,
    };
    let event = head.id.map(|text| id(&text, "$.id", EventId::new)).transpose()?;
    if let Some(body) = body {
        return Ok(Parsed { at: Some(at), id: event, customer: None, body });
    }
    let (customer, body) = match topic {
        Topic::CartUpdated | Topic::CartAbandoned | Topic::CheckoutStarted => {
            let payload: wire::CartPayload = payload(text)?;
            (payload.customer.read()?, EventBody::Cart(cart(topic, payload.cart_id, payload.cart, at, defaults)?))
        }
        Topic::OrderCreated | Topic::OrderCancelled | Topic::OrderFulfilled => {
            let payload: wire::OrderPayload = payload(text)?;
            let customer = payload.customer.read()?;
            (customer, EventBody::Order(order(topic, payload, at, defaults)?))
        }
        Topic::CustomerUpdated => (payload::<wire::CustomerPayload>(text)?.customer.read()?, EventBody::Customer),
        Topic::ConsentUpdated => {
            let payload: wire::ConsentPayload = payload(text)?;
            (payload.customer.read()?, EventBody::Consent(consent(payload.consent)?))
        }
        Topic::TicketOpened | Topic::TicketClosed => {
            let payload: wire::TicketPayload = payload(text)?;
            let ticket = Ticket {
                id: id(&payload.ticket_id, "$.payload.ticket_id", TicketId::new)?,
                open: topic == Topic::TicketOpened,
                subject: third_party(payload.subject),
            };
            (payload.customer.read()?, EventBody::Ticket(ticket))
        }
        Topic::ProductViewed => {
            let payload: wire::ViewPayload = payload(text)?;
            let view = View {
                product: id(&payload.product_id, "$.payload.product_id", ProductId::new)?,
                category: category(payload.category, "$.payload.category")?,
                dwell_s: payload.dwell_seconds.unwrap_or(0),
            };
            (payload.customer.read()?, EventBody::View(view))
        }
        Topic::WishlistUpdated => {
            let payload: wire::WishPayload = payload(text)?;
            let product = id(&payload.product_id, "$.payload.product_id", ProductId::new)?;
            (payload.customer.read()?, EventBody::Wish(Wish { product, added: name == "wishlist.added" }))
        }
        Topic::CheckoutUpdated
        | Topic::OrderUpdated
        | Topic::OrderPaid
        | Topic::RefundCreated
        | Topic::FulfillmentUpdated
        | Topic::CustomerCreated
        | Topic::ProductUpdated
        | Topic::InventoryUpdated
        | Topic::AppUninstalled
        | Topic::DataRequested
        | Topic::CustomerErased
        | Topic::ShopErased => {
            return Err(WebhookError::UnknownTopic {
                source_name: "generic",
                topic: name.to_owned(),
                known: TOPICS.iter().map(|(known, _)| *known).collect(),
            });
        }
    };
    Ok(Parsed { at: Some(at), id: event, customer: Some(customer), body })
}

fn payload<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, WebhookError> {
    decode::<wire::Body<T>>(text).map(|body| body.payload)
}

fn cart(
    topic: Topic,
    cart_id: IdText,
    cart: wire::Cart,
    at: Timestamp,
    defaults: &ShopDefaults,
) -> Result<Cart, WebhookError> {
    let path = "$.payload.cart";
    let currency = currency(cart.currency.as_deref(), defaults.currency, &format!("{path}.currency"))?;
    let items = items(&cart.items, currency, path)?;
    let stated = Stated {
        total: &cart.total_value,
        discount: cart.discount_value.as_ref(),
        shipping: cart.shipping_value.as_ref(),
        tax: cart.tax_value.as_ref(),
    };
    let value = stated.reconcile(&items, currency, path)?;
    Ok(Cart {
        id: id(&cart_id, "$.payload.cart_id", CartId::new)?,
        items,
        total: value.items_after_discount,
        abandoned_at: cart.abandoned_at.or((topic == Topic::CartAbandoned).then_some(at)),
        completed_at: cart.completed_at,
        recover_url: https(filled(cart.url), &format!("{path}.url"))?,
        note: third_party(cart.note),
    })
}

fn order(
    topic: Topic,
    payload: wire::OrderPayload,
    at: Timestamp,
    defaults: &ShopDefaults,
) -> Result<Order, WebhookError> {
    let path = "$.payload.order";
    let order = payload.order;
    let currency = currency(order.currency.as_deref(), defaults.currency, &format!("{path}.currency"))?;
    let items = items(&order.items, currency, path)?;
    let stated = Stated {
        total: &order.total_value,
        discount: order.discount_value.as_ref(),
        shipping: order.shipping_value.as_ref(),
        tax: order.tax_value.as_ref(),
    };
    let value = stated.reconcile(&items, currency, path)?;
    let placed_at = match order.placed_at {
        Some(placed_at) => placed_at,
        None if topic == Topic::OrderCreated => at,
        None => return Err(field(format!("{path}.placed_at"), Fault::Missing)),
    };
    Ok(Order {
        id: id(&payload.order_id, "$.payload.order_id", OrderId::new)?,
        cart: payload.cart_id.map(|text| id(&text, "$.payload.cart_id", CartId::new)).transpose()?,
        placed_at,
        items,
        total: value.total,
        discount: value.discount,
        discount_codes: order.discount_codes.unwrap_or_default(),
        cancelled_at: order.cancelled_at.or((topic == Topic::OrderCancelled).then_some(at)),
        cancel_reason: order.cancel_reason.as_deref().map(CancelReason::read),
        fulfilled_at: order.fulfilled_at.or((topic == Topic::OrderFulfilled).then_some(at)),
        refunded: false,
        note: third_party(order.note),
    })
}

fn refund(payload: wire::RefundPayload, at: Timestamp) -> Result<Refund, WebhookError> {
    let line = |(index, item): (usize, &wire::RefundItem)| {
        let product = id(&item.product_id, &format!("$.payload.items[{index}].product_id"), ProductId::new)?;
        Ok(RefundLine { product: Some(product), quantity: item.quantity.get() })
    };
    let lines = payload.items.iter().enumerate().map(line).collect::<Result<_, WebhookError>>()?;
    Ok(Refund { order: id(&payload.order_id, "$.payload.order_id", OrderId::new)?, lines, at })
}

fn shelf(payload: wire::ShelfPayload, defaults: &ShopDefaults) -> Result<Shelf, WebhookError> {
    let currency = currency(payload.currency.as_deref(), defaults.currency, "$.payload.currency")?;
    Ok(Shelf {
        product: id(&payload.product_id, "$.payload.product_id", ProductId::new)?,
        sku: filled(payload.sku),
        price: optional(payload.price.as_ref(), currency, "$.payload.price")?,
        stock: payload.stock,
    })
}

fn consent(consent: wire::Consent) -> Result<Consent, WebhookError> {
    const CHANNELS: &[&str] = &["email", "sms"];
    const STATES: &[&str] = &["subscribed", "none", "withdrawn"];
    let word = |name: &str, found: &str, known| {
        Err(field(format!("$.payload.consent.{name}"), Fault::Word { found: shorten(found), known }))
    };
    let channel = match consent.channel.as_str() {
        "email" => Channel::Email,
        "sms" => Channel::Sms,
        other => return word("channel", other, CHANNELS),
    };
    let state = match consent.state.as_str() {
        "subscribed" => ConsentState::Subscribed,
        "none" => ConsentState::None,
        "withdrawn" => ConsentState::Withdrawn,
        other => return word("state", other, STATES),
    };
    let (given_via, wording) = (filled(consent.source), filled(consent.wording));
    Ok(Consent { channel, state, at: consent.at, given_via, wording, subscription: None })
}

fn items(items: &[wire::Item], currency: Currency, path: &str) -> Result<Vec<LineItem>, WebhookError> {
    let item = |(index, item): (usize, &wire::Item)| {
        let at = |name: &str| format!("{path}.items[{index}].{name}");
        Ok(LineItem {
            product: Some(id(&item.product_id, &at("product_id"), ProductId::new)?),
            variant: item.variant_id.as_ref().map(|variant| variant.0.clone()),
            sku: filled(item.sku.clone()),
            title: ThirdParty::new(item.title.clone()),
            price: amount(&item.price, currency, &at("price"))?,
            quantity: item.quantity.get(),
            category: category(item.category.clone(), &at("category"))?,
        })
    };
    items.iter().enumerate().map(item).collect()
}

/// The stated amounts of a cart or order.
struct Stated<'a> {
    total: &'a AmountText,
    discount: Option<&'a AmountText>,
    shipping: Option<&'a AmountText>,
    tax: Option<&'a AmountText>,
}

/// What they come to.
struct Value {
    items_after_discount: Money,
    discount: Money,
    total: Money,
}

impl Stated<'_> {
    fn reconcile(&self, items: &[LineItem], currency: Currency, path: &str) -> Result<Value, WebhookError> {
        let part = |text: Option<&AmountText>, name: &str| {
            let money = optional(text, currency, &format!("{path}.{name}"))?;
            Ok::<_, WebhookError>(money.unwrap_or(Money::new(0, currency)))
        };
        let overflow = |e: MoneyError| field(path, e);
        let total_path = format!("{path}.total_value");
        let total = amount(self.total, currency, &total_path)?;
        let discount = part(self.discount, "discount_value")?;
        let full = sum(items, currency, &format!("{path}.items"))?;
        let items_after_discount = full.minus(discount).map_err(overflow)?;
        let shipping = part(self.shipping, "shipping_value")?;
        let tax = part(self.tax, "tax_value")?;
        let due = items_after_discount.plus(shipping).and_then(|money| money.plus(tax)).map_err(overflow)?;
        reconcile(due, total, items.len(), &total_path)?;
        Ok(Value { items_after_discount, discount, total })
    }
}

impl wire::Customer {
    fn read(&self) -> Result<EventCustomer, WebhookError> {
        let at = |name: &str| format!("$.payload.customer.{name}");
        Ok(EventCustomer {
            id: Some(id(&self.id, &at("id"), CustomerId::new)?),
            email: email(self.email.as_deref(), &at("email"))?,
            first_name: filled(self.first_name.clone()),
            language: language(self.language.as_deref(), &at("language"))?,
            country: country(self.country.as_deref(), &at("country"))?,
            time_zone: filled(self.time_zone.clone()),
            accepts_email_marketing: self.accepts_email_marketing,
            loyalty_tier: filled(self.loyalty_tier.clone()),
            total_orders: self.total_orders,
            tags: self.tags.clone().unwrap_or_default(),
        })
    }
}

fn category(text: Option<String>, path: &str) -> Result<Option<CategoryId>, WebhookError> {
    filled(text).map(|text| CategoryId::new(text).map_err(|e| field(path, e))).transpose()
}
