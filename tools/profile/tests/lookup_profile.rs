//! The tool: what the model gets to see, and what it never does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{ago, answer, customer, did, order, orders, registry, run};
use kit::gist::{Gist, Tone, Topic};
use kit::message::{Channel, ConsentState};
use kit::{Currency, Money};
use mailwright_profile::{ActivityKind, ConsentFact, CustomerSnapshot, Said};
use serde_json::Value;

/// A customer with a distinct value planted in every field that is nobody's business.
fn planted() -> CustomerSnapshot {
    let mut last = order(3.0, "tent", "tents");
    last.total = Money::new(919_191, Currency::EUR);
    last.discount = Money::new(727_272, Currency::EUR);
    last.lines[0].price = Money::new(646_464, Currency::EUR);
    CustomerSnapshot {
        first_name: Some("Grainne".into()),
        country: Some("LI".into()),
        time_zone: Some("Europe/Vaduz".into()),
        tags: vec!["vip".into(), "influencer".into()],
        loyalty_tier: Some("platinum".into()),
        consents: vec![ConsentFact {
            channel: Channel::Email,
            state: ConsentState::Subscribed,
            at: ago(400.0),
            source: "raffle-booth".into(),
        }],
        orders: vec![last, order(30.0, "gas", "cooking/gas"), order(90.0, "gas", "cooking/gas")],
        activity: vec![did(ActivityKind::Checkout, 0.5, Some("mat"), "sleeping/mats", 777)],
        sent: vec![ago(1.0), ago(2.0)],
        ..customer()
    }
}

