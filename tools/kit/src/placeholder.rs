//! Placeholders: the only way a figure, a name or a link gets into copy.
//!
//! `{{f103.price}}` is a field of a fact, `{{customer.first_name}}` a field of the reader, `{{shop.name}}` of the shop.

use std::fmt;

use crate::ids::FactId;

/// One piece of a text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Plain words, with their byte offset in the source.
    Text {
        /// Byte offset.
        at: usize,
        /// The words.
        text: &'a str,
    },
    /// A slot to fill, with its byte offset.
    Slot {
        /// Byte offset of `{{`.
        at: usize,
        /// What fills it.
        slot: Slot,
    },
}

/// What fills a placeholder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// A field of a fact of this run.
    Fact {
        /// The fact.
        id: FactId,
        /// Its field.
        field: String,
    },
    /// The reader's first name. A text with this slot is dropped back to its nameless form when there is none.
    FirstName,
    /// The shop's name.
    ShopName,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fact { id, field } => write!(f, "{{{{{id}.{field}}}}}"),
            Self::FirstName => f.write_str("{{customer.first_name}}"),
            Self::ShopName => f.write_str("{{shop.name}}"),
        }
    }
}

/// Why a text has no clear reading.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    /// `{{` without `}}`, or the other way round.
    #[error("unbalanced braces at byte {at}: write placeholders as {{{{f101.title}}}}")]
    Unbalanced {
        /// Byte offset.
        at: usize,
    },
    /// A name that nothing fills.
    #[error(
        "`{{{{{name}}}}}` at byte {at} is no placeholder: use {{{{fNNN.field}}}} of a fact you were given, {{{{customer.first_name}}}} or {{{{shop.name}}}}"
    )]
    Unknown {
        /// What stood between the braces, capped.
        name: String,
        /// Byte offset.
        at: usize,
    },
}

/// Splits a text into words and slots. Braces have no other use in copy: a stray pair is an error.
pub fn parse(text: &str) -> Result<Vec<Piece<'_>>, PlaceholderError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let Some(open) = rest.find("{{") else {
            if let Some(stray) = rest.find("}}") {
                return Err(PlaceholderError::Unbalanced { at: at + stray });
            }
            pieces.push(Piece::Text { at, text: rest });
            break;
        };
        let (words, tail) = rest.split_at(open);
        if let Some(stray) = words.find("}}") {
            return Err(PlaceholderError::Unbalanced { at: at + stray });
        }
        if !words.is_empty() {
            pieces.push(Piece::Text { at, text: words });
        }
        let start = at + open;
        let inner = tail.strip_prefix("{{").unwrap_or_default();
        let Some(close) = inner.find("}}") else {
            return Err(PlaceholderError::Unbalanced { at: start });
        };
        let (name, _) = inner.split_at(close);
        pieces.push(Piece::Slot { at: start, slot: slot(name.trim(), start)? });
        at = start + 2 + close + 2;
    }
    Ok(pieces)
}

fn slot(name: &str, at: usize) -> Result<Slot, PlaceholderError> {
    let unknown =
        || PlaceholderError::Unknown { name: name.chars().filter(|c| !c.is_control()).take(40).collect(), at };
    match name {
        "customer.first_name" => return Ok(Slot::FirstName),
        "shop.name" => return Ok(Slot::ShopName),
        _ => {}
    }
    let (id, field) = name.split_once('.').ok_or_else(unknown)?;
    let numbered =
        id.strip_prefix('f').is_some_and(|n| !n.is_empty() && n.len() <= 9 && n.bytes().all(|b| b.is_ascii_digit()));
    let named = !field.is_empty() && field.len() <= 24 && field.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if !numbered || !named {
        return Err(unknown());
    }
    Ok(Slot::Fact { id: FactId::new(id).map_err(|_| unknown())?, field: field.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_words_and_slots_and_names_what_is_wrong() {
        let pieces = parse("Hi {{customer.first_name}}, {{ f103.title }} waits").unwrap();
        assert_eq!(pieces.len(), 5);
        assert_eq!(
            pieces.get(3),
            Some(&Piece::Slot { at: 28, slot: Slot::Fact { id: FactId::new("f103").unwrap(), field: "title".into() } })
        );
        assert!(matches!(parse("{{f1.price"), Err(PlaceholderError::Unbalanced { at: 0 })));
        assert!(matches!(parse("a }} b"), Err(PlaceholderError::Unbalanced { at: 2 })));
        assert!(matches!(parse("{{customer.email}}"), Err(PlaceholderError::Unknown { .. })));
        assert!(matches!(parse("{{f1.__class__.x}}"), Err(PlaceholderError::Unknown { .. })));
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_pieces_cover_the_text(text in ".{0,80}") {
            if let Ok(pieces) = parse(&text) {
                let words: usize = pieces.iter().map(|p| match p { Piece::Text { text, .. } => text.len(), Piece::Slot { .. } => 0 }).sum();
                proptest::prop_assert!(words <= text.len());
            }
        }
    }
}
