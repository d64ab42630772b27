//! A shop, a reader, facts and drafts for the tests of this crate.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use kit::message::{Block, Channel, CheckReport, Confidence, Draft, DraftRecord};
use kit::person::{Email, MergeName};
use kit::{Currency, Digest, Fact, FactBook, FactId, FactKind, FactValue, Language, Money, Timestamp};
use mailwright_content::{Reader, ShopIdentity, Utm};

pub fn now() -> Timestamp {
    "2026-02-24T09:00:00Z".parse().unwrap()
}

pub fn id(text: &str) -> FactId {
    FactId::new(text).unwrap()
}

pub fn shop() -> ShopIdentity {
    ShopIdentity {
        name: "Fern & Fell".into(),
        site: "https://fernandfell.example".into(),
        postal_address: "Fern & Fell GmbH, Hafenstraße 12, 20457 Hamburg, Germany".into(),
        from_name: "Fern & Fell".into(),
        from: Email::parse("hello@mail.fernandfell.example").unwrap(),
        reply_to: Email::parse("care@fernandfell.example").unwrap(),
        unsubscribe_base: "https://mail.fernandfell.example/u".into(),
        link_hosts: vec!["fernandfell.example".into()],
        image_hosts: vec!["img.fernandfell.example".into()],
        theme: None,
        languages: vec![Language::EN, Language::DE],
        zone: TimeZone::get("Europe/Berlin").unwrap(),
    }
}

pub fn reader(language: Language, first_name: Option<&str>) -> Reader {
    let why = match language.as_str() {
        "de" => "Du bekommst diese E-Mail, weil du unseren Newsletter bestellt hast.",
        _ => "You get this because you signed up for our letters at checkout.",
    };
    Reader {
        first_name: first_name.map(|n| MergeName::parse(n).unwrap()),
        language,
        to: Email::parse("aoife@example.com").unwrap(),
        unsubscribe_token: "k3J9-xQz_71bVnA0".into(),
        why: why.into(),
    }
}

pub fn utm() -> Utm {
    Utm { source: "mailwright".into(), medium: "email".into(), campaign: "abandoned-checkout".into() }
}

pub fn fact(fact: &str, kind: FactKind, subject: &str, fields: Vec<(&str, FactValue)>) -> Fact {
    Fact {
        id: id(fact),
        kind,
        subject: subject.into(),
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        source: "test".into(),
        as_of: now(),
    }
}

pub fn product(number: &str, title: &str, minor: i64, was: Option<i64>) -> Fact {
    let slug = title.to_lowercase().replace(' ', "-");
    let eur = |minor| FactValue::money(Money::new(minor, Currency::EUR));
    let mut fields = vec![
        ("title", FactValue::text(title)),
        ("price", eur(minor)),
        ("stock", FactValue::count(14)),
        ("url", FactValue::url(format!("https://fernandfell.example/p/{slug}?colour=moss"))),
        ("image", FactValue::url(format!("https://img.fernandfell.example/{slug}.jpg"))),
        ("image_alt", FactValue::text(format!("{title} on a wooden bench"))),
        ("highlight", FactValue::text("the sole is stitched, so it can be replaced")),
        ("care", FactValue::text("brush dry after every walk")),
    ];
    fields.extend(was.map(|w| ("was", eur(w))));
    fact(number, FactKind::Product, &slug, fields)
}

pub fn facts() -> FactBook {
    let mut book = FactBook::new();
    for fact in [
        fact(
            "f101",
            FactKind::Cart,
            "c-1",
            vec![
                ("url", FactValue::url("https://fernandfell.example/cart/c-1?key=9f#pay")),
                ("total", FactValue::money(Money::new(18_900, Currency::EUR))),
                ("items", FactValue::count(1)),
            ],
        ),
        product("f201", "Ridgeline Boots", 18_900, None),
        product("f202", "Merino Hiking Socks", 1_990, Some(2_490)),
        product("f203", "Beeswax Leather Balm", 1_250, None),
        fact(
            "f204",
            FactKind::Review,
            "r-7",
            vec![
                (
                    "text",
                    FactValue::third_party(
                        "Three winters in and the leather only gets better. I had them resoled once.",
                    ),
                ),
                ("author", FactValue::third_party("Maren K.")),
                ("stars", FactValue::count(4)),
                ("product", FactValue::text("ridgeline-boots")),
            ],
        ),
        fact(
            "f301",
            FactKind::Guide,
            "g-1",
            vec![
                ("title", FactValue::text("How to look after leather boots")),
                ("summary", FactValue::text("Brush, wax, rest: a routine of five minutes after each walk.")),
                ("url", FactValue::url("https://fernandfell.example/guides/leather-care")),
            ],
        ),
        fact(
            "f401",
            FactKind::Offer,
            "ten-percent",
            vec![
                ("label", FactValue::text("10 % off your order")),
                ("percent", FactValue::count(10)),
                ("code", FactValue::text("WALK-10")),
                ("ends", FactValue::Time { at: "2026-03-03T22:59:59Z".parse().unwrap() }),
                ("url", FactValue::url("https://fernandfell.example/discount/WALK-10")),
            ],
        ),
    ] {
        book.insert(fact);
    }
    book
}

