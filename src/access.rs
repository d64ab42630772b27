//! Who acts on the command line, and how that is known. A name alone proves nothing.
//!
//! As long as a shop has no users, whoever owns the data folder by the operating system may do everything in it: they can read
//! and write its tables anyway, and a first use needs no set-up. Once there are users (tokens that somebody made with
//! `mailwright tokens create`), a decision takes one: from the environment or from a file, never from an argument, which
//! everybody on the machine can list. The token says who it is and what they may do; `--as NAME` must agree with it.

use std::path::Path;

use kit::{Principal, Role, StoreError, Timestamp};

use crate::server::{first_token, token_digest};
use crate::store::{ApiToken, ShopStore};

/// The environment variable that holds a token.
pub const TOKEN: &str = "MAILWRIGHT_TOKEN";
/// The environment variable that names a file with a token.
pub const TOKEN_FILE: &str = "MAILWRIGHT_TOKEN_FILE";

/// What somebody shows of themselves.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// A token.
    pub token: Option<&'a str>,
    /// The name they go by.
    pub name: Option<&'a str>,
}

/// Somebody whose name and role a token says.
struct Known {
    who: Principal,
    /// In words for the audit trail.
    how: String,
}

/// Why somebody may not.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A token that nobody has.
    #[error("the token in {TOKEN} is unknown or revoked; `mailwright tokens list` shows those that count")]
    UnknownToken,
    /// No token where one is needed.
    #[error(
        "this shop has users, so this takes a token of the role {needed}: set {TOKEN}, or {TOKEN_FILE} to a file that holds it; an admin makes one with `mailwright tokens create NAME --role {needed}`"
    )]
    NoToken {
        /// Which role.
        needed: &'static str,
    },
    /// A role that does not suffice.
    #[error("this takes the role {needed}; {name} has {has}")]
    Role {
        /// Which role.
        needed: &'static str,
        /// Who.
        name: String,
        /// What they have.
        has: &'static str,
    },
    /// Another name than the token's.
    #[error("by your token you are {is}, not {says}; leave `--as {says}` to them")]
    OtherName {
        /// Whose token it is.
        is: String,
        /// What was said.
        says: String,
    },
    /// Somebody else's folder.
    #[error(
        "this data folder belongs to another user of this machine ({why}); ask them for a token: mailwright tokens create NAME --role {needed}"
    )]
    NotOwner {
        /// What was found.
        why: String,
        /// Which role.
        needed: &'static str,
    },
    /// No person's name.
    #[error("say who you are: --as NAME, a person's name")]
    NoName,
    /// The file of a token.
    #[error("the file in {TOKEN_FILE} cannot be read: {0}")]
    File(String),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The token of this process's environment.
