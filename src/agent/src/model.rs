//! What answers the machine's questions: the one trait of all models, and how they fail.

use kit::BoxFuture;
use kit::tool::ToolSpec;

use crate::step::ModelFault;
use crate::transcript::{ModelReply, ModelRequest};

/// A model that may be asked.
pub trait ChatModel: Send + Sync {
    /// The profile's name, as configuration and journals hold it.
    fn profile(&self) -> &str;

    /// Whether its answers depend on the words it is told: true of a language model, and of a replay that is matched on the
    /// whole request. What any other model does says nothing about a prompt or a tool's description.
    fn reads_prompts(&self) -> bool {
        false
    }

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

    /// Asks once and hands on what comes as it comes. The whole answer is the same as that of [`ChatModel::complete`]; a
    /// model that cannot stream hands everything on at its end.
    fn stream<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        tools: &'a [&'a ToolSpec],
        sink: &'a dyn ReplySink,
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        Box::pin(async move {
            let reply = self.complete(request, tools).await?;
            if let Some(text) = &reply.text {
                sink.text(text);
            }
            for call in &reply.calls {
                sink.call(&call.name);
            }
            Ok(reply)
        })
    }

    /// What this question may cost at the most, before it is asked. A model behind a server that is paid for must say so:
    /// spend caps rest on it.
    fn quote(&self, _request: &ModelRequest<'_>, _tools: &[&ToolSpec]) -> Quote {
        Quote::Free
    }
}

/// Who reads an answer while it is being written.
pub trait ReplySink: Send + Sync {
    /// More words.
    fn text(&self, delta: &str);
    /// A call of this tool has begun; its arguments are still to come.
    fn call(&self, name: &str);
}

/// What a question may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// Nothing: it runs on our own machine.
    Free,
    /// At the most this much, in millionths of a US dollar.
    AtMost {
        /// The amount.
        micros: u64,
    },
    /// Nobody knows: the model is in no price table.
    Unknown,
}

/// What [`ModelError::Connect`] says when nobody listens at the address.
pub const NO_CONNECTION: &str = "no connection";

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
    /// The profile asks for what its server cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// A recording stands in for the server and does not hold this request.
    #[error("{0}")]
    NotRecorded(String),
}

impl ModelError {
    /// True when the same request may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Timeout { .. } | Self::RateLimited | Self::Server { .. } | Self::Malformed(_) => {
                true
            }
            Self::OutOfQuota
            | Self::Rejected { .. }
            | Self::Unauthorised { .. }
            | Self::UnusableKey
            | Self::Unsupported(_)
            | Self::NotRecorded(_) => false,
        }
    }

    /// True when the server may have worked, and counted, before it failed us. What it surely turned away costs nothing.
    pub fn may_have_cost(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Malformed(_) | Self::Server { .. } => true,
            Self::Connect(why) => why != NO_CONNECTION,
            Self::RateLimited
            | Self::OutOfQuota
            | Self::Rejected { .. }
            | Self::Unauthorised { .. }
            | Self::UnusableKey
            | Self::Unsupported(_)
            | Self::NotRecorded(_) => false,
        }
    }

    /// What the machine is told. Whatever is wrong with this server or its account, another profile may do better; only a
    /// request that is wrong in itself is not worth repeating anywhere.
    pub fn fault(&self) -> ModelFault {
        // A recording that does not fit must end the run loudly, not be papered over by another model.
        let wrong_in_itself = matches!(self, Self::Rejected { status: 400 | 413 | 422, .. } | Self::NotRecorded(_));
        ModelFault { why: self.to_string(), transient: !wrong_in_itself }
    }
}
