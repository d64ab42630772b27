//! Any server that speaks Chat Completions or Responses.
//!
//! async-openai carries the requests: it builds them (`address` tells it where to and with what headers) and hands them to
//! `carrier`, a service of ours that performs them. Retries and the reading of streams are our own; `carrier` says why. So
//! are the types on the wire, and tolerant: one unknown enum value must not fail an answer.
//!
//! Where to look: `profile` is how a server is reached, `provider` the ways of each kind of server as one table, `chat` and
//! `responses` the two interfaces (each with its stream beside it), `document` tools for servers that know none,
//! `transport` retries.

mod address;
mod answer;
mod carrier;
mod chat;
mod chat_stream;
mod document;
mod keywords;
mod profile;
mod provider;
mod relay;
mod responses;
mod responses_stream;
mod sse;
mod transport;

use std::sync::Arc;

use agent::{ModelReply, ModelRequest, Quote, ReplySink};
use async_openai::config::Config;
use kit::BoxFuture;
use kit::tool::ToolSpec;
use serde_json::value::RawValue;

use super::prices::{Price, Tokens};
use super::{ChatModel, ModelError};
use crate::cassette::Cassette;
use crate::egress::{Egress, EgressError};
use address::Address;
use answer::Heard;
use carrier::{Carrier, fault};
use relay::Relay;
use transport::Transport;

pub use profile::{Api, Profile, Secret, ToolMode, UnknownToolMode};
pub use provider::Provider;

/// A client for one profile.
pub struct OpenAi {
    profile: Profile,
    client: async_openai::Client<Arc<dyn Config>>,
    transport: Arc<Transport>,
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
        let address: Arc<dyn Config> = Arc::new(Address::of(&profile, &egress)?);
        // The library only builds requests with it, and it could not send one: it trusts nobody.
        let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]).build();
        let builder = builder.map_err(|_| transport::unreachable(EgressError::Tls))?;
        let client = async_openai::Client::build(builder, address);
        let transport = Arc::new(Transport::new(egress, &profile));
        Ok(Self { profile, client, transport })
    }

    /// Puts a question through the library.
    async fn put(
        &self,
        carrier: Carrier,
        request: &ModelRequest<'_>,
        tools: &[&ToolSpec],
    ) -> Result<Heard, ModelError> {
        let (profile, stream) = (&self.profile, self.profile.stream);
        let client = self.client.clone().with_http_service(carrier);
        match profile.api {
            Api::Chat => {
                let body = chat::Request::new(profile, request, tools, stream)?;
                let raw: Box<RawValue> = client.chat().create_byot(body).await.map_err(fault)?;
                chat::read(raw.get().as_bytes())
            }
            Api::Responses => {
                let body = responses::Request::new(profile, request, tools, stream)?;
                let raw: Box<RawValue> = client.responses().create_byot(body).await.map_err(fault)?;
                responses::read(raw.get().as_bytes())
            }
        }
    }

    /// How long a question is, in bytes.
    fn length(&self, request: &ModelRequest<'_>, tools: &[&ToolSpec]) -> Option<usize> {
        let (profile, stream) = (&self.profile, self.profile.stream);
        let written = match profile.api {
            Api::Chat => serde_json::to_vec(&chat::Request::new(profile, request, tools, stream).ok()?),
            Api::Responses => serde_json::to_vec(&responses::Request::new(profile, request, tools, stream).ok()?),
        };
        Some(written.ok()?.len())
    }

    /// Asks; a sink reads along when the profile streams, and hears it at the end when not.
    async fn ask(
        &self,
        request: &ModelRequest<'_>,
        tools: &[&ToolSpec],
        sink: Option<&dyn ReplySink>,
    ) -> Result<ModelReply, ModelError> {
        // A document is a call in the making: whoever reads along hears of it when it is one.
        let document = self.profile.tool_mode == ToolMode::JsonSchema && !tools.is_empty();
        let relay = Relay::default();
        let carrier = Carrier {
            transport: self.transport.clone(),
            api: self.profile.api,
            stream: self.profile.stream,
            document,
            relay: sink.map(|_| relay.clone()),
        };
        let answer = self.put(carrier, request, tools);
        let heard = match sink {
            Some(sink) => relay.listen(sink, answer).await?,
            None => answer.await?,
        };
        let live = relay.streamed();
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

impl ChatModel for OpenAi {
    fn profile(&self) -> &str {
        &self.profile.name
    }

    fn reads_prompts(&self) -> bool {
        self.transport.has_read_all()
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
                let Some(length) = self.length(request, tools) else { return Quote::Unknown };
                let input = u64::try_from(length).unwrap_or(u64::MAX);
                let tokens = Tokens { input, cached: 0, output: self.profile.max_tokens.into() };
                Quote::AtMost { micros: price.of(tokens) }
            }
        }
    }
}
