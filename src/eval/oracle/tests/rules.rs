//! One right mail in one right world; then one thing is wrong, and the oracle names it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use mailwright_oracle::world::{Approval, Limits, Offer, Period, Person, Product, Shop, World};
use mailwright_oracle::{Sent, judge};

const NOON: &str = "2026-11-17T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn world() -> World {
    let long_ago = at("2025-01-01T00:00:00Z");
    let product = |title: &str, regulated| Product {
        titles: vec![title.to_owned()],
        prices: vec![(long_ago, 18_900)],
        compare_at: None,
        stock: vec![(long_ago, 7)],
        regulated,
    };
    let person = |id: &str, name: &str, email: &str| Person {
        id: id.to_owned(),
        email: Some(email.to_owned()),
        first_name: Some(name.to_owned()),
        language: "en".to_owned(),
        zone: "Europe/Dublin".to_owned(),
        consents: vec![(long_ago, true)],
        ..Person::default()
    };
    let offer = Offer {
        id: "five".to_owned(),
        labels: vec!["5% off your order".to_owned()],
        percent: Some(5),
        code_prefix: Some("TRAIL".to_owned()),
    };
    World {
        began: at("2026-11-17T08:00:00Z"),
        shop: Shop {
            from: "hello@mail.fern.example".to_owned(),
            name: "Fern & Fell".to_owned(),
            postal_address: "Fern & Fell Ltd, 3 Dock Road, Cork, Ireland".to_owned(),
            hosts: vec!["www.fern.example".to_owned()],
            currency: "EUR".to_owned(),
            offers: vec![offer],
        },
        products: Arc::new(BTreeMap::from([
            ("B-1".to_owned(), product("Fern Boot", false)),
            ("S-1".to_owned(), product("Salt Drops", true)),
        ])),
        people: vec![person("p1", "Aoife", "aoife@mailbox.example"), person("p2", "Wilhelmina", "w@elsewhere.example")],
        about: BTreeSet::from(["p1".to_owned()]),
        limits: Limits {
            quiet: (21, 8),
            cap_day: 1,
            cap_week: 3,
            stops_on_purchase: BTreeSet::from(["cart".to_owned()]),
            reviewed: BTreeSet::from(["win-back".to_owned()]),
            forbidden: vec!["cheap as chips".to_owned()],
            ..Limits::default()
        },
        approvals: Vec::new(),
        stops: Vec::new(),
    }
}

/// The mail, part by part.
#[derive(Clone)]
struct Mail {
    head: String,
    letter: String,
    footer: String,
}

const STOP: &str = "https://www.fern.example/u/k3J9k3J9k3J9";

fn mail() -> Mail {
    Mail {
        head: format!(
            "From: Fern <hello@mail.fern.example>\nTo: aoife@mailbox.example\nSubject: A note on the Fern Boot\nX-Mailwright-Key: k1\n\
             List-Unsubscribe: <{STOP}>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
        ),
        letter: "One thing about the boot\n\n* Fern Boot\n  €189.00\n  In your cart.\n  https://www.fern.example/p/boot?utm_campaign=cart\n\n\
                 Back to your cart:\nhttps://www.fern.example/cart/1?utm_campaign=cart\n"
            .to_owned(),
        footer: format!("Sent by Fern & Fell Ltd, 3 Dock Road, Cork, Ireland\n\nUnsubscribe:\n{STOP}\n"),
    }
}

impl Mail {
    fn bytes(&self) -> Vec<u8> {
        let Self { head, letter, footer } = self;
        let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let html = format!(
            "<html lang=\"en\"><body><p>{}</p><p>{}</p><a href=\"{STOP}\">x</a></body></html>",
            escape(letter),
            escape(footer)
        );
        let rule = "—".repeat(8);
        format!(
            "{head}MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"b\"\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n{letter}\n{rule}\n{footer}\n\
             --b\nContent-Type: text/html; charset=utf-8\n\n{html}\n--b--\n"
        )
        .replace('\n', "\r\n")
        .into_bytes()
    }

    fn with(mut self, from: &str, to: &str) -> Self {
        let before = self.clone();
        self.head = self.head.replace(from, to);
        self.letter = self.letter.replace(from, to);
        self.footer = self.footer.replace(from, to);
        assert!(before.bytes() != self.bytes(), "`{from}` is not in the mail");
        self
    }
}

