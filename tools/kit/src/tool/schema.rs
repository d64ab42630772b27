//! Strict tool schemas from Rust types.
//!
//! What `strict: true` servers demand differs from what schemars emits; every difference is either mended here or
//! refused, so that a bad argument type fails at start-up and not in front of a model:
//! every object closed and every property required (optional means nullable), `oneOf` turned into `anyOf`, documented
//! string enums folded, no `$ref`, no annotations that servers reject; maps, free JSON, tuples, recursion, untagged
//! unions and a union at the root are refused.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// Why a type has no strict schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A map with free keys.
    #[error("{0}: a map has no strict schema; use a list of objects with a name field")]
    Map(String),
    /// `serde_json::Value` or another schema that allows anything.
    #[error("{0}: free JSON has no strict schema; give it a type")]
    Anything(String),
    /// A tuple.
    #[error("{0}: a tuple has no strict schema; use a struct")]
    Tuple(String),
    /// A recursive type.
    #[error("{0}: a recursive type cannot be inlined")]
    Recursive(String),
    /// The arguments are not one object.
    #[error("arguments must be one struct, not a union or a scalar")]
    Root,
    /// A default on a field that is not optional: strict makes it required, serde then refuses null.
    #[error("{0}: `serde(default)` has no strict form; use Option")]
    Default(String),
    /// A union whose members cannot be told apart by a constant.
    #[error("{0}: members of a union need a tag (serde tag) to be told apart")]
    Untagged(String),
    /// A keyword that no strict server takes.
    #[error("{at}: keyword `{keyword}` has no strict form")]
    Keyword {
        /// Where.
        at: String,
        /// Which.
        keyword: String,
    },
    /// Not JSON.
    #[error("{0}")]
    Json(String),
}

/// The strict schema of `T`.
pub fn strict<T: JsonSchema>() -> Result<Value, SchemaError> {
    let generator = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).into_generator();
    let schema =
        serde_json::to_value(generator.into_root_schema_for::<T>()).map_err(|e| SchemaError::Json(e.to_string()))?;
    let Value::Object(root) = schema else { return Err(SchemaError::Root) };
    if root.get("type").and_then(Value::as_str) != Some("object") {
        return Err(SchemaError::Root);
    }
    node(Value::Object(root), "arguments")
}

fn node(schema: Value, at: &str) -> Result<Value, SchemaError> {
    let mut map = match schema {
        Value::Object(map) if !map.is_empty() => map,
        Value::Object(_) | Value::Bool(true) => return Err(SchemaError::Anything(at.to_owned())),
        other => return Err(SchemaError::Json(format!("{at}: {other}"))),
    };
    for dropped in ["$schema", "title", "format", "examples"] {
        map.shift_remove(dropped);
    }
    match map.shift_remove("default") {
        None | Some(Value::Null) => {}
        Some(_) => return Err(SchemaError::Default(at.to_owned())),
    }
    if map.contains_key("$ref") || map.contains_key("$defs") {
        return Err(SchemaError::Recursive(at.to_owned()));
    }
    if map.contains_key("prefixItems") {
        return Err(SchemaError::Tuple(at.to_owned()));
    }
    if let Some(members) = map.shift_remove("oneOf").or_else(|| map.shift_remove("anyOf")) {
        return union(map, members, at);
    }
    if let Some(constant) = map.shift_remove("const") {
        map.insert("enum".to_owned(), Value::Array(vec![constant]));
        map.entry("type").or_insert_with(|| Value::from("string"));
    }
    if is_type(&map, "object") {
        return object(map, at);
    }
    if is_type(&map, "array") {
        let items = map.shift_remove("items").ok_or_else(|| SchemaError::Anything(format!("{at}[]")))?;
        let items = node(items, &format!("{at}[]"))?;
        map.insert("items".to_owned(), items);
    }
    if !map.contains_key("type") && !map.contains_key("enum") {
        return Err(SchemaError::Anything(at.to_owned()));
    }
    known_keywords(map, at)
}

fn is_type(map: &Map<String, Value>, name: &str) -> bool {
    match map.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|t| t == name),
        _ => false,
    }
}

