//! Our own transport below async-openai: retries with a cap, jitter and one deadline, `Retry-After`, and no body in any
//! log or error.
//!
//! It stands below the library's decoder on purpose: the library writes a body that it cannot read into the log. Here
//! every answer is judged first, and only a 2xx with a JSON body is passed up.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{Profile, Secret};
use crate::model::ModelError;

/// The longest wait that is our own idea.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Answers longer than this are refused, in bytes.
const MAX_BODY: usize = 4 << 20;

#[derive(Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
    /// `None` for servers that want no key.
    authorization: Option<HeaderValue>,
    attempt: Duration,
    deadline: Duration,
    retries: u32,
    first_wait: Duration,
}

impl Transport {
    /// # Errors
    /// When the key holds what no header may hold, such as a line break.
    pub(super) fn new(http: reqwest::Client, profile: &Profile) -> Result<Self, ModelError> {
        Ok(Self {
            http,
            authorization: bearer(&profile.api_key)?,
            attempt: Duration::from_secs(profile.timeout_s),
            deadline: Duration::from_secs(profile.deadline_s),
            retries: profile.retries,
            first_wait: Duration::from_millis(profile.first_wait_ms),
        })
    }

    async fn send(self, request: HttpRequestFactory) -> Result<reqwest::Response, OpenAIError> {
        let deadline = Instant::now() + self.deadline;
        let mut attempt = 0;
        loop {
            let outcome = match tokio::time::timeout_at(deadline, self.once(&request)).await {
                Ok(outcome) => outcome?,
                Err(_) => Err(Failure::new(ModelError::Timeout { seconds: self.deadline.as_secs() })),
            };
            let failure = match outcome {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let wait = failure.retry_after.unwrap_or_else(|| self.backoff(attempt));
            let in_time = wait < deadline.saturating_duration_since(Instant::now());
            if attempt >= self.retries || !failure.error.is_retryable() || !in_time {
                return Err(OpenAIError::Boxed(Box::new(failure.error)));
            }
            tracing::debug!(attempt, error = %failure.error, wait_ms = wait.as_millis() as u64, "model call will be repeated");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// One attempt. The outer error is a request that cannot be built at all.
    async fn once(&self, request: &HttpRequestFactory) -> Result<Result<reqwest::Response, Failure>, OpenAIError> {
        let mut request = request.build().await?;
        match &self.authorization {
            Some(bearer) => request.headers_mut().insert(AUTHORIZATION, bearer.clone()),
            None => request.headers_mut().remove(AUTHORIZATION),
        };
        let response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(error) => return Ok(Err(self.broken(&error))),
        };
        let status = response.status();
        let retry_after = retry_after(&response);
        let body = match read(response).await {
            Ok(body) => body,
            Err(error) => return Ok(Err(self.broken(&error))),
        };
        if !status.is_success() {
            let error = judge(status.as_u16(), &body.unwrap_or_default());
            return Ok(Err(Failure { error, retry_after }));
        }
        let Some(body) = body else { return Ok(Err(malformed("it is longer than 4 MiB"))) };
        if serde_json::from_slice::<&RawValue>(&body).is_err() {
            return Ok(Err(malformed("it is no JSON")));
        }
        Ok(Ok(reqwest::Response::from(http::Response::new(body))))
    }

    /// Exponential with jitter (AWS architecture blog, "Exponential Backoff And Jitter"): between half and the whole.
    fn backoff(&self, attempt: u32) -> Duration {
        let whole = self.first_wait.saturating_mul(1 << attempt.min(10)).min(LONGEST_WAIT);
        let random = RandomState::new().hash_one(attempt) % 1000;
        whole / 2 + (whole / 2).mul_f64(random as f64 / 1000.0)
    }

    fn broken(&self, error: &reqwest::Error) -> Failure {
        if error.is_timeout() {
            return Failure::new(ModelError::Timeout { seconds: self.attempt.as_secs() });
        }
        // The URL may carry a key in its query with some servers: it is left out.
        let kind = if error.is_connect() { "no connection" } else { "the connection broke" };
        Failure::new(ModelError::Connect(kind.to_owned()))
    }
}

/// The key as a header that no log shows; none without a key.
fn bearer(key: &Secret) -> Result<Option<HeaderValue>, ModelError> {
    if key.0.is_empty() {
        return Ok(None);
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.0)).map_err(|_| ModelError::UnusableKey)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The body; `None` for one that is too long to be read.
async fn read(mut response: reqwest::Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

struct Failure {
    error: ModelError,
    retry_after: Option<Duration>,
}

impl Failure {
    fn new(error: ModelError) -> Self {
        Self { error, retry_after: None }
    }
}

fn malformed(why: &str) -> Failure {
    Failure::new(ModelError::Malformed(why.to_owned()))
}

/// What an HTTP failure means. A 429 for an empty account will not pass by waiting.
fn judge(status: u16, body: &[u8]) -> ModelError {
    let code = error_code(body);
    match status {
        401 | 403 => ModelError::Unauthorised { status },
        408 | 409 | 425 => ModelError::Server { status },
        429 if code.as_deref() == Some("insufficient_quota") => ModelError::OutOfQuota,
        429 => ModelError::RateLimited,
        500..=599 => ModelError::Server { status },
        _ => ModelError::Rejected { status, code },
    }
}

/// The server's own code, if it is a plain word; never its message, which may quote the prompt.
fn error_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        code: Option<serde_json::Value>,
        r#type: Option<serde_json::Value>,
    }
    let Envelope { error } = serde_json::from_slice(body).ok()?;
    let word = [error.code, error.r#type].into_iter().flatten().find_map(|v| v.as_str().map(str::to_owned))?;
    (word.len() <= 48 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then_some(word)
}

/// Seconds only: a date in `Retry-After` would need a clock that agrees with the server's.
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = text.trim().parse().ok()?;
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

impl tower::Service<HttpRequestFactory> for Transport {
    type Response = reqwest::Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<reqwest::Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}
