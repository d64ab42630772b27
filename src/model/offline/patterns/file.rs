//! The pattern file as it is written: TOML, every key known, every pattern checked when it is read.

use std::ops::Range;

use kit::Language;
use serde::Deserialize;
use toml::Spanned;

use super::pattern::{Part, Pattern};
use super::{Book, Labels, PatternError, Reasons, SCHEMA, Section};

type List = Spanned<Vec<Spanned<String>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    schema: Spanned<String>,
    language: Spanned<String>,
    abandoned_checkout: AbandonedCheckout,
    post_purchase: PostPurchase,
    win_back: WinBack,
    reasons: ReasonLists,
    labels: LabelLists,
    beside: BesideLists,
    offers: OfferLists,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AbandonedCheckout {
    cart: Lists,
    substitute: Lists,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostPurchase {
    care: Lists,
    accessory: Lists,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WinBack {
    fresh: Lists,
    restock: Lists,
    substitute: Lists,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    subjects: List,
    preheaders: List,
    headings: List,
    openings: List,
    bodies: List,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ReasonLists {
    own: List,
    restock: List,
    substitute: List,
    same_kind: List,
    accessory: List,
    next: List,
    bought_next: List,
    bought_together: List,
    same_purpose: List,
    favourite: List,
    interest: List,
    other: List,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelLists {
    cart: List,
    product: List,
    guide: List,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BesideLists {
    guide: List,
    review: List,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferLists {
    lines: List,
}

/// Reads one file.
pub(super) fn read(path: &str, text: &str) -> Result<(Language, Book), PatternError> {
    let reader = Reader { path, text };
    let file: File = toml::from_str(text).map_err(|error| PatternError::Form {
        file: path.to_owned(),
        line: error.span().map_or(1, |span| reader.line(span)),
        why: error.message().to_owned(),
    })?;
    if file.schema.get_ref() != SCHEMA {
        let line = reader.line(file.schema.span());
        return Err(PatternError::Schema { file: path.to_owned(), line, found: file.schema.into_inner() });
    }
    let line = reader.line(file.language.span());
    let language = Language::parse(file.language.get_ref()).map_err(|why| PatternError::Language {
        file: path.to_owned(),
        line,
        why,
    })?;
    Ok((language, reader.book(file)?))
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn line(&self, span: Range<usize>) -> usize {
        self.text.get(..span.start).unwrap_or_default().matches('\n').count() + 1
    }

    fn book(&self, file: File) -> Result<Book, PatternError> {
        Ok(Book {
            cart: self.section(file.abandoned_checkout.cart)?,
            cart_substitute: self.section(file.abandoned_checkout.substitute)?,
            care: self.section(file.post_purchase.care)?,
            accessory: self.section(file.post_purchase.accessory)?,
            fresh: self.section(file.win_back.fresh)?,
            restock: self.section(file.win_back.restock)?,
            substitute: self.section(file.win_back.substitute)?,
            reasons: self.reasons(file.reasons)?,
            labels: Labels {
                cart: self.list(Part::Label, file.labels.cart)?,
                product: self.list(Part::Label, file.labels.product)?,
                guide: self.list(Part::Label, file.labels.guide)?,
            },
            beside_guide: self.list(Part::Beside, file.beside.guide)?,
            beside_review: self.list(Part::Beside, file.beside.review)?,
            offers: self.list(Part::Offer, file.offers.lines)?,
        })
    }

    fn section(&self, lists: Lists) -> Result<Section, PatternError> {
        Ok(Section {
            subjects: self.list(Part::Subject, lists.subjects)?,
            preheaders: self.list(Part::Preheader, lists.preheaders)?,
            headings: self.list(Part::Heading, lists.headings)?,
            openings: self.list(Part::Opening, lists.openings)?,
            bodies: self.list(Part::Body, lists.bodies)?,
        })
    }

    fn reasons(&self, lists: ReasonLists) -> Result<Reasons, PatternError> {
        let reasons = |list| self.list(Part::Reason, list);
        Ok(Reasons {
            own: reasons(lists.own)?,
            restock: reasons(lists.restock)?,
            substitute: reasons(lists.substitute)?,
            same_kind: reasons(lists.same_kind)?,
            accessory: reasons(lists.accessory)?,
            next: reasons(lists.next)?,
            bought_next: reasons(lists.bought_next)?,
            bought_together: reasons(lists.bought_together)?,
            same_purpose: reasons(lists.same_purpose)?,
            favourite: reasons(lists.favourite)?,
            interest: reasons(lists.interest)?,
            other: reasons(lists.other)?,
        })
    }

    fn list(&self, part: Part, list: List) -> Result<Vec<Pattern>, PatternError> {
        let line = self.line(list.span());
        let mut patterns = Vec::new();
        for text in list.into_inner() {
            let pattern = Pattern::parse(part, text.get_ref());
            let file = self.path.to_owned();
            patterns.push(pattern.map_err(|flaw| PatternError::Pattern {
                file,
                line: self.line(text.span()),
                flaw,
            })?);
        }
        let (least, plain) = wanted(part);
        let found_plain = patterns.iter().filter(|pattern| pattern.slots().next().is_none()).count();
        if patterns.len() < least || found_plain < plain {
            let (file, found) = (self.path.to_owned(), patterns.len());
            return Err(PatternError::Few { file, line, part: part.name(), least, plain, found, found_plain });
        }
        Ok(patterns)
    }
}

/// Patterns a list must have, and how many of them without a slot: enough for a message when titles are long, and for
/// another one when the first is sent back.
fn wanted(part: Part) -> (usize, usize) {
    match part {
        Part::Subject => (5, 4),
        Part::Preheader | Part::Heading | Part::Opening => (2, 2),
        Part::Body => (2, 0),
        Part::Beside | Part::Label => (1, 1),
        Part::Reason => (1, 1),
        Part::Offer => (1, 0),
    }
}
