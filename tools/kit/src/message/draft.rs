//! What a model proposes: typed blocks with cited facts.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::CheckReport;
use crate::digest::Digest;
use crate::fact::{Fact, FactBook, FactKind};
use crate::ids::FactId;
use crate::locale::Language;
use crate::phone::Destination;
use crate::placeholder::{self, Piece, Slot};

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Email,
    /// Text message.
    Sms,
}

impl Channel {
    /// The name in keys and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}

/// How sure the writer is. Low confidence sends the draft to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// A guess: a person should look.
    Low,
    /// Fits the facts, but another angle would fit as well.
    Medium,
    /// Follows from the facts.
    High,
}

/// One block of a message. Texts may hold placeholders such as `{{f101.title}}`, never digits, links or names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// The headline; one per message, first.
    Heading {
        /// At most 70 characters.
        #[schemars(length(min = 3, max = 160))]
        text: String,
    },
    /// A short paragraph of one to three sentences.
    Paragraph {
        /// The words.
        #[schemars(length(min = 3, max = 900))]
        text: String,
    },
    /// A product card: image, title, price and link come from the fact.
    Product {
        /// A product fact.
        fact: FactId,
        /// One sentence: why this product for this reader, from the graph path or the profile.
        #[schemars(length(min = 3, max = 240))]
        reason: String,
    },
    /// A guide card: title, summary and link come from the fact.
    Guide {
        /// A guide fact.
        fact: FactId,
    },
    /// A customer review, quoted word for word from the fact.
    Review {
        /// A review fact.
        fact: FactId,
    },
    /// The quoted offer with its terms from the fact.
    Offer {
        /// An offer fact from `quote_offer`.
        fact: FactId,
        /// One sentence that introduces it.
        #[schemars(length(min = 3, max = 240))]
        text: String,
    },
    /// The one call to action. The link comes from the fact.
    Cta {
        /// A fact with a url: the cart, a product, a guide or the offer.
        fact: FactId,
        /// Two to five words that start with a verb.
        #[schemars(length(min = 2, max = 40))]
        label: String,
    },
}

impl Block {
    /// The fact the block shows, if it shows one.
    pub fn fact(&self) -> Option<&FactId> {
        match self {
            Self::Heading { .. } | Self::Paragraph { .. } => None,
            Self::Product { fact, .. }
            | Self::Guide { fact }
            | Self::Review { fact }
            | Self::Offer { fact, .. }
            | Self::Cta { fact, .. } => Some(fact),
        }
    }

    /// The words the writer wrote, by field.
    pub fn texts(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Heading { text } | Self::Paragraph { text } | Self::Offer { text, .. } => vec![("text", text)],
            Self::Product { reason, .. } => vec![("reason", reason)],
            Self::Cta { label, .. } => vec![("label", label)],
            Self::Guide { .. } | Self::Review { .. } => Vec::new(),
        }
    }
}

/// A proposed message: nothing is decided about it yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// How it would travel.
    pub channel: Channel,
    /// The language it is written in.
    pub language: Language,
    /// What the message is built on, in a few words, such as `cart_reminder`.
    pub angle: String,
    /// Subject options, best first. The first one is sent unless a person or a test chooses another.
    pub subjects: Vec<String>,
    /// The line after the subject in the inbox.
    pub preheader: String,
    /// The body, top to bottom.
    pub blocks: Vec<Block>,
    /// How sure the writer is.
    pub confidence: Confidence,
}

impl Draft {
    /// Every text of the message with its place, in reading order.
    pub fn texts(&self) -> Vec<(super::Place, &str)> {
        use super::Place;
        let mut texts: Vec<(Place, &str)> =
            self.subjects.iter().enumerate().map(|(index, text)| (Place::Subject { index }, text.as_str())).collect();
        texts.push((Place::Preheader, &self.preheader));
        for (index, block) in self.blocks.iter().enumerate() {
            for (field, text) in block.texts() {
                texts.push((Place::Block { index, field: field.to_owned() }, text));
            }
        }
        texts
    }

    /// Ids of all facts the message leans on: shown by blocks or named in placeholders.
    pub fn cited(&self) -> BTreeSet<FactId> {
        let mut cited: BTreeSet<FactId> = self.blocks.iter().filter_map(|b| b.fact().cloned()).collect();
        for (_, text) in self.texts() {
            let Ok(pieces) = placeholder::parse(text) else { continue };
            cited.extend(pieces.into_iter().filter_map(|p| match p {
                Piece::Slot { slot: Slot::Fact { id, .. }, .. } => Some(id),
                Piece::Slot { slot: Slot::FirstName | Slot::ShopName, .. } | Piece::Text { .. } => None,
            }));
        }
        cited
    }

