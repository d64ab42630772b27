//! Tools for servers that only know how to hold a model to a JSON document.
//!
//! The document names one tool and its arguments; the tools' descriptions and schemas stand in the prompt, earlier calls are
//! shown as documents of the same form, and their answers as messages of the user, since such a server may know no tool
//! roles. One call an answer: a list of calls is what small models fill with repetitions.

use agent::{Message, ModelRequest, RawCall, ToolCall};
use kit::tool::ToolSpec;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::keywords;
use super::provider::Quirks;

/// What the model is told about documents.
const INSTRUCTIONS: &str = include_str!("document.md");
/// The name that the schema goes by.
pub(super) const NAME: &str = "next_action";
/// The name that the form of an answer in words goes by.
pub(super) const ANSWER: &str = "answer";

/// The schema of an answer: one of the tools on offer, with its arguments.
pub(super) fn schema(tools: &[&ToolSpec], quirks: &Quirks) -> Value {
    let action = |tool: &&ToolSpec| {
        json!({
            "type": "object",
            "properties": { "tool": { "type": "string", "const": tool.name }, "arguments": *tool.parameters },
            "required": ["tool", "arguments"],
            "additionalProperties": false,
        })
    };
    let actions: Vec<Value> = tools.iter().map(action).collect();
    let schema = json!({
        "type": "object",
        "properties": { "action": { "anyOf": actions } },
        "required": ["action"],
        "additionalProperties": false,
    });
    keywords::without(schema, quirks.refused_keywords)
}

/// The schema of an answer in words, where one is asked for and the server can be held to it.
pub(super) fn form(request: &ModelRequest<'_>, quirks: &Quirks) -> Option<Value> {
    let schema = request.form.filter(|_| quirks.json_schema && request.tools.is_empty())?;
    Some(keywords::without(schema.clone(), quirks.refused_keywords))
}

/// Who speaks in a conversation without tool roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    System,
    User,
    Assistant,
}

/// The conversation without tool roles: speakers alternate, and every call stands before its own answer.
pub(super) fn conversation(messages: &[Message], tools: &[&ToolSpec]) -> Vec<(Speaker, String)> {
    let mut said: Vec<(Speaker, String)> = Vec::new();
    let mut open: Vec<&ToolCall> = Vec::new();
    for message in messages {
        match message {
            Message::System { text } if said.is_empty() => {
                said.push((Speaker::System, format!("{text}\n\n{}", on_offer(tools))));
            }
            Message::System { text } => say(&mut said, Speaker::System, text),
            Message::User { text } => say(&mut said, Speaker::User, text),
            // Words beside a call are no part of a document: a model that sees them imitates them.
            Message::Assistant { calls, .. } if !calls.is_empty() => open = calls.iter().collect(),
            Message::Assistant { text, .. } => say(&mut said, Speaker::Assistant, text.as_deref().unwrap_or_default()),
            Message::Tool { call, name, content } => {
                if let Some(asked) = open.iter().find(|asked| asked.id == *call) {
                    say(&mut said, Speaker::Assistant, &document(asked));
                }
                say(&mut said, Speaker::User, &format!("Answer of {name}:\n{content}"));
            }
        }
    }
    said
}

/// Neighbours of one speaker become one message: many templates insist that roles alternate.
fn say(said: &mut Vec<(Speaker, String)>, speaker: Speaker, text: &str) {
    match said.last_mut() {
        Some((last, words)) if *last == speaker => {
            words.push_str("\n\n");
            words.push_str(text);
        }
        _ => said.push((speaker, text.to_owned())),
    }
}

/// What stands in the prompt in place of a list of tools.
fn on_offer(tools: &[&ToolSpec]) -> String {
    let mut text = INSTRUCTIONS.trim_end().to_owned();
    for tool in tools {
        text.push_str(&format!("\n\n## {}\n\n{}\n\nArguments: {}", tool.name, tool.description, tool.parameters_raw));
    }
    text
}

#[derive(Serialize, Deserialize)]
struct Document<A> {
    action: Action<A>,
}

#[derive(Serialize, Deserialize)]
struct Action<A> {
    tool: String,
    arguments: A,
}

/// A call as the model would have written it. What was no JSON stays what it was, as a text.
fn document(call: &ToolCall) -> String {
    let arguments =
        serde_json::from_str::<Value>(&call.arguments).unwrap_or_else(|_| Value::from(call.arguments.as_str()));
    json!(Document { action: Action { tool: call.name.clone(), arguments } }).to_string()
}

/// The call in an answer that is a document and nothing else.
pub(super) fn call(text: &str) -> Option<RawCall> {
    let document: Document<Box<RawValue>> = serde_json::from_str(text).ok()?;
    let Document { action: Action { tool, arguments } } = document;
    Some(RawCall { id: String::new(), name: tool, arguments: arguments.get().to_owned() })
}

/// The call in an answer of a model that was not held to its form: one fenced block, or bare JSON, naming a tool on offer in
/// one of the forms that models have learned.
pub(super) fn lenient_call(text: &str, tools: &[&ToolSpec]) -> Option<RawCall> {
    let found: Value = serde_json::from_str(fenced(text).unwrap_or(text).trim()).ok()?;
    let action =
        found.get("action").or_else(|| found.get("function")).filter(|inner| inner.is_object()).unwrap_or(&found);
    let name = action.get("tool").or_else(|| action.get("name"))?.as_str()?;
    let arguments = match action.get("arguments").or_else(|| action.get("parameters"))? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let on_offer = tools.iter().any(|tool| tool.name == name);
    on_offer.then(|| RawCall { id: String::new(), name: name.to_owned(), arguments })
}

/// What is inside the only fence of a text; nothing when there is none or several.
fn fenced(text: &str) -> Option<&str> {
    let mut parts = text.split("```");
    let (_, inside, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(inside.strip_prefix("json").unwrap_or(inside))
}
