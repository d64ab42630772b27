//! Personal data as types that do not print themselves.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// An e-mail address. `Debug` and `Display` mask it; [`Email::reveal`] is for envelopes and storage.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// A text that is not an address we would send to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl Email {
    /// Accepts `local@domain.tld` in printable ASCII, at most 254 bytes (RFC 5321 4.5.3.1), without quotes,
    /// blanks or header characters. Lower-cases the domain.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let plain = |s: &str| {
            s.bytes().all(|b| {
                b.is_ascii_graphic()
                    && !matches!(b, b'"' | b'<' | b'>' | b'(' | b')' | b',' | b';' | b':' | b'\\' | b'[' | b']' | b'@')
            })
        };
        let dotted = domain.contains('.')
            && domain.split('.').all(|l| !l.is_empty() && !l.starts_with('-') && !l.ends_with('-'));
        let domain_plain = domain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        if text.len() > 254 || local.is_empty() || local.len() > 64 || !plain(local) || !domain_plain || !dotted {
            return Err(InvalidEmail);
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// The address in clear. Only envelopes, storage, and the commands that erase or unmask a person call this.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The form that dedupe keys and suppression lists use: lower case throughout. Mailboxes that differ
    /// only by case are one mailbox at every large provider; writing to both would be writing twice.
    pub fn normalised(&self) -> String {
        self.0.to_lowercase()
    }

    /// A digest of the normalised address, bound to the shop.
    pub fn digest(&self, shop: &crate::ShopId) -> Digest {
        Digest::of_parts([shop.as_str(), "email", &self.normalised()])
    }

    /// `a…@example.com`: enough for a person to recognise, not to write to.
    pub fn masked(&self) -> String {
        match self.0.split_once('@') {
            Some((local, domain)) => format!("{}…@{domain}", local.chars().next().unwrap_or('?')),
            None => "…".to_owned(),
        }
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.masked())
    }
}
impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
impl TryFrom<String> for Email {
    type Error = InvalidEmail;
    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        Self::parse(&text)
    }
}
impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// A first name that is fit to be merged into a message.
///
/// Customers type their own names; some type advertisements. A merge name has at most 40 characters, letters
/// with marks, spaces, apostrophes, hyphens and full stops, no digits, no link, and one script.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeName(String);

impl MergeName {
    /// The name, or `None` when it should not be printed at all.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let count = text.chars().count();
        let lettered = text
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, ' ' | '\'' | '’' | '-' | '.' | '\u{300}'..='\u{36f}'));
        let has_letter = text.chars().any(char::is_alphabetic);
        // "WIN-FREE.example" is made of letters, hyphens and a full stop: a stop must end a word.
        let linkish = text
            .char_indices()
            .any(|(i, c)| c == '.' && text[i + 1..].chars().next().is_some_and(|n| !n.is_whitespace()));
        let latin = text.chars().any(|c| matches!(c, 'a'..='z' | 'A'..='Z' | 'À'..='ɏ'));
        let other = text.chars().any(|c| c.is_alphabetic() && c > 'ɏ' && !matches!(c, 'Ḁ'..='ỿ'));
        let words = text.split_whitespace().count();
        let usable = (1..=40).contains(&count) && words <= 4 && lettered && has_letter && !linkish && !(latin && other);
        usable.then(|| Self(text.to_owned()))
    }

    /// The name in clear, for rendering only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MergeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MergeName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_could_break_a_header_are_refused() {
        for bad in [
            "",
            "a",
            "a@b",
            "a b@c.de",
            "a@c.de\r\nBcc: x@y.z",
            "\"x\"@c.de",
            "a@-c.de",
            "a@c..de",
            "a@b@c.de",
            "ä@c.de",
        ] {
            assert_eq!(Email::parse(bad), Err(InvalidEmail), "{bad}");
        }
        let ok = Email::parse(" Ada.L+shop@Example.COM ").unwrap();
        assert_eq!(ok.reveal(), "Ada.L+shop@example.com");
        assert_eq!(format!("{ok} {ok:?}"), "A…@example.com Email(A…@example.com)");
        assert_eq!(ok.normalised(), "ada.l+shop@example.com");
    }

    #[test]
    fn names_that_are_advertisements_are_not_printed() {
        for good in ["Ada", "Aoife", "Jean-Luc", "Zoë", "O'Brien", "Ana María", "Łukasz", "Dr. Ada"] {
            assert!(MergeName::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "WIN-FREE.example",
            "Ada http://x.y",
            "Ada\nBcc",
            "4ever",
            "{{f1.price}}",
            "<b>Ada</b>",
            "Аda",
            &"x".repeat(41),
        ] {
            assert!(MergeName::parse(bad).is_none(), "{bad}");
        }
    }
}
