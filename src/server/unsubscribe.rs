//! The links in mails: a look at one changes nothing, a POST ends it at once (RFC 8058), without a login.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse};
use kit::message::{Channel, ConsentState};
use kit::{CustomerId, StoreError};

use super::Server;
use super::problem::Problem;
use crate::store::Consent;

/// Nothing is loaded, framed or passed on, and the token stays out of the next page's referrer.
pub(super) const HEADERS: [(HeaderName, &str); 3] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; form-action 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
];

const ASK: &str = include_str!("pages/unsubscribe.html");
const DONE: &str = include_str!("pages/unsubscribed.html");

pub(super) async fn page(
    State(server): State<Arc<Server>>,
    Path(token): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    server.whose(&token).await?;
    Ok((HEADERS, Html(ASK)))
}

pub(super) async fn stop(
    State(server): State<Arc<Server>>,
    Path(token): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let customer = server.whose(&token).await?;
    server.unsubscribe(&customer).await?;
    Ok((HEADERS, Html(DONE)))
}

impl Server {
    async fn whose(&self, token: &str) -> Result<CustomerId, Problem> {
        let unknown = || Problem::new(StatusCode::NOT_FOUND, "this link is not one of ours; use the one in the mail");
        let plausible = token.len() == 40 && token.bytes().all(|b| b.is_ascii_hexdigit());
        if !plausible {
            return Err(unknown());
        }
        self.tenant().store.link(token).await?.ok_or_else(unknown)
    }

    /// Withdraws consent, once however often it is asked. The person may have several accounts under one address: the
    /// ledger looks at the address as well.
    async fn unsubscribe(&self, customer: &CustomerId) -> Result<(), StoreError> {
        let tenant = self.tenant();
        if tenant.store.consent(customer, Channel::Email).await? == ConsentState::Withdrawn {
            return Ok(());
        }
        let consent = Consent {
            channel: Channel::Email,
            state: ConsentState::Withdrawn,
            at: self.parts.clock.now(),
            source: "unsubscribe link".to_owned(),
            wording: "one click".to_owned(),
        };
        tenant.store.add_consents(vec![(customer.clone(), consent)]).await
    }
}
