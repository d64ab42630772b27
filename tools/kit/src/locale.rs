//! Languages as types.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A primary language subtag in lower case, such as `en` or `de` (BCP 47).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(Cow<'static, str>);

/// A text that is not a language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a language tag such as en or de-AT")]
pub struct InvalidLanguage(String);

impl Language {
    /// English.
    pub const EN: Self = Self(Cow::Borrowed("en"));
    /// German.
    pub const DE: Self = Self(Cow::Borrowed("de"));

    /// Takes `de`, `de-AT` or `de_AT` and keeps the primary subtag.
    pub fn parse(text: &str) -> Result<Self, InvalidLanguage> {
        let primary = text.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        if (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase()) {
            Ok(Self(Cow::Owned(primary)))
        } else {
            Err(InvalidLanguage(text.chars().filter(|c| !c.is_control()).take(20).collect()))
        }
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl TryFrom<String> for Language {
    type Error = InvalidLanguage;
    fn try_from(text: String) -> Result<Self, InvalidLanguage> {
        Self::parse(&text)
    }
}
impl From<Language> for String {
    fn from(language: Language) -> String {
        language.0.into_owned()
    }
}
impl JsonSchema for Language {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Language".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