    /// The facts that belong with the message: those it cites, and those that prove what it says of the reader's cart and orders.
    pub fn evidence(&self, facts: &FactBook) -> FactBook {
        let cited = self.cited();
        let mut evidence = FactBook::new();
        let proves = |fact: &Fact| matches!(fact.kind, FactKind::Cart | FactKind::Order);
        for fact in facts.iter().filter(|fact| cited.contains(&fact.id) || proves(fact)) {
            evidence.insert(fact.clone());
        }
        evidence
    }

    /// The offer block's fact, when the message makes an offer.
    pub fn offer(&self) -> Option<&FactId> {
        self.blocks.iter().find_map(|b| match b {
            Block::Offer { fact, .. } => Some(fact),
            Block::Heading { .. }
            | Block::Paragraph { .. }
            | Block::Product { .. }
            | Block::Guide { .. }
            | Block::Review { .. }
            | Block::Cta { .. } => None,
        })
    }

    /// The hash of exactly what would go out: words, order, and the values of every cited fact.
    ///
    /// # Errors
    /// When the draft cannot be serialised; it always can.
    pub fn content_hash(&self, facts: &FactBook) -> Result<Digest, serde_json::Error> {
        let cited: Vec<&Fact> = self.cited().iter().filter_map(|id| facts.get(id)).collect();
        // Ages change with every look; the values are what was seen and approved.
        let values: Vec<_> = cited.iter().map(|f| (&f.id, &f.kind, &f.subject, &f.fields)).collect();
        Digest::of_json(&(self, values))
    }
}

/// A draft that passed the content rules, with the facts it cites and the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftRecord {
    /// The message.
    pub draft: Draft,
    /// [`Draft::evidence`], as it was.
    pub facts: FactBook,
    /// What the rules said.
    pub report: CheckReport,
    /// Who wrote or edited it: names as [`crate::Principal::name`] gives them. Authors cannot approve.
    pub authors: BTreeSet<String>,
}

/// A mail rendered for one person, ready for an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// The subject line.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The plain-text part.
    pub text: String,
    /// Further headers by name: `List-Unsubscribe` and the like. No line breaks.
    pub headers: Vec<(String, String)>,
    /// The From display name.
    pub from_name: String,
    /// The From address.
    pub from: crate::person::Email,
    /// The Reply-To address.
    pub reply_to: crate::person::Email,
    /// The recipient's address.
    pub to: crate::person::Email,
}

/// A text message for one person, ready for an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextMessage {
    /// The sender id or number that the reader sees.
    pub sender: String,
    /// The recipient's number.
    pub number: crate::phone::Phone,
    /// Every word of it: brand, text, link, how to stop.
    pub body: String,
    /// Parts that are sent and paid.
    pub parts: u32,
}

/// What goes out, in the form of its channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outgoing {
    /// A mail.
    Mail(Box<Rendered>),
    /// A text message.
    Sms(TextMessage),
}

impl Outgoing {
    /// How it travels.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Mail(_) => Channel::Email,
            Self::Sms(_) => Channel::Sms,
        }
    }

    /// Where it goes.
    pub fn to(&self) -> Destination {
        match self {
            Self::Mail(mail) => Destination::from(&mail.to),
            Self::Sms(text) => Destination::from(&text.number),
        }
    }

    /// The mail, when it is one.
    pub fn mail(&self) -> Option<&Rendered> {
        match self {
            Self::Mail(mail) => Some(mail),
            Self::Sms(_) => None,
        }
    }

    /// The text message, when it is one.
    pub fn sms(&self) -> Option<&TextMessage> {
        match self {
            Self::Sms(text) => Some(text),
            Self::Mail(_) => None,
        }
    }

    /// The words as people read them in a terminal.
    pub fn text(&self) -> &str {
        match self {
            Self::Mail(mail) => &mail.text,
            Self::Sms(text) => &text.body,
        }
    }
}

impl From<Rendered> for Outgoing {
    fn from(mail: Rendered) -> Self {
        Self::Mail(Box::new(mail))
    }
}
impl From<TextMessage> for Outgoing {
    fn from(text: TextMessage) -> Self {
        Self::Sms(text)
    }
}
