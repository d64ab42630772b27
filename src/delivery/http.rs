//! The way out to a provider behind plain HTTP ([`esp::HttpEsp`]): through [`crate::egress`], like everything that leaves.

use std::sync::Arc;
use std::time::Duration;

use esp::{HttpAnswer, HttpCall, HttpFault, HttpWire};
use kit::BoxFuture;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};

use crate::cassette::Cassette;
use crate::egress::{Egress, EgressError, Outgoing, Reach};

/// The longest answer that is read.
const MAX_ANSWER: usize = 64 << 10;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// An address with its credentials. Follows no redirect and repeats nothing by itself.
#[derive(Debug)]
pub struct Wire {
    egress: Egress,
    authorization: Option<HeaderValue>,
    timeout: Duration,
}

/// Why there is no way out.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Not an address, or no TLS.
    #[error("base_url under [esp]: {0}")]
    Address(#[from] EgressError),
    /// A key that no header can hold.
    #[error("the key of [esp] holds a line break or another character that cannot be sent")]
    Key,
}

impl Wire {
    /// A way out to this address. One call, answer included, takes at most `timeout`.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn new(
        base_url: &str,
        api_key: Option<&str>,
        timeout: Duration,
        reach: Reach,
        tape: Option<Arc<Cassette>>,
    ) -> Result<Self, WireError> {
        let authorization = match api_key {
            Some(key) => {
                let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| WireError::Key)?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        Ok(Self { egress: Egress::to(base_url, reach)?.with(tape), authorization, timeout })
    }

    fn outgoing(&self, call: HttpCall) -> Result<Outgoing, HttpFault> {
        let not_sent = |why: String| HttpFault::NotSent(why);
        let (method, path, mut headers, body) = match call {
            HttpCall::Post { path, key, body } => {
                let key = HeaderValue::from_str(&key).map_err(|e| not_sent(e.to_string()))?;
                let json = HeaderValue::from_static("application/json");
                (Method::POST, path, vec![(CONTENT_TYPE, json), (IDEMPOTENCY_KEY, key)], body)
            }
            HttpCall::Get { path } => (Method::GET, path, Vec::new(), Vec::new()),
            HttpCall::Delete { path } => (Method::DELETE, path, Vec::new(), Vec::new()),
        };
        headers.extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
        let url = self.egress.url(&path).map_err(|e| not_sent(e.to_string()))?;
        Ok(Outgoing { method, url, headers, body })
    }

    async fn make(&self, call: HttpCall) -> Result<HttpAnswer, HttpFault> {
        let outgoing = self.outgoing(call)?;
        let asked = async {
            let mut answer = self.egress.send(outgoing).await.map_err(|error| fault(&error))?;
            let mut body = Vec::new();
            // The status has been told: what is wrong with the body changes nothing about it.
            while let Ok(Some(chunk)) = answer.chunk().await {
                if body.len() + chunk.len() > MAX_ANSWER {
                    break;
                }
                body.extend_from_slice(&chunk);
            }
            Ok(HttpAnswer { status: answer.status, body })
        };
        let waited = || HttpFault::Cut("it did not answer in time".to_owned());
        tokio::time::timeout(self.timeout, asked).await.map_err(|_| waited())?
    }
}

/// Whether the request can have left is what the ledger must know.
fn fault(error: &EgressError) -> HttpFault {
    match error {
        EgressError::Address
        | EgressError::Elsewhere
        | EgressError::NotPublic
        | EgressError::NoConnection
        | EgressError::Tls
        | EgressError::Cassette(_) => HttpFault::NotSent(error.to_string()),
        EgressError::Broken => HttpFault::Cut(error.to_string()),
    }
}

impl HttpWire for Wire {
    fn call<'a>(&'a self, call: HttpCall) -> BoxFuture<'a, Result<HttpAnswer, HttpFault>> {
        Box::pin(self.make(call))
    }
}