#[test]
fn the_answer_is_what_the_design_allows() {
    let cx = run("abandoned-checkout", "cart-9", &["mat", "out-pump", "gone"], Some("https://shop.example/c/9"));
    let shown: Value = serde_json::from_str(&answer(Some(planted()), &cx)).unwrap();
    insta::assert_json_snapshot!(shown);
    let (facts, disposition) = cx.finish();
    assert_eq!(facts[0].text("url"), Some("https://shop.example/c/9"));
    let [cart, catalog @ .., orders] = facts.as_slice() else { panic!("{facts:?}") };
    assert!(catalog.iter().all(|fact| fact.source == "catalog"), "{facts:?}");
    // What is in the cart and in the orders is proven to the content rules; no answer names the fact about orders.
    let proven = |fact: &kit::Fact, field: &str| {
        fact.products(field).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(proven(cart, "products"), ["gone", "mat", "out-pump"]);
    assert_eq!(
        (proven(orders, "ordered"), proven(orders, "bought")),
        (vec!["gas".into(), "tent".into()], vec!["gas".into(), "tent".into()])
    );
    assert!(!shown.to_string().contains(orders.id.as_str()));
    assert_eq!(disposition, None);
}

#[test]
fn planted_values_never_show() {
    for flow in ["abandoned-checkout", "post-purchase", "win-back", "something-new"] {
        let cx = run(flow, "o-3", &["mat", "tent"], None);
        let shown = answer(Some(planted()), &cx).to_lowercase();
        for secret in [
            "grainne",
            "fergus",
            "quay",
            "14",
            "087",
            "555",
            "@",
            "9191",
            "9.191",
            "7272",
            "6464",
            "2026",
            "vaduz",
            "vip",
            "influencer",
            "platinum",
            "raffle",
            "777",
            "affinity",
            "margin",
            "holdout",
            "spent",
            "next_year",
            "\"li\"",
            "ignore",
            "subscribed",
        ] {
            assert!(!shown.contains(secret), "{flow}: `{secret}` in {shown}");
        }
    }
}

#[test]
fn a_name_that_is_no_name_is_not_offered() {
    let has = |name: Option<&str>| {
        let snapshot = CustomerSnapshot { first_name: name.map(str::to_owned), ..customer() };
        let shown: Value = serde_json::from_str(&answer(Some(snapshot), &run("win-back", "m", &[], None))).unwrap();
        shown["has_first_name"].as_bool().unwrap()
    };
    assert!(has(Some("Zoë")));
    assert!(!has(Some("WIN-FREE.example")) && !has(Some("")) && !has(None));
}

fn notes(snapshot: Option<CustomerSnapshot>, flow: &str, products: &[&str]) -> Vec<String> {
    let shown: Value = serde_json::from_str(&answer(snapshot, &run(flow, "x", products, None))).unwrap();
    shown["notes"].as_array().into_iter().flatten().map(|n| n.as_str().unwrap().to_owned()).collect()
}

#[test]
fn notes_say_when_silence_is_right() {
    assert_eq!(notes(Some(customer()), "abandoned-checkout", &["mat"]), Vec::<String>::new());
    assert_eq!(notes(None, "win-back", &[]), ["Nothing is stored about this person: write from the occasion alone."]);
    let ticket = CustomerSnapshot { open_tickets: 1, ..customer() };
    assert_eq!(
        notes(Some(ticket), "post-purchase", &[]),
        ["A support request is open: nothing should be sent until it is closed."]
    );
    let bought = || Some(orders(&[0.05]));
    assert_eq!(
        notes(bought(), "abandoned-checkout", &[]),
        ["They bought since this run was triggered: nothing should be sent."]
    );
    assert_eq!(notes(bought(), "post-purchase", &[]), Vec::<String>::new());
    let mut returned = orders(&[9.0]);
    returned.orders[0].lines[0].returned = true;
    assert_eq!(
        notes(Some(returned), "post-purchase", &["gas"]),
        ["They sent a product of the occasion back: do not bring it up."]
    );
}

#[test]
fn what_they_wrote_is_one_of_our_sentences() {
    let said = |topics: &[Topic], tone: Tone| {
        let gist = Gist { topics: topics.iter().copied().collect(), tone };
        let snapshot = CustomerSnapshot { said: vec![Said { at: ago(3.0), gist }], ..customer() };
        notes(Some(snapshot), "post-purchase", &[])
    };
    let none = Vec::<String>::new();
    assert_eq!(said(&[], Tone::Neutral), none);
    assert_eq!(said(&[Topic::Fit, Topic::Weather], Tone::Pleased), none);
    let present = "They told us that something is a present: do not write as if they use it themselves.";
    assert_eq!(said(&[Topic::Gift], Tone::Neutral), [present]);
    assert_eq!(
        said(&[Topic::Defect, Topic::Health], Tone::Displeased),
        [
            "They wrote about something serious lately: plain words, nothing cheerful, or nothing at all.",
            "They wrote about a parcel, a fault, a return or a payment lately: do not bring it up, and promise nothing about it.",
            "They sounded displeased when they last wrote: be brief and modest.",
        ]
    );
}

#[test]
fn a_cancelled_order_shows_its_reason_and_its_product_as_ordered() {
    let mut cancelled = order(3.0, "mat", "sleeping/mats");
    cancelled.cancelled_at = Some(ago(0.1));
    cancelled.cancel_reason = Some("inventory".into());
    let snapshot = CustomerSnapshot { orders: vec![order(90.0, "gas", "cooking/gas"), cancelled], ..customer() };
    for (flow, occasion) in
        [("win-back", "month:2026-06"), ("win-back", "order:o-3"), ("service-recovery", "order:o-3")]
    {
        let cx = run(flow, occasion, &["mat"], None);
        let shown: Value = serde_json::from_str(&answer(Some(snapshot.clone()), &cx)).unwrap();
        assert_eq!(
            (&shown["candidates"][0]["role"], &shown["reasons"][0]["text"]),
            (&"ordered".into(), &"Their last order was cancelled because we ran out of stock.".into()),
            "{flow} {occasion}"
        );
    }
    // A cart stays a cart, whatever else was cancelled.
    let cx = run("abandoned-checkout", "cart:o-3", &["mat"], None);
    let shown: Value = serde_json::from_str(&answer(Some(snapshot), &cx)).unwrap();
    assert_eq!(shown["candidates"][0]["role"], "in_cart");
}

#[test]
fn angles_follow_flow_and_stage() {
    let angles = |snapshot: CustomerSnapshot, flow: &str, products: &[&str]| {
        let shown: Value = serde_json::from_str(&answer(Some(snapshot), &run(flow, "x", products, None))).unwrap();
        shown["angles"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(angles(customer(), "abandoned-checkout", &["mat"]), "cart_reminder reassurance welcome");
    assert_eq!(angles(orders(&[9.0]), "abandoned-checkout", &["out-mat"]), "cart_reminder reassurance alternatives");
    assert_eq!(angles(orders(&[2.0]), "post-purchase", &["gas"]), "care accessory");
    assert_eq!(angles(orders(&[140.0]), "win-back", &[]), "comeback new_arrivals");
    assert_eq!(angles(orders(&[130.0, 190.0]), "win-back", &[]), "comeback replenish new_arrivals favourites");
    assert_eq!(angles(customer(), "birthday", &[]), "welcome new_arrivals");
}

#[test]
fn the_schema_is_the_checked_in_one() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/lookup_profile.schema.json");
    let registry = registry(None);
    let spec = registry.get("lookup_profile").unwrap().spec();
    let now = serde_json::to_string_pretty(&*spec.parameters).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(file, &now).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(file).unwrap_or_default(),
        now,
        "run with UPDATE_SCHEMAS=1 and review the change"
    );
    assert!(spec.description.lines().count() <= 40);
}

#[test]
fn what_was_cancelled_or_sent_back_was_ordered_and_not_bought() {
    let mut cancelled = order(5.0, "stove", "cooking");
    cancelled.cancelled_at = Some(ago(4.0));
    let mut returned = order(9.0, "boots", "boots");
    returned.lines[0].returned = true;
    let person =
        CustomerSnapshot { orders: vec![cancelled, returned, order(30.0, "gas", "cooking/gas")], ..customer() };
    let proven = |flow: &str, occasion: &str, products: &[&str]| {
        let cx = run(flow, occasion, products, None);
        answer(Some(person.clone()), &cx);
        let (facts, _) = cx.finish();
        let of = |kind: kit::FactKind, field: &str| {
            let fact = facts.iter().find(|fact| fact.kind == kind && fact.field(field).is_some());
            fact.and_then(|f| f.products(field))
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        (of(kit::FactKind::Cart, "products"), of(kit::FactKind::Order, "ordered"), of(kit::FactKind::Order, "bought"))
    };
    let (ordered, bought) = ("boots gas stove", "gas");
    // A cart without a link is still proven.
    assert_eq!(proven("abandoned-checkout", "cart:9", &["mat"]), ("mat".into(), ordered.into(), bought.into()));
    assert_eq!(proven("win-back", "order:o-5", &["stove"]), (String::new(), ordered.into(), bought.into()));
    assert_eq!(
        proven("post-purchase", "order:new", &["mat"]),
        (String::new(), "boots gas mat stove".into(), "gas mat".into())
    );
}