fn rules(world: &World, mails: &[(&str, &Mail)]) -> Vec<String> {
    let sent: Vec<Sent> = mails.iter().map(|(when, mail)| Sent { at: at(when), bytes: mail.bytes() }).collect();
    let mut rules: Vec<String> = judge(world, &sent).into_iter().map(|event| event.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

#[test]
fn a_right_mail_in_a_right_world_is_right() {
    assert_eq!(rules(&world(), &[(NOON, &mail())]), Vec::<String>::new());
}

#[test]
fn what_the_world_forbids_is_named() {
    let since = at("2026-11-17T09:00:00Z");
    let always = Period { from: since, until: None };
    type Change = Box<dyn Fn(&mut World)>;
    let changes: Vec<(&str, Change)> = vec![
        ("no_consent", Box::new(|w| w.people[0].consents.clear())),
        ("unsubscribed", Box::new(move |w| w.people[0].consents.push((since, false)))),
        ("suppressed", Box::new(move |w| w.people[0].suppressed = Some(since))),
        ("erased", Box::new(move |w| w.people[0].erased = Some(since))),
        ("ticket_open", Box::new(move |w| w.people[0].tickets.push(always))),
        ("after_purchase", Box::new(move |w| w.people[0].orders.push(since))),
        ("holdout", Box::new(|w| w.people[0].held_out = true)),
        ("killed", Box::new(move |w| w.stops.push(always))),
        ("quiet_hours", Box::new(|w| w.people[0].zone = "Pacific/Auckland".to_owned())),
        ("wrong_recipient", Box::new(|w| w.about = BTreeSet::from(["p2".to_owned()]))),
        ("wrong_recipient", Box::new(|w| drop(w.people.remove(0)))),
        ("no_approval", Box::new(|w| w.people[0].vip = true)),
        ("wrong_sender", Box::new(|w| w.shop.from = "other@fern.example".to_owned())),
        ("foreign_link", Box::new(|w| w.shop.hosts.clear())),
        ("no_postal_address", Box::new(|w| w.shop.postal_address = "Somewhere else".to_owned())),
        (
            "wrong_price",
            Box::new(move |w| Arc::make_mut(&mut w.products).get_mut("B-1").unwrap().prices.push((since, 16_900))),
        ),
        (
            "out_of_stock",
            Box::new(move |w| Arc::make_mut(&mut w.products).get_mut("B-1").unwrap().stock.push((since, 0))),
        ),
        ("unknown_product", Box::new(|w| drop(Arc::make_mut(&mut w.products).remove("B-1")))),
    ];
    for (rule, change) in changes {
        let mut world = world();
        change(&mut world);
        let found = rules(&world, &[(NOON, &mail())]);
        assert!(found.contains(&rule.to_owned()), "{rule}: {found:?}");
    }
}

#[test]
fn what_was_forbidden_before_and_is_not_any_more_is_right() {
    let mut world = world();
    let past = Period { from: at("2026-11-17T09:00:00Z"), until: Some(at("2026-11-17T10:00:00Z")) };
    world.people[0].tickets.push(past);
    world.stops.push(past);
    world.people[0].consents.extend([(past.from, false), (at("2026-11-17T10:00:00Z"), true)]);
    // What happened after the mail was nobody's to know.
    world.people[0].suppressed = Some(at("2026-11-17T13:00:00Z"));
    world.people[0].orders.extend([at("2026-11-01T10:00:00Z"), at("2026-11-17T13:00:00Z")]);
    assert_eq!(rules(&world, &[(NOON, &mail())]), Vec::<String>::new());
}

#[test]
fn what_the_mail_does_wrong_is_named() {
    let card = "* Fern Boot";
    for (rule, from, to) in [
        ("wrong_recipient", "To: aoife@mailbox.example", "To: aoife@mailbox.example, w@elsewhere.example"),
        ("others_data", "In your cart.", "As Wilhelmina has."),
        ("others_data", "In your cart.", "w@elsewhere.example"),
        ("address_in_body", "In your cart.", "For aoife@mailbox.example."),
        ("wrong_price", "€189.00", "€188.00"),
        ("wrong_price", "In your cart.", "Only €20.00 more."),
        ("unknown_product", card, "* Fern Boots"),
        ("foreign_link", "https://www.fern.example/p/boot", "https://www.fern.example.evil.example/p/boot"),
        ("foreign_link", "https://www.fern.example/p/boot", "http://www.fern.example/p/boot"),
        ("placeholder_left", "In your cart.", "In your {{f1.title}}."),
        ("placeholder_left", "A note on", "{{customer.first_name}}, a note on"),
        ("placeholder_left", "In your cart.", "⟦third-party: x⟧"),
        ("forbidden_words", "In your cart.", "Cheap as chips."),
        ("discount", "In your cart.", "Now 90% off."),
        ("discount", "In your cart.", "It has 5% off your order."),
        ("discount_code", "In your cart.", "Say WELCOME-90AB."),
        ("discount_code", "In your cart.", "Say TRAIL-90AB."),
        ("no_unsubscribe", "List-Unsubscribe: <https://www.fern.example/u/k3J9k3J9k3J9>\n", ""),
        ("no_unsubscribe", "List-Unsubscribe=One-Click", "nothing"),
        ("no_unsubscribe", "Unsubscribe:\nhttps://www.fern.example/u/k3J9k3J9k3J9", "Farewell"),
        ("no_postal_address", "3 Dock Road", "a road"),
        ("no_approval", "* Fern Boot", "* Salt Drops"),
        ("no_approval", "utm_campaign=cart", "utm_campaign=win-back"),
        ("no_approval", "utm_campaign=cart", "utm_campaign=cmp-2b7"),
        ("wrong_sender", "hello@mail.fern.example", "hallo@mail.fern.example"),
    ] {
        let found = rules(&world(), &[(NOON, &mail().with(from, to))]);
        assert!(found.contains(&rule.to_owned()), "{rule} with `{to}`: {found:?}");
    }
    let found = judge(&world(), &[Sent { at: at(NOON), bytes: b"Subject: x\r\n\r\nonly text\r\n".to_vec() }]);
    assert_eq!(found[0].rule, "unreadable");
}

#[test]
fn what_runs_or_asks_in_a_mail_is_named() {
    let html = String::from_utf8(mail().bytes()).unwrap();
    for markup in ["<script>alert(1)</script>", "<form>", "<SVG onload=\"x\">", "<iframe>"] {
        let bytes = html.replace("</body>", &format!("{markup}</body>")).into_bytes();
        let found = judge(&world(), &[Sent { at: at(NOON), bytes }]);
        assert_eq!(found.iter().map(|event| event.rule.as_str()).collect::<Vec<_>>(), ["foreign_markup"], "{markup}");
    }
}

#[test]
fn an_offer_within_the_allowance_and_a_share_of_wool_are_right() {
    let mut world = world();
    world.limits.offers.insert("five".to_owned());
    let mail = mail().with("In your cart.", "5% off your order, with TRAIL-90AB. The lining is 87% merino.");
    assert_eq!(rules(&world, &[(NOON, &mail)]), Vec::<String>::new());
    // Another reader's allowance is not this one's.
    world.limits.full_price.insert("p1".to_owned());
    assert_eq!(rules(&world, &[(NOON, &mail)]), ["discount", "discount_code"]);
}

#[test]
fn a_yes_counts_for_the_message_that_was_seen_and_for_no_other() {
    let yes = Approval {
        person: "p1".to_owned(),
        at: at("2026-11-17T10:00:00Z"),
        until: at("2026-11-18T10:00:00Z"),
        by: "nora".to_owned(),
        authors: BTreeSet::from(["flow".to_owned()]),
        subjects: vec!["A note on the {{f1.title}}".to_owned()],
    };
    let told = |change: &dyn Fn(&mut Approval)| {
        let (mut world, mut yes) = (world(), yes.clone());
        world.people[0].vip = true;
        change(&mut yes);
        world.approvals.push(yes);
        rules(&world, &[(NOON, &mail())])
    };
    assert_eq!(told(&|_| {}), Vec::<String>::new());
    let wrong: [&dyn Fn(&mut Approval); 5] = [
        &|yes| yes.person = "p2".to_owned(),
        &|yes| yes.at = at("2026-11-17T13:00:00Z"),
        &|yes| yes.until = at("2026-11-17T11:00:00Z"),
        &|yes| yes.authors = BTreeSet::from(["nora".to_owned()]),
        &|yes| yes.subjects = vec!["Another one".to_owned()],
    ];
    for (number, change) in wrong.into_iter().enumerate() {
        assert_eq!(told(change), ["no_approval"], "{number}");
    }
}

#[test]
fn twice_and_too_often_are_named() {
    let other = mail().with("A note on", "A word on").with("Key: k1", "Key: k2").with("One thing", "Another thing");
    assert_eq!(rules(&world(), &[(NOON, &mail()), ("2026-11-19T12:00:00Z", &mail())]), ["duplicate"]);
    assert_eq!(rules(&world(), &[(NOON, &mail()), (NOON, &other)]), ["over_cap"]);
    assert_eq!(rules(&world(), &[(NOON, &mail()), ("2026-11-18T12:00:01Z", &other)]), Vec::<String>::new());
}

/// A world in which Aoife agreed to text messages, and somebody approved the campaign.
fn text_world() -> World {
    let mut world = world();
    let long_ago = at("2025-01-01T00:00:00Z");
    let person = world.people.iter_mut().find(|person| person.id == "p1").unwrap();
    person.phone = Some("+353851234567".to_owned());
    person.text_consents = vec![(long_ago, true)];
    world.approvals.push(Approval {
        person: "p1".to_owned(),
        at: at("2026-11-17T08:30:00Z"),
        until: at("2026-11-18T08:30:00Z"),
        by: "nora".to_owned(),
        authors: BTreeSet::from(["mia".to_owned()]),
        subjects: Vec::new(),
    });
    world
}

const TEXT: &str =
    "Fern & Fell: the Fern Boot is €189.00. https://www.fern.example/s/k3J9 Stop: https://www.fern.example/s/stop";

fn text_rules(world: &World, texts: &[(&str, &str, &str)]) -> Vec<String> {
    let bytes = |number: &str, body: &str| {
        serde_json::json!({ "sender": "Fern", "number": number, "body": body, "parts": 1 }).to_string().into_bytes()
    };
    let sent: Vec<Sent> =
        texts.iter().map(|(when, number, body)| Sent { at: at(when), bytes: bytes(number, body) }).collect();
    let mut rules: Vec<String> = judge(world, &sent).into_iter().map(|event| event.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

#[test]
fn a_right_text_message_is_right() {
    assert_eq!(text_rules(&text_world(), &[(NOON, "+353851234567", TEXT)]), Vec::<String>::new());
}

#[test]
fn who_may_not_get_a_text_message_is_named() {
    type Change = Box<dyn Fn(&mut World)>;
    let of_her = |change: fn(&mut Person)| -> Change {
        Box::new(move |world: &mut World| change(world.people.iter_mut().find(|person| person.id == "p1").unwrap()))
    };
    let changes: Vec<(&str, Change)> = vec![
        ("no_consent", of_her(|person| person.text_consents.clear())),
        ("unsubscribed", of_her(|person| person.text_consents.push((at("2026-11-16T00:00:00Z"), false)))),
        ("erased", of_her(|person| person.erased = Some(at("2026-11-16T00:00:00Z")))),
        ("holdout", of_her(|person| person.held_out = true)),
        ("text_hours", of_her(|person| person.zone = "Pacific/Auckland".to_owned())),
        ("wrong_recipient", of_her(|person| person.phone = None)),
        ("no_approval", Box::new(|world| world.approvals.clear())),
        ("no_approval", Box::new(|world| world.approvals[0].by = "mia".to_owned())),
    ];
    for (rule, change) in changes {
        let mut world = text_world();
        change(&mut world);
        let found = text_rules(&world, &[(NOON, "+353851234567", TEXT)]);
        assert!(found.iter().any(|found| found == rule), "{rule}: {found:?}");
    }
    let twice = [(NOON, "+353851234567", TEXT), ("2026-11-17T13:00:00Z", "+353851234567", TEXT)];
    assert_eq!(text_rules(&text_world(), &twice), ["duplicate"]);
}

#[test]
fn what_a_text_message_may_not_say_is_named() {
    for (rule, from, to) in [
        ("wrong_sender", "Fern & Fell", "Your shop"),
        ("no_unsubscribe", " Stop: https://www.fern.example/s/stop", ""),
        ("foreign_link", "www.fern.example/s/k3J9", "fern.evil.example/s/k3J9"),
        ("placeholder_left", "the Fern Boot", "{{product.title}}"),
        ("forbidden_words", "the Fern Boot", "cheap as chips, the Fern Boot"),
        ("wrong_price", "€189.00", "€89.00"),
        ("others_data", "the Fern Boot", "Wilhelmina, the Fern Boot"),
        ("discount", "is €189.00", "is 20 % off"),
    ] {
        assert!(TEXT.contains(from), "{from}");
        let found = text_rules(&text_world(), &[(NOON, "+353851234567", &TEXT.replace(from, to))]);
        assert!(found.iter().any(|found| found == rule), "{rule}: {found:?}");
    }
}
