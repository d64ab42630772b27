//! Inbound events: stored first, worked on after.

use kit::{EventId, StoreError, Timestamp};

use super::error::map;
use super::seal::{Opener, Place};
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

pub(super) type InboxTuple = (String, String, String, Vec<u8>, i64, i64, String, Option<String>, Option<String>);

/// The columns of an event.
pub(super) const EVENTS: &str =
    "SELECT event_id, source, topic, body, triggered_at, received_at, state, note, customer_id FROM inbox";

/// Where an event's body stands.
pub(super) fn body_of(event: &str) -> Place<'_> {
    Place::of("inbox.body", event)
}

/// A body that is sealed, if it is. Bodies are sealed once it is known whom they are about; before that a sender may have
/// written anything into them.
pub(super) fn sealed<'a>(body: &'a [u8], customer: Option<&str>) -> &'a [u8] {
    if customer.is_some() { body } else { &[] }
}

fn event(row: InboxTuple, opener: &Opener) -> Result<InboxEvent, StoreError> {
    let (id, source, topic, body, triggered_at, received_at, state, note, customer) = row;
    // One that was changed is read as it stands: it is no event then, and is parked.
    let body = if customer.is_some() { opener.bytes_or_as_they_stand(body_of(&id), body) } else { body };
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
    pub(super) async fn read_events(&self, rows: Vec<InboxTuple>) -> Result<Vec<InboxEvent>, StoreError> {
        let opener = self.opener(rows.iter().map(|row| sealed(&row.3, row.8.as_deref()))).await?;
        rows.into_iter().map(|row| event(row, &opener)).collect()
    }

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
        let sql = sqlx::AssertSqlSafe(format!("{EVENTS} WHERE shop_id = $1 AND event_id = $2"));
        let row: Option<InboxTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        Ok(self.read_events(row.into_iter().collect()).await?.pop())
    }

    /// Events stored but not worked in, oldest first: what a restart begins with.
    pub async fn unsettled_events(&self) -> Result<Vec<InboxEvent>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{EVENTS} WHERE shop_id = $1 AND state = 'received' ORDER BY triggered_at, event_id"
        ));
        let rows: Vec<InboxTuple> =
            sqlx::query_as(sql).bind(self.shop.as_str()).fetch_all(self.readers()).await.map_err(map)?;
        self.read_events(rows).await
    }
}
