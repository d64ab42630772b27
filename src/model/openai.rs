//! Any server that speaks Chat Completions or Responses.
//!
//! Where to look: `profile` is how a server is reached, `provider` the ways of each kind of server as one table, `chat` and
//! `responses` the two interfaces (each with its stream beside it), `document` tools for servers that know none,
//! `transport` retries. The types on the wire are our own and tolerant: one unknown enum value must not fail an answer.

mod answer;
mod chat;
mod chat_stream;
mod document;
mod keywords;
mod profile;
mod provider;
mod responses;
mod responses_stream;
mod sse;
mod transport;

use std::sync::Arc;

use agent::{ModelReply, ModelRequest, Quote, ReplySink};
use kit::BoxFuture;
use kit::tool::ToolSpec;

use super::prices::{Price, Tokens};
use super::{ChatModel, ModelError};
use crate::cassette::Cassette;
use crate::egress::Egress;
use answer::Heard;
use chat_stream::ChatStream;
use responses_stream::ResponsesStream;
use transport::{Came, Transport};

pub use profile::{Api, Profile, Secret, ToolMode, UnknownToolMode};
pub use provider::Provider;

/// A client for one profile.
pub struct OpenAi {
    profile: Profile,
    transport: Transport,
}

impl std::fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAi").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl OpenAi {
    /// A client for this profile.
    ///
    /// # Errors
    /// When the address, the key or the combination of settings cannot be used, or the TLS stack cannot be set up.
    pub fn new(profile: Profile) -> Result<Self, ModelError> {
        Self::with(profile, None)
    }

    /// The same, recorded, or answered from a recording.
    ///
    /// # Errors
    /// As [`OpenAi::new`].
    pub fn with(profile: Profile, cassette: Option<Arc<Cassette>>) -> Result<Self, ModelError> {
        if profile.tool_mode == ToolMode::JsonSchema && !profile.quirks().json_schema && !profile.lenient {
            return Err(ModelError::Unsupported(format!(
                "{} does not hold a model to a JSON schema: use tool_mode = \"native\", or lenient = true",
                profile.provider.as_str()
            )));
        }
        let egress = Egress::to(&profile.base_url, profile.reach).map_err(transport::unreachable)?.with(cassette);
        let transport = Transport::new(egress, &profile, &path(&profile))?;
        Ok(Self { profile, transport })
    }

    fn body(&self, request: &ModelRequest<'_>, tools: &[&ToolSpec], stream: bool) -> Result<Vec<u8>, ModelError> {
        let profile = &self.profile;
        let written = match profile.api {
            Api::Chat => serde_json::to_vec(&chat::Request::new(profile, request, tools, stream)?),
            Api::Responses => serde_json::to_vec(&responses::Request::new(profile, request, tools, stream)?),
        };
        written.map_err(|e| ModelError::Malformed(format!("request: {e}")))
    }

    fn read(&self, raw: &[u8]) -> Result<Heard, ModelError> {
        match self.profile.api {
            Api::Chat => chat::read(raw),
            Api::Responses => responses::read(raw),
        }
    }

    /// Asks; a sink reads along when the profile streams, and hears it at the end when not.
    async fn ask(
        &self,
        request: &ModelRequest<'_>,
        tools: &[&ToolSpec],
        sink: Option<&dyn ReplySink>,
    ) -> Result<ModelReply, ModelError> {
        let body = self.body(request, tools, self.profile.stream)?;
        // A document is a call in the making: whoever reads along hears of it when it is one.
        let document = self.profile.tool_mode == ToolMode::JsonSchema && !tools.is_empty();
        let (heard, live) = match (self.profile.stream, self.profile.api) {
            (false, _) => (self.read(&self.transport.whole(&body).await?)?, false),
            (true, Api::Chat) => match self.transport.stream(&body, || ChatStream::new(sink, document)).await? {
                Came::Stream(gathered) => (gathered.heard()?, true),
                Came::Whole(raw) => (self.read(&raw)?, false),
            },
            (true, Api::Responses) => {
                match self.transport.stream(&body, || ResponsesStream::new(sink, document)).await? {
                    Came::Stream(gathered) => (gathered.heard()?, true),
                    Came::Whole(raw) => (self.read(&raw)?, false),
                }
            }
        };
        let announced = live && !heard.calls.is_empty();
        let reply = heard.into_reply(&self.profile, tools);
        if let Some(sink) = sink {
            if let (false, Some(text)) = (live && !document, &reply.text) {
                sink.text(text);
            }
            if !announced {
                reply.calls.iter().for_each(|call| sink.call(&call.name));
            }
        }
        Ok(reply)
    }
}

/// Where requests go, behind the base address.
fn path(profile: &Profile) -> String {
    match (profile.api, &profile.api_version) {
        (Api::Chat, Some(_)) => format!("openai/deployments/{}/chat/completions", profile.model),
        (Api::Responses, Some(_)) => "openai/responses".to_owned(),
        (Api::Chat, None) => "chat/completions".to_owned(),
        (Api::Responses, None) => "responses".to_owned(),
    }
}

impl ChatModel for OpenAi {
    fn profile(&self) -> &str {
        &self.profile.name
    }

    fn reads_prompts(&self) -> bool {
        true
    }

    fn prices(&self) -> Option<(u64, u64)> {
        self.profile.price().map(|price| (price.input, price.output))
    }

    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        tools: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        Box::pin(self.ask(request, tools, None))
    }

    fn stream<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        tools: &'a [&'a ToolSpec],
        sink: &'a dyn ReplySink,
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        Box::pin(self.ask(request, tools, Some(sink)))
    }

    /// No token is shorter than a byte, so the request's length is a sure bound of the prompt.
    fn quote(&self, request: &ModelRequest<'_>, tools: &[&ToolSpec]) -> Quote {
        match self.profile.price() {
            None => Quote::Unknown,
            Some(Price::FREE) => Quote::Free,
            Some(price) => {
                let Ok(body) = self.body(request, tools, self.profile.stream) else { return Quote::Unknown };
                let input = u64::try_from(body.len()).unwrap_or(u64::MAX);
                let tokens = Tokens { input, cached: 0, output: self.profile.max_tokens.into() };
                Quote::AtMost { micros: price.of(tokens) }
            }
        }
    }
}
