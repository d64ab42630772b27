//! What must not be written again: words and facts that were blocked, and the wording of drafts that were sent back.

use std::collections::BTreeSet;

use serde_json::Value;

use super::reading::{Outcome, Place, Proposal, Reading};

/// What earlier proposals taught.
#[derive(Debug, Default)]
pub(super) struct Bans {
    texts: BTreeSet<String>,
    facts: BTreeSet<String>,
    /// How often the message as a whole was found wanting: each time it gets shorter.
    pub(super) shorter: usize,
}

impl Bans {
    /// From every proposal of the run.
    pub(super) fn of(reading: &Reading) -> Self {
        let mut bans = Self::default();
        for proposal in reading.past() {
            match &proposal.outcome {
                Outcome::Blocked(findings) => {
                    for finding in findings {
                        bans.blocked(proposal, &finding.place);
                    }
                }
                Outcome::Recorded { .. } => bans.wording(proposal),
                Outcome::Unreadable => {}
            }
        }
        bans
    }

    pub(super) fn allows(&self, words: &str) -> bool {
        !self.texts.contains(&key(words))
    }

    /// For a piece of a paragraph: what a paragraph was turned down for may stand at either end of it.
    pub(super) fn allows_piece(&self, words: &str) -> bool {
        let piece = key(words);
        !self.texts.iter().any(|text| text.starts_with(&piece) || text.ends_with(&piece))
    }

    pub(super) fn allows_fact(&self, fact: &str) -> bool {
        !self.facts.contains(fact)
    }

    fn blocked(&mut self, proposal: &Proposal, place: &Place) {
        let arguments = &proposal.arguments;
        match place {
            Place::Subject(index) => self.text(arguments.get("subjects").and_then(|s| s.get(index))),
            Place::Preheader => self.text(arguments.get("preheader")),
            Place::Block(index, field) => match arguments.get("blocks").and_then(|blocks| blocks.get(index)) {
                Some(block) if field == "fact" => self.fact(block),
                Some(block) => self.text(block.get(field)),
                None => self.whole(proposal),
            },
            Place::Whole => self.whole(proposal),
        }
    }

    fn whole(&mut self, proposal: &Proposal) {
        self.shorter += 1;
        self.wording(proposal);
    }

    /// The lines that make a message this one: another one may share its product reasons and its button.
    fn wording(&mut self, proposal: &Proposal) {
        let arguments = &proposal.arguments;
        self.text(arguments.get("subjects").and_then(|subjects| subjects.get(0)));
        self.text(arguments.get("preheader"));
        for block in arguments.get("blocks").and_then(Value::as_array).into_iter().flatten() {
            if matches!(block.get("type").and_then(Value::as_str), Some("heading" | "paragraph")) {
                self.text(block.get("text"));
            }
        }
    }

    fn text(&mut self, words: Option<&Value>) {
        self.texts.extend(words.and_then(Value::as_str).map(key));
    }

    fn fact(&mut self, block: &Value) {
        self.facts.extend(block.get("fact").and_then(Value::as_str).map(str::to_owned));
    }
}

/// The words without the numbers of facts: the same sentence about a product that was looked up again is the same sentence.
fn key(words: &str) -> String {
    words.chars().filter(|c| !c.is_ascii_digit()).collect()
}
