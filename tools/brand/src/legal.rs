//! Which law about content is kept by which rule. `legal.toml` is the table; a test runs the examples of every rule it names.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

const FILE: &str = include_str!("legal.toml");

/// A law, and what keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Law {
    /// Its short name, such as `us.canspam.subject`.
    pub id: String,
    /// Where it stands.
    pub source: String,
    /// What it asks of a message.
    pub asks: String,
    /// The content rules that keep it.
    #[serde(default)]
    pub kept_by: Vec<String>,
    /// What else keeps it, in code that is no content rule.
    #[serde(default)]
    pub elsewhere: Vec<String>,
    /// What a lawyer must still confirm.
    pub confirm: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    law: Vec<Law>,
}

/// The whole table.
pub fn all() -> &'static [Law] {
    static READ: OnceLock<Vec<Law>> = OnceLock::new();
    READ.get_or_init(|| toml::from_str::<File>(FILE).map(|f| f.law).unwrap_or_default())
}

/// A law by its short name.
pub fn of(id: &str) -> Option<&'static Law> {
    all().iter().find(|law| law.id == id)
}
