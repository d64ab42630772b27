//! Counts how often the same call was made, whatever the order of its arguments.

use std::collections::BTreeMap;

use kit::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::transcript::ToolCall;

/// Calls by digest of name and canonical arguments: the size of an entry does not depend on what a model writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Repeats(BTreeMap<Digest, u32>);

impl Repeats {
    /// How often this call was made before.
    pub(super) fn of(&self, call: &ToolCall) -> u32 {
        self.0.get(&key(call)).copied().unwrap_or(0)
    }

    /// Counts the call in.
    pub(super) fn count(&mut self, call: &ToolCall) {
        let times = self.0.entry(key(call)).or_default();
        *times = times.saturating_add(1);
    }
}

fn key(call: &ToolCall) -> Digest {
    Digest::of_parts([call.name.as_str(), &canonical(&call.arguments)])
}

/// JSON with sorted keys and no blanks; text that is no JSON as it is.
fn canonical(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(value) => sorted(value).to_string(),
        Err(_) => arguments.trim().to_owned(),
    }
}

/// Depth is bounded: serde_json reads at most 128 levels.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let by_key: BTreeMap<String, Value> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(by_key.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_blanks_do_not_make_another_call() {
        assert_eq!(canonical(r#"{"b":[{"y":1,"x":2}],"a":null}"#), r#"{"a":null,"b":[{"x":2,"y":1}]}"#);
        assert_eq!(canonical(" { \"a\" : 1.0 } "), r#"{"a":1.0}"#);
        assert_ne!(canonical("[1,2]"), canonical("[2,1]"));
    }

    #[test]
    fn text_that_is_no_json_is_compared_as_it_is() {
        assert_eq!(canonical(" {\"a\": \n"), "{\"a\":");
        let deep = "[".repeat(100_000);
        assert_eq!(canonical(&deep), deep);
    }
}
