//! The API under `/api/v1`. Every answer is JSON; errors are `application/problem+json`.
//!
//! Looking takes the role viewer, deciding takes approver, stopping and putting back take admin.

mod approvals;
mod chat;
mod shapes;
mod trust;

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use kit::message::DedupeKey;
use kit::{EventId, InvalidId, Role, RunId};

use super::Server;
use super::auth::Caller;
use super::problem::Problem;
use crate::runs::Signal;
use crate::store::{InboxState, SEGMENTS};
pub(super) use approvals::{ApprovalDetail, ApprovalView, Assented, Decided, Reason, Rejection};
pub(super) use chat::{BriefListed, Conversation, Edit, Said};
pub(super) use shapes::{InboxView, KillReason, KillView, RunDetail, RunView, SendDetail, SendView, StepView};
pub(super) use trust::{Lower, Lowered, Raise, TrustView, WishReply, WishView};

/// How many of a kind are listed when nothing else is said, and at most.
const USUAL: u32 = 100;
const MOST: u32 = 1000;

type Shared = State<Arc<Server>>;
type Answer<T> = Result<Json<T>, Problem>;

/// What a listing may be asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    limit: Option<u32>,
    state: Option<String>,
}

impl Wanted {
    fn limit(&self) -> u32 {
        listed(self.limit)
    }
}

/// How many are listed.
fn listed(limit: Option<u32>) -> u32 {
    limit.unwrap_or(USUAL).clamp(1, MOST)
}

/// A query that cannot be read is told as every other problem is.
fn query<T: serde::de::DeserializeOwned>(parts: &Parts) -> Result<T, Problem> {
    let read = Query::try_from_uri(&parts.uri).map(|Query(wanted)| wanted);
    read.map_err(|rejection| Problem::new(StatusCode::BAD_REQUEST, rejection.body_text()))
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(parts)
    }
}

pub(super) fn router() -> Router<Arc<Server>> {
    Router::new()
        .route("/openapi.json", get(async || Json(super::openapi::document())))
        .route("/runs", get(runs))
        .route("/runs/{id}", get(run))
        .route("/sends", get(sends))
        .route("/sends/{key}", get(send))
        .route("/inbox", get(inbox))
        .route("/inbox/{id}/retry", post(retry))
        .route("/kill", get(kills))
        .route("/kill/{scope}", put(kill_on).delete(kill_off))
        .merge(approvals::router())
        .merge(trust::router())
        .merge(chat::router())
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")
        })
}

fn no_id(error: InvalidId) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, error.to_string())
}

fn none(what: &str, id: impl std::fmt::Display) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is no {what} {id}"))
}

fn body<T>(read: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    read.map(|Json(value)| value).map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))
}

async fn runs(State(server): Shared, caller: Caller, wanted: Wanted) -> Answer<Vec<RunView>> {
    caller.at_least(Role::Viewer)?;
    let runs = server.tenant().store.runs(wanted.limit()).await?;
    Ok(Json(runs.iter().map(RunView::of).collect()))
}

async fn run(State(server): Shared, caller: Caller, Path(id): Path<String>) -> Answer<RunDetail> {
    caller.at_least(Role::Viewer)?;
    let id = RunId::new(id).map_err(no_id)?;
    let store = server.tenant().store.clone();
    let run = store.run(&id).await?.ok_or_else(|| none("run", &id))?;
    let journal = store.journal(&id).await?;
    Ok(Json(RunDetail { run: RunView::of(&run), steps: journal.iter().map(StepView::of).collect() }))
}

async fn sends(State(server): Shared, caller: Caller, wanted: Wanted) -> Answer<Vec<SendView>> {
    caller.at_least(Role::Viewer)?;
    let rows = server.tenant().store.sends(wanted.limit()).await?;
    Ok(Json(rows.iter().map(SendView::of).collect()))
}

async fn send(State(server): Shared, caller: Caller, Path(key): Path<String>) -> Answer<SendDetail> {
    // The message names the person.
    caller.at_least(Role::Marketer)?;
    let key: DedupeKey = key.parse().map_err(|_| {
        Problem::new(StatusCode::BAD_REQUEST, "a key is 64 hexadecimal characters, as listings show it")
    })?;
    let row = server.tenant().store.sent_message(key).await?.ok_or_else(|| none("send", key))?;
    Ok(Json(SendDetail::of(&row)))
}

async fn inbox(State(server): Shared, caller: Caller, wanted: Wanted) -> Answer<Vec<InboxView>> {
    caller.at_least(Role::Viewer)?;
    let state = match wanted.state.as_deref() {
        None => None,
        Some("received") => Some(InboxState::Received),
        Some("fetching") => Some(InboxState::Fetching),
        Some("done") => Some(InboxState::Done),
        Some("parked") => Some(InboxState::Parked),
        Some(word) => {
            let detail = format!("`{word}` is no state of an event; there are received, fetching, done, parked");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
    };
    let rows = server.tenant().store.inbox(state, wanted.limit()).await?;
    Ok(Json(rows.into_iter().map(InboxView::of).collect()))
}

async fn retry(State(server): Shared, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    caller.at_least(Role::Admin)?;
    let id = EventId::new(id).map_err(no_id)?;
    if !server.tenant().store.retry_event(&id).await? {
        return Err(none("parked event", &id));
    }
    server.wake.notify_one();
    Ok(StatusCode::ACCEPTED)
}

async fn kills(State(server): Shared, caller: Caller) -> Answer<Vec<KillView>> {
    caller.at_least(Role::Viewer)?;
    let switches = server.tenant().store.kill_switches().await?;
    Ok(Json(switches.into_iter().map(KillView::of).collect()))
}

async fn kill_on(
    State(server): Shared,
    caller: Caller,
    Path(scope): Path<String>,
    why: Result<Json<KillReason>, JsonRejection>,
) -> Answer<Vec<KillView>> {
    let who = caller.at_least(Role::Admin)?;
    known_scope(&server, &scope)?;
    let why = body(why)?;
    let store = server.tenant().store.clone();
    store.kill_on(&scope, &why.reason, &who, server.parts.clock.now()).await?;
    Ok(Json(store.kill_switches().await?.into_iter().map(KillView::of).collect()))
}

async fn kill_off(State(server): Shared, caller: Caller, Path(scope): Path<String>) -> Answer<Vec<KillView>> {
    let who = caller.at_least(Role::Admin)?;
    known_scope(&server, &scope)?;
    let tenant = server.tenant();
    let now = server.parts.clock.now();
    if !tenant.store.kill_off(&scope, &who, now).await? {
        return Err(none("kill switch that is on:", &scope));
    }
    for run in tenant.store.runs(MOST).await? {
        if run.wait_for.as_deref().is_some_and(|why| why.contains("kill switch")) {
            tenant.send_signal(&run.id, &Signal::Released).await?;
        }
    }
    server.wake.notify_one();
    Ok(Json(tenant.store.kill_switches().await?.into_iter().map(KillView::of).collect()))
}

fn known_scope(server: &Server, scope: &str) -> Result<(), Problem> {
    let flows: Vec<String> = server.tenant().release.flows.keys().map(|flow| format!("flow:{flow}")).collect();
    let segments = SEGMENTS.map(|name| format!("segment:{name}"));
    if matches!(scope, "global" | "shop") || segments.iter().chain(&flows).any(|known| known == scope) {
        return Ok(());
    }
    let detail =
        format!("`{scope}` is no scope; there are global, shop, {}, {}", segments.join(", "), flows.join(", "));
    Err(Problem::new(StatusCode::BAD_REQUEST, detail))
}
