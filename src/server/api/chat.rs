//! Conversations over HTTP: what is said goes in as JSON, what happens comes out as server-sent events.
//!
//! Takes the role marketer. A stream ends with `done` or with `problem`; when the client goes away, the turn goes on, and
//! `GET /chat/{id}` shows how it ended.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::Stream;
use kit::{BriefId, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Answer, Shared, Wanted, body, no_id};
use crate::briefs::{Chat, ChatError, ChatEvent, View, Watcher};
use crate::runs::Silent;
use crate::server::Server;
use crate::server::auth::Caller;
use crate::server::problem::Problem;

/// What is said.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Said {
    /// The brief to go on with; nothing begins a new one.
    brief: Option<BriefId>,
    /// The marketer's words.
    text: String,
}

/// An edit without words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "edit", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::server) enum Edit {
    /// Take the last change back.
    Undo,
    /// Flip an assumption.
    Flip {
        /// Its number.
        assumption: u32,
    },
    /// Choose one of the briefs on offer.
    Choose {
        /// From 1.
        choice: usize,
    },
    /// Take a constraint back.
    TakeBack {
        /// Its number.
        constraint: u32,
    },
}

/// A brief in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct BriefListed {
    brief: BriefId,
    title: Option<String>,
    owner: String,
    version: u32,
    ready: bool,
    /// RFC 3339.
    created_at: String,
}

/// A conversation at rest.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct Conversation {
    id: BriefId,
    /// Turns so far.
    turn: u32,
    /// How the last turn ended.
    ended: Value,
    /// What was answered.
    answer: Option<String>,
    /// The brief as it stands.
    brief: Value,
    /// The live count and cost.
    figures: Value,
    /// Nothing is missing.
    ready: bool,
    /// What the last turn or edit changed.
    changes: Vec<String>,
    /// Briefs to choose from.
    choices: Vec<Value>,
}

impl Conversation {
    fn of(view: &View) -> Self {
        let figures = |f: &brief::Figures| json!({ "audience": f.audience, "cost": f.cost });
        Self {
            id: view.id.clone(),
            turn: view.turn,
            ended: json!(view.ended),
            answer: view.answer.clone(),
            brief: json!(view.brief),
            figures: figures(&view.figures),
            ready: view.brief.is_ready(),
            changes: view.last_changes().iter().map(kit::campaign::Change::words).collect(),
            choices: view
                .choices
                .iter()
                .map(|c| json!({ "why": c.why, "brief": c.brief, "figures": figures(&c.figures) }))
                .collect(),
        }
    }
}

pub(super) fn router() -> Router<Arc<Server>> {
    Router::new()
        .route("/chat", get(list).post(say))
        .route("/chat/{id}", get(show))
        .route("/chat/{id}/stop", post(stop))
        .route("/chat/{id}/edit", post(edit))
}

fn chat(server: &Server) -> Chat {
    Chat::new(server.tenant(), Arc::new(Silent)).sharing(server.turns.clone())
}

async fn list(State(server): Shared, caller: Caller, Query(wanted): Query<Wanted>) -> Answer<Vec<BriefListed>> {
    caller.at_least(Role::Viewer)?;
    let briefs = chat(&server).list(wanted.limit()).await?;
    let listed = briefs.into_iter().map(|row| BriefListed {
        brief: row.id,
        owner: row.owner,
        version: row.latest.version,
        ready: row.latest.version > 0 && row.latest.brief.is_ready(),
        title: row.latest.brief.title,
        created_at: row.created_at.to_string(),
    });
    Ok(Json(listed.collect()))
}

async fn show(State(server): Shared, caller: Caller, Path(id): Path<String>) -> Answer<Conversation> {
    caller.at_least(Role::Viewer)?;
    let view = chat(&server).view(&BriefId::new(id).map_err(no_id)?).await?;
    Ok(Json(Conversation::of(&view)))
}

async fn stop(State(server): Shared, caller: Caller, Path(id): Path<String>) -> Answer<Conversation> {
    caller.at_least(Role::Marketer)?;
    let view = chat(&server).stop(&BriefId::new(id).map_err(no_id)?).await?;
    Ok(Json(Conversation::of(&view)))
}

async fn edit(
    State(server): Shared,
    caller: Caller,
    Path(id): Path<String>,
    wanted: Result<Json<Edit>, JsonRejection>,
) -> Answer<Conversation> {
    caller.at_least(Role::Marketer)?;
    let (chat, id) = (chat(&server), BriefId::new(id).map_err(no_id)?);
    let view = match body(wanted)? {
        Edit::Undo => chat.undo(&id).await?,
        Edit::Flip { assumption } => chat.flip(&id, assumption).await?,
        Edit::Choose { choice } => chat.choose(&id, choice).await?,
        Edit::TakeBack { constraint } => chat.take_back(&id, constraint).await?,
    };
    Ok(Json(Conversation::of(&view)))
}

async fn say(
    State(server): Shared,
    caller: Caller,
    said: Result<Json<Said>, JsonRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let who = caller.at_least(Role::Marketer)?;
    let said = body(said)?;
    let (tell, told) = mpsc::unbounded_channel();
    let watcher = {
        let tell = tell.clone();
        // A client that went away hears nothing more; the turn goes on.
        Watcher::new(move |event: ChatEvent| drop(tell.send(frame(&event))))
    };
    let chat = Chat::new(server.tenant(), watcher.clone()).sharing(server.turns.clone());
    let view = match &said.brief {
        Some(id) => chat.view(id).await?,
        None => chat.start(&who).await?,
    };
    watcher.knows(&view.brief);
    tokio::spawn(async move {
        let _ = tell.send(Event::default().event("begun").data(json!({ "id": view.id }).to_string()));
        let last = match chat.say(&view.id, &said.text).await {
            Ok(view) => named("done", &Conversation::of(&view)),
            Err(error) => named("problem", &Problem::from(error)),
        };
        let _ = tell.send(last);
    });
    let stream = futures_util::stream::unfold(told, |mut told| async move {
        let event = told.recv().await?;
        Some((Ok(event), told))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// An event of a turn, named by its kind.
fn frame(event: &ChatEvent) -> Event {
    let name = match event {
        ChatEvent::Delta { .. } => "delta",
        ChatEvent::Tool { .. } => "tool",
        ChatEvent::Brief { .. } => "brief",
        ChatEvent::Question { .. } => "question",
        ChatEvent::Choices { .. } => "choices",
        ChatEvent::Answer { .. } => "answer",
        ChatEvent::Model { .. } => "model",
    };
    named(name, event)
}

fn named(name: &'static str, value: &impl Serialize) -> Event {
    // Plain data always has a JSON form; its line breaks are escaped, so that it is one line of the stream.
    Event::default().event(name).data(serde_json::to_string(value).unwrap_or_default())
}

impl From<ChatError> for Problem {
    fn from(error: ChatError) -> Self {
        let status = match &error {
            ChatError::Store(store) => return store.clone().into(),
            ChatError::Unknown(_) => StatusCode::NOT_FOUND,
            ChatError::Words { .. }
            | ChatError::Flip(_)
            | ChatError::NoChoice(..)
            | ChatError::NoConstraint(_)
            | ChatError::NotReady(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ChatError::Busy | ChatError::Overtaken | ChatError::NothingToUndo | ChatError::Ended(_) => {
                StatusCode::CONFLICT
            }
            ChatError::Drive(_) | ChatError::Form(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if error.is_retryable() {
            return Self::later(status, error.to_string(), 5);
        }
        Self::new(status, error.to_string())
    }
}
