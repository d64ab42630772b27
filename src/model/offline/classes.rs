//! The offline model writes a message class: the same tools as any model, sentences from prompts/classes.
//!
//! It reads what `lookup_class` said, spreads ten subjects over the angles on offer, fills roles with the facts it was
//! given, and takes other lines each time a proposal is turned down.

use std::collections::BTreeMap;

use agent::Message;
use kit::Language;
use kit::campaign::Angle;
use serde::Deserialize;
use serde_json::{Value, json};

/// What the files say they are.
const SCHEMA: &str = "mailwright.classes/1";
/// The tools of a class run.
const LOOKUP: &str = "lookup_class";
const PROPOSE: &str = "propose_class";
const NO_SEND: &str = "decide_no_send";
/// Subjects that are wanted.
const SUBJECTS: usize = 10;
/// Proposals turned down after which it stops.
const MAX_TRIES: usize = 4;

/// The sentences of all languages.
#[derive(Debug, Default)]
pub struct ClassPatterns(BTreeMap<Language, Lines>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    schema: String,
    language: Language,
    why: String,
    preheaders: Vec<String>,
    bodies: Vec<String>,
    reasons: Vec<String>,
    labels: Vec<String>,
    offers: Vec<String>,
    sms: Vec<String>,
    angle: BTreeMap<Angle, AngleLines>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AngleLines {
    subjects: Vec<String>,
    headings: Vec<String>,
    openings: Vec<String>,
}

/// A file of sentences that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {why}")]
pub struct ClassPatternError {
    file: String,
    line: usize,
    why: String,
}

impl ClassPatterns {
    /// Reads the files of a release.
    ///
    /// # Errors
    /// Names file and line of the first that is wrong.
    pub fn parse(files: &[(&String, &String)]) -> Result<Self, ClassPatternError> {
        let mut all = BTreeMap::new();
        for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".toml")) {
            let fault = |line: usize, why: String| ClassPatternError { file: (*path).clone(), line, why };
            let lines: Lines = toml::from_str(text).map_err(|e| {
                let before = e.span().and_then(|s| text.get(..s.start)).unwrap_or_default();
                fault(before.matches('\n').count() + 1, e.message().to_owned())
            })?;
            if lines.schema != SCHEMA {
                return Err(fault(1, format!("schema `{}`; this build reads `{SCHEMA}`", lines.schema)));
            }
            all.insert(lines.language.clone(), lines);
        }
        Ok(Self(all))
    }

    /// Why readers of this language get a campaign.
    pub fn why(&self, language: &Language) -> Option<&str> {
        self.0.get(language).map(|lines| lines.why.as_str())
    }
}

/// The next call in a class run, or nothing when the tools on offer are of another kind of run.
pub(super) fn next(patterns: &ClassPatterns, messages: &[Message], offer: &[String]) -> Option<(&'static str, Value)> {
    let offers = |name: &str| offer.iter().any(|tool| tool == name);
    if offers(LOOKUP) {
        return Some((LOOKUP, json!({ "purpose": "what these readers have in common" })));
    }
    if !offers(PROPOSE) {
        return None;
    }
    let give_up = |reason: &str| Some((NO_SEND, json!({ "code": "other", "reason": reason })));
    let Some(class) = messages.iter().rev().find_map(class_of) else {
        return give_up("What the class has in common could not be read.");
    };
    let language = class.get("language").and_then(Value::as_str).and_then(|l| Language::parse(l).ok());
    let Some(lines) = language.and_then(|language| patterns.0.get(&language)) else {
        return give_up(
            "The offline model has no sentences for classes in this language; another model must write it.",
        );
    };
    let tries = messages.iter().filter(|message| proposed(message)).count();
    if tries >= MAX_TRIES {
        return give_up("The sentence patterns hold no further wording that the content rules have not turned down.");
    }
    match write(lines, &class, tries) {
        Some(arguments) => Some((PROPOSE, arguments)),
        None => give_up("The facts of the class carry no message in these sentence patterns."),
    }
}

/// The answer to `lookup_class`, told by its fields.
fn class_of(message: &Message) -> Option<Value> {
    let Message::Tool { content, .. } = message else { return None };
    let value: Value = serde_json::from_str(content).ok()?;
    (value.get("subject_angles").is_some() && value.get("product").is_some()).then_some(value)
}

