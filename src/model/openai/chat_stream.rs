//! Chat Completions as they come: pieces of words and calls, gathered.
//!
//! Calls are gathered by their `index`. Servers that leave it out, repeat names, send whole objects as arguments, give every
//! parallel call the same index, or end without `[DONE]` are understood.

use agent::{RawCall, ReplySink as _};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::words;
use super::chat::{AnswerUsage, IncomingFunction};
use super::relay::Relay;
use super::transport::{Gather, judge_within};
use crate::model::ModelError;

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Option<Vec<ChunkChoice>>,
    #[serde(default)]
    usage: Option<AnswerUsage>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct ChunkChoice {
    #[serde(default)]
    index: Value,
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    #[serde(default)]
    content: Value,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<CallPiece>>,
}

#[derive(Deserialize)]
struct CallPiece {
    #[serde(default)]
    index: Value,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: Option<IncomingFunction>,
}

/// A call being written.
struct Open {
    index: Option<u64>,
    call: RawCall,
}

/// Gathers one answer.
pub(super) struct ChatStream {
    sink: Option<Relay>,
    /// Words are a document for us, not for whoever reads along.
    document: bool,
    text: Option<String>,
    refusal: Option<String>,
    calls: Vec<Open>,
    finish: Option<String>,
    usage: Option<AnswerUsage>,
    model: Option<String>,
    handed_on: bool,
    done: bool,
    spoke: bool,
}

impl ChatStream {
    pub(super) fn new(sink: Option<Relay>, document: bool) -> Self {
        Self {
            sink,
            document,
            text: None,
            refusal: None,
            calls: Vec::new(),
            finish: None,
            usage: None,
            model: None,
            handed_on: false,
            done: false,
            spoke: false,
        }
    }

    fn say(&mut self, delta: &str) {
        self.text.get_or_insert_default().push_str(delta);
        if let (Some(sink), false) = (&self.sink, self.document) {
            sink.text(delta);
            self.handed_on = true;
        }
    }

    fn piece(&mut self, piece: CallPiece) {
        let function = piece.function.unwrap_or_default();
        let id = piece.id.unwrap_or_default();
        let name = function.name.unwrap_or_default();
        let index = piece.index.as_u64();
        let known = self.place(index, &id, &name);
        let at = known.unwrap_or_else(|| {
            let call = RawCall { id: String::new(), name: String::new(), arguments: String::new() };
            self.calls.push(Open { index, call });
            self.calls.len() - 1
        });
        let Some(Open { call, .. }) = self.calls.get_mut(at) else { return };
        if call.id.is_empty() {
            call.id = id;
        }
        // Some servers repeat the name with every piece, some write it in pieces.
        let begins = call.name.is_empty() && !name.is_empty();
        if begins || (call.arguments.is_empty() && name != call.name) {
            call.name.push_str(&name);
        }
        match function.arguments {
            Some(Value::String(text)) => call.arguments.push_str(&text),
            Some(Value::Null) | None => {}
            Some(object) => call.arguments = object.to_string(),
        }
        if let (true, Some(sink)) = (begins, &self.sink) {
            sink.call(&name);
            self.handed_on = true;
        }
    }

    /// The call that a piece belongs to; `None` for a new one.
    fn place(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        let other_id = |open: &Open| !id.is_empty() && !open.call.id.is_empty() && open.call.id != id;
        let found = match index {
            Some(index) => self.calls.iter().rposition(|open| open.index == Some(index)),
            None if id.is_empty() => self.calls.len().checked_sub(1),
            None => self.calls.iter().rposition(|open| open.call.id == id),
        }?;
        let open = self.calls.get(found)?;
        // One index for every parallel call: told apart by id and name.
        let another = other_id(open) && !name.is_empty();
        // No index and no id: a name after arguments begins the next call.
        let next = index.is_none() && id.is_empty() && !name.is_empty() && !open.call.arguments.is_empty();
        (!another && !next).then_some(found)
    }
}

impl Gather for ChatStream {
    fn event(&mut self, data: &str) -> Result<(), ModelError> {
        if self.done || data.trim().is_empty() {
            return Ok(());
        }
        if data.trim() == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_str(data)
            .map_err(|_| ModelError::Malformed("an event is not what Chat Completions sends".to_owned()))?;
        if chunk.error.is_some_and(|error| !error.is_null()) {
            return Err(judge_within(data.as_bytes()));
        }
        if chunk.usage.is_some() {
            self.usage = chunk.usage;
        }
        if self.model.is_none() {
            self.model = chunk.model.filter(|model| !model.is_empty());
        }
        // We ask for one choice.
        let first = |choice: &ChunkChoice| choice.index.as_u64().unwrap_or(0) == 0;
        for choice in chunk.choices.unwrap_or_default().into_iter().filter(first) {
            self.spoke = true;
            let delta = choice.delta.unwrap_or_default();
            if let Some(text) = words(&delta.content) {
                self.say(&text);
            }
            if let Some(text) = delta.refusal {
                self.refusal.get_or_insert_default().push_str(&text);
            }
            delta.tool_calls.into_iter().flatten().for_each(|piece| self.piece(piece));
            // An empty word is no reason: some servers send it with every piece.
            if let Some(word) = choice.finish_reason.filter(|word| !word.is_empty()) {
                self.finish = Some(word);
            }
        }
        Ok(())
    }

    fn handed_on(&self) -> bool {
        self.handed_on
    }

    fn is_whole(&self) -> bool {
        self.done || self.finish.is_some()
    }

    fn whole(self) -> Value {
        let call = |Open { call, .. }| {
            let RawCall { id, name, arguments } = call;
            json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
        };
        let calls: Vec<Value> = self.calls.into_iter().map(call).collect();
        let message = json!({ "content": self.text, "refusal": self.refusal, "tool_calls": calls });
        let choice = json!({ "index": 0, "message": message, "finish_reason": self.finish });
        // A server that said nothing made no choice.
        let choices: Vec<Value> = self.spoke.then_some(choice).into_iter().collect();
        json!({ "model": self.model, "choices": choices, "usage": self.usage })
    }
}
