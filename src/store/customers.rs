//! Customers, their consents, suppressions and tickets.

use std::sync::Arc;

use kit::message::{Channel, ConsentState};
use kit::person::Email;
use kit::personal::Known;
use kit::phone::Destination;
use kit::{CustomerId, Language, Principal, StoreError, TicketId, Timestamp};

use super::error::map;
use super::settings::append_audit;
use super::trust;
use super::{DbConnection, ShopStore, corrupt, micros, stamp};

/// How long before a complaint the messages lie that it may be about.
const COMPLAINT_IS_ABOUT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 30);

/// A customer as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id the shop platform gave.
    pub id: CustomerId,
    /// Where mail goes, if known.
    pub email: Option<Email>,
    /// As typed by the customer; third-party text.
    pub first_name: Option<String>,
    /// The language to write in.
    pub language: Language,
    /// ISO 3166 code.
    pub country: Option<String>,
    /// IANA zone.
    pub time_zone: String,
    /// The shop's loyalty tier.
    pub loyalty_tier: Option<String>,
    /// On the VIP list.
    pub vip: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// Set when the person asked to be forgotten.
    pub erased_at: Option<Timestamp>,
}

impl Customer {
    /// What names them in other people's words: no model may read it.
    pub fn known(&self) -> Known {
        self.first_name.as_deref().map_or_else(Known::nobody, |name| Known::nobody().name(name))
    }
}

/// One consent event: who agreed or withdrew, when, where, in which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// For which channel.
    pub channel: Channel,
    /// Given or withdrawn.
    pub state: ConsentState,
    /// When.
    pub at: Timestamp,
    /// Where it was collected.
    pub source: String,
    /// Version of the wording that was shown.
    pub wording: String,
}

/// A support ticket: only that it is open matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// Whose.
    pub customer: CustomerId,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub closed_at: Option<Timestamp>,
}

type CustomerTuple =
    (String, Option<String>, Option<String>, String, Option<String>, String, Option<String>, i64, i64, Option<i64>);

const COLUMNS: &str = "SELECT customer_id, email, first_name, language, country, time_zone, loyalty_tier, vip, created_at, erased_at FROM customers";

fn customer(row: CustomerTuple) -> Result<Customer, StoreError> {
    let (id, email, first_name, language, country, time_zone, loyalty_tier, vip, created_at, erased_at) = row;
    Ok(Customer {
        id: CustomerId::new(id).map_err(|e| corrupt("customer", e))?,
        email: email.map(|e| Email::parse(&e)).transpose().map_err(|e| corrupt("customer e-mail", e))?,
        first_name,
        language: Language::parse(&language).map_err(|e| corrupt("customer language", e))?,
        country,
        time_zone,
        loyalty_tier,
        vip: vip != 0,
        created_at: stamp(created_at, "customer")?,
        erased_at: erased_at.map(|at| stamp(at, "customer")).transpose()?,
    })
}

impl ShopStore {
    /// Inserts or updates customers in one commit. An erased customer stays erased.
    pub async fn put_customers(&self, customers: Vec<Customer>) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                for customer in &customers {
                    put_customer(c, shop.as_str(), customer).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// A customer by id.
    pub async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE shop_id = $1 AND customer_id = $2"));
        let row: Option<CustomerTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(customer).transpose()
    }

    /// Notes who saw a person's name and addresses in full, and why: before they are shown.
    pub async fn note_unmasked(
        &self,
        customer: &CustomerId,
        who: &Principal,
        reason: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (customer, who) = (customer.clone(), who.name());
        self.write(move |c, shop| {
            Box::pin(async move {
                append_audit(c, shop.as_str(), now, &who, "person.unmask", customer.as_str(), &reason).await
            })
        })
        .await
    }