fn proposed(message: &Message) -> bool {
    matches!(message, Message::Assistant { calls, .. } if calls.iter().any(|call| call.name == PROPOSE))
}

/// Roles and the facts that fill them.
struct Cast {
    product: String,
    has_highlight: bool,
    offer: Option<String>,
}

impl Cast {
    fn of(class: &Value) -> Option<Self> {
        let fact = |value: &Value| Some(value.get("fact")?.as_str()?.to_owned());
        let product = class.get("product")?;
        let highlights = product.get("highlights").and_then(Value::as_array);
        Some(Self {
            product: fact(product)?,
            has_highlight: highlights.is_some_and(|h| !h.is_empty()),
            offer: class.get("offer").and_then(fact),
        })
    }

    /// A line with facts in place of roles; nothing when a role is not cast.
    fn fill(&self, line: &str) -> Option<String> {
        if line.contains("{{product.highlight}}") && !self.has_highlight {
            return None;
        }
        let line = line.replace("{{product.", &format!("{{{{{}.", self.product));
        match &self.offer {
            Some(offer) => Some(line.replace("{{offer.", &format!("{{{{{offer}."))),
            None => (!line.contains("{{offer.")).then_some(line),
        }
    }

    /// The line to use at this try, of those that can be filled.
    fn pick(&self, lines: &[String], tries: usize) -> Option<String> {
        let usable: Vec<String> = lines.iter().filter_map(|line| self.fill(line)).collect();
        usable.get(tries % usable.len().max(1)).cloned()
    }
}

fn write(lines: &Lines, class: &Value, tries: usize) -> Option<Value> {
    let cast = Cast::of(class)?;
    let own: Angle = serde_json::from_value(class.get("angle")?.clone()).ok()?;
    let angles: Vec<Angle> = serde_json::from_value(class.get("subject_angles")?.clone()).ok()?;
    let voice = lines.angle.get(&own).or_else(|| lines.angle.get(&Angle::Benefit))?;
    let channels: Vec<String> = serde_json::from_value(class.get("channels")?.clone()).ok()?;
    let mut blocks = vec![
        json!({ "type": "heading", "text": cast.pick(&voice.headings, tries)? }),
        json!({ "type": "paragraph", "text": cast.pick(&voice.openings, tries)? }),
    ];
    if let Some(body) = cast.pick(&lines.bodies, tries) {
        blocks.push(json!({ "type": "paragraph", "text": body }));
    }
    blocks.push(json!({ "type": "product", "fact": cast.product, "reason": cast.pick(&lines.reasons, tries)? }));
    if let Some(offer) = &cast.offer {
        blocks.push(json!({ "type": "offer", "fact": offer, "text": cast.pick(&lines.offers, tries)? }));
    }
    blocks.push(json!({ "type": "cta", "fact": cast.product, "label": cast.pick(&lines.labels, tries)? }));
    let sms = channels.iter().any(|c| c == "sms").then(|| cast.pick(&lines.sms, tries)).flatten();
    Some(json!({
        "subjects": subjects(lines, &cast, &angles, tries)?,
        "preheader": cast.pick(&lines.preheaders, tries)?,
        "blocks": blocks,
        "sms": sms,
        "confidence": "medium",
    }))
}

/// Ten lines: the first of each angle, then the second of each, and so on. Each try begins at another line.
fn subjects(lines: &Lines, cast: &Cast, angles: &[Angle], tries: usize) -> Option<Vec<Value>> {
    let of = |angle: &Angle| -> Vec<String> {
        let own = lines.angle.get(angle).map(|a| a.subjects.as_slice()).unwrap_or_default();
        let mut usable: Vec<String> = own.iter().filter_map(|line| cast.fill(line)).collect();
        if !usable.is_empty() {
            let turn = tries % usable.len();
            usable.rotate_left(turn);
        }
        usable
    };
    let pools: Vec<(&Angle, Vec<String>)> = angles.iter().map(|angle| (angle, of(angle))).collect();
    let deepest = pools.iter().map(|(_, pool)| pool.len()).max().unwrap_or(0);
    let mut found = Vec::new();
    for round in 0..deepest {
        for (angle, pool) in &pools {
            if let Some(text) = pool.get(round) {
                found.push(json!({ "text": text, "angle": angle }));
            }
        }
    }
    found.truncate(SUBJECTS);
    (found.len() == SUBJECTS).then_some(found)
}
