//! `cargo xtask bench compose`: individually composed mails per second, handed to a sink, beside a floor.
//!
//! Ours: the fill of each person is composed into the class's blocks, judged by 500 content rules, and merged into HTML and plain
//! text (MJML compiled once a shape); beside it the same without the rules. Floor: the same mails with MJML compiled for each,
//! which is what a merge must beat.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use brand::CheckContext;
use clap::Parser;
use content::{Press, Reader, ShopIdentity, Utm};
use jiff::tz::TimeZone;
use kit::campaign::{Fill, SlotProduct, compose, slot_fact};
use kit::message::{Block, Channel, CheckReport, Confidence, Draft, DraftRecord, Rendered};
use kit::person::{Email, MergeName};
use kit::{Currency, Digest, Fact, FactBook, FactId, FactKind, FactValue, FlowId, Language, Money, Timestamp};
use mailwright_bench::rulebook;

#[derive(Debug, Parser)]
#[command(about = "Individually composed mails per second")]
struct Args {
    /// Mails to compose.
    #[arg(long, default_value_t = 20_000)]
    mails: u32,
    /// Mails of the floor: each is compiled, so fewer do.
    #[arg(long, default_value_t = 1_000)]
    floor: u32,
    /// Content rules.
    #[arg(long, default_value_t = 500)]
    rules: usize,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: u32,
}

fn product(id: FactId, number: u32) -> Fact {
    let url = format!("https://shop.example/p/{number}");
    let fields = [
        ("title", FactValue::text(format!("Ridge Pack {number}"))),
        ("price", FactValue::money(Money::new(i64::from(9_900 + number % 5_000), Currency::EUR))),
        ("stock", FactValue::count(40)),
        ("url", FactValue::url(url)),
        ("image", FactValue::url(format!("https://shop.example/i/{number}.jpg"))),
        ("image_alt", FactValue::text(format!("Pack {number} against a stone wall"))),
        ("highlight", FactValue::text("The hip belt comes off in one pull.")),
    ];
    Fact {
        id,
        kind: FactKind::Product,
        subject: format!("p-{number}"),
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        source: "bench".to_owned(),
        as_of: Timestamp::UNIX_EPOCH,
    }
}

fn class() -> DraftRecord {
    let lead = FactId::new("f101").unwrap();
    let mut facts = FactBook::new();
    facts.insert(product(lead.clone(), 0));
    let draft = Draft {
        channel: Channel::Email,
        language: Language::EN,
        angle: "benefit".to_owned(),
        subjects: vec!["{{f101.title}}, up close".to_owned(), "One detail".to_owned(), "What seams are for".to_owned()],
        preheader: "What to look for first, and a few things that go with it.".to_owned(),
        blocks: vec![
            Block::Heading { text: "One thing about the {{f101.title}}".to_owned() },
            Block::Paragraph { text: "Hi {{customer.first_name}}, this is the part we would point at.".to_owned() },
            Block::Paragraph { text: "In use that means: {{f101.highlight}}".to_owned() },
            Block::Product { fact: lead.clone(), reason: "The one this letter is about.".to_owned() },
            Block::Cta { fact: lead, label: "See the details".to_owned() },
        ],
        confidence: Confidence::High,
    };
    let report = CheckReport {
        content: draft.content_hash(&facts).unwrap(),
        rules_version: Digest::of_bytes(b"rules"),
        findings: Vec::new(),
        checked_at: Timestamp::UNIX_EPOCH,
    };
    DraftRecord { draft, facts, report, authors: BTreeSet::new() }
}

fn shop() -> ShopIdentity {
    ShopIdentity {
        name: "Bench & Co".to_owned(),
        site: "https://shop.example".to_owned(),
        postal_address: "Bench & Co, 1 Quay Street, Galway, Ireland".to_owned(),
        from_name: "Bench & Co".to_owned(),
        from: Email::parse("hello@mail.shop.example").unwrap(),
        reply_to: Email::parse("help@shop.example").unwrap(),
        unsubscribe_base: "https://shop.example/u".to_owned(),
        link_hosts: vec!["shop.example".to_owned()],
        image_hosts: Vec::new(),
        theme: None,
        languages: vec![Language::EN],
        zone: TimeZone::UTC,
    }
}

