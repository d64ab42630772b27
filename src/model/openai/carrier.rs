//! Between async-openai and our transport: the library builds a request, this service performs it.
//!
//! The library writes a body that it cannot read, and every body of a 5xx, into the log. So all answers are judged below
//! it, in [`Transport`], and only a 200 whose body is JSON is passed up.
//!
//! Streams are asked for through `create_byot` too, and the service reads the events itself. The library's
//! `create_stream` would read in a task of its own into a queue without bounds, could not ask again once the headers have
//! come, and logs an event that it cannot read. What is said goes to whoever reads along by a [`Relay`]; at the end the
//! gathered answer is passed up as the whole answer that it is, and one reader reads both kinds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;

use super::chat_stream::ChatStream;
use super::profile::Api;
use super::relay::Relay;
use super::responses_stream::ResponsesStream;
use super::transport::{Came, Gather, Transport};
use crate::egress::Outgoing;
use crate::model::ModelError;

/// Performs one question.
#[derive(Clone)]
pub(super) struct Carrier {
    pub(super) transport: Arc<Transport>,
    pub(super) api: Api,
    pub(super) stream: bool,
    /// Words are a document for us, not for whoever reads along.
    pub(super) document: bool,
    /// `None` when nobody reads along.
    pub(super) relay: Option<Relay>,
}

impl Carrier {
    async fn carry(self, factory: HttpRequestFactory) -> Result<reqwest::Response, OpenAIError> {
        // Built once: every attempt sends the same.
        let request = outgoing(&factory.build().await?);
        let (relay, document) = (&self.relay, self.document);
        let answer = match (self.stream, self.api) {
            (false, _) => self.transport.whole(&request).await,
            (true, Api::Chat) => self.gather(&request, || ChatStream::new(relay.clone(), document)).await,
            (true, Api::Responses) => self.gather(&request, || ResponsesStream::new(relay.clone(), document)).await,
        };
        let body = answer.map_err(|error| OpenAIError::Boxed(Box::new(error)))?;
        Ok(http::Response::new(body).into())
    }

    async fn gather<G: Gather>(&self, request: &Outgoing, begin: impl Fn() -> G) -> Result<Vec<u8>, ModelError> {
        match self.transport.stream(request, begin).await? {
            Came::Stream(gathered) => {
                self.relay.iter().for_each(Relay::set_streamed);
                Ok(gathered.whole().to_string().into_bytes())
            }
            Came::Whole(raw) => Ok(raw),
        }
    }
}

fn outgoing(request: &reqwest::Request) -> Outgoing {
    Outgoing {
        method: request.method().clone(),
        url: request.url().clone(),
        headers: request.headers().iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        body: request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec(),
    }
}

/// Every answer was judged below the library; what comes back through it are our own errors, boxed.
pub(super) fn fault(error: OpenAIError) -> ModelError {
    match error {
        OpenAIError::Boxed(boxed) => match boxed.downcast::<ModelError>() {
            Ok(ours) => *ours,
            Err(_) => ModelError::Connect("the transport failed".to_owned()),
        },
        // The address may carry a key in its query with some servers: it is left out.
        OpenAIError::Reqwest(_) => ModelError::Connect("the request cannot be built".to_owned()),
        OpenAIError::InvalidArgument(why) => ModelError::Malformed(format!("request: {why}")),
        OpenAIError::ApiError(_)
        | OpenAIError::JSONDeserialize(..)
        | OpenAIError::FileSaveError(_)
        | OpenAIError::FileReadError(_)
        | OpenAIError::StreamError(_) => ModelError::Malformed("it is an answer of another kind".to_owned()),
    }
}

impl tower::Service<HttpRequestFactory> for Carrier {
    type Response = reqwest::Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<reqwest::Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        Box::pin(self.clone().carry(request))
    }
}
