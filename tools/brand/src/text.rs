//! One text of a message, taken apart once for all checks.

use kit::fact::FactValue;
use kit::message::{Block, Draft, Place};
use kit::placeholder::{self, Piece, PlaceholderError, Slot};
use kit::{FactBook, Language};

use crate::book::{CheckContext, Scope};
use crate::checks::scope_of;
use crate::fold::Segment;
use crate::phrases::Forms;

/// A first name of usual length, to judge how long a text gets.
const NAME: &str = "Catherine";

/// A placeholder and where it stands.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) at: usize,
    pub(crate) end: usize,
    pub(crate) slot: Slot,
}

/// A text with its normal forms.
pub(crate) struct Text<'a> {
    pub(crate) place: Place,
    pub(crate) scope: Scope,
    /// May hold the reader's first name.
    pub(crate) may_name: bool,
    /// The product whose card holds the text.
    pub(crate) about: Option<String>,
    pub(crate) raw: &'a str,
    pub(crate) segments: Vec<Segment<'a>>,
    pub(crate) slots: Vec<Placed>,
    pub(crate) error: Option<PlaceholderError>,
    pub(crate) forms: Forms,
    /// As a reader sees it, values filled in.
    pub(crate) filled: String,
    /// Characters before the first title of a fact in `filled`.
    pub(crate) title_at: Option<usize>,
}

impl<'a> Text<'a> {
    pub(crate) fn new(
        place: Place,
        raw: &'a str,
        draft: Option<&Draft>,
        facts: &FactBook,
        cx: &CheckContext<'_>,
    ) -> Self {
        let scope = scope_of(&place, draft);
        let (pieces, error) = match placeholder::parse(raw) {
            Ok(pieces) => (pieces, None),
            Err(error) => (vec![Piece::Text { at: 0, text: raw }], Some(error)),
        };
        let starts: Vec<usize> = pieces.iter().map(start_of).collect();
        let mut text = Self {
            may_name: may_name(&place, draft),
            about: about(&place, draft, facts),
            scope,
            place,
            raw,
            segments: Vec::new(),
            slots: Vec::new(),
            error,
            forms: Forms::of(&[]),
            filled: String::new(),
            title_at: None,
        };
        for (index, piece) in pieces.into_iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(raw.len());
            match piece {
                Piece::Text { at, text: words } => {
                    text.filled.push_str(words);
                    text.segments.push(Segment::Words { at, text: words });
                }
                Piece::Slot { at, slot } => {
                    if matches!(&slot, Slot::Fact { field, .. } if field == "title") {
                        text.title_at.get_or_insert(text.filled.chars().count());
                    }
                    text.filled.push_str(&value_of(&slot, facts, cx));
                    text.segments.push(Segment::Slot { at, end, word: word_of(&slot) });
                    text.slots.push(Placed { at, end, slot });
                }
            }
        }
        text.forms = Forms::of(&text.segments);
        text
    }

    /// The source text of a span.
    pub(crate) fn excerpt(&self, (start, end): (usize, usize)) -> &'a str {
        self.raw.get(start..end).unwrap_or_default()
    }

    /// The stretches that the writer wrote, with their byte offsets.
    pub(crate) fn written(&self) -> impl Iterator<Item = (usize, &'a str)> + '_ {
        self.segments.iter().filter_map(|s| match s {
            Segment::Words { at, text } => Some((*at, *text)),
            Segment::Slot { .. } => None,
        })
    }

    /// Characters a reader sees.
    pub(crate) fn filled_chars(&self) -> usize {
        self.filled.trim().chars().count()
    }
}

fn start_of(piece: &Piece<'_>) -> usize {
    match piece {
        Piece::Text { at, .. } | Piece::Slot { at, .. } => *at,
    }
}

fn may_name(place: &Place, draft: Option<&Draft>) -> bool {
    match place {
        Place::Subject { .. } | Place::Preheader | Place::Whole => true,
        Place::Block { index, field } => match draft.and_then(|d| d.blocks.get(*index)) {
            Some(Block::Heading { .. } | Block::Paragraph { .. }) => true,
            Some(
                Block::Product { .. }
                | Block::Guide { .. }
                | Block::Review { .. }
                | Block::Offer { .. }
                | Block::Cta { .. },
            ) => false,
            None => field == "text",
        },
    }
}

fn about(place: &Place, draft: Option<&Draft>, facts: &FactBook) -> Option<String> {
    let Place::Block { index, .. } = place else { return None };
    match draft?.blocks.get(*index)? {
        Block::Product { fact, .. } => Some(facts.get(fact)?.subject.clone()),
        Block::Heading { .. }
        | Block::Paragraph { .. }
        | Block::Guide { .. }
        | Block::Review { .. }
        | Block::Offer { .. }
        | Block::Cta { .. } => None,
    }
}

/// The word a placeholder counts as, such as `slotstock`.
fn word_of(slot: &Slot) -> String {
    match slot {
        Slot::Fact { field, .. } => format!("slot{}", field.replace('_', "")),
        Slot::FirstName => "slotname".to_owned(),
        Slot::ShopName => "slotshop".to_owned(),
    }
}

fn value_of(slot: &Slot, facts: &FactBook, cx: &CheckContext<'_>) -> String {
    match slot {
        Slot::FirstName => NAME.to_owned(),
        Slot::ShopName => cx.shop_name.to_owned(),
        Slot::Fact { id, field } => {
            facts.get(id).and_then(|f| f.field(field)).map(|v| display(v, cx.language)).unwrap_or_default()
        }
    }
}

/// A value in about the length a reader sees; rendering itself is not ours.
fn display(value: &FactValue, language: &Language) -> String {
    match value {
        FactValue::Text { text, .. } => text.clone(),
        FactValue::Money { money } => money.display_in(language),
        FactValue::Count { count } => count.to_string(),
        FactValue::Url { .. } | FactValue::Products { .. } => String::new(),
        FactValue::Time { at } => at.strftime("%-d %B").to_string(),
    }
}
