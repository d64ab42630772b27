//! What goes over the wire: strict in what we send, tolerant in what we take.

use agent::{FinishReason, Message, ModelReply, ModelRequest, RawCall, ToolChoice, Usage};
use kit::tool::ToolSpec;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Profile;
use crate::model::ModelError;

#[derive(Serialize)]
pub(super) struct Request<'a> {
    model: &'a str,
    messages: Vec<Outgoing<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    max_completion_tokens: u32,
    stream: bool,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
enum Outgoing<'a> {
    System {
        content: &'a str,
    },
    User {
        content: &'a str,
    },
    Assistant {
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<OutgoingCall<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
struct OutgoingCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: OutgoingFunction<'a>,
}

#[derive(Serialize)]
struct OutgoingFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a RawValue,
    strict: bool,
}

impl<'a> Request<'a> {
    pub(super) fn new(profile: &'a Profile, request: &'a ModelRequest<'_>, tools: &'a [&'a ToolSpec]) -> Self {
        let tools: Vec<_> = tools
            .iter()
            .map(|t| Tool {
                r#type: "function",
                function: Function {
                    name: t.name,
                    description: t.description,
                    parameters: &t.parameters_raw,
                    strict: true,
                },
            })
            .collect();
        let tool_choice = (!tools.is_empty()).then_some(match request.tool_choice {
            ToolChoice::Required => "required",
            ToolChoice::Auto => "auto",
        });
        Self {
            model: &profile.model,
            messages: request.messages.iter().map(outgoing).collect(),
            tools,
            tool_choice,
            max_completion_tokens: profile.max_tokens,
            stream: false,
        }
    }
}

fn outgoing(message: &Message) -> Outgoing<'_> {
    match message {
        Message::System { text } => Outgoing::System { content: text },
        Message::User { text } => Outgoing::User { content: text },
        Message::Assistant { text, calls } => Outgoing::Assistant {
            content: text.as_deref(),
            tool_calls: calls
                .iter()
                .map(|c| OutgoingCall {
                    id: c.id.as_str(),
                    r#type: "function",
                    function: OutgoingFunction { name: &c.name, arguments: &c.arguments },
                })
                .collect(),
        },
        Message::Tool { call, content, .. } => Outgoing::Tool { tool_call_id: call.as_str(), content },
    }
}

// Every field is optional and every enum a plain string: servers differ, and one new word must not cost an answer.

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<AnswerUsage>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    message: Option<Incoming>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Incoming {
    #[serde(default)]
    content: Option<Value>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<IncomingCall>>,
}

#[derive(Deserialize)]
struct IncomingCall {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: Option<IncomingFunction>,
}

#[derive(Deserialize)]
struct IncomingFunction {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<Value>,
}

/// Some servers count in floats, or write -1 for "not counted".
#[derive(Deserialize)]
struct AnswerUsage {
    #[serde(default)]
    prompt_tokens: Value,
    #[serde(default)]
    completion_tokens: Value,
}

/// Reads an answer.
pub(super) fn reply(raw: &str, profile: &Profile) -> Result<ModelReply, ModelError> {
    let answer: Answer = serde_json::from_str(raw).map_err(|e| {
        ModelError::Malformed(format!("line {}, column {} is not what Chat Completions sends", e.line(), e.column()))
    })?;
    let choice =
        answer.choices.into_iter().next().ok_or_else(|| ModelError::Malformed("it holds no choices".to_owned()))?;
    let message = choice.message.unwrap_or(Incoming { content: None, refusal: None, tool_calls: None });
    let calls: Vec<RawCall> = message.tool_calls.unwrap_or_default().into_iter().map(call).collect();
    // Some servers send an empty refusal with every answer.
    let refusal = message.refusal.filter(|words| !words.is_empty());
    let finish = match choice.finish_reason.as_deref() {
        _ if refusal.is_some() => FinishReason::Refused,
        Some("content_filter") => FinishReason::Refused,
        Some("length") => FinishReason::Length,
        Some("tool_calls" | "function_call") => FinishReason::ToolCalls,
        Some("stop") | None => FinishReason::Stop,
        Some(_) => FinishReason::Other,
    };
    let count = |tokens: &Value| tokens.as_u64().unwrap_or(0);
    let tokens = answer.usage.map_or((0, 0), |usage| (count(&usage.prompt_tokens), count(&usage.completion_tokens)));
    Ok(ModelReply {
        text: message.content.and_then(words).or(refusal),
        calls,
        finish,
        usage: Usage { input_tokens: tokens.0, output_tokens: tokens.1, cost_micros: cost(profile, tokens) },
        model: answer.model.unwrap_or_else(|| profile.model.clone()),
    })
}

fn call(call: IncomingCall) -> RawCall {
    let function = call.function.unwrap_or(IncomingFunction { name: None, arguments: None });
    let arguments = match function.arguments {
        Some(Value::String(text)) => text,
        // Some servers send the object itself.
        Some(other) => other.to_string(),
        None => String::new(),
    };
    RawCall { id: call.id.unwrap_or_default(), name: function.name.unwrap_or_default(), arguments }
}

/// `content` is a string, or a list of parts with text, or null.
fn words(content: Value) -> Option<String> {
    let text = match content {
        Value::String(text) => text,
        Value::Array(parts) => parts.iter().filter_map(|p| p.get("text").and_then(Value::as_str)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn cost(profile: &Profile, (input, output): (u64, u64)) -> u64 {
    let micros = u128::from(input) * u128::from(profile.input_micros_per_mtok)
        + u128::from(output) * u128::from(profile.output_micros_per_mtok);
    u64::try_from(micros / 1_000_000).unwrap_or(u64::MAX)
}
