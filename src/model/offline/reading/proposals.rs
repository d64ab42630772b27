//! What was proposed, and what came of it.

use serde_json::Value;

use super::{clip, list, text};

/// A proposal and its answer.
#[derive(Debug)]
pub(in super::super) struct Proposal {
    /// The arguments as they were sent; null when they were no JSON.
    pub(in super::super) arguments: Value,
    pub(in super::super) outcome: Outcome,
}

/// What came of a proposal.
#[derive(Debug)]
pub(in super::super) enum Outcome {
    /// It stands, under this hash; `approval` holds why a person must look, when one must.
    Recorded { draft: String, approval: Option<Vec<String>> },
    /// Some rule forbids it.
    Blocked(Vec<Finding>),
    /// Nothing that can be read.
    Unreadable,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Finding {
    pub(in super::super) place: Place,
    /// The rule's id where the answer has one, else why it exists.
    pub(in super::super) rule: String,
}

/// Where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Place {
    Subject(usize),
    Preheader,
    /// A field of a block, such as `text`, `reason` or `fact`.
    Block(usize, String),
    /// The message as a whole, or a place that cannot be read.
    Whole,
}

impl Place {
    /// `subjects[0]`, `preheader`, `blocks[2].reason`; anything else is the whole message.
    fn parse(words: &str) -> Self {
        let numbered = |rest: &str| -> Option<(usize, String)> {
            let (number, field) = rest.split_once(']')?;
            Some((number.parse().ok()?, field.trim_start_matches('.').to_owned()))
        };
        let words = words.trim();
        if words == "preheader" {
            return Self::Preheader;
        }
        if let Some((index, _)) = words.strip_prefix("subjects[").and_then(numbered) {
            return Self::Subject(index);
        }
        match words.strip_prefix("blocks[").and_then(numbered) {
            Some((index, field)) => Self::Block(index, field),
            None => Self::Whole,
        }
    }
}

impl Proposal {
    pub(super) fn read(arguments: &str, content: &str, answer: Option<&Value>) -> Self {
        let outcome = match answer {
            Some(answer) => Outcome::read(answer),
            None => Outcome::refused(content),
        };
        Self { arguments: serde_json::from_str(arguments).unwrap_or_default(), outcome }
    }
}

impl Outcome {
    fn read(answer: &Value) -> Self {
        let draft = text(answer, "draft")
            .filter(|d| (12..=64).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_alphanumeric()));
        match (text(answer, "status").as_deref(), draft) {
            (Some("ok"), Some(draft)) => Self::Recorded { draft, approval: None },
            (Some("needs_approval"), Some(draft)) => {
                let reasons = list(answer, "reasons").filter_map(Value::as_str).map(clip).collect();
                Self::Recorded { draft, approval: Some(reasons) }
            }
            (Some("blocked"), _) => {
                let blocks = list(answer, "findings").filter(|f| text(f, "severity").as_deref() == Some("block"));
                Self::Blocked(blocks.map(finding).collect())
            }
            (_, _) => Self::Unreadable,
        }
    }

    /// An answer in words: faults of form, one a line, each with its place.
    fn refused(content: &str) -> Self {
        if !content.starts_with("nothing was recorded") && !content.starts_with("it does not render") {
            return Self::Unreadable;
        }
        let fault = |line: &str| {
            let (place, why) = line.trim().strip_prefix("- ")?.split_once(": ")?;
            Some(Finding { place: Place::parse(place), rule: clip(why) })
        };
        let faults: Vec<Finding> = content.lines().filter_map(fault).collect();
        if faults.is_empty() {
            return Self::Blocked(vec![Finding { place: Place::Whole, rule: clip(content) }]);
        }
        Self::Blocked(faults)
    }
}

fn finding(value: &Value) -> Finding {
    let place = text(value, "place").map_or(Place::Whole, |place| Place::parse(&place));
    let rule = text(value, "rule").or_else(|| text(value, "why")).unwrap_or_else(|| "a rule without a name".to_owned());
    Finding { place, rule }
}
