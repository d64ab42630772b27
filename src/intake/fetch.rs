//! Details that a webhook does not carry, asked of the shop's API: BigCommerce's Admin API, V2 for orders and V3 for the rest.
//!
//! The event is on disk before anything is asked. Each answer is put beside it on disk, so that nothing is asked twice after
//! a crash; what is whole goes the way of every event. A shop that does not answer keeps its events, not those of others.

use std::time::Duration;

use jiff::SignedDuration;
use kit::StoreError;
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use shop::{MAX_BODY_BYTES, Source, WebhookError, bigcommerce};

use crate::egress::{Egress, EgressError, Outgoing, Reach};
use crate::server::{Secrets, SecretsError};
use crate::store::{Connection, InboxState, ToFetch};
use crate::tenant::Tenant;

/// Where BigCommerce answers for a store hash.
const BIGCOMMERCE: &str = "https://api.bigcommerce.com/stores";
const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
/// Milliseconds until the quota of the window is whole again (BigCommerce, with status 429).
const QUOTA_RESET: HeaderName = HeaderName::from_static("x-rate-limit-time-reset-ms");
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Events looked at in one go.
const PAGE: u32 = 50;
/// Tries before a person must look: with doubling pauses, about a day.
const MAX_TRIES: u32 = 12;
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(4);

/// Why details did not come. No variant carries a body, a token or a query.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    /// It is not there any more.
    #[error("it is gone from the shop")]
    Gone,
    /// Told to wait.
    #[error("the shop's API is busy")]
    Busy(Option<SignedDuration>),
    /// The API's own trouble.
    #[error("the shop's API answered {0}")]
    Trouble(u16),
    /// Refused.
    #[error("the shop's API refused it ({0}): look at the token of this connection and what it may read")]
    Refused(u16),
    /// It took too long.
    #[error("the shop's API did not answer in time")]
    Slow,
    /// Too much of it.
    #[error("the answer has more than {MAX_BODY_BYTES} bytes")]
    TooLarge,
    /// The way out.
    #[error("the shop's API: {0}")]
    Way(#[from] EgressError),
    /// No token.
    #[error(transparent)]
    Secret(#[from] SecretsError),
    /// No connection to ask with.
    #[error(
        "no BigCommerce connection has access to the API: `mailwright connections add bigcommerce … --api-token-file FILE`"
    )]
    NoAccess,
    /// A token that no header can hold.
    #[error("the API's token holds a line break or another character that cannot be sent")]
    Token,
    /// What came cannot be put together.
    #[error(transparent)]
    Body(#[from] WebhookError),
}

impl FetchError {
    /// True when the same request may succeed a little later.
    fn is_retryable(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Trouble(_) | Self::Slow => true,
            Self::Way(error) => error.is_retryable(),
            Self::Gone
            | Self::Refused(_)
            | Self::TooLarge
            | Self::Secret(_)
            | Self::NoAccess
            | Self::Token
            | Self::Body(_) => false,
        }
    }
}

/// The API of one shop.
struct Api {
    egress: Egress,
    token: HeaderValue,
}

