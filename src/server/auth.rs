//! Who asks: a token, its name and its role.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use kit::{Principal, Role};

use super::problem::Problem;
use super::{Server, tokens};
use crate::access::word;

/// The person or program behind a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    name: String,
    role: Role,
}

impl Caller {
    /// The caller as a principal, when their role is at least this one.
    pub(super) fn at_least(&self, needed: Role) -> Result<Principal, Problem> {
        if self.role < needed {
            let detail = format!("this takes the role {}; the token has {}", word(needed), word(self.role));
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(Principal::User { name: self.name.clone(), role: self.role })
    }
}

impl FromRequestParts<Arc<Server>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Problem> {
        let refused = |why: &str| Problem::new(StatusCode::UNAUTHORIZED, why);
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let secret = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
        let secret = secret.ok_or_else(|| {
            refused("send `Authorization: Bearer TOKEN`; `mailwright tokens create NAME --role ROLE` makes one")
        })?;
        let found = server.tenant().store.token_by_hash(tokens::digest(secret)).await?;
        let token = found.ok_or_else(|| refused("this token is unknown or revoked"))?;
        Ok(Self { name: token.name, role: token.role })
    }
}
