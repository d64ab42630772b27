//! Replies to text messages: a stop counts from the commit on, for the number and for everybody who has it.

use kit::message::{Channel, ConsentState};
use kit::phone::Phone;
use kit::{CustomerId, Language, StoreError, Timestamp};

use super::error::map;
use super::settings::append_audit;
use super::{Consent, DbConnection, ShopStore, corrupt, customers, micros, stamp};

/// Where consent was taken back: the source of its row, and the reason of the number's suppression.
const STOPPED_BY: &str = "text message STOP";
/// Where it was given again.
const STARTED_BY: &str = "text message START";

/// What a reply asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// No more.
    Stop,
    /// Again.
    Start,
    /// Nothing about consent: it is noted that it came.
    Nothing,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyEffect {
    /// Nothing goes to this number any more.
    Stopped,
    /// Text messages may go to it again.
    Started,
    /// It was asked for, and the rules do not allow it: whoever never agreed, or took it back elsewhere, must agree anew.
    NotStarted,
    /// Nothing changed.
    Kept,
}

impl ReplyEffect {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Started => "started",
            Self::NotStarted => "not_started",
            Self::Kept => "kept",
        }
    }
}

/// A reply to be taken.
#[derive(Debug, Clone)]
pub struct NewReply {
    /// The provider's id of it, within the shop.
    pub id: String,
    /// Whose number.
    pub from: Phone,
    /// What it asks for.
    pub wish: Wish,
    /// When it was sent.
    pub at: Timestamp,
    /// When it reached us.
    pub received_at: Timestamp,
}

impl ShopStore {
    /// Takes a reply, once however often it is sent, in one commit: the suppression, the consent rows of everybody who has
    /// the number, and that it came.
    pub async fn take_reply(&self, reply: NewReply) -> Result<ReplyEffect, StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                let shop = shop.as_str();
                let known: Option<(String,)> =
                    sqlx::query_as("SELECT effect FROM sms_replies WHERE shop_id = $1 AND reply_id = $2")
                        .bind(shop)
                        .bind(&reply.id)
                        .fetch_optional(&mut *c)
                        .await
                        .map_err(map)?;
                if let Some((effect,)) = known {
                    return super::from_json(&format!("\"{effect}\""), "reply");
                }
                let effect = match reply.wish {
                    Wish::Stop => stop(c, shop, &reply.from, STOPPED_BY, reply.received_at).await?,
                    Wish::Start => start(c, shop, &reply).await?,
                    Wish::Nothing => ReplyEffect::Kept,
                };
                sqlx::query(
                    "INSERT INTO sms_replies (shop_id, reply_id, effect, at, received_at) VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(shop)
                .bind(&reply.id)
                .bind(effect.as_str())
                .bind(micros(reply.at))
                .bind(micros(reply.received_at))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                Ok(effect)
            })
        })
        .await
    }

    /// Stops text messages to a number that somebody of the shop's customers has, as a person asked on a page. A number that
    /// nobody has changes nothing: what is not stored is not written to either.
    pub async fn stop_texts(&self, number: &Phone, source: &'static str, at: Timestamp) -> Result<(), StoreError> {
        let number = number.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                if people(c, shop.as_str(), &number).await?.is_empty() {
                    return Ok(());
                }
                stop(c, shop.as_str(), &number, source, at).await.map(|_| ())
            })
        })
        .await
    }
}

impl ShopStore {
    /// The language of whoever has a number, the oldest customer's if several have it.
    pub async fn language_at(&self, number: &Phone) -> Result<Option<Language>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as(
            "SELECT language FROM customers WHERE shop_id = $1 AND phone = $2 ORDER BY created_at, customer_id LIMIT 1",
        )
        .bind(self.shop.as_str())
        .bind(number.reveal())
        .fetch_optional(self.readers())
        .await
        .map_err(map)?;
        row.map(|(tag,)| Language::parse(&tag).map_err(|e| corrupt("customer language", e))).transpose()
    }
}

