//! Normal forms: what a text looks like to a matcher, with a way back to the original bytes.
//!
//! A form is lower-case words between single blanks. [`Form::Plain`] drops accents, invisible characters and
//! punctuation and turns look-alike letters (UTS 39) into Latin ones; [`Form::Joined`] also undoes leetspeak and gaps
//! inside words (`f.r.e.e`, `f r e e`, `$ale`).

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Which normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Words as they stand.
    Plain,
    /// Words with gaps and leetspeak undone.
    Joined,
}

/// A stretch of source text: words, or a placeholder that counts as one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment<'a> {
    Words { at: usize, text: &'a str },
    Slot { at: usize, end: usize, word: String },
}

/// A normal form. Starts and ends with a blank, so that every word is bounded by blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folded {
    text: String,
    /// Source range of every byte of `text`.
    source: Vec<(u32, u32)>,
}

impl Folded {
    pub(crate) fn of_words(text: &str, form: Form) -> Self {
        Self::of(&[Segment::Words { at: 0, text }], form)
    }

    pub(crate) fn of(segments: &[Segment<'_>], form: Form) -> Self {
        let mut folder = Folder { out: Self { text: String::new(), source: Vec::new() } };
        folder.gap(0);
        for segment in segments {
            match segment {
                Segment::Words { at, text } => match form {
                    Form::Plain => folder.plain(*at, text),
                    Form::Joined => folder.joined(*at, text),
                },
                Segment::Slot { at, end, word } => {
                    folder.gap(*at);
                    word.chars().for_each(|c| folder.push(c, *at, *end));
                    folder.gap(*end);
                }
            }
        }
        folder.gap(folder.out.source.last().map_or(0, |s| s.1 as usize));
        folder.out
    }

    /// The words, with a blank at both ends.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The words without the outer blanks.
    pub(crate) fn words(&self) -> &str {
        self.text.trim()
    }

    /// The source range behind a range of the form.
    pub(crate) fn span(&self, start: usize, end: usize) -> (usize, usize) {
        let from = self.source.get(start).map_or(0, |s| s.0 as usize);
        let to = end.checked_sub(1).and_then(|last| self.source.get(last)).map_or(from, |s| s.1 as usize);
        (from, to.max(from))
    }

    /// The same with every word replaced, such as by its stem.
    pub(crate) fn map_words(&self, map: impl Fn(&str) -> String) -> Self {
        let mut folder = Folder { out: Self { text: String::new(), source: Vec::new() } };
        folder.gap(0);
        let mut at = 0;
        for word in self.text.split(' ') {
            let (from, to) = self.span(at, at + word.len());
            at += word.len() + 1;
            if !word.is_empty() {
                map(word).chars().for_each(|c| folder.push(c, from, to));
                folder.gap(to);
            }
        }
        folder.out
    }
}

struct Folder {
    out: Folded,
}

impl Folder {
    fn push(&mut self, c: char, from: usize, to: usize) {
        self.out.text.push(c);
        let place = (u32::try_from(from).unwrap_or(u32::MAX), u32::try_from(to).unwrap_or(u32::MAX));
        self.out.source.extend(std::iter::repeat_n(place, c.len_utf8()));
    }

    fn gap(&mut self, at: usize) {
        if !self.out.text.ends_with(' ') {
            self.push(' ', at, at);
        }
    }

    fn plain(&mut self, at: usize, text: &str) {
        for (offset, c) in text.char_indices() {
            let (from, to) = (at + offset, at + offset + c.len_utf8());
            match letters(c) {
                Letters::One(letter) => self.push(letter, from, to),
                Letters::Many(folded) => folded.chars().for_each(|l| self.push(l, from, to)),
                Letters::Gap => self.gap(from),
                Letters::Nothing => {}
            }
        }
    }

    fn joined(&mut self, at: usize, text: &str) {
        let mut after_single = false;
        let mut offset = 0;
        for token in text.split_inclusive(char::is_whitespace) {
            let start = at + offset;
            offset += token.len();
            let body = token.trim_end();
            let visible = body.chars().filter(|c| c.is_alphanumeric() || leet(*c).is_some()).count();
            if visible == 0 {
                continue;
            }
            let single = visible == 1;
            if !(single && after_single) {
                self.gap(start);
            }
            after_single = single;
            // A number is a number; only among letters is a digit a letter in disguise.
            let word = body.chars().any(char::is_alphabetic);
            let last = body.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
            for (i, c) in body.char_indices() {
                let (from, to) = (start + i, start + i + c.len_utf8());
                // Signs at the end of a word are punctuation, not letters in disguise.
                let mapped = if word && i < last { leet(c) } else { None };
                match letters(mapped.unwrap_or(c)) {
                    Letters::One(letter) => self.push(letter, from, to),
                    Letters::Many(folded) => folded.chars().for_each(|l| self.push(l, from, to)),
                    Letters::Gap | Letters::Nothing => {}
                }
            }
        }
        // Words of the next segment start a word of their own.
        self.gap(at + text.len());
    }
}

/// The letter a digit or sign stands for in leetspeak.
pub(crate) fn leet(c: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' | '|' | '¡' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        _ => return None,
    })
}

