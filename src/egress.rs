//! The way out: every HTTP request to somebody else's server leaves through here.
//!
//! An [`Egress`] reaches one address that an administrator wrote down, and no other. It follows no redirect. A host name
//! must resolve to public addresses, and the connection goes to an address that was checked, so that a name cannot be
//! turned against our own network after it was looked at; an administrator who means a machine of the own network writes
//! its address, `localhost`, or says so ([`Reach::Private`]). A proxy named in the environment is used, and its own name is
//! looked up by the same rule. Timeouts are the caller's business.
//!
//! With a [`Cassette`] the same requests are recorded, or answered from a recording without any network.

mod public;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use crate::cassette::{self, Cassette, CassetteError};
use public::PublicOnly;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// Which machines a host name may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Machines of the public internet.
    Public,
    /// Also machines of the own network.
    Private,
}

/// Why a request did not bring back an answer. No variant carries a body, a query or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// Not an address to send to.
    #[error("its address is no plain http or https URL")]
    Address,
    /// Another host than the one this way leads to.
    #[error("the request is for another host than the one that was configured")]
    Elsewhere,
    /// The name stands for a machine of the own network.
    #[error("its name stands for an address that is not public; allow it with private_network = true")]
    NotPublic,
    /// Nobody listens there.
    #[error("no connection")]
    NoConnection,
    /// It broke off.
    #[error("the connection broke")]
    Broken,
    /// The TLS stack cannot be set up.
    #[error("the TLS stack cannot be set up")]
    Tls,
    /// A recording stands in for the server, and the request is not in it or cannot be written to it.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
}

impl EgressError {
    /// True when the same request may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoConnection | Self::Broken => true,
            Self::Address | Self::Elsewhere | Self::NotPublic | Self::Tls | Self::Cassette(_) => false,
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers; secrets among them are marked as sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The way to one host.
#[derive(Clone)]
pub struct Egress {
    http: reqwest::Client,
    base: Url,
    cassette: Option<Arc<Cassette>>,
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").field("host", &self.base.host_str()).finish_non_exhaustive()
    }
}

impl Egress {
    /// The way to the host of this address.
    ///
    /// # Errors
    /// When the address cannot be used or the TLS stack cannot be set up.
    pub fn to(base: &str, reach: Reach) -> Result<Self, EgressError> {
        let base = Url::parse(base).map_err(|_| EgressError::Address)?;
        // Paths are put behind it, so there can be no query; a name and password in it would end up in logs.
        let plain = matches!(base.scheme(), "http" | "https")
            && base.query().is_none()
            && base.fragment().is_none()
            && base.username().is_empty()
            && base.password().is_none();
        if !plain {
            return Err(EgressError::Address);
        }
        // `localhost` was written down on purpose, just as an address in figures, which is never looked up.
        let named = base.host_str().is_some_and(|host| host != "localhost");
        let http = client(PublicOnly { private: reach == Reach::Private || !named })?;
        Ok(Self { http, base, cassette: None })
    }

    /// The same way with a recorder, or a recording in place of the network.
    #[must_use]
    pub fn with(mut self, cassette: Option<Arc<Cassette>>) -> Self {
        self.cassette = cassette;
        self
    }

    /// True when whoever answers has read what was asked, word by word: see [`Cassette::has_read_all`]; a server always.
    pub fn has_read_all(&self) -> bool {
        self.cassette.as_ref().is_none_or(|cassette| cassette.has_read_all())
    }

    /// The address with this path behind it; slashes at the seam do not double.
    ///
    /// # Errors
    /// When the two make no address.
    pub fn url(&self, path: &str) -> Result<Url, EgressError> {
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{}", path.trim_start_matches('/'))).map_err(|_| EgressError::Address)
    }

    /// Sends a request. The answer's body is still to be read, piece by piece.
    ///
    /// # Errors
    /// [`EgressError`]; an HTTP status is no error here.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Answer, EgressError> {
        if outgoing.url.origin() != self.base.origin() {
            return Err(EgressError::Elsewhere);
        }
        let Some(cassette) = &self.cassette else { return self.live(outgoing, None).await };
        let asked = cassette.asked(&outgoing);
        if cassette.replays() {
            let cassette::Answered { status, headers, body, cut } = cassette.play(&asked)?;
            return Ok(Answer { status, headers, body: Body::Recorded { bytes: Some(body), cut } });
        }
        let recording = Recording {
            cassette: cassette.clone(),
            asked: Some(asked),
            status: 0,
            headers: HeaderMap::new(),
            body: Vec::new(),
        };
        self.live(outgoing, Some(Box::new(recording))).await
    }

    async fn live(&self, outgoing: Outgoing, mut recording: Option<Box<Recording>>) -> Result<Answer, EgressError> {
        let mut request = self.http.request(outgoing.method, outgoing.url).body(outgoing.body);
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|e| why(&e))?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        if let Some(recording) = &mut recording {
            (recording.status, recording.headers) = (status, headers.clone());
        }
        Ok(Answer { status, headers, body: Body::Live { response, recording } })
    }
}

fn client(resolver: PublicOnly) -> Result<reqwest::Client, EgressError> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        // A request never leaves twice unless its sender says so.
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        .dns_resolver(Arc::new(resolver))
        .build()
        .map_err(|_| EgressError::Tls)
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Live { response: reqwest::Response, recording: Option<Box<Recording>> },
    Recorded { bytes: Option<Vec<u8>>, cut: bool },
}

impl Answer {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks, or broke when it was recorded.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, EgressError> {
        match &mut self.body {
            Body::Recorded { bytes, cut } => match (bytes.take(), *cut) {
                (Some(bytes), _) if !bytes.is_empty() => Ok(Some(bytes)),
                (_, true) => Err(EgressError::Broken),
                (_, false) => Ok(None),
            },
            Body::Live { response, recording } => match response.chunk().await {
                Ok(Some(piece)) => {
                    if let Some(recording) = recording {
                        recording.body.extend_from_slice(&piece);
                    }
                    Ok(Some(piece.into()))
                }
                Ok(None) => {
                    if let Some(recording) = recording {
                        recording.keep(false)?;
                    }
                    Ok(None)
                }
                // The recording keeps what came, when it is dropped.
                Err(_) => Err(EgressError::Broken),
            },
        }
    }
}

/// An exchange under way that goes onto the cassette when its answer has come, or was broken off.
#[derive(Debug)]
struct Recording {
    cassette: Arc<Cassette>,
    asked: Option<cassette::Asked>,
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Recording {
    fn keep(&mut self, cut: bool) -> Result<(), CassetteError> {
        let Some(asked) = self.asked.take() else { return Ok(()) };
        let (headers, body) = (std::mem::take(&mut self.headers), std::mem::take(&mut self.body));
        self.cassette.keep(asked, cassette::Answered { status: self.status, headers, body, cut })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // Nobody is left to be told; the cassette itself remembers that it could not be written.
        if self.status != 0 {
            let _ = self.keep(true);
        }
    }
}

/// The URL may carry a key in its query with some servers: it is left out.
fn why(error: &reqwest::Error) -> EgressError {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<public::NotPublic>() {
            return EgressError::NotPublic;
        }
        source = cause.source();
    }
    if error.is_connect() { EgressError::NoConnection } else { EgressError::Broken }
}