fn object(mut map: Map<String, Value>, at: &str) -> Result<Value, SchemaError> {
    match map.shift_remove("additionalProperties") {
        None | Some(Value::Bool(false)) => {}
        Some(_) => return Err(SchemaError::Map(at.to_owned())),
    }
    let required: Vec<String> = match map.shift_remove("required") {
        Some(Value::Array(names)) => names.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let properties = match map.shift_remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    let mut strict = Map::new();
    for (name, schema) in properties {
        let place = format!("{at}.{name}");
        let schema = node(schema, &place)?;
        if !required.contains(&name) && !nullable(&schema) {
            return Err(SchemaError::Default(place));
        }
        strict.insert(name, schema);
    }
    let names = strict.keys().cloned().map(Value::String).collect();
    map.insert("properties".to_owned(), Value::Object(strict));
    map.insert("required".to_owned(), Value::Array(names));
    map.insert("additionalProperties".to_owned(), Value::Bool(false));
    known_keywords(map, at)
}

/// True when `null` fits the schema.
pub(super) fn nullable(schema: &Value) -> bool {
    let of_type = |schema: &Value| match schema.get("type") {
        Some(Value::String(one)) => one == "null",
        Some(Value::Array(many)) => many.iter().any(|t| t == "null"),
        _ => false,
    };
    of_type(schema) || schema.get("anyOf").and_then(Value::as_array).is_some_and(|members| members.iter().any(of_type))
}

fn union(mut map: Map<String, Value>, members: Value, at: &str) -> Result<Value, SchemaError> {
    let Value::Array(members) = members else { return Err(SchemaError::Json(format!("{at}: union is no list"))) };
    let members: Vec<Value> = members.into_iter().map(|m| node(m, at)).collect::<Result<_, _>>()?;
    let is_null = |m: &Value| m.get("type").and_then(Value::as_str) == Some("null");
    let is_words = |m: &Value| m.get("enum").is_some() && m.get("type").and_then(Value::as_str) == Some("string");
    let null = members.iter().any(is_null);
    let others: Vec<&Value> = members.iter().filter(|m| !is_null(m)).collect();
    if !others.is_empty() && others.iter().all(|m| is_words(m)) {
        return Ok(Value::Object(fold_words(map, &others, null)));
    }
    // `Option<Object>` is told apart by null; two objects need a tag.
    let tagged = |m: &Value| {
        m.get("properties")
            .and_then(Value::as_object)
            .is_some_and(|p| p.values().any(|v| v.get("enum").and_then(Value::as_array).is_some_and(|e| e.len() == 1)))
    };
    if others.len() > 1 && !others.iter().all(|m| tagged(m)) {
        return Err(SchemaError::Untagged(at.to_owned()));
    }
    for property in ["type", "properties", "required", "additionalProperties"] {
        if map.shift_remove(property).is_some() {
            return Err(SchemaError::Keyword { at: at.to_owned(), keyword: property.to_owned() });
        }
    }
    map.insert("anyOf".to_owned(), Value::Array(members));
    known_keywords(map, at)
}

/// String variants, documented one by one, become one enum; their documentation moves into the description.
fn fold_words(mut map: Map<String, Value>, members: &[&Value], null: bool) -> Map<String, Value> {
    let mut words = Vec::new();
    let mut notes = Vec::new();
    for member in members {
        let own: Vec<Value> = member.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
        if let (Some(note), Some(Value::String(word))) =
            (member.get("description").and_then(Value::as_str), own.first())
        {
            notes.push(if own.len() == 1 { format!("{word}: {note}") } else { note.to_owned() });
        }
        words.extend(own);
    }
    let mut description =
        map.shift_remove("description").and_then(|d| d.as_str().map(str::to_owned)).unwrap_or_default();
    if !notes.is_empty() {
        if !description.is_empty() {
            description.push(' ');
        }
        description.push_str(&notes.join(" "));
    }
    if !description.is_empty() {
        map.insert("description".to_owned(), Value::String(description));
    }
    let string = Value::from("string");
    map.insert("type".to_owned(), if null { Value::Array(vec![string, Value::from("null")]) } else { string });
    if null {
        words.push(Value::Null);
    }
    map.insert("enum".to_owned(), Value::Array(words));
    map
}

fn known_keywords(map: Map<String, Value>, at: &str) -> Result<Value, SchemaError> {
    const KNOWN: [&str; 18] = [
        "type",
        "description",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "anyOf",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "pattern",
        "minItems",
        "maxItems",
        "multipleOf",
    ];
    if let Some(keyword) = map.keys().find(|k| !KNOWN.contains(&k.as_str())) {
        return Err(SchemaError::Keyword { at: at.to_owned(), keyword: keyword.clone() });
    }
    Ok(Value::Object(map))
}

#[cfg(test)]
mod tests {
    #![allow(dead_code)]

    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Tone {
        /// Friendly.
        Warm,
        /// To the point.
        Plain,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Piece {
        /// Words.
        Words { text: String },
        /// A product.
        Product { fact: crate::FactId },
    }

    /// What to write.
    #[derive(Deserialize, JsonSchema)]
    struct Args {
        /// Why, before what.
        reason: String,
        /// The tone.
        tone: Tone,
        second_tone: Option<Tone>,
        #[schemars(length(min = 1, max = 3))]
        pieces: Vec<Piece>,
        #[schemars(range(min = 1, max = 20))]
        limit: Option<u32>,
        piece: Option<Piece2>,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Piece2 {
        n: i64,
    }

    #[test]
    fn a_typical_argument_type_becomes_strict() {
        insta::assert_json_snapshot!(strict::<Args>().unwrap());
    }

    #[derive(Deserialize, JsonSchema)]
    struct WithMap {
        m: HashMap<String, String>,
    }
    #[derive(Deserialize, JsonSchema)]
    struct WithValue {
        v: serde_json::Value,
    }
    #[derive(Deserialize, JsonSchema)]
    struct WithTuple {
        t: (u32, String),
    }
    #[derive(Deserialize, JsonSchema)]
    struct Recursive {
        next: Option<Box<Recursive>>,
    }
    #[derive(Deserialize, JsonSchema)]
    struct WithDefault {
        #[serde(default)]
        n: u32,
    }
    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    enum Untagged {
        A { a: String },
        B { b: String },
    }
    #[derive(Deserialize, JsonSchema)]
    struct WithUntagged {
        u: Untagged,
    }

    #[test]
    fn what_servers_would_refuse_is_refused_at_registration() {
        assert_eq!(strict::<WithMap>(), Err(SchemaError::Map("arguments.m".into())));
        assert_eq!(strict::<WithValue>(), Err(SchemaError::Anything("arguments.v".into())));
        assert_eq!(strict::<WithTuple>(), Err(SchemaError::Tuple("arguments.t".into())));
        assert_eq!(strict::<Recursive>(), Err(SchemaError::Recursive("arguments.next".into())));
        assert_eq!(strict::<WithDefault>(), Err(SchemaError::Default("arguments.n".into())));
        assert_eq!(strict::<WithUntagged>(), Err(SchemaError::Untagged("arguments.u".into())));
        assert_eq!(strict::<Piece>(), Err(SchemaError::Root));
        assert_eq!(strict::<String>(), Err(SchemaError::Root));
    }
}
