//! The configuration file: which models may be asked, where the tables are. Secrets come from the environment or from files, never from here.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::model::openai::{Profile, Secret};

/// The configuration, typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Models in order of preference. The offline model always stands behind them.
    #[serde(default, rename = "model")]
    pub models: Vec<ModelConfig>,
    /// Where the tables are, when not in the data folder.
    pub store: Option<StoreConfig>,
}

/// A PostgreSQL database.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// For example `postgres://mailwright@localhost/mailwright`, without a password.
    pub url: String,
    /// The environment variable that holds the password.
    pub password_env: Option<String>,
    /// The file that holds the password.
    pub password_file: Option<PathBuf>,
}

/// One model. What is left out takes the usual limits of [`Profile::new`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The profile's name, as journals hold it.
    pub name: String,
    /// For example `https://api.openai.com/v1` or `http://127.0.0.1:8080/v1`.
    pub base_url: String,
    /// The model as the server names it.
    pub model: String,
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
    /// Price of a million prompt tokens, in millionths of a US dollar.
    pub input_micros_per_mtok: Option<u64>,
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

    /// The models with their secrets, in order of preference.
    ///
    /// # Errors
    /// When a secret cannot be had.
    pub fn profiles(&self) -> Result<Vec<Profile>, ConfigError> {
        self.models.iter().map(ModelConfig::profile).collect()
    }
}

impl ModelConfig {
    fn profile(&self) -> Result<Profile, ConfigError> {
        let usual = Profile::new(&self.name, &self.base_url, &self.model);
        Ok(Profile {
            api_key: self.secret()?,
            timeout_s: self.timeout_s.unwrap_or(usual.timeout_s),
            deadline_s: self.deadline_s.unwrap_or(usual.deadline_s),
            retries: self.retries.unwrap_or(usual.retries),
            max_tokens: self.max_tokens.unwrap_or(usual.max_tokens),
            input_micros_per_mtok: self.input_micros_per_mtok.unwrap_or(usual.input_micros_per_mtok),
            output_micros_per_mtok: self.output_micros_per_mtok.unwrap_or(usual.output_micros_per_mtok),
            ..usual
        })
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
