//! From cast and patterns to a message: every figure, title and name a placeholder of a fact.

use kit::FactId;
use kit::message::{Block, Confidence};
use serde::Serialize;

use super::bans::Bans;
use super::cast::{Card, Cast};
use super::patterns::{Book, Choice, Pattern, Slot};
use super::reading::Product;

/// Subjects offered; at least [`LEAST_SUBJECTS`] must be found.
const SUBJECTS: usize = 4;
/// Fewer are no choice for a person or a test.
const LEAST_SUBJECTS: usize = 3;
/// Characters of a subject, values filled in.
const SUBJECT_CHARS: usize = 60;
/// Characters before the product's name in a subject: what a phone shows must hold the meaning.
const SUBJECT_MEANING: usize = 40;
/// Characters of a preheader, values filled in.
const PREHEADER_CHARS: std::ops::RangeInclusive<usize> = 30..=110;
/// Characters of a heading, values filled in.
const HEADING_CHARS: usize = 70;
/// Characters of all paragraphs together, values filled in.
const PARAGRAPH_CHARS: usize = 800;
/// Characters to reckon with for a value that is not known here: a first name, a shop's name, a code.
const UNKNOWN_CHARS: usize = 20;

/// The arguments of `propose_message`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Message {
    pub(super) angle: String,
    pub(super) subjects: Vec<String>,
    pub(super) preheader: String,
    pub(super) blocks: Vec<Block>,
    pub(super) confidence: Confidence,
}

/// Writes the message; `None` when no allowed wording is left for some part of it.
pub(super) fn compose(book: &Book, cast: &Cast<'_>, bans: &Bans, choice: &Choice) -> Option<Message> {
    let writer = Writer { book, cast, bans, choice };
    let subjects = writer.subjects()?;
    let blocks = writer.blocks(&subjects)?;
    Some(Message {
        angle: cast.angle.chars().take(48).collect(),
        subjects,
        preheader: writer.preheader()?,
        blocks,
        confidence: cast.confidence,
    })
}

struct Writer<'a> {
    book: &'a Book,
    cast: &'a Cast<'a>,
    bans: &'a Bans,
    choice: &'a Choice,
}

/// A pattern with its slots filled.
struct Line<'a> {
    pattern: &'a Pattern,
    /// With placeholders.
    text: String,
    /// Characters with values filled in.
    chars: usize,
}

impl Line<'_> {
    fn names(&self, slot: Slot) -> bool {
        self.pattern.slots().any(|named| named == slot)
    }

    fn says_a_fact(&self) -> bool {
        self.pattern.slots().any(Slot::is_sentence)
    }
}

impl<'a> Writer<'a> {
    /// The patterns that can be filled and may be used, in this occasion's order.
    fn lines(&self, list: &'a [Pattern]) -> impl Iterator<Item = Line<'a>> {
        self.lines_with(list, |slot| self.value(slot))
    }

    fn lines_with(&self, list: &'a [Pattern], value: impl Fn(Slot) -> Option<Value>) -> impl Iterator<Item = Line<'a>> {
        let filled = move |pattern: &'a Pattern| {
            let mut chars = pattern.fill(|_| Some(String::new()))?.chars().count();
            let text = pattern.fill(|slot| {
                let value = value(slot)?;
                chars += value.chars;
                Some(value.placeholder)
            })?;
            Some(Line { pattern, text, chars })
        };
        let bans = self.bans;
        self.choice.order(list).into_iter().filter_map(filled).filter(move |line| bans.allows(&line.text))
    }

    fn subjects(&self) -> Option<Vec<String>> {
        let section = self.book.section(self.cast.shape);
        let fits = |line: &Line<'_>| {
            line.chars <= SUBJECT_CHARS && line.text.find("{{").is_none_or(|at| at <= SUBJECT_MEANING)
        };
        let mut lines: Vec<Line<'_>> = self.lines(&section.subjects).filter(fits).collect();
        // The first is sent unless somebody chooses another: it names the thing.
        if let Some(concrete) = lines.iter().position(|line| line.names(Slot::ProductTitle)) {
            let concrete = lines.remove(concrete);
            lines.insert(0, concrete);
        }
        let subjects: Vec<String> = lines.into_iter().map(|line| line.text).take(SUBJECTS).collect();
        (subjects.len() >= LEAST_SUBJECTS).then_some(subjects)
    }

    fn preheader(&self) -> Option<String> {
        let section = self.book.section(self.cast.shape);
        self.lines(&section.preheaders).find(|line| PREHEADER_CHARS.contains(&line.chars)).map(|line| line.text)
    }

