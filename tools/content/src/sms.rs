//! From a draft and a reader to one text message: brand, words, a short link, how to stop.
//!
//! The draft's one paragraph is the text, its call to action gives the link. What the frame adds is fixed here and counts
//! towards the parts, so nobody finds out at the carrier that a message costs twice.

use kit::message::{Block, Channel, DraftRecord, Place, TextMessage};
use kit::person::MergeName;
use kit::phone::Phone;
use kit::{Digest, FactValue, Language, sms};

use crate::error::RenderError;
use crate::fill::{Filler, no_field};
use crate::identity::{ShopIdentity, Utm};
use crate::link::Link;
use crate::words::words;

/// How the shop appears in text messages. Set by an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsIdentity {
    /// The sender id or number, at most 15 characters.
    pub sender: String,
    /// https address to which a short code is appended as the last path segment.
    pub link_base: String,
}

/// The last path segment of the page that stops text messages: shorter than any code, so it is none.
pub const STOP_PAGE: &str = "stop";

impl SmsIdentity {
    /// True for a number. A name of letters cannot be replied to, so a STOP would reach nobody.
    fn takes_replies(&self) -> bool {
        self.sender.bytes().all(|b| b.is_ascii_digit() || b == b'+')
    }
}

/// One reader of a text message.
#[derive(Debug, Clone)]
pub struct SmsReader {
    /// The first name, when it is fit to print.
    pub first_name: Option<MergeName>,
    /// The language they read.
    pub language: Language,
    /// Where it goes.
    pub to: Phone,
    /// Where they live: American carriers want more words.
    pub country: Option<String>,
}

/// A short link and where it leads. It is the same for every reader of a message, so that it tells nothing about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortLink {
    /// The last path segment.
    pub code: String,
    /// The whole address.
    pub url: String,
}

/// A text message and the short link that must lead somewhere before it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsLetter {
    /// What goes out.
    pub message: TextMessage,
    /// Its link.
    pub link: ShortLink,
}

/// Renders a draft as a text message of at most `parts_max` parts.
///
/// # Errors
/// When anything cannot be resolved, is no link of the shop, or is too long. Nothing is ever cut or left out silently.
pub fn render_sms(
    record: &DraftRecord,
    shop: &ShopIdentity,
    identity: &SmsIdentity,
    reader: &SmsReader,
    utm: &Utm,
    parts_max: u32,
) -> Result<SmsLetter, RenderError> {
    let draft = &record.draft;
    match draft.channel {
        Channel::Sms => {}
        Channel::Email => return Err(RenderError::Channel(Channel::Email)),
    }
    if draft.language != reader.language {
        return Err(RenderError::OtherLanguage { draft: draft.language.clone(), reader: reader.language.clone() });
    }
    if !shop.languages.contains(&draft.language) {
        return Err(RenderError::NotOffered(draft.language.clone()));
    }
    let words = words(&draft.language).ok_or_else(|| RenderError::UnknownLanguage(draft.language.clone()))?;
    let filler = Filler {
        facts: &record.facts,
        shop_name: &shop.name,
        first_name: reader.first_name.as_ref().map(MergeName::reveal),
        language: &draft.language,
        zone: &shop.zone,
        words,
    };
    let [Block::Paragraph { text }, Block::Cta { fact, .. }] = draft.blocks.as_slice() else {
        return Err(RenderError::SmsShape);
    };
    let text = filler.text(&Place::Block { index: 0, field: "text".to_owned() }, text)?;
    let place = Place::Block { index: 1, field: "fact".to_owned() };
    let target = filler.fact(&place, fact)?;
    let url = match target.field("url") {
        Some(FactValue::Url { url }) => url,
        Some(_) | None => return Err(no_field(&place, target, "url")),
    };
    let link = Link::to_hosts(url, &shop.link_hosts)
        .map_err(|source| RenderError::Link { place: place.clone(), fact: fact.clone(), source })?
        .with_utm(utm);
    let code = short_code(link.as_str());
    let short = Link::trusted(&identity.link_base)
        .map_err(|e| RenderError::Setting { setting: "sms.link_base", why: e.to_string() })?
        .join(&code);
    let stop = match reader.country.as_deref() {
        _ if !identity.takes_replies() => {
            let page = Link::trusted(&identity.link_base)
                .map_err(|e| RenderError::Setting { setting: "sms.link_base", why: e.to_string() })?
                .join(STOP_PAGE);
            format!("{} {}", words.sms_stop_link, page.as_str())
        }
        Some("US") => words.sms_stop_us.to_owned(),
        Some(_) | None => words.sms_stop.to_owned(),
    };
    let body = sms::plain(&format!("{}: {text} {} {stop}", shop.name, short.as_str()));
    if body.chars().any(char::is_control) {
        return Err(RenderError::Header { name: "text message".to_owned() });
    }
    let counted = sms::segments(&body);
    if counted.parts > parts_max {
        return Err(RenderError::TooManyParts { parts: counted.parts, most: parts_max, units: counted.units });
    }
    Ok(SmsLetter {
        message: TextMessage { sender: identity.sender.clone(), number: reader.to.clone(), body, parts: counted.parts },
        link: ShortLink { code, url: link.as_str().to_owned() },
    })
}

/// Eight characters that nobody confuses when reading them aloud: 40 bits of the address's digest.
fn short_code(url: &str) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let digest = Digest::of_parts(["short-link", url]).to_string();
    let bits = u64::from_str_radix(digest.get(..10).unwrap_or("0"), 16).unwrap_or(0);
    (0..8)
        .rev()
        .filter_map(|i| LETTERS.get(usize::try_from(bits >> (5 * i) & 31).unwrap_or(0)))
        .map(|b| char::from(*b))
        .collect()
}
