//! A passing and a failing example of every built-in rule, run by the tests and shown by `brand explain`.
//!
//! An example is one text in a plain message (`text` and the place it stands in), or a change of that message or of the facts
//! behind it. `examples.toml` holds them; nothing here describes what a rule does, the engine says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use jiff::Timestamp;
use kit::message::{Draft, Finding};
use kit::{FactBook, FlowId, Language};
use serde::Deserialize;
use serde_json::Value;

use crate::book::{CheckContext, RuleBook};

const FILE: &str = include_str!("examples.toml");

/// One half of an example: what is changed in the plain message.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// A text instead of the plain one.
    text: Option<String>,
    /// Changes of the message, as JSON: objects are merged, `null` removes, lists take `{"position": element}`.
    message: Option<String>,
    /// Changes of the facts, likewise.
    facts: Option<String>,
    /// In words, where the change alone does not say it.
    says: Option<String>,
}

/// Both halves for one rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    rule: String,
    /// Where the text stands: `paragraph` (as usual), `subject`, `preheader`, `label` or `reason`.
    #[serde(default)]
    place: Place,
    #[serde(default)]
    language: Tongue,
    flow: Option<String>,
    passes: Case,
    fails: Case,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    #[default]
    Paragraph,
    Subject,
    Preheader,
    Label,
    Reason,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tongue {
    #[default]
    En,
    De,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The plain message, English and German, and its facts, as JSON.
    plain_en: String,
    plain_de: String,
    facts: String,
    example: Vec<Example>,
}

/// Why an example cannot be run: the data are broken, which the tests of this crate would show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("examples.toml: {0}")]
pub struct ExampleError(String);

fn file() -> Option<&'static File> {
    static READ: OnceLock<Option<File>> = OnceLock::new();
    READ.get_or_init(|| toml::from_str(FILE).ok()).as_ref()
}

/// The example of a built-in rule.
pub fn of(rule: &str) -> Option<&'static Example> {
    file()?.example.iter().find(|e| e.rule == rule)
}

/// All rules that have one, in the file's order.
pub fn rules() -> Vec<&'static str> {
    file().map(|f| f.example.iter().map(|e| e.rule.as_str()).collect()).unwrap_or_default()
}

impl Example {
    /// The half that passes, in words.
    pub fn passing(&self) -> String {
        self.shown(&self.passes)
    }

    /// The half that is found, in words.
    pub fn failing(&self) -> String {
        self.shown(&self.fails)
    }

    fn shown(&self, case: &Case) -> String {
        let place = match self.place {
            Place::Paragraph => "",
            Place::Subject => "subject: ",
            Place::Preheader => "preheader: ",
            Place::Label => "button: ",
            Place::Reason => "reason: ",
        };
        match (&case.says, &case.text) {
            (Some(words), _) => words.clone(),
            (None, Some(text)) => format!("{place}{text}"),
            (None, None) => "a plain message about the cart".to_owned(),
        }
    }

    /// What the rules find in the passing half.
    ///
    /// # Errors
    /// When the data are broken.
    pub fn check_passing(&self, book: &RuleBook) -> Result<Vec<Finding>, ExampleError> {
        self.check(book, &self.passes)
    }

    /// What the rules find in the failing half.
    ///
    /// # Errors
    /// When the data are broken.
    pub fn check_failing(&self, book: &RuleBook) -> Result<Vec<Finding>, ExampleError> {
        self.check(book, &self.fails)
    }

    fn check(&self, book: &RuleBook, case: &Case) -> Result<Vec<Finding>, ExampleError> {
        let broken = |what: &str, why: &dyn std::fmt::Display| ExampleError(format!("{}: {what}: {why}", self.rule));
        let file = file().ok_or_else(|| ExampleError("it cannot be read".to_owned()))?;
        let (plain, language) = match self.language {
            Tongue::En => (&file.plain_en, Language::EN),
            Tongue::De => (&file.plain_de, Language::DE),
        };
        let json = |what: &str, text: &str| serde_json::from_str::<Value>(text).map_err(|e| broken(what, &e));
        let mut message = json("plain message", plain)?;
        if let Some(text) = &case.text {
            let change = match self.place {
                Place::Paragraph => serde_json::json!({"blocks": {"1": {"text": text}}}),
                Place::Subject => serde_json::json!({"subjects": {"1": text}}),
                Place::Preheader => serde_json::json!({"preheader": text}),
                Place::Label => serde_json::json!({"blocks": {"3": {"label": text}}}),
                Place::Reason => serde_json::json!({"blocks": {"2": {"reason": text}}}),
            };
            merge(&mut message, &change);
        }
        if let Some(change) = &case.message {
            merge(&mut message, &json("message", change)?);
        }
        let mut facts = json("facts", &file.facts)?;
        if let Some(change) = &case.facts {
            merge(&mut facts, &json("facts", change)?);
        }
        let draft: Draft = serde_json::from_value(message).map_err(|e| broken("message", &e))?;
        let facts: FactBook = serde_json::from_value(facts).map_err(|e| broken("facts", &e))?;
        let flow = FlowId::new(self.flow.as_deref().unwrap_or("abandoned-checkout")).map_err(|e| broken("flow", &e))?;
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().map_err(|e| broken("now", &e))?;
        let tags = BTreeMap::from([("TT-1001".to_owned(), BTreeSet::from(["membrane".to_owned()]))]);
        let context = CheckContext {
            language: &language,
            now,
            shop_name: "Tarn & Trail",
            link_hosts: &["www.tarnandtrail.example".to_owned()],
            flow: &flow,
            product_tags: &tags,
            learned: None,
        };
        Ok(book.check(&draft, &facts, &context))
    }
}

/// JSON merge in the manner of RFC 7396, with lists changed by position.
fn merge(base: &mut Value, change: &Value) {
    match (base, change) {
        (Value::Object(base), Value::Object(change)) => {
            for (key, value) in change {
                if value.is_null() {
                    base.remove(key);
                } else {
                    merge(base.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        (Value::Array(base), Value::Object(change)) => {
            // From the back, so that positions stay what they were.
            for (key, value) in change.iter().rev() {
                let Ok(at) = key.parse::<usize>() else { continue };
                match (base.get_mut(at), value) {
                    (Some(_), Value::Null) => drop(base.remove(at)),
                    (Some(element), Value::Object(fields)) if !fields.contains_key("type") => merge(element, value),
                    (Some(element), _) => *element = value.clone(),
                    (None, _) => base.push(value.clone()),
                }
            }
        }
        (base, change) => *base = change.clone(),
    }
}
