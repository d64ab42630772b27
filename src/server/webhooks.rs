//! `POST /webhooks/{source}/{connection}`: verified over the raw bytes, stored, then answered. Nothing is worked in here.
//!
//! | answer | when |
//! | --- | --- |
//! | 200 | it is on disk, or was before |
//! | 400 | no JSON, nested too deep, no topic, another shop's, not the body of its topic |
//! | 401 | the signature does not fit |
//! | 404 | no such source or connection |
//! | 408 | the body took too long |
//! | 413, 415 | too large; another content type, or compressed |
//! | 429 with `Retry-After` | this connection has more on its way than its share; the others go on |
//! | 503 with `Retry-After` | too many at once, or storage does not take it now: send it again |

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use kit::{EventId, StoreError, Timestamp};
use shop::arrival::{self, Arrival, ArrivalError};
use shop::signature::{self, Key};
use shop::{Delivery, MAX_BODY_BYTES, Source, WebhookError};
use tokio::sync::Semaphore;

use super::problem::Problem;
use super::{Server, listen};
use crate::store::{Connection, InboxEvent, InboxState};

/// How long connections and their secrets are remembered; a change counts after that.
const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);

/// Connections as they were looked up last.
#[derive(Default)]
pub(super) struct Known(RwLock<BTreeMap<String, Arc<Door>>>);

/// One connection with its keys.
pub(super) struct Door {
    connection: Connection,
    keys: Vec<Key>,
    read_at: Timestamp,
    /// Its share of what may wait for the writer: the same one when the connection is looked up anew.
    share: Arc<Semaphore>,
}

/// What an address may add.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Named {
    topic: Option<String>,
}

pub(super) async fn take(
    State(server): State<Arc<Server>>,
    Path((source, connection)): Path<(String, String)>,
    Query(named): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<&'static str, Problem> {
    // Before anything is read: what waits for the writer is bounded, and a sender that is told so comes again.
    let _room = server
        .webhooks
        .try_acquire()
        .map_err(|_| Problem::later(StatusCode::SERVICE_UNAVAILABLE, "too many webhooks at once; send it again", 1))?;
    let source: Source =
        source.parse().map_err(|e: WebhookError| Problem::new(StatusCode::NOT_FOUND, e.to_string()))?;
    let door = server.known(&connection).await?;
    if source_of(&door)? != source {
        return Err(no_connection());
    }
    let body = read(&server, body).await?;
    if arrival::is_ping(source, &body) {
        return Ok("pong\n");
    }
    let now = server.parts.clock.now();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = signature::verify(source, &door.keys, &header, &body, now)
        .map_err(|e| Problem::new(StatusCode::UNAUTHORIZED, e.to_string()))?;
    plain_json(&headers)?;
    // After the signature: what nobody signed takes nothing of a shop's share.
    let _share = door.share.try_acquire().map_err(|_| {
        let detail = "this connection sends more at once than can be stored; send it again, more slowly";
        Problem::later(StatusCode::TOO_MANY_REQUESTS, detail, 1)
    })?;
    let domain = door.connection.domain.as_str();
    let arrival = arrival::arrive(source, signed, &header, &body, domain, named.topic.as_deref()).map_err(refused)?;
    let event = server.event(source, &connection, &arrival, body, now)?;
    server.tenant().store.accept(event, signed.body_only).await.map_err(not_now)?;
    crate::failpoint::hit("after_receive");
    server.wake.notify_one();
    Ok("stored\n")
}

impl Door {
    /// What its deliveries are checked with.
    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }
}

impl Server {
    /// A connection by its name, with its keys.
    pub(super) async fn known(&self, id: &str) -> Result<Arc<Door>, Problem> {
        let now = self.parts.clock.now();
        let remembered = self.connections.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        match remembered.filter(|door| now.duration_since(door.read_at).abs() < REMEMBERED) {
            Some(door) => Ok(door),
            None => self.look_up(id, now).await,
        }
    }

