//! The configuration file: which models may be asked. Secrets come from the environment or from files, never from here.

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
}

/// One model.
#[derive(Debug, Deserialize)]
pub struct ModelConfig {
    /// The environment variable that holds the key.
    #[serde(default)]
    pub api_key_env: Option<String>,
    /// The file that holds the key.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
    /// How to reach it.
    #[serde(flatten)]
    pub profile: Profile,
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
    /// Reads a configuration file and the secrets it names.
    ///
    /// # Errors
    /// Names file and line, or the secret that is missing.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|e| ConfigError::Read { file: file.to_owned(), why: e.to_string() })?;
        let mut config: Self = toml::from_str(&text).map_err(|e| {
            let before = e.span().and_then(|s| text.get(..s.start)).unwrap_or_default();
            ConfigError::Toml {
                file: file.to_owned(),
                line: before.matches('\n').count() + 1,
                why: e.message().to_owned(),
            }
        })?;
        for model in &mut config.models {
            model.profile.api_key = model.secret()?;
        }
        Ok(config)
    }
}

impl ModelConfig {
    fn secret(&self) -> Result<Secret, ConfigError> {
        let missing = |why: String| ConfigError::Secret { model: self.profile.name.clone(), why };
        match (&self.api_key_env, &self.api_key_file) {
            (Some(name), _) => std::env::var(name)
                .map(Secret::new)
                .map_err(|_| missing(format!("the environment variable {name} is not set"))),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).map_err(|e| missing(format!("{}: {e}", file.display())))?;
                Ok(Secret::new(text.trim()))
            }
            (None, None) => Ok(Secret::default()),
        }
    }
}
