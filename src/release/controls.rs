//! Controls: what a flow sends when nobody decided in time, once a person has approved it for the release in force.
//!
//! A control is a file of the release, `prompts/controls/<flow>.toml`: fixed words in each language, at most one product card
//! and one button. It makes no offer and no model has a hand in it; what differs from reader to reader comes from the facts
//! that the run has learned.

use std::collections::BTreeMap;

use kit::message::{Block, Channel, Confidence, Draft};
use kit::{ApprovalId, Digest, Fact, FactBook, FactId, FactKind, FlowId, Language, ProductId};
use serde::{Deserialize, Serialize};

use crate::flows::Flows;

/// The schema this build reads.
const SCHEMA: &str = "mailwright.control/1";
/// The angle under which a control is counted.
const ANGLE: &str = "control";

/// A control file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {why}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct ControlError {
    /// The file.
    pub file: String,
    /// The line, where there is one.
    pub line: Option<usize>,
    /// What is wrong.
    pub why: String,
}

/// The control of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Its words, by language.
    pub texts: BTreeMap<Language, ControlText>,
    content: Digest,
}

/// The words of a control in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlText {
    /// Subjects; the first one goes out.
    pub subjects: Vec<String>,
    /// The preheader.
    pub preheader: String,
    /// The headline.
    pub heading: String,
    /// What follows it.
    pub paragraphs: Vec<String>,
    /// Shows the product that the run is about, with this sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Where its button leads.
    pub button: Button,
}

/// The button of a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// Where it leads.
    pub to: Target,
    /// What stands on it.
    pub label: String,
}

/// Where a button leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The reader's cart.
    Cart,
    /// The product that the run is about.
    Product,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlFile {
    schema: String,
    text: BTreeMap<Language, ControlText>,
}

impl Control {
    /// Reads a control file.
    ///
    /// # Errors
    /// Names the file and, where there is one, the line.
    pub fn parse(file: &str, text: &str) -> Result<Self, ControlError> {
        let fault = |line, why: String| ControlError { file: file.to_owned(), line, why };
        let read: ControlFile = toml::from_str(text).map_err(|e| {
            let line = e.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
            fault(line, e.message().to_owned())
        })?;
        if read.schema != SCHEMA {
            return Err(fault(None, format!("this build reads schema \"{SCHEMA}\"")));
        }
        if read.text.is_empty() {
            return Err(fault(None, "it has no words: add [text.en]".to_owned()));
        }
        // No figure, code or title of a fact stands in fixed words; a name is the reader's own.
        let words = |t: &ControlText| {
            let own = [&t.preheader, &t.heading, &t.button.label].into_iter();
            own.chain(&t.subjects)
                .chain(&t.paragraphs)
                .chain(&t.product)
                .map(|words| words.replace("{{customer.first_name}}", ""))
                .collect::<Vec<_>>()
        };
        if let Some(odd) =
            read.text.values().flat_map(words).find(|words| words.contains("{{") || words.trim().is_empty())
        {
            let why = if odd.trim().is_empty() {
                "a text is empty".to_owned()
            } else {
                "the only placeholder of a control is {{customer.first_name}}".to_owned()
            };
            return Err(fault(None, why));
        }
        Ok(Self { texts: read.text, content: Digest::of_parts(["control/1", text]) })
    }

    /// The name under which it is approved: another flow, release or word makes another name.
    pub fn name(&self, flow: &FlowId, release: Digest) -> ApprovalId {
        let parts = ["control/1", flow.as_str(), &release.to_string(), &self.content.to_string()];
        ApprovalId::from_digest("ctl", &Digest::of_parts(parts))
    }

