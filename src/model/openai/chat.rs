//! Chat Completions: strict in what we send, tolerant in what we take.

use std::borrow::Cow;

use agent::{FinishReason, Message, ModelRequest, RawCall, ToolChoice};
use kit::tool::ToolSpec;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::{Heard, arguments, count, words};
use super::document::{self, Speaker};
use super::keywords;
use super::profile::{Profile, ToolMode};
use crate::model::ModelError;
use crate::model::prices::Tokens;

#[derive(Serialize)]
pub(super) struct Request<'a> {
    model: &'a str,
    messages: Vec<Outgoing<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Outgoing<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
    content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<OutgoingCall<'a>>,
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
    parameters: Cow<'a, RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl<'a> Request<'a> {
    pub(super) fn new(
        profile: &'a Profile,
        request: &'a ModelRequest<'_>,
        tools: &'a [&'a ToolSpec],
        stream: bool,
    ) -> Result<Self, ModelError> {
        let quirks = profile.quirks();
        let mut body = Self {
            model: &profile.model,
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            response_format: None,
            max_completion_tokens: quirks.completion_tokens.then_some(profile.max_tokens),
            max_tokens: (!quirks.completion_tokens).then_some(profile.max_tokens),
            stream,
            stream_options: (stream && quirks.stream_usage).then_some(StreamOptions { include_usage: true }),
        };
        match profile.tool_mode {
            ToolMode::JsonSchema if !tools.is_empty() => {
                let spoken = document::conversation(request.messages, tools);
                body.messages = spoken
                    .into_iter()
                    .map(|(speaker, text)| Outgoing::said(role(speaker, quirks.system_role), text))
                    .collect();
                let format =
                    json!({ "name": document::NAME, "strict": true, "schema": document::schema(tools, quirks) });
                body.response_format = Some(json!({ "type": "json_schema", "json_schema": format }));
            }
            ToolMode::JsonSchema | ToolMode::Native => {
                body.messages = request.messages.iter().map(|message| outgoing(message, quirks.system_role)).collect();
                body.tools = tools.iter().map(|tool| Tool::of(tool, profile)).collect::<Result<_, _>>()?;
                body.tool_choice = (!tools.is_empty()).then_some(match request.tool_choice {
                    ToolChoice::Required if quirks.required => "required",
                    ToolChoice::Required | ToolChoice::Auto => "auto",
                });
                body.parallel_tool_calls = profile.parallel_calls.filter(|_| quirks.parallel && !tools.is_empty());
                body.response_format = document::form(request, quirks).map(|schema| {
                    let format = json!({ "name": document::ANSWER, "strict": true, "schema": schema });
                    json!({ "type": "json_schema", "json_schema": format })
                });
            }
        }
        Ok(body)
    }
}

impl<'a> Tool<'a> {
    fn of(tool: &'a ToolSpec, profile: &Profile) -> Result<Self, ModelError> {
        let quirks = profile.quirks();
        let parameters = keywords::parameters(tool, quirks)?;
        let strict = quirks.strict.then_some(true);
        Ok(Self {
            r#type: "function",
            function: Function { name: tool.name, description: tool.description, parameters, strict },
        })
    }
}

impl<'a> Outgoing<'a> {
    fn said(role: &'static str, content: impl Into<Cow<'a, str>>) -> Self {
        Self { role, tool_call_id: None, content: Some(content.into()), tool_calls: Vec::new() }
    }
}

fn role(speaker: Speaker, system: &'static str) -> &'static str {
    match speaker {
        Speaker::System => system,
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
    }
}

fn outgoing<'a>(message: &'a Message, system: &'static str) -> Outgoing<'a> {
    match message {
        Message::System { text } => Outgoing::said(system, text.as_str()),
        Message::User { text } => Outgoing::said("user", text.as_str()),
        Message::Assistant { text, calls } => Outgoing {
            role: "assistant",
            tool_call_id: None,
            content: text.as_deref().map(Cow::Borrowed),
            tool_calls: calls
                .iter()
                .map(|c| OutgoingCall {
                    id: c.id.as_str(),
                    r#type: "function",
                    function: OutgoingFunction { name: &c.name, arguments: &c.arguments },
                })
                .collect(),
        },
        Message::Tool { call, content, .. } => {
            Outgoing { tool_call_id: Some(call.as_str()), ..Outgoing::said("tool", content.as_str()) }
        }
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

#[derive(Default, Deserialize)]
struct Incoming {
    #[serde(default)]
    content: Value,
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

#[derive(Default, Deserialize)]
pub(super) struct IncomingFunction {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) arguments: Option<Value>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct AnswerUsage {
    #[serde(default)]
    prompt_tokens: Value,
    #[serde(default)]
    completion_tokens: Value,
    #[serde(default)]
    prompt_tokens_details: Value,
}

impl AnswerUsage {
    fn tokens(&self) -> Tokens {
        let cached = self.prompt_tokens_details.get("cached_tokens").map_or(0, count);
        Tokens { input: count(&self.prompt_tokens), cached, output: count(&self.completion_tokens) }
    }
}

/// Why it stopped. Unknown words are one reason.
fn finish(word: &str) -> FinishReason {
    match word {
        "content_filter" => FinishReason::Refused,
        "length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "stop" => FinishReason::Stop,
        _ => FinishReason::Other,
    }
}

/// Reads a whole answer.
pub(super) fn read(raw: &[u8]) -> Result<Heard, ModelError> {
    let answer: Answer = serde_json::from_slice(raw).map_err(|e| {
        ModelError::Malformed(format!("line {}, column {} is not what Chat Completions sends", e.line(), e.column()))
    })?;
    let choice =
        answer.choices.into_iter().next().ok_or_else(|| ModelError::Malformed("it holds no choices".to_owned()))?;
    let message = choice.message.unwrap_or_default();
    Ok(Heard {
        text: words(&message.content),
        refusal: message.refusal,
        calls: message.tool_calls.unwrap_or_default().into_iter().map(call).collect(),
        finish: choice.finish_reason.as_deref().map(finish),
        tokens: answer.usage.map(|usage| usage.tokens()),
        model: answer.model,
    })
}

fn call(call: IncomingCall) -> RawCall {
    let function = call.function.unwrap_or_default();
    RawCall {
        id: call.id.unwrap_or_default(),
        name: function.name.unwrap_or_default(),
        arguments: arguments(function.arguments),
    }
}
