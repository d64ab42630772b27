//! A run as it should go, and the phases on its way.

use kit::tool::{Disposition, Phase};
use mailwright_agent::{ApprovalDecision, Outcome, Spent, Step, ToolAnswer, ToolChoice};

use crate::support::{Run, approval_id, at, draft, fact, no_send, sent};

#[test]
fn a_message_that_policy_clears_is_queued_by_the_model() {
    let mut run = Run::new();
    assert_eq!(run.offered(), ["decide_no_send", "get_products", "lookup_profile", "search_catalog"]);
    assert_eq!(run.machine.request().unwrap().tool_choice, ToolChoice::Required);
    run.gather();
    assert_eq!(run.machine.phase(), Phase::Compose);
    assert_eq!(run.offered(), ["decide_no_send", "get_products", "propose_message", "quote_offer", "search_catalog"]);
    run.propose("cart_reminder", &[]);
    assert_eq!(run.machine.phase(), Phase::Deliver);
    assert_eq!(run.machine.draft().unwrap().as_ref(), &draft("cart_reminder"));
    assert_eq!(run.offered(), ["decide_no_send", "propose_message", "queue_send"]);
    let id = run.call("queue_send", "{}");
    run.answer_with(&id, r#"{"state":"sent"}"#, Some(Disposition::Queued { state: sent() }));
    assert_eq!(run.next(), Step::Done(Outcome::Delivered { state: sent() }));
    assert_eq!(run.machine.spent(), Spent { turns: 3, tool_calls: 3, tokens: 3_000, cost_micros: 150, millis: 6_000 });
    assert_eq!(
        run.said(),
        [
            "system: You write for a shop.",
            "user: A cart was left behind.",
            "assistant: [lookup=lookup_profile({})]",
            r#"tool lookup=lookup_profile: {"first_name":true}"#,
            r#"assistant: [c2=propose_message({"angle":"cart_reminder"})]"#,
            r#"tool c2=propose_message: {"passed":true}"#,
            "assistant: [c3=queue_send({})]",
            r#"tool c3=queue_send: {"state":"sent"}"#,
        ]
    );
}

#[test]
fn a_message_that_needs_a_person_waits_and_is_handed_over_without_a_model() {
    let mut run = Run::composing();
    run.propose("win_back", &["vip: spends a lot"]);
    assert_eq!(run.machine.phase(), Phase::Clear);
    assert_eq!(run.machine.needs_approval(), ["vip: spends a lot"]);
    assert_eq!(run.offered(), ["decide_no_send", "propose_message", "request_approval"]);
    run.request_approval("a1");
    assert_eq!(run.next(), Step::AwaitApproval { approval: approval_id("a1"), until: at(100_000) });
    run.decide("a1", ApprovalDecision::Approved);
    assert_eq!(run.machine.phase(), Phase::Deliver);
    assert_eq!(run.next(), Step::Deliver { approval: Some(approval_id("a1")) });
    run.delivery(Ok(sent()));
    assert_eq!(run.machine.outcome(), Some(&Outcome::Delivered { state: sent() }));
}

#[test]
fn doing_nothing_ends_a_run_at_once() {
    let mut run = Run::new();
    let id = run.call("decide_no_send", r#"{"reason":"just bought"}"#);
    run.answer_with(&id, "{}", Some(Disposition::NoSend(no_send("just_bought"))));
    assert_eq!(run.next(), Step::Done(Outcome::NoSend(no_send("just_bought"))));
}

#[test]
fn facts_of_all_calls_are_kept_and_named_by_their_ordinals() {
    let mut run = Run::new();
    run.calls(&[("a", "search_catalog", "{}"), ("b", "get_products", "{}")]);
    let Step::RunTools { calls } = run.next() else { panic!("tools run") };
    let answers = calls
        .iter()
        .map(|(ordinal, call)| ToolAnswer { facts: vec![fact(*ordinal, "p1")], ..ToolAnswer::ok(call, "[]") })
        .collect();
    run.answers(answers);
    let ids: Vec<_> = run.machine.facts().iter().map(|fact| fact.id.to_string()).collect();
    assert_eq!(ids, ["f101", "f201"]);
}

#[test]
fn only_a_good_answer_of_the_right_tool_ends_gathering() {
    let mut run = Run::new();
    run.calls(&[("a", "search_catalog", "{}")]);
    run.answer_all();
    assert_eq!(run.machine.phase(), Phase::Gather);
    run.calls(&[("b", "lookup_profile", "{}")]);
    run.fail_all();
    assert_eq!(run.machine.phase(), Phase::Gather);
    run.calls(&[("c", "lookup_profile", "{}")]);
    run.answer_all();
    assert_eq!(run.machine.phase(), Phase::Compose);
}

#[test]
fn a_new_draft_takes_the_place_of_the_former_one() {
    let mut run = Run::delivering();
    run.propose("second", &["vip: spends a lot"]);
    assert_eq!(run.machine.phase(), Phase::Clear);
    assert_eq!(run.machine.draft().unwrap().as_ref(), &draft("second"));
    run.propose("third", &[]);
    assert_eq!(run.machine.phase(), Phase::Deliver);
    assert!(run.machine.needs_approval().is_empty());
}
