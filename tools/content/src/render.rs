//! From a draft and a reader to the bytes of a message.

use kit::message::{Channel, DraftRecord, Rendered};

use crate::error::RenderError;
use crate::fill::Filler;
use crate::identity::{Reader, ShopIdentity, Theme, Utm};
use crate::letter::{Letter, Resolver};
use crate::words::{Words, words};
use crate::{mjml, text};

/// Gmail clips what is longer, and the unsubscribe link with it.
pub const MAX_HTML_BYTES: usize = 102_400;

/// Renders a draft for one reader with the subject at `subject_index`, counted from 0.
///
/// Whether the draft may go out is not asked here: see [`kit::message::Cleared`].
///
/// # Errors
/// When anything cannot be resolved, is no link of the shop, could break a header, or is too large. Nothing is ever
/// left out or replaced silently.
pub fn render(
    record: &DraftRecord,
    shop: &ShopIdentity,
    reader: &Reader,
    utm: &Utm,
    subject_index: usize,
) -> Result<Rendered, RenderError> {
    render_with(record, shop, reader, utm, subject_index, |letter, words, theme| {
        mjml::to_html(&mjml::set(letter, words, theme))
    })
}

/// The same with another way to make the HTML of the letter.
pub(crate) fn render_with(
    record: &DraftRecord,
    shop: &ShopIdentity,
    reader: &Reader,
    utm: &Utm,
    subject_index: usize,
    html: impl FnOnce(&Letter<'_>, &Words, Option<Theme>) -> Result<String, RenderError>,
) -> Result<Rendered, RenderError> {
    let language = &record.draft.language;
    match record.draft.channel {
        Channel::Email => {}
        Channel::Sms => return Err(RenderError::Channel(Channel::Sms)),
    }
    if *language != reader.language {
        return Err(RenderError::OtherLanguage { draft: language.clone(), reader: reader.language.clone() });
    }
    if !shop.languages.contains(language) {
        return Err(RenderError::NotOffered(language.clone()));
    }
    let words = words(language).ok_or_else(|| RenderError::UnknownLanguage(language.clone()))?;
    let filler = Filler {
        facts: &record.facts,
        shop_name: &shop.name,
        first_name: reader.first_name.as_ref().map(kit::person::MergeName::reveal),
        language,
        zone: &shop.zone,
        words,
    };
    let letter = Resolver { filler, shop, utm }.letter(record, reader, subject_index)?;

    let html = html(&letter, words, shop.theme)?;
    if html.len() > MAX_HTML_BYTES {
        return Err(RenderError::TooLarge { bytes: html.len() });
    }
    let headers = vec![
        ("List-Unsubscribe".to_owned(), format!("<{}>", letter.footer.unsubscribe.as_str())),
        ("List-Unsubscribe-Post".to_owned(), "List-Unsubscribe=One-Click".to_owned()),
        ("Feedback-ID".to_owned(), feedback_id(shop, record, utm)),
    ];
    let rendered = Rendered {
        text: text::set(&letter, words),
        subject: letter.subject,
        html,
        headers,
        from_name: shop.from_name.clone(),
        from: shop.from.clone(),
        reply_to: shop.reply_to.clone(),
        to: reader.to.clone(),
    };
    headers_are_plain(&rendered)?;
    Ok(rendered)
}

/// Gmail's feedback loop groups complaints by these: campaign, language, source, and a constant sender. Nothing about
/// the reader, nothing the model wrote.
fn feedback_id(shop: &ShopIdentity, record: &DraftRecord, utm: &Utm) -> String {
    let domain = shop.from.reveal().rsplit_once('@').map_or("", |(_, domain)| domain);
    [utm.campaign.as_str(), record.draft.language.as_str(), utm.source.as_str(), domain].map(token).join(":")
}

fn token(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect()
}

/// No header can start another one, and none can be decoded into something else than was checked.
fn headers_are_plain(message: &Rendered) -> Result<(), RenderError> {
    let own = [("Subject", message.subject.as_str()), ("From", message.from_name.as_str())];
    let further = message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.into_iter().chain(further) {
        if value.chars().any(char::is_control) || (value.contains("=?") && value.contains("?=")) {
            return Err(RenderError::Header { name: name.to_owned() });
        }
    }
    Ok(())
}
