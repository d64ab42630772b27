//! Customers by the page, with what an audience looks at: a handful of range queries instead of some for each person.

use std::collections::{BTreeMap, BTreeSet};

use kit::message::Channel;
use kit::{CategoryId, CustomerId, StoreError, Timestamp};

use super::error::map;
use super::orders::{LineTuple, OrderTuple, order};
use super::{Customer, Order, ShopStore, corrupt, micros, stamp};

/// What is stored of a customer, as far as an audience looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceRow {
    /// The customer.
    pub customer: Customer,
    /// Orders that stand, oldest first.
    pub orders: Vec<Order>,
    /// Categories looked at, oldest first.
    pub views: Vec<(CategoryId, Timestamp)>,
    /// Channels whose newest consent is a yes, for this customer and for everybody else with the same address.
    pub consents: Vec<Channel>,
    /// The address is on the suppression list for e-mail.
    pub suppressed: bool,
    /// There is a telephone number.
    pub has_phone: bool,
    /// The number is on the suppression list for text messages.
    pub phone_suppressed: bool,
    /// A support ticket is open.
    pub open_ticket: bool,
    /// Times of messages since the time asked for.
    pub sent: Vec<Timestamp>,
}

/// How far back to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// For views.
    pub views: Timestamp,
    /// For messages.
    pub sent: Timestamp,
}

impl ShopStore {
    /// The next customers in order of id. Erased ones are left out, so a page may be shorter than `limit` and not be the
    /// last: the second value is the id to go on from, nothing at the end.
    pub async fn audience_page(
        &self,
        after: Option<&CustomerId>,
        limit: u32,
        since: Since,
    ) -> Result<(Vec<AudienceRow>, Option<CustomerId>), StoreError> {
        let customers = self.customers(after, limit).await?;
        let Some(last) = customers.last().map(|c| c.id.clone()) else { return Ok((Vec::new(), None)) };
        let range = Range { first: after.map_or("", CustomerId::as_str), last: last.as_str() };
        let mut orders = self.orders_in(range).await?;
        let mut views = self.views_in(range, since.views).await?;
        let mut consents = self.consents_in(range).await?;
        let withdrawn = self.withdrawn_addresses(range).await?;
        let suppressed = self.ids_in(SUPPRESSED, range).await?;
        let phones = self.ids_in(PHONES, range).await?;
        let phones_suppressed = self.ids_in(PHONES_SUPPRESSED, range).await?;
        let phones_withdrawn = self.ids_in(PHONES_WITHDRAWN, range).await?;
        let tickets = self.ids_in(OPEN_TICKETS, range).await?;
        let mut sent = self.sent_in(range, since.sent).await?;
        let rows = customers
            .into_iter()
            .filter(|customer| customer.erased_at.is_none())
            .map(|customer| {
                let id = customer.id.as_str();
                let elsewhere = customer.email.as_ref().is_some_and(|e| withdrawn.contains(&e.normalised()));
                let mut consents = consents.remove(id).unwrap_or_default();
                consents.retain(|channel| match channel {
                    Channel::Email => !elsewhere,
                    Channel::Sms => !phones_withdrawn.contains(id),
                });
                AudienceRow {
                    orders: orders.remove(id).unwrap_or_default(),
                    views: views.remove(id).unwrap_or_default(),
                    consents,
                    suppressed: suppressed.contains(id),
                    has_phone: phones.contains(id),
                    phone_suppressed: phones_suppressed.contains(id),
                    open_ticket: tickets.contains(id),
                    sent: sent.remove(id).unwrap_or_default(),
                    customer,
                }
            })
            .collect();
        Ok((rows, Some(last)))
    }

    async fn orders_in(&self, range: Range<'_>) -> Result<BTreeMap<String, Vec<Order>>, StoreError> {
        let heads: Vec<OrderTuple> = sqlx::query_as(
            "SELECT order_id, customer_id, cart_id, placed_at, currency, total_minor, discount_minor, cancelled_at, cancel_reason, fulfilled_at
             FROM orders WHERE shop_id = $1 AND customer_id > $2 AND customer_id <= $3 AND cancelled_at IS NULL ORDER BY placed_at, order_id",
        )
        .bind(self.shop.as_str()).bind(range.first).bind(range.last).fetch_all(self.readers()).await.map_err(map)?;
        let lines: Vec<LineTuple> = sqlx::query_as(
            "SELECT l.order_id, l.product_id, l.category, l.quantity, l.price_minor, l.returned
             FROM order_lines l JOIN orders o ON o.shop_id = l.shop_id AND o.order_id = l.order_id
             WHERE o.shop_id = $1 AND o.customer_id > $2 AND o.customer_id <= $3 AND o.cancelled_at IS NULL ORDER BY l.order_id, l.line_no",
        )
        .bind(self.shop.as_str()).bind(range.first).bind(range.last).fetch_all(self.readers()).await.map_err(map)?;
        let mut by_order = BTreeMap::<String, Vec<LineTuple>>::new();
        for line in lines {
            by_order.entry(line.0.clone()).or_default().push(line);
        }
        let mut by_customer = BTreeMap::<String, Vec<Order>>::new();
        for head in heads {
            let lines = by_order.remove(&head.0).unwrap_or_default();
            by_customer.entry(head.1.clone()).or_default().push(order(head, lines)?);
        }
        Ok(by_customer)
    }

