//! Any server that speaks Chat Completions.
//!
//! async-openai carries the request; the types on the wire are our own and tolerant (one unknown enum value must not
//! fail an answer), and so is the retry policy ([`transport`]).

mod transport;
mod wire;

use std::time::Duration;

use agent::{ModelReply, ModelRequest};
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use kit::BoxFuture;
use kit::tool::ToolSpec;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{ChatModel, ModelError};
use transport::Transport;

/// A secret that does not print itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret read from the environment or a file.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How to reach a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The profile's name.
    pub name: String,
    /// For example `https://api.openai.com/v1` or `http://127.0.0.1:8080/v1`.
    pub base_url: String,
    /// The model as the server names it.
    pub model: String,
    /// The key, taken from the environment or a file, never from the configuration file itself.
    pub api_key: Secret,
    /// One attempt's limit, in seconds.
    pub timeout_s: u64,
    /// All attempts together, waits included, in seconds.
    pub deadline_s: u64,
    /// Attempts after the first.
    pub retries: u32,
    /// The wait before the second attempt, in milliseconds; doubled before each further one, up to 20 s.
    pub first_wait_ms: u64,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// Price of a million prompt tokens, in millionths of a US dollar (so `250000` is $0.25).
    pub input_micros_per_mtok: u64,
    /// Price of a million answer tokens, in millionths of a US dollar.
    pub output_micros_per_mtok: u64,
}

impl Profile {
    /// A profile with the usual limits.
    pub fn new(name: &str, base_url: &str, model: &str) -> Self {
        Self {
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            model: model.to_owned(),
            api_key: Secret::default(),
            timeout_s: 60,
            deadline_s: 180,
            retries: 3,
            first_wait_ms: 250,
            max_tokens: 4096,
            input_micros_per_mtok: 0,
            output_micros_per_mtok: 0,
        }
    }
}

/// A Chat Completions client for one profile.
pub struct OpenAi {
    profile: Profile,
    client: async_openai::Client<OpenAIConfig>,
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
    /// When the address or the key cannot be used, or the TLS stack cannot be set up.
    pub fn new(profile: Profile) -> Result<Self, ModelError> {
        let base_url = profile.base_url.trim_end_matches('/');
        // The path is put behind it, so there can be no query.
        let usable = |url: reqwest::Url| {
            matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()
        };
        if !reqwest::Url::parse(base_url).is_ok_and(usable) {
            return Err(ModelError::Connect("its address is no plain http or https URL".to_owned()));
        }
        // No redirects: a model server that sends us elsewhere is not the one that was configured.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(profile.timeout_s))
            .connect_timeout(Duration::from_secs(profile.timeout_s.min(10)))
            .build()
            .map_err(|_| ModelError::Connect("the TLS stack cannot be set up".to_owned()))?;
        // Nothing is taken from the environment of another tool; the key is put on by the transport alone.
        let config = OpenAIConfig::new().with_api_base(base_url).with_api_key("").with_org_id("").with_project_id("");
        let transport = Transport::new(http.clone(), &profile)?;
        let client = async_openai::Client::build(http, config).with_http_service(transport);
        Ok(Self { profile, client })
    }

    async fn ask(&self, request: &ModelRequest<'_>, tools: &[&ToolSpec]) -> Result<ModelReply, ModelError> {
        let body = wire::Request::new(&self.profile, request, tools);
        let answer: Result<Box<RawValue>, OpenAIError> = self.client.chat().create_byot(RawBody::new(&body)?).await;
        let raw = answer.map_err(|e| fault(e, &self.profile))?;
        wire::reply(raw.get(), &self.profile)
    }
}

/// async-openai wants to own its request; ours borrows the transcript, so it is written once, here.
struct RawBody(Box<RawValue>);

impl RawBody {
    fn new(body: &wire::Request<'_>) -> Result<Self, ModelError> {
        serde_json::value::to_raw_value(body).map(Self).map_err(|e| ModelError::Malformed(format!("request: {e}")))
    }
}

impl Serialize for RawBody {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl ChatModel for OpenAi {
    fn profile(&self) -> &str {
        &self.profile.name
    }

    fn prices(&self) -> Option<(u64, u64)> {
        let (input, output) = (self.profile.input_micros_per_mtok, self.profile.output_micros_per_mtok);
        (input > 0 || output > 0).then_some((input, output))
    }

    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        tools: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        Box::pin(self.ask(request, tools))
    }
}

/// The transport has judged every HTTP answer already; what is left are its own errors, boxed.
fn fault(error: OpenAIError, profile: &Profile) -> ModelError {
    match error {
        OpenAIError::Boxed(boxed) => match boxed.downcast::<ModelError>() {
            Ok(ours) => *ours,
            Err(_) => ModelError::Connect("the transport failed".to_owned()),
        },
        OpenAIError::Reqwest(e) if e.is_timeout() => ModelError::Timeout { seconds: profile.timeout_s },
        // The address may carry a key in its query with some servers: it is left out.
        OpenAIError::Reqwest(_) => ModelError::Connect("the request cannot be built".to_owned()),
        OpenAIError::ApiError(e) => ModelError::Rejected { status: e.status_code.as_u16(), code: None },
        OpenAIError::JSONDeserialize(..) => ModelError::Malformed("it is no JSON".to_owned()),
        OpenAIError::InvalidArgument(why) => ModelError::Malformed(format!("request: {why}")),
        OpenAIError::FileSaveError(_) | OpenAIError::FileReadError(_) | OpenAIError::StreamError(_) => {
            ModelError::Malformed("an answer of another kind".to_owned())
        }
    }
}
