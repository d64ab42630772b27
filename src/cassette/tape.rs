//! The file: a head line with the version, then one exchange a line.

use std::collections::BTreeMap;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Answered, Scrub};
use crate::egress::Outgoing;

/// The version of the format.
pub const SCHEMA: &str = "mailwright.cassette/1";

/// Request headers that carry meaning. All others are neither written nor compared: keys, cookies, what a client says of
/// itself.
const MEANINGFUL: [&str; 7] =
    ["accept", "content-type", "idempotency-key", "anthropic-version", "openai-beta", "revision", "x-message-stream"];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    cassette: String,
}

/// A request as it is recorded and compared: without its host, without secrets, without personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Content,
}

/// A body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    /// JSON. Of a request with its keys in order of name.
    Json(Value),
    /// Text.
    Text(String),
    /// Anything else, in hexadecimal.
    Bytes(String),
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) asked: Asked,
    pub(super) answered: Recorded,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Content,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// The first line.
pub(super) fn head() -> String {
    serde_json::json!(Head { cassette: SCHEMA.to_owned() }).to_string()
}

/// Reads a file's text, or says on which line it fails and why.
pub(super) fn read(text: &str) -> Result<Vec<Exchange>, (usize, String)> {
    let mut lines = text.lines().zip(1..);
    let (first, _) = lines.next().ok_or_else(|| (1, "it is empty".to_owned()))?;
    let head: Head = serde_json::from_str(first).map_err(|e| (1, format!("it is no cassette: {e}")))?;
    if head.cassette != SCHEMA {
        return Err((1, format!("it is `{}`; this program reads `{SCHEMA}`", head.cassette)));
    }
    let exchanges = lines.filter(|(line, _)| !line.trim().is_empty());
    exchanges.map(|(line, number)| serde_json::from_str(line).map_err(|e| (number, e.to_string()))).collect()
}

impl Exchange {
    pub(super) fn to_line(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

impl Asked {
    pub(super) fn of(outgoing: &Outgoing, scrub: &Scrub) -> Self {
        let url = &outgoing.url;
        let mut path = scrub.text(url.path());
        let query: Vec<String> = url
            .query_pairs()
            .map(|(name, value)| {
                format!("{name}={}", if scrub.is_secret(&name) { Scrub::SECRET.into() } else { scrub.text(&value) })
            })
            .collect();
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let mut headers = BTreeMap::new();
        for (name, value) in
            outgoing.headers.iter().filter(|(name, value)| MEANINGFUL.contains(&name.as_str()) && !value.is_sensitive())
        {
            headers.insert(name.to_string(), scrub.text(&String::from_utf8_lossy(value.as_bytes())));
        }
        let body = sorted(Content::of(&outgoing.body, scrub));
        Self { method: outgoing.method.to_string(), path, headers, body }
    }

    /// Method and path.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Content {
    fn of(bytes: &[u8], scrub: &Scrub) -> Self {
        if let Ok(json) = serde_json::from_slice(bytes) {
            return Self::Json(scrub.json(json));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(scrub.text(text)),
            Err(_) => Self::Bytes(hex::encode(bytes)),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Json(value) => value.to_string().into_bytes(),
            Self::Text(text) => text.clone().into_bytes(),
            // What cannot be decoded was written by hand; it is then an answer that cannot be read.
            Self::Bytes(hex) => hex::decode(hex).unwrap_or_default(),
        }
    }
}

impl Recorded {
    pub(super) fn of(answered: Answered, scrub: &Scrub) -> Self {
        let kept = [CONTENT_TYPE, RETRY_AFTER];
        let header = |name: &HeaderName| {
            let value = answered.headers.get(name)?;
            Some((name.to_string(), scrub.text(&String::from_utf8_lossy(value.as_bytes()))))
        };
        let headers = kept.iter().filter_map(header).collect();
        let body = Content::of(&answered.body, scrub);
        Self { status: answered.status, headers, body, cut: answered.cut }
    }

    pub(super) fn play(&self) -> Answered {
        let header = |(name, value): (&String, &String)| {
            Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?))
        };
        let headers: HeaderMap = self.headers.iter().filter_map(header).collect();
        Answered { status: self.status, headers, body: self.body.to_bytes(), cut: self.cut }
    }
}

/// Keys in order of name: the order in which a client writes them means nothing.
fn sorted(content: Content) -> Content {
    match content {
        Content::Json(value) => Content::Json(in_order(value)),
        Content::Text(_) | Content::Bytes(_) => content,
    }
}

fn in_order(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> =
                map.into_iter().map(|(key, inner)| (key, in_order(inner))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(in_order).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
