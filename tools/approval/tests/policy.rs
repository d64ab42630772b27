//! The policy files: the shipped ones, what they demand, and what is wrong with broken ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::flow;
use kit::OfferStepId;
use kit::gist::Topic;
use kit::message::{Confidence, Finding, Place, QuietHours, Severity};
use mailwright_approval::{RiskInput, RiskPolicy, SendingPolicy, Trust};

const RISK: &str = include_str!("../../../knowledge/policy/risk.toml");
const SENDING: &str = include_str!("../../../knowledge/policy/sending.toml");

fn policy() -> RiskPolicy {
    RiskPolicy::parse("risk.toml", RISK).unwrap()
}

/// They wrote nothing.
static NOTHING: BTreeSet<Topic> = BTreeSet::new();

/// A message that nothing speaks against.
fn harmless(flow: &kit::FlowId) -> RiskInput<'_> {
    RiskInput {
        flow,
        vip: false,
        regulated: false,
        offer: None,
        offer_is_new: false,
        offer_marked: false,
        audience_size: 1,
        said: &NOTHING,
        confidence: Confidence::Medium,
        sends_so_far: 20,
        trusted: false,
        findings: &[],
    }
}

fn codes(input: &RiskInput<'_>) -> Vec<String> {
    policy().assess(input).reasons.into_iter().map(|reason| reason.code).collect()
}

#[test]
fn each_risk_alone_wants_a_person_and_none_wants_nobody() {
    let checkout = flow("abandoned-checkout");
    let base = harmless(&checkout);
    let step = OfferStepId::new("ten-percent").unwrap();
    let finding = |severity| Finding {
        rule: "claim-unmatched".into(),
        severity,
        place: Place::Preheader,
        span: None,
        excerpt: "dry".into(),
        why: "looks like a claim".into(),
        mend: "drop it".into(),
        owner: "brand".into(),
    };
    let (approve, warn) = ([finding(Severity::Approve)], [finding(Severity::Warn)]);
    let small = [finding(Severity::Warn), finding(Severity::Warn), finding(Severity::Warn)];
    let offer = RiskInput { offer: Some(&step), ..base };
    let (grave, light) = (BTreeSet::from([Topic::Fit, Topic::Health]), BTreeSet::from([Topic::Gift, Topic::Defect]));
    for (input, expected) in [
        (base, vec![]),
        (RiskInput { vip: true, ..base }, vec!["vip"]),
        (RiskInput { regulated: true, ..base }, vec!["regulated"]),
        (RiskInput { said: &grave, ..base }, vec!["said"]),
        (RiskInput { said: &light, ..base }, vec![]),
        (offer, vec![]),
        (RiskInput { offer_is_new: true, ..offer }, vec!["new_offer"]),
        (RiskInput { offer_is_new: true, offer_marked: true, ..offer }, vec!["offer"]),
        (RiskInput { offer_is_new: true, ..base }, vec![]),
        (RiskInput { audience_size: 2, ..base }, vec!["audience"]),
        (RiskInput { confidence: Confidence::Low, ..base }, vec!["confidence"]),
        (RiskInput { sends_so_far: 19, ..base }, vec!["new_flow"]),
        (RiskInput { findings: &approve, ..base }, vec!["claim-unmatched"]),
        (RiskInput { findings: &warn, ..base }, vec![]),
        (RiskInput { findings: &small, ..base }, vec!["brand_score"]),
    ] {
        assert_eq!(codes(&input), expected, "{input:?}");
    }
    for reviewed in ["win-back", "a-flow-nobody-listed"] {
        assert_eq!(codes(&harmless(&flow(reviewed))), ["flow_review"], "{reviewed}");
    }
}

