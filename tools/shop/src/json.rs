//! The reader under every adapter: limits first, then serde with paths, numbers as they were written.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::error::{Fault, WebhookError, field};

/// The longest body read, in bytes. Shopify's largest orders stay well below.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// The deepest nesting read. Real bodies have fewer than ten levels.
pub const MAX_DEPTH: usize = 64;

/// Checks size, encoding and depth before anything is parsed.
pub(crate) fn guard(body: &[u8]) -> Result<&str, WebhookError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(WebhookError::TooLarge { bytes: body.len(), limit: MAX_BODY_BYTES });
    }
    let text = std::str::from_utf8(body).map_err(|e| WebhookError::NotUtf8 { at: e.valid_up_to() })?;
    // Some senders put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    depth(text)?;
    Ok(text)
}

/// Counts brackets outside strings: cheaper than parsing, and no recursion.
fn depth(text: &str) -> Result<(), WebhookError> {
    let (mut open, mut in_string, mut escaped) = (0usize, false, false);
    let (mut line, mut column) = (1usize, 0usize);
    for byte in text.bytes() {
        column += 1;
        match byte {
            b'\n' => (line, column) = (line + 1, 0),
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => open += 1,
            b'}' | b']' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_DEPTH {
            return Err(WebhookError::TooDeep { limit: MAX_DEPTH, line, column });
        }
    }
    Ok(())
}

/// Decodes a body; faults name their path.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Result<T, WebhookError> {
    // serde would also take a struct's fields as a list.
    if text.trim_start().starts_with('[') {
        let why = "a list, expected an object".to_owned();
        return Err(field("$", Fault::Shape { why, line: 1, column: 1 }));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = path(&error.path().to_string());
        broken(path, error.inner())
    })?;
    reader.end().map_err(|error| broken("$".to_owned(), &error))?;
    Ok(value)
}

/// `line_items[0].price` becomes `$.line_items[0].price`; the root, which the reader calls `.`, becomes `$`.
fn path(inner: &str) -> String {
    match inner {
        "." => "$".to_owned(),
        _ if inner.starts_with('[') => format!("${inner}"),
        _ => format!("$.{inner}"),
    }
}

fn broken(path: String, error: &serde_json::Error) -> WebhookError {
    let (line, column) = (error.line(), error.column());
    let why = words(error);
    match error.classify() {
        Category::Data => field(path, Fault::Shape { why, line, column }),
        Category::Syntax | Category::Eof | Category::Io => WebhookError::Malformed { line, column, why },
    }
}

/// The reader's words without its position (we give it ourselves) and without the string it quotes: that may be
/// somebody's address.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    let quoted = text.find("string \"").zip(text.rfind("\", expected"));
    let clean = match quoted.and_then(|(from, to)| Some((text.get(..from)?, text.get(to + 1..)?))) {
        Some((before, after)) => format!("{before}a string{after}"),
        None => text.to_owned(),
    };
    // The names of our types mean nothing to a sender.
    let clean = match clean.split_once("expected struct ") {
        Some((found, _)) => format!("{found}expected an object"),
        None => clean,
    };
    clean.chars().filter(|c| !c.is_control()).take(160).collect()
}

/// An id as the sender wrote it: a string, or a whole number of any length.
#[derive(Debug, Clone)]
pub(crate) struct IdText(pub(crate) String);

impl<'de> Deserialize<'de> for IdText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('"') {
            return serde_json::from_str(raw).map(Self).map_err(D::Error::custom);
        }
        if raw.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(raw.to_owned()));
        }
        Err(D::Error::custom(format_args!("an id is a string or a whole number, found {}", Kind(raw))))
    }
}

/// An amount as the sender wrote it: a decimal string or a number. The currency is applied later.
#[derive(Debug, Clone)]
pub(crate) struct AmountText(pub(crate) String);

impl<'de> Deserialize<'de> for AmountText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('"') {
            return serde_json::from_str(raw).map(Self).map_err(D::Error::custom);
        }
        if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Ok(Self(raw.to_owned()));
        }
        Err(D::Error::custom(format_args!("an amount is a decimal string or a number, found {}", Kind(raw))))
    }
}

/// Names the JSON type of a raw value that is no string.
struct Kind<'a>(&'a str);

impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b't' | b'f') => "true or false",
            Some(b'n') => "null",
            Some(_) | None => "another number",
        })
    }
}
