//! How to reach a model, and how it wants to be spoken to.

use serde::{Deserialize, Serialize};

use super::provider::{Provider, Quirks};
use crate::egress::Reach;
use crate::model::prices::Price;

/// A secret that does not print itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub(super) String);

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

/// How tools are put to a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolMode {
    /// As tools, which the server knows about.
    #[default]
    Native,
    /// As one JSON document that the server holds the model to: small and local servers often enforce only that. One call
    /// an answer.
    JsonSchema,
}

/// A word that is no [`ToolMode`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `native` nor `json_schema`")]
pub struct UnknownToolMode(String);

impl std::str::FromStr for ToolMode {
    type Err = UnknownToolMode;

    fn from_str(word: &str) -> Result<Self, UnknownToolMode> {
        match word {
            "native" => Ok(Self::Native),
            "json_schema" => Ok(Self::JsonSchema),
            other => Err(UnknownToolMode(other.to_owned())),
        }
    }
}

/// Which of the two interfaces a server is spoken to in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// Chat Completions: nearly every server has it.
    #[default]
    Chat,
    /// Responses.
    Responses,
}

/// How to reach a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The profile's name.
    pub name: String,
    /// For example `https://api.openai.com/v1` or `http://127.0.0.1:8080/v1`.
    pub base_url: String,
    /// The model as the server names it; with Azure, the deployment.
    pub model: String,
    /// The key, taken from the environment or a file, never from the configuration file itself.
    pub api_key: Secret,
    /// Whose server it is, for its ways.
    pub provider: Provider,
    /// Which interface.
    pub api: Api,
    /// How tools are put to it.
    pub tool_mode: ToolMode,
    /// Also takes a call that the model wrote as a fenced JSON block, or with something around it.
    pub lenient: bool,
    /// The server writes its answer as it comes.
    pub stream: bool,
    /// Azure's `api-version`; with it, addresses name the deployment.
    pub api_version: Option<String>,
    /// Whether several calls may come in one answer; left to the server when not said.
    pub parallel_calls: Option<bool>,
    /// Which machines its name may stand for.
    pub reach: Reach,
    /// One attempt's limit, in seconds; of a stream, the longest silence.
    pub timeout_s: u64,
    /// All attempts together, waits included, in seconds.
    pub deadline_s: u64,
    /// Attempts after the first.
    pub retries: u32,
    /// The wait before the second attempt, in milliseconds; doubled before each further one, up to 20 s.
    pub first_wait_ms: u64,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// What it costs, where that is known.
    pub price: Option<Price>,
}

impl Profile {
    /// A profile with the usual limits, and the ways of whoever is known to be at that address.
    pub fn new(name: &str, base_url: &str, model: &str) -> Self {
        Self {
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            model: model.to_owned(),
            api_key: Secret::default(),
            provider: Provider::of_address(base_url),
            api: Api::default(),
            tool_mode: ToolMode::default(),
            lenient: false,
            stream: false,
            api_version: None,
            parallel_calls: None,
            reach: Reach::Public,
            timeout_s: 60,
            deadline_s: 180,
            retries: 3,
            first_wait_ms: 250,
            max_tokens: 4096,
            price: None,
        }
    }

    pub(super) fn quirks(&self) -> &'static Quirks {
        self.provider.quirks()
    }

    /// What it costs: as said, or nothing on a machine of our own.
    pub fn price(&self) -> Option<Price> {
        self.price.or_else(|| self.quirks().own_machine.then_some(Price::FREE))
    }
}
