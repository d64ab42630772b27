//! Shop platforms: webhook bodies to one typed event.
//!
//! [`parse`] takes a delivery as it arrived (its signature already verified over the raw bytes) and answers one
//! [`ShopEvent`] or a [`WebhookError`] that names the place. It is pure: no clock, no network, no storage.
//!
//! What holds for every source:
//!
//! * Ids are kept exactly as written, digit for digit; nothing passes through a float.
//! * Money is read from its decimal text. Odd forms (`""`, `1e3`, `12,50`, too many decimals) are refused with their path.
//! * Items must add up to the total that the sender states; see `amounts` for the rule and its tolerance.
//! * A missing e-mail address is no fault here: admission decides. A malformed one is.
//! * Fields we do not use are ignored, so that a platform may add some.
//!
//! [`shopify`], [`woocommerce`], [`bigcommerce`], [`adobe`] and [`generic`] say what each source sends; [`signature`] who
//! really sent it, and [`arrival`] what is known before the body is read. [`reply`] reads text messages that people send back.

pub mod adobe;
mod amounts;
pub mod arrival;
pub mod bigcommerce;
mod error;
mod event;
pub mod generic;
mod json;
pub mod reply;
pub mod shopify;
pub mod signature;
mod topic;
mod values;
pub mod woocommerce;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use kit::{Currency, Digest, EventId, ShopId};

pub use error::{Fault, WebhookError};
pub use event::{
    CancelReason, Cart, Consent, EventBody, EventCustomer, Fulfillment, Inventory, LineItem, Order, Product, Refund,
    RefundLine, Shelf, ShopEvent, Ticket, View, Wish,
};
pub use json::{MAX_BODY_BYTES, MAX_DEPTH};
pub use topic::Topic;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// Shopify webhooks, API 2026-04.
    Shopify,
    /// BigCommerce webhooks v3.
    BigCommerce,
    /// WooCommerce webhooks, REST v3.
    WooCommerce,
    /// Adobe Commerce webhooks.
    Adobe,
    /// The shape that [`generic`] documents, signed as Standard Webhooks say.
    Standard,
    /// A shop without an adapter of its own, in the shape that [`generic`] documents.
    Generic,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 6] =
        [Self::Shopify, Self::BigCommerce, Self::WooCommerce, Self::Adobe, Self::Standard, Self::Generic];

    /// The name on the command line and in webhook paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shopify => "shopify",
            Self::BigCommerce => "bigcommerce",
            Self::WooCommerce => "woocommerce",
            Self::Adobe => "adobe",
            Self::Standard => "standard",
            Self::Generic => "generic",
        }
    }

    /// The topics this source sends, by its own names, with what each one means here.
    pub fn topics(self) -> &'static [(&'static str, Topic)] {
        match self {
            Self::Shopify => shopify::TOPICS,
            Self::BigCommerce => bigcommerce::TOPICS,
            Self::WooCommerce => woocommerce::TOPICS,
            Self::Adobe => adobe::TOPICS,
            Self::Standard | Self::Generic => generic::TOPICS,
        }
    }

    fn topic(self, name: &str) -> Result<Topic, WebhookError> {
        let found = self.topics().iter().find(|(known, _)| *known == name);
        found.map(|(_, topic)| *topic).ok_or_else(|| WebhookError::UnknownTopic {
            source_name: self.as_str(),
            topic: error::shorten(name),
            known: self.topics().iter().map(|(known, _)| *known).collect(),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Source {
    type Err = WebhookError;
    fn from_str(text: &str) -> Result<Self, WebhookError> {
        Self::ALL.into_iter().find(|source| source.as_str() == text).ok_or_else(|| WebhookError::UnknownSource {
            name: error::shorten(text),
            known: Self::ALL.iter().map(|source| source.as_str()).collect(),
        })
    }
}

/// One webhook as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Who speaks.
    pub source: Source,
    /// The topic by the source's own name: `checkouts/update`, `cart.updated`.
    pub topic: &'a str,
    /// The body, untouched.
    pub body: &'a [u8],
    /// The sender's id of the event (Shopify: `X-Shopify-Event-Id`), the same on every retry.
    pub event_id: Option<&'a str>,
    /// The sender's time of the event (Shopify: `X-Shopify-Triggered-At`). It counts before what the body says.
    pub triggered_at: Option<Timestamp>,
    /// When it reached us: the time of the event when neither header nor body tells one.
    pub received_at: Timestamp,
}

/// What a body may leave unsaid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopDefaults {
    /// The shop the webhook belongs to.
    pub shop: ShopId,
    /// The currency of amounts that name none.
    pub currency: Currency,
}

/// What a source's adapter read from a body.
struct Parsed {
    at: Option<Timestamp>,
    id: Option<EventId>,
    customer: Option<EventCustomer>,
    body: EventBody,
}

/// Reads one webhook.
///
/// # Errors
/// [`WebhookError`] with the place and what to do. None of them is worth a retry of the same bytes.
pub fn parse(delivery: &Delivery<'_>, defaults: &ShopDefaults) -> Result<ShopEvent, WebhookError> {
    let topic = delivery.source.topic(delivery.topic)?;
    let text = json::guard(delivery.body)?;
    let parsed = match delivery.source {
        Source::Shopify => shopify::parse(topic, text, defaults)?,
        Source::BigCommerce => bigcommerce::parse(topic, text, defaults)?,
        Source::WooCommerce => woocommerce::parse(topic, text, defaults)?,
        Source::Adobe => adobe::parse(topic, text, defaults)?,
        Source::Standard | Source::Generic => generic::parse(topic, delivery.topic, text, defaults)?,
    };
    let id = match (delivery.event_id, parsed.id) {
        (Some(header), _) => EventId::new(header).map_err(|e| error::field("event id header", Fault::Id(e)))?,
        (None, Some(id)) => id,
        (None, None) => digest_id(delivery, &defaults.shop, text)?,
    };
    Ok(ShopEvent {
        id,
        source: delivery.source,
        topic: match delivery.source {
            // Cancelled and fulfilled orders come under topics of their own.
            Source::Shopify | Source::Standard | Source::Generic => topic,
            Source::BigCommerce | Source::WooCommerce | Source::Adobe => become_of(topic, &parsed.body),
        },
        triggered_at: delivery.triggered_at.or(parsed.at).unwrap_or(delivery.received_at),
        customer: parsed.customer,
        body: parsed.body,
    })
}

/// Equal bodies under two topics are two events (Shopify's orders/create and orders/paid), so the topic counts.
fn digest_id(delivery: &Delivery<'_>, shop: &ShopId, text: &str) -> Result<EventId, WebhookError> {
    let digest = Digest::of_parts([shop.as_str(), delivery.source.as_str(), delivery.topic, text]);
    EventId::new(digest.to_string()).map_err(|e| error::field("event id", Fault::Id(e)))
}

/// Platforms that tell every change of an order under one topic: what the body says it has become counts.
fn become_of(topic: Topic, body: &EventBody) -> Topic {
    match body {
        EventBody::Order(order) if topic == Topic::OrderUpdated && order.cancelled_at.is_some() => {
            Topic::OrderCancelled
        }
        EventBody::Order(order) if topic == Topic::OrderUpdated && order.fulfilled_at.is_some() => {
            Topic::OrderFulfilled
        }
        _ => topic,
    }
}
