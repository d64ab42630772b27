//! What holds for every copy of a class, whoever writes it: its product, its offer, and how faults are told.

use kit::message::{Block, Finding};
use kit::{FactBook, FactId, FactKind};

use crate::desk::ClassFacts;

/// The class's shape: its product, once; its offer, exactly when it has one. Returns the lead's fact.
pub(crate) fn shape(facts: &FactBook, class: &ClassFacts, blocks: &[Block], faults: &mut Faults) -> Option<FactId> {
    let kind = |id: &FactId| facts.get(id).map(|f| (f.kind, f.subject.clone()));
    let products: Vec<&FactId> = blocks
        .iter()
        .filter_map(|b| match b {
            Block::Product { fact, .. } => Some(fact),
            _ => None,
        })
        .collect();
    let lead = match products.as_slice() {
        [id] if kind(id) == Some((FactKind::Product, class.lead.id.to_string())) => Some((*id).clone()),
        _ => {
            faults.say("blocks: exactly one product block, with the fact of the product that leads".to_owned());
            None
        }
    };
    let offers: Vec<&FactId> = blocks
        .iter()
        .filter_map(|b| match b {
            Block::Offer { fact, .. } => Some(fact),
            _ => None,
        })
        .collect();
    match (&class.offer, offers.as_slice()) {
        (None, []) => {}
        (None, _) => faults.say("blocks: this class has no offer; drop the offer block".to_owned()),
        (Some(offer), [id]) if kind(id) == Some((FactKind::Offer, offer.step.to_string())) => {}
        (Some(_), _) => faults.say("blocks: exactly one offer block, with the fact of the class's offer".to_owned()),
    }
    lead
}

/// What is wrong with a copy, each thing once.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    /// Adds a fault.
    pub(crate) fn say(&mut self, fault: String) {
        if !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }

    /// Adds what a content rule found.
    pub(crate) fn finding(&mut self, place: &str, finding: &Finding) {
        let excerpt = if finding.excerpt.is_empty() { String::new() } else { format!(" `{}`", finding.excerpt) };
        self.say(format!("{place}: {}{excerpt}: {}; {}", finding.rule, finding.why, finding.mend));
    }

    /// True when nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first `most`, and how many there are beside them.
    pub(crate) fn list(mut self, most: usize) -> Vec<String> {
        let untold = self.0.len().saturating_sub(most);
        self.0.truncate(most);
        if untold > 0 {
            self.0.push(format!("and {untold} more"));
        }
        self.0
    }
}
