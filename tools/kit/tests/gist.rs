//! What code sees in a labelled corpus of notes, tickets and reviews, made after the first word lists (which saw 13 of 16 texts about
//! health and 11 of 12 legal ones) and before what they missed was added to them.
//! `cargo test -p mailwright-kit --test gist -- --nocapture` prints it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};

use mailwright_kit::gist::{Gist, Tone, Topic};

const CORPUS: &str = include_str!("data/gist.txt");

struct Labelled {
    gist: Gist,
    text: &'static str,
}

fn corpus() -> Vec<Labelled> {
    let lines = CORPUS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let [topics, tone, text] = line.splitn(3, '|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
            let topic = |name: &str| Topic::ALL.into_iter().find(|t| t.as_str() == name).expect(name);
            let tone = Tone::ALL.into_iter().find(|t| t.as_str() == tone).expect(line);
            Labelled { gist: Gist { topics: topics.split_whitespace().map(topic).collect(), tone }, text }
        })
        .collect()
}

#[test]
fn what_sends_a_message_to_a_person_is_seen_and_most_of_the_rest() {
    let corpus = corpus();
    let mut by_topic: BTreeMap<Topic, (usize, usize)> = BTreeMap::new();
    let (mut too_much, mut tones, mut missed) = (0, 0, Vec::new());
    for Labelled { gist, text } in &corpus {
        let seen = Gist::by_code(text);
        for topic in &gist.topics {
            let (found, all) = by_topic.entry(*topic).or_default();
            *all += 1;
            *found += usize::from(seen.topics.contains(topic));
            if !seen.topics.contains(topic) {
                missed.push(format!("{}: {text}", topic.as_str()));
            }
        }
        let extra: BTreeSet<_> = seen.topics.difference(&gist.topics).collect();
        if !extra.is_empty() {
            too_much += 1;
            println!("too much: {extra:?}: {text}");
        }
        tones += usize::from(seen.tone == gist.tone);
    }
    for (topic, (found, all)) in &by_topic {
        println!("{:<11} {found} of {all}", topic.as_str());
    }
    println!("tone {tones} of {}; {too_much} texts with a topic too many; missed: {missed:#?}", corpus.len());
    for topic in [Topic::Health, Topic::Legal] {
        let (found, all) = by_topic[&topic];
        assert_eq!(found, all, "{}: {missed:#?}", topic.as_str());
    }
    let (found, all) = by_topic.values().fold((0, 0), |(f, a), (found, all)| (f + found, a + all));
    assert!(found * 100 >= all * 90, "{found} of {all}: {missed:#?}");
    assert!(tones * 100 >= corpus.len() * 85, "{tones} of {}", corpus.len());
}
