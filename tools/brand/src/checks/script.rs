//! Letters that are not what they seem: invisible, foreign, stylised, spaced out.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::Scene;
use super::style::is_emoji;
use crate::book::Scope;
use crate::fold::is_invisible;
use crate::rules::{self, Rule};
use crate::text::Text;

pub(super) fn check(scene: &mut Scene<'_>, text: &Text<'_>) {
    invisible(scene, text);
    for (at, word) in text.raw.split_word_bound_indices() {
        let rule = word.chars().find_map(disguise);
        if let Some(rule) = rule {
            scene.find(rule, &text.place, Some((at, at + word.len())), word);
        }
    }
    for (offset, words) in text.written() {
        for found in scene.matchers.patterns.spaced.find_iter(words) {
            let span = (offset + found.start(), offset + found.end());
            scene.find(&rules::SPACED, &text.place, Some(span), text.excerpt(span));
        }
    }
}

fn invisible(scene: &mut Scene<'_>, text: &Text<'_>) {
    let mut before = None;
    for (at, c) in text.raw.char_indices() {
        // Joiners and presentation selectors are part of an emoji.
        let of_emoji = matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}') && before.is_some_and(is_emoji);
        let line_break = c == '\n' && text.scope == Scope::Body;
        if !of_emoji && !line_break && (is_invisible(c) || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            let code = format!("U+{:04X}", u32::from(c));
            scene.find(&rules::INVISIBLE, &text.place, Some((at, at + c.len_utf8())), &code);
        }
        if !of_emoji {
            before = Some(c);
        }
    }
}

/// The rule a letter breaks.
fn disguise(c: char) -> Option<&'static Rule> {
    if c.is_ascii() || matches!(c, 'ª' | 'º' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') {
        return None;
    }
    if matches!(c, '\u{250}'..='\u{2af}' | '\u{1d00}'..='\u{1dbf}' | '\u{a720}'..='\u{a7ff}' | '\u{1f130}'..='\u{1f18f}')
    {
        return Some(&rules::STYLED);
    }
    if !c.is_alphabetic() {
        return None;
    }
    if std::iter::once(c).nfkc().all(|n| n.is_ascii_alphanumeric()) {
        return Some(&rules::STYLED);
    }
    Some(&rules::FOREIGN)
}
