//! What is said between us and a model, in no vendor's format.

use kit::CallId;
use serde::{Deserialize, Serialize};

/// One entry of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// Our standing instructions.
    System {
        /// The text.
        text: String,
    },
    /// The task, a re-ask, or a note about the run.
    User {
        /// The text.
        text: String,
    },
    /// What the model answered.
    Assistant {
        /// Words beside the calls, if any.
        text: Option<String>,
        /// Calls, in the model's order, with unique ids.
        calls: Vec<ToolCall>,
    },
    /// The answer to one call.
    Tool {
        /// The call it answers.
        call: CallId,
        /// The tool's name.
        name: String,
        /// JSON, or an error in words.
        content: String,
    },
}

/// A tool call as the machine took it. Arguments are the model's raw text: they may be no JSON at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's id for it, made unique within the run.
    pub id: CallId,
    /// The tool's name; of an unknown tool only characters that every server accepts.
    pub name: String,
    /// The arguments as written.
    pub arguments: String,
}

/// Why a model stopped. Unknown words of other servers map to [`FinishReason::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It was done.
    Stop,
    /// It called tools.
    ToolCalls,
    /// It ran into the token limit.
    Length,
    /// The server or the model declined.
    Refused,
    /// Something else.
    Other,
}

/// Tokens and cost of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Answer tokens.
    pub output_tokens: u64,
    /// Cost in millionths of the model account's currency unit (US dollars); 0 for a free model.
    pub cost_micros: u64,
    /// Prompt tokens that the server had cached, of those above, where it tells.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_tokens: u64,
    /// The model's price is not known: the cost above is 0 because nobody knows it, not because it was free.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A model's whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelReply {
    /// Words, if any.
    pub text: Option<String>,
    /// Calls, if any. Ids are as the server sent them: they may be empty or doubled here.
    pub calls: Vec<RawCall>,
    /// Why it stopped.
    pub finish: FinishReason,
    /// What it cost.
    pub usage: Usage,
    /// The model that answered, as it names itself.
    pub model: String,
}

/// A call as it came over the wire, before the machine has made its id unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawCall {
    /// The id as sent, possibly empty.
    pub id: String,
    /// The name as sent.
    pub name: String,
    /// The arguments as sent.
    pub arguments: String,
}

/// Whether the model must call a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// It must. Our runs always end in a call.
    Required,
    /// It may.
    Auto,
}

/// What a model is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRequest<'a> {
    /// The conversation so far.
    pub messages: &'a [Message],
    /// Names of the tools on offer now, in stable order.
    pub tools: Vec<String>,
    /// Whether it must call one.
    pub tool_choice: ToolChoice,
    /// The JSON schema that its words must follow; only where no tool is on offer. A server that cannot be held to a schema
    /// is not told of it: whoever asks says the form in words, too, and reads the answer as anybody's.
    pub form: Option<&'a serde_json::Value>,
}
