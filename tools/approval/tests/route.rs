//! The way of a request: sections, people, stand-ins, deadlines, and what is wrong with a broken policy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use kit::message::RiskReason;
use kit::{Currency, Money, Timestamp};
use mailwright_approval::{ApprovalPolicy, Ask, NotSigned, Route, Signature};

const SHIPPED: &str = include_str!("../../../knowledge/policy/approvals.toml");

/// A Tuesday morning in Dublin.
const MORNING: &str = "2026-11-17T10:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn policy(changes: &[(&str, &str)]) -> ApprovalPolicy {
    let text = changes.iter().fold(SHIPPED.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    ApprovalPolicy::parse("approvals.toml", &text).unwrap()
}

fn reasons(codes: &[&str]) -> Vec<RiskReason> {
    codes.iter().map(|code| RiskReason { code: (*code).to_owned(), text: "a reason".to_owned() }).collect()
}

fn ask(reasons: &[RiskReason]) -> Ask<'_> {
    Ask { reasons, recipients: 1, offer_cost: None, asked_at: at(MORNING), last: Timestamp::MAX }
}

fn sections(route: &Route) -> Vec<&str> {
    route.sections.iter().map(|section| section.name.as_str()).collect()
}

/// Who signs, one after the other, until nothing is missing.
fn signed(route: &Route, people: &[&str]) -> Vec<Signature> {
    let mut given = Vec::new();
    for who in people {
        given.extend(route.sign(who, &given, route.typed_count, at(MORNING)).unwrap());
    }
    given
}

#[test]
fn a_request_has_the_sections_that_its_reasons_ask_for() {
    let policy = policy(&[]);
    for (codes, expected) in [
        (&["flow_review"][..], &["message"][..]),
        (&["new_offer"], &["message", "offer"]),
        (&["legal.competitors"], &["claims", "message"]),
        (&["regulated", "offer"], &["claims", "message", "offer"]),
    ] {
        let reasons = reasons(codes);
        let mut found = policy.route(&ask(&reasons), at(MORNING));
        found.sections.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(sections(&found), expected, "{codes:?}");
    }
}

#[test]
fn one_person_may_sign_all_that_is_theirs_and_two_where_two_are_asked_for() {
    let policy = policy(&[]);
    let offer = reasons(&["offer"]);
    let one = policy.route(&ask(&offer), at(MORNING));
    assert!(one.is_signed(&signed(&one, &["nora"])));

    let eur = |minor| Some(Money::new(minor, Currency::EUR));
    let usd = Some(Money::new(1, Currency::USD));
    for (recipients, offer_cost, people) in
        [(1_000, None, 1), (1_001, None, 2), (1, eur(50_000), 1), (1, eur(50_001), 2), (1, usd, 2)]
    {
        let route = policy.route(&Ask { recipients, offer_cost, ..ask(&offer) }, at(MORNING));
        assert_eq!(route.people, people, "{recipients} {offer_cost:?}");
    }
    let regulated = reasons(&["regulated"]);
    let two = policy.route(&ask(&regulated), at(MORNING));
    let given = signed(&two, &["nora"]);
    assert!(!two.is_signed(&given));
    assert_eq!(two.missing(&given), ["a second person, because of regulated"]);
    assert!(two.is_signed(&signed(&two, &["nora", "lena"])));
    let again = two.sign("nora", &given, None, at(MORNING)).unwrap_err();
    assert!(matches!(again, NotSigned::Again { .. }), "{again}");
}

#[test]
fn a_large_audience_is_typed() {
    let route = policy(&[]).route(&Ask { recipients: 340, ..ask(&[]) }, at(MORNING));
    let sign = |typed| route.sign("nora", &[], typed, at(MORNING)).map(|given| given.len());
    assert_eq!(sign(None), Err(NotSigned::NoCount { recipients: 340 }));
    assert_eq!(sign(Some(34)), Err(NotSigned::OtherCount { recipients: 340, typed: 34 }));
    assert_eq!(sign(Some(340)), Ok(1));
    assert_eq!(policy(&[]).route(&Ask { recipients: 100, ..ask(&[]) }, at(MORNING)).typed_count, None);
}

