//! The configuration file: which models may be asked and what they may cost, and where the tables are. Secrets come from the
//! environment or from files, never from here. Its JSON schema is config.schema.json; a test holds the two together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use esp::{HttpEsp, Promises};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::cassette::Cassette;
use crate::delivery::Wire;
use crate::egress::Reach;
use crate::model::openai::{Api, Profile, Provider, Secret, ToolMode};
use crate::model::prices::{Price, Prices};

/// The configuration, typed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Models in order of preference. The offline model always stands behind them.
    #[serde(default, rename = "model")]
    pub models: Vec<ModelConfig>,
    /// What models may cost.
    #[serde(default)]
    pub spend: SpendConfig,
    /// Who reads what customers and reviewers wrote, beside code.
    pub reading: Option<ReadingConfig>,
    /// Where the tables are, when not in the data folder.
    pub store: Option<StoreConfig>,
    /// Who sends, when not the outbox.
    pub esp: Option<EspConfig>,
}

/// A provider that takes messages over plain HTTP; tools/esp/src/http.rs says what it is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EspConfig {
    /// Messages go to `{base_url}/messages`.
    pub base_url: String,
    /// The environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// The file that holds the key.
    pub api_key_file: Option<PathBuf>,
    /// One request's limit, in seconds; default 30.
    pub timeout_s: Option<u64>,
    /// Its host name may stand for a machine of the own network.
    #[serde(default)]
    pub private_network: bool,
    /// It makes no second message of one key. Say so only if it does.
    #[serde(default)]
    pub dedupes: bool,
    /// It can be asked whether it has a key.
    #[serde(default)]
    pub lookup: bool,
    /// It can be asked to forget what it has under a key: `DELETE {base_url}/messages/{key}`.
    #[serde(default)]
    pub erase: bool,
}

/// A PostgreSQL database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// For example `postgres://mailwright@localhost/mailwright`, without a password.
    pub url: String,
    /// The environment variable that holds the password.
    pub password_env: Option<String>,
    /// The file that holds the password.
    pub password_file: Option<PathBuf>,
}

/// A model that reads notes, titles of tickets and reviews: without tools, one text at a time, answering in closed words. No
/// other model sees those texts. Without one code reads them alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingConfig {
    /// The `name` of one of the models; a small one will do, with `writes = false` one that does nothing else.
    pub model: String,
}

/// What models may cost, in millionths of a US dollar. What is left out has no cap. A day is a day of UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpendConfig {
    /// All model calls of one run.
    pub run_micros: Option<u64>,
    /// All model calls of one flow in a day, for every flow that has no cap of its own.
    pub flow_day_micros: Option<u64>,
    /// All model calls of a shop in a day.
    pub shop_day_micros: Option<u64>,
    /// Caps of single flows for a day, by the flow's name.
    #[serde(default)]
    pub flows: BTreeMap<String, u64>,
}

/// One model. What is left out takes the usual limits.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The profile's name, as journals hold it.
    pub name: String,
    /// For example `https://api.openai.com/v1` or `http://127.0.0.1:8080/v1`.
    pub base_url: String,
    /// The model as the server names it.
    pub model: String,
    /// Whose server it is, for its ways; told from the address when left out.
    pub provider: Option<Provider>,
    /// Which interface: Chat Completions when left out.
    pub api: Option<Api>,
    /// How tools are put to it: as tools when left out.
    pub tool_mode: Option<ToolMode>,
    /// Also takes a call that the model wrote as a fenced JSON block, or with something around it.
    pub lenient: Option<bool>,
    /// The server writes its answer as it comes.
    pub stream: Option<bool>,
    /// Azure's api-version; with it, `model` is the deployment and addresses name it.
    pub api_version: Option<String>,
    /// Whether several calls may come in one answer; left to the server when left out.
    pub parallel_calls: Option<bool>,
    /// The server's name may stand for a machine of the own network.
    pub private_network: Option<bool>,
    /// The environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// The file that holds the key.
    pub api_key_file: Option<PathBuf>,
    /// One attempt's limit, in seconds.
    pub timeout_s: Option<u64>,
    /// All attempts together, waits included, in seconds.
    pub deadline_s: Option<u64>,
    /// Attempts after the first.
    pub retries: Option<u32>,
    /// The longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// False for a model that only reads texts from outside and never writes.
    pub writes: Option<bool>,
    /// Price of a million prompt tokens, in millionths of a US dollar.
    pub input_micros_per_mtok: Option<u64>,
    /// Price of a million prompt tokens that the server had cached; as much as others when left out.
    pub cached_input_micros_per_mtok: Option<u64>,
    /// Price of a million answer tokens, in millionths of a US dollar.
    pub output_micros_per_mtok: Option<u64>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Cannot be read.
    #[error("{}: {why}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// Not the expected TOML.
    #[error("{}, line {line}: {why}", file.display())]
    Toml {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The database's password is missing.
    #[error("[store]: {why}")]
    Password {
        /// What is missing.
        why: String,
    },
    /// A reader that is none of the models.
    #[error("[reading]: there is no [[model]] with the name `{model}`")]
    Reader {
        /// The name.
        model: String,
    },
    /// Settings that do not go together.
    #[error("model `{model}`: {why}")]
    Setting {
        /// The profile.
        model: String,
        /// What does not fit.
        why: String,
    },
    /// The price table of this program.
    #[error(transparent)]
    Prices(#[from] crate::model::prices::PricesError),
    /// The provider cannot be reached like this.
    #[error("[esp]: {why}")]
    Esp {
        /// Why.
        why: String,
    },
    /// A secret is missing.
    #[error("model `{model}`: {why}")]
    Secret {
        /// The profile.
        model: String,
        /// What is missing.
        why: String,
    },
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Names file and line.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|e| ConfigError::Read { file: file.to_owned(), why: e.to_string() })?;
        toml::from_str(&text).map_err(|e| {
            let before = e.span().and_then(|s| text.get(..s.start)).unwrap_or_default();
            ConfigError::Toml {
                file: file.to_owned(),
                line: before.matches('\n').count() + 1,
                why: e.message().to_owned(),
            }
        })
    }

    /// The place of the model that reads, among [`Config::profiles`].
    ///
    /// # Errors
    /// When there is no model of that name.
    pub fn reader(&self) -> Result<Option<usize>, ConfigError> {
        let Some(reading) = &self.reading else { return Ok(None) };
        let place = self.models.iter().position(|model| model.name == reading.model);
        place.map(Some).ok_or_else(|| ConfigError::Reader { model: reading.model.clone() })
    }

    /// The models with their secrets, in order of preference.
    ///
    /// # Errors
    /// When a secret cannot be had.
    pub fn profiles(&self) -> Result<Vec<Profile>, ConfigError> {
        self.models.iter().map(ModelConfig::profile).collect()
    }

    /// The places of the models that write, among [`Config::profiles`].
    pub fn writers(&self) -> impl Iterator<Item = usize> {
        self.models.iter().enumerate().filter(|(_, model)| model.writes != Some(false)).map(|(place, _)| place)
    }
}

