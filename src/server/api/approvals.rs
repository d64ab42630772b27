//! Approvals over HTTP. A decision names what was seen: `GET` answers with an `ETag`, and approving takes it back in `If-Match`.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kit::campaign::CampaignId;
use kit::message::ApprovalState;
use kit::{ApprovalId, FlowId, Role, RunId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Shared, body, listed, no_id, query};
use crate::approvals::{Asked, Assent, Looked, Seen};
use crate::server::Server;
use crate::server::auth::Caller;
use crate::server::problem::Problem;

pub(super) fn router() -> Router<Arc<Server>> {
    Router::new()
        .route("/approvals", get(list))
        .route("/approvals/{id}", get(show))
        .route("/approvals/{id}/approve", post(approve))
        .route("/approvals/{id}/reject", post(reject))
        .route("/approvals/{id}/recall", post(recall))
}

/// A message or a campaign that waits for people, or was decided.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct ApprovalView {
    approval: ApprovalId,
    /// `pending`, `approved`, `rejected`, `superseded`, `expired` or `recalled`.
    state: String,
    /// Counts up with every change.
    version: u32,
    /// Who wrote it; they cannot approve it.
    authors: Vec<String>,
    /// The digest of what is signed.
    envelope: String,
    /// The last moment at which it counts (RFC 3339).
    expires_at: String,
    /// What it takes: sections with who may sign each now, how many people, what is typed, when it is escalated and lapses.
    route: Value,
    /// A person's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageView>,
    /// A campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<CampaignTermsView>,
}

/// A message as it is asked about.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct MessageView {
    run: RunId,
    flow: FlowId,
    /// What and to whom, in words.
    summary: String,
    /// Why a person must look.
    reasons: Value,
    /// The message.
    draft: Value,
    /// The facts it cites.
    facts: Value,
    /// What the content rules found.
    findings: Value,
}

/// A campaign as it is asked about.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct CampaignTermsView {
    #[schemars(with = "String")]
    campaign: CampaignId,
    /// How many people get it.
    recipients: u32,
    /// Its message classes.
    classes: Value,
    /// The first moment at which a message may leave (RFC 3339).
    not_before: String,
    /// The last.
    not_after: String,
}

/// One of them, with what a decision about it names.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct ApprovalDetail {
    #[serde(flatten)]
    approval: ApprovalView,
    /// What a decision names, as the `ETag` does.
    seen: String,
    /// What was signed.
    signatures: Value,
    /// What is still missing, in words.
    missing: Vec<String>,
    /// The message as it would leave now: its subject and its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    rendered: Option<Words>,
}

/// A rendered message, or why it could not leave.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::server) enum Words {
    /// It would leave like this.
    Message {
        /// The subject.
        subject: String,
        /// The plain text.
        text: String,
    },
    /// It could not leave.
    Stopped {
        /// Why.
        why: String,
    },
}

impl ApprovalView {
    fn of(asked: &Asked, route: &approval::Route) -> Self {
        let json = |value: Result<Value, serde_json::Error>| value.unwrap_or(Value::Null);
        let record = asked.record();
        let (message, campaign) = match asked {
            Asked::Message(a) => {
                let message = MessageView {
                    run: a.run.clone(),
                    flow: a.terms.flow.clone(),
                    summary: a.summary.clone(),
                    reasons: json(serde_json::to_value(&a.reasons)),
                    draft: json(serde_json::to_value(&a.draft.draft)),
                    facts: json(serde_json::to_value(&a.draft.facts)),
                    findings: json(serde_json::to_value(&a.draft.report.findings)),
                };
                (Some(message), None)
            }
            Asked::Campaign(a) => {
                let campaign = CampaignTermsView {
                    campaign: a.campaign.clone(),
                    recipients: a.terms.recipients,
                    classes: json(serde_json::to_value(&a.terms.classes)),
                    not_before: a.terms.not_before.to_string(),
                    not_after: a.terms.not_after.to_string(),
                };
                (None, Some(campaign))
            }
        };
        Self {
            approval: record.id.clone(),
            state: format!("{:?}", record.state).to_lowercase(),
            version: asked.version(),
            authors: record.authors.iter().cloned().collect(),
            envelope: record.envelope.to_string(),
            expires_at: record.expires_at.to_string(),
            route: json(serde_json::to_value(route)),
            message,
            campaign,
        }
    }
}

impl ApprovalDetail {
    fn of(looked: &Looked) -> Self {
        Self {
            approval: ApprovalView::of(&looked.asked, &looked.route),
            seen: looked.seen.to_string(),
            signatures: serde_json::to_value(&looked.signatures).unwrap_or(Value::Null),
            missing: looked.route.missing(&looked.signatures),
            rendered: looked.rendered.as_ref().map(|rendered| match rendered {
                Ok(message) => Words::Message { subject: message.subject.clone(), text: message.text.clone() },
                Err(why) => Words::Stopped { why: why.clone() },
            }),
        }
    }
}

/// A decision that counts.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct Decided {
    approval: ApprovalId,
    /// `pending` while a signature is missing, `approved`, `rejected` or `recalled`.
    #[schemars(with = "String")]
    state: ApprovalState,
    /// The run that goes on with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    /// The campaign it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    campaign: Option<CampaignId>,
    /// What is still missing, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    /// Until when it can be recalled; nothing leaves before (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    recallable_until: Option<String>,
}