    async fn look_up(&self, id: &str, now: Timestamp) -> Result<Arc<Door>, Problem> {
        let all = self.tenant().store.connections().await.map_err(not_now)?;
        let connection = all.into_iter().find(|known| known.id == id).ok_or_else(no_connection)?;
        let source = platform(&connection)?;
        let keys = self.secrets.keys(&self.shop, source, &connection).map_err(|error| {
            tracing::error!(%error, "a connection has no secret");
            Problem::later(StatusCode::SERVICE_UNAVAILABLE, "this connection has no secret; see the server's log", 60)
        })?;
        let mut known = self.connections.0.write().unwrap_or_else(PoisonError::into_inner);
        let share = known.get(id).map(|door| door.share.clone());
        let share = share.unwrap_or_else(|| Arc::new(Semaphore::new(self.limits.share)));
        let door = Arc::new(Door { connection, keys, read_at: now, share });
        known.insert(id.to_owned(), door.clone());
        Ok(door)
    }

    /// The row that is stored. A body that cannot be read is stored as well, parked with the reason: its sender can do
    /// nothing about it, and a person may.
    fn event(
        &self,
        source: Source,
        connection: &str,
        arrival: &Arrival,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<InboxEvent, Problem> {
        let id = format!("{connection}:{}", arrival.event);
        let id = EventId::new(id)
            .unwrap_or_else(|_| EventId::from_digest("event", &kit::Digest::of_parts([connection, &arrival.event])));
        let delivery = Delivery {
            source,
            topic: &arrival.topic,
            body: &body,
            event_id: Some(id.as_str()),
            triggered_at: arrival.triggered_at,
            received_at: now,
        };
        let (triggered_at, state, note) = match shop::parse(&delivery, &self.tenant().shop_defaults()) {
            Ok(event) => (event.triggered_at, InboxState::Received, None),
            // All that can be done here is to keep it; the details are asked for afterwards.
            Err(WebhookError::FetchNeeded { .. }) => (arrival.triggered_at.unwrap_or(now), InboxState::Fetching, None),
            Err(error) => (arrival.triggered_at.unwrap_or(now), InboxState::Parked, Some(error.to_string())),
        };
        Ok(InboxEvent {
            id,
            source: source.as_str().to_owned(),
            topic: arrival.topic.clone(),
            body,
            // Nothing has happened yet that is going to happen.
            triggered_at: triggered_at.min(now),
            received_at: now,
            state,
            note,
        })
    }
}

/// The platform of a connection.
pub(super) fn source_of(door: &Door) -> Result<Source, Problem> {
    platform(&door.connection)
}

fn platform(connection: &Connection) -> Result<Source, Problem> {
    let known = connection.source.parse();
    known.map_err(|e: WebhookError| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))
}

/// A body within its bounds of size and time.
pub(super) async fn read(server: &Server, body: Body) -> Result<Vec<u8>, Problem> {
    listen::read(body, MAX_BODY_BYTES, server.limits.body).await.map(Into::into)
}

/// Refuses whatever is no JSON as it is.
pub(super) fn plain_json(headers: &HeaderMap) -> Result<(), Problem> {
    let told = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = told(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    let encoding = told(CONTENT_ENCODING);
    if json && (encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json, not compressed"))
}

fn refused(error: ArrivalError) -> Problem {
    let status = match &error {
        ArrivalError::Body(WebhookError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        ArrivalError::Body(_)
        | ArrivalError::NoTopic(_)
        | ArrivalError::OtherShop
        | ArrivalError::NotItsBody { .. } => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, error.to_string())
}

/// Nothing is acknowledged that is not stored; the sender's next try may find room.
fn not_now(error: StoreError) -> Problem {
    tracing::error!(%error, "a webhook was not stored");
    match error {
        StoreError::Conflict(_) => Problem::later(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), 1),
        other => other.into(),
    }
}

pub(super) fn no_connection() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such connection; `mailwright connections add` makes one")
}
