//! Personal data in free text: found, and masked before a model can read it (mission 78, N11).
//!
//! Typed fields never need this: tools hand out placeholders. Notes, tickets, reviews and chat are words, and people write their
//! numbers into them. What has a form is found by form and checksum ([`patterns`], [`numbers`], [`phone`]); names and addresses have
//! none, so they are found by what the shop knows of this one person ([`Known`]).
//!
//! Masking is one way: nothing behind a prompt can turn `[phone]` back into a number.

mod known;
mod numbers;
mod patterns;
mod phone;

use std::borrow::Cow;

pub use known::Known;

/// What a span of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// An e-mail address.
    Email,
    /// A bank account number with a valid checksum.
    Iban,
    /// A payment card number with a valid checksum.
    Card,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A US social security number.
    Ssn,
    /// A telephone number.
    Phone,
    /// A name of the person.
    Name,
    /// A part of the person's address.
    Address,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 8] =
        [Self::Email, Self::Iban, Self::Card, Self::Ip, Self::Ssn, Self::Phone, Self::Name, Self::Address];

    /// The class in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Iban => "iban",
            Self::Card => "card",
            Self::Ip => "ip",
            Self::Ssn => "ssn",
            Self::Phone => "phone",
            Self::Name => "name",
            Self::Address => "address",
        }
    }

    /// What a model reads instead of the value.
    pub fn token(self) -> &'static str {
        match self {
            Self::Email => "[email]",
            Self::Iban => "[iban]",
            Self::Card => "[card]",
            Self::Ip => "[ip]",
            Self::Ssn => "[ssn]",
            Self::Phone => "[phone]",
            Self::Name => "[name]",
            Self::Address => "[address]",
        }
    }
}

/// Personal data in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// What it is.
    pub class: Class,
}

impl Span {
    fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// All personal data in a text, in reading order and without overlaps.
pub fn find(text: &str, known: &Known) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    // In order of certainty: a checksum beats a shape, a shape beats a habit.
    let detectors: [fn(&str) -> Vec<Span>; 4] = [patterns::emails, patterns::ibans, patterns::ips, numbers::find];
    for detector in detectors {
        add(&mut found, detector(text));
    }
    add(&mut found, known.find(text));
    found.sort_unstable();
    found
}

fn add(found: &mut Vec<Span>, more: Vec<Span>) {
    for span in more {
        if !found.iter().any(|other| other.overlaps(&span)) {
            found.push(span);
        }
    }
}

/// The text with a token in place of every piece of personal data.
pub fn mask<'a>(text: &'a str, known: &Known) -> Cow<'a, str> {
    mask_spans(text, &find(text, known))
}

/// The text with tokens in place of these spans, which are in order and do not overlap.
pub fn mask_spans<'a>(text: &'a str, spans: &[Span]) -> Cow<'a, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        out.push_str(text.get(at..span.start).unwrap_or_default());
        out.push_str(span.class.token());
        at = span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

/// Characters of a value that an error may quote.
const QUOTED_CHARS: usize = 40;

/// What an error may quote of a value that somebody sent: one short word without personal data that has a form. Of anything else
/// only its length is told; errors end up in logs and lists.
pub fn quoted(text: &str) -> String {
    let chars = text.chars().count();
    let word = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if word && chars <= QUOTED_CHARS && find(text, &Known::nobody()).is_empty() {
        text.to_owned()
    } else {
        format!("[{chars} characters]")
    }
}

/// The character before a byte position.
fn before(text: &str, at: usize) -> Option<char> {
    text.get(..at)?.chars().next_back()
}

/// The character at a byte position.
fn at(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_quotes_a_word_and_nobodys_data() {
        for word in ["EURO", "19,90", "subscribd", ""] {
            assert_eq!(quoted(word), word);
        }
        for (value, told) in [
            ("Quintessa Z", "[11 characters]"),
            ("ada@example.ie", "[14 characters]"),
            ("4111111111111111", "[16 characters]"),
            ("a\u{0}b", "[3 characters]"),
            (&"x".repeat(41), "[41 characters]"),
        ] {
            assert_eq!(quoted(value), told);
        }
    }
}