    fn blocks(&self, subjects: &[String]) -> Option<Vec<Block>> {
        let cast = self.cast;
        let mut headings: Vec<Line<'_>> =
            self.lines(&self.book.section(cast.shape).headings).filter(|line| line.chars <= HEADING_CHARS).collect();
        // The reader has just read the subject: the heading says something else where it can.
        headings.sort_by_key(|line| subjects.contains(&line.text));
        let mut blocks = vec![Block::Heading { text: headings.into_iter().next()?.text }];
        blocks.extend(self.paragraphs()?.into_iter().map(|text| Block::Paragraph { text }));
        let mut cards = cast.cards.iter().peekable();
        // What the text is about comes right below it; what merely goes with it, after the help.
        let about = cast.product.map(|product| &product.id);
        if let Some(lead) = cards.next_if(|card| Some(&card.product.id) == about) {
            blocks.push(self.card(lead, &blocks)?);
        }
        blocks.extend(cast.review.map(|fact| Block::Review { fact: fact.clone() }));
        blocks.extend(cast.guide.map(|guide| Block::Guide { fact: guide.fact.clone() }));
        for card in cards {
            blocks.push(self.card(card, &blocks)?);
        }
        if let Some(fact) = cast.offer {
            blocks.push(self.offer(fact)?);
        }
        let (fact, target) = cast.button;
        let label = self.lines(self.book.labels(target)).next()?.text;
        blocks.push(Block::Cta { fact: fact.clone(), label });
        Some(blocks)
    }

    /// Two short paragraphs: where the reader stands, then the catalogue fact. A guide or review can be the fact instead;
    /// then a word points to it. Without any fact there is no message.
    fn paragraphs(&self) -> Option<Vec<String>> {
        let section = self.book.section(self.cast.shape);
        let opening = self.lines(&section.openings).next()?;
        let left = PARAGRAPH_CHARS.saturating_sub(opening.chars);
        let fresh = |line: &Line<'_>| self.bans.allows_piece(&line.text);
        let body = self.lines(&section.bodies).find(|line| fresh(line) && line.says_a_fact() && line.chars <= left);
        let beside = self.cast.beside().and_then(|beside| self.lines(self.book.beside(beside)).find(fresh));
        let second = match (body, beside) {
            (Some(body), Some(beside)) if body.chars + beside.chars < left => format!("{} {}", body.text, beside.text),
            (Some(body), _) => body.text,
            (None, Some(beside)) => beside.text,
            (None, None) => return None,
        };
        Some(vec![opening.text, second])
    }

    /// A product card. Two cards of one message do not give the same reason where there is another.
    fn card(&self, card: &Card<'_>, above: &[Block]) -> Option<Block> {
        let own_words = card.words.clone().filter(|words| self.bans.allows(words));
        let title = |source: &Product| Value::field(&source.fact, "title", &source.title);
        let mut lines: Vec<Line<'_>> =
            self.lines_with(self.book.reasons(card.why), |_| card.source.map(title)).collect();
        let given =
            |words: &String| above.iter().any(|b| matches!(b, Block::Product { reason, .. } if reason == words));
        lines.sort_by_key(|line| (given(&line.text), !line.names(Slot::SourceTitle)));
        let reason = own_words.or_else(|| lines.into_iter().next().map(|line| line.text))?;
        Some(Block::Product { fact: card.product.fact.clone(), reason })
    }

    fn offer(&self, fact: &FactId) -> Option<Block> {
        let text = self.lines(&self.book.offers).next()?.text;
        Some(Block::Offer { fact: fact.clone(), text })
    }

    /// What a slot becomes for this cast; `None` when nobody plays the role or the fact has no such field.
    fn value(&self, slot: Slot) -> Option<Value> {
        let cast = self.cast;
        let title = |product: &Product| Value::field(&product.fact, "title", &product.title);
        match slot {
            Slot::ProductTitle => cast.product.map(title),
            Slot::OwnedTitle => cast.owned.map(title),
            Slot::ProductHighlight => {
                let product = cast.product?;
                Some(Value::sentence(&product.fact, "highlight", product.highlight.as_deref()?))
            }
            Slot::ProductCare => {
                let product = cast.product?;
                Some(Value::sentence(&product.fact, "care", product.care.as_deref()?))
            }
            // Only a card knows what led to it.
            Slot::SourceTitle => None,
            Slot::GuideTitle => cast.guide.map(|guide| Value::field(&guide.fact, "title", &guide.title)),
            Slot::FirstName => cast.has_first_name.then(|| Value::unknown("{{customer.first_name}}")),
            Slot::ShopName => Some(Value::unknown("{{shop.name}}")),
            Slot::OfferLabel => cast.offer.map(|fact| Value::unknown(&format!("{{{{{fact}.label}}}}"))),
            Slot::OfferCode => cast.offer.map(|fact| Value::unknown(&format!("{{{{{fact}.code}}}}"))),
            Slot::OfferEnds => cast.offer.map(|fact| Value::unknown(&format!("{{{{{fact}.ends}}}}"))),
        }
    }
}

/// A placeholder and the length of what will stand there.
struct Value {
    placeholder: String,
    chars: usize,
}

impl Value {
    fn field(fact: &FactId, field: &str, value: &str) -> Self {
        Self { placeholder: format!("{{{{{fact}.{field}}}}}"), chars: value.chars().count() }
    }

    /// Catalogues end highlights with a full stop or not: the sentence gets one where it has none.
    fn sentence(fact: &FactId, field: &str, value: &str) -> Self {
        let Self { placeholder, chars } = Self::field(fact, field, value);
        match value.trim_end().ends_with(['.', '!', '?', '…', ':']) {
            true => Self { placeholder, chars },
            false => Self { placeholder: format!("{placeholder}."), chars: chars + 1 },
        }
    }

    fn unknown(placeholder: &str) -> Self {
        Self { placeholder: placeholder.to_owned(), chars: UNKNOWN_CHARS }
    }
}