#[test]
fn all_reasons_are_told_at_once_the_gravest_first() {
    let win_back = flow("win-back");
    let step = OfferStepId::new("fifteen-percent").unwrap();
    let input = RiskInput {
        vip: true,
        regulated: true,
        offer: Some(&step),
        offer_marked: true,
        confidence: Confidence::Low,
        ..harmless(&win_back)
    };
    let assessment = policy().assess(&input);
    assert_eq!(assessment.policy, policy().version());
    let told: Vec<String> = assessment.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "regulated: it shows goods that a law regulates",
            "vip: the customer is a VIP",
            "offer: the ladder wants every offer of fifteen-percent seen",
            "flow_review: every message of win-back is seen by a person",
            "confidence: the writer is not sure",
        ]
    );
}

#[test]
fn the_shipped_files_say_what_they_say() {
    assert_eq!(policy().expires_hours, 168);
    assert_eq!(policy().trust(&flow("post-purchase")), Trust::First { sends: 20 });
    let sending = SendingPolicy::parse("sending.toml", SENDING).unwrap();
    assert_eq!((sending.cap_day, sending.cap_week, sending.holdout_percent), (1, 3, 5));
    assert_eq!(sending.quiet, QuietHours { from: 21, to: 8 });
    assert_ne!(sending.version(), SendingPolicy::parse("x", &SENDING.replace('3', "4")).unwrap().version());
}

#[test]
fn broken_files_are_refused_by_line() {
    let risk = |from: &str, to: &str| RiskPolicy::parse("risk.toml", &RISK.replace(from, to)).unwrap_err().to_string();
    let sending = |from: &str, to: &str| {
        SendingPolicy::parse("sending.toml", &SENDING.replace(from, to)).unwrap_err().to_string()
    };
    insta::assert_snapshot!(
        [
            risk("policy/1", "policy/2"),
            risk("vip = true", "vip = \"yes\""),
            risk("vip = true", "regulated = false"),
            risk("expires_hours = 168", "expires_hours = 0"),
            risk("\"low\"  #", "\"high\"  #"),
            risk("\"low\"  #", "\"lo\"  #"),
            risk("audience_above = 1 ", "audience_above = -1 "),
            risk("first_sends = 20\n\n[flow.win-back]", "\n[flow.win-back]"),
            risk("trust = \"review\"", "trust = \"review\"\nfirst_sends = 3"),
            risk("trust = \"review\"", "trust = \"blind\""),
            risk("[flow.win-back]", "[flow.\" \"]"),
            risk("[rules]", "[rules"),
            sending("cap_day = 1", "cap_day = 0"),
            sending("cap_week = 3", "cap_week = 3.5"),
            sending("cap_day = 1", "cap_day = 5"),
            sending("from = 21", "from = 24"),
            sending("holdout_percent = 5", ""),
            sending("holdout_percent = 5", "holdout_percent = 60"),
        ]
        .join("\n")
    );
}

#[test]
fn the_shipped_hours_are_read_and_wrong_ones_named_by_line() {
    const HOURS: &str = include_str!("../../../knowledge/policy/sms-hours.toml");
    let table = mailwright_approval::sms_hours("sms-hours.toml", HOURS).unwrap();
    let rhode_island = table.for_person(Some("US"), Some("US-RI"), true);
    assert_eq!((rhode_island.weekday, rhode_island.saturday), ((9, 18), (10, 17)));
    assert_eq!(table.for_person(Some("US"), None, true).sunday, (12, 17));
    assert_eq!(table.for_person(Some("DE"), None, false).sunday, (8, 21));
    for (good, bad, fault) in [
        (
            "weekday = [8, 21]",
            "weekday = [21, 8]",
            "sms-hours.toml, line 9: [21, 8] must be two hours from 0 to 24, the earlier first",
        ),
        (
            "[region.US-CT]",
            "[region.Texas]",
            "sms-hours.toml, line 18: `Texas` is no ISO 3166 code such as US or US-TX",
        ),
    ] {
        let fault_found = mailwright_approval::sms_hours("sms-hours.toml", &HOURS.replacen(good, bad, 1)).unwrap_err();
        assert_eq!(fault_found.to_string(), fault);
    }
}