#[test]
fn the_deadline_is_in_the_hours_of_whoever_gets_to_it_first() {
    let usual = policy(&[]).route(&ask(&[]), at(MORNING));
    assert_eq!((usual.escalates_at, usual.decide_by), (at("2026-11-18T10:00:00Z"), at("2026-11-19T10:00:00Z")));
    let owned = ("owner = \"marketing-ops\"", "owner = \"marketing-ops\"\nsigners = [\"lena\", \"max\"]");
    let lena = "[section.offer]";
    let with = |person: &str| policy(&[owned, (lena, &format!("{person}\n{lena}"))]).route(&ask(&[]), at(MORNING));
    let new_york = "[person.lena]\nzone = \"America/New_York\"";
    // Lena works in New York, Max where everybody does: she has worked two whole days before he has.
    assert_eq!(with(new_york).decide_by, at("2026-11-18T22:00:00Z"));
    let both = format!("{new_york}\n[person.max]\nzone = \"America/New_York\"");
    assert_eq!(with(&both).decide_by, at("2026-11-18T22:00:00Z"));
    // A message that is good for two hours is escalated after one, long before anybody's working hours say so.
    let hurried = policy(&[]).route(&Ask { last: at("2026-11-17T12:00:00Z"), ..ask(&[]) }, at("2026-11-17T11:30:00Z"));
    assert_eq!((hurried.escalates_at, hurried.decide_by), (at("2026-11-17T11:00:00Z"), at("2026-11-17T12:00:00Z")));
    assert!(hurried.escalated);
    // A weekend and Max's holiday take nothing.
    let away = "[person.max]\naway = [{ from = \"2026-11-17\", until = \"2026-11-19\" }]\n[person.lena]\naway = [{ from = \"2026-11-17\", until = \"2026-11-23\" }]";
    assert_eq!(with(away).decide_by, at("2026-11-23T17:00:00Z"));
}

#[test]
fn whoever_stands_in_signs_while_the_owner_is_away_and_only_then() {
    let owned = ("owner = \"marketing-ops\"", "owner = \"marketing-ops\"\nsigners = [\"lena\"]");
    let person = "[person.lena]\ndelegate = \"Max\"\naway = [{ from = \"2026-11-18\", until = \"2026-11-19\" }]\n[section.offer]";
    let policy = policy(&[owned, ("[section.offer]", person)]);
    let who = |now: &str| policy.route(&ask(&[]), at(now)).sections[0].who_may();
    assert_eq!(policy.route(&ask(&[]), at(MORNING)).sections.len(), 1);
    assert_eq!(who(MORNING), "lena");
    assert_eq!(who("2026-11-18T10:00:00Z"), "lena, max (for lena, away until 2026-11-19)");
    assert_eq!(who("2026-11-20T00:00:00Z"), "lena");
    let theirs = policy.route(&ask(&[]), at(MORNING)).sign("max", &[], None, at(MORNING)).unwrap_err();
    assert_eq!(theirs.to_string(), "max may not sign message; message is signed by lena");
}

#[test]
fn broken_files_are_refused_by_line() {
    let broken = |from: &str, to: &str| {
        assert!(SHIPPED.contains(from), "{from}");
        ApprovalPolicy::parse("approvals.toml", &SHIPPED.replacen(from, to, 1)).unwrap_err().to_string()
    };
    let person = |text: &str| broken("[section.offer]", &format!("[person.lena]\n{text}\n[section.offer]"));
    insta::assert_snapshot!(
        [
            broken("approvals/1", "approvals/2"),
            broken("working_hours = 16", "working_hours = 0"),
            broken("escalate_percent = 50", "escalate_percent = 101"),
            broken("\"Europe/Dublin\"", "\"Dublin\""),
            broken("\"friday\"]", "\"fryday\"]"),
            broken("from = \"09:00\"", "from = \"9\""),
            broken("from = \"09:00\"", "from = \"17:00\""),
            broken("seconds = 60", "seconds = 86400"),
            broken("currency = \"EUR\"", "currency = \"euro\""),
            broken("owner = \"marketing-ops\"", "owner = \"marketing-ops\"\nreasons = [\"vip\"]"),
            broken("owner = \"legal\"", "owner = \"legal\"\nsigners = [\"flow:win-back\"]"),
            broken("owner = \"legal\"", "owner = \"legal\"\nsigner = [\"lena\"]"),
            person("delegate = \"Lena\""),
            person("away = [{ from = \"2026-12-24\", until = \"2026-12-01\" }]"),
            person("away = [{ from = \"24.12.\", until = \"2026-12-01\" }]"),
            person("until = \"08:00\""),
        ]
        .join("\n")
    );
}
