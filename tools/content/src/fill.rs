//! Filling placeholders: from a text with slots and cited facts to plain words.

use jiff::tz::TimeZone;
use kit::message::Place;
use kit::placeholder::{self, Piece, Slot};
use kit::{Fact, FactBook, FactId, FactValue, Language};

use crate::error::RenderError;
use crate::name::without_name;
use crate::words::Words;

/// Everything a slot may be filled from.
#[derive(Debug)]
pub(crate) struct Filler<'a> {
    pub(crate) facts: &'a FactBook,
    pub(crate) shop_name: &'a str,
    pub(crate) first_name: Option<&'a str>,
    pub(crate) language: &'a Language,
    pub(crate) zone: &'a TimeZone,
    pub(crate) words: &'static Words,
}

impl<'a> Filler<'a> {
    /// The words of a text, every slot filled, on one line, not empty.
    pub(crate) fn text(&self, place: &Place, source: &str) -> Result<String, RenderError> {
        let pieces =
            placeholder::parse(source).map_err(|source| RenderError::Placeholder { place: place.clone(), source })?;
        // The text, cut wherever a name is missing.
        let mut parts = vec![String::new()];
        let mut after_value = false;
        for piece in pieces {
            let follows_value = std::mem::replace(&mut after_value, matches!(piece, Piece::Slot { .. }));
            let words = match piece {
                Piece::Text { text, .. } => {
                    refuse_link(place, text)?;
                    let said = parts.last().map_or("", String::as_str);
                    if follows_value { one_stop(said, text).to_owned() } else { text.to_owned() }
                }
                Piece::Slot { slot: Slot::Fact { id, field }, .. } => {
                    self.value(place, self.fact(place, &id)?, &field)?
                }
                Piece::Slot { slot: Slot::ShopName, .. } => self.shop_name.to_owned(),
                Piece::Slot { slot: Slot::FirstName, .. } => match self.first_name {
                    Some(name) => name.to_owned(),
                    None => {
                        parts.push(String::new());
                        continue;
                    }
                },
            };
            if let Some(part) = parts.last_mut() {
                part.push_str(&words);
            }
        }
        let parts: Vec<String> = parts.iter().map(|p| one_line(p)).collect();
        let whole = without_name(&parts, self.words).ok_or_else(|| RenderError::NameBound { place: place.clone() })?;
        match whole.trim() {
            "" => Err(RenderError::Empty { place: place.clone() }),
            words => Ok(words.to_owned()),
        }
    }

    /// A cited fact.
    pub(crate) fn fact(&self, place: &Place, id: &FactId) -> Result<&'a Fact, RenderError> {
        self.facts.get(id).ok_or_else(|| RenderError::NoFact { place: place.clone(), fact: id.clone() })
    }

    /// A field of a fact in the reader's own form: prices and dates as they write them.
    pub(crate) fn value(&self, place: &Place, fact: &Fact, field: &str) -> Result<String, RenderError> {
        let shown = match fact.field(field) {
            Some(FactValue::Text { text, .. }) => {
                refuse_link(place, text)?;
                if text.contains("{{") || text.contains("}}") {
                    let (place, fact, field) = (place.clone(), fact.id.clone(), field.to_owned());
                    return Err(RenderError::Braces { place, fact, field });
                }
                one_line(text).trim().to_owned()
            }
            Some(FactValue::Money { money }) => money.display_in(self.language),
            Some(FactValue::Count { count }) => count.to_string(),
            Some(FactValue::Time { at }) => self.words.date(*at, self.zone),
            Some(FactValue::Url { .. }) => {
                let excerpt = format!("{{{{{}.{field}}}}}", fact.id);
                return Err(RenderError::LinkInText { place: place.clone(), excerpt });
            }
            Some(FactValue::Products { .. }) | None => String::new(),
        };
        if shown.is_empty() { Err(no_field(place, fact, field)) } else { Ok(shown) }
    }

    /// A field that need not be there.
    pub(crate) fn optional(&self, place: &Place, fact: &Fact, field: &str) -> Result<Option<String>, RenderError> {
        match fact.field(field) {
            Some(_) => self.value(place, fact, field).map(Some),
            None => Ok(None),
        }
    }
}

/// What follows a value, without its full stop when the value ends a sentence itself: `… bei Nacht.` and `.` make one
/// stop. An ellipsis stays as it is.
fn one_stop<'t>(value: &str, text: &'t str) -> &'t str {
    let ended = value.trim_end().ends_with(['.', '!', '?', '…']);
    match text.strip_prefix('.') {
        Some(rest) if ended && !rest.starts_with('.') => rest,
        Some(_) | None => text,
    }
}

/// The error for a field that is absent, empty or of another type.
pub(crate) fn no_field(place: &Place, fact: &Fact, field: &str) -> RenderError {
    let known: Vec<&str> = fact.fields.keys().map(String::as_str).collect();
    RenderError::NoField {
        place: place.clone(),
        fact: fact.id.clone(),
        field: field.to_owned(),
        known: known.join(", "),
    }
}

/// Mail clients turn typed addresses into links, past every list of hosts.
fn refuse_link(place: &Place, text: &str) -> Result<(), RenderError> {
    let lower = text.to_lowercase();
    let Some(mark) = ["://", "www."].into_iter().find(|mark| lower.contains(mark)) else { return Ok(()) };
    let word = lower.split_whitespace().find(|w| w.contains(mark)).unwrap_or(mark);
    Err(RenderError::LinkInText { place: place.clone(), excerpt: word.chars().take(40).collect() })
}

/// One line without control characters and without marks that reorder or hide text. Blanks at the edges stay: they
/// tell what stood next to a name.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        if hidden {
            continue;
        }
        // A no-break space is a decision of the writer: it stays.
        let is_blank = (c.is_whitespace() && c != '\u{a0}') || c.is_control();
        if !is_blank {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}
