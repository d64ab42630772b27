//! Responses as they come. The last event holds the whole answer again; that is what counts.

use agent::ReplySink as _;
use serde::Deserialize;
use serde_json::Value;

use super::relay::Relay;
use super::transport::{Gather, judge_within};
use crate::model::ModelError;

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    delta: Value,
    #[serde(default)]
    item: Value,
    #[serde(default)]
    response: Value,
}

/// Gathers one answer.
pub(super) struct ResponsesStream {
    sink: Option<Relay>,
    document: bool,
    /// Items that are done, for servers whose last event leaves them out.
    items: Vec<Value>,
    whole: Option<Value>,
    handed_on: bool,
}

impl ResponsesStream {
    pub(super) fn new(sink: Option<Relay>, document: bool) -> Self {
        Self { sink, document, items: Vec::new(), whole: None, handed_on: false }
    }
}

impl Gather for ResponsesStream {
    fn event(&mut self, data: &str) -> Result<(), ModelError> {
        if data.trim().is_empty() || data.trim() == "[DONE]" {
            return Ok(());
        }
        let event: Event = serde_json::from_str(data)
            .map_err(|_| ModelError::Malformed("an event is not what Responses sends".to_owned()))?;
        match event.r#type.as_str() {
            "response.output_text.delta" => {
                if let (Some(text), Some(sink), false) = (event.delta.as_str(), &self.sink, self.document) {
                    sink.text(text);
                    self.handed_on = true;
                }
            }
            "response.output_item.added" => {
                let is_call = event.item.get("type").and_then(Value::as_str) == Some("function_call");
                let name = event.item.get("name").and_then(Value::as_str);
                if let (true, Some(name), Some(sink)) = (is_call, name, &self.sink) {
                    sink.call(name);
                    self.handed_on = true;
                }
            }
            "response.output_item.done" => self.items.push(event.item),
            "response.completed" | "response.incomplete" => self.whole = Some(event.response),
            "response.failed" => return Err(judge_within(event.response.to_string().as_bytes())),
            // Its code stands in the event itself.
            "error" => return Err(judge_within(format!("{{\"error\":{data}}}").as_bytes())),
            _ => {}
        }
        Ok(())
    }

    fn handed_on(&self) -> bool {
        self.handed_on
    }

    fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    fn whole(self) -> Value {
        let mut whole = self.whole.unwrap_or_default();
        let empty = whole.get("output").and_then(Value::as_array).is_none_or(Vec::is_empty);
        if let (true, Some(map)) = (empty, whole.as_object_mut()) {
            map.insert("output".to_owned(), Value::Array(self.items));
        }
        whole
    }
}
