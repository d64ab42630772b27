//! Another model takes over.

use kit::tool::Phase;
use mailwright_agent::{HumanReason, Step, ToolAnswer};

use crate::support::{Run, call_id, draft, drafted, fact, parked};

fn failed() -> Step {
    Step::SwitchModel { why: HumanReason { code: "model_failed".to_owned(), text: "503 for two minutes".to_owned() } }
}

#[test]
fn a_model_that_is_out_of_order_is_replaced_twice() {
    let mut run = Run::new();
    for profile in ["second", "offline"] {
        run.model_fails(true);
        assert_eq!(run.next(), failed());
        run.switch(profile);
        assert_eq!(run.next(), Step::CallModel);
        assert_eq!(run.machine.profile(), Some(profile));
    }
    run.model_fails(true);
    assert_eq!(run.next(), parked("model_failed", "503 for two minutes"));
}

#[test]
fn a_wrong_request_is_not_sent_to_another_model() {
    let mut run = Run::new();
    run.model_fails(false);
    assert_eq!(run.next(), parked("model_failed", "503 for two minutes"));
}

#[test]
fn without_another_model_a_person_takes_over() {
    let mut run = Run::new();
    run.model_fails(true);
    run.no_more_models();
    assert_eq!(run.next(), parked("model_failed", "503 for two minutes"));
    assert_eq!(run.machine.profile(), None);
}

#[test]
fn the_next_model_keeps_what_was_learned_and_nothing_else() {
    let mut run = Run::new();
    run.text("Let me think.");
    run.calls(&[
        ("a", "lookup_profile", "{}"),
        ("b", "teleport", "{}"),
        ("c", "search_catalog", "[1]"),
        ("d", "get_products", "[]"),
    ]);
    run.answer_all();
    let [search, products] = <[_; 2]>::try_from(run.running()).unwrap();
    run.answers(vec![
        ToolAnswer { facts: vec![fact(2, "p1")], ..ToolAnswer::ok(&search, r#"["f201"]"#) },
        ToolAnswer::error(&products, "name at least one product"),
    ]);
    run.calls(&[("e", "get_products", "[]")]);
    run.fail_all();
    run.propose("first", &["vip"]);
    let facts = run.machine.facts().clone();
    run.model_fails(true);
    run.switch("offline");
    assert_eq!(
        run.said(),
        [
            "system: You write for a shop.",
            "user: A cart was left behind.",
            "assistant: [a=lookup_profile({}) c=search_catalog([1])]",
            "tool a=lookup_profile: {}",
            r#"tool c=search_catalog: ["f201"]"#,
        ]
    );
    assert_eq!(run.machine.facts(), &facts);
    assert_eq!((run.machine.phase(), run.machine.draft()), (Phase::Compose, None));
    run.calls(&[("a", "search_catalog", "[1]")]);
    assert_eq!(run.running()[0].id, call_id("call_5_1"), "ids stay unique within the run");
}

/// A model that only fumbles the hand-over must not cost the message it wrote.
#[test]
fn the_next_model_hands_over_the_draft_that_was_accepted() {
    let mut run = Run::new();
    run.calls(&[("a", "lookup_profile", "{}")]);
    run.answer_all();
    let name = draft("first").report.content.short();
    run.calls(&[("p", "propose_message", "{}")]);
    run.answer_with("p", &format!(r#"{{"draft":"{name}"}}"#), Some(drafted("first", &["vip"])));
    for _ in 0..4 {
        run.text("I have asked for approval.");
    }
    run.switch("offline");
    assert_eq!(run.machine.draft().map(|d| d.as_ref()), Some(&draft("first")));
    assert_eq!((run.machine.phase(), run.machine.needs_approval().to_vec()), (Phase::Clear, vec!["vip".to_owned()]));
    let said = run.said();
    assert_eq!(
        said[2..],
        [
            "assistant: [a=lookup_profile({})]".to_owned(),
            "tool a=lookup_profile: {}".to_owned(),
            "assistant: [p=propose_message({})]".to_owned(),
            format!(r#"tool p=propose_message: {{"draft":"{name}"}}"#),
        ]
    );
    run.request_approval("a1");
    assert!(matches!(run.next(), Step::AwaitApproval { .. }), "{:?}", run.next());
}

#[test]
fn without_a_profile_the_next_model_gathers_from_the_start() {
    let mut run = Run::new();
    run.calls(&[("a", "search_catalog", "{}")]);
    run.answer_all();
    run.model_fails(true);
    run.switch("offline");
    assert_eq!(run.machine.phase(), Phase::Gather);
    assert_eq!(run.said().len(), 4);
}

#[test]
fn the_next_model_is_not_blamed_for_the_former_one() {
    let mut run = Run::new();
    for profile in ["second", "offline"] {
        for _ in 0..4 {
            run.text("hm");
        }
        run.switch(profile);
    }
    for _ in 0..3 {
        run.text("hm");
    }
    assert_eq!(run.next(), Step::CallModel);
    run.text("hm");
    assert_eq!(run.next(), parked("reasks", "4 answers in a row could not be used"));
}