impl Api {
    fn open(connection: &Connection, token: &str) -> Result<Self, FetchError> {
        let base = connection.api_base.clone().unwrap_or_else(|| format!("{BIGCOMMERCE}/{}", connection.domain));
        let mut token = HeaderValue::from_str(token.trim()).map_err(|_| FetchError::Token)?;
        token.set_sensitive(true);
        Ok(Self { egress: Egress::to(&base, Reach::Public)?, token })
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>, FetchError> {
        let json = HeaderValue::from_static("application/json");
        let outgoing = Outgoing {
            method: Method::GET,
            url: self.egress.url(path)?,
            headers: vec![(TOKEN, self.token.clone()), (ACCEPT, json)],
            body: Vec::new(),
        };
        let answer = async {
            let mut answer = self.egress.send(outgoing).await?;
            match answer.status {
                200..=299 => {}
                404 => return Err(FetchError::Gone),
                429 => return Err(FetchError::Busy(told_pause(&answer.headers))),
                status @ 500..=599 => return Err(FetchError::Trouble(status)),
                status => return Err(FetchError::Refused(status)),
            }
            let mut body = Vec::new();
            while let Some(piece) = answer.chunk().await? {
                if body.len() + piece.len() > MAX_BODY_BYTES {
                    return Err(FetchError::TooLarge);
                }
                body.extend_from_slice(&piece);
            }
            Ok(body)
        };
        tokio::time::timeout(PATIENCE, answer).await.map_err(|_| FetchError::Slow)?
    }
}

/// How long the API says to wait.
fn told_pause(headers: &HeaderMap) -> Option<SignedDuration> {
    let number = |name: &HeaderName| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok().filter(|n| *n >= 0);
    let reset = number(&QUOTA_RESET).map(SignedDuration::from_millis);
    reset.or_else(|| number(&RETRY_AFTER).map(SignedDuration::from_secs))
}

/// The pause after this many failed tries; never shorter than what was told, never longer than the longest.
fn pause(failed: u32, told: Option<SignedDuration>) -> SignedDuration {
    let doubled = FIRST_PAUSE.checked_mul(1i32.checked_shl(failed.min(20)).unwrap_or(i32::MAX));
    let own = doubled.unwrap_or(LONGEST_PAUSE);
    told.unwrap_or(own).min(LONGEST_PAUSE)
}

impl Tenant {
    /// Fetches what is due of stored events, and returns how many are whole now. What fails is tried again later, or parked
    /// with the reason when that would not help.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn fetch_due(&self) -> Result<usize, StoreError> {
        let due = self.store.events_to_fetch(self.clock.now(), PAGE).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let connections = self.store.connections().await?;
        let mut whole = 0;
        for waiting in due {
            let id = waiting.event.id.clone();
            match self.fetch(&waiting, &connections).await {
                Ok(Fetched::Whole) => whole += 1,
                Ok(Fetched::Nothing(why)) => self.store.settle_event(&id, InboxState::Done, why).await?,
                Err(Trouble::Store(error)) => return Err(error),
                Err(Trouble::Fetch(FetchError::Gone)) => {
                    self.store.settle_event(&id, InboxState::Done, &FetchError::Gone.to_string()).await?;
                }
                Err(Trouble::Fetch(error)) if error.is_retryable() && waiting.failed + 1 < MAX_TRIES => {
                    let told = match &error {
                        FetchError::Busy(told) => *told,
                        _ => None,
                    };
                    let now = self.clock.now();
                    let at = now.checked_add(pause(waiting.failed, told)).unwrap_or(now);
                    self.store.fetch_later(&id, at, &error.to_string()).await?;
                }
                Err(Trouble::Fetch(error)) => {
                    tracing::error!(event = %id, %error, "the details of an event could not be fetched; it is parked");
                    self.store.settle_event(&id, InboxState::Parked, &error.to_string()).await?;
                }
            }
        }
        Ok(whole)
    }

    async fn fetch(&self, waiting: &ToFetch, connections: &[Connection]) -> Result<Fetched, Trouble> {
        let event = &waiting.event;
        let connection = connection_of(event.id.as_str(), connections).ok_or(FetchError::NoAccess)?;
        let secrets = Secrets::of(self.store.store().dir());
        let token = secrets.api_token(self.store.id(), connection).map_err(FetchError::from)?;
        let api = Api::open(connection, &token.ok_or(FetchError::NoAccess)?)?;
        let mut body = event.body.clone();
        while let Some(ask) = bigcommerce::next(&event.topic, &body).map_err(FetchError::from)? {
            let answer = api.get(&ask.path).await?;
            body = bigcommerce::with(&body, ask.part, &answer).map_err(FetchError::from)?;
            self.store.keep_fetched(&event.id, body.clone(), false).await?;
            crate::failpoint::hit("after_fetch");
        }
        if let Some(why) = bigcommerce::idle(&event.topic, &body).map_err(FetchError::from)? {
            return Ok(Fetched::Nothing(why));
        }
        self.store.keep_fetched(&event.id, body, true).await?;
        Ok(Fetched::Whole)
    }
}

/// What came of one event.
enum Fetched {
    /// It can be worked in.
    Whole,
    /// Nothing follows from it.
    Nothing(&'static str),
}

enum Trouble {
    Fetch(FetchError),
    Store(StoreError),
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}
impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The connection an event came in by: its id begins with the connection's name. An id too long for that is a digest, and
/// then only a shop with one connection knows.
fn connection_of<'a>(event: &str, connections: &'a [Connection]) -> Option<&'a Connection> {
    let own: Vec<&Connection> = connections.iter().filter(|c| c.source == Source::BigCommerce.as_str()).collect();
    let named = own.iter().find(|c| event.strip_prefix(c.id.as_str()).is_some_and(|rest| rest.starts_with(':')));
    match (named, own.as_slice()) {
        (Some(connection), _) => Some(connection),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_a_told_one_counts() {
        let seconds = |failed, told| pause(failed, told).as_secs();
        assert_eq!([0, 1, 2, 5].map(|n| seconds(n, None)), [30, 60, 120, 960]);
        assert_eq!(seconds(40, None), LONGEST_PAUSE.as_secs());
        assert_eq!(seconds(5, Some(SignedDuration::from_secs(7))), 7);
        assert_eq!(seconds(0, Some(SignedDuration::from_hours(90))), LONGEST_PAUSE.as_secs());
    }
}
