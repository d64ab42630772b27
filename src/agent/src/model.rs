//! What answers the machine's questions: the one trait of all models, and how they fail.

use kit::BoxFuture;
use kit::tool::ToolSpec;

use crate::step::ModelFault;
use crate::transcript::{ModelReply, ModelRequest};

/// A model that may be asked.
pub trait ChatModel: Send + Sync {
    /// The profile's name, as configuration and journals hold it.
    fn profile(&self) -> &str;

    /// Millionths of a dollar for a million tokens read and a million written, when they are known.
    fn prices(&self) -> Option<(u64, u64)> {
        None
    }

    /// Asks once. Retries, deadline and back-off are the implementation's own business: an error here is final for this
    /// profile.
    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        tools: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>>;
}

/// Why a model gave no answer. No variant carries a body: bodies hold customers' data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Nobody answered at that address.
    #[error("the model server cannot be reached: {0}; check base_url")]
    Connect(String),
    /// It did not answer in time.
    #[error("the model server did not answer within {seconds} s")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// It asked us to slow down for longer than we may wait.
    #[error("the model server is over its rate limit")]
    RateLimited,
    /// The account behind the key is used up: waiting does not help.
    #[error("the account behind the profile's api_key has no quota left")]
    OutOfQuota,
    /// It is broken right now.
    #[error("the model server answered {status}")]
    Server {
        /// HTTP status.
        status: u16,
    },
    /// It does not accept this request, or wants to send us elsewhere.
    #[error("the model server refused the request with {status}{}", code.as_deref().map(|c| format!(" ({c})")).unwrap_or_default())]
    Rejected {
        /// HTTP status.
        status: u16,
        /// The server's error code, when it is a plain word.
        code: Option<String>,
    },
    /// The key is missing, wrong or without rights.
    #[error("the model server refused the key ({status}); check the profile's api_key")]
    Unauthorised {
        /// HTTP status.
        status: u16,
    },
    /// The key cannot be put into a header: it holds a line break or the like.
    #[error("the profile's api_key holds characters that no key has; check for line breaks")]
    UnusableKey,
    /// The answer cannot be read.
    #[error("the model server's answer cannot be read: {0}")]
    Malformed(String),
}

impl ModelError {
    /// True when the same request may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Timeout { .. } | Self::RateLimited | Self::Server { .. } | Self::Malformed(_) => {
                true
            }
            Self::OutOfQuota | Self::Rejected { .. } | Self::Unauthorised { .. } | Self::UnusableKey => false,
        }
    }

    /// What the machine is told. Whatever is wrong with this server or its account, another profile may do better; only a
    /// request that is wrong in itself is not worth repeating anywhere.
    pub fn fault(&self) -> ModelFault {
        let wrong_in_itself = matches!(self, Self::Rejected { status: 400 | 413 | 422, .. });
        ModelFault { why: self.to_string(), transient: !wrong_in_itself }
    }
}
