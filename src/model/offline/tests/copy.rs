//! The copy itself: every variant of every shape, in both languages, against the shipped brand rules.

use std::collections::{BTreeMap, BTreeSet};

use agent::Message;
use brand::{CheckContext, RuleBook};
use kit::message::{Channel, Draft, Severity};
use kit::{Fact, FactBook, FactId, FactKind, FactValue, FlowId, Language, ProductId, Timestamp};
use serde_json::{Value, json};

use super::world::{DE, EN, World, product, with};

/// Occasions tried per shape: enough that every variant comes up.
const OCCASIONS: usize = 60;
const RAN_OUT: &str = "Their last order was cancelled because we ran out of stock.";

fn rules() -> RuleBook {
    let rules = include_str!("../../../../knowledge/brand/rules.toml");
    let claims = include_str!("../../../../knowledge/brand/claims.toml");
    RuleBook::parse("rules.toml", rules, "claims.toml", claims).unwrap()
}

/// One world for each shape of message.
fn worlds(language: &str) -> Vec<World> {
    let stand_in =
        |path: &str| with(product(3, 30), json!({"because": "can stand in for Kestrel Kettle B", "path": path}));
    let (curated, same_kind) = ("P-1 -substitute-> P-3", "P-1 -in_category-> kettles <-in_category- P-3");
    let sold_out = |mut world: World, stand_in: Value| {
        world.profile["candidates"][0]["stock"] = json!("out");
        world.changed.insert("P-1", json!({"stock": "out"}));
        world.profile["angles"].as_array_mut().unwrap().push(json!("alternatives"));
        world.graph.insert("substitutes", json!({"items": [stand_in]}));
        world
    };
    let mut impulse = World::cart(language);
    impulse.graph.insert("guides", json!({"note": "no guide explains these products"}));
    impulse.profile["candidates"][0]["review"] = json!({"fact": "f103", "stars": 5, "text": "⟦third-party: Gut.⟧"});
    impulse.changed.insert("P-1", json!({"review": {"fact": "f5103", "stars": 5, "text": "⟦third-party: Gut.⟧"}}));
    let linked = |relation: &str| {
        let mut world = impulse.clone();
        let item = with(product(7, 30), json!({"because": "x", "path": format!("P-1 -{relation}-> P-7")}));
        world.graph.insert("recommend", json!({"items": [item]}));
        world
    };
    // From something they own to something they do not: the owned one is not at hand to be named.
    let elsewhere = |relation: &str| {
        let mut world = World::cancelled(language, "Cancelled their last order themselves.");
        let item = with(product(7, 30), json!({"because": "x", "path": format!("P-18 -{relation}-> P-7")}));
        world.graph.insert("recommend", json!({"items": [item]}));
        world
    };
    let mut accessory = World::order(language);
    accessory.profile["candidates"][0].as_object_mut().unwrap().remove("care");
    accessory.changed.insert("P-1", json!({"care": null}));
    accessory.graph.insert("guides", json!({"note": "no guide explains these products"}));
    let mut offered = World::cancelled(language, RAN_OUT);
    offered.quote = json!({"answer": "granted", "fact": "f601", "label": "x", "code": "x", "ends": "x"});
    let mut strangers = World::cancelled(language, "Cancelled their last order themselves.");
    strangers.profile["candidates"] = json!([with(product(9, 1), json!({"role": "interest"}))]);
    strangers.graph.insert("recommend", json!({"items": [with(product(10, 30), json!({"because": "popular", "path": ""})), with(product(11, 30), json!({"because": "for the same purpose as x", "path": "P-1 -serves_intent-> i <-serves_intent- P-11"}))]}));
    let mut nameless = World::cart(language);
    nameless.profile["has_first_name"] = json!(false);
    vec![
        World::cart(language),
        nameless,
        linked("bought_together"),
        linked("bought_next"),
        linked("accessory"),
        linked("next"),
        elsewhere("accessory"),
        elsewhere("next"),
        elsewhere("bought_next"),
        elsewhere("bought_together"),
        sold_out(World::cart(language), stand_in(curated)),
        World::order(language),
        accessory,
        offered,
        sold_out(World::cancelled(language, RAN_OUT), stand_in(same_kind)),
        strangers,
    ]
}

/// The facts that the tools of a run minted, in the run's language.
fn facts(messages: &[Message], german: bool) -> FactBook {
    let mut book = FactBook::new();
    for message in messages {
        let Message::Tool { content, .. } = message else { continue };
        let Ok(answer) = serde_json::from_str::<Value>(content) else { continue };
        learn(&answer, german, &mut book);
    }
    // What lookup_profile proves of the reader without showing it: everything but the cart's own came with an order once.
    let known: Vec<String> = (1..=20).map(|number| format!("P-{number}")).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let ordered = [("ordered", products(&known)), ("bought", products(&known))];
    book.insert(Fact {
        id: FactId::new("f190").unwrap(),
        kind: FactKind::Order,
        subject: "order:1".to_owned(),
        fields: ordered.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        source: "test".to_owned(),
        as_of: "2026-03-01T12:00:00Z".parse().unwrap(),
    });
    book
}

fn products(ids: &[&str]) -> FactValue {
    FactValue::Products { products: ids.iter().map(|id| ProductId::new(*id).unwrap()).collect() }
}

