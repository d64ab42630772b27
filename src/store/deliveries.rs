//! Webhooks as they come in over HTTP: stored once, whatever a sender or somebody in between repeats or changes.

use std::collections::BTreeSet;

use kit::{CustomerId, Digest, EventId, ShopId, StoreError};

use super::error::map;
use super::inbox::{EVENTS, InboxEvent, InboxState, InboxTuple, body_of};
use super::keyring::KeyToWrite;
use super::writer::{Row, Statements, TOGETHER};
use super::{DbConnection, ShopStore, corrupt, micros, stamp};

/// What became of a webhook that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored and will be worked in.
    Stored,
    /// It was there already.
    Repeat,
    /// Its id was there with another body: stored apart, for a person.
    Suspicious,
}

/// An event in listings: no body.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InboxRow {
    /// Its id.
    pub id: EventId,
    /// Which platform.
    pub source: String,
    /// Which topic.
    pub topic: String,
    /// Where it stands.
    pub state: InboxState,
    /// What became of it.
    pub note: Option<String>,
    /// When it happened.
    pub triggered_at: kit::Timestamp,
    /// When it came.
    pub received_at: kit::Timestamp,
}

impl ShopStore {
    /// Stores a webhook, in one statement with others that come at the same time. With `by_body` the same body of the same
    /// topic is a repeat under whatever id it comes: ids in headers that no signature covers are anybody's.
    pub async fn accept(&self, event: InboxEvent, by_body: bool) -> Result<Accepted, StoreError> {
        let hash = Digest::of_bytes(&event.body).to_string();
        self.store.writer.arrive(Arrival { shop: self.shop.clone(), event, hash, by_body }).await
    }

    /// Notes what became of an event, and whom it is about, whose it is from then on: its body is sealed under their key. It
    /// stays theirs when it is worked in once more and names nobody.
    pub async fn settle_about(
        &self,
        id: &EventId,
        state: InboxState,
        note: &str,
        customer: Option<&CustomerId>,
    ) -> Result<(), StoreError> {
        let Some(customer) = customer else { return self.settle_event(id, state, note).await };
        let Some(event) = self.event(id).await? else { return Ok(()) };
        loop {
            let key = self.key_to_write(customer.as_str()).await?;
            let sealed = key.key.seal_bytes(body_of(id.as_str()), &event.body)?;
            if self.settle_sealed(id, state, note, key.clone(), sealed).await? {
                self.keyring().written(&key);
                return Ok(());
            }
        }
    }