impl EspConfig {
    /// The provider, with a cassette that records what is asked of it or answers in its place.
    ///
    /// # Errors
    /// When its address or its key cannot be used.
    pub fn open(&self, tape: Option<Arc<Cassette>>) -> Result<HttpEsp, ConfigError> {
        let fail = |why: String| ConfigError::Esp { why };
        let key = match (&self.api_key_env, &self.api_key_file) {
            (Some(name), _) => {
                Some(std::env::var(name).map_err(|_| fail(format!("the environment variable {name} is not set")))?)
            }
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).map_err(|e| fail(format!("{}: {e}", file.display())))?;
                Some(text.trim().to_owned())
            }
            (None, None) => None,
        };
        let timeout = Duration::from_secs(self.timeout_s.unwrap_or(30).max(1));
        let reach = if self.private_network { Reach::Private } else { Reach::Public };
        let wire = Wire::new(&self.base_url, key.as_deref(), timeout, reach, tape).map_err(|e| fail(e.to_string()))?;
        Ok(HttpEsp::new(Arc::new(wire), Promises { dedupes: self.dedupes, lookup: self.lookup, erase: self.erase }))
    }
}

impl ModelConfig {
    fn profile(&self) -> Result<Profile, ConfigError> {
        let usual = Profile::new(&self.name, &self.base_url, &self.model);
        let provider = self.provider.unwrap_or(usual.provider);
        if self.api_version.is_some() && provider != Provider::Azure {
            return Err(self.setting("api_version is Azure's: set provider = \"azure\""));
        }
        let private = self.private_network.unwrap_or(false);
        Ok(Profile {
            api_key: self.secret()?,
            provider,
            api: self.api.unwrap_or_default(),
            tool_mode: self.tool_mode.unwrap_or_default(),
            lenient: self.lenient.unwrap_or_default(),
            stream: self.stream.unwrap_or_default(),
            api_version: self.api_version.clone(),
            parallel_calls: self.parallel_calls,
            reach: if private { Reach::Private } else { Reach::Public },
            timeout_s: self.timeout_s.unwrap_or(usual.timeout_s),
            deadline_s: self.deadline_s.unwrap_or(usual.deadline_s),
            retries: self.retries.unwrap_or(usual.retries),
            max_tokens: self.max_tokens.unwrap_or(usual.max_tokens),
            price: self.price(provider)?,
            ..usual
        })
    }

    /// What the configuration says, else what the table says.
    fn price(&self, provider: Provider) -> Result<Option<Price>, ConfigError> {
        match (self.input_micros_per_mtok, self.output_micros_per_mtok) {
            (Some(input), Some(output)) => {
                Ok(Some(Price { input, cached_input: self.cached_input_micros_per_mtok, output }))
            }
            (None, None) if self.cached_input_micros_per_mtok.is_none() => {
                Ok(Prices::shipped()?.find(provider, &self.model))
            }
            _ => Err(self.setting("a price needs both input_micros_per_mtok and output_micros_per_mtok")),
        }
    }

    fn setting(&self, why: &str) -> ConfigError {
        ConfigError::Setting { model: self.name.clone(), why: why.to_owned() }
    }

    fn secret(&self) -> Result<Secret, ConfigError> {
        let secret = secret(self.api_key_env.as_deref(), self.api_key_file.as_deref())
            .map_err(|why| ConfigError::Secret { model: self.name.clone(), why })?;
        Ok(secret.map_or_else(Secret::default, Secret::new))
    }
}

impl StoreConfig {
    /// The password, if the file names a place for one.
    ///
    /// # Errors
    /// When it is not there.
    pub fn password(&self) -> Result<Option<String>, ConfigError> {
        secret(self.password_env.as_deref(), self.password_file.as_deref()).map_err(|why| ConfigError::Password { why })
    }
}

/// A secret from the environment or from a file.
fn secret(env: Option<&str>, file: Option<&Path>) -> Result<Option<String>, String> {
    match (env, file) {
        (Some(name), _) => {
            std::env::var(name).map(Some).map_err(|_| format!("the environment variable {name} is not set"))
        }
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
            Ok(Some(text.trim().to_owned()))
        }
        (None, None) => Ok(None),
    }
}
