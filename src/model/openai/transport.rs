//! Sending and trying again: retries with a cap, jitter and one deadline, `Retry-After`, and no body in any log or error.
//!
//! A stream is tried again only as long as nothing of it was handed on: what a person has read cannot be taken back.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::profile::Profile;
use super::sse::Events;
use crate::egress::{Answer, Egress, EgressError, Outgoing};
use crate::model::ModelError;

/// The longest wait that is our own idea.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Answers longer than this are refused, in bytes.
const MAX_BODY: usize = 4 << 20;

/// Reads a stream as it comes.
pub(super) trait Gather: Send {
    /// Takes in the data of one event.
    ///
    /// # Errors
    /// When the server says that it failed, or what it says cannot be read.
    fn event(&mut self, data: &str) -> Result<(), ModelError>;
    /// True once something was handed on to whoever reads along.
    fn handed_on(&self) -> bool;
    /// True once the answer is whole, whatever may still come.
    fn is_whole(&self) -> bool;
    /// The answer as it would have come at once.
    fn whole(self) -> Value;
}

/// What a server sent back to a request for a stream.
pub(super) enum Came<G> {
    /// A stream, read to its end.
    Stream(G),
    /// The whole answer at once: it does not stream.
    Whole(Vec<u8>),
}

pub(super) struct Transport {
    egress: Egress,
    attempt: Duration,
    deadline: Duration,
    retries: u32,
    first_wait: Duration,
}

impl Transport {
    /// True when whoever answers has read what was asked.
    pub(super) fn has_read_all(&self) -> bool {
        self.egress.has_read_all()
    }

    pub(super) fn new(egress: Egress, profile: &Profile) -> Self {
        Self {
            egress,
            attempt: Duration::from_secs(profile.timeout_s),
            deadline: Duration::from_secs(profile.deadline_s),
            retries: profile.retries,
            first_wait: Duration::from_millis(profile.first_wait_ms),
        }
    }

    /// Asks for a whole answer: JSON.
    pub(super) async fn whole(&self, request: &Outgoing) -> Result<Vec<u8>, ModelError> {
        let mut tries = Tries::begin(self);
        loop {
            match tokio::time::timeout_at(tries.deadline, self.whole_once(request)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure)) => tries.after(failure).await?,
                Err(_) => return Err(tries.over()),
            }
        }
    }

    async fn whole_once(&self, request: &Outgoing) -> Result<Vec<u8>, Failure> {
        let read = async {
            let answer = self.send(request).await?;
            self.json(answer).await
        };
        tokio::time::timeout(self.attempt, read).await.unwrap_or_else(|_| Err(self.too_slow()))
    }

    /// Asks for a stream; `begin` makes what gathers it, anew for every attempt.
    pub(super) async fn stream<G: Gather>(
        &self,
        request: &Outgoing,
        begin: impl Fn() -> G,
    ) -> Result<Came<G>, ModelError> {
        let mut tries = Tries::begin(self);
        loop {
            match tokio::time::timeout_at(tries.deadline, self.stream_once(request, begin())).await {
                Ok(Ok(came)) => return Ok(came),
                Ok(Err(failure)) => tries.after(failure).await?,
                Err(_) => return Err(tries.over()),
            }
        }
    }

    async fn stream_once<G: Gather>(&self, request: &Outgoing, mut gather: G) -> Result<Came<G>, Failure> {
        let sent = tokio::time::timeout(self.attempt, self.send(request)).await;
        let answer = sent.unwrap_or_else(|_| Err(self.too_slow()))?;
        let kind = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/event-stream") {
            let body = tokio::time::timeout(self.attempt, self.json(answer)).await;
            return body.unwrap_or_else(|_| Err(self.too_slow())).map(Came::Whole);
        }
        match self.read_stream(answer, &mut gather).await {
            Ok(()) => Ok(Came::Stream(gather)),
            Err(failure) => Err(Failure { final_: failure.final_ || gather.handed_on(), ..failure }),
        }
    }

    async fn read_stream<G: Gather>(&self, mut answer: Answer, gather: &mut G) -> Result<(), Failure> {
        let mut events = Events::default();
        let mut length = 0;
        loop {
            let piece = tokio::time::timeout(self.attempt, answer.chunk()).await;
            let piece = match piece.map_err(|_| self.too_slow())? {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                // Some servers cut the connection instead of ending it.
                Err(_) if gather.is_whole() => return Ok(()),
                Err(error) => return Err(broken(error)),
            };
            length += piece.len();
            if length > MAX_BODY {
                return Err(malformed("it is longer than 4 MiB"));
            }
            for event in events.feed(&piece) {
                gather.event(&event.data).map_err(Failure::new)?;
            }
        }
        if let Some(event) = events.end() {
            gather.event(&event.data).map_err(Failure::new)?;
        }
        if gather.is_whole() { Ok(()) } else { Err(broken(EgressError::Broken)) }
    }

    /// Sends the request and judges what is no success.
    async fn send(&self, request: &Outgoing) -> Result<Answer, Failure> {
        let answer = self.egress.send(request.clone()).await.map_err(broken)?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let (status, retry_after) = (answer.status, retry_after(&answer));
        let body = read(answer).await.map_err(broken)?;
        Err(Failure { retry_after, ..Failure::new(judge(status, &body.unwrap_or_default())) })
    }

    async fn json(&self, answer: Answer) -> Result<Vec<u8>, Failure> {
        let body = read(answer).await.map_err(broken)?.ok_or_else(|| malformed("it is longer than 4 MiB"))?;
        if serde_json::from_slice::<&RawValue>(&body).is_err() {
            return Err(malformed("it is no JSON"));
        }
        Ok(body)
    }

    /// Exponential with jitter (AWS architecture blog, "Exponential Backoff And Jitter"): between half and the whole.
    fn backoff(&self, attempt: u32) -> Duration {
        let whole = self.first_wait.saturating_mul(1 << attempt.min(10)).min(LONGEST_WAIT);
        let random = RandomState::new().hash_one(attempt) % 1000;
        whole / 2 + (whole / 2).mul_f64(random as f64 / 1000.0)
    }

    fn too_slow(&self) -> Failure {
        Failure::new(ModelError::Timeout { seconds: self.attempt.as_secs() })
    }
}

