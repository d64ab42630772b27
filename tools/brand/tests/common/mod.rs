//! A book from the shop's real files, facts of a run, and a message that passes.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use kit::fact::{FactBook, FactValue};
use kit::message::{Block, Channel, Confidence, Draft, Finding, Place, Severity};
use kit::{Currency, Fact, FactId, FactKind, FlowId, Language, Money, ProductId, Timestamp};
use mailwright_brand::{CheckContext, RuleBook};

pub(crate) const RULES: &str = include_str!("../../../../knowledge/brand/rules.toml");
/// A register of our own, so that these tests do not change when the shop's does.
pub(crate) const CLAIMS: &str = r#"
schema = "mailwright.claims/1"
[[claim]]
id = "membrane"
text = ["waterproof, breathable membrane", "wasserdichte, atmungsaktive Membran"]
product_tag = "membrane"
evidence = "lab"
expires = 2027-06-30
[[claim]]
id = "upf"
text = ["fabric rated UPF 50+"]
products = ["TT-1512"]
evidence = "lab"
expires = 2027-06-30
[[claim]]
id = "old"
text = ["certified to the Responsible Down Standard"]
product_tag = "membrane"
evidence = "lab"
expires = 2026-11-20
"#;

pub(crate) static BOOK: LazyLock<RuleBook> =
    LazyLock::new(|| RuleBook::parse("rules.toml", RULES, "claims.toml", CLAIMS).unwrap());
static TAGS: LazyLock<BTreeMap<String, BTreeSet<String>>> =
    LazyLock::new(|| BTreeMap::from([("TT-1001".to_owned(), BTreeSet::from(["membrane".to_owned()]))]));
static HOSTS: LazyLock<Vec<String>> = LazyLock::new(|| vec!["www.tarnandtrail.example".to_owned()]);
static FLOW: LazyLock<FlowId> = LazyLock::new(|| flow("abandoned-checkout"));

pub(crate) fn flow(id: &str) -> FlowId {
    FlowId::new(id).unwrap()
}
pub(crate) fn id(text: &str) -> FactId {
    FactId::new(text).unwrap()
}
pub(crate) fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

pub(crate) fn context<'a>(language: &'a Language) -> CheckContext<'a> {
    CheckContext {
        language,
        now: now(),
        shop_name: "Tarn & Trail",
        link_hosts: &HOSTS,
        flow: &FLOW,
        product_tags: &TAGS,
        learned: None,
    }
}

pub(crate) fn fact(fact_id: &str, kind: FactKind, subject: &str, fields: Vec<(&str, FactValue)>) -> Fact {
    Fact {
        id: id(fact_id),
        kind,
        subject: subject.to_owned(),
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        source: "test".to_owned(),
        as_of: now(),
    }
}

/// A proof about these products.
pub(crate) fn products(ids: &[&str]) -> FactValue {
    FactValue::Products { products: ids.iter().map(|id| ProductId::new(*id).unwrap()).collect() }
}

pub(crate) fn product(fact_id: &str, subject: &str, title: &str, stock: i64) -> Fact {
    fact(
        fact_id,
        FactKind::Product,
        subject,
        vec![
            ("title", FactValue::text(title)),
            ("price", FactValue::money(Money::new(18_900, Currency::EUR))),
            ("stock", FactValue::count(stock)),
            ("url", FactValue::url("https://www.tarnandtrail.example/p/x")),
            ("image", FactValue::url("https://www.tarnandtrail.example/i/x.jpg")),
            ("image_alt", FactValue::text("A product on a bench")),
            ("highlight", FactValue::text("The tongue is stitched to the ankle, so gravel stays outside.")),
        ],
    )
}

/// A cart that holds these products.
pub(crate) fn cart(fact_id: &str, held: &[&str]) -> Fact {
    let url = FactValue::url("https://www.tarnandtrail.example/cart/1");
    fact(fact_id, FactKind::Cart, "c1", vec![("url", url), ("products", products(held))])
}

pub(crate) fn offer(fact_id: &str, percent: Option<i64>, ends: &str) -> Fact {
    let mut fields = vec![
        ("label", FactValue::text("10% off your order")),
        ("code", FactValue::text("TRAIL-7K3Q9M")),
        ("ends", FactValue::Time { at: ends.parse().unwrap() }),
        ("url", FactValue::url("https://www.tarnandtrail.example/cart/1")),
    ];
    fields.extend(percent.map(|p| ("percent", FactValue::count(p))));
    fact(fact_id, FactKind::Offer, "ten-percent", fields)
}