    /// False, and nothing written, when the key is not the one that counts.
    async fn settle_sealed(
        &self,
        id: &EventId,
        state: InboxState,
        note: &str,
        key: KeyToWrite,
        sealed: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let (id, note) = (id.clone(), note.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                if !key.put(c).await? {
                    return Ok(false);
                }
                sqlx::query(
                    // What was emptied meanwhile stays empty.
                    "UPDATE inbox SET state = $3, note = $4, customer_id = $5,
                         body = CASE WHEN LENGTH(body) = 0 THEN body ELSE $6 END
                     WHERE shop_id = $1 AND event_id = $2",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(state.as_str())
                .bind(&note)
                .bind(key.key.subject())
                .bind(&sealed)
                .execute(c)
                .await
                .map_err(map)?;
                Ok(true)
            })
        })
        .await
    }

    /// Events in a state (all without one), newest first.
    pub async fn inbox(&self, state: Option<InboxState>, limit: u32) -> Result<Vec<InboxRow>, StoreError> {
        type Tuple = (String, String, String, String, Option<String>, i64, i64);
        let rows: Vec<Tuple> = sqlx::query_as(
            "SELECT event_id, source, topic, state, note, triggered_at, received_at FROM inbox
             WHERE shop_id = $1 AND (state = $2 OR $2 = '') ORDER BY received_at DESC, event_id LIMIT $3",
        )
        .bind(self.shop.as_str())
        .bind(state.map_or("", InboxState::as_str))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(id, source, topic, state, note, triggered_at, received_at)| {
                Ok(InboxRow {
                    id: EventId::new(id).map_err(|e| corrupt("inbox", e))?,
                    source,
                    topic,
                    state: InboxState::parse(&state)?,
                    note,
                    triggered_at: stamp(triggered_at, "inbox")?,
                    received_at: stamp(received_at, "inbox")?,
                })
            })
            .collect()
    }

    /// The next events that are not worked in, oldest first.
    pub async fn next_events(&self, limit: u32) -> Result<Vec<InboxEvent>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{EVENTS} WHERE shop_id = $1 AND state = 'received' ORDER BY triggered_at, event_id LIMIT $2"
        ));
        let rows: Vec<InboxTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        self.read_events(rows).await
    }

    /// Puts a parked event back; false when it is not parked.
    pub async fn retry_event(&self, id: &EventId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                let done = sqlx::query(
                    // BigCommerce's may lack their details; one that has them all goes on at once.
                    "UPDATE inbox SET state = CASE WHEN source = 'bigcommerce' THEN 'fetching' ELSE 'received' END, note = NULL,
                         fetch_at = NULL, fetches = 0
                     WHERE shop_id = $1 AND event_id = $2 AND state = 'parked'",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .execute(c)
                .await
                .map_err(map)?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Remembers whose an unsubscribe link is, before it goes into a mail.
    pub async fn remember_link(&self, token: &str, customer: &CustomerId) -> Result<(), StoreError> {
        if self.link(token).await?.is_some() {
            return Ok(());
        }
        let (token, customer) = (token.to_owned(), customer.clone());
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO unsubscribe_links (shop_id, token, customer_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                )
                .bind(shop.as_str())
                .bind(&token)
                .bind(customer.as_str())
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Whose an unsubscribe link is.
    pub async fn link(&self, token: &str) -> Result<Option<CustomerId>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT customer_id FROM unsubscribe_links WHERE shop_id = $1 AND token = $2")
                .bind(self.shop.as_str())
                .bind(token)
                .fetch_optional(self.readers())
                .await
                .map_err(map)?;
        row.map(|(id,)| CustomerId::new(id).map_err(|e| corrupt("link", e))).transpose()
    }

    /// The release in force, by its digest alone: what a server asks now and then.
    pub async fn active_digest(&self) -> Result<Option<Digest>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT active_release FROM shops WHERE shop_id = $1")
            .bind(self.shop.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(|(release,)| release.parse().map_err(|e| corrupt("release", e))).transpose()
    }
}

/// A webhook of a shop, to be stored.
pub(super) struct Arrival {
    shop: ShopId,
    event: InboxEvent,
    /// Of its body.
    hash: String,
    by_body: bool,
}

impl Row for Arrival {
    type Answer = Accepted;

    /// Where nothing is a repeat, neither of what is stored nor of each other.
    async fn together(c: &mut DbConnection, rows: &[&Self]) -> Result<Vec<Accepted>, StoreError> {
        // A statement does not see what it is writing itself.
        let mut bodies = BTreeSet::new();
        if !rows.iter().all(|row| bodies.insert((&row.shop, &row.event.topic, &row.hash))) {
            return Err(repeat());
        }
        for together in rows.chunks(TOGETHER) {
            if put(c, together).await? != together.len() as u64 {
                return Err(repeat());
            }
        }
        Ok(vec![Accepted::Stored; rows.len()])
    }

    async fn alone(&self, c: &mut DbConnection) -> Result<Accepted, StoreError> {
        let Self { shop, event, hash, .. } = self;
        // Only one of the two inserts ever writes.
        if put(c, &[self]).await? > 0 {
            return Ok(Accepted::Stored);
        }
        let known: Option<(Option<String>,)> =
            sqlx::query_as("SELECT body_hash FROM inbox WHERE shop_id = $1 AND event_id = $2")
                .bind(shop.as_str())
                .bind(event.id.as_str())
                .fetch_optional(&mut *c)
                .await
                .map_err(map)?;
        match known {
            Some((Some(other),)) if other != *hash => {
                let apart = InboxEvent {
                    id: EventId::from_digest("odd", &Digest::of_parts([event.id.as_str(), hash])),
                    state: InboxState::Parked,
                    note: Some(format!("it came under the id of another event ({}) with another body", event.id)),
                    ..event.clone()
                };
                let apart = Self { shop: shop.clone(), event: apart, hash: hash.clone(), by_body: false };
                put(c, &[&apart]).await?;
                Ok(Accepted::Suspicious)
            }
            _ => Ok(Accepted::Repeat),
        }
    }
}

/// Why rows are not written together; nobody outside is told.
fn repeat() -> StoreError {
    StoreError::Conflict("a webhook".to_owned())
}

static INSERT: Statements = Statements::new(
    "INSERT INTO inbox (shop_id, event_id, source, topic, body, triggered_at, received_at, state, note, body_hash)
     SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9, column10 FROM (VALUES ",
    11,
    ") AS arrivals
     WHERE column11 = 0
        OR NOT EXISTS (SELECT 1 FROM inbox WHERE shop_id = column1 AND topic = column4 AND body_hash = column10)
     ON CONFLICT DO NOTHING",
);

/// Stores those webhooks that are not there yet, in one statement; how many these are.
async fn put(c: &mut DbConnection, rows: &[&Arrival]) -> Result<u64, StoreError> {
    let mut query = sqlx::query(INSERT.of(rows.len()));
    for Arrival { shop, event, hash, by_body } in rows {
        query = query.bind(shop.as_str()).bind(event.id.as_str()).bind(&event.source).bind(&event.topic);
        query = query.bind(&event.body).bind(micros(event.triggered_at)).bind(micros(event.received_at));
        query = query.bind(event.state.as_str()).bind(&event.note).bind(hash).bind(i64::from(*by_body));
    }
    Ok(query.execute(c).await.map_err(map)?.rows_affected())
}
