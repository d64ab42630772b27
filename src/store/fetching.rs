//! Events that wait for their details: stored, then fetched, then worked in like any other.

use kit::{EventId, StoreError, Timestamp};

use super::error::map;
use super::inbox::{InboxEvent, InboxTuple};
use super::{ShopStore, corrupt, micros};

/// An event whose details are to be fetched now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToFetch {
    /// The event, with what was fetched of it so far.
    pub event: InboxEvent,
    /// How often it failed.
    pub failed: u32,
}

impl ShopStore {
    /// Events whose details are due to be fetched, oldest first.
    pub async fn events_to_fetch(&self, now: Timestamp, limit: u32) -> Result<Vec<ToFetch>, StoreError> {
        type Row = (String, String, String, Vec<u8>, i64, i64, String, Option<String>, Option<String>, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT event_id, source, topic, body, triggered_at, received_at, state, note, customer_id, fetches FROM inbox
             WHERE shop_id = $1 AND state = 'fetching' AND (fetch_at IS NULL OR fetch_at <= $2)
             ORDER BY triggered_at, event_id LIMIT $3",
        )
        .bind(self.shop.as_str())
        .bind(micros(now))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let split = |(id, source, topic, body, triggered, received, state, note, customer, fetches): Row| {
            let tuple: InboxTuple = (id, source, topic, body, triggered, received, state, note, customer);
            (tuple, fetches)
        };
        let (rows, fetches): (Vec<_>, Vec<_>) = rows.into_iter().map(split).unzip();
        let events = self.read_events(rows).await?;
        events
            .into_iter()
            .zip(fetches)
            .map(|(event, fetches)| {
                let failed = u32::try_from(fetches.unwrap_or(0)).map_err(|e| corrupt("inbox", e))?;
                Ok(ToFetch { event, failed })
            })
            .collect()
    }

    /// Keeps what was fetched. With `complete` the event is worked in next.
    pub async fn keep_fetched(&self, id: &EventId, body: Vec<u8>, complete: bool) -> Result<(), StoreError> {
        let id = id.clone();
        let state = if complete { "received" } else { "fetching" };
        self.write(move |c, shop| {
            Box::pin(async move {
                // Only what still waits: an erasure may have emptied it meanwhile, and what it emptied stays empty. Whose it
                // is is found out anew: until then it is plain.
                sqlx::query(
                    "UPDATE inbox SET body = $3, customer_id = NULL, state = $4, note = NULL, fetch_at = NULL
                     WHERE shop_id = $1 AND event_id = $2 AND state = 'fetching'",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(&body)
                .bind(state)
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that fetching failed and when it is tried again.
    pub async fn fetch_later(&self, id: &EventId, at: Timestamp, why: &str) -> Result<(), StoreError> {
        let (id, why) = (id.clone(), why.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE inbox SET fetch_at = $3, note = $4, fetches = COALESCE(fetches, 0) + 1
                     WHERE shop_id = $1 AND event_id = $2 AND state = 'fetching'",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(micros(at))
                .bind(&why)
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }
}
