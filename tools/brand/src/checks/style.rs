//! Style: shouting, emoji, fake replies, reading ease, language.

use kit::message::{Draft, Place};

use super::Scene;
use crate::book::Scope;
use crate::book::file::Limits;
use crate::fold::Segment;
use crate::phrases::Lang;
use crate::rules;
use crate::text::Text;

/// Marks that imitate a verified sender.
const CHECK_MARKS: [char; 8] = ['✓', '✔', '☑', '✅', '🗸', '🅥', '✪', '⍻'];
/// Shorter texts have no reading ease worth a finding, in words.
const READABLE_WORDS: usize = 30;
/// Function words of the other language before its share counts.
const PROFILE_WORDS: usize = 3;

/// Function words, folded. Words that both languages know are left out.
const ENGLISH: [&str; 34] = [
    "the", "and", "you", "your", "is", "of", "it", "to", "for", "with", "that", "this", "we", "our", "are", "have",
    "from", "not", "on", "at", "as", "if", "they", "but", "be", "can", "when", "than", "there", "what", "or", "by",
    "re", "ll",
];
const GERMAN: [&str; 38] = [
    "und", "der", "das", "ist", "nicht", "mit", "fur", "fuer", "dein", "deine", "deinen", "du", "wir", "ein", "eine",
    "einen", "auf", "den", "dem", "zu", "von", "es", "sich", "auch", "wie", "im", "wenn", "noch", "oder", "aber",
    "dich", "dir", "sind", "bei", "nach", "zum", "zur", "sie",
];

/// Words that tell the language even alone, in a subject. Folded; names of goods and places do not hold them.
const ENGLISH_ALONE: [&str; 10] = ["your", "you", "with", "is", "our", "are", "this", "when", "what", "it"];
const GERMAN_ALONE: [&str; 12] =
    ["und", "das", "ist", "nicht", "dein", "deine", "deinen", "wir", "ein", "eine", "zum", "zur"];

/// How German says du, folded.
const INFORMAL: [&str; 10] = ["du", "dich", "dir", "dein", "deine", "deinen", "deinem", "deiner", "deines", "euch"];
/// Placeholders whose values may be whole sentences, as words of a normal form.
const SENTENCES: [&str; 4] = ["slothighlight", "slotcare", "slotsummary", "slottext"];
/// How it says Sie.
const FORMAL: [&str; 8] = ["Sie", "Ihr", "Ihre", "Ihren", "Ihrem", "Ihrer", "Ihres", "Ihnen"];

/// True for pictographs. Digits, punctuation and letters are none.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1f0ff}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}'
        | '\u{2b00}'..='\u{2bff}' | '\u{2300}'..='\u{23ff}' | '\u{203c}' | '\u{2049}')
}

/// Rules of one text.
pub(super) fn text(scene: &mut Scene<'_>, text: &Text<'_>) {
    if text.scope == Scope::Subject {
        if scene.matchers.patterns.reply.is_match(text.raw) {
            scene.find(&rules::FAKE_REPLY, &text.place, None, text.raw);
        }
        shouting(scene, &text.place, &Counts::of(scene, text), scene.book.style.subject);
    }
    for (at, c) in text.raw.char_indices() {
        let span = (at, at + c.len_utf8());
        if CHECK_MARKS.contains(&c) && matches!(text.scope, Scope::Subject | Scope::Preheader) {
            scene.find(&rules::CHECK_MARK, &text.place, Some(span), text.excerpt(span));
        } else if scene.book.style.emoji_deny.iter().any(|denied| denied.starts_with(c)) {
            scene.find(&rules::EMOJI_DENIED, &text.place, Some(span), text.excerpt(span));
        }
    }
}

/// Rules over all texts together.
pub(super) fn message(scene: &mut Scene<'_>, draft: &Draft, texts: &[Text<'_>]) {
    let mut counts = Counts::default();
    for text in texts.iter().filter(|t| t.scope != Scope::Subject) {
        counts.add(Counts::of(scene, text));
    }
    shouting(scene, &Place::Whole, &counts, scene.book.style.body);
    if scene.flow.service && counts.exclaims > 0 {
        scene.find_with(&rules::EXCLAIM, &Place::Whole, None, "!", "a service message is calm: end with a full stop");
    }
    formal(scene, texts);
    reading(scene, texts);
    language(scene, draft, texts);
}

