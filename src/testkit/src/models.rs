//! Models of every temper, behind the one trait.
//!
//! None of them reads prompts: what passes with them proves code, not prompts.

mod always;
mod hostile;
mod obedient;
mod talk;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use agent::{ChatModel, FinishReason, Message, ModelError, ModelReply, ModelRequest, RawCall, Usage};
use kit::BoxFuture;
use kit::tool::ToolSpec;
use serde_json::Value;

pub use always::{Asks, GivesUp, Sends};
pub use hostile::Hostile;
pub use obedient::Obedient;
pub use talk::AsksAgain;

type Answer = Result<ModelReply, ModelError>;
type Turn = Box<dyn Fn(&ModelRequest<'_>) -> Answer + Send + Sync>;

/// An answer made of calls.
pub fn calls(calls: impl IntoIterator<Item = (&'static str, Value)>) -> ModelReply {
    let calls = calls.into_iter().zip(1..).map(|((name, arguments), n)| RawCall {
        id: format!("call_{n}"),
        name: name.to_owned(),
        arguments: arguments.to_string(),
    });
    ModelReply {
        text: None,
        calls: calls.collect(),
        finish: FinishReason::ToolCalls,
        usage: Usage::default(),
        model: "test".to_owned(),
    }
}

/// An answer made of words.
pub fn words(text: &str) -> ModelReply {
    ModelReply {
        text: Some(text.to_owned()),
        calls: Vec::new(),
        finish: FinishReason::Stop,
        usage: Usage::default(),
        model: "test".to_owned(),
    }
}

/// Says what a script says, turn by turn. After its end it cannot be reached: a run that goes on longer than its script
/// is a finding, not something to answer.
pub struct Scripted {
    turns: Mutex<VecDeque<Turn>>,
}

impl Scripted {
    /// Answers, one a turn.
    pub fn replies(replies: impl IntoIterator<Item = ModelReply>) -> Self {
        Self::turns(replies.into_iter().map(|reply| -> Turn { Box::new(move |_| Ok(reply.clone())) }))
    }

    /// Closures over the request, one a turn.
    pub fn turns(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self { turns: Mutex::new(turns.into_iter().collect()) }
    }

    /// Turns that were not asked for.
    pub fn left(&self) -> usize {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl ChatModel for Scripted {
    fn profile(&self) -> &str {
        "scripted"
    }

    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>, _: &'a [&'a ToolSpec]) -> BoxFuture<'a, Answer> {
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let answer =
            turn.map_or_else(|| Err(ModelError::Malformed("the script has ended".to_owned())), |turn| turn(request));
        Box::pin(std::future::ready(answer))
    }
}

/// Gives no answer, always for the same reason.
pub struct Failing(pub ModelError);

impl ChatModel for Failing {
    fn profile(&self) -> &str {
        "failing"
    }

    fn complete<'a>(&'a self, _: &'a ModelRequest<'a>, _: &'a [&'a ToolSpec]) -> BoxFuture<'a, Answer> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

/// The draft that stands, as the newest accepted proposal names it.
fn standing_draft(request: &ModelRequest<'_>) -> Option<String> {
    request.messages.iter().rev().find_map(|message| match message {
        Message::Tool { name, content, .. } if name == "propose_message" => {
            let answer: Value = serde_json::from_str(content).ok()?;
            answer.get("draft")?.as_str().map(str::to_owned)
        }
        _ => None,
    })
}

fn offers(request: &ModelRequest<'_>, tool: &str) -> bool {
    request.tools.iter().any(|name| name == tool)
}

/// Facts of products that the tools have told, oldest first.
fn product_facts(request: &ModelRequest<'_>) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                let of_product =
                    map.contains_key("title") && (map.contains_key("product") || map.contains_key("price"));
                if let (true, Some(fact)) = (of_product, map.get("fact").and_then(Value::as_str)) {
                    found.push(fact.to_owned());
                }
                map.values().for_each(|value| collect(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for message in request.messages {
        if let Message::Tool { content, .. } = message
            && let Ok(answer) = serde_json::from_str::<Value>(content)
        {
            collect(&answer, &mut found);
        }
    }
    found
}
