//! Words that belong to a fact and were typed instead: a product's title, a review, a quotation.

use std::collections::BTreeSet;

use kit::{Fact, FactBook, FactId, FactKind};

use super::{Scene, strong};
use crate::fold::{Folded, Form};
use crate::rules;
use crate::text::Text;

/// So many words in a row, the same as in a review, are taken from it.
const COPIED_WORDS: usize = 5;
/// A review shorter than this is nobody's words in particular.
const REVIEW_WORDS: usize = 3;
/// A first name alone is anybody's.
const AUTHOR_WORDS: usize = 2;
/// Words between quotation marks from which on somebody is quoted, and not a word set off.
const QUOTED_WORDS: usize = 4;
/// Words of a title from which on it is known in any spelling; a shorter one must be written with its capitals.
const TELLING_WORDS: usize = 3;

/// Words of a fact as they would be found in a text.
#[derive(Debug)]
pub(crate) enum Original {
    /// A product's title.
    Title { fact: FactId, words: Vec<String> },
    /// A review, and who wrote it: a name of many words is one that somebody has put words into.
    Review { text: Runs, author: Runs },
}

/// Every run of so many words in a text.
#[derive(Debug)]
pub(crate) struct Runs {
    runs: BTreeSet<Vec<String>>,
    length: usize,
}

impl Runs {
    /// None of a text with fewer words than `least`: they are nobody's in particular.
    fn of(words: &[String], least: usize) -> Self {
        let length = words.len().min(COPIED_WORDS);
        let words = if length < least { &[] } else { words };
        Self { runs: words.windows(length.max(1)).map(<[String]>::to_vec).collect(), length }
    }
}

/// What could be copied, folded once for all texts of a message; each product and review once.
pub(super) fn originals(facts: &FactBook, learned: &FactBook) -> Vec<Original> {
    let mut known: Vec<&Fact> = learned.iter().chain(facts.iter()).collect();
    known.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
    known.dedup_by(|a, b| (a.kind, &a.subject) == (b.kind, &b.subject));
    let words = |fact: &Fact, field: &str| {
        let folded = Folded::of_words(fact.text(field).unwrap_or_default(), Form::Plain);
        folded.words().split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let original = |fact: &Fact| match fact.kind {
        FactKind::Product => Some(Original::Title { fact: fact.id.clone(), words: words(fact, "title") }),
        FactKind::Review => Some(Original::Review {
            text: Runs::of(&words(fact, "text"), REVIEW_WORDS),
            author: Runs::of(&words(fact, "author"), AUTHOR_WORDS),
        }),
        FactKind::Guide | FactKind::Offer | FactKind::Cart | FactKind::Order | FactKind::Claim => None,
    };
    known.into_iter().filter_map(original).collect()
}

pub(super) fn check(scene: &mut Scene<'_>, text: &Text<'_>) {
    let originals = std::mem::take(&mut scene.originals);
    for original in &originals {
        match original {
            Original::Title { fact, words } => title(scene, text, fact, words),
            Original::Review { text: written, author } => {
                if let Some(span) = run_of(text, written).or_else(|| run_of(text, author)) {
                    scene.find(&rules::QUOTED, &text.place, Some(span), text.excerpt(span));
                }
            }
        }
    }
    scene.originals = originals;
    quotation(scene, text);
}

/// `the Clare Mid Hiking Boot`, and `the Clare Mid`: the name goes with the fact, so that it is the name of now.
fn title(scene: &mut Scene<'_>, text: &Text<'_>, fact: &FactId, words: &[String]) {
    let telling = words.len() >= TELLING_WORDS;
    let full = found(text, words).filter(|span| telling || capitals(text.excerpt(*span), words.len()));
    let short = || {
        let head = words.get(..2).filter(|_| telling)?;
        found(text, head).filter(|span| capitals(text.excerpt(*span), head.len()))
    };
    if let Some(span) = full.or_else(short) {
        let mend = format!("write {{{{{fact}.title}}}}, or name the kind of thing");
        scene.find_with(&rules::TITLE_TYPED, &text.place, Some(span), text.excerpt(span), mend);
    }
}

/// Every word begins as a name does. One word alone could be any word.
fn capitals(written: &str, words: usize) -> bool {
    let capital = |word: &str| word.chars().next().is_some_and(|c| c.is_uppercase() || c.is_numeric());
    words >= 2 && written.split_whitespace().all(capital)
}

/// The first run of words that is also one of these, in bytes of the source.
fn run_of(text: &Text<'_>, Runs { runs, length }: &Runs) -> Option<(usize, usize)> {
    let length = *length;
    if runs.is_empty() {
        return None;
    }
    let (mut words, mut spans) = (Vec::new(), Vec::new());
    for (from, to, word) in strong::words(&text.forms, 0, text.raw.len()) {
        words.push(word);
        spans.push((from, to));
    }
    let at = words.windows(length).position(|run| runs.contains(run))?;
    Some((spans.get(at)?.0, spans.get(at + length - 1)?.1))
}

/// Somebody's words between quotation marks. What a placeholder fills in is not typed.
fn quotation(scene: &mut Scene<'_>, text: &Text<'_>) {
    for quoted in scene.matchers.patterns.quotation.captures_iter(text.raw).filter_map(|c| c.get(1)) {
        let (start, end) = (quoted.start(), quoted.end());
        let typed = text.written().filter_map(|(at, words)| {
            let (from, to) = (start.max(at), end.min(at + words.len()));
            text.raw.get(from..to)
        });
        let words = typed.flat_map(str::split_whitespace).filter(|word| word.contains(char::is_alphabetic));
        if words.count() >= QUOTED_WORDS {
            scene.find(&rules::QUOTED, &text.place, Some((start, end)), quoted.as_str());
        }
    }
}

/// Where these folded words stand in a row, in bytes of the source.
fn found(text: &Text<'_>, words: &[String]) -> Option<(usize, usize)> {
    if words.is_empty() {
        return None;
    }
    let form = &text.forms.plain;
    let wanted = format!(" {} ", words.join(" "));
    let at = form.text().find(&wanted)?;
    Some(form.span(at + 1, at + wanted.len() - 1))
}
