//! Errors as HTTP tells them: `application/problem+json` (RFC 9457).

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kit::StoreError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::approvals::{DecideError, PageError, TrustError};
use approval::{DecisionError, NotSigned};

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the status says the kind.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong and what to do.
    detail: String,
    /// Seconds after which the same request may succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { kind: "about:blank", title, status: status.as_u16(), detail: detail.into(), retry_after: None }
    }

    pub(super) fn later(status: StatusCode, detail: impl Into<String>, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(status, detail) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => Self::later(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), 5),
            // Somebody must make room first.
            StoreError::Unwritable(_) => Self::later(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), 60),
            StoreError::Conflict(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            StoreError::Erased { .. } => Self::new(StatusCode::GONE, error.to_string()),
            StoreError::Corrupt { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        let status = match &error {
            DecideError::Unknown(_) => StatusCode::NOT_FOUND,
            DecideError::Changed { .. } => StatusCode::PRECONDITION_FAILED,
            DecideError::Replaced { .. }
            | DecideError::ControlWent { .. }
            | DecideError::NotApproved { .. }
            | DecideError::Used { .. } => StatusCode::CONFLICT,
            DecideError::Rule(DecisionError::NotSigned { why, .. }) => match why {
                NotSigned::NotTheirs { .. } => StatusCode::FORBIDDEN,
                NotSigned::Again { .. } => StatusCode::CONFLICT,
                NotSigned::NoCount { .. } | NotSigned::OtherCount { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            },
            DecideError::Rule(DecisionError::NotPending { .. } | DecisionError::Expired { .. }) => StatusCode::CONFLICT,
            DecideError::Rule(DecisionError::NoRole { .. } | DecisionError::OwnWork { .. }) => StatusCode::FORBIDDEN,
            DecideError::Rule(DecisionError::Reason { .. })
            | DecideError::Findings(_)
            | DecideError::Facts(_)
            | DecideError::Same
            | DecideError::Campaign(_) => StatusCode::UNPROCESSABLE_ENTITY,
            DecideError::Store(store) => return store.clone().into(),
        };
        Self::new(status, error.to_string())
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        match error {
            PageError::NoPlace(_) => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
            PageError::Store(store) => store.into(),
        }
    }
}

impl From<TrustError> for Problem {
    fn from(error: TrustError) -> Self {
        let status = match &error {
            TrustError::NoRole { .. } => StatusCode::FORBIDDEN,
            TrustError::NoFlow(_) | TrustError::NoRecord(_) | TrustError::NoNotice(_) => StatusCode::NOT_FOUND,
            TrustError::Which { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            TrustError::NotEarned { .. } => StatusCode::CONFLICT,
            TrustError::Store(store) => return store.clone().into(),
        };
        Self::new(status, error.to_string())
    }
}

/// No such path.
pub(super) async fn nowhere() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path; see /api/v1/openapi.json")
}
