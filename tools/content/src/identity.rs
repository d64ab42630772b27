//! Who writes and who reads.

use std::fmt;

use jiff::tz::TimeZone;
use kit::Language;
use kit::person::{Email, MergeName};

/// How the shop appears in every message. Set by an administrator, never by a model.
#[derive(Debug, Clone)]
pub struct ShopIdentity {
    /// The brand, as in the masthead and `{{shop.name}}`.
    pub name: String,
    /// The home page, https.
    pub site: String,
    /// The postal address of the sender, one line (15 USC 7704(a)(5)(A)(iii)).
    pub postal_address: String,
    /// The From display name.
    pub from_name: String,
    /// The From address.
    pub from: Email,
    /// Where answers go.
    pub reply_to: Email,
    /// https address to which the reader's token is appended as the last path segment. Its host need not be a link host.
    pub unsubscribe_base: String,
    /// Hosts that links may lead to, in lower case. A sub-domain is another host.
    pub link_hosts: Vec<String>,
    /// Hosts that pictures may come from, beside the link hosts: a content delivery network holds other people's files
    /// as well, so it is no place to link to.
    pub image_hosts: Vec<String>,
    /// The colours; `None` takes the house's own.
    pub theme: Option<Theme>,
    /// Languages the shop writes in.
    pub languages: Vec<Language>,
    /// The zone in which the shop's dates are meant: an offer that ends at midnight ends on the shop's day.
    pub zone: TimeZone,
}

/// One reader.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The first name, when it is fit to print.
    pub first_name: Option<MergeName>,
    /// The language they read.
    pub language: Language,
    /// Where it goes.
    pub to: Email,
    /// Opaque and hard to forge: 16 to 512 characters of `A-Z a-z 0-9 - _ . ~` (RFC 8058 section 3.1).
    pub unsubscribe_token: String,
    /// One localised sentence: why they get this.
    pub why: String,
}

/// Campaign parameters on every link. They describe the message, never the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utm {
    /// `utm_source`, such as `mailwright`.
    pub source: String,
    /// `utm_medium`, such as `email`.
    pub medium: String,
    /// `utm_campaign`, such as the flow.
    pub campaign: String,
}

/// Three colours; every other shade is mixed from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Buttons, stars, the edge of a quote.
    pub accent: Colour,
    /// Text.
    pub ink: Colour,
    /// The sheet.
    pub paper: Colour,
}

/// An sRGB colour, written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// Red, green, blue.
    pub(crate) rgb: [u8; 3],
}

/// A text that is not a colour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a colour: write it as #rrggbb, such as #2f5d50")]
pub struct InvalidColour;

impl Colour {
    /// Parses `#rrggbb`. Anything else would end up in a style sheet, so it is refused.
    pub fn parse(text: &str) -> Result<Self, InvalidColour> {
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6).ok_or(InvalidColour)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidColour);
        }
        let bits = u32::from_str_radix(digits, 16).map_err(|_| InvalidColour)?;
        let [_, red, green, blue] = bits.to_be_bytes();
        Ok(Self { rgb: [red, green, blue] })
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.rgb;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_plain_colour_gets_into_a_style_sheet() {
        assert_eq!(Colour::parse("#2F5d50").unwrap().to_string(), "#2f5d50");
        for bad in ["", "#fff", "2f5d50", "#2f5d5", "#2f5d500", "#+f5d50", "#ééé", "red;} body{display:none"] {
            assert_eq!(Colour::parse(bad), Err(InvalidColour), "{bad}");
        }
    }
}
