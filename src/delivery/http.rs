//! The way out to a provider behind plain HTTP ([`esp::HttpEsp`]).

use std::time::Duration;

use esp::{HttpAnswer, HttpCall, HttpFault, HttpWire};
use kit::BoxFuture;
use reqwest::{Client, Url};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const MAX_ANSWER: usize = 64 << 10;

/// An address with its credentials. Follows no redirect and repeats nothing by itself.
pub struct Wire {
    client: Client,
    base: Url,
    api_key: Option<String>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("host", &self.base.host_str()).finish_non_exhaustive()
    }
}

/// Why there is no way out.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Not an address.
    #[error("base_url under [esp] is no http or https address")]
    Address,
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

impl Wire {
    /// A way out to this address.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn new(base_url: &str, api_key: Option<String>, timeout: Duration) -> Result<Self, WireError> {
        let base: Url = base_url.trim_end_matches('/').parse().map_err(|_| WireError::Address)?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(WireError::Address);
        }
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            // A request must never leave twice unless the ledger says so.
            .retry(reqwest::retry::never())
            .build()
            .map_err(|e| WireError::Client(e.to_string()))?;
        Ok(Self { client, base, api_key })
    }

    async fn make(&self, call: HttpCall) -> Result<HttpAnswer, HttpFault> {
        let address = |path: &str| format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let request = match call {
            HttpCall::Post { path, key, body } => self
                .client
                .post(address(&path))
                .header("content-type", "application/json")
                .header("idempotency-key", key)
                .body(body),
            HttpCall::Get { path } => self.client.get(address(&path)),
        };
        let request = match &self.api_key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let fault = |error: reqwest::Error| {
            let never_left = error.is_connect() || error.is_builder();
            let why = error.without_url().to_string();
            if never_left { HttpFault::NotSent(why) } else { HttpFault::Cut(why) }
        };
        let mut answer = request.send().await.map_err(fault)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        // The status has been told: what is wrong with the body changes nothing about it.
        while let Ok(Some(chunk)) = answer.chunk().await {
            if body.len() + chunk.len() > MAX_ANSWER {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer { status, body })
    }
}

impl HttpWire for Wire {
    fn call<'a>(&'a self, call: HttpCall) -> BoxFuture<'a, Result<HttpAnswer, HttpFault>> {
        Box::pin(self.make(call))
    }
}
