//! Our own validation of arguments, with faults a model can act on: where, what was found, what is expected.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Faults shown at once: enough to mend a call in one go, few enough to read.
const MAX_FAULTS: usize = 8;
/// Arguments longer than this are refused unread, in bytes.
pub const MAX_ARGUMENT_BYTES: usize = 64 * 1024;

/// What is wrong with a call's arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON path, such as `subjects[2]`.
    pub at: String,
    /// What was found and what is expected.
    pub why: String,
}

impl Faults {
    fn one(at: &str, why: impl Into<String>) -> Self {
        Self(vec![Fault { at: at.to_owned(), why: why.into() }])
    }

    /// The faults in order of place.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the arguments do not fit the schema; mend these and call again:")?;
        for fault in &self.0 {
            write!(f, "\n- {}: {}", if fault.at.is_empty() { "(root)" } else { &fault.at }, fault.why)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Parses, validates against the strict schema, then decodes.
///
/// # Errors
/// All faults found, at most eight.
pub fn arguments<T: DeserializeOwned>(schema: &Value, raw: &str) -> Result<T, Faults> {
    let raw = if raw.trim().is_empty() { "{}" } else { raw };
    if raw.len() > MAX_ARGUMENT_BYTES {
        return Err(Faults::one("", format!("{} bytes of arguments; at most {MAX_ARGUMENT_BYTES}", raw.len())));
    }
    let value: Value = serde_json::from_str(raw).map_err(|e| {
        Faults::one("", format!("not JSON (line {}, column {}); send one JSON object", e.line(), e.column()))
    })?;
    let mut faults = Vec::new();
    check(schema, &value, "", &mut faults);
    if !faults.is_empty() {
        faults.truncate(MAX_FAULTS);
        return Err(Faults(faults));
    }
    // The schema is derived from T, so what is left are the types' own rules (ids, bounds of integers).
    serde_json::from_value(value).map_err(|e| Faults::one("", e.to_string()))
}

fn check(schema: &Value, value: &Value, at: &str, faults: &mut Vec<Fault>) {
    let mut fault = |why: String| faults.push(Fault { at: at.to_owned(), why });
    if let Some(members) = schema.get("anyOf").and_then(Value::as_array) {
        return check_union(members, value, at, faults);
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        if !words.contains(value) {
            fault(format!("{} is not one of {}", show(value), list(words)));
        }
        return;
    }
    let expected: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !expected.is_empty() && !expected.iter().any(|t| has_type(value, t)) {
        return fault(format!("{} is {}, expected {}", show(value), type_of(value), expected.join(" or ")));
    }
    match value {
        Value::String(text) => {
            let length = text.chars().count() as u64;
            if let Some(min) = schema.get("minLength").and_then(Value::as_u64).filter(|m| length < *m) {
                fault(format!("{length} characters, at least {min} needed"));
            } else if let Some(max) = schema.get("maxLength").and_then(Value::as_u64).filter(|m| length > *m) {
                fault(format!("{length} characters, at most {max} allowed"));
            }
        }
        Value::Number(number) => check_number(schema, number.as_f64().unwrap_or(f64::NAN), &mut fault),
        Value::Array(items) => {
            let length = items.len() as u64;
            if let Some(min) = schema.get("minItems").and_then(Value::as_u64).filter(|m| length < *m) {
                fault(format!("{length} items, at least {min} needed"));
            } else if let Some(max) = schema.get("maxItems").and_then(Value::as_u64).filter(|m| length > *m) {
                fault(format!("{length} items, at most {max} allowed"));
            }
            if let Some(item) = schema.get("items") {
                for (i, value) in items.iter().enumerate() {
                    check(item, value, &format!("{at}[{i}]"), faults);
                }
            }
        }
        Value::Object(found) => check_object(schema, found, at, faults),
        Value::Null | Value::Bool(_) => {}
    }
}

fn check_number(schema: &Value, number: f64, fault: &mut dyn FnMut(String)) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    if let Some(min) = bound("minimum").filter(|m| number < *m) {
        fault(format!("{number} is below {min}"));
    }
    if let Some(max) = bound("maximum").filter(|m| number > *m) {
        fault(format!("{number} is above {max}"));
    }
    if let Some(min) = bound("exclusiveMinimum").filter(|m| number <= *m) {
        fault(format!("{number} must be above {min}"));
    }
    if let Some(max) = bound("exclusiveMaximum").filter(|m| number >= *m) {
        fault(format!("{number} must be below {max}"));
    }
}

fn check_object(schema: &Value, found: &serde_json::Map<String, Value>, at: &str, faults: &mut Vec<Fault>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let place = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    for (name, schema) in properties {
        match found.get(name) {
            Some(value) => check(schema, value, &place(name), faults),
            None if super::schema::nullable(schema) => {}
            None => faults.push(Fault { at: place(name), why: "is missing".to_owned() }),
        }
    }
    for name in found.keys().filter(|name| !properties.contains_key(*name)) {
        let known: Vec<&str> = properties.keys().map(String::as_str).collect();
        faults.push(Fault { at: place(name), why: format!("is unknown here; known: {}", known.join(", ")) });
    }
}

/// Members are told apart by their tag, so that faults speak about the member that was meant.
fn check_union(members: &[Value], value: &Value, at: &str, faults: &mut Vec<Fault>) {
    if value.is_null() && members.iter().any(|m| m.get("type").and_then(Value::as_str) == Some("null")) {
        return;
    }
    let tag_of = |member: &Value| -> Option<(String, Value)> {
        member.get("properties")?.as_object()?.iter().find_map(|(name, schema)| {
            match schema.get("enum")?.as_array()?.as_slice() {
                [one] => Some((name.clone(), one.clone())),
                _ => None,
            }
        })
    };
    let others: Vec<&Value> =
        members.iter().filter(|m| m.get("type").and_then(Value::as_str) != Some("null")).collect();
    if let [only] = others.as_slice() {
        return check(only, value, at, faults);
    }
    let tags: Vec<(String, Value)> = others.iter().filter_map(|m| tag_of(m)).collect();
    let meant = others.iter().find(|m| tag_of(m).is_some_and(|(name, word)| value.get(&name) == Some(&word)));
    match meant {
        Some(member) => check(member, value, at, faults),
        None => {
            let name = tags.first().map_or("type", |(name, _)| name.as_str()).to_owned();
            let words: Vec<Value> = tags.into_iter().map(|(_, word)| word).collect();
            faults.push(Fault {
                at: at.to_owned(),
                why: format!("needs an object whose `{name}` is one of {}", list(&words)),
            });
        }
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "integer" => {
            value.is_i64()
                || value.is_u64()
                || value.as_f64().is_some_and(|n| n.fract() == 0.0 && n.abs() < 9e15 && value.is_i64())
        }
        "number" => value.is_number(),
        other => type_of(value) == other,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The value as found, capped: faults go back to a model, they must not echo a flood.
fn show(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 48 { format!("{}…", text.chars().take(48).collect::<String>()) } else { text }
}

fn list(values: &[Value]) -> String {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::super::schema::strict;
    use super::*;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Piece {
        Words { text: String },
        Product { fact: crate::FactId },
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Args {
        #[schemars(length(min = 3, max = 5))]
        subjects: Vec<String>,
        pieces: Vec<Piece>,
        #[schemars(range(min = 1, max = 20))]
        limit: Option<u32>,
    }

    fn run(raw: &str) -> Result<Args, String> {
        arguments::<Args>(&strict::<Args>().unwrap(), raw).map_err(|f| f.to_string())
    }

    #[test]
    fn good_arguments_decode_and_an_absent_optional_is_none() {
        let args = run(r#"{"subjects":["a","b","c"],"pieces":[{"type":"product","fact":"f101"}]}"#).unwrap();
        assert_eq!(args.limit, None);
        assert_eq!(args.pieces, vec![Piece::Product { fact: crate::FactId::new("f101").unwrap() }]);
    }

    #[test]
    fn faults_name_the_place_and_the_mend() {
        insta::assert_snapshot!(
            run(r#"{"subjects":["a"],"pieces":[{"type":"words"},{"type":"video"},7],"limit":50,"to":"x@y.z"}"#)
                .unwrap_err()
        );
        insta::assert_snapshot!(run("{\"subjects\": [").unwrap_err(), @"
        the arguments do not fit the schema; mend these and call again:
        - (root): not JSON (line 1, column 14); send one JSON object
        ");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered_not_panicked(text in ".{0,200}") {
            let _ = run(&text);
        }
    }
}
