//! Sentence patterns: every word that the offline model says to a reader, and the choice among them.
//!
//! A pattern is a sentence with slots such as `{{product.title}}`. A slot names a role, not a fact: writing turns it into
//! a placeholder of the fact that plays the role (`{{f101.title}}`), and a pattern whose role nobody plays is left out.

mod file;
mod pattern;

use std::collections::BTreeMap;

use kit::{Digest, Language};

pub use pattern::Flaw;
pub(super) use pattern::{Pattern, Slot};

/// The schema that pattern files name.
pub const SCHEMA: &str = "mailwright.offline/1";

/// Patterns by language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patterns {
    books: BTreeMap<Language, Book>,
}

impl Patterns {
    /// Reads pattern files, one a language, given as path and text.
    ///
    /// # Errors
    /// The first thing that is wrong, with its file and line.
    pub fn parse(files: &[(&String, &String)]) -> Result<Self, PatternError> {
        let mut books = BTreeMap::new();
        for (path, text) in files {
            let (language, book) = file::read(path, text)?;
            if books.insert(language.clone(), book).is_some() {
                return Err(PatternError::Twice { file: (*path).clone(), language });
            }
        }
        Ok(Self { books })
    }

    /// The patterns of a language.
    pub(super) fn book(&self, language: &Language) -> Option<&Book> {
        self.books.get(language)
    }
}

/// A pattern file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no TOML, or has another form: unknown or missing keys.
    #[error("{file}, line {line}: {why}")]
    Form {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// What the reader of TOML says.
        why: String,
    },
    /// It is written for another version.
    #[error("{file}, line {line}: schema `{found}` is not known; write `{SCHEMA}`")]
    Schema {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// Its language is no language.
    #[error("{file}, line {line}: {why}")]
    Language {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// What is wrong.
        why: kit::locale::InvalidLanguage,
    },
    /// Two files for one language.
    #[error("{file}: there is another file with patterns in `{language}`; keep one")]
    Twice {
        /// The second file.
        file: String,
        /// The language of both.
        language: Language,
    },
    /// A list with too few patterns to write from.
    #[error(
        "{file}, line {line}: {part} needs at least {least} patterns, {plain} of them without a slot; there are {found} and {found_plain}"
    )]
    Few {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// Which kind of pattern.
        part: &'static str,
        /// Patterns wanted.
        least: usize,
        /// Patterns without a slot wanted: they can be filled whatever the facts are.
        plain: usize,
        /// Patterns found.
        found: usize,
        /// Patterns without a slot found.
        found_plain: usize,
    },
    /// A pattern that must not be written from.
    #[error("{file}, line {line}: {flaw}")]
    Pattern {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// All patterns of a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Book {
    cart: Section,
    cart_substitute: Section,
    care: Section,
    accessory: Section,
    fresh: Section,
    restock: Section,
    substitute: Section,
    reasons: Reasons,
    labels: Labels,
    beside_guide: Vec<Pattern>,
    beside_review: Vec<Pattern>,
    /// Sentences that introduce an offer.
    pub(super) offers: Vec<Pattern>,
}

/// The patterns of one shape of message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) subjects: Vec<Pattern>,
    pub(super) preheaders: Vec<Pattern>,
    pub(super) headings: Vec<Pattern>,
    /// First paragraphs.
    pub(super) openings: Vec<Pattern>,
    /// Second paragraphs: they hold the catalogue fact.
    pub(super) bodies: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Reasons {
    own: Vec<Pattern>,
    restock: Vec<Pattern>,
    substitute: Vec<Pattern>,
    same_kind: Vec<Pattern>,
    accessory: Vec<Pattern>,
    next: Vec<Pattern>,
    bought_next: Vec<Pattern>,
    bought_together: Vec<Pattern>,
    same_purpose: Vec<Pattern>,
    favourite: Vec<Pattern>,
    interest: Vec<Pattern>,
    other: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Labels {
    cart: Vec<Pattern>,
    product: Vec<Pattern>,
    guide: Vec<Pattern>,
}

/// What a message is built around. The pattern file has one section for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A cart was left; its products are there.
    Cart,
    /// A cart was left; something stands in for what sold out.
    CartSubstitute,
    /// How to look after what was bought.
    Care,
    /// What goes with what was bought.
    Accessory,
    /// Something new to somebody who went away.
    Fresh,
    /// What an order was cancelled for is there again.
    Restock,
    /// Something stands in for what an order was cancelled for.
    Substitute,
}

