//! The contract of an email service provider.

use kit::message::{DedupeKey, Reserved};
use kit::{BoxFuture, Timestamp};

/// What an adapter can do. Code asks here before it relies on anything; a missing ability is never simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// A second delivery of one key is recognised and accepted without a second message.
    pub dedupes_by_key: bool,
    /// [`Esp::lookup`] answers whether a key was accepted.
    pub can_lookup: bool,
    /// Can hold a message as a draft for a person to send.
    pub can_create_draft: bool,
    /// Can send at a later time by itself.
    pub can_schedule: bool,
    /// Can take a scheduled message back.
    pub can_cancel: bool,
    /// Can split an audience over variants.
    pub can_ab: bool,
}

/// The provider has the message and answers for it from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's own id of the message, or the file's name.
    pub provider_id: String,
}

/// What a provider knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// It has the message.
    Found(Accepted),
    /// It does not, and will not get it from an earlier call.
    Absent,
}

/// How a hand-over failed. No message holds an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EspError {
    /// The provider will never take this message. The ledger row becomes `Refused`.
    #[error("{esp} refused the message for good: {why}")]
    Refused {
        /// Which adapter.
        esp: String,
        /// Why.
        why: String,
    },
    /// Nothing was accepted: the same call may be made again later. The ledger row stays `Reserved`.
    #[error("{esp} is not available, nothing was accepted: {why}")]
    Unavailable {
        /// Which adapter.
        esp: String,
        /// Why, and what would help.
        why: String,
    },
    /// Accepted or not: nobody knows. Ask [`Esp::lookup`] if the adapter can; else the ledger row becomes `Unknown`, and
    /// the message is never sent again by itself.
    #[error("{esp} may or may not have accepted the message: {why}")]
    Unknown {
        /// Which adapter.
        esp: String,
        /// What happened.
        why: String,
    },
}

impl EspError {
    /// True when the same call may be made again without asking anybody.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Refused { .. } | Self::Unknown { .. } => false,
        }
    }
}

/// Every adapter by its own name: what a kill switch may name.
pub const ADAPTERS: [&str; 2] = [crate::outbox::NAME, crate::http::NAME];

/// One provider.
pub trait Esp: Send + Sync {
    /// The name in the ledger and in errors.
    fn name(&self) -> &str;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Hands one message over. `now` dates it; adapters read no clock.
    fn deliver<'a>(&'a self, message: &'a Reserved, now: Timestamp) -> BoxFuture<'a, Result<Accepted, EspError>>;

    /// Asks whether a key was accepted: after a crash between the call and its record.
    fn lookup<'a>(&'a self, key: DedupeKey) -> BoxFuture<'a, Result<Lookup, EspError>>;

    /// Forgets what was handed over under a key. False when the provider cannot be asked to: a person must see to it.
    fn erase(&self, _key: DedupeKey) -> BoxFuture<'_, Result<bool, EspError>> {
        Box::pin(async { Ok(false) })
    }
}