fn learn(value: &Value, german: bool, book: &mut FactBook) {
    if let Some(fact) = fact(value, german) {
        book.insert(fact);
    }
    match value {
        Value::Object(map) => map.values().for_each(|v| learn(v, german, book)),
        Value::Array(list) => list.iter().for_each(|v| learn(v, german, book)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn fact(value: &Value, german: bool) -> Option<Fact> {
    let id = FactId::new(value["fact"].as_str()?).unwrap();
    let as_of: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let say = |en: &str, de: &str| FactValue::text(if german { de } else { en });
    let url = ("url", FactValue::url("https://www.tarnandtrail.example/x"));
    let (kind, subject, fields): (FactKind, &str, Vec<(&str, FactValue)>) = match value {
        v if v.get("product").is_some() => {
            let stock = if v["stock"] == "out" { 0 } else { 40 };
            let mut fields = vec![
                url,
                ("title", FactValue::text(v["title"].as_str().unwrap())),
                ("stock", FactValue::count(stock)),
                ("highlight", say("The spout pours without a drip", "Der Ausguss tropft nicht")),
            ];
            fields.extend(
                v.get("care")
                    .map(|_| ("care", say("Rinse it with vinegar now and then.", "Spül ab und zu mit Essig nach."))),
            );
            (FactKind::Product, v["product"].as_str().unwrap(), fields)
        }
        v if v.get("stars").is_some() => (
            FactKind::Review,
            "r1",
            vec![
                ("text", FactValue::third_party("Gut.")),
                ("author", FactValue::third_party("A. B.")),
                ("stars", FactValue::count(5)),
                ("product", FactValue::text("P-1")),
            ],
        ),
        v if v.get("code").is_some() => (
            FactKind::Offer,
            "free-shipping",
            vec![
                ("label", say("Free delivery", "Kostenloser Versand")),
                ("code", FactValue::text("TRAIL-X")),
                ("ends", FactValue::Time { at: "2026-03-31T23:59:59Z".parse().unwrap() }),
            ],
        ),
        v if v.get("summary").is_some() => (
            FactKind::Guide,
            "g1",
            vec![
                url,
                ("title", say("Kettles, and hard water", "Kessel und hartes Wasser")),
                ("summary", say("What scale does.", "Was Kalk tut.")),
            ],
        ),
        _ => (FactKind::Cart, "c1", vec![url, ("products", products(&["P-1", "P-2"]))]),
    };
    let fields: BTreeMap<String, FactValue> =
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Some(Fact { id, kind, subject: subject.to_owned(), fields, source: "test".to_owned(), as_of })
}

fn draft(proposal: &Value, language: &Language) -> Draft {
    let mut fields = proposal.clone();
    fields["channel"] = json!(Channel::Email);
    fields["language"] = json!(language);
    serde_json::from_value(fields).unwrap()
}

#[test]
fn every_variant_passes_the_brand_rules() {
    let rules = rules();
    let (hosts, tags) = (vec!["www.tarnandtrail.example".to_owned()], BTreeMap::new());
    for (language, patterns) in [(Language::EN, EN), (Language::DE, DE)] {
        let german = language == Language::DE;
        let mut written = BTreeSet::new();
        for world in worlds(language.as_str()) {
            let flow = FlowId::new(world.task.lines().next().unwrap().trim_start_matches("Flow: ")).unwrap();
            for n in 0..OCCASIONS {
                let world =
                    World { task: world.task.replace("Occasion: ", &format!("Occasion: {n} ")), ..world.clone() };
                let run = world.run();
                let proposals = run.proposals();
                let proposal = proposals.first().unwrap_or_else(|| panic!("{flow} {:?}", run.no_send()));
                let draft = draft(proposal, &language);
                let cx = CheckContext {
                    language: &language,
                    now: "2026-03-01T12:00:00Z".parse().unwrap(),
                    shop_name: "Tarn & Trail",
                    link_hosts: &hosts,
                    flow: &flow,
                    product_tags: &tags,
                    learned: None,
                };
                let findings = rules.check(&draft, &facts(&run.messages, german), &cx);
                let serious: Vec<String> =
                    findings.iter().filter(|f| f.severity > Severity::Warn).map(ToString::to_string).collect();
                assert!(serious.is_empty(), "{serious:#?}\n{proposal:#}");
                written.extend(draft.texts().into_iter().map(|(_, text)| unnumbered(text)));
            }
        }
        // A line that never comes up was not checked.
        let is_written = |line: &&str| written.iter().any(|text| text.contains(&named(line)));
        let unused: Vec<&str> = lines(patterns).filter(|line| !is_written(line)).collect();
        assert!(unused.is_empty(), "{unused:#?}");
    }
}

/// All patterns of a file.
fn lines(patterns: &str) -> impl Iterator<Item = &str> {
    let strings = patterns
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("schema") && !line.starts_with("language"));
    strings.flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// The pattern with roles as the test's facts would name them: sentences get their full stop, numbers go.
fn named(line: &str) -> String {
    line.replace("{{product.highlight}}", "{{f.highlight}}.")
        .replace("product.", "f.")
        .replace("owned.", "f.")
        .replace("source.", "f.")
        .replace("guide.", "f.")
        .replace("offer.", "f.")
}

fn unnumbered(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}