/// Why a product is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It is in the cart.
    Own,
    /// It is there again.
    Restock,
    /// Curated: it can stand in.
    Substitute,
    /// Found: the same kind of thing.
    SameKind,
    /// Curated: it is used with the other.
    Accessory,
    /// Curated: the next step.
    Next,
    /// Learned: bought later.
    BoughtNext,
    /// Learned: bought by the same people.
    BoughtTogether,
    /// It serves the same purpose.
    SamePurpose,
    /// They come back to it.
    Favourite,
    /// They seem to want it; copy must not say so.
    Interest,
    /// No path leads to it.
    Other,
}

/// Where the button leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Back to the cart.
    Cart,
    /// To a product.
    Product,
    /// To a guide.
    Guide,
}

/// A card that deserves a word in the text above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// A guide.
    Guide,
    /// A review.
    Review,
}

impl Book {
    /// The patterns of a shape.
    pub(super) fn section(&self, shape: Shape) -> &Section {
        match shape {
            Shape::Cart => &self.cart,
            Shape::CartSubstitute => &self.cart_substitute,
            Shape::Care => &self.care,
            Shape::Accessory => &self.accessory,
            Shape::Fresh => &self.fresh,
            Shape::Restock => &self.restock,
            Shape::Substitute => &self.substitute,
        }
    }

    /// Reasons to show a product.
    pub(super) fn reasons(&self, why: Why) -> &[Pattern] {
        let reasons = &self.reasons;
        match why {
            Why::Own => &reasons.own,
            Why::Restock => &reasons.restock,
            Why::Substitute => &reasons.substitute,
            Why::SameKind => &reasons.same_kind,
            Why::Accessory => &reasons.accessory,
            Why::Next => &reasons.next,
            Why::BoughtNext => &reasons.bought_next,
            Why::BoughtTogether => &reasons.bought_together,
            Why::SamePurpose => &reasons.same_purpose,
            Why::Favourite => &reasons.favourite,
            Why::Interest => &reasons.interest,
            Why::Other => &reasons.other,
        }
    }

    /// Labels of the button.
    pub(super) fn labels(&self, target: Target) -> &[Pattern] {
        match target {
            Target::Cart => &self.labels.cart,
            Target::Product => &self.labels.product,
            Target::Guide => &self.labels.guide,
        }
    }

    /// Sentences that point to a card below.
    pub(super) fn beside(&self, beside: Beside) -> &[Pattern] {
        match beside {
            Beside::Guide => &self.beside_guide,
            Beside::Review => &self.beside_review,
        }
    }
}

/// The choice among variants: fixed for one occasion, different for the next.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    occasion: String,
}

impl Choice {
    /// For the flow, products and occasion of a run.
    pub(super) fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        Self { occasion: Digest::of_parts(parts).to_string() }
    }

    /// The patterns in the order in which this occasion tries them. Each pattern is ranked by itself (rendezvous hashing),
    /// so that adding one to a file does not reshuffle the others.
    pub(super) fn order<'a>(&self, list: &'a [Pattern]) -> Vec<&'a Pattern> {
        let mut ranked: Vec<(Digest, &Pattern)> =
            list.iter().map(|p| (Digest::of_parts([self.occasion.as_str(), p.source()]), p)).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, pattern)| pattern).collect()
    }
}