/// A stop counts from now on, whenever it was sent: one that was late must not be outrun by what came before it.
async fn stop(
    c: &mut DbConnection,
    shop: &str,
    number: &Phone,
    source: &str,
    now: Timestamp,
) -> Result<ReplyEffect, StoreError> {
    // A harder reason (a bounce, a complaint) stays; a stop said again is the newer one.
    sqlx::query(
        "INSERT INTO suppressions (shop_id, channel, destination, reason, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (shop_id, channel, destination) DO UPDATE SET at = excluded.at
         WHERE suppressions.reason = excluded.reason AND suppressions.at < excluded.at",
    )
    .bind(shop)
    .bind(Channel::Sms.as_str())
    .bind(number.reveal())
    .bind(source)
    .bind(micros(now))
    .execute(&mut *c)
    .await
    .map_err(map)?;
    let people = people(c, shop, number).await?;
    for customer in &people {
        let consent = consent(ConsentState::Withdrawn, source, now);
        customers::add_consent(c, shop, customer, &consent).await?;
    }
    append_audit(c, shop, now, "reader", "sms.stopped", shop, &format!("{} customer(s)", people.len())).await?;
    Ok(ReplyEffect::Stopped)
}

/// Lifts what a STOP brought, and nothing else: everybody with the number had agreed before it, in a way that is on record,
/// and took it back by nothing but that STOP. Anything else needs a new agreement.
async fn start(c: &mut DbConnection, shop: &str, reply: &NewReply) -> Result<ReplyEffect, StoreError> {
    let suppressed: Option<(String, i64)> =
        sqlx::query_as("SELECT reason, at FROM suppressions WHERE shop_id = $1 AND channel = $2 AND destination = $3")
            .bind(shop)
            .bind(Channel::Sms.as_str())
            .bind(reply.from.reveal())
            .fetch_optional(&mut *c)
            .await
            .map_err(map)?;
    let Some((reason, since)) = suppressed else { return Ok(ReplyEffect::Kept) };
    // A START that was sent before the STOP has been overtaken by it.
    if reason != STOPPED_BY || reply.at <= stamp(since, "suppression")? {
        return Ok(ReplyEffect::NotStarted);
    }
    let people = people(c, shop, &reply.from).await?;
    for customer in &people {
        let newest: Vec<(String, String)> = sqlx::query_as(
            "SELECT state, source FROM consents WHERE shop_id = $1 AND customer_id = $2 AND channel = $3 ORDER BY at DESC LIMIT 50",
        )
        .bind(shop)
        .bind(customer.as_str())
        .bind(Channel::Sms.as_str())
        .fetch_all(&mut *c)
        .await
        .map_err(map)?;
        let before = newest.iter().find(|(_, source)| source != STOPPED_BY);
        if before.is_none_or(|(state, _)| state != "subscribed") {
            return Ok(ReplyEffect::NotStarted);
        }
    }
    if people.is_empty() {
        return Ok(ReplyEffect::NotStarted);
    }
    sqlx::query("DELETE FROM suppressions WHERE shop_id = $1 AND channel = $2 AND destination = $3")
        .bind(shop)
        .bind(Channel::Sms.as_str())
        .bind(reply.from.reveal())
        .execute(&mut *c)
        .await
        .map_err(map)?;
    for customer in &people {
        let consent = consent(ConsentState::Subscribed, STARTED_BY, reply.received_at);
        customers::add_consent(c, shop, customer, &consent).await?;
    }
    append_audit(c, shop, reply.received_at, "reader", "sms.started", shop, &format!("{} customer(s)", people.len()))
        .await?;
    Ok(ReplyEffect::Started)
}

fn consent(state: ConsentState, source: &str, at: Timestamp) -> Consent {
    Consent { channel: Channel::Sms, state, at, source: source.to_owned(), wording: "reply".to_owned() }
}

async fn people(c: &mut DbConnection, shop: &str, number: &Phone) -> Result<Vec<CustomerId>, StoreError> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT customer_id FROM customers WHERE shop_id = $1 AND phone = $2 ORDER BY customer_id")
            .bind(shop)
            .bind(number.reveal())
            .fetch_all(c)
            .await
            .map_err(map)?;
    rows.into_iter().map(|(id,)| CustomerId::new(id).map_err(|e| corrupt("customer", e))).collect()
}