pub fn heading(text: &str) -> Block {
    Block::Heading { text: text.into() }
}

pub fn paragraph(text: &str) -> Block {
    Block::Paragraph { text: text.into() }
}

pub fn shown(fact: &str, reason: &str) -> Block {
    Block::Product { fact: id(fact), reason: reason.into() }
}

pub fn cta(fact: &str, label: &str) -> Block {
    Block::Cta { fact: id(fact), label: label.into() }
}

pub fn record(language: Language, subjects: [&str; 3], preheader: &str, blocks: Vec<Block>) -> DraftRecord {
    with_facts(facts(), language, subjects, preheader, blocks)
}

pub fn with_facts(
    facts: FactBook,
    language: Language,
    subjects: [&str; 3],
    preheader: &str,
    blocks: Vec<Block>,
) -> DraftRecord {
    let draft = Draft {
        channel: Channel::Email,
        language,
        angle: "test".into(),
        subjects: subjects.map(str::to_owned).to_vec(),
        preheader: preheader.into(),
        blocks,
        confidence: Confidence::High,
    };
    let report = CheckReport {
        content: draft.content_hash(&facts).unwrap(),
        rules_version: Digest::of_bytes(b"rules"),
        findings: Vec::new(),
        checked_at: now(),
    };
    DraftRecord { draft, facts, report, authors: BTreeSet::from(["flow:test".to_owned()]) }
}

/// Every block once, several products, with an offer.
pub fn everything(language: Language) -> DraftRecord {
    let german = language == Language::DE;
    let pick = |en: &'static str, de: &'static str| if german { de } else { en };
    let blocks = vec![
        heading(pick("Boots you can keep", "Stiefel, die bleiben")),
        paragraph(pick(
            "Hi {{customer.first_name}}, one thing about the pair in your cart before you decide: {{f201.highlight}}. When the tread wears down, the sole goes and the boots stay.",
            "Hallo {{customer.first_name}}, ein Gedanke zu deinem Warenkorb: Die Sohle der {{f201.title}} ist genäht. Ist das Profil abgelaufen, geht die Sohle, und die Stiefel bleiben.",
        )),
        shown("f201", pick("The pair you put in your cart; it is still there.", "Das Paar aus deinem Warenkorb.")),
        shown("f202", pick("Made for boots with a firm heel.", "Für Stiefel mit fester Ferse gemacht.")),
        shown("f203", pick("The balm that goes with this leather.", "Das Wachs, das zu diesem Leder gehört.")),
        Block::Review { fact: id("f204") },
        Block::Offer {
            fact: id("f401"),
            text: pick("A thank-you for walking with us.", "Ein Dankeschön, dass du mit uns gehst.").into(),
        },
        Block::Guide { fact: id("f301") },
        cta("f101", pick("Back to your cart", "Zum Warenkorb")),
    ];
    record(
        language,
        [
            pick(
                "{{customer.first_name}}, your {{f201.title}} can be resoled",
                "{{customer.first_name}}, deine {{f201.title}} warten",
            ),
            pick("Still thinking about the {{f201.title}}?", "Noch unsicher bei {{f201.title}}?"),
            pick("What an owner says about these boots", "Was eine Besitzerin über diese Stiefel sagt"),
        ],
        pick(
            "A sole that can be replaced, until {{f401.ends}} for less.",
            "Eine Sohle zum Wechseln, bis {{f401.ends}} günstiger.",
        ),
        blocks,
    )
}

/// A short cart message with one product.
pub fn single() -> DraftRecord {
    record(
        Language::EN,
        ["Your {{f201.title}} can be resoled", "Still thinking?", "A second look"],
        "A sole that can be replaced.",
        vec![
            heading("Boots you can keep"),
            paragraph(
                "Hi {{customer.first_name}}, the sole of these is stitched. When the tread wears down, the sole goes and the boots stay.",
            ),
            shown("f201", "The pair you put in your cart; it is still there."),
            Block::Review { fact: id("f204") },
            cta("f101", "Back to your cart"),
        ],
    )
}