pub(crate) fn review(fact_id: &str, about: &str, text: &str) -> Fact {
    fact(
        fact_id,
        FactKind::Review,
        "rv-1",
        vec![
            ("text", FactValue::third_party(text)),
            ("author", FactValue::third_party("Aoife M.")),
            ("stars", FactValue::count(5)),
            ("product", FactValue::text(about)),
        ],
    )
}

/// f101 boot (plenty), f102 stove (4 left), f103 sold out, f104 cart, f105 review, f106 guide, f201 offer, f202 free delivery.
pub(crate) fn facts() -> FactBook {
    let mut book = FactBook::new();
    book.insert(product("f101", "TT-1001", "Clare Mid Hiking Boot", 34));
    book.insert(product("f102", "TT-2001", "Inagh Gas Stove", 4));
    book.insert(product("f103", "TT-1002", "Clare Mid Wide", 0));
    book.insert(cart("f104", &["TT-1001"]));
    book.insert(review("f105", "TT-1001", "The best boots I have ever had. 10/10!"));
    book.insert(fact(
        "f106",
        FactKind::Guide,
        "g1",
        vec![
            ("title", FactValue::text("Care for leather")),
            ("summary", FactValue::text("Wax, brush, rest.")),
            ("url", FactValue::url("https://www.tarnandtrail.example/g/leather")),
        ],
    ));
    book.insert(offer("f201", Some(10), "2026-11-28T23:59:59Z"));
    book.insert(offer("f202", None, "2026-11-21T23:59:59Z"));
    book.insert(fact("f301", FactKind::Claim, "membrane", vec![("text", FactValue::text("waterproof"))]));
    book.insert(fact("f302", FactKind::Claim, "old", vec![("text", FactValue::text("certified"))]));
    book
}

pub(crate) fn paragraph(text: &str) -> Block {
    Block::Paragraph { text: text.to_owned() }
}
pub(crate) fn shown(fact: &str) -> Block {
    Block::Product { fact: id(fact), reason: "It goes with the boots in your basket.".to_owned() }
}

/// A message that no rule objects to.
pub(crate) fn good() -> Draft {
    Draft {
        channel: Channel::Email,
        language: Language::EN,
        angle: "cart_reminder".to_owned(),
        subjects: vec![
            "{{f101.title}}, still in your basket".to_owned(),
            "Dry feet on the Burren Way".to_owned(),
            "A question about your boots?".to_owned(),
        ],
        preheader: "The tongue is stitched to the ankle, so gravel stays outside.".to_owned(),
        blocks: vec![
            Block::Heading { text: "Your boots are still here".to_owned() },
            paragraph(
                "Hi {{customer.first_name}}, you left the {{f101.title}} in your basket. It is still there, and the price is {{f101.price}}.",
            ),
            Block::Product { fact: id("f101"), reason: "{{f101.highlight}}".to_owned() },
            Block::Cta { fact: id("f104"), label: "See your basket".to_owned() },
        ],
        confidence: Confidence::High,
    }
}

pub(crate) fn good_de() -> Draft {
    Draft {
        language: Language::DE,
        subjects: vec![
            "{{f101.title}} liegt noch im Warenkorb".to_owned(),
            "Trockene Füße auf dem Burren Way".to_owned(),
            "Eine Frage zu deinen Stiefeln?".to_owned(),
        ],
        preheader: "Die Zunge ist bis zum Knöchel vernäht, so bleibt der Schotter draußen.".to_owned(),
        blocks: vec![
            Block::Heading { text: "Deine Stiefel sind noch da".to_owned() },
            paragraph(
                "Hallo {{customer.first_name}}, du hast den {{f101.title}} in den Warenkorb gelegt. Er kostet {{f101.price}}.",
            ),
            Block::Product { fact: id("f101"), reason: "Der Schaft ist weich und sitzt nach kurzer Zeit.".to_owned() },
            Block::Cta { fact: id("f104"), label: "Zum Warenkorb".to_owned() },
        ],
        ..good()
    }
}

pub(crate) fn check(draft: &Draft) -> Vec<Finding> {
    check_with(draft, &facts())
}
pub(crate) fn check_with(draft: &Draft, facts: &FactBook) -> Vec<Finding> {
    BOOK.check(draft, facts, &context(&draft.language))
}

/// Rule ids with severities, worst first.
pub(crate) fn found(findings: &[Finding]) -> Vec<(&str, Severity)> {
    findings.iter().map(|f| (f.rule.as_str(), f.severity)).collect()
}

/// Findings of one sentence as a paragraph of the good message.
pub(crate) fn sentence(text: &str, language: &Language) -> Vec<Finding> {
    let mut draft = if *language == Language::DE { good_de() } else { good() };
    draft.blocks[1] = paragraph(text);
    check(&draft).into_iter().filter(|f| matches!(f.place, Place::Block { index: 1, .. })).collect()
}
