//! `POST /sms/{connection}`: replies to text messages, from the provider that carries them.
//!
//! The body is what [`shop::reply`] says, signed as a `generic` or `standard` connection signs. A stop holds when it is
//! answered: suppression, consent and the note that it came are one commit before the 200. The answer tells what to send
//! back to the person, or nothing:
//!
//! ```json
//! { "effect": "stopped", "reply": "Tarn & Trail: …" }
//! ```

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use content::SmsAnswer;
use serde::Serialize;
use shop::Source;
use shop::reply::{Intent, Reply};
use shop::signature;

use super::Server;
use super::problem::Problem;
use super::webhooks::{no_connection, plain_json, read, source_of};
use crate::store::{NewReply, ReplyEffect, Wish};

/// What came of a reply.
#[derive(Debug, Serialize)]
pub(super) struct Answered {
    effect: ReplyEffect,
    /// What to send back; nothing where silence is right.
    reply: Option<String>,
}

pub(super) async fn take(
    State(server): State<Arc<Server>>,
    Path(connection): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Answered>, Problem> {
    let _room = server
        .webhooks
        .try_acquire()
        .map_err(|_| Problem::later(StatusCode::SERVICE_UNAVAILABLE, "too many replies at once; send it again", 1))?;
    let door = server.known(&connection).await?;
    let source = match source_of(&door)? {
        source @ (Source::Generic | Source::Standard) => source,
        Source::Shopify | Source::BigCommerce | Source::WooCommerce | Source::Adobe => return Err(no_connection()),
    };
    let body = read(&server, body).await?;
    let now = server.parts.clock.now();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    signature::verify(source, door.keys(), &header, &body, now)
        .map_err(|e| Problem::new(StatusCode::UNAUTHORIZED, e.to_string()))?;
    plain_json(&headers)?;
    let reply = Reply::read(&body).map_err(|e| Problem::new(StatusCode::BAD_REQUEST, e.to_string()))?;
    let tenant = server.tenant();
    let wish = match reply.intent {
        Intent::Stop => Wish::Stop,
        Intent::Start => Wish::Start,
        Intent::Help | Intent::Other => Wish::Nothing,
    };
    let new = NewReply {
        id: format!("{connection}:{}", reply.id),
        from: reply.from.clone(),
        wish,
        at: reply.at.unwrap_or(now).min(now),
        received_at: now,
    };
    let effect = tenant.store.take_reply(new).await?;
    crate::failpoint::hit("after_reply");
    let answer = match (reply.intent, effect) {
        (Intent::Stop, _) => Some(SmsAnswer::Stopped),
        (Intent::Help, _) => Some(SmsAnswer::Help),
        (Intent::Start, ReplyEffect::Started | ReplyEffect::Kept) => Some(SmsAnswer::Started),
        (Intent::Start, ReplyEffect::NotStarted | ReplyEffect::Stopped) => Some(SmsAnswer::NotStarted),
        (Intent::Other, _) => None,
    };
    let own = tenant.store.language_at(&reply.from).await?;
    let shop = &tenant.release.shop;
    let language = own.map_or_else(|| shop.default_language.clone(), |own| shop.language_for(&own));
    let reply = answer.and_then(|answer| content::sms_answer(answer, &shop.identity, &language));
    Ok(Json(Answered { effect, reply }))
}
