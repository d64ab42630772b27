//! Inbound events: stored first, worked on after.

use kit::{EventId, StoreError, Timestamp};

use super::error::map;
use super::{ShopStore, corrupt, micros, stamp};

/// Where an inbound event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxState {
    /// Stored, not looked at.
    Received,
    /// Stored, and its details are to be fetched before it is worked in.
    Fetching,
    /// Worked in.
    Done,
    /// Cannot be worked in; a person must look.
    Parked,
}

impl InboxState {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Fetching => "fetching",
            Self::Done => "done",
            Self::Parked => "parked",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        match text {
            "received" => Ok(Self::Received),
            "fetching" => Ok(Self::Fetching),
            "done" => Ok(Self::Done),
            "parked" => Ok(Self::Parked),
            other => Err(corrupt("inbox", format!("state {other}"))),
        }
    }
}

/// An inbound event as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEvent {
    /// The vendor's event id, or the hash of the body.
    pub id: EventId,
    /// Which platform.
    pub source: String,
    /// Which topic.
    pub topic: String,
    /// The raw body.
    pub body: Vec<u8>,
    /// When it happened.
    pub triggered_at: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
    /// Where it stands.
    pub state: InboxState,
    /// What became of it, in words.
    pub note: Option<String>,
}

pub(super) type InboxTuple = (String, String, String, Vec<u8>, i64, i64, String, Option<String>);

pub(super) fn event(row: InboxTuple) -> Result<InboxEvent, StoreError> {
    let (id, source, topic, body, triggered_at, received_at, state, note) = row;
    Ok(InboxEvent {
        id: EventId::new(id).map_err(|e| corrupt("inbox", e))?,
        source,
        topic,
        body,
        triggered_at: stamp(triggered_at, "inbox")?,
        received_at: stamp(received_at, "inbox")?,
        state: InboxState::parse(&state)?,
        note,
    })
}

impl ShopStore {
    /// Stores an event; false when it was there already (a repeat of the same delivery).
    pub async fn receive(&self, event: InboxEvent) -> Result<bool, StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                let done = sqlx::query(
                    "INSERT INTO inbox (shop_id, event_id, source, topic, body, triggered_at, received_at, state, note)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
                )
                .bind(shop.as_str())
                .bind(event.id.as_str())
                .bind(&event.source)
                .bind(&event.topic)
                .bind(&event.body)
                .bind(micros(event.triggered_at))
                .bind(micros(event.received_at))
                .bind(event.state.as_str())
                .bind(&event.note)
                .execute(c)
                .await
                .map_err(map)?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Notes what became of an event.
    pub async fn settle_event(&self, id: &EventId, state: InboxState, note: &str) -> Result<(), StoreError> {
        let (id, note) = (id.clone(), note.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("UPDATE inbox SET state = $3, note = $4 WHERE shop_id = $1 AND event_id = $2")
                    .bind(shop.as_str())
                    .bind(id.as_str())
                    .bind(state.as_str())
                    .bind(&note)
                    .execute(c)
                    .await
                    .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// An event by id.
    pub async fn event(&self, id: &EventId) -> Result<Option<InboxEvent>, StoreError> {
        let row: Option<InboxTuple> = sqlx::query_as(
            "SELECT event_id, source, topic, body, triggered_at, received_at, state, note FROM inbox WHERE shop_id = $1 AND event_id = $2",
        )
        .bind(self.shop.as_str()).bind(id.as_str()).fetch_optional(self.readers()).await.map_err(map)?;
        row.map(event).transpose()
    }

    /// Events stored but not worked in, oldest first: what a restart begins with.
    pub async fn unsettled_events(&self) -> Result<Vec<InboxEvent>, StoreError> {
        let rows: Vec<InboxTuple> = sqlx::query_as(
            "SELECT event_id, source, topic, body, triggered_at, received_at, state, note FROM inbox
             WHERE shop_id = $1 AND state = 'received' ORDER BY triggered_at, event_id",
        )
        .bind(self.shop.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter().map(event).collect()
    }
}
