//! Dropping the name of a reader whose name is unknown, so that the sentence still reads well.
//!
//! A name can be dropped where it is an address set off by punctuation. Where the sentence is built around it
//! ("picked for Ada") there is nothing to drop, and the text is refused.

use crate::words::Words;

/// Joins the parts of a text between which the name stood; `None` when it cannot be left out.
pub(crate) fn without_name(parts: &[String], words: &Words) -> Option<String> {
    let (first, rest) = parts.split_first()?;
    rest.iter().try_fold(first.clone(), |left, right| join(&left, right, words))
}

fn join(left: &str, right: &str, words: &Words) -> Option<String> {
    let before = left.trim_end();
    let after = right.trim_start();
    if !sets_off(after, right.len() > after.len()) {
        return None;
    }
    let start = before.rfind(ends_clause).and_then(|at| before.get(at..)?.chars().next().map(|c| at + c.len_utf8()));
    let clause = before.get(start.unwrap_or(0)..)?.trim_start();
    let opening = clause.to_lowercase();
    let is_salutation = words.salutations.contains(&opening.as_str());
    if clause.is_empty() || is_salutation {
        // "Ada, your boots wait" and "Dear Ada, your boots wait" both become "Your boots wait".
        let kept = before.strip_suffix(clause)?.trim_end();
        return Some(open(kept, after.trim_start_matches(|c: char| is_stop(c) || c.is_whitespace())));
    }
    if words.greetings.contains(&opening.as_str()) {
        return Some(attach(before, after));
    }
    // "Your boots wait, Ada!"
    before.strip_suffix(',').map(|stem| attach(stem, after))
}

/// True when what follows the name shows that the name was an address.
fn sets_off(after: &str, spaced: bool) -> bool {
    let mut chars = after.chars();
    match (chars.next(), chars.next()) {
        (None, _) => true,
        (Some('-'), Some(next)) => spaced && next.is_whitespace(),
        (Some(c), None) => is_stop(c),
        (Some(c), Some(next)) => is_stop(c) && (next.is_whitespace() || is_stop(next)),
    }
}

fn is_stop(c: char) -> bool {
    matches!(c, ',' | '.' | '!' | '?' | '…' | ':' | ';' | '–' | '—' | '-')
}

fn ends_clause(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | ':' | '–' | '—')
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '–' | '—')
}

/// What is left opens the sentence now.
fn open(kept: &str, rest: &str) -> String {
    let new_sentence = kept.is_empty() || kept.ends_with(['.', '!', '?', '…']);
    let mut chars = rest.chars();
    let rest = match chars.next() {
        Some(first) if new_sentence => first.to_uppercase().chain(chars).collect(),
        Some(_) | None => rest.to_owned(),
    };
    if kept.is_empty() || rest.is_empty() { format!("{kept}{rest}") } else { format!("{kept} {rest}") }
}

fn attach(before: &str, after: &str) -> String {
    let gap = if after.starts_with(is_dash) { " " } else { "" };
    format!("{before}{gap}{after}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use kit::Language;

    use super::*;
    use crate::words::words;

    fn dropped(language: Language, text: &str) -> Option<String> {
        let parts: Vec<String> = text.split("NAME").map(str::to_owned).collect();
        without_name(&parts, words(&language).unwrap())
    }

    #[test]
    fn a_sentence_reads_well_without_the_name() {
        for (with, without) in [
            ("Hi NAME, your boots", "Hi, your boots"),
            ("Hi NAME!", "Hi!"),
            ("Hi NAME", "Hi"),
            ("Hello NAME – your boots", "Hello – your boots"),
            ("Dear NAME, your boots", "Your boots"),
            ("NAME, your boots wait", "Your boots wait"),
            ("NAME: your boots wait", "Your boots wait"),
            ("NAME – your boots wait", "Your boots wait"),
            ("NAME - your boots wait", "Your boots wait"),
            ("Your boots wait, NAME", "Your boots wait"),
            ("Your boots wait, NAME!", "Your boots wait!"),
            ("Good choice. NAME, your boots wait", "Good choice. Your boots wait"),
            ("News: NAME, your boots wait", "News: your boots wait"),
            ("Psst, NAME, your boots wait", "Psst, your boots wait"),
            ("Hi NAME, they wait, NAME.", "Hi, they wait."),
            ("NAME!", ""),
        ] {
            assert_eq!(dropped(Language::EN, with).as_deref(), Some(without), "{with}");
        }
        for (with, without) in [
            ("Hallo NAME, deine Stiefel", "Hallo, deine Stiefel"),
            ("Liebe NAME, deine Stiefel", "Deine Stiefel"),
            ("NAME, über deine Stiefel", "Über deine Stiefel"),
            ("Vielen Dank, NAME!", "Vielen Dank!"),
        ] {
            assert_eq!(dropped(Language::DE, with).as_deref(), Some(without), "{with}");
        }
    }

    #[test]
    fn a_sentence_built_around_the_name_is_refused() {
        for text in
            ["Picked for NAME", "NAME's boots wait", "NAME-style boots", "Boots NAME will love", "For NAME: boots"]
        {
            assert_eq!(dropped(Language::EN, text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,40}NAME.{0,40}") {
            let _ = dropped(Language::EN, &text);
        }
    }
}
