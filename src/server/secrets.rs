//! Secrets of connections: files of the data folder that only their owner reads, or variables of the environment.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use kit::ShopId;
use shop::Source;
use shop::signature::{Key, KeyError};

use crate::store::Connection;

/// The folder of secrets.
#[derive(Debug, Clone)]
pub struct Secrets {
    dir: PathBuf,
}

/// A secret that cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file.
    #[error("the secret of connection `{connection}` in {}: {why}", file.display())]
    File {
        /// Whose.
        connection: String,
        /// Where.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The variable.
    #[error("the secret of connection `{connection}`: the environment variable {name} is not set")]
    Env {
        /// Whose.
        connection: String,
        /// Which.
        name: String,
    },
    /// What is in it.
    #[error("the secret of connection `{connection}`: {why}")]
    Key {
        /// Whose.
        connection: String,
        /// What it should be.
        why: KeyError,
    },
}

impl Secrets {
    /// Those of a data folder.
    pub fn of(data: &Path) -> Self {
        Self { dir: data.join("secrets") }
    }

    fn file(&self, shop: &ShopId, connection: &str) -> PathBuf {
        // Shop ids may hold anything; a digest of both is a plain name and no other pair's.
        let name = kit::Digest::of_parts([shop.as_str(), connection]).short();
        self.dir.join(format!("{connection}-{name}"))
    }

    /// Keeps a secret in a file of its own, readable by the owner alone.
    ///
    /// # Errors
    /// When it is no secret of this source, or cannot be written.
    pub fn keep(&self, shop: &ShopId, connection: &str, source: Source, secret: &str) -> Result<(), SecretsError> {
        keys(connection, source, secret)?;
        self.write(&self.file(shop, connection), connection, secret)
    }

    fn write(&self, file: &Path, connection: &str, secret: &str) -> Result<(), SecretsError> {
        let failed = |e: std::io::Error| SecretsError::File {
            connection: connection.to_owned(),
            file: file.to_owned(),
            why: e.to_string(),
        };
        let mut folder = std::fs::DirBuilder::new();
        folder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.create(&self.dir).map_err(failed)?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = options.open(file).map_err(failed)?;
        out.write_all(secret.trim().as_bytes()).and_then(|()| out.sync_all()).map_err(failed)
    }

    /// Keeps the token of a connection's API, as [`Secrets::keep`] keeps its secret.
    ///
    /// # Errors
    /// When it is empty or cannot be written.
    pub fn keep_api_token(&self, shop: &ShopId, connection: &str, token: &str) -> Result<(), SecretsError> {
        if token.trim().is_empty() {
            return Err(SecretsError::Key { connection: connection.to_owned(), why: KeyError::Empty });
        }
        self.write(&self.token_file(shop, connection), connection, token)
    }

    /// The token of a connection's API; `None` when it has none.
    ///
    /// # Errors
    /// [`SecretsError`] naming the place, never the token.
    pub fn api_token(&self, shop: &ShopId, connection: &Connection) -> Result<Option<String>, SecretsError> {
        if let Some(name) = &connection.api_token_env {
            let unset = |_| SecretsError::Env { connection: connection.id.clone(), name: name.clone() };
            return std::env::var(name).map(Some).map_err(unset);
        }
        let file = self.token_file(shop, &connection.id);
        match std::fs::read_to_string(&file) {
            Ok(token) => Ok(Some(token)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(SecretsError::File { connection: connection.id.clone(), file, why: e.to_string() }),
        }
    }

    fn token_file(&self, shop: &ShopId, connection: &str) -> PathBuf {
        self.file(shop, connection).with_extension("api")
    }

    /// Forgets what is kept of a connection; what was never kept is forgotten already.
    pub fn forget(&self, shop: &ShopId, connection: &str) {
        let _ = std::fs::remove_file(self.file(shop, connection));
        let _ = std::fs::remove_file(self.token_file(shop, connection));
    }

    /// The keys of a connection.
    ///
    /// # Errors
    /// [`SecretsError`] naming the place, never the secret.
    pub fn keys(&self, shop: &ShopId, source: Source, connection: &Connection) -> Result<Vec<Key>, SecretsError> {
        let secret = match &connection.secret_env {
            Some(name) => std::env::var(name)
                .map_err(|_| SecretsError::Env { connection: connection.id.clone(), name: name.clone() })?,
            None => {
                let file = self.file(shop, &connection.id);
                std::fs::read_to_string(&file).map_err(|e| SecretsError::File {
                    connection: connection.id.clone(),
                    file,
                    why: e.to_string(),
                })?
            }
        };
        keys(&connection.id, source, &secret)
    }
}

/// One key a line, so that a new secret can be added before the old one goes; a PEM file is one key.
fn keys(connection: &str, source: Source, secret: &str) -> Result<Vec<Key>, SecretsError> {
    let read = |text: &str| {
        Key::read(source, text).map_err(|why| SecretsError::Key { connection: connection.to_owned(), why })
    };
    if source == Source::Adobe {
        return Ok(vec![read(secret)?]);
    }
    let lines: Vec<&str> = secret.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return Ok(vec![read("")?]);
    }
    lines.into_iter().map(read).collect()
}
