//! Schemas without the keywords that a server refuses. Arguments are validated here against the whole schema in any case.

use std::borrow::Cow;

use kit::tool::ToolSpec;
use serde_json::Value;
use serde_json::value::RawValue;

use super::provider::Quirks;
use crate::model::ModelError;

/// A tool's schema as this server takes it: as it was serialised once, unless something must go.
pub(super) fn parameters<'a>(tool: &'a ToolSpec, quirks: &Quirks) -> Result<Cow<'a, RawValue>, ModelError> {
    if quirks.refused_keywords.is_empty() {
        return Ok(Cow::Borrowed(&tool.parameters_raw));
    }
    let schema = without((*tool.parameters).clone(), quirks.refused_keywords);
    serde_json::value::to_raw_value(&schema).map(Cow::Owned).map_err(|e| ModelError::Malformed(format!("request: {e}")))
}

/// The schema without these keywords. A constant becomes a choice of one, which means the same.
pub(super) fn without(schema: Value, refused: &[&str]) -> Value {
    let Value::Object(map) = schema else { return schema };
    let mut kept = serde_json::Map::new();
    for (keyword, inner) in map {
        let inner = match keyword.as_str() {
            // Under `properties` stand names, not keywords: a field may be called `const`.
            "properties" => fields(inner, refused),
            "anyOf" => each(inner, refused),
            "items" => without(inner, refused),
            _ => inner,
        };
        if !refused.contains(&keyword.as_str()) {
            kept.insert(keyword, inner);
        } else if keyword == "const" {
            kept.insert("enum".to_owned(), Value::Array(vec![inner]));
        }
    }
    Value::Object(kept)
}

fn fields(value: Value, refused: &[&str]) -> Value {
    let Value::Object(map) = value else { return value };
    Value::Object(map.into_iter().map(|(name, schema)| (name, without(schema, refused))).collect())
}

fn each(value: Value, refused: &[&str]) -> Value {
    let Value::Array(members) = value else { return value };
    Value::Array(members.into_iter().map(|member| without(member, refused)).collect())
}
