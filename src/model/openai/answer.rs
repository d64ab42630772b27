//! What was heard from a server, in either interface, and what is made of it.

use agent::{FinishReason, ModelReply, RawCall, Usage};
use kit::tool::ToolSpec;
use serde_json::Value;

use super::document;
use super::profile::{Profile, ToolMode};
use crate::model::prices::{Price, Tokens};

/// What a server said.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) text: Option<String>,
    pub(super) refusal: Option<String>,
    pub(super) calls: Vec<RawCall>,
    /// Why it stopped; `None` when it did not say.
    pub(super) finish: Option<FinishReason>,
    /// `None` when it did not count.
    pub(super) tokens: Option<Tokens>,
    pub(super) model: Option<String>,
}

impl Heard {
    /// The answer, with a call that was written as a document taken for what it is.
    pub(super) fn into_reply(mut self, profile: &Profile, tools: &[&ToolSpec]) -> ModelReply {
        // Some servers send an empty refusal with every answer.
        let refusal = self.refusal.filter(|words| !words.is_empty());
        let mut finish = self.finish.unwrap_or(FinishReason::Stop);
        if refusal.is_some() {
            finish = FinishReason::Refused;
        }
        let mut text = self.text.filter(|words| !words.is_empty());
        let complete = !matches!(finish, FinishReason::Refused | FinishReason::Length);
        if let (true, true, Some(words)) = (complete && !tools.is_empty(), self.calls.is_empty(), &text) {
            let strict = match profile.tool_mode {
                ToolMode::JsonSchema => document::call(words),
                ToolMode::Native => None,
            };
            let written = strict.or_else(|| profile.lenient.then(|| document::lenient_call(words, tools)).flatten());
            if let Some(call) = written {
                (self.calls, finish, text) = (vec![call], FinishReason::ToolCalls, None);
            }
        }
        ModelReply {
            text: text.or(refusal),
            calls: self.calls,
            finish,
            usage: usage(profile, self.tokens),
            model: self.model.unwrap_or_else(|| profile.model.clone()),
        }
    }
}

fn usage(profile: &Profile, counted: Option<Tokens>) -> Usage {
    let tokens = counted.unwrap_or_default();
    let price = profile.price();
    // A server that does not count is free only where nothing costs anything.
    let unpriced = price.is_none() || (counted.is_none() && price != Some(Price::FREE));
    Usage {
        input_tokens: tokens.input,
        output_tokens: tokens.output,
        cost_micros: price.map_or(0, |price| price.of(tokens)),
        cached_tokens: tokens.cached,
        unpriced,
    }
}

/// A number of tokens. Some servers count in floats, or write -1 for "not counted".
pub(super) fn count(tokens: &Value) -> u64 {
    tokens.as_u64().unwrap_or(0)
}

/// Arguments as text; some servers send the object itself.
pub(super) fn arguments(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

/// `content` is a string, or a list of parts with text, or null.
pub(super) fn words(content: &Value) -> Option<String> {
    let text = match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|p| p.get("text").and_then(Value::as_str)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}
