//! Many phrases against one text in one pass: Aho-Corasick over the normal forms, word bounds checked by us.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use rust_stemmers::{Algorithm, Stemmer};

use crate::fold::{Folded, Form, Segment};

/// Words a ` * ` may stand for, at most.
const GAP_WORDS: usize = 3;

/// A language the checker has word lists for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lang {
    En,
    De,
}

impl Lang {
    pub(crate) const ALL: [Self; 2] = [Self::En, Self::De];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "en" => Some(Self::En),
            "de" => Some(Self::De),
            _ => None,
        }
    }

    fn stemmer(self) -> Stemmer {
        Stemmer::create(match self {
            Self::En => Algorithm::English,
            Self::De => Algorithm::German,
        })
    }
}

/// Whose phrase it is: indices into the book's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// A rule's phrase.
    Rule(usize),
    /// A rule's phrase that counts only beside a [`Self::Near`] of the same rule.
    Weak(usize),
    /// What gives weak phrases of a rule their meaning.
    Near(usize),
    /// A harmless phrase of a rule: hits that overlap it do not count.
    Except(usize),
    /// An approved claim's text.
    Claim(usize),
}

/// A phrase to look for.
#[derive(Debug, Clone)]
pub(crate) struct Phrase {
    pub(crate) owner: Owner,
    /// Drafts it counts in; `None` for all.
    pub(crate) language: Option<Lang>,
    /// Compare stems instead of words.
    pub(crate) stem: bool,
    pub(crate) text: String,
}

/// A phrase that was found, in bytes of the source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub(crate) owner: Owner,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Hit {
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Why a phrase cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PhraseError {
    #[error("the phrase is empty")]
    Empty,
    #[error("`{0}` has no letters to look for")]
    NoLetters(String),
    #[error("in `{0}` a lone * needs words on both sides")]
    LoneStar(String),
}

/// One stretch of words of a phrase, such as `rabatt*`.
#[derive(Debug, Clone)]
struct Part {
    words: String,
    open_left: bool,
    open_right: bool,
}

#[derive(Debug)]
struct Compiled {
    owner: Owner,
    language: Option<Lang>,
    head: Part,
    /// Parts after the first, each within [`GAP_WORDS`] of the one before.
    tail: Vec<Part>,
}

/// All phrases over one normal form.
#[derive(Debug)]
struct Automaton {
    heads: AhoCorasick,
    compiled: Vec<Compiled>,
}

/// All phrases of a rule book, read. [`Finder`] looks for them.
#[derive(Debug)]
pub(crate) struct Phrases(Vec<Phrase>);

/// All phrases of a rule book, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Finder {
    plain: Automaton,
    joined: Automaton,
    /// Stem phrases per language of [`Lang::ALL`], with the first letters a stemmed word must share.
    stems: Vec<(Lang, Automaton)>,
}

/// A text in every form the phrases need.
#[derive(Debug)]
pub(crate) struct Forms {
    pub(crate) plain: Folded,
    joined: Option<Folded>,
    /// Where sentences end, in bytes of the source text.
    pub(crate) sentence_ends: Vec<usize>,
}

impl Forms {
    pub(crate) fn of(segments: &[Segment<'_>]) -> Self {
        let plain = Folded::of(segments, Form::Plain);
        let joined = Folded::of(segments, Form::Joined);
        let ends_in = |(at, text): (usize, &str)| {
            let ends = text.char_indices().filter(|(_, c)| matches!(c, '.' | '!' | '?' | '…' | '\n' | ';'));
            ends.map(|(offset, _)| at + offset).collect::<Vec<_>>()
        };
        let words = segments.iter().filter_map(|segment| match segment {
            Segment::Words { at, text } => Some((*at, *text)),
            Segment::Slot { .. } => None,
        });
        let sentence_ends = words.flat_map(ends_in).collect();
        Self { sentence_ends, joined: (joined.text() != plain.text()).then_some(joined), plain }
    }
}

impl Phrases {
    /// Reads the phrases; the errors name the phrase by its place in the list.
    pub(crate) fn read(phrases: Vec<Phrase>) -> Result<Self, Vec<(usize, PhraseError)>> {
        let faults = phrases.iter().enumerate().filter(|(_, phrase)| !is_plain(&phrase.text));
        let errors: Vec<_> = faults.filter_map(|(index, phrase)| Some((index, Spelled::of(phrase).err()?))).collect();
        if errors.is_empty() { Ok(Self(phrases)) } else { Err(errors) }
    }

