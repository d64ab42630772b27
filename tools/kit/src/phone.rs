//! Telephone numbers, and where a message goes: an address of one channel or the other.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::ShopId;
use crate::message::Channel;
use crate::person::Email;

/// A telephone number in E.164: `+`, country code, subscriber, at most 15 digits. `Debug` and `Display` mask it;
/// [`Phone::reveal`] is for envelopes and storage.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// A text that is not a number we would send to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a telephone number with its country code, such as +353 85 012 3456")]
pub struct InvalidPhone;

impl Phone {
    /// Takes a number with its country code; blanks, hyphens, dots and brackets between digits are dropped, a leading `00`
    /// reads as `+`. A number without a country code is refused: guessing the country would text a stranger.
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let text = text.trim();
        let rest = text.strip_prefix('+').or_else(|| text.strip_prefix("00")).ok_or(InvalidPhone)?;
        let mut digits = String::with_capacity(16);
        digits.push('+');
        for c in rest.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '/' => {}
                _ => return Err(InvalidPhone),
            }
        }
        let count = digits.len() - 1;
        // E.164 6.2.1: at most 15 digits, no country code begins with 0. The shortest subscribers have 7 in all.
        if !(7..=15).contains(&count) || digits.as_bytes().get(1) == Some(&b'0') {
            return Err(InvalidPhone);
        }
        // The North American plan has exactly ten digits after its code, and no area code begins with 0 or 1.
        if digits.starts_with("+1") && (count != 11 || matches!(digits.as_bytes().get(2), Some(b'0' | b'1'))) {
            return Err(InvalidPhone);
        }
        Ok(Self(digits))
    }

    /// The number in clear. Only envelopes, storage, and the commands that erase or unmask a person call this.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `+353…56`: enough for a person to recognise, not to call.
    pub fn masked(&self) -> String {
        let (head, tail) = (self.0.get(..4).unwrap_or("+"), self.0.get(self.0.len() - 2..).unwrap_or_default());
        format!("{head}…{tail}")
    }

    /// True for numbers of the North American plan, where state law sets hours.
    pub fn is_north_american(&self) -> bool {
        self.0.starts_with("+1")
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}
impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
impl TryFrom<String> for Phone {
    type Error = InvalidPhone;
    fn try_from(text: String) -> Result<Self, InvalidPhone> {
        Self::parse(&text)
    }
}
impl From<Phone> for String {
    fn from(phone: Phone) -> String {
        phone.0
    }
}

/// Where one message goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// A mailbox.
    Email(Email),
    /// A telephone.
    Phone(Phone),
}

impl Destination {
    /// How a message gets there.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Phone(_) => Channel::Sms,
        }
    }

    /// The form that dedupe keys and suppression lists use.
    pub fn normalised(&self) -> String {
        match self {
            Self::Email(email) => email.normalised(),
            Self::Phone(phone) => phone.reveal().to_owned(),
        }
    }

    /// A digest of the normalised form, bound to the shop.
    pub fn digest(&self, shop: &ShopId) -> Digest {
        match self {
            Self::Email(email) => email.digest(shop),
            Self::Phone(phone) => Digest::of_parts([shop.as_str(), "sms", phone.reveal()]),
        }
    }

    /// Enough for a person to recognise, not to write to.
    pub fn masked(&self) -> String {
        match self {
            Self::Email(email) => email.masked(),
            Self::Phone(phone) => phone.masked(),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
impl From<&Email> for Destination {
    fn from(email: &Email) -> Self {
        Self::Email(email.clone())
    }
}
impl From<&Phone> for Destination {
    fn from(phone: &Phone) -> Self {
        Self::Phone(phone.clone())
    }
}
impl From<&Destination> for Destination {
    fn from(to: &Destination) -> Self {
        to.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_e164_or_refused_and_never_print_themselves() {
        for (typed, kept) in [
            ("+353 85 012 3456", "+353850123456"),
            ("0049 (30) 901-820", "+4930901820"),
            ("+1 212.555.0147", "+12125550147"),
            (" +44 7700 900123 ", "+447700900123"),
        ] {
            assert_eq!(Phone::parse(typed).unwrap().reveal(), kept, "{typed}");
        }
        for bad in [
            "",
            "085 012 3456",
            "+",
            "+0123456789",
            "+12345",
            "+1234567890123456",
            "+1 112 555 0147",
            "+1 212 555 014",
            "+353 85 CALLME",
            "+353\n850123456",
            "+353850123456;ext=2",
        ] {
            assert_eq!(Phone::parse(bad), Err(InvalidPhone), "{bad}");
        }
        let phone = Phone::parse("+353850123456").unwrap();
        assert_eq!(format!("{phone} {phone:?}"), "+353…56 Phone(+353…56)");
    }
}
