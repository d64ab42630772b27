//! Erasing a person or a shop, and telling what is stored about a person.
//!
//! The ledger's rows stay, since they are what keeps a message from going out twice; what is left of them names nobody. A run
//! stays as an empty row, so that a driver that is still at it finds out that there is nothing to write to.
//!
//! With the rows goes the key that payloads about the person were sealed under ([`super::keyring`]): what is still somewhere
//! in a copy of them is unreadable without it.

use kit::message::DedupeKey;
use kit::{CustomerId, EventId, StoreError, Timestamp};
use serde_json::{Value, json};

use super::error::map;
use super::given_back::give_back_all;
use super::inbox::{body_of, sealed};
use super::keyring::destroy;
use super::ledger::request_of;
use super::runs::OUTCOME;
use super::seal::Place;
use super::settings::append_audit;
use super::{DbConnection, ShopStore, corrupt, micros, stamp};

/// What a run of an erased person says of itself.
pub const ERASED: &str = "its person was erased";

/// Rows of one person, by the column that names them.
const OF_A_PERSON: [&str; 7] = ["customers", "consents", "subscriptions", "orders", "activity", "tickets", "gists"];
/// Rows of the person's runs.
const OF_RUNS: [&str; 5] = ["journal", "parked_states", "signals", "approvals", "offer_requests"];
/// All that a shop's customers left behind, and its goods. Its release, switches, tokens and audit trail stay: they say
/// that and why it was stopped, and nothing about anybody.
const OF_A_SHOP: [&str; 34] = [
    "customers",
    "consents",
    "suppressions",
    "orders",
    "order_lines",
    "activity",
    "tickets",
    "gists",
    "products",
    "runs",
    "journal",
    "parked_states",
    "signals",
    "approvals",
    "controls",
    "sends",
    "offers_granted",
    "unsubscribe_links",
    "connections",
    "short_links",
    "sms_replies",
    "subscriptions",
    "campaigns",
    "campaign_classes",
    "campaign_recipients",
    "campaign_approvals",
    "briefs",
    "brief_versions",
    "timers",
    "offer_holds",
    "offer_charges",
    "offer_budgets",
    "offer_requests",
    "sealing_keys",
];

/// A stored event that is not known to be about anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadEvent {
    /// Its id.
    pub id: EventId,
    /// Which platform.
    pub source: String,
    /// Which topic.
    pub topic: String,
    /// The body.
    pub body: Vec<u8>,
}

impl ShopStore {
    /// The rows of [`ShopStore::bury`].
    pub(super) async fn bury_rows(&self, subjects: Vec<String>, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                for subject in &subjects {
                    sqlx::query(
                        // Whoever came back and is erased again is erased up to then.
                        "INSERT INTO erasures (shop_id, subject, at) VALUES ($1, $2, $3)
                         ON CONFLICT (shop_id, subject) DO UPDATE SET at = excluded.at WHERE erasures.at < excluded.at",
                    )
                    .bind(shop.as_str())
                    .bind(subject)
                    .bind(micros(at))
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Since when a digest is erased, if it is.
    pub async fn buried(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT at FROM erasures WHERE shop_id = $1 AND subject = $2")
            .bind(self.shop.as_str())
            .bind(subject)
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(|(at,)| stamp(at, "erasure")).transpose()
    }

    /// Customers who have this address, normalised.
    pub async fn customers_at(&self, address: &str) -> Result<Vec<CustomerId>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT customer_id FROM customers WHERE shop_id = $1 AND email_key = $2 ORDER BY customer_id",
        )
        .bind(self.shop.as_str())
        .bind(address)
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter().map(|(id,)| CustomerId::new(id).map_err(|e| corrupt("customer", e))).collect()
    }