    async fn views_in(
        &self,
        range: Range<'_>,
        since: Timestamp,
    ) -> Result<BTreeMap<String, Vec<(CategoryId, Timestamp)>>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT customer_id, category, at FROM activity WHERE shop_id = $1 AND customer_id > $2 AND customer_id <= $3
             AND at >= $4 AND kind = 'viewed' AND category IS NOT NULL ORDER BY at, seq",
        )
        .bind(self.shop.as_str())
        .bind(range.first)
        .bind(range.last)
        .bind(micros(since))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let mut views = BTreeMap::<String, Vec<(CategoryId, Timestamp)>>::new();
        for (customer, category, at) in rows {
            let category = CategoryId::new(category).map_err(|e| corrupt("activity", e))?;
            views.entry(customer).or_default().push((category, stamp(at, "activity")?));
        }
        Ok(views)
    }

    async fn consents_in(&self, range: Range<'_>) -> Result<BTreeMap<String, Vec<Channel>>, StoreError> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT customer_id, channel, state FROM consents WHERE shop_id = $1 AND customer_id > $2 AND customer_id <= $3
             ORDER BY customer_id, channel, at",
        )
        .bind(self.shop.as_str())
        .bind(range.first)
        .bind(range.last)
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        // The newest of a channel comes last and counts.
        let newest: BTreeMap<(String, String), String> =
            rows.into_iter().map(|(customer, channel, state)| ((customer, channel), state)).collect();
        let mut consents = BTreeMap::<String, Vec<Channel>>::new();
        for ((customer, channel), state) in newest {
            let channel = [Channel::Email, Channel::Sms].into_iter().find(|c| c.as_str() == channel);
            if let (Some(channel), "subscribed") = (channel, state.as_str()) {
                consents.entry(customer).or_default().push(channel);
            }
        }
        Ok(consents)
    }

    /// Addresses of this range that somebody, here or elsewhere, took consent back for.
    async fn withdrawn_addresses(&self, range: Range<'_>) -> Result<BTreeSet<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT DISTINCT p.email_key FROM customers p JOIN consents c ON c.shop_id = p.shop_id AND c.customer_id = p.customer_id
             WHERE p.shop_id = $1 AND c.channel = 'email' AND c.state = 'withdrawn'
             AND NOT EXISTS (SELECT 1 FROM consents n WHERE n.shop_id = c.shop_id AND n.customer_id = c.customer_id AND n.channel = c.channel AND n.at > c.at)
             AND p.email_key IN (SELECT q.email_key FROM customers q WHERE q.shop_id = $1 AND q.customer_id > $2 AND q.customer_id <= $3)",
        )
        .bind(self.shop.as_str()).bind(range.first).bind(range.last).fetch_all(self.readers()).await.map_err(map)?;
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }

    async fn ids_in(&self, sql: &'static str, range: Range<'_>) -> Result<BTreeSet<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(range.first)
            .bind(range.last)
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn sent_in(
        &self,
        range: Range<'_>,
        since: Timestamp,
    ) -> Result<BTreeMap<String, Vec<Timestamp>>, StoreError> {
        // A refused message did not reach anybody; an unknown one may have.
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT customer_id, reserved_at FROM sends WHERE shop_id = $1 AND customer_id > $2 AND customer_id <= $3
             AND reserved_at > $4 AND state <> 'refused' ORDER BY reserved_at",
        )
        .bind(self.shop.as_str())
        .bind(range.first)
        .bind(range.last)
        .bind(micros(since))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let mut sent = BTreeMap::<String, Vec<Timestamp>>::new();
        for (customer, at) in rows {
            sent.entry(customer).or_default().push(stamp(at, "send")?);
        }
        Ok(sent)
    }
}

/// Customers after the first id, up to and with the last.
#[derive(Debug, Clone, Copy)]
struct Range<'a> {
    first: &'a str,
    last: &'a str,
}

const SUPPRESSED: &str =
    "SELECT p.customer_id FROM customers p JOIN suppressions s ON s.shop_id = p.shop_id AND s.destination = p.email_key
     WHERE p.shop_id = $1 AND p.customer_id > $2 AND p.customer_id <= $3 AND s.channel = 'email'";
const PHONES: &str = "SELECT customer_id FROM customers WHERE shop_id = $1 AND customer_id > $2 AND customer_id <= $3 AND phone IS NOT NULL";
const PHONES_SUPPRESSED: &str =
    "SELECT p.customer_id FROM customers p JOIN suppressions s ON s.shop_id = p.shop_id AND s.destination = p.phone
     WHERE p.shop_id = $1 AND p.customer_id > $2 AND p.customer_id <= $3 AND s.channel = 'sms'";
/// Whoever has a number that somebody, they or another, took consent back for.
const PHONES_WITHDRAWN: &str =
    "SELECT DISTINCT q.customer_id FROM customers q JOIN customers p ON p.shop_id = q.shop_id AND p.phone = q.phone
     JOIN consents c ON c.shop_id = p.shop_id AND c.customer_id = p.customer_id
     WHERE q.shop_id = $1 AND q.customer_id > $2 AND q.customer_id <= $3 AND c.channel = 'sms' AND c.state = 'withdrawn'
     AND NOT EXISTS (SELECT 1 FROM consents n WHERE n.shop_id = c.shop_id AND n.customer_id = c.customer_id AND n.channel = c.channel AND n.at > c.at)";
const OPEN_TICKETS: &str = "SELECT DISTINCT customer_id FROM tickets WHERE shop_id = $1 AND customer_id > $2 AND customer_id <= $3 AND closed_at IS NULL";
