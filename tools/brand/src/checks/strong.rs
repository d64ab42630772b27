//! Which phrases are meant: `almost gone` is scarcity beside stock and prices, and the evening light otherwise.

use crate::book::{Role, RuleBook};
use crate::phrases::{Forms, Hit, Owner};

/// Words around a weak phrase that make no sentence of their own, folded: `it's almost gone` says no more than `almost gone`.
const FILLERS: [&str; 13] =
    ["it", "s", "is", "they", "re", "are", "now", "es", "sie", "ist", "sind", "jetzt", "slotname"];
/// Words that turn a weak phrase round, folded.
const NEGATIONS: [&str; 10] = ["no", "not", "never", "nobody", "without", "nicht", "nie", "niemals", "kein", "keine"];
/// Words before or after a weak phrase in which a negation counts.
const NEGATION_REACH: usize = 2;
/// Small words that mean goods only as nouns: `ein Paar`, but `ein paar`.
const NOUNS_ONLY: [&str; 2] = ["paar", "laden"];

/// The phrases that count: strong ones, and weak ones (as [`Owner::Rule`]) where the sentence gives them their meaning.
pub(super) fn of(hits: &[Hit], raw: &str, forms: &Forms, book: &RuleBook) -> Vec<Hit> {
    let mut meant: Vec<Hit> = hits
        .iter()
        .filter_map(|hit| match hit.owner {
            Owner::Rule(_) => Some(*hit),
            Owner::Weak(index) => {
                let urgency = book.rules.get(index).is_some_and(|rule| presses(rule.role));
                counts(hit, index, hits, raw, forms, urgency).then_some(Hit { owner: Owner::Rule(index), ..*hit })
            }
            Owner::Near(_) | Owner::Except(_) | Owner::Claim(_) => None,
        })
        .collect();
    meant.sort_unstable();
    meant
}

/// Urgency may be denied (`no hurry`) and may be shouted alone (`Almost gone!`).
fn presses(role: Role) -> bool {
    match role {
        Role::Scarcity | Role::Deadline | Role::Today => true,
        Role::Plain
        | Role::Claim
        | Role::Health
        | Role::SocialProof
        | Role::Discount
        | Role::Shipping
        | Role::Code
        | Role::Cart
        | Role::Ordered
        | Role::Bought
        | Role::Chosen => false,
    }
}

fn counts(hit: &Hit, index: usize, hits: &[Hit], raw: &str, forms: &Forms, urgency: bool) -> bool {
    let (start, end) = sentence(hit, raw, forms);
    let words = words(forms, start, end);
    if urgency && denied(hit, &words) {
        return false;
    }
    let near = hits.iter().any(|h| {
        let inside = start <= h.start && h.end <= end && !h.overlaps(hit);
        h.owner == Owner::Near(index) && inside && !raw.get(h.start..h.end).is_some_and(|w| NOUNS_ONLY.contains(&w))
    });
    let part_of_hit = |from: usize, to: usize| hit.start <= from && to <= hit.end;
    let around = words.iter().filter(|(from, to, word)| !part_of_hit(*from, *to) && !FILLERS.contains(&word.as_str()));
    near || (urgency && around.count() <= 1)
}

/// The sentence a hit stands in, in bytes of the source.
pub(super) fn sentence(hit: &Hit, raw: &str, forms: &Forms) -> (usize, usize) {
    let start = forms.sentence_ends.iter().rev().find(|end| **end < hit.start).map_or(0, |end| end + 1);
    let end = forms.sentence_ends.iter().find(|end| **end >= hit.end).copied().unwrap_or(raw.len());
    (start, end)
}

/// The folded words of a sentence with their source ranges.
pub(super) fn words(forms: &Forms, start: usize, end: usize) -> Vec<(usize, usize, String)> {
    let mut at = 0;
    let mut words = Vec::new();
    for word in forms.plain.text().split(' ') {
        let (from, to) = forms.plain.span(at, at + word.len());
        at += word.len() + 1;
        if !word.is_empty() && start <= from && to <= end {
            words.push((from, to, word.to_owned()));
        }
    }
    words
}

fn denied(hit: &Hit, words: &[(usize, usize, String)]) -> bool {
    let negates = |word: &str| NEGATIONS.contains(&word);
    let before = words.iter().rev().filter(|(_, to, _)| *to <= hit.start).take(NEGATION_REACH);
    let after = words.iter().filter(|(from, _, _)| *from >= hit.end).take(NEGATION_REACH);
    // Only German puts its negation behind the verb: `beeil dich nicht`.
    let behind = |word: &str| matches!(word, "nicht" | "nie" | "niemals");
    before.into_iter().any(|(_, _, word)| negates(word)) || after.into_iter().any(|(_, _, word)| behind(word))
}