/// `Sie` within a sentence, in a message that says du.
fn formal(scene: &mut Scene<'_>, texts: &[Text<'_>]) {
    let says_du = |text: &Text<'_>| text.forms.plain.words().split(' ').any(|w| INFORMAL.contains(&w));
    if scene.lang != Some(Lang::De) || !texts.iter().any(says_du) {
        return;
    }
    for text in texts {
        for (offset, words) in text.written() {
            // After a placeholder the sentence goes on, unless its value is a sentence.
            let sentence = |s: &Segment<'_>| matches!(s, Segment::Slot { end, word, .. } if *end == offset && SENTENCES.contains(&word.as_str()));
            let mut opens = offset == 0 || text.segments.iter().any(sentence);
            let mut at = 0;
            for token in words.split_inclusive(char::is_whitespace) {
                let word = token.trim_matches(|c: char| !c.is_alphabetic());
                let from = offset + at + token.find(word).unwrap_or(0);
                at += token.len();
                if FORMAL.contains(&word) && !opens {
                    let span = (from, from + word.len());
                    scene.find(&rules::FORMAL, &text.place, Some(span), word);
                }
                let end = token.trim_end().trim_end_matches(['“', '"', '”', '«', '»', ')']);
                if !word.is_empty() || !end.is_empty() {
                    opens = end.ends_with(['.', '!', '?', '…', ':', '–', '—']) || (opens && word.is_empty());
                }
            }
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    exclaims: usize,
    caps: Vec<String>,
    emoji: usize,
}

impl Counts {
    fn of(scene: &Scene<'_>, text: &Text<'_>) -> Self {
        let mut counts = Self::default();
        for (_, words) in text.written() {
            counts.exclaims += words.chars().filter(|c| matches!(c, '!' | '！' | '‼')).count();
            counts.emoji += words.chars().filter(|c| is_emoji(*c)).count();
            let allowed = |w: &str| scene.book.style.caps_allow.iter().any(|a| a == w);
            counts.caps.extend(
                words.split(|c: char| !c.is_alphabetic()).filter(|w| shouted(w) && !allowed(w)).map(str::to_owned),
            );
        }
        counts
    }

    fn add(&mut self, other: Self) {
        self.exclaims += other.exclaims;
        self.emoji += other.emoji;
        self.caps.extend(other.caps);
    }
}

/// Three or more letters, all capitals.
fn shouted(word: &str) -> bool {
    word.chars().count() >= 3 && word.chars().all(char::is_uppercase)
}

fn shouting(scene: &mut Scene<'_>, place: &Place, counts: &Counts, limits: Limits) {
    if counts.exclaims > limits.exclaim_max {
        let mend = format!("{} exclamation marks; at most {}", counts.exclaims, limits.exclaim_max);
        scene.find_with(&rules::EXCLAIM, place, None, "!", mend);
    }
    if counts.caps.len() > limits.caps_words_max {
        scene.find(&rules::CAPS, place, None, &counts.caps.join(" "));
    }
    if counts.emoji > limits.emoji_max {
        let mend = format!("{} emoji; at most {}", counts.emoji, limits.emoji_max);
        scene.find_with(&rules::EMOJI, place, None, "", mend);
    }
}

/// Flesch-Kincaid grade for English (0.39 words/sentence + 11.8 syllables/word - 15.59), Amstad's Flesch ease for German
/// (180 - words/sentence - 58.5 syllables/word).
fn reading(scene: &mut Scene<'_>, texts: &[Text<'_>]) {
    let Some(lang) = scene.lang else { return };
    let (mut words, mut sentences, mut syllables) = (0_usize, 0_usize, 0_usize);
    for text in texts.iter().filter(|t| t.scope == Scope::Body) {
        for sentence in text.filled.split(['.', '!', '?', ':', ';']) {
            let spoken: Vec<&str> = sentence
                .split(|c: char| !c.is_alphabetic() && c != '\'' && c != '’')
                .filter(|w| !w.is_empty())
                .collect();
            sentences += usize::from(!spoken.is_empty());
            words += spoken.len();
            syllables += spoken.iter().map(|w| syllables_of(w, lang)).sum::<usize>();
        }
    }
    if words < READABLE_WORDS || sentences == 0 {
        return;
    }
    let per_sentence = words as f64 / sentences as f64;
    let per_word = syllables as f64 / words as f64;
    let style = &scene.book.style;
    let hard = match lang {
        Lang::En => {
            let grade = 0.39 * per_sentence + 11.8 * per_word - 15.59;
            (grade > style.reading_grade_max_en)
                .then(|| format!("grade {grade:.1}; at most {}", style.reading_grade_max_en))
        }
        Lang::De => {
            let ease = 180.0 - per_sentence - 58.5 * per_word;
            (ease < style.reading_ease_min_de)
                .then(|| format!("ease {ease:.0}; at least {}", style.reading_ease_min_de))
        }
    };
    if let Some(found) = hard {
        scene.find(&rules::READING, &Place::Whole, None, &found);
    }
}

/// Groups of vowels; an English silent e at the end does not count.
fn syllables_of(word: &str, lang: Lang) -> usize {
    let lower = word.to_lowercase();
    let mut groups = 0_usize;
    let mut in_group = false;
    for c in lower.chars() {
        let vowel = matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'ä' | 'ö' | 'ü' | 'é');
        groups += usize::from(vowel && !in_group);
        in_group = vowel;
    }
    let silent = lang == Lang::En && lower.ends_with('e') && !lower.ends_with("le") && groups > 1;
    groups.saturating_sub(usize::from(silent)).max(1)
}

/// The share of function words tells the language of a text.
fn language(scene: &mut Scene<'_>, draft: &Draft, texts: &[Text<'_>]) {
    let Some(lang) = scene.lang else { return };
    let (own, other) = match lang {
        Lang::En => (&ENGLISH[..], &GERMAN[..]),
        Lang::De => (&GERMAN[..], &ENGLISH[..]),
    };
    let count =
        |text: &Text<'_>, list: &[&str]| text.forms.plain.words().split(' ').filter(|w| list.contains(w)).count();
    let mut found = Vec::new();
    let (mut own_total, mut other_total, mut words_total) = (0, 0, 0);
    for text in texts {
        let (own, other) = (count(text, own), count(text, other));
        own_total += own;
        other_total += other;
        words_total += text.forms.plain.words().split(' ').count();
        let alone = match lang {
            Lang::En => &GERMAN_ALONE[..],
            Lang::De => &ENGLISH_ALONE[..],
        };
        let subject = text.scope == Scope::Subject && own == 0 && count(text, alone) > 0;
        if subject || (other >= PROFILE_WORDS && other > 2 * own) {
            found.push(text.place.clone());
        }
    }
    let foreign = other_total >= PROFILE_WORDS && other_total > own_total;
    let neither = words_total >= READABLE_WORDS && own_total * 20 < words_total;
    if found.is_empty() && (foreign || neither) {
        found.push(Place::Whole);
    }
    for place in found {
        let mend = format!("write in `{}`", draft.language);
        scene.find_with(&rules::LANGUAGE_MIX, &place, None, "", mend);
    }
}