/// The person with this number: their fill and their merge data.
fn person(number: u32) -> (Fill, Reader) {
    let products = (0..3)
        .map(|place| {
            let id = slot_fact(place).unwrap();
            let reason = format!("{{{{{id}.highlight}}}}");
            let fact = product(id, 1 + number.wrapping_mul(7).wrapping_add(u32::try_from(place).unwrap()) % 900);
            SlotProduct { fact, reason, path: "p-0 -accessory-> p-1".to_owned() }
        })
        .collect();
    let reader = Reader {
        first_name: number.is_multiple_of(5).then(|| MergeName::parse("Aoife").unwrap()),
        language: Language::EN,
        to: Email::parse(&format!("reader.{number}@example.com")).unwrap(),
        unsubscribe_token: format!("{number:040}"),
        why: "You get this because you agreed to hear from us.".to_owned(),
    };
    (Fill { facts: Vec::new(), products }, reader)
}

/// Makes one mail; the sink only looks at its size.
fn mail(class: &DraftRecord, number: u32, render: &(dyn Fn(&DraftRecord, &Reader) -> Rendered + Sync)) -> usize {
    let (fill, reader) = person(number);
    let (draft, facts) = compose(class, &fill);
    let record = DraftRecord { draft, facts, report: class.report.clone(), authors: BTreeSet::new() };
    let mail = render(&record, &reader);
    mail.html.len() + mail.text.len()
}

/// Mails per second over all threads, and bytes in all.
fn rate(mails: u32, threads: u32, render: &(dyn Fn(&DraftRecord, &Reader) -> Rendered + Sync)) -> (f64, usize) {
    let class = class();
    let began = Instant::now();
    let bytes: usize = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let class = &class;
                scope.spawn(move || {
                    (thread..mails).step_by(threads as usize).map(|n| mail(class, n, render)).sum::<usize>()
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    (f64::from(mails) / began.elapsed().as_secs_f64(), bytes)
}

fn main() {
    let args = Args::parse();
    let (shop, press) = (shop(), Press::new());
    let utm = Utm { source: "mailwright".to_owned(), medium: "email".to_owned(), campaign: "cmp-bench".to_owned() };
    let merged = |record: &DraftRecord, reader: &Reader| press.render(record, &shop, reader, &utm, 0).unwrap();
    let compiled = |record: &DraftRecord, reader: &Reader| content::render(record, &shop, reader, &utm, 0).unwrap();
    let book = rulebook::of_size(args.rules).expect("the sample shop's rule files can be read");
    let (flow, tags) = (FlowId::new("campaign").unwrap(), BTreeMap::new());
    let checked = |record: &DraftRecord, reader: &Reader| {
        let context = CheckContext {
            language: &record.draft.language,
            now: Timestamp::UNIX_EPOCH,
            shop_name: &shop.name,
            link_hosts: &shop.link_hosts,
            flow: &flow,
            product_tags: &tags,
            learned: None,
        };
        let report = book.report(&record.draft, &record.facts, &context).unwrap();
        assert!(!report.blocks(), "{:?}", report.findings);
        merged(record, reader)
    };
    let threads = args.threads.max(1);
    let (judged, _) = rate(args.mails, threads, &checked);
    let (ours, bytes) = rate(args.mails, threads, &merged);
    let (floor, floor_bytes) = rate(args.floor, threads, &compiled);
    println!("compose, {threads} threads");
    println!("  judged    {judged:>9.0} mails/s   {} rules each", args.rules);
    println!(
        "  merged    {ours:>9.0} mails/s   {} mails, {} bytes each",
        args.mails,
        bytes / args.mails.max(1) as usize
    );
    println!(
        "  compiled  {floor:>9.0} mails/s   {} mails, {} bytes each",
        args.floor,
        floor_bytes / args.floor.max(1) as usize
    );
    println!("  ratio     {:>9.1}             shapes compiled: {}", ours / floor, press.shapes());
    println!(
        "{}",
        serde_json::json!({
            "bench": "compose", "threads": threads, "judged_per_second": judged.round(),
            "mails_per_second": ours.round(), "floor_per_second": floor.round(),
            "ratio": (ours / floor * 10.0).round() / 10.0, "shapes": press.shapes(),
        })
    );
}
