//! Responses: the same conversation as items.
//!
//! Nothing is kept on the server (`store: false`): every request holds the whole conversation, so that a run can be taken up
//! anywhere and by any model.

use std::borrow::Cow;

use agent::{FinishReason, Message, ModelRequest, RawCall, ToolChoice};
use kit::tool::ToolSpec;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::{Heard, arguments, count};
use super::document::{self, Speaker};
use super::keywords;
use super::profile::{Profile, ToolMode};
use super::transport::judge_within;
use crate::model::ModelError;
use crate::model::prices::Tokens;

#[derive(Serialize)]
pub(super) struct Request<'a> {
    model: &'a str,
    input: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Value>,
    max_output_tokens: u32,
    store: bool,
    stream: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item<'a> {
    Message { role: &'static str, content: Cow<'a, str> },
    FunctionCall { call_id: &'a str, name: &'a str, arguments: &'a str },
    FunctionCallOutput { call_id: &'a str, output: &'a str },
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    name: &'a str,
    description: &'a str,
    parameters: Cow<'a, RawValue>,
    /// Here it must be said either way: left out it means `true`.
    strict: bool,
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
            input: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            text: None,
            max_output_tokens: profile.max_tokens,
            store: false,
            stream,
        };
        match profile.tool_mode {
            ToolMode::JsonSchema if !tools.is_empty() => {
                let spoken = document::conversation(request.messages, tools);
                let item = |(speaker, text): (Speaker, String)| {
                    let role = match speaker {
                        Speaker::System => quirks.system_role,
                        Speaker::User => "user",
                        Speaker::Assistant => "assistant",
                    };
                    Item::Message { role, content: text.into() }
                };
                body.input = spoken.into_iter().map(item).collect();
                let schema = document::schema(tools, quirks);
                body.text = Some(
                    json!({ "format": { "type": "json_schema", "name": document::NAME, "strict": true, "schema": schema } }),
                );
            }
            ToolMode::JsonSchema | ToolMode::Native => {
                body.input = request.messages.iter().flat_map(|message| items(message, quirks.system_role)).collect();
                let tool = |tool: &&'a ToolSpec| {
                    let parameters = keywords::parameters(tool, quirks)?;
                    Ok(Tool {
                        r#type: "function",
                        name: tool.name,
                        description: tool.description,
                        parameters,
                        strict: quirks.strict,
                    })
                };
                body.tools = tools.iter().map(tool).collect::<Result<_, ModelError>>()?;
                body.tool_choice = (!tools.is_empty()).then_some(match request.tool_choice {
                    ToolChoice::Required if quirks.required => "required",
                    ToolChoice::Required | ToolChoice::Auto => "auto",
                });
                body.parallel_tool_calls = profile.parallel_calls.filter(|_| quirks.parallel && !tools.is_empty());
                body.text = document::form(request, quirks).map(|schema| {
                    json!({ "format": { "type": "json_schema", "name": document::ANSWER, "strict": true, "schema": schema } })
                });
            }
        }
        Ok(body)
    }
}

fn items<'a>(message: &'a Message, system: &'static str) -> Vec<Item<'a>> {
    let said = |role, text: &'a str| Item::Message { role, content: Cow::Borrowed(text) };
    match message {
        Message::System { text } => vec![said(system, text)],
        Message::User { text } => vec![said("user", text)],
        Message::Assistant { text, calls } => {
            let words = text.as_deref().map(|text| said("assistant", text));
            let calls = calls.iter().map(|call| Item::FunctionCall {
                call_id: call.id.as_str(),
                name: &call.name,
                arguments: &call.arguments,
            });
            words.into_iter().chain(calls).collect()
        }
        Message::Tool { call, content, .. } => {
            vec![Item::FunctionCallOutput { call_id: call.as_str(), output: content }]
        }
    }
}

#[derive(Default, Deserialize)]
struct Response {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    output: Option<Vec<Output>>,
    #[serde(default)]
    incomplete_details: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    usage: Option<ResponseUsage>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Output {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    call_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct ResponseUsage {
    #[serde(default)]
    input_tokens: Value,
    #[serde(default)]
    output_tokens: Value,
    #[serde(default)]
    input_tokens_details: Value,
}

/// Reads a whole answer.
pub(super) fn read(raw: &[u8]) -> Result<Heard, ModelError> {
    let response: Response = serde_json::from_slice(raw).map_err(|e| {
        ModelError::Malformed(format!("line {}, column {} is not what Responses sends", e.line(), e.column()))
    })?;
    if !response.error.is_null() || response.status.as_deref() == Some("failed") {
        return Err(judge_within(raw));
    }
    let output = response.output.ok_or_else(|| ModelError::Malformed("it holds no output".to_owned()))?;
    let mut heard = Heard { model: response.model, ..Heard::default() };
    output.into_iter().for_each(|item| take(item, &mut heard));
    heard.tokens = response.usage.map(|usage| Tokens {
        input: count(&usage.input_tokens),
        cached: usage.input_tokens_details.get("cached_tokens").map_or(0, count),
        output: count(&usage.output_tokens),
    });
    let why = response.incomplete_details.get("reason").and_then(Value::as_str);
    heard.finish = Some(match (response.status.as_deref(), why) {
        (Some("incomplete"), Some("max_output_tokens")) => FinishReason::Length,
        (Some("incomplete"), Some("content_filter")) => FinishReason::Refused,
        (Some("completed") | None, _) if heard.calls.is_empty() => FinishReason::Stop,
        (Some("completed") | None, _) => FinishReason::ToolCalls,
        (Some(_), _) => FinishReason::Other,
    });
    Ok(heard)
}

/// Takes in one item of the output. Kinds that we did not ask for, such as reasoning, say nothing to us.
pub(super) fn take(item: Output, heard: &mut Heard) {
    match item.r#type.as_str() {
        "message" => {
            for part in item.content.as_array().into_iter().flatten() {
                let text = |key: &str| part.get(key).and_then(Value::as_str).unwrap_or_default();
                match part.get("type").and_then(Value::as_str) {
                    Some("output_text") => heard.text.get_or_insert_default().push_str(text("text")),
                    Some("refusal") => heard.refusal.get_or_insert_default().push_str(text("refusal")),
                    _ => {}
                }
            }
        }
        "function_call" => heard.calls.push(RawCall {
            id: item.call_id.unwrap_or_default(),
            name: item.name.unwrap_or_default(),
            arguments: arguments(item.arguments),
        }),
        _ => {}
    }
}
