//! What the shop knows of one person, found in a text however it is spelled: with or without accents, `ue` for `ü`, `St` for `Street`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{Class, Span};

/// Shortest part of a name that is looked for alone.
const SHORTEST_PART: usize = 4;
/// From this length on a name may be misspelled by one letter.
const FORGIVING: usize = 6;
/// Characters between two words of one value, at most.
const GAP: usize = 3;
/// Words after which an address line goes into detail.
const DETAIL: [&str; 7] = ["apt", "apartment", "unit", "flat", "suite", "wohnung", "top"];

/// Values of one person that must not reach a model in free text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Known {
    values: Vec<Value>,
}

/// One value as a sequence of folded words.
#[derive(Clone, PartialEq, Eq)]
struct Value {
    class: Class,
    words: Vec<[String; 2]>,
    forgiving: bool,
    /// Compared without gaps: postcodes.
    joined: bool,
}

impl std::fmt::Debug for Known {
    // The values are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("values", &self.values.len()).finish()
    }
}

impl Known {
    /// Nothing is known: only what has a form is found.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Adds a name, whole and by its longer parts.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        let words = folded_words(name);
        // What is hyphenated is one name: of a first name `Mary-Ann` alone, `Mary` is not looked for.
        let tokens: Vec<_> = name.split(char::is_whitespace).map(folded_words).filter(|t| !t.is_empty()).collect();
        for token in &tokens {
            let letters: usize = token.iter().map(|w| w[0].chars().count()).sum();
            if letters >= SHORTEST_PART || tokens.len() == 1 {
                self.push(Class::Name, token.clone(), true, false);
            }
            for word in token.iter().filter(|w| tokens.len() > 1 && w[0].chars().count() >= SHORTEST_PART) {
                self.push(Class::Name, vec![word.clone()], true, false);
            }
        }
        if words.len() > 1 {
            self.push(Class::Name, words, true, false);
        }
        self
    }

    /// Adds a street with its number.
    #[must_use]
    pub fn street(mut self, line: &str) -> Self {
        let words: Vec<[String; 2]> = folded_words(line).into_iter().map(|w| w.map(|f| short_street(&f))).collect();
        if let Some(bare) = words.strip_prefix(&[["ul".to_owned(), "ul".to_owned()]]) {
            self.push(Class::Address, bare.to_vec(), false, false);
        }
        let detail = words.iter().position(|w| DETAIL.contains(&w[0].as_str()));
        if let Some(head) = detail.and_then(|at| words.get(..at)) {
            self.push(Class::Address, head.to_vec(), false, false);
        }
        self.push(Class::Address, words, false, false);
        self
    }

    /// Adds a town.
    #[must_use]
    pub fn city(mut self, city: &str) -> Self {
        self.push(Class::Address, folded_words(city), false, false);
        self
    }

    /// Adds a postcode.
    #[must_use]
    pub fn postcode(mut self, postcode: &str) -> Self {
        self.push(Class::Address, folded_words(postcode), false, true);
        self
    }

    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn push(&mut self, class: Class, words: Vec<[String; 2]>, forgiving: bool, joined: bool) {
        let value = Value { class, words, forgiving, joined };
        if value.words.iter().any(|w| !w[0].is_empty()) && !self.values.contains(&value) {
            self.values.push(value);
            // The longest reading wins.
            self.values.sort_by_key(|v| std::cmp::Reverse(v.words.len()));
        }
    }

    /// Where the values stand in a text.
    pub(super) fn find(&self, text: &str) -> Vec<Span> {
        if self.is_empty() {
            return Vec::new();
        }
        let words = words_of(text);
        let mut found: Vec<Span> = Vec::new();
        for value in &self.values {
            for from in 0..words.len() {
                let Some(rest) = words.get(from..) else { continue };
                let Some(count) = value.matches(text, rest) else { continue };
                let (Some(first), Some(last)) = (rest.first(), rest.get(count - 1)) else { continue };
                let span = Span { start: first.start, end: last.end, class: value.class };
                if !found.iter().any(|other| other.overlaps(&span)) {
                    found.push(span);
                }
            }
        }
        found
    }
}

impl Value {
    /// How many words from here on are this value.
    fn matches(&self, text: &str, words: &[Word]) -> Option<usize> {
        let near = |pair: &[Word]| match pair {
            [one, two] => {
                text.get(one.end..two.start).is_some_and(|gap| gap.chars().count() <= GAP && !gap.contains('\n'))
            }
            _ => true,
        };
        if self.joined {
            let wanted: String = self.words.iter().map(|w| w[0].as_str()).collect();
            return (1..=self.words.len() + 1).find(|count| {
                let Some(head) = words.get(..*count) else { return false };
                head.windows(2).all(near) && head.iter().map(|w| w.forms[0].as_str()).collect::<String>() == wanted
            });
        }
        let head = words.get(..self.words.len())?;
        let same = |word: &Word, wanted: &[String; 2]| {
            let street = self.class == Class::Address;
            let forms = word.forms.iter().map(|f| if street { short_street(f) } else { f.clone() });
            forms
                .into_iter()
                .any(|form| wanted.iter().any(|w| form == *w || (self.forgiving && one_letter_off(&form, w))))
        };
        let fits = head.iter().zip(&self.words).all(|(word, wanted)| same(word, wanted)) && head.windows(2).all(near);
        fits.then_some(self.words.len())
    }
}

/// A word of a text with its folded forms.
struct Word {
    start: usize,
    end: usize,
    forms: [String; 2],
}

fn words_of(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    let ends = text.char_indices().chain([(text.len(), ' ')]);
    for (at, c) in ends {
        match (c.is_alphanumeric() || is_combining_mark(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = text.get(from..at).unwrap_or_default();
                words.push(Word { start: from, end: at, forms: folded(word) });
                start = None;
            }
            _ => {}
        }
    }
    words
}

fn folded_words(text: &str) -> Vec<[String; 2]> {
    words_of(text).into_iter().map(|w| w.forms).collect()
}

/// A word without accents, and with umlauts spelled out.
fn folded(word: &str) -> [String; 2] {
    let lower = word.to_lowercase();
    let spelled = lower.nfc().collect::<String>().replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
    [bare(&lower), bare(&spelled)]
}

fn bare(text: &str) -> String {
    let mut out = String::new();
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ß' => out.push_str("ss"),
            'ł' => out.push('l'),
            'ø' => out.push('o'),
            'æ' => out.push_str("ae"),
            'đ' | 'ð' => out.push('d'),
            'ı' => out.push('i'),
            c => out.push(c),
        }
    }
    out
}

/// `street`, `strasse`, `str` as one; also at the end of a word (`bahnhofstrasse`).
fn short_street(word: &str) -> String {
    match word {
        "street" | "strasse" | "straat" => return "str".to_owned(),
        "st" => return "str".to_owned(),
        "avenue" => return "ave".to_owned(),
        "road" => return "rd".to_owned(),
        _ => {}
    }
    match word.strip_suffix("strasse") {
        Some(stem) => format!("{stem}str"),
        None => word.to_owned(),
    }
}

/// One letter more, less or other, in words long enough to be sure.
fn one_letter_off(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().min(other.len()) < FORGIVING || one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let same_head = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let same_tail = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    same_head + same_tail + 1 >= one.len().max(other.len())
}
