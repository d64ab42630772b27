//! Tokens of the API: 256 random bits, stored as a digest, shown once.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use kit::{Digest, Role, StoreError, Timestamp};

use crate::store::{ApiToken, ShopStore};

/// What every token begins with, so that one that leaked is found by searching.
const PREFIX: &str = "mw_";
/// The file of the first admin's token in the data folder.
const FIRST: &str = "admin.token";

/// A token just made.
pub struct NewToken {
    /// What is stored about it.
    pub token: ApiToken,
    /// The token itself: shown once.
    pub secret: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("token", &self.token).finish_non_exhaustive()
    }
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system's random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// The file.
    #[error("the first admin's token cannot be written to {}: {why}", file.display())]
    File {
        /// Where.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// Makes a token and stores its digest.
///
/// # Errors
/// [`TokenError`].
pub async fn new_token(
    store: &ShopStore,
    name: &str,
    role: Role,
    by: &str,
    now: Timestamp,
) -> Result<NewToken, TokenError> {
    let mut bits = [0u8; 32];
    getrandom::fill(&mut bits).map_err(|e| TokenError::Random(e.to_string()))?;
    let secret = format!("{PREFIX}{}", hex::encode(bits));
    let hash = digest(&secret);
    let id = format!("tok-{}", Digest::of_parts([hash.to_string().as_str(), "id"]).short());
    let token = ApiToken { id, name: name.to_owned(), role, created_at: now, revoked_at: None };
    store.add_token(token.clone(), hash, by).await?;
    Ok(NewToken { token, secret })
}

/// The digest under which a token is stored. With 256 random bits there is nothing to guess, so a fast one does.
pub fn digest(secret: &str) -> Digest {
    Digest::of_parts(["api token", secret])
}

/// The first admin's token as it lies in the data folder, if it does.
pub fn first_token(dir: &Path) -> Option<String> {
    std::fs::read_to_string(dir.join(FIRST)).ok().map(|text| text.trim().to_owned())
}

/// At the first start: makes the admin's token and writes it where only the owner reads it. `None` when there are tokens.
///
/// # Errors
/// [`TokenError`]; without its file there is no token either.
pub async fn first_admin(store: &ShopStore, now: Timestamp) -> Result<Option<PathBuf>, TokenError> {
    if !store.tokens().await?.is_empty() {
        return Ok(None);
    }
    let file = store.store().dir().join(FIRST);
    let failed = |e: std::io::Error| TokenError::File { file: file.clone(), why: e.to_string() };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&file).map_err(failed)?;
    let made = new_token(store, "admin", Role::Admin, "system", now).await?;
    writeln!(out, "{}", made.secret).and_then(|()| out.sync_all()).map_err(failed)?;
    Ok(Some(file))
}