impl Decided {
    fn of(approval: ApprovalId, state: ApprovalState, asked: &Asked) -> Self {
        let (run, campaign) = match asked {
            Asked::Message(message) => (Some(message.run.clone()), None),
            Asked::Campaign(terms) => (None, Some(terms.campaign.clone())),
        };
        Self { approval, state, run, campaign, missing: Vec::new(), recallable_until: None }
    }
}

/// What comes with a yes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Assented {
    /// How many people get it, typed by the approver; needed where the route asks for it.
    #[serde(default)]
    typed_count: Option<u32>,
}

/// Why a message is rejected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Rejection {
    /// 3 to 500 characters; the writer reads it when it tries again.
    reason: String,
    /// Let the writer try again.
    #[serde(default)]
    revise: bool,
}

/// Why an approval is taken back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Reason {
    /// 3 to 500 characters.
    reason: String,
}

/// What the list may be asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u32>,
    state: Option<String>,
    after: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(parts)
    }
}

async fn list(State(server): Shared, caller: Caller, wanted: Page) -> Answer<Vec<ApprovalView>> {
    caller.at_least(Role::Viewer)?;
    let state = match wanted.state.as_deref() {
        None => ApprovalState::Pending,
        Some(word) => serde_json::from_value(Value::String(word.to_owned())).map_err(|_| {
            let known = "pending, approved, rejected, superseded, expired, recalled";
            Problem::new(StatusCode::BAD_REQUEST, format!("`{word}` is no state of an approval; there are {known}"))
        })?,
    };
    let (tenant, now) = (server.tenant(), server.parts.clock.now());
    let (after, limit) = (wanted.after.map(ApprovalId::new).transpose().map_err(no_id)?, listed(wanted.limit));
    let asked = tenant.asked_page(state, after.as_ref(), limit).await?;
    let mut views = Vec::new();
    for one in asked {
        let route = tenant.route(&one, now).await?;
        views.push(ApprovalView::of(&one, &route));
    }
    Ok(Json(views))
}

async fn show(State(server): Shared, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    caller.at_least(Role::Viewer)?;
    let id = ApprovalId::new(id).map_err(no_id)?;
    let looked = server.tenant().look(&id).await?;
    let mut answer = Json(ApprovalDetail::of(&looked)).into_response();
    let tag = HeaderValue::try_from(format!("\"{}\"", looked.seen));
    let tag = tag.map_err(|e| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))?;
    answer.headers_mut().insert(ETAG, tag);
    Ok(answer)
}

/// What the caller saw, from `If-Match`.
fn seen(headers: &HeaderMap) -> Result<Option<Seen>, Problem> {
    let Some(header) = headers.get(IF_MATCH) else { return Ok(None) };
    let tag = header.to_str().unwrap_or_default().trim().trim_start_matches("W/").trim_matches('"');
    let seen = tag.parse().map_err(|_| {
        let why = "`If-Match` takes the one `ETag` that GET of this approval answered with";
        Problem::new(StatusCode::BAD_REQUEST, why)
    })?;
    Ok(Some(seen))
}

async fn approve(
    State(server): Shared,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    with: Result<Option<Json<Assented>>, JsonRejection>,
) -> Answer<Decided> {
    let who = caller.at_least(Role::Approver)?;
    let id = ApprovalId::new(id).map_err(no_id)?;
    let Some(seen) = seen(&headers)? else {
        let why = "say what you saw: GET this approval and send its `ETag` as `If-Match`";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, why));
    };
    let with = with.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    let typed_count = with.and_then(|Json(with)| with.typed_count);
    let signed = server.tenant().approve(&id, &who, &Assent { seen, typed_count }).await?;
    server.wake.notify_one();
    let state = if signed.missing.is_empty() { ApprovalState::Approved } else { ApprovalState::Pending };
    let recallable_until = signed.recallable_until.map(|at| at.to_string());
    let decided = Decided::of(id, state, &signed.asked);
    Ok(Json(Decided { missing: signed.missing, recallable_until, ..decided }))
}

async fn reject(
    State(server): Shared,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    why: Result<Json<Rejection>, JsonRejection>,
) -> Answer<Decided> {
    let who = caller.at_least(Role::Approver)?;
    let id = ApprovalId::new(id).map_err(no_id)?;
    let (why, seen) = (body(why)?, seen(&headers)?);
    let asked = server.tenant().reject(&id, &who, &why.reason, why.revise, seen.as_ref()).await?;
    server.wake.notify_one();
    Ok(Json(Decided::of(id, ApprovalState::Rejected, &asked)))
}

async fn recall(
    State(server): Shared,
    caller: Caller,
    Path(id): Path<String>,
    why: Result<Json<Reason>, JsonRejection>,
) -> Answer<Decided> {
    let who = caller.at_least(Role::Marketer)?;
    let id = ApprovalId::new(id).map_err(no_id)?;
    let asked = server.tenant().recall(&id, &who, &body(why)?.reason).await?;
    server.wake.notify_one();
    Ok(Json(Decided::of(id, ApprovalState::Recalled, &asked)))
}
