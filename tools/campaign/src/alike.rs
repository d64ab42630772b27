//! When two subjects say the same: by their words, and by their letters where words only change their ending.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

/// From here on two lines are the same idea in other words, 0 to 1.
pub const NEAR: f64 = 0.6;

/// Words that carry no idea, in both languages the house writes.
const FILLERS: [&str; 44] = [
    "a", "an", "the", "and", "or", "of", "for", "to", "in", "on", "at", "your", "you", "our", "we", "is", "are", "it",
    "its", "with", "this", "that", "what", "how", "der", "die", "das", "und", "oder", "fur", "zu", "im", "in", "am",
    "dein", "deine", "deinen", "du", "wir", "ist", "mit", "was", "wie", "ein",
];

/// How alike two lines are, 0 to 1: the larger of shared words (without fillers) and shared letter triples.
pub fn similarity(one: &str, other: &str) -> f64 {
    let (one, other) = (fold(one), fold(other));
    let words = share(&words(&one), &words(&other));
    let triples = share(&triples(&one), &triples(&other));
    words.max(triples)
}

/// Pairs of lines that are too alike, by their places; the later one stands second.
pub fn near_duplicates<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = lines.into_iter().collect();
    let mut pairs = Vec::new();
    for (second, line) in lines.iter().enumerate() {
        for (first, earlier) in lines.iter().enumerate().take(second) {
            if similarity(earlier, line) >= NEAR {
                pairs.push((first, second));
            }
        }
    }
    pairs
}

/// Lower case, without accents, letters and digits and single blanks. A placeholder counts as one word.
fn fold(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.nfkd().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !('\u{300}'..='\u{36f}').contains(&c) && c != '.' && c != '_' && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.trim().to_owned()
}

fn words(line: &str) -> BTreeSet<String> {
    line.split(' ').filter(|w| !w.is_empty() && !FILLERS.contains(w)).map(str::to_owned).collect()
}

fn triples(line: &str) -> BTreeSet<String> {
    let letters: Vec<char> = line.chars().filter(|c| *c != ' ').collect();
    letters.windows(3).map(|w| w.iter().collect()).collect()
}

/// Jaccard; two empty sets share nothing.
fn share(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let all = one.union(other).count();
    if all == 0 { 0.0 } else { one.intersection(other).count() as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_for_the_same_are_found_and_other_ideas_are_not() {
        for (one, other) in [
            ("Your {{f101.title}}, up close", "The {{f101.title}}, up close"),
            ("A pack for the long way home", "Packs for the long way home"),
            ("Was in den Rucksack passt", "Was passt in den Rucksack?"),
            ("Ready for the first frost", "READY for the first frost!"),
            ("Für den ersten Frost", "Fur den ersten Frost"),
        ] {
            assert!(similarity(one, other) >= NEAR, "{one} / {other}: {}", similarity(one, other));
        }
        for (one, other) in [
            ("Your {{f101.title}}, up close", "What owners say after a winter"),
            ("A pack for the long way home", "How to pack for rain"),
            ("Was in den Rucksack passt", "Drei Nähte, die halten"),
            ("Back on the trail", "Back to basics: waxing leather"),
        ] {
            assert!(similarity(one, other) < NEAR, "{one} / {other}: {}", similarity(one, other));
        }
        assert_eq!(near_duplicates(["Ready for frost", "What owners say", "Ready for the frost"]), vec![(0, 2)]);
    }

    proptest::proptest! {
        #[test]
        fn alike_is_symmetric_and_a_line_is_itself(one in "[a-zäöü {}.]{0,40}", other in "[A-Za-z ]{0,40}") {
            let both = similarity(&one, &other);
            proptest::prop_assert!((0.0..=1.0).contains(&both));
            proptest::prop_assert!((both - similarity(&other, &one)).abs() < 1e-9);
            proptest::prop_assert!(fold(&one).chars().filter(|c| *c != ' ').count() < 3 || similarity(&one, &one) > 0.99);
        }
    }
}
