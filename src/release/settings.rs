//! The shop's settings: who it is, where it sells, how it writes.

use content::{Colour, ShopIdentity, SmsIdentity, Theme};
use jiff::tz::TimeZone;
use kit::person::Email;
use kit::{Currency, Language, ShopId};
use serde::Deserialize;

/// A shop's settings, read and checked.
#[derive(Debug, Clone)]
pub struct ShopSettings {
    /// The shop.
    pub id: ShopId,
    /// Its currency.
    pub currency: Currency,
    /// The language for people whose own the shop does not write.
    pub default_language: Language,
    /// The zone its days are meant in; also for customers whose zone is unknown.
    pub time_zone: String,
    /// How it appears in messages.
    pub identity: ShopIdentity,
    /// How it appears in text messages; a shop without this sends none.
    pub sms: Option<SmsIdentity>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ShopSettingsError {
    /// Not the expected TOML.
    #[error("{file}, line {line}: {why}")]
    Toml {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A value that is not what it should be.
    #[error("{file}: {field}: {why}")]
    Value {
        /// The file.
        file: String,
        /// The key.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    schema: String,
    id: ShopId,
    name: String,
    currency: Currency,
    default_language: Language,
    languages: Vec<Language>,
    time_zone: String,
    site: String,
    link_hosts: Vec<String>,
    #[serde(default)]
    image_hosts: Vec<String>,
    sender: Sender,
    sms: Option<Sms>,
    theme: Option<Colours>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sms {
    sender: String,
    link_base: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sender {
    from_name: String,
    from_address: String,
    reply_to: String,
    postal_address: String,
    unsubscribe_base: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Colours {
    accent: String,
    ink: String,
    paper: String,
}

impl ShopSettings {
    /// Reads `shop.toml`.
    ///
    /// # Errors
    /// Names the file and the line or key.
    pub fn parse(file: &str, text: &str) -> Result<Self, ShopSettingsError> {
        let raw: Raw = toml::from_str(text).map_err(|e| {
            let before = e.span().and_then(|s| text.get(..s.start)).unwrap_or_default();
            ShopSettingsError::Toml {
                file: file.to_owned(),
                line: before.matches('\n').count() + 1,
                why: e.message().to_owned(),
            }
        })?;
        let bad = |field: &'static str, why: String| ShopSettingsError::Value { file: file.to_owned(), field, why };
        if raw.schema != "mailwright.shop/1" {
            return Err(bad("schema", format!("`{}` is not mailwright.shop/1", raw.schema)));
        }
        if !raw.languages.contains(&raw.default_language) {
            return Err(bad("default_language", "it must be one of languages".to_owned()));
        }
        if raw.sender.postal_address.trim().len() < 10 {
            return Err(bad(
                "sender.postal_address",
                "the law wants a full postal address in every message".to_owned(),
            ));
        }
        for (field, url) in [("site", &raw.site), ("sender.unsubscribe_base", &raw.sender.unsubscribe_base)] {
            if !url.starts_with("https://") {
                return Err(bad(field, "it must be an https address".to_owned()));
            }
        }
        if let Some(sms) = &raw.sms {
            if !sms.link_base.starts_with("https://") {
                return Err(bad("sms.link_base", "it must be an https address".to_owned()));
            }
            // Letters and digits: 11 as a name, 15 as a number (3GPP 23.040 9.1.2.5).
            let plain = sms.sender.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ' || b == b'+');
            let digits = sms.sender.bytes().all(|b| b.is_ascii_digit() || b == b'+');
            if sms.sender.trim().is_empty() || !plain || sms.sender.len() > if digits { 16 } else { 11 } {
                return Err(bad(
                    "sms.sender",
                    "at most 11 letters and digits, or a number with its country code".to_owned(),
                ));
            }
        }
        let zone = TimeZone::get(&raw.time_zone)
            .map_err(|_| bad("time_zone", format!("`{}` is no IANA zone such as Europe/Dublin", raw.time_zone)))?;
        let address = |field, text: &str| Email::parse(text).map_err(|e| bad(field, e.to_string()));
        let theme = match &raw.theme {
            Some(colours) => {
                let colour = |field, text: &str| Colour::parse(text).map_err(|e| bad(field, e.to_string()));
                Some(Theme {
                    accent: colour("theme.accent", &colours.accent)?,
                    ink: colour("theme.ink", &colours.ink)?,
                    paper: colour("theme.paper", &colours.paper)?,
                })
            }
            None => None,
        };
        Ok(Self {
            id: raw.id,
            currency: raw.currency,
            default_language: raw.default_language,
            time_zone: raw.time_zone,
            identity: ShopIdentity {
                name: raw.name,
                site: raw.site,
                postal_address: raw.sender.postal_address,
                from_name: raw.sender.from_name,
                from: address("sender.from_address", &raw.sender.from_address)?,
                reply_to: address("sender.reply_to", &raw.sender.reply_to)?,
                unsubscribe_base: raw.sender.unsubscribe_base,
                link_hosts: raw.link_hosts,
                image_hosts: raw.image_hosts,
                theme,
                languages: raw.languages,
                zone,
            },
            sms: raw.sms.map(|sms| SmsIdentity { sender: sms.sender, link_base: sms.link_base }),
        })
    }

    /// The language to write to somebody in: their own if the shop writes it, else the shop's.
    pub fn language_for(&self, own: &Language) -> Language {
        if self.identity.languages.contains(own) { own.clone() } else { self.default_language.clone() }
    }
}
