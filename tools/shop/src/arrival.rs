//! What a webhook says about itself before its body is understood: topic, id, time, shop. It is stored by these and
//! answered; the body is read afterwards.

use jiff::Timestamp;
use kit::Digest;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::WebhookError;
use crate::json::{IdText, decode, guard};
use crate::signature::{Headers, Signed};
use crate::{Source, Topic};

/// What is known of a webhook when it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The topic by the source's own name; perhaps one that we do not know.
    pub topic: String,
    /// The sender's id of the event, or a digest of the body when it gives none: the same on every retry.
    pub event: String,
    /// The sender's time of the event, where a header tells it.
    pub triggered_at: Option<Timestamp>,
}

/// Why a webhook is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArrivalError {
    /// The body is too large, no JSON, nested too deep.
    #[error(transparent)]
    Body(#[from] WebhookError),
    /// No topic, or no readable one.
    #[error("the webhook does not say what it is about: {0}")]
    NoTopic(&'static str),
    /// It is for another shop than the one of the connection.
    #[error("this webhook is about another shop than the one of this connection")]
    OtherShop,
    /// A topic that erases or stops, with the body of another one.
    #[error("the body is not one of {topic}: {why}")]
    NotItsBody {
        /// The topic.
        topic: String,
        /// What does not fit.
        why: String,
    },
}

/// Bodies of topics that erase or stop. Nothing else may stand in them: topics are not under the signature, so a signed
/// body of another topic must not be able to erase anybody.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redact {
    #[serde(rename = "shop_id")]
    _shop: IdText,
    shop_domain: String,
    #[serde(rename = "customer")]
    _customer: Person,
    #[serde(rename = "orders_to_redact")]
    _orders: Vec<IdText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataRequest {
    #[serde(rename = "shop_id")]
    _shop: IdText,
    shop_domain: String,
    #[serde(rename = "customer")]
    _customer: Person,
    #[serde(rename = "orders_requested")]
    _orders: Vec<IdText>,
    #[serde(rename = "data_request")]
    _request: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    #[serde(rename = "id")]
    _id: IdText,
    #[serde(rename = "email")]
    _email: Option<String>,
    #[serde(rename = "phone")]
    _phone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShopRedact {
    #[serde(rename = "shop_id")]
    _shop: IdText,
    shop_domain: String,
}

/// A shop's own record has this field, and no other body has.
#[derive(Deserialize)]
struct Uninstalled {
    #[serde(rename = "shop_owner")]
    _owner: String,
    myshopify_domain: Option<String>,
}

#[derive(Deserialize)]
struct BigCommerceHead {
    scope: String,
    hash: Option<String>,
    created_at: Option<i64>,
    producer: Option<String>,
}

#[derive(Deserialize)]
struct GenericHead {
    event: String,
    id: Option<IdText>,
}

/// Reads a webhook whose signature fits. `domain` is the shop that the connection is bound to; `named` is a topic from the
/// address, for sources that put it nowhere else.
///
/// # Errors
/// [`ArrivalError`]; answer 400 (413 when it is too large) and keep nothing: the sender must change something.
pub fn arrive(
    source: Source,
    signed: Signed,
    headers: Headers<'_>,
    body: &[u8],
    domain: &str,
    named: Option<&str>,
) -> Result<Arrival, ArrivalError> {
    let text = guard(body)?;
    decode::<IgnoredAny>(text)?;
    let arrival = match source {
        Source::Shopify => shopify(headers, text, domain)?,
        Source::WooCommerce => {
            let topic = headers("x-wc-webhook-topic").ok_or(ArrivalError::NoTopic("X-WC-Webhook-Topic is missing"))?;
            let id = headers("x-wc-webhook-id").zip(headers("x-wc-webhook-delivery-id"));
            Arrival::new(topic, id.map(|(hook, delivery)| format!("{hook}:{delivery}")), None, text)
        }
        Source::BigCommerce => {
            let head: BigCommerceHead = decode(text)?;
            if let Some(producer) = head.producer.as_deref().and_then(|p| p.strip_prefix("stores/"))
                && !domain.is_empty()
                && producer != domain
            {
                return Err(ArrivalError::OtherShop);
            }
            let at = head.created_at.and_then(|s| Timestamp::from_second(s).ok());
            Arrival::new(&head.scope, head.hash.or_else(|| headers("webhook-id").map(str::to_owned)), at, text)
        }
        Source::Adobe => {
            let topic = named.ok_or(ArrivalError::NoTopic("add ?topic=NAME to the address of this webhook"))?;
            Arrival::new(topic, None, None, text)
        }
        Source::Standard | Source::Generic => {
            let head: GenericHead = decode(text)?;
            let header = headers("webhook-id").filter(|_| !signed.body_only).map(str::to_owned);
            Arrival::new(&head.event, head.id.map(|id| id.0).or(header), None, text)
        }
    };
    Ok(arrival)
}

impl Arrival {
    fn new(topic: &str, id: Option<String>, at: Option<Timestamp>, text: &str) -> Self {
        let printable = |text: &str| text.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
        let id = id.map(|id| printable(id.trim())).filter(|id| !id.is_empty());
        let event = id.unwrap_or_else(|| Digest::of_parts([topic, text]).to_string());
        Self { topic: printable(topic), event, triggered_at: at }
    }
}

/// Both families of headers: `X-Shopify-…` of webhooks and `shopify-…` of events. Names are compared without case.
fn shopify(headers: Headers<'_>, text: &str, domain: &str) -> Result<Arrival, ArrivalError> {
    let either = |old: &str, new: &str| headers(old).or_else(|| headers(new));
    let topic =
        either("x-shopify-topic", "shopify-topic").ok_or(ArrivalError::NoTopic("X-Shopify-Topic is missing"))?;
    let topic = match headers("shopify-action") {
        Some(action) if !topic.contains('/') => format!("{topic}/{action}"),
        _ => topic.to_owned(),
    };
    let told = either("x-shopify-shop-domain", "shopify-shop-domain");
    if told.is_some_and(|told| !same_domain(told, domain)) {
        return Err(ArrivalError::OtherShop);
    }
    if let Some(inside) = bound(&topic, text)?
        && !same_domain(&inside, domain)
    {
        return Err(ArrivalError::OtherShop);
    }
    let event = either("x-shopify-event-id", "shopify-event-id").or_else(|| headers("x-shopify-webhook-id"));
    let at = either("x-shopify-triggered-at", "shopify-triggered-at").and_then(|at| at.parse().ok());
    Ok(Arrival::new(&topic, event.map(str::to_owned), at, text))
}

/// A connection without a domain is bound by its secret alone.
fn same_domain(told: &str, domain: &str) -> bool {
    domain.is_empty() || told.eq_ignore_ascii_case(domain)
}

/// The shop that the body of a topic which erases or stops is about; `None` for every other topic.
fn bound(topic: &str, text: &str) -> Result<Option<String>, ArrivalError> {
    fn read<T: serde::de::DeserializeOwned>(topic: &str, text: &str) -> Result<T, ArrivalError> {
        decode(text).map_err(|why| ArrivalError::NotItsBody { topic: topic.to_owned(), why: why.to_string() })
    }
    let means = Source::Shopify.topics().iter().find(|(known, _)| *known == topic).map(|(_, topic)| *topic);
    Ok(match means {
        Some(Topic::CustomerErased) => Some(read::<Redact>(topic, text)?.shop_domain),
        Some(Topic::DataRequested) => Some(read::<DataRequest>(topic, text)?.shop_domain),
        Some(Topic::ShopErased) => Some(read::<ShopRedact>(topic, text)?.shop_domain),
        Some(Topic::AppUninstalled) => read::<Uninstalled>(topic, text)?.myshopify_domain,
        _ => None,
    })
}

/// The number in a WooCommerce ping: a form `webhook_id=N`, unsigned, which must be answered with 200 and means nothing.
pub fn is_ping(source: Source, body: &[u8]) -> bool {
    let number = body.strip_prefix(b"webhook_id=").unwrap_or_default();
    source == Source::WooCommerce && (1..=20).contains(&number.len()) && number.iter().all(u8::is_ascii_digit)
}