///
/// # Errors
/// [`AccessError::File`].
pub fn token_of_environment() -> Result<Option<String>, AccessError> {
    let set = |name| std::env::var(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if let Some(token) = set(TOKEN) {
        return Ok(Some(token));
    }
    let Some(file) = set(TOKEN_FILE) else { return Ok(None) };
    let text = std::fs::read_to_string(&file).map_err(|e| AccessError::File(format!("{file}: {e}")))?;
    Ok(Some(text.trim().to_owned()))
}

/// Tokens that people were given: not the first admin's, which lies in the data folder for its owner.
async fn users(store: &ShopStore) -> Result<Vec<ApiToken>, StoreError> {
    let own = match first_token(store.store().dir()) {
        Some(secret) => store.token_by_hash(token_digest(&secret)).await?.map(|token| token.id),
        None => None,
    };
    let counts = |token: &ApiToken| token.revoked_at.is_none() && Some(&token.id) != own.as_ref();
    Ok(store.tokens().await?.into_iter().filter(counts).collect())
}

/// Who somebody is, when they may do what takes this role. What a token was shown for is noted in the audit trail.
///
/// # Errors
/// [`AccessError`]; it says what to do.
pub async fn known(
    store: &ShopStore,
    shown: Shown<'_>,
    needed: Role,
    what: &str,
    now: Timestamp,
) -> Result<Principal, AccessError> {
    let users = users(store).await?;
    settle(store, shown, needed, !users.is_empty(), what, now).await
}

/// The same for what only stops sending, and for tokens while no admin has one: the folder's owner may, users or not.
///
/// # Errors
/// [`AccessError`]; it says what to do.
pub async fn known_or_owner(
    store: &ShopStore,
    shown: Shown<'_>,
    needed: Role,
    what: &str,
    now: Timestamp,
) -> Result<Principal, AccessError> {
    settle(store, shown, needed, false, what, now).await
}

/// Who may make and end tokens: an admin, or the folder's owner while no admin has a token.
///
/// # Errors
/// [`AccessError`]; it says what to do.
pub async fn token_keeper(store: &ShopStore, shown: Shown<'_>, now: Timestamp) -> Result<Principal, AccessError> {
    let admins = users(store).await?.iter().any(|token| token.role == Role::Admin);
    settle(store, shown, Role::Admin, admins, "tokens", now).await
}

async fn settle(
    store: &ShopStore,
    shown: Shown<'_>,
    needed: Role,
    takes_token: bool,
    what: &str,
    now: Timestamp,
) -> Result<Principal, AccessError> {
    match shown.token {
        Some(secret) => {
            let Known { who, how } = by_token(store, secret, shown.name, needed).await?;
            store.audit(&who, "person.known", what, &how, now).await?;
            Ok(who)
        }
        None if takes_token => Err(AccessError::NoToken { needed: word(needed) }),
        None => by_owner(store.store().dir(), shown.name, needed),
    }
}

async fn by_token(store: &ShopStore, secret: &str, name: Option<&str>, needed: Role) -> Result<Known, AccessError> {
    let token = store.token_by_hash(token_digest(secret)).await?.ok_or(AccessError::UnknownToken)?;
    if token.role < needed {
        return Err(AccessError::Role { needed: word(needed), name: token.name, has: word(token.role) });
    }
    let who = Principal::person(&token.name, token.role).ok_or(AccessError::NoName)?;
    if let Some(says) = name
        && Principal::person(says, token.role).is_none_or(|says| says.name() != who.name())
    {
        return Err(AccessError::OtherName { is: token.name, says: says.to_owned() });
    }
    Ok(Known { how: format!("by the token {}, role {}", token.id, word(token.role)), who })
}

/// The folder's owner under the name they give. What they decide stands in the trail without a row of how they are known:
/// that is what tells it from a token's.
fn by_owner(dir: &Path, name: Option<&str>, needed: Role) -> Result<Principal, AccessError> {
    let who = Principal::person(name.unwrap_or("owner"), needed).ok_or(AccessError::NoName)?;
    must_own(dir).map_err(|why| AccessError::NotOwner { why, needed: word(needed) })?;
    Ok(who)
}

/// That this process runs as who owns a folder.
#[cfg(unix)]
fn must_own(dir: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = std::fs::metadata(dir).map_err(|e| e.to_string())?.uid();
    // Where the system shows processes as files, this one's belongs to who it runs as; else a file that it makes does.
    let own = match std::fs::metadata("/proc/self") {
        Ok(own) => own.uid(),
        Err(_) => {
            let probe = dir.join(format!(".who-{}", std::process::id()));
            let made = std::fs::File::create(&probe).and_then(|file| file.metadata());
            std::fs::remove_file(&probe).map_err(|e| e.to_string())?;
            made.map_err(|e| e.to_string())?.uid()
        }
    };
    if own == owner || own == 0 { Ok(()) } else { Err(format!("it is uid {owner}'s, you are uid {own}")) }
}

/// Elsewhere the system's own rights decide who can write into the folder.
#[cfg(not(unix))]
fn must_own(dir: &Path) -> Result<(), String> {
    let probe = dir.join(format!(".who-{}", std::process::id()));
    std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(|e| e.to_string())
}

/// A role by its name.
pub fn word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Marketer => "marketer",
        Role::Approver => "approver",
        Role::Admin => "admin",
    }
}
