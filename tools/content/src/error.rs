//! Why a draft cannot be rendered.

use kit::message::{Channel, Place};
use kit::placeholder::PlaceholderError;
use kit::{FactId, FactKind, Language};

use crate::link::LinkError;
use crate::render::MAX_HTML_BYTES;

/// Why a draft cannot be rendered for this reader. Rendering is pure: the same input fails the same way, so no variant
/// is worth a retry. No message holds personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Another channel has another renderer.
    #[error("this draft is for {}; another renderer makes those", .0.as_str())]
    Channel(Channel),
    /// The frame of a message has no words in this language.
    #[error("there are no fixed words for language `{0}`; add them to tools/content/src/words.rs")]
    UnknownLanguage(Language),
    /// The shop does not write in this language.
    #[error("the shop does not write in `{0}`; add it to the shop's languages")]
    NotOffered(Language),
    /// The draft is in another language than the reader's.
    #[error("the draft is in `{draft}`, the reader reads `{reader}`")]
    OtherLanguage {
        /// The draft's.
        draft: Language,
        /// The reader's.
        reader: Language,
    },
    /// No such subject option.
    #[error("there is no subject {index}; the draft has {count}, counted from 0")]
    NoSubject {
        /// Asked for.
        index: usize,
        /// Present.
        count: usize,
    },
    /// Braces without a clear meaning.
    #[error("{place}: {source}")]
    Placeholder {
        /// Where.
        place: Place,
        /// What is wrong.
        source: PlaceholderError,
    },
    /// A block or placeholder names a fact that the draft does not carry.
    #[error("{place}: there is no fact {fact}")]
    NoFact {
        /// Where.
        place: Place,
        /// Which.
        fact: FactId,
    },
    /// A fact lacks a field that is needed, or has it with another type.
    #[error("{place}: fact {fact} has no usable field `{field}`; it has {known}")]
    NoField {
        /// Where.
        place: Place,
        /// Which fact.
        fact: FactId,
        /// Which field.
        field: String,
        /// What it has.
        known: String,
    },
    /// A fact's own words look like a placeholder: readers would see raw braces, or the sender's system would fill them.
    #[error("{place}: field `{field}` of fact {fact} holds double braces; cite another fact")]
    Braces {
        /// Where.
        place: Place,
        /// Which fact.
        fact: FactId,
        /// Which field.
        field: String,
    },
    /// A block shows a fact of another kind.
    #[error("{place}: fact {fact} is about {found:?}, this block shows {expected:?}")]
    WrongKind {
        /// Where.
        place: Place,
        /// Which fact.
        fact: FactId,
        /// Its kind.
        found: FactKind,
        /// What the block shows.
        expected: FactKind,
    },
    /// A link among words.
    #[error(
        "{place}: `{excerpt}` is a link; links stand only in product, guide, offer and cta blocks, which take them from their fact"
    )]
    LinkInText {
        /// Where.
        place: Place,
        /// The placeholder or words.
        excerpt: String,
    },
    /// A link that may not be printed.
    #[error("{place}: the link of fact {fact}: {source}")]
    Link {
        /// Where.
        place: Place,
        /// Which fact.
        fact: FactId,
        /// What is wrong with it.
        source: LinkError,
    },
    /// The reader has no name to print, and the sentence cannot do without.
    #[error(
        "{place}: this reader's name is unknown and the sentence is built around it; use {{{{customer.first_name}}}} only as an address set off by a comma (`Hi {{{{customer.first_name}}}}, …`), or leave it out"
    )]
    NameBound {
        /// Where.
        place: Place,
    },
    /// Nothing is left to read.
    #[error("{place}: no words are left")]
    Empty {
        /// Where.
        place: Place,
    },
    /// A line break, control character or encoded word in a header.
    #[error("header {name}: line breaks, control characters and encoded words (=?…?=) are not allowed")]
    Header {
        /// Which header.
        name: String,
    },
    /// A setting of the shop is not usable.
    #[error("shop setting `{setting}`: {why}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The unsubscribe token is not opaque enough or does not fit a link.
    #[error("the unsubscribe token needs 16 to 512 characters of A-Z a-z 0-9 - _ . ~")]
    Token,
    /// The MJML engine refused our own markup: a defect of this crate.
    #[error("MJML was refused: {0}")]
    Mjml(String),
    /// A text message of other blocks than one paragraph and one call to action.
    #[error("a text message is one paragraph and then one cta, nothing else")]
    SmsShape,
    /// A text message that costs more parts than the shop pays.
    #[error(
        "with brand, link and stop words the text message takes {parts} parts ({units} units), at most {most} are allowed; shorten the text"
    )]
    TooManyParts {
        /// Parts it would take.
        parts: u32,
        /// Parts allowed.
        most: u32,
        /// Characters as carriers count them.
        units: u32,
    },
    /// Mail clients would cut it.
    #[error("the HTML part has {bytes} bytes, at most {MAX_HTML_BYTES} are allowed; shorten texts or drop a block")]
    TooLarge {
        /// Bytes of HTML.
        bytes: usize,
    },
}

impl RenderError {
    /// True when the writer of the draft can mend it; else an operator must look.
    pub fn is_mendable(&self) -> bool {
        match self {
            Self::NoSubject { .. }
            | Self::Placeholder { .. }
            | Self::NoFact { .. }
            | Self::NoField { .. }
            | Self::Braces { .. }
            | Self::WrongKind { .. }
            | Self::LinkInText { .. }
            | Self::Link { .. }
            | Self::NameBound { .. }
            | Self::Empty { .. }
            | Self::Header { .. }
            | Self::SmsShape
            | Self::TooManyParts { .. }
            | Self::TooLarge { .. } => true,
            Self::Channel(_)
            | Self::UnknownLanguage(_)
            | Self::NotOffered(_)
            | Self::OtherLanguage { .. }
            | Self::Setting { .. }
            | Self::Token
            | Self::Mjml(_) => false,
        }
    }
}
