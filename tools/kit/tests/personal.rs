//! The detector of personal data against the labelled corpus of tests/data/personal. `cargo test -p mailwright-kit --test personal
//! -- --nocapture` prints the results per class.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;

use mailwright_kit::personal::{self, Known, Span};
use serde::Deserialize;

const PHONES: &str = include_str!("data/personal/phones.txt");
const PATTERNS: &str = include_str!("data/personal/patterns.txt");
const DECOYS: &str = include_str!("data/personal/decoys.txt");
const HELD_OUT: &str = include_str!("data/personal/held-out.txt");
const KNOWN: &str = include_str!("data/personal/known.json");

/// A text without its marks, and where they stood.
struct Labelled {
    text: String,
    labels: Vec<(String, usize, usize)>,
}

fn labelled(line: &str) -> Labelled {
    let (mut text, mut labels, mut rest) = (String::new(), Vec::new(), line);
    while let Some((before, marked)) = rest.split_once("[[") {
        let (label, after) = marked.split_once("]]").unwrap();
        let (class, words) = label.split_once('|').unwrap();
        text.push_str(before);
        labels.push((class.to_owned(), text.len(), text.len() + words.len()));
        text.push_str(words);
        rest = after;
    }
    text.push_str(rest);
    Labelled { text, labels }
}

/// Found and all, by group; every miss is kept for the message.
#[derive(Default)]
struct Tally {
    groups: BTreeMap<String, (usize, usize)>,
    misses: Vec<String>,
}

impl Tally {
    fn count(&mut self, group: &str, hit: bool, miss: impl FnOnce() -> String) {
        let entry = self.groups.entry(group.to_owned()).or_default();
        entry.0 += usize::from(hit);
        entry.1 += 1;
        if !hit {
            self.misses.push(miss());
        }
    }
    fn share(&self, prefix: &str) -> (usize, usize) {
        self.groups.iter().filter(|(g, _)| g.starts_with(prefix)).fold((0, 0), |(a, b), (_, (c, d))| (a + c, b + d))
    }
}

/// Whole and of the right class: half a number is still somebody's number.
fn covers(spans: &[Span], class: &str, start: usize, end: usize) -> bool {
    spans.iter().any(|s| s.class.as_str() == class && s.start <= start && end <= s.end)
}

fn measure<'a>(lines: impl Iterator<Item = &'a str>) -> Tally {
    let mut tally = Tally::default();
    for line in lines {
        let (group, line) = line.split_once('\t').unwrap();
        let Labelled { text, labels } = labelled(line);
        let spans = personal::find(&text, &Known::nobody());
        if group == "plain" {
            tally.count(group, spans.is_empty(), || format!("{group}: {text}"));
        }
        for (class, start, end) in labels {
            let hit = if class.starts_with("decoy") {
                !spans.iter().any(|s| s.start < end && start < s.end)
            } else {
                covers(&spans, class.split('-').next().unwrap(), start, end)
            };
            tally.count(group, hit, || format!("{group}: {text}"));
        }
    }
    tally
}

#[derive(Deserialize)]
struct File {
    people: Vec<Person>,
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Person {
    name: String,
    full: String,
    street: String,
    city: String,
    postcode: String,
}

#[derive(Deserialize)]
struct Text {
    person: usize,
    text: String,
}

fn known_texts() -> Vec<(Known, String)> {
    let file: File = serde_json::from_str(KNOWN).unwrap();
    let known =
        |p: &Person| Known::nobody().name(&p.name).name(&p.full).street(&p.street).city(&p.city).postcode(&p.postcode);
    file.texts.into_iter().map(|t| (known(&file.people[t.person]), t.text)).collect()
}

fn print(tally: &Tally) {
    for class in [
        "email",
        "email-spelled",
        "card",
        "iban",
        "ip",
        "ssn",
        "phone/",
        "decoy.",
        "plain",
        "known.name",
        "known.address",
    ] {
        let whole = tally.groups.get(class).copied();
        let (hit, all) = if class.ends_with(['/', '.']) { tally.share(class) } else { whole.unwrap_or_default() };
        if all > 0 {
            println!("{class:<16} {hit:>4} of {all:>4}  {:6.2} %", 100.0 * hit as f64 / all as f64);
        }
    }
    for (group, (hit, all)) in tally.groups.iter().filter(|(group, (hit, all))| group.starts_with("decoy") || hit < all)
    {
        println!("  {group:<16} {hit:>3} of {all:>3}");
    }
    tally.misses.iter().take(60).for_each(|miss| println!("  missed {miss}"));
}

fn holds(tally: &Tally) {
    print(tally);
    for class in ["email", "card", "iban", "ip", "ssn"] {
        let (hit, all) = tally.groups[class];
        assert_eq!(hit, all, "{class}");
    }
    let (phones, all_phones) = tally.share("phone/");
    assert!(phones * 100 >= all_phones * 95, "{phones} of {all_phones} phones");
    let whole = |(group, (hit, all)): &(&String, &(usize, usize))| group.starts_with("phone/") && hit * 100 >= all * 95;
    let countries = tally.groups.iter().filter(whole).count();
    assert!(countries >= 40, "{countries} countries");
    let (kept, decoys) = tally.share("decoy.");
    assert!((decoys - kept) * 100 < decoys * 5, "{} of {decoys} decoys hit", decoys - kept);
}

#[test]
fn the_labelled_corpus_is_found_and_the_decoys_stay() {
    let tally = measure(PHONES.lines().chain(PATTERNS.lines()).chain(DECOYS.lines()));
    holds(&tally);
    assert_eq!(tally.groups["plain"], (12, 12));
}

/// Other numbers in other sentences, made after the detector: what it was not written against.
#[test]
fn sentences_that_the_detector_was_not_written_against_hold_the_same_bars() {
    holds(&measure(HELD_OUT.lines()));
}

#[test]
fn what_the_shop_knows_of_the_writer_is_found_however_it_is_spelled() {
    let mut tally = Tally::default();
    for (known, text) in known_texts() {
        let Labelled { text, labels } = labelled(&text);
        let spans = personal::find(&text, &known);
        for (class, start, end) in labels {
            tally.count(&format!("known.{class}"), covers(&spans, &class, start, end), || format!("known: {text}"));
        }
    }
    print(&tally);
    assert_eq!(tally.misses, Vec::<String>::new());
}

#[test]
fn masking_leaves_tokens_and_the_rest_as_it_was() {
    let known = Known::nobody().name("Niamh");
    let text = "Hi, Niamh here: +353 87 123 4567 or niamh@example.ie, order #10023, 24.12.2026 for 49.99 €";
    assert_eq!(
        personal::mask(text, &known),
        "Hi, [name] here: [phone] or [email], order #10023, 24.12.2026 for 49.99 €"
    );
    for plain in ["nothing here", "second orders within 60 days, against the holdout"] {
        assert_eq!(personal::mask(plain, &known), plain);
    }
    assert_eq!(format!("{known:?}"), "Known { values: 1 }");
}

proptest::proptest! {
    #[test]
    fn never_panics_spans_are_in_order_and_masked_text_is_clean(text in "[a-z0-9@.+:/() \\-éß£,]{0,80}") {
        let spans = personal::find(&text, &Known::nobody().name("Zoë B"));
        for pair in spans.windows(2) {
            proptest::prop_assert!(pair[0].end <= pair[1].start);
        }
        for span in &spans {
            proptest::prop_assert!(text.get(span.start..span.end).is_some_and(|t| !t.is_empty()));
        }
    }
}
