//! The links in text messages: `/s/{code}` leads on to the shop, `/s/stop` ends the messages.
//!
//! A code is the same for every reader, so following one tells nothing about anybody and changes nothing: whatever looks at
//! links before people do may do so. The page asks for the number, and only its form does anything. It answers the same
//! whether the number is known or not.

use std::sync::Arc;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Response};
use content::STOP_PAGE;
use kit::phone::Phone;

use super::Server;
use super::problem::Problem;
use super::unsubscribe::HEADERS;

/// Characters of a code.
const CODE: usize = 8;

const ASK: &str = include_str!("pages/stop.html");
const DONE: &str = include_str!("pages/stopped.html");

#[derive(serde::Deserialize)]
pub(super) struct Told {
    number: String,
}

pub(super) async fn follow(State(server): State<Arc<Server>>, Path(code): Path<String>) -> Result<Response, Problem> {
    if code == STOP_PAGE {
        return Ok((HEADERS, Html(ASK)).into_response());
    }
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "this link is not one of ours; use the one in the message");
    if code.len() != CODE || !code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return Err(unknown());
    }
    let url = server.tenant().store.short_link(&code).await?.ok_or_else(unknown)?;
    let headers = [(LOCATION, url.as_str()), (CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")];
    Ok((StatusCode::FOUND, headers).into_response())
}

pub(super) async fn stop(
    State(server): State<Arc<Server>>,
    Path(code): Path<String>,
    told: Result<Form<Told>, FormRejection>,
) -> Result<impl IntoResponse, Problem> {
    if code != STOP_PAGE {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "a short link is followed, not posted to"));
    }
    let Form(told) = told.map_err(|rejected| Problem::new(rejected.status(), "the form has one field, `number`"))?;
    let number = Phone::parse(&told.number)
        .map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("the number is {error}")))?;
    server.tenant().store.stop_texts(&number, "opt-out page", server.parts.clock.now()).await?;
    Ok((HEADERS, Html(DONE)))
}