    /// Builds what looks for them.
    ///
    /// # Errors
    /// In words, when they are too many or one of them has nothing to look for.
    pub(crate) fn finder(&self) -> Result<Finder, String> {
        let (mut plain, mut joined) = (Vec::new(), Vec::new());
        let mut stems: Vec<(Lang, Vec<Compiled>)> = Lang::ALL.iter().map(|l| (*l, Vec::new())).collect();
        for phrase in &self.0 {
            let spelled = Spelled::of(phrase).map_err(|e| e.to_string())?;
            plain.extend(spelled.plain);
            joined.extend(spelled.joined);
            for ((_, list), own) in stems.iter_mut().zip(spelled.stems) {
                list.extend(own);
            }
        }
        let automaton = |compiled| Automaton::new(compiled).map_err(|e| e.to_string());
        Ok(Finder {
            plain: automaton(plain)?,
            joined: automaton(joined)?,
            stems: stems.into_iter().map(|(l, list)| Ok((l, automaton(list)?))).collect::<Result<_, String>>()?,
        })
    }
}

/// A phrase in every spelling and form.
#[derive(Default)]
struct Spelled {
    plain: Vec<Compiled>,
    joined: Vec<Compiled>,
    /// In the order of [`Lang::ALL`]; none of a phrase that is compared as it is.
    stems: [Vec<Compiled>; Lang::ALL.len()],
}

impl Spelled {
    fn of(phrase: &Phrase) -> Result<Self, PhraseError> {
        let mut spelled = Self::default();
        for spelling in spellings(&phrase.text) {
            spelled.plain.push(compile(phrase, &spelling, |w| folded(w, Form::Plain))?);
            spelled.joined.push(compile(phrase, &spelling, |w| folded(w, Form::Joined))?);
            for (language, list) in Lang::ALL.into_iter().zip(&mut spelled.stems).filter(|_| phrase.stem) {
                let stemmer = language.stemmer();
                list.push(compile(phrase, &spelling, |w| stemmed(w, &stemmer))?);
            }
        }
        Ok(spelled)
    }
}

/// True when a look at the letters is enough to know that every form has something to look for: nearly always, and much
/// cheaper than making the forms.
fn is_plain(text: &str) -> bool {
    let padded = format!(" {} ", text.split_whitespace().collect::<Vec<_>>().join(" "));
    padded.split(" * ").all(|stretch| stretch.bytes().any(|b| b.is_ascii_alphabetic()))
}

impl Finder {
    /// Every phrase found, in order of owner and place, in a draft of this language.
    pub(crate) fn find(&self, forms: &Forms, language: Option<Lang>) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.plain.find(&forms.plain, language, &mut hits);
        if let Some(joined) = &forms.joined {
            self.joined.find(joined, language, &mut hits);
        }
        for (_, automaton) in self.stems.iter().filter(|(l, a)| Some(*l) == language && !a.compiled.is_empty()) {
            let Some(stemmer) = language.map(Lang::stemmer) else { continue };
            let stems = forms.plain.map_words(|w| stemmer.stem(w).into_owned());
            automaton.find(&stems, language, &mut hits);
        }
        hits.sort_unstable();
        hits.dedup();
        hits
    }
}

impl Automaton {
    fn new(compiled: Vec<Compiled>) -> Result<Self, aho_corasick::BuildError> {
        let heads = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(compiled.iter().map(|c| c.head.words.as_bytes()))?;
        Ok(Self { heads, compiled })
    }

    fn find(&self, form: &Folded, language: Option<Lang>, hits: &mut Vec<Hit>) {
        let text = form.text();
        for found in self.heads.find_overlapping_iter(text) {
            let Some(phrase) = self.compiled.get(found.pattern().as_usize()) else { continue };
            if phrase.language.is_some() && phrase.language != language {
                continue;
            }
            if !phrase.head.bounded(text, found.start(), found.end()) {
                continue;
            }
            let end = phrase.tail.iter().try_fold(word_end(text, found.end()), |at, part| part.find_after(text, at));
            if let Some(end) = end {
                let start = word_start(text, found.start());
                let (start, end) = form.span(start, end);
                hits.push(Hit { owner: phrase.owner, start, end });
            }
        }
    }
}

impl Part {
    fn bounded(&self, text: &str, start: usize, end: usize) -> bool {
        (self.open_left || word_start(text, start) == start) && (self.open_right || word_end(text, end) == end)
    }

    /// The end of this part when it follows within the gap.
    fn find_after(&self, text: &str, at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        for (offset, _) in rest.match_indices(' ').take(GAP_WORDS + 1) {
            let from = at + offset + 1;
            let here = text.get(from..)?;
            let word = here.split(' ').next().unwrap_or_default();
            let inside = if self.open_left { word.find(&self.words) } else { None };
            let start = from + inside.unwrap_or(0);
            let end = start + self.words.len();
            if text.get(start..).is_some_and(|t| t.starts_with(&self.words)) && self.bounded(text, start, end) {
                return Some(word_end(text, end));
            }
        }
        None
    }
}

fn word_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|t| t.rfind(' ')).map_or(0, |i| i + 1)
}

fn word_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|t| t.find(' ')).map_or(text.len(), |i| at + i)
}

/// The phrase as written, with ä, ö, ü spelled out, and without apostrophes (`dont`).
fn spellings(text: &str) -> BTreeSet<String> {
    let lower = text.to_lowercase();
    let spelled = lower.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
    let bare = lower.replace(['\'', '’'], "");
    BTreeSet::from([lower, spelled, bare])
}

fn folded(words: &str, form: Form) -> String {
    Folded::of_words(words, form).words().to_owned()
}

fn stemmed(words: &str, stemmer: &Stemmer) -> String {
    Folded::of_words(words, Form::Plain).map_words(|w| stemmer.stem(w).into_owned()).words().to_owned()
}

fn compile(phrase: &Phrase, text: &str, fold: impl Fn(&str) -> String) -> Result<Compiled, PhraseError> {
    if text.trim().is_empty() {
        return Err(PhraseError::Empty);
    }
    let mut parts = Vec::new();
    let padded = format!(" {} ", text.split_whitespace().collect::<Vec<_>>().join(" "));
    for stretch in padded.split(" * ") {
        let stretch = stretch.trim();
        if stretch.is_empty() {
            return Err(PhraseError::LoneStar(text.to_owned()));
        }
        let words = fold(stretch.trim_matches('*'));
        if words.is_empty() {
            return Err(PhraseError::NoLetters(text.to_owned()));
        }
        parts.push(Part { words, open_left: stretch.starts_with('*'), open_right: stretch.ends_with('*') });
    }
    let mut parts = parts.into_iter();
    let head = parts.next().ok_or(PhraseError::Empty)?;
    Ok(Compiled { owner: phrase.owner, language: phrase.language, head, tail: parts.collect() })
}
