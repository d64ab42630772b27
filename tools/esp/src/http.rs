//! A provider behind plain HTTP: one endpoint that takes a message with an `Idempotency-Key`.
//!
//! For a shop's own mail service, or a small bridge in front of any provider. It is asked these things:
//!
//! * `POST {base}/messages` with the message as JSON and the ledger's key as `Idempotency-Key`: 2xx takes it for good and
//!   names it in `id`; 409 says that the key was taken before. 429 and 503 take nothing. 400, 413 and 422 refuse it for good.
//! * `GET {base}/messages/{key}`: 200 with `id` when the key was taken, 404 when it was not and will not be from an earlier
//!   call.
//! * `DELETE {base}/messages/{key}`, where it says that it can: 2xx and 404 when nothing of the message and its reader is kept
//!   any more.
//! * Any other answer to a hand-over, and a connection that breaks after the request may have left, leaves it unknown.
//!
//! This crate opens no connection: [`HttpWire`] is the way out, and it alone knows address and credentials.

use std::sync::Arc;

use kit::message::{DedupeKey, Outgoing, Reserved};
use kit::{BoxFuture, Timestamp};
use serde::{Deserialize, Serialize};

use crate::esp::{Accepted, Capabilities, Esp, EspError, Lookup};

pub(crate) const NAME: &str = "http";

/// One request, below the provider's base address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpCall {
    /// Hand a message over.
    Post {
        /// Below the base address, such as `/messages`.
        path: String,
        /// The `Idempotency-Key` header.
        key: String,
        /// The JSON body.
        body: Vec<u8>,
    },
    /// Ask.
    Get {
        /// Below the base address.
        path: String,
    },
    /// Have it forgotten.
    Delete {
        /// Below the base address.
        path: String,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer. Neither variant holds a body or a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// The request did not leave: no connection came about.
    #[error("no connection: {0}")]
    NotSent(String),
    /// It may have left: the connection broke, or no answer came in time.
    #[error("the connection broke or no answer came in time: {0}")]
    Cut(String),
}

impl HttpFault {
    /// True when the same request may be made again without asking whether the first one arrived.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent(_) => true,
            Self::Cut(_) => false,
        }
    }
}

/// The way out, to one provider.
pub trait HttpWire: Send + Sync + 'static {
    /// Makes one request, without repeating it by itself.
    fn call<'a>(&'a self, call: HttpCall) -> BoxFuture<'a, Result<HttpAnswer, HttpFault>>;
}

/// What a provider promises about keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promises {
    /// A second hand-over of one key makes no second message.
    pub dedupes: bool,
    /// It can be asked for a key.
    pub lookup: bool,
    /// It can be asked to forget what it has under a key.
    pub erase: bool,
}

/// A provider behind plain HTTP.
pub struct HttpEsp {
    wire: Arc<dyn HttpWire>,
    promises: Promises,
}

impl std::fmt::Debug for HttpEsp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpEsp").field("promises", &self.promises).finish_non_exhaustive()
    }
}

/// The message as it goes over the wire, version 1.
#[derive(Debug, Serialize)]
struct Posted<'a> {
    version: u32,
    key: String,
    #[serde(flatten)]
    message: Carried<'a>,
    date: Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(tag = "channel", rename_all = "lowercase")]
enum Carried<'a> {
    Email {
        from_name: &'a str,
        from: &'a str,
        reply_to: &'a str,
        to: &'a str,
        subject: &'a str,
        html: &'a str,
        text: &'a str,
        headers: &'a [(String, String)],
    },
    Sms {
        from: &'a str,
        to: &'a str,
        text: &'a str,
        parts: u32,
    },
}

