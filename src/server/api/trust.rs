//! How far flows are trusted, and wishes beyond the offer ladder, over HTTP.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use kit::{FlowId, Role, RunId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, Shared, Wanted, body, no_id, none};
use crate::approvals::{Standing, TrustLevel};
use crate::server::Server;
use crate::server::auth::Caller;
use crate::server::problem::Problem;
use crate::store::{OfferWish, WishAnswer};

pub(super) fn router() -> Router<Arc<Server>> {
    Router::new()
        .route("/trust", get(list))
        .route("/trust/{flow}/raise", post(raise))
        .route("/trust/{flow}/lower", post(lower))
        .route("/offers/wishes", get(wishes))
        .route("/offers/wishes/{run}/{step}/answer", post(answer))
}

/// How a flow stands with a release and a model.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct TrustView {
    flow: FlowId,
    /// The release it was written under.
    release: String,
    /// The model, as it names itself.
    model: String,
    /// `approve`, `notify` or `automatic`.
    level: String,
    /// A level that an admin may confirm.
    proposal: Option<String>,
    /// The newest decisions.
    decisions: u32,
    /// Of these, approved as written.
    unchanged: u32,
    /// The lower end of the 95 % interval of that share, in per cent.
    at_least_percent: f64,
    /// True for the release in force.
    in_force: bool,
    /// Why it stands there, in words.
    why: String,
}

impl TrustView {
    fn of(standing: Standing) -> Self {
        Self {
            flow: standing.key.flow,
            release: standing.key.release.to_string(),
            model: standing.key.model,
            level: standing.level.as_str().to_owned(),
            proposal: standing.proposal.map(|level| level.as_str().to_owned()),
            decisions: standing.record.decisions,
            unchanged: standing.record.unchanged,
            at_least_percent: standing.at_least_percent,
            in_force: standing.in_force,
            why: standing.why,
        }
    }
}

/// A level to confirm.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Raise {
    /// `notify` or `automatic`.
    #[schemars(with = "String")]
    to: TrustLevel,
    /// The model, where several wrote for the flow.
    #[serde(default)]
    model: Option<String>,
}

/// Why a flow is not trusted any more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Lower {
    /// In words.
    reason: String,
}

/// How many levels fell.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct Lowered {
    flow: FlowId,
    lowered: u32,
}

/// An offer beyond the ladder that was wished for.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct WishView {
    run: RunId,
    step: String,
    /// The writer's reason.
    reason: String,
    /// RFC 3339.
    asked_at: String,
    /// `refused` or `adopted`; absent while it is open.
    answer: Option<String>,
    answered_by: Option<String>,
    note: Option<String>,
}

impl WishView {
    fn of(wish: OfferWish) -> Self {
        Self {
            run: wish.run,
            step: wish.step,
            reason: wish.reason,
            asked_at: wish.asked_at.to_string(),
            answer: wish.answer.map(|answer| answer.as_str().to_owned()),
            answered_by: wish.answered_by,
            note: wish.note,
        }
    }
}

/// What somebody answers to a wish. It grants nothing: offers come from the ladder alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct WishReply {
    /// `refused` or `adopted`.
    #[schemars(with = "String")]
    answer: WishAnswer,
    /// Why, or what will be changed.
    note: String,
}

async fn list(State(server): Shared, caller: Caller) -> Answer<Vec<TrustView>> {
    caller.at_least(Role::Viewer)?;
    Ok(Json(server.tenant().trust().await?.into_iter().map(TrustView::of).collect()))
}

async fn raise(
    State(server): Shared,
    caller: Caller,
    Path(flow): Path<String>,
    to: Result<Json<Raise>, JsonRejection>,
) -> Answer<TrustView> {
    let who = caller.at_least(Role::Admin)?;
    let flow = FlowId::new(flow).map_err(no_id)?;
    let Raise { to, model } = body(to)?;
    let standing = server.tenant().raise_trust(&flow, model.as_deref(), to, &who).await?;
    Ok(Json(TrustView::of(standing)))
}

async fn lower(
    State(server): Shared,
    caller: Caller,
    Path(flow): Path<String>,
    why: Result<Json<Lower>, JsonRejection>,
) -> Answer<Lowered> {
    let who = caller.at_least(Role::Approver)?;
    let flow = FlowId::new(flow).map_err(no_id)?;
    let lowered = server.tenant().lower_trust(&flow, &who, &body(why)?.reason).await?;
    Ok(Json(Lowered { flow, lowered }))
}

async fn wishes(State(server): Shared, caller: Caller, wanted: Wanted) -> Answer<Vec<WishView>> {
    caller.at_least(Role::Viewer)?;
    let wishes = server.tenant().store.offer_wishes(wanted.limit()).await?;
    Ok(Json(wishes.into_iter().map(WishView::of).collect()))
}

async fn answer(
    State(server): Shared,
    caller: Caller,
    Path((run, step)): Path<(String, String)>,
    reply: Result<Json<WishReply>, JsonRejection>,
) -> Answer<WishView> {
    let who = caller.at_least(Role::Approver)?;
    let run = RunId::new(run).map_err(no_id)?;
    let WishReply { answer, note } = body(reply)?;
    let (store, now) = (server.tenant().store.clone(), server.parts.clock.now());
    let unknown = || none("wish of this run for", &step);
    store.offer_wish(&run, &step).await?.ok_or_else(unknown)?;
    if !store.answer_wish(&run, &step, answer, &who, &note, now).await? {
        return Err(Problem::new(StatusCode::CONFLICT, "this wish was answered already"));
    }
    Ok(Json(WishView::of(store.offer_wish(&run, &step).await?.ok_or_else(unknown)?)))
}
