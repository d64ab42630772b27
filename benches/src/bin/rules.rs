//! `cargo xtask bench rules`: what the content rules cost a message, beside a floor.
//!
//! Ours: every rule of a book of 500 over a message of eight texts, some of them long, in English and in German. Floor: one
//! Aho-Corasick pass over the same texts, lower-cased, with the phrases of the same book: what finding words alone takes.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Duration;

use aho_corasick::AhoCorasick;
use brand::CheckContext;
use clap::Parser;
use kit::message::{Block, Channel, Confidence, Draft, Severity};
use kit::{Currency, Fact, FactBook, FactId, FactKind, FactValue, FlowId, Language, Money, ProductId, Timestamp};
use mailwright_bench::meter::thread_cpu;
use mailwright_bench::random::Random;
use mailwright_bench::rulebook;
use mailwright_bench::stats::{Millis, median_by_item};

#[derive(Debug, Parser)]
#[command(about = "CPU time of the content rules for one message")]
struct Args {
    /// Rules in the book.
    #[arg(long, default_value_t = 500)]
    rules: usize,
    /// Messages.
    #[arg(long, default_value_t = 1_000)]
    messages: usize,
    /// Rounds; of each message the median of all rounds counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

const ENGLISH: [&str; 12] = [
    "The heel loop is wide enough to pull with a gloved finger.",
    "Rinse the zips in fresh water after a beach day.",
    "We took it up Croagh Patrick and it stayed put in the wind.",
    "It is heavy, and if you count grams, look at the other one.",
    "Pack the stove first, then the food, then the rain jacket on top.",
    "The {{f101.title}} is still in your cart, and it costs {{f101.price}}.",
    "You can sit up, cook under the porch, and watch the rain.",
    "Here is how the two mats differ: one rolls, one folds.",
    "Leather works best when you wax it while it is warm.",
    "Wear them round the house first, then on a short walk.",
    "{{f101.highlight}} That matters on the scree above Leenane.",
    "There is no hurry, and the cart keeps.",
];
const GERMAN: [&str; 12] = [
    "Trockne das Zelt, bevor du es einpackst.",
    "Der {{f101.title}} liegt noch in deinem Warenkorb und kostet {{f101.price}}.",
    "Er wiegt etwas mehr als der andere und hält dafür länger.",
    "Nimm nach einem nassen Tag die Einlegesohlen heraus.",
    "Du kannst die Schnürsenkel unten locker lassen und oben fest ziehen.",
    "Einer für den Wind, einer für den Regen.",
    "Am Morgen ist das Gras nass, da sind Gamaschen Gold wert.",
    "Die Kapuze lässt sich abnehmen und in den Kragen rollen.",
    "Spüle das Mesh von innen nach außen unter dem Hahn.",
    "Ein guter Schlafplatz ist eben, windstill und weit weg vom Bach.",
    "Das Vordach hält den Kocher trocken, wenn es schräg regnet.",
    "Der Rucksack drückt kaum noch, wenn die Riemen sitzen.",
];

fn fact(id: &str, kind: FactKind, subject: &str, fields: Vec<(&str, FactValue)>) -> Fact {
    Fact {
        id: FactId::new(id).unwrap(),
        kind,
        subject: subject.to_owned(),
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        source: "bench".to_owned(),
        as_of: Timestamp::UNIX_EPOCH,
    }
}

/// A cart, six products and their reviews: what a run knows by the time it writes.
fn facts() -> FactBook {
    let mut book = FactBook::new();
    let cart = BTreeSet::from([ProductId::new("p-1").unwrap()]);
    let fields = vec![
        ("url", FactValue::url("https://shop.example/cart")),
        ("products", FactValue::Products { products: cart }),
    ];
    book.insert(fact("f199", FactKind::Cart, "c1", fields));
    for number in 1..=6 {
        let product = vec![
            ("title", FactValue::text(format!("Ridge Pack Model {number}"))),
            ("price", FactValue::money(Money::new(9_900 + number, Currency::EUR))),
            ("stock", FactValue::count(40)),
            ("url", FactValue::url("https://shop.example/p")),
            ("highlight", FactValue::text("The hip belt comes off in one pull.")),
        ];
        book.insert(fact(&format!("f10{number}"), FactKind::Product, &format!("p-{number}"), product));
        let review = vec![
            (
                "text",
                FactValue::third_party(
                    "I wore it all summer and the straps never slipped, even on the long way down. ".repeat(4),
                ),
            ),
            ("author", FactValue::third_party("Kim B.")),
            ("stars", FactValue::count(5)),
            ("product", FactValue::text(format!("p-{number}"))),
        ];
        book.insert(fact(&format!("f20{number}"), FactKind::Review, &format!("rv-{number}"), review));
    }
    book
}

fn draft(random: &mut Random, language: &Language) -> Draft {
    let sentences = if *language == Language::DE { &GERMAN } else { &ENGLISH };
    let mut some = |count: usize| {
        (0..count).filter_map(|_| sentences.get(random.below(12) as usize).copied()).collect::<Vec<_>>().join(" ")
    };
    let lead = FactId::new("f101").unwrap();
    Draft {
        channel: Channel::Email,
        language: language.clone(),
        angle: "benefit".to_owned(),
        subjects: vec![some(1), some(1), some(1)],
        preheader: some(1),
        blocks: vec![
            Block::Heading { text: some(1) },
            Block::Paragraph { text: some(6) },
            Block::Paragraph { text: some(6) },
            Block::Product { fact: lead.clone(), reason: "{{f101.highlight}}".to_owned() },
            Block::Cta { fact: FactId::new("f199").unwrap(), label: "See the details".to_owned() },
        ],
        confidence: Confidence::High,
    }
}

/// The CPU time of each message, the median of all rounds.
fn measured(rounds: usize, drafts: &[Draft], mut work: impl FnMut(&Draft)) -> Millis {
    let rounds: Vec<Vec<Duration>> = (0..rounds.max(1))
        .map(|_| {
            let time = |draft: &Draft| {
                let start = thread_cpu();
                work(draft);
                thread_cpu().saturating_sub(start)
            };
            drafts.iter().map(time).collect()
        })
        .collect();
    Millis::of(median_by_item(&rounds))
}

fn main() {
    let args = Args::parse();
    let book = rulebook::of_size(args.rules).expect("the sample shop's rule files can be read");
    let phrases = rulebook::phrases(&book);
    let (facts, mut random) = (facts(), Random::new(5));
    let languages = [Language::EN, Language::DE];
    let drafts: Vec<Draft> =
        languages.iter().cycle().take(args.messages).map(|language| draft(&mut random, language)).collect();
    let (flow, hosts, tags) =
        (FlowId::new("abandoned-checkout").unwrap(), ["shop.example".to_owned()], BTreeMap::new());
    let mut blocked = 0_usize;
    let ours = measured(args.rounds, &drafts, |draft| {
        let context = CheckContext {
            language: &draft.language,
            now: Timestamp::UNIX_EPOCH,
            shop_name: "Bench & Co",
            link_hosts: &hosts,
            flow: &flow,
            product_tags: &tags,
            learned: None,
        };
        let findings = book.check(draft, &facts, &context);
        blocked += usize::from(findings.iter().any(|f| f.severity == Severity::Block));
    });
    let automaton = AhoCorasick::new(&phrases).unwrap();
    let floor = measured(args.rounds, &drafts, |draft| {
        for (_, text) in draft.texts() {
            black_box(automaton.find_overlapping_iter(&text.to_lowercase()).count());
        }
    });
    let (rules, ratio) = (book.rule_ids().len(), ours.over(&floor));
    println!(
        "rules, {rules} rules of {} phrases, {} messages, CPU milliseconds a message",
        phrases.len(),
        drafts.len()
    );
    for (name, times) in [("rules", ours), ("floor", floor)] {
        println!("  {name:<6} p50 {:>8.4}   p99 {:>8.4}   mean {:>8.4}", times.p50, times.p99, times.mean);
    }
    println!("  ratio  p50 {:>8.1}   p99 {:>8.1}   mean {:>8.1}", ratio.p50, ratio.p99, ratio.mean);
    println!(
        "{}",
        serde_json::json!({
            "bench": "rules", "rules": rules, "phrases": phrases.len(), "messages": drafts.len(), "ms": ours, "floor_ms": floor,
            "ratio": ratio, "blocked": blocked / args.rounds.max(1),
        })
    );
}