    /// The message to one reader of what their run has learned, or in words why there is none.
    ///
    /// # Errors
    /// In words: no text in the reader's language, or a fact that it shows was never learned.
    pub fn draft(&self, language: &Language, lead: Option<&ProductId>, facts: &FactBook) -> Result<Draft, String> {
        let text = self.texts.get(language).ok_or_else(|| format!("it has no words in `{language}`"))?;
        let about = |fact: &&Fact| fact.kind == FactKind::Product && lead.is_some_and(|id| fact.subject == id.as_str());
        let product = || -> Result<FactId, String> {
            let found = facts.iter().find(about).map(|fact| fact.id.clone());
            found.ok_or_else(|| "the run learned nothing of the product it is about".to_owned())
        };
        let mut blocks = vec![Block::Heading { text: text.heading.clone() }];
        blocks.extend(text.paragraphs.iter().map(|text| Block::Paragraph { text: text.clone() }));
        if let Some(reason) = &text.product {
            blocks.push(Block::Product { fact: product()?, reason: reason.clone() });
        }
        let to = match text.button.to {
            Target::Product => product()?,
            Target::Cart => {
                let cart = facts.iter().find(|fact| fact.kind == FactKind::Cart && fact.fields.contains_key("url"));
                cart.map(|fact| fact.id.clone()).ok_or_else(|| "the run learned of no cart".to_owned())?
            }
        };
        blocks.push(Block::Cta { fact: to, label: text.button.label.clone() });
        Ok(Draft {
            channel: Channel::Email,
            language: language.clone(),
            angle: ANGLE.to_owned(),
            subjects: text.subjects.clone(),
            preheader: text.preheader.clone(),
            blocks,
            confidence: Confidence::High,
        })
    }
}

/// The controls of a release, each named after its flow.
pub(super) fn read(files: &[(&String, &String)], flows: &Flows) -> Result<BTreeMap<FlowId, Control>, ControlError> {
    let mut controls = BTreeMap::new();
    for (path, text) in files {
        let stem = path.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")).unwrap_or_default();
        let Some(flow) = flows.keys().find(|flow| flow.as_str() == stem) else {
            let known: Vec<&str> = flows.keys().map(FlowId::as_str).collect();
            let why = format!("a control is named after its flow; there are {}", known.join(", "));
            return Err(ControlError { file: (*path).clone(), line: None, why });
        };
        controls.insert(flow.clone(), Control::parse(path, text)?);
    }
    Ok(controls)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "schema = \"mailwright.control/1\"\n[text.en]\nsubjects = [\"Your cart\"]\npreheader = \"It is kept\"\n\
        heading = \"Still here\"\nparagraphs = [\"Hi {{customer.first_name}}, it is there.\"]\n\
        button = { to = \"cart\", label = \"Open the cart\" }\n";

    #[test]
    fn any_word_flow_or_release_makes_another_name() {
        let flow = |id: &str| FlowId::new(id).unwrap();
        let (one, two) = (Digest::of_bytes(b"1"), Digest::of_bytes(b"2"));
        let control = Control::parse("c.toml", FILE).unwrap();
        let edited = Control::parse("c.toml", &FILE.replace("Still here", "Still there")).unwrap();
        let names = [
            control.name(&flow("a"), one),
            control.name(&flow("b"), one),
            control.name(&flow("a"), two),
            edited.name(&flow("a"), one),
        ];
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        assert_eq!(control.name(&flow("a"), one), Control::parse("other.toml", FILE).unwrap().name(&flow("a"), one));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let told = |text: &str| Control::parse("c.toml", text).unwrap_err().to_string();
        assert_eq!(told("schema = 1"), "c.toml, line 1: invalid type: integer `1`, expected a string");
        let fact = FILE.replace("it is there", "{{f1.price}}");
        assert_eq!(told(&fact), "c.toml: the only placeholder of a control is {{customer.first_name}}");
        assert_eq!(told(&FILE.replace("Still here", " ")), "c.toml: a text is empty");
        assert_eq!(
            told(&FILE.replace("control/1", "control/2")),
            "c.toml: this build reads schema \"mailwright.control/1\""
        );
    }

    #[test]
    fn a_reader_whose_run_learned_too_little_gets_none() {
        let control = Control::parse("c.toml", FILE).unwrap();
        let facts = FactBook::new();
        assert_eq!(control.draft(&Language::EN, None, &facts), Err("the run learned of no cart".to_owned()));
        assert_eq!(control.draft(&Language::DE, None, &facts), Err("it has no words in `de`".to_owned()));
    }
}