    /// Keys of everything that was sent to a customer (to anybody without one): their copies elsewhere go first.
    pub async fn keys_of(&self, customer: Option<&CustomerId>) -> Result<Vec<DedupeKey>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT dedupe_key FROM sends WHERE shop_id = $1 AND (customer_id = $2 OR $2 = '') ORDER BY reserved_at, dedupe_key",
        )
        .bind(self.shop.as_str())
        .bind(customer.map_or("", CustomerId::as_str))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter().map(|(key,)| key.parse().map_err(|e| corrupt("send", e))).collect()
    }

    /// Erases a customer in one commit. `name` takes the id's place where a row must stay; it names nobody.
    pub async fn erase_customer(&self, id: &CustomerId, name: String, at: Timestamp) -> Result<(), StoreError> {
        let gone = id.clone();
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                let shop = shop.as_str();
                destroy(c, shop, id.as_str()).await?;
                give_back_all(c, shop, &id, at).await?;
                let mine = "SELECT run_id FROM runs WHERE shop_id = $1 AND customer_id = $2";
                for table in OF_RUNS {
                    run(c, format!("DELETE FROM {table} WHERE shop_id = $1 AND run_id IN ({mine})"), shop, &id).await?;
                }
                let lines = "DELETE FROM order_lines WHERE shop_id = $1 AND order_id IN (SELECT order_id FROM orders WHERE shop_id = $1 AND customer_id = $2)";
                run(c, lines.to_owned(), shop, &id).await?;
                for column in ["email_key", "phone"] {
                    let addresses = format!("DELETE FROM suppressions WHERE shop_id = $1 AND destination IN (SELECT {column} FROM customers WHERE shop_id = $1 AND customer_id = $2)");
                    run(c, addresses, shop, &id).await?;
                }
                for table in OF_A_PERSON {
                    run(c, format!("DELETE FROM {table} WHERE shop_id = $1 AND customer_id = $2"), shop, &id).await?;
                }
                for sql in [
                    "UPDATE runs SET customer_id = $3, occasion = run_id, plan = '', outcome = NULL, wake_at = NULL, state = 'done', wait_for = $4
                     WHERE shop_id = $1 AND customer_id = $2",
                    "UPDATE sends SET customer_id = $3, occasion = dedupe_key, destination = '', request = '',
                         detail = CASE WHEN state = 'sent' THEN detail ELSE $4 END, state = CASE WHEN state = 'reserved' THEN 'refused' ELSE state END
                     WHERE shop_id = $1 AND customer_id = $2",
                    // Their place in a frozen audience stays as a digest, or nobody else's proof of theirs would hold.
                    "UPDATE campaign_recipients SET customer_id = $3, detail = CASE WHEN state = 'pending' THEN $4 ELSE NULL END,
                         state = CASE WHEN state = 'pending' THEN 'removed' ELSE state END
                     WHERE shop_id = $1 AND customer_id = $2",
                ] {
                    sqlx::query(sql)
                        .bind(shop)
                        .bind(id.as_str())
                        .bind(&name)
                        .bind(ERASED)
                        .execute(&mut *c)
                        .await
                        .map_err(map)?;
                }
                for table in ["offers_granted", "offer_holds", "unsubscribe_links"] {
                    let sql = format!("UPDATE {table} SET customer_id = $3 WHERE shop_id = $1 AND customer_id = $2");
                    sqlx::query(sqlx::AssertSqlSafe(sql))
                        .bind(shop)
                        .bind(id.as_str())
                        .bind(&name)
                        .execute(&mut *c)
                        .await
                        .map_err(map)?;
                }
                sqlx::query(
                    "UPDATE inbox SET body = $3, note = $4, state = 'done', customer_id = NULL WHERE shop_id = $1 AND customer_id = $2",
                )
                .bind(shop)
                .bind(id.as_str())
                .bind(Vec::<u8>::new())
                .bind(ERASED)
                .execute(&mut *c)
                .await
                .map_err(map)?;
                append_audit(c, shop, at, "system", "person.erased", &name, "").await
            })
        })
        .await?;
        self.keyring().forget(self.shop.as_str(), Some(gone.as_str()));
        self.store.empty_log().await
    }

    /// Stored events after this one that are not known to be about anybody: somebody must read them to know.
    pub async fn unread_events(&self, after: &str, limit: u32) -> Result<Vec<UnreadEvent>, StoreError> {
        let rows: Vec<(String, String, String, Vec<u8>)> = sqlx::query_as(
            "SELECT event_id, source, topic, body FROM inbox WHERE shop_id = $1 AND event_id > $2 AND customer_id IS NULL
             ORDER BY event_id LIMIT $3",
        )
        .bind(self.shop.as_str())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(id, source, topic, body)| {
                Ok(UnreadEvent { id: EventId::new(id).map_err(|e| corrupt("inbox", e))?, source, topic, body })
            })
            .collect()
    }

    /// Empties events: that they came is kept, what they said is not.
    pub async fn empty_events(&self, ids: Vec<EventId>, note: &str) -> Result<(), StoreError> {
        let note = note.to_owned();
        self.write(move |c, shop| {
            Box::pin(async move {
                for id in &ids {
                    sqlx::query(
                        "UPDATE inbox SET body = $3, note = $4, state = 'done' WHERE shop_id = $1 AND event_id = $2",
                    )
                    .bind(shop.as_str())
                    .bind(id.as_str())
                    .bind(Vec::<u8>::new())
                    .bind(&note)
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Erases everything that a shop's customers left, in one commit, but for the event that asks for it.
    pub async fn erase_shop(&self, asked_by: &EventId, at: Timestamp) -> Result<(), StoreError> {
        let asked_by = asked_by.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                for table in OF_A_SHOP {
                    let sql = format!("DELETE FROM {table} WHERE shop_id = $1");
                    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(shop.as_str()).execute(&mut *c).await.map_err(map)?;
                }
                sqlx::query("DELETE FROM inbox WHERE shop_id = $1 AND event_id <> $2")
                    .bind(shop.as_str())
                    .bind(asked_by.as_str())
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                append_audit(c, shop.as_str(), at, "system", "shop.erased", shop.as_str(), "").await
            })
        })
        .await?;
        self.keyring().forget(self.shop.as_str(), None);
        self.store.empty_log().await
    }

    /// What is stored about a customer beside what the other methods tell: events, messages, runs.
    pub async fn traces_of(&self, id: &CustomerId) -> Result<Value, StoreError> {
        let events: Vec<(String, String, String, i64, Vec<u8>)> = sqlx::query_as(
            "SELECT event_id, source, topic, triggered_at, body FROM inbox WHERE shop_id = $1 AND customer_id = $2 ORDER BY triggered_at, event_id",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let sends: Vec<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT dedupe_key, flow, state, request, reserved_at FROM sends WHERE shop_id = $1 AND customer_id = $2 ORDER BY reserved_at, dedupe_key",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let consents: Vec<(String, i64, String, String, String)> = sqlx::query_as(
            "SELECT channel, at, state, source, wording FROM consents WHERE shop_id = $1 AND customer_id = $2 ORDER BY at, channel",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let runs: Vec<(String, String, i64, Option<String>)> = sqlx::query_as(
            "SELECT run_id, flow, created_at, outcome FROM runs WHERE shop_id = $1 AND customer_id = $2 ORDER BY created_at, run_id",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let bodies = events.iter().map(|row| sealed(&row.4, Some(id.as_str())));
        let requests = sends.iter().map(|row| row.3.as_bytes());
        let outcomes = runs.iter().filter_map(|row| row.3.as_ref()).map(String::as_bytes);
        let opener = self.opener(bodies.chain(requests).chain(outcomes)).await?;
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        let time = |at: i64| stamp(at, "time").map(|at| at.to_string());
        let mut told = json!({ "events": [], "messages": [], "consents": [], "runs": [] });
        let mut add = |list: &str, value: Value| {
            if let Some(list) = told.get_mut(list).and_then(Value::as_array_mut) {
                list.push(value);
            }
        };
        for (event, source, topic, at, body) in events {
            let body = opener.bytes_or_as_they_stand(body_of(&event), body);
            let body = read(&String::from_utf8_lossy(&body));
            add("events", json!({ "source": source, "topic": topic, "at": time(at)?, "body": body }));
        }
        for (key, flow, state, request, at) in sends {
            let request = opener.text(request_of(&key), request)?;
            let message = read(&request).get("message").cloned().unwrap_or(Value::Null);
            add("messages", json!({ "flow": flow, "state": state, "at": time(at)?, "message": message }));
        }
        for (channel, at, state, source, wording) in consents {
            let row =
                json!({ "channel": channel, "at": time(at)?, "state": state, "source": source, "wording": wording });
            add("consents", row);
        }
        for (run, flow, at, outcome) in runs {
            let outcome = outcome.map(|text| opener.text(Place::of(OUTCOME, &run), text)).transpose()?;
            add("runs", json!({ "run": run, "flow": flow, "at": time(at)?, "outcome": outcome.as_deref().map(read) }));
        }
        Ok(told)
    }
}

async fn run(c: &mut DbConnection, sql: String, shop: &str, id: &CustomerId) -> Result<(), StoreError> {
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(shop).bind(id.as_str()).execute(c).await.map(|_| ()).map_err(map)
}