impl<'a> Carried<'a> {
    fn of(message: &'a Outgoing) -> Self {
        match message {
            Outgoing::Mail(mail) => Self::Email {
                from_name: &mail.from_name,
                from: mail.from.reveal(),
                reply_to: mail.reply_to.reveal(),
                to: mail.to.reveal(),
                subject: &mail.subject,
                html: &mail.html,
                text: &mail.text,
                headers: &mail.headers,
            },
            Outgoing::Sms(sms) => {
                Self::Sms { from: &sms.sender, to: sms.number.reveal(), text: &sms.body, parts: sms.parts }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct Taken {
    id: String,
}

impl HttpEsp {
    /// A provider behind this way out.
    pub fn new(wire: Arc<dyn HttpWire>, promises: Promises) -> Self {
        Self { wire, promises }
    }

    async fn hand_over(&self, reserved: &Reserved, now: Timestamp) -> Result<Accepted, EspError> {
        let key = reserved.key().to_string();
        let posted = Posted { version: 1, key: key.clone(), message: Carried::of(reserved.message()), date: now };
        let body = serde_json::to_vec(&posted).map_err(|e| refused(format!("it is no JSON: {e}")))?;
        let call = HttpCall::Post { path: "/messages".to_owned(), key: key.clone(), body };
        let answer = self.wire.call(call).await.map_err(|fault| match &fault {
            HttpFault::NotSent(_) => unavailable(fault.to_string()),
            HttpFault::Cut(_) => unknown(fault.to_string()),
        })?;
        match answer.status {
            200..=299 | 409 => Ok(accepted(&answer, &key)),
            400 | 413 | 422 => Err(refused(format!("it answered {}", answer.status))),
            401 | 403 | 404 | 405 => {
                Err(unavailable(format!("it answered {}; check base_url and api_key under [esp]", answer.status)))
            }
            429 | 503 => Err(unavailable(format!("it answered {}", answer.status))),
            other => Err(unknown(format!("it answered {other}"))),
        }
    }

    /// Asking changes nothing: whatever is not an answer is asked again later.
    async fn ask(&self, key: DedupeKey) -> Result<Lookup, EspError> {
        let key = key.to_string();
        let call = HttpCall::Get { path: format!("/messages/{key}") };
        let answer = self.wire.call(call).await.map_err(|fault| unavailable(fault.to_string()))?;
        match answer.status {
            200..=299 => Ok(Lookup::Found(accepted(&answer, &key))),
            404 => Ok(Lookup::Absent),
            other => Err(unavailable(format!("asked for a key, it answered {other}"))),
        }
    }

    /// Forgetting twice is forgetting once: whatever is no answer is asked again later.
    async fn forget(&self, key: DedupeKey) -> Result<bool, EspError> {
        if !self.promises.erase {
            return Ok(false);
        }
        let call = HttpCall::Delete { path: format!("/messages/{key}") };
        let answer = self.wire.call(call).await.map_err(|fault| unavailable(fault.to_string()))?;
        match answer.status {
            200..=299 | 404 => Ok(true),
            other => Err(unavailable(format!("asked to forget a key, it answered {other}"))),
        }
    }
}

/// A provider that took a message without naming it has it all the same: the key names it then.
fn accepted(answer: &HttpAnswer, key: &str) -> Accepted {
    let id = serde_json::from_slice::<Taken>(&answer.body).ok().map(|taken| taken.id);
    let plain = |id: &String| !id.is_empty() && id.len() <= 200 && !id.chars().any(char::is_control);
    Accepted { provider_id: id.filter(plain).unwrap_or_else(|| key.to_owned()) }
}

fn refused(why: String) -> EspError {
    EspError::Refused { esp: NAME.to_owned(), why }
}

fn unavailable(why: String) -> EspError {
    EspError::Unavailable { esp: NAME.to_owned(), why }
}

fn unknown(why: String) -> EspError {
    EspError::Unknown { esp: NAME.to_owned(), why }
}

impl Esp for HttpEsp {
    fn name(&self) -> &str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            dedupes_by_key: self.promises.dedupes,
            can_lookup: self.promises.lookup,
            can_create_draft: false,
            can_schedule: false,
            can_cancel: false,
            can_ab: false,
        }
    }

    fn deliver<'a>(&'a self, message: &'a Reserved, now: Timestamp) -> BoxFuture<'a, Result<Accepted, EspError>> {
        Box::pin(self.hand_over(message, now))
    }

    fn lookup<'a>(&'a self, key: DedupeKey) -> BoxFuture<'a, Result<Lookup, EspError>> {
        Box::pin(self.ask(key))
    }

    fn erase(&self, key: DedupeKey) -> BoxFuture<'_, Result<bool, EspError>> {
        Box::pin(self.forget(key))
    }
}