/// The attempts at one request, under one deadline.
struct Tries<'t> {
    transport: &'t Transport,
    deadline: Instant,
    attempt: u32,
}

impl<'t> Tries<'t> {
    fn begin(transport: &'t Transport) -> Self {
        Self { transport, deadline: Instant::now() + transport.deadline, attempt: 0 }
    }

    /// Waits for the next attempt, or says that there is none.
    async fn after(&mut self, failure: Failure) -> Result<(), ModelError> {
        let Failure { error, retry_after, final_ } = failure;
        let wait = retry_after.unwrap_or_else(|| self.transport.backoff(self.attempt));
        let in_time = wait < self.deadline.saturating_duration_since(Instant::now());
        if self.attempt >= self.transport.retries || final_ || !error.is_retryable() || !in_time {
            return Err(error);
        }
        tracing::debug!(attempt = self.attempt, %error, wait_ms = wait.as_millis() as u64, "model call will be repeated");
        tokio::time::sleep(wait).await;
        self.attempt += 1;
        Ok(())
    }

    fn over(&self) -> ModelError {
        ModelError::Timeout { seconds: self.transport.deadline.as_secs() }
    }
}

/// The body; `None` for one that is too long to be read.
async fn read(mut answer: Answer) -> Result<Option<Vec<u8>>, EgressError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
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
    /// Not to be tried again, whatever it is.
    final_: bool,
}

impl Failure {
    fn new(error: ModelError) -> Self {
        Self { error, retry_after: None, final_: false }
    }
}

fn malformed(why: &str) -> Failure {
    Failure::new(ModelError::Malformed(why.to_owned()))
}

fn broken(error: EgressError) -> Failure {
    let final_ = !error.is_retryable();
    Failure { final_, ..Failure::new(unreachable(error)) }
}

/// What an egress failure means to whoever asked a model.
pub(super) fn unreachable(error: EgressError) -> ModelError {
    match error {
        EgressError::Cassette(error) => ModelError::NotRecorded(error.to_string()),
        EgressError::Address
        | EgressError::Elsewhere
        | EgressError::NotPublic
        | EgressError::NoConnection
        | EgressError::Broken
        | EgressError::Tls => ModelError::Connect(error.to_string()),
    }
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

/// What an error in the middle of a 200 means.
pub(super) fn judge_within(body: &[u8]) -> ModelError {
    match error_code(body).as_deref() {
        Some("insufficient_quota") => ModelError::OutOfQuota,
        Some("rate_limit_exceeded" | "rate_limit_error") => ModelError::RateLimited,
        _ => ModelError::Malformed("the server broke it off with an error".to_owned()),
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
fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = text.trim().parse().ok()?;
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}