    /// The customer who has this address, the oldest if several have it.
    pub async fn customer_by_email(&self, email: &Email) -> Result<Option<Customer>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE shop_id = $1 AND email_key = $2 ORDER BY created_at, customer_id LIMIT 1"
        ));
        let row: Option<CustomerTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(email.normalised())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(customer).transpose()
    }

    /// Customers in order of id, for listings and generators.
    pub async fn customers(&self, after: Option<&CustomerId>, limit: u32) -> Result<Vec<Customer>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE shop_id = $1 AND customer_id > $2 ORDER BY customer_id LIMIT $3"
        ));
        let rows: Vec<CustomerTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(after.map_or("", CustomerId::as_str))
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(customer).collect()
    }

    /// Appends consent events.
    pub async fn add_consents(&self, consents: Vec<(CustomerId, Consent)>) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                for (customer, consent) in &consents {
                    add_consent(c, shop.as_str(), customer, consent).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// True when there is any consent event of this channel: somebody was asked and answered, or left it open.
    pub async fn was_asked(&self, customer: &CustomerId, channel: Channel) -> Result<bool, StoreError> {
        let row: Option<(String,)> = sqlx::query_as(NEWEST_CONSENT)
            .bind(self.shop.as_str())
            .bind(customer.as_str())
            .bind(channel.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        Ok(row.is_some())
    }

    /// What the newest consent event of this channel says.
    pub async fn consent(&self, customer: &CustomerId, channel: Channel) -> Result<ConsentState, StoreError> {
        let row: Option<(String,)> = sqlx::query_as(NEWEST_CONSENT)
            .bind(self.shop.as_str())
            .bind(customer.as_str())
            .bind(channel.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        consent_state(row)
    }

    /// Suppresses a destination for good: bounce, complaint, opt-out without an account.
    pub async fn suppress(
        &self,
        channel: Channel,
        to: impl Into<Destination>,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let to = to.into();
        let (destination, reason, digest) = (to.normalised(), reason.to_owned(), to.digest(self.id()).to_string());
        let lately = at.checked_sub(COMPLAINT_IS_ABOUT).unwrap_or(at);
        let keyring = Arc::clone(self.keyring());
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("INSERT INTO suppressions (shop_id, channel, destination, reason, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
                    .bind(shop.as_str()).bind(channel.as_str()).bind(&destination).bind(&reason).bind(micros(at))
                    .execute(&mut *c).await.map_err(map)?;
                if reason.to_lowercase().contains("complain") {
                    trust::complained(c, &keyring, shop.as_str(), &digest, lately, at).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Why a destination is suppressed, if it is.
    pub async fn suppressed(&self, channel: Channel, to: impl Into<Destination>) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT reason FROM suppressions WHERE shop_id = $1 AND channel = $2 AND destination = $3")
                .bind(self.shop.as_str())
                .bind(channel.as_str())
                .bind(to.into().normalised())
                .fetch_optional(self.readers())
                .await
                .map_err(map)?;
        Ok(row.map(|(reason,)| reason))
    }

    /// Notes that a person asked to be forgotten: nothing is sent to them any more.
    pub async fn forget_customer(&self, id: &CustomerId, at: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE customers SET erased_at = $3 WHERE shop_id = $1 AND customer_id = $2 AND erased_at IS NULL",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(micros(at))
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Opens or closes tickets. Events may come late: a ticket closed after this opening stays closed, one opened after this
    /// closing stays open.
    pub async fn put_tickets(&self, tickets: Vec<Ticket>) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                for ticket in &tickets {
                    sqlx::query(
                        "INSERT INTO tickets (shop_id, ticket_id, customer_id, opened_at, closed_at) VALUES ($1, $2, $3, $4, $5)
                         ON CONFLICT (shop_id, ticket_id) DO UPDATE SET closed_at = CASE
                            WHEN excluded.closed_at IS NULL AND tickets.closed_at >= excluded.opened_at THEN tickets.closed_at
                            WHEN excluded.closed_at < tickets.opened_at THEN tickets.closed_at
                            ELSE excluded.closed_at END,
                            opened_at = CASE WHEN excluded.closed_at IS NULL THEN excluded.opened_at ELSE tickets.opened_at END",
                    )
                    .bind(shop.as_str()).bind(ticket.id.as_str()).bind(ticket.customer.as_str())
                    .bind(micros(ticket.opened_at)).bind(ticket.closed_at.map(micros))
                    .execute(&mut *c).await.map_err(map)?;
                }
                Ok(())
            })
        })
        .await
    }

    /// How many tickets of this customer are open.
    pub async fn open_tickets(&self, customer: &CustomerId) -> Result<u32, StoreError> {
        let (count,): (i64,) = sqlx::query_as(OPEN_TICKETS)
            .bind(self.shop.as_str())
            .bind(customer.as_str())
            .fetch_one(self.readers())
            .await
            .map_err(map)?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

pub(super) const NEWEST_CONSENT: &str =
    "SELECT state FROM consents WHERE shop_id = $1 AND customer_id = $2 AND channel = $3 ORDER BY at DESC LIMIT 1";
/// Somebody with this address whose newest word on the channel is a withdrawal.
pub(super) const WITHDRAWN_FOR_ADDRESS: &str =
    "SELECT c.customer_id FROM customers p JOIN consents c ON c.shop_id = p.shop_id AND c.customer_id = p.customer_id
     WHERE p.shop_id = $1 AND p.email_key = $2 AND c.channel = $3 AND c.state = 'withdrawn' AND NOT EXISTS
        (SELECT 1 FROM consents d WHERE d.shop_id = c.shop_id AND d.customer_id = c.customer_id AND d.channel = c.channel AND d.at > c.at)
     LIMIT 1";
/// The same for a number.
pub(super) const WITHDRAWN_FOR_PHONE: &str =
    "SELECT c.customer_id FROM customers p JOIN consents c ON c.shop_id = p.shop_id AND c.customer_id = p.customer_id
     WHERE p.shop_id = $1 AND p.phone = $2 AND c.channel = $3 AND c.state = 'withdrawn' AND NOT EXISTS
        (SELECT 1 FROM consents d WHERE d.shop_id = c.shop_id AND d.customer_id = c.customer_id AND d.channel = c.channel AND d.at > c.at)
     LIMIT 1";
pub(super) const OPEN_TICKETS: &str =
    "SELECT COUNT(*) FROM tickets WHERE shop_id = $1 AND customer_id = $2 AND closed_at IS NULL";

pub(super) fn consent_state(row: Option<(String,)>) -> Result<ConsentState, StoreError> {
    match row {
        None => Ok(ConsentState::None),
        Some((state,)) => serde_json::from_value(serde_json::Value::String(state)).map_err(|e| corrupt("consent", e)),
    }
}

pub(super) async fn put_customer(c: &mut DbConnection, shop: &str, customer: &Customer) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO customers (shop_id, customer_id, email, email_key, first_name, language, country, time_zone, loyalty_tier, vip, created_at, erased_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (shop_id, customer_id) DO UPDATE SET email = excluded.email, email_key = excluded.email_key,
            first_name = excluded.first_name, language = excluded.language, country = excluded.country,
            time_zone = excluded.time_zone, loyalty_tier = excluded.loyalty_tier, vip = excluded.vip
         WHERE customers.erased_at IS NULL",
    )
    .bind(shop).bind(customer.id.as_str())
    .bind(customer.email.as_ref().map(Email::reveal)).bind(customer.email.as_ref().map(Email::normalised))
    .bind(&customer.first_name).bind(customer.language.as_str()).bind(&customer.country).bind(&customer.time_zone)
    .bind(&customer.loyalty_tier).bind(i64::from(customer.vip)).bind(micros(customer.created_at)).bind(customer.erased_at.map(micros))
    .execute(c).await.map_err(map)?;
    Ok(())
}

pub(super) async fn add_consent(
    c: &mut DbConnection,
    shop: &str,
    customer: &CustomerId,
    consent: &Consent,
) -> Result<(), StoreError> {
    let state = match consent.state {
        ConsentState::Subscribed => "subscribed",
        ConsentState::None => "none",
        ConsentState::Withdrawn => "withdrawn",
    };
    // Platforms tell whole seconds. Of a yes and a no in the same one the no counts: it stands a microsecond later. A yes
    // that finds a no there is dropped.
    sqlx::query(
        "INSERT INTO consents (shop_id, customer_id, channel, at, state, source, wording)
         SELECT $1, $2, $3, CASE WHEN $5 = 'withdrawn' AND EXISTS (
             SELECT 1 FROM consents WHERE shop_id = $1 AND customer_id = $2 AND channel = $3 AND at = $4 AND state <> $5
         ) THEN $4 + 1 ELSE $4 END, $5, $6, $7 WHERE TRUE ON CONFLICT DO NOTHING",
    )
    .bind(shop)
    .bind(customer.as_str())
    .bind(consent.channel.as_str())
    .bind(micros(consent.at))
    .bind(state)
    .bind(&consent.source)
    .bind(&consent.wording)
    .execute(c)
    .await
    .map_err(map)?;
    Ok(())
}
