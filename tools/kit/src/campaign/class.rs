//! Message classes: what a model writes once and code composes for each person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Angle;
use crate::digest::Digest;
use crate::fact::{Fact, FactBook};
use crate::ids::{FactId, OfferStepId, ProductId};
use crate::locale::Language;
use crate::message::{Block, Channel, Draft, DraftRecord};

pub use crate::ids::{CampaignId, ClassId};

/// What people of one class have in common: all that a model is told about them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassKey {
    /// The product that leads.
    pub lead: ProductId,
    /// What the messages are built on.
    pub angle: Angle,
    /// How they sound.
    pub tone: Option<String>,
    /// The language.
    pub language: Language,
    /// The offer.
    pub offer: Option<OfferStepId>,
}

impl ClassKey {
    /// The class within its campaign.
    pub fn id(&self, campaign: &CampaignId) -> ClassId {
        let offer = self.offer.as_ref().map_or("", OfferStepId::as_str);
        let tone = self.tone.as_deref().unwrap_or("");
        let angle = format!("{:?}", self.angle);
        let digest =
            Digest::of_parts([campaign.as_str(), self.lead.as_str(), &angle, tone, self.language.as_str(), offer]);
        ClassId::from_digest("cls", &digest)
    }
}

/// A subject and what it is built on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectOption {
    /// The line.
    pub text: String,
    /// Its angle.
    pub angle: Angle,
}

/// What was written for a class and passed every rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCopy {
    /// Every subject that was written, best first.
    pub subjects: Vec<SubjectOption>,
    /// The mail. Its draft's subjects are those chosen for use.
    pub mail: Option<DraftRecord>,
    /// The text message.
    pub sms: Option<DraftRecord>,
    /// How many of the chosen subjects are tried against each other, from the first.
    pub tested: usize,
}

/// A product for one person, in a place that the class leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotProduct {
    /// What is shown.
    pub fact: Fact,
    /// Why, in words that end up in the message.
    pub reason: String,
    /// Why, as a path of the product graph: for people who look at the message.
    pub path: String,
}

/// What makes a class's message one person's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The class's own facts as they are now: the price of today, the person's own voucher code.
    pub facts: Vec<Fact>,
    /// Products for the open places, best first.
    pub products: Vec<SlotProduct>,
}

impl ClassCopy {
    /// What is written for a channel.
    pub fn of(&self, channel: Channel) -> Option<&DraftRecord> {
        match channel {
            Channel::Email => self.mail.as_ref(),
            Channel::Sms => self.sms.as_ref(),
        }
    }

    /// Who wrote or edited any of it.
    pub fn authors(&self) -> BTreeSet<String> {
        self.mail.iter().chain(&self.sms).flat_map(|record| record.authors.iter().cloned()).collect()
    }

    /// The content hash of everything that may reach a reader: of the words as they are, not of what a report says of them.
    pub fn digest(&self) -> Digest {
        let content = |record: &Option<DraftRecord>| {
            let hash = record.as_ref().map(|r| r.draft.content_hash(&r.facts));
            // A draft that cannot be hashed is like no other, and no approval covers it.
            hash.map_or(String::new(), |hash| hash.map_or("unreadable".to_owned(), |digest| digest.to_string()))
        };
        Digest::of_parts(["class-copy", &content(&self.mail), &content(&self.sms), &self.tested.to_string()])
    }

    /// Which chosen subject a person gets, from 0: the same one however often it is asked. The tested ones share the
    /// audience evenly; a copy without a test gives everybody the first.
    pub fn subject_for(&self, campaign: &CampaignId, destination: Digest) -> usize {
        let chosen = self.mail.as_ref().map_or(0, |mail| mail.draft.subjects.len());
        let arms = self.tested.min(chosen);
        if arms < 2 {
            return 0;
        }
        let digest = Digest::of_parts(["subject-test", campaign.as_str(), &destination.to_string()]).to_string();
        let number = digest.get(..12).and_then(|hex| usize::from_str_radix(hex, 16).ok()).unwrap_or(0);
        number % arms
    }
}

/// The message of one person: the class's blocks with products in the open places, and the facts it leans on. A pure
/// function, so that whoever holds the class and the fill can make it again and compare.
pub fn compose(class: &DraftRecord, fill: &Fill) -> (Draft, FactBook) {
    let mut draft = class.draft.clone();
    let mut facts = FactBook::new();
    for id in draft.cited() {
        let own = fill.facts.iter().find(|fact| fact.id == id).or_else(|| class.facts.get(&id));
        if let Some(fact) = own {
            facts.insert(fact.clone());
        }
    }
    match draft.channel {
        // A text message has no open places.
        Channel::Sms => return (draft, facts),
        Channel::Email => {}
    }
    let after_last = draft.blocks.iter().rposition(|b| matches!(b, Block::Product { .. })).map(|at| at + 1);
    let before_close = || draft.blocks.iter().position(|b| matches!(b, Block::Offer { .. } | Block::Cta { .. }));
    let place = after_last.or_else(before_close).unwrap_or(draft.blocks.len());
    let shown: Vec<Block> = fill
        .products
        .iter()
        .map(|slot| Block::Product { fact: slot.fact.id.clone(), reason: slot.reason.clone() })
        .collect();
    draft.blocks.splice(place..place, shown);
    for slot in &fill.products {
        facts.insert(slot.fact.clone());
    }
    (draft, facts)
}

/// The id of the fact in an open place: beyond those of any call of a run.
pub fn slot_fact(place: usize) -> Option<FactId> {
    FactId::new(format!("f900{:02}", place + 1)).ok().filter(|_| place < 9)
}
