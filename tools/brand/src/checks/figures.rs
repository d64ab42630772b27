//! Figures, prices, addresses and markup that the writer typed instead of citing a fact.

use std::iter::Peekable;
use std::str::CharIndices;

use kit::FactBook;
use kit::fact::FactValue;
use regex::Regex;

use super::Scene;
use crate::rules::{self, Rule};
use crate::text::Text;

/// Checks one text. Spans in `approved` are claims that may hold a figure word for word.
pub(super) fn check(scene: &mut Scene<'_>, text: &Text<'_>, approved: &[(usize, usize)]) {
    let allowed = |start: usize, end: usize| approved.iter().any(|(from, to)| *from <= start && end <= *to);
    let written: Vec<(usize, &str)> = text.written().collect();
    for (offset, words) in written {
        for (start, end) in numbers(words) {
            let (start, end) = (offset + start, offset + end);
            if !allowed(start, end) {
                let found = text.excerpt((start, end));
                scene.find_with(
                    &rules::DIGITS,
                    &text.place,
                    Some((start, end)),
                    found,
                    mend_digits(found, scene.facts),
                );
            }
        }
        for (at, c) in words.char_indices() {
            let rule = if is_currency(c) {
                &rules::CURRENCY
            } else if matches!(c, '%' | '‰' | '٪' | '％' | '﹪') {
                &rules::PERCENT
            } else {
                continue;
            };
            let span = (offset + at, offset + at + c.len_utf8());
            if !allowed(span.0, span.1) {
                scene.find(rule, &text.place, Some(span), text.excerpt(span));
            }
        }
        let patterns = &scene.matchers.patterns;
        let found: Vec<(&Rule, (usize, usize))> =
            [(&rules::URL, &patterns.url), (&rules::EMAIL, &patterns.email), (&rules::MARKUP, &patterns.markup)]
                .into_iter()
                .flat_map(|(rule, pattern)| spans(pattern, words, offset).map(move |span| (rule, span)))
                .collect();
        for (rule, span) in found {
            scene.find(rule, &text.place, Some(span), text.excerpt(span));
        }
    }
    measures(scene, text, &allowed);
}

fn spans(pattern: &Regex, words: &str, offset: usize) -> impl Iterator<Item = (usize, usize)> {
    pattern.find_iter(words).map(move |m| (offset + m.start(), offset + m.end()))
}

/// `three days`, `zwölf Stunden`: a measured amount in words.
fn measures(scene: &mut Scene<'_>, text: &Text<'_>, allowed: &dyn Fn(usize, usize) -> bool) {
    let form = &text.forms.plain;
    let found: Vec<(usize, usize)> =
        scene.matchers.patterns.measure.find_iter(form.text()).map(|m| form.span(m.start() + 1, m.end() - 1)).collect();
    for span in found.into_iter().filter(|(from, to)| !allowed(*from, *to)) {
        scene.find(&rules::MEASURE_WORDS, &text.place, Some(span), text.excerpt(span));
    }
    // `until April`, `the third of May`; a month alone is a season.
    let dates: Vec<(usize, usize)> =
        scene.matchers.patterns.date.find_iter(form.text()).map(|m| form.span(m.start() + 1, m.end() - 1)).collect();
    for span in dates {
        scene.find(&rules::DATES, &text.place, Some(span), text.excerpt(span));
    }
}

/// Byte ranges of numbers, with their points and colons: any numeric character of Unicode.
fn numbers(words: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut chars = words.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c.is_numeric() {
            found.push((start, number_end(start + c.len_utf8(), &mut chars)));
        }
    }
    found
}

fn number_end(mut end: usize, chars: &mut Peekable<CharIndices<'_>>) -> usize {
    loop {
        let mut ahead = chars.clone();
        let Some((at, c)) = ahead.next() else { return end };
        let joins = matches!(c, '.' | ',' | ':' | '/' | '-') && ahead.next().is_some_and(|(_, next)| next.is_numeric());
        if !c.is_numeric() && !joins {
            return end;
        }
        end = at + c.len_utf8();
        chars.next();
    }
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '¢'..='¥' | '\u{58f}' | '\u{60b}' | '฿' | '\u{20a0}'..='\u{20cf}' | '﹩' | '＄' | '￠' | '￡' | '￥' | '￦')
}

/// Names the placeholder whose value was typed, when there is one.
fn mend_digits(found: &str, facts: &FactBook) -> String {
    let same = |value: &FactValue| match value {
        FactValue::Money { money } => money.decimal() == found.replace(',', "."),
        FactValue::Count { count } => count.to_string() == found,
        FactValue::Text { .. } | FactValue::Url { .. } | FactValue::Time { .. } | FactValue::Products { .. } => false,
    };
    let slot = facts.iter().find_map(|fact| {
        fact.fields.iter().find(|(_, v)| same(v)).map(|(field, _)| format!("{{{{{}.{field}}}}}", fact.id))
    });
    slot.map_or_else(|| rules::DIGITS.mend.to_owned(), |slot| format!("use {slot}"))
}