/// Characters that take no room: zero-width, bidi control, tags, variation selectors, soft hyphen.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

enum Letters {
    One(char),
    Many(String),
    Gap,
    Nothing,
}

/// What a character is to a matcher: Latin lower-case letters or digits, a gap, or nothing.
fn letters(c: char) -> Letters {
    if c.is_ascii() {
        if c.is_ascii_alphanumeric() {
            return Letters::One(c.to_ascii_lowercase());
        }
        return Letters::Gap;
    }
    if is_invisible(c) || is_combining_mark(c) {
        return Letters::Nothing;
    }
    if matches!(c, 'ß' | 'ẞ') {
        return Letters::Many("ss".to_owned());
    }
    let folded: String = std::iter::once(c).nfkd().flat_map(latin).collect();
    if folded.is_empty() { Letters::Gap } else { Letters::Many(folded) }
}

/// The Latin letters a character is or imitates. Only ASCII comes out.
fn latin(c: char) -> Vec<char> {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase()).into_iter().collect();
    }
    if is_combining_mark(c) || !c.is_alphanumeric() {
        return Vec::new();
    }
    let mut utf8 = [0; 4];
    let prototype: Vec<char> = unicode_security::skeleton(c.encode_utf8(&mut utf8)).collect();
    prototype
        .into_iter()
        .flat_map(char::to_lowercase)
        .filter_map(|p| if p.is_ascii_alphanumeric() { Some(p) } else { imitated(p) })
        .collect()
}

/// Small capitals and the like that UTS 39 keeps apart but readers do not.
fn imitated(c: char) -> Option<char> {
    Some(match c {
        'ᴀ' | 'ɑ' | 'α' => 'a',
        'ʙ' | 'β' | 'в' => 'b',
        'ᴄ' => 'c',
        'ᴅ' | 'đ' => 'd',
        'ᴇ' | 'ɛ' | 'ε' | 'є' | 'з' => 'e',
        'ꜰ' => 'f',
        'ɢ' => 'g',
        'ʜ' | 'н' | 'ħ' => 'h',
        'ɪ' | 'ı' | 'ι' => 'i',
        'ᴋ' | 'ĸ' | 'κ' | 'к' => 'k',
        'ʟ' | 'ł' => 'l',
        'ᴍ' | 'ʍ' | 'м' => 'm',
        'ɴ' | 'η' | 'п' => 'n',
        'ᴏ' | 'ø' | 'ο' | 'σ' => 'o',
        'ᴘ' | 'ρ' => 'p',
        'ʀ' | 'г' | 'я' => 'r',
        'ꜱ' => 's',
        'ᴛ' | 'τ' | 'т' => 't',
        'ᴜ' | 'υ' | 'и' => 'u',
        'ᴠ' | 'ν' => 'v',
        'ᴡ' | 'ω' | 'ш' => 'w',
        'ʏ' | 'γ' => 'y',
        'ᴢ' => 'z',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn plain(text: &str) -> String {
        Folded::of_words(text, Form::Plain).words().to_owned()
    }
    fn joined(text: &str) -> String {
        Folded::of_words(text, Form::Joined).words().to_owned()
    }

    #[test]
    fn disguises_fall_off() {
        for (disguised, shown) in [
            ("ＦＲＥＥ", "free"),
            ("Ⓕⓡⓔⓔ", "free"),
            ("𝐟𝐫𝐞𝐞", "free"),
            ("fr\u{200b}ee", "free"),
            ("fr\u{ad}ee", "free"),
            ("frее", "free"),
            ("ЅАLЕ", "sale"),
            ("ꜰʀᴇᴇ", "free"),
            ("Grüße, Straße", "grusse strasse"),
            ("don’t — wait!", "don t wait"),
        ] {
            assert_eq!(plain(disguised), shown, "{disguised}");
        }
        for (disguised, shown) in [
            ("f.r.e.e", "free"),
            ("f r e e tent", "free tent"),
            ("fr33", "free"),
            ("$ale!", "sale"),
            ("don't wait", "dont wait"),
        ] {
            assert_eq!(joined(disguised), shown, "{disguised}");
        }
    }

    #[test]
    fn spans_lead_back_to_the_source() {
        let text = "Ein Ⓕ r\u{200b}ee-Ding";
        let folded = Folded::of_words(text, Form::Plain);
        let start = folded.text().find("ree").unwrap();
        let (from, to) = folded.span(start, start + 3);
        assert_eq!(text.get(from..to), Some("r\u{200b}ee"));
    }

    proptest::proptest! {
        #[test]
        fn every_form_is_ascii_words_between_blanks_and_maps_into_the_text(text in "\\PC{0,60}") {
            for form in [Form::Plain, Form::Joined] {
                let folded = Folded::of_words(&text, form);
                proptest::prop_assert!(folded.text().is_ascii() && !folded.text().contains("  "));
                proptest::prop_assert!(folded.text().starts_with(' ') && folded.text().ends_with(' '));
                let (from, to) = folded.span(0, folded.text().len());
                proptest::prop_assert!(text.get(from..to).is_some());
            }
        }
    }
}
