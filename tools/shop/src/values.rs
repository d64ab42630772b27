//! Values that are checked once, for every source. In optional ones absent, null and `""` are all "not told".

use kit::fence::ThirdParty;
use kit::person::Email;
use kit::{InvalidId, Language};

use crate::error::{Fault, WebhookError, field};
use crate::json::IdText;

/// The longest link taken, in bytes.
const MAX_LINK_BYTES: usize = 2048;

/// A text that says something.
pub(crate) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// A text from outside that says something.
pub(crate) fn third_party(text: Option<String>) -> Option<ThirdParty> {
    filled(text).map(ThirdParty::new)
}

fn told(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// An address.
pub(crate) fn email(text: Option<&str>, path: &str) -> Result<Option<Email>, WebhookError> {
    told(text).map(|text| Email::parse(text).map_err(|_| field(path, Fault::Email))).transpose()
}

/// A language.
pub(crate) fn language(text: Option<&str>, path: &str) -> Result<Option<Language>, WebhookError> {
    told(text).map(|text| Language::parse(text).map_err(|_| field(path, Fault::Language))).transpose()
}

/// A country code in upper case.
pub(crate) fn country(text: Option<&str>, path: &str) -> Result<Option<String>, WebhookError> {
    let Some(text) = told(text) else { return Ok(None) };
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Ok(Some(text.to_ascii_uppercase()));
    }
    Err(field(path, Fault::Country))
}

/// A link that may end up behind a button. Whose host it is, the brand rules check.
pub(crate) fn https(link: Option<String>, path: &str) -> Result<Option<String>, WebhookError> {
    let Some(link) = link else { return Ok(None) };
    let host = link.strip_prefix("https://").unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    let plain = link.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`'));
    // An `@` before the first slash shows one host and opens another.
    if host.is_empty() || host.contains('@') || !plain || link.len() > MAX_LINK_BYTES {
        return Err(field(path, Fault::Link));
    }
    Ok(Some(link))
}

/// An id of the type that `make` makes.
pub(crate) fn id<T>(text: &IdText, path: &str, make: fn(String) -> Result<T, InvalidId>) -> Result<T, WebhookError> {
    make(text.0.clone()).map_err(|e| field(path, e))
}
