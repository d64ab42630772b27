//! The gate is fast enough to run on every keystroke of a reviewer. Measured in release: `cargo test --release -p
//! mailwright-brand --test speed -- --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod common;

use std::time::{Duration, Instant};

use common::{CLAIMS, RULES, context, facts, good_de};
use kit::Language;
use mailwright_brand::RuleBook;

/// Debug builds are some twenty times slower.
const LIMIT: Duration = if cfg!(debug_assertions) { Duration::from_millis(60) } else { Duration::from_millis(3) };

#[test]
fn five_hundred_rules_take_about_a_millisecond() {
    let mut rules = RULES.to_owned();
    for n in 0..500 {
        rules.push_str(&format!(
            "\n[[phrase]]\nid = \"extra.{n}\"\nseverity = \"block\"\nstem = true\nwhy = \"w\"\nmend = \"m\"\nowner = \"o\"\nsource = \"s\"\n\
             any = [\"zebra{n} crossing\", \"walk * zebra{n}\", \"gravel{n}*\"]\n"
        ));
    }
    let book = RuleBook::parse("rules.toml", &rules, "claims.toml", CLAIMS).unwrap();
    let mut draft = good_de();
    let long = "Der Weg ist nass und der Himmel hängt tief, also nimm die Jacke mit. ".repeat(11);
    draft.blocks[1] = common::paragraph(&long);
    let (facts, language) = (facts(), Language::DE);
    let mut times: Vec<Duration> = (0..400)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(book.check(&draft, &facts, &context(&language)), vec![]);
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("p50 {:?}, p99 {:?}", times[200], times[396]);
    // The median: a busy machine's tail is not ours.
    assert!(times[200] < LIMIT, "{:?}", times[200]);
}
