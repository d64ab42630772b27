//! What storage looks like from above: a future and an error.

use std::pin::Pin;

/// A boxed future, for the object-safe traits that tools declare and the orchestrator implements.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why storage could not answer. No variant carries personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Locked, busy, connection lost: the same call may work later.
    #[error("storage is not available right now: {0}")]
    Unavailable(String),
    /// The disk is full or read-only; nothing was written.
    #[error("storage cannot be written: {0}; free space or fix permissions, nothing was half-written")]
    Unwritable(String),
    /// A stored value cannot be understood.
    #[error("stored {what} cannot be read: {why}")]
    Corrupt {
        /// Table and key.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// It was sealed under the key of a person who was erased: nobody can read it any more.
    #[error("{what} is erased: the key of its person was destroyed")]
    Erased {
        /// Table and key.
        what: String,
    },
    /// Two writers disagreed; the caller holds an old view.
    #[error("{0} was changed meanwhile; read it again")]
    Conflict(String),
}

impl StoreError {
    /// True when the same call may succeed without anybody's help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Conflict(_) => true,
            Self::Unwritable(_) | Self::Corrupt { .. } | Self::Erased { .. } => false,
        }
    }
}
