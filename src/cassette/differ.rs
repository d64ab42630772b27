//! Where a request differs from the recorded one that comes nearest, in words.

use serde_json::Value;

use super::tape::{Asked, Content};

/// Differences that are shown.
const SHOWN: usize = 6;
/// Characters of a value that are shown, from where it differs.
const EXCERPT: usize = 60;
/// Characters before that place.
const LEAD: usize = 20;

/// The differences to the nearest of these.
pub(super) fn nearest<'a>(asked: &Asked, recorded: impl Iterator<Item = &'a Asked>) -> String {
    let near = recorded.map(|other| differences(other, asked)).min_by_key(Vec::len);
    let Some(found) = near else {
        return format!("{}; everything recorded was asked for already", asked.title());
    };
    let more = found.len().saturating_sub(SHOWN);
    let mut lines: Vec<String> = found.into_iter().take(SHOWN).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    format!("{}; against the nearest one recorded:\n  {}", asked.title(), lines.join("\n  "))
}

fn differences(recorded: &Asked, now: &Asked) -> Vec<String> {
    let mut found = Vec::new();
    let mut plain = |place: &str, a: &str, b: &str| {
        if a != b {
            found.push(sentence(place, a, b));
        }
    };
    plain("method", &recorded.method, &now.method);
    plain("path", &recorded.path, &now.path);
    let names: std::collections::BTreeSet<&String> = recorded.headers.keys().chain(now.headers.keys()).collect();
    let of = |asked: &Asked, name: &String| asked.headers.get(name).cloned().unwrap_or_else(|| "nothing".to_owned());
    for name in names {
        plain(&format!("header {name}"), &of(recorded, name), &of(now, name));
    }
    match (&recorded.body, &now.body) {
        (Content::Json(a), Content::Json(b)) => json("body", a, b, &mut found),
        (Content::Text(a) | Content::Bytes(a), Content::Text(b) | Content::Bytes(b)) => {
            if a != b {
                found.push(sentence("body", a, b));
            }
        }
        (a, b) => found.push(format!("body: recorded {}, now {}", kind(a), kind(b))),
    }
    found
}

fn kind(content: &Content) -> &'static str {
    match content {
        Content::Json(_) => "JSON",
        Content::Text(_) => "text",
        Content::Bytes(_) => "bytes",
    }
}

fn json(place: &str, recorded: &Value, now: &Value, found: &mut Vec<String>) {
    match (recorded, now) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, inner) in a {
                match b.get(key) {
                    Some(other) => json(&format!("{place}.{key}"), inner, other, found),
                    None => found.push(format!("{place}.{key}: recorded, now missing")),
                }
            }
            found.extend(b.keys().filter(|key| !a.contains_key(*key)).map(|key| format!("{place}.{key}: new")));
        }
        (Value::Array(a), Value::Array(b)) => {
            for (i, (inner, other)) in a.iter().zip(b).enumerate() {
                json(&format!("{place}[{i}]"), inner, other, found);
            }
            if a.len() != b.len() {
                found.push(format!("{place}: recorded {} entries, now {}", a.len(), b.len()));
            }
        }
        (Value::String(a), Value::String(b)) if a != b => found.push(sentence(place, a, b)),
        (a, b) if a != b => found.push(format!("{place}: recorded {}, now {}", value(a), value(b))),
        _ => {}
    }
}

/// A number or word as it is; a whole list or object only by its beginning.
fn value(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= EXCERPT { text } else { excerpt(&text, 0) }
}

fn sentence(place: &str, recorded: &str, now: &str) -> String {
    let same = recorded.chars().zip(now.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(LEAD);
    format!("{place}: recorded {}, now {}", excerpt(recorded, from), excerpt(now, from))
}

/// A piece in quotes, with dots where something is left out.
fn excerpt(text: &str, from: usize) -> String {
    let piece: String = text.chars().skip(from).take(EXCERPT).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if text.chars().count() > from + EXCERPT { "…" } else { "" };
    format!("{before}{piece:?}{after}")
}
