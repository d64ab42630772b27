//! A suite that passes when a gate is gone watches nothing.

use std::sync::Arc;

use mailwright::eval::suite::{Case, Ending};

use testkit::models::AsksAgain;

use super::off::Off;
use super::off::brief::BriefOff;
use super::{failing, play, play_wired, props, suites};

/// A gate: its name, how it is switched off, the cases it is for, and what must be seen without it.
type Gate = (&'static str, Off, fn(&Case) -> bool, &'static str);

const GATES: [Gate; 16] = [
    ("consent", Off::Holds(&["no_consent"]), |case| because(case, "no_consent"), "never:no_consent"),
    ("unsubscribing", Off::Holds(&["withdrawn"]), |case| because(case, "withdrawn"), "never:unsubscribed"),
    ("suppression", Off::Holds(&["suppressed"]), |case| because(case, "suppressed"), "never:suppressed"),
    ("tickets", Off::Holds(&["ticket_open"]), |case| because(case, "ticket_open"), "never:ticket_open"),
    ("purchase", Off::Purchase, |case| case.name.contains("orders after a person approved"), "never:after_purchase"),
    // Erasure is no gate that could be left open: the address and the message are gone from every row.
    ("holdout", Off::Holds(&["holdout"]), |case| because(case, "holdout"), "never:holdout"),
    ("kill switch", Off::Holds(&["killed"]), |case| because(case, "killed"), "never:killed"),
    ("cap", Off::Holds(&["capped"]), |case| because(case, "capped"), "never:over_cap"),
    ("quiet hours", Off::Holds(&["quiet_hours"]), |case| because(case, "quiet_hours"), "never:quiet_hours"),
    ("window", Off::Holds(&["window_closed"]), |case| because(case, "window_closed"), "outcome"),
    (
        "changed facts",
        Off::Holds(&["facts_changed"]),
        |case| case.name.contains("after a person approved"),
        "never:wrong_price",
    ),
    (
        "changed stock",
        Off::Holds(&["facts_changed"]),
        |case| case.name.contains("sell out after"),
        "never:out_of_stock",
    ),
    (
        "changed rules",
        Off::Holds(&["rules_changed"]),
        |case| case.name.contains("rules change"),
        "never:forbidden_words",
    ),
    ("approval", Off::Approval, |case| case.then.outcome == Ending::Waiting, "never:no_approval"),
    ("brand rules", Off::BrandRules, |case| case.name.contains("brand's rules"), "never:forbidden_words"),
    ("offer limits", Off::OfferLimits, |case| case.name.contains("VIP pays full price"), "never:discount"),
];

fn because(case: &Case, code: &str) -> bool {
    case.then.reason.as_deref() == Some(code)
}

/// One test for all: they share the machine's two cores anyway.
#[test]
fn without_any_one_gate_a_case_fails() {
    let mut blind = Vec::new();
    for (gate, off, cases, seen) in GATES {
        let failing = failing(&play_wired(off, suites(cases)));
        if !failing.iter().any(|case| case.contains(seen)) {
            blind.push(format!("{gate}: {seen} is not among {failing:?}"));
        }
    }
    assert_eq!(blind, Vec::<String>::new());
}

/// A brief's gate: how it is switched off, the case it is for, and what must be seen without it.
const BRIEF_GATES: [(BriefOff, &str, &str); 4] = [
    (BriefOff::Quotes, "A yes that was not asked for takes nothing back", "brief.standing"),
    (BriefOff::Standing, "What was ruled stands against a later wish", "brief.channels"),
    (BriefOff::QuestionLimit, "VIPs get no message at all when the answer says so", "brief.asked"),
    (BriefOff::Terms, "A price that rose after the approval is shown to nobody", "outcome"),
];

#[test]
fn without_any_one_gate_of_a_brief_a_case_fails() {
    // A model that keeps asking shows the question limit, and breaks no other case here.
    let model = || props(|offline| Arc::new(AsksAgain(offline)));
    for (off, case, seen) in BRIEF_GATES {
        let only = || suites(|known| known.name == case);
        assert_eq!(failing(&play(model(), only())), Vec::<String>::new(), "{case}");
        let failing = failing(&play(model().wired(Arc::new(off)), only()));
        assert!(failing.iter().any(|case| case.contains(seen)), "{seen} is not among {failing:?}");
    }
}

#[test]
fn mail_to_somebody_else_and_mail_sent_twice_are_seen() {
    for (off, case, seen) in [
        (Off::Audience, "The flow is new and under review", "never:wrong_recipient"),
        (Off::Twice, "In the morning the evening's message leaves", "never:duplicate"),
    ] {
        let failing = failing(&play_wired(off, suites(|known| known.name == case)));
        assert!(failing.iter().any(|case| case.contains(seen)), "{seen} is not among {failing:?}");
    }
}

#[test]
fn with_every_gate_the_suites_pass() {
    let results = play(props(|offline| offline), suites(|_| true));
    assert_eq!(failing(&results), Vec::<String>::new());
    assert!(results.cases.len() >= 60, "{}", results.cases.len());
    let sent = results.cases.iter().filter(|case| case.trials[0].ending == Ending::Sent).count();
    // A suite that mostly forbids is passed by a model that does nothing.
    assert!(2 * sent > results.cases.len(), "{sent} of {}", results.cases.len());
}
