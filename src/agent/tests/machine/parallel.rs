//! Several calls in one answer: what runs together, what runs alone, and what an earlier answer takes the ground from.

use kit::tool::Disposition;
use mailwright_agent::{Machine, Outcome, Step, ToolAnswer};

use crate::support::{Run, approval_id, asked, at, call_id, draft, drafted, no_send, parked, plan_with};

const OVERTAKEN: &str = "not run: an earlier call of the same answer decided how the run goes on";

#[test]
fn reads_in_a_row_run_together_and_the_rest_alone() {
    let mut run = Run::composing();
    run.calls(&[
        ("a", "search_catalog", "{}"),
        ("b", "get_products", "{}"),
        ("c", "quote_offer", "{}"),
        ("d", "search_catalog", "[1]"),
        ("e", "teleport", "{}"),
        ("f", "get_products", "[1]"),
        ("g", "propose_message", "{}"),
    ]);
    let mut batches = Vec::new();
    while let Step::RunTools { calls } = run.next() {
        batches
            .push(calls.iter().map(|(ordinal, call)| format!("{ordinal}:{}", call.id)).collect::<Vec<_>>().join(" "));
        run.answer_all();
    }
    assert_eq!(batches, ["2:a 3:b", "4:c", "5:d", "6:f", "7:g"]);
    let answered: Vec<_> = run.last_said(7).iter().map(|line| line[..6].to_owned()).collect();
    assert_eq!(answered, ["tool a", "tool b", "tool c", "tool d", "tool e", "tool f", "tool g"]);
}

#[test]
fn a_call_is_not_run_when_an_earlier_one_has_changed_the_phase() {
    let mut run = Run::composing();
    run.calls(&[("a", "propose_message", "{}"), ("b", "quote_offer", "{}"), ("c", "propose_message", "[2]")]);
    run.answer_with("a", "{}", Some(drafted("first", &["vip"])));
    assert_eq!(run.running_names(), ["propose_message"], "a revision is on offer while a draft waits to be cleared");
    run.answer_with("c", "{}", Some(drafted("second", &["vip"])));
    assert_eq!(run.machine.draft().unwrap().as_ref(), &draft("second"));
    assert_eq!(
        run.last_said(2)[0],
        "tool b=quote_offer: not run: `quote_offer` is not on offer at this point of the run; on offer now: decide_no_send, propose_message, request_approval"
    );
}

#[test]
fn nothing_runs_after_a_call_that_decided_how_the_run_goes_on() {
    let mut run = Run::composing();
    run.propose("first", &["vip"]);
    run.calls(&[("a", "request_approval", "{}"), ("b", "propose_message", "[2]"), ("c", "request_approval", "[2]")]);
    run.answer_with("a", "{}", Some(asked("a1")));
    assert_eq!(run.next(), Step::AwaitApproval { approval: approval_id("a1"), until: at(100_000) });
    assert_eq!(
        run.last_said(2),
        [format!("tool b=propose_message: {OVERTAKEN}"), format!("tool c=request_approval: {OVERTAKEN}")]
    );
}

#[test]
fn an_act_does_not_run_on_the_old_draft_when_the_new_one_came_to_nothing() {
    let mut run = Run::delivering();
    run.calls(&[("a", "propose_message", "[2]"), ("b", "queue_send", "{}")]);
    run.answer_with("a", r#"{"findings":["a figure without a fact"]}"#, None);
    assert_eq!(
        run.last_said(1),
        [
            "tool b=queue_send: not run: the call before it changed nothing; read its answer first, then call again if you still mean it"
        ]
    );
    assert_eq!(run.next(), Step::CallModel);
    run.calls(&[("c", "propose_message", "[3]"), ("d", "queue_send", "{}")]);
    run.answer_with("c", "{}", Some(drafted("second", &[])));
    assert_eq!(run.running_names(), ["queue_send"]);
}

#[test]
fn an_act_does_not_run_after_a_change_that_was_not_run() {
    let mut run = Run::delivering();
    let huge = "x".repeat(70_000);
    run.calls(&[("a", "propose_message", &huge), ("b", "queue_send", "{}")]);
    assert_eq!(run.next(), Step::CallModel);
    run.calls(&[("c", "get_products", "{}"), ("d", "queue_send", "{}")]);
    assert_eq!(run.running_names(), ["queue_send"], "a read that is not on offer changes nothing");
}

#[test]
fn the_first_of_several_decisions_in_one_batch_counts() {
    let mut run = Run::new();
    run.calls(&[("a", "search_catalog", "{}"), ("b", "get_products", "{}")]);
    let [first, second] = <[_; 2]>::try_from(run.running()).unwrap();
    run.answers(vec![
        ToolAnswer { disposition: Some(Disposition::NoSend(no_send("first"))), ..ToolAnswer::ok(&first, "{}") },
        ToolAnswer { disposition: Some(drafted("late", &[])), ..ToolAnswer::ok(&second, "{}") },
    ]);
    assert_eq!(run.machine.outcome(), Some(&Outcome::NoSend(no_send("first"))));
    assert_eq!(run.machine.draft(), None);
}

#[test]
fn calls_beyond_the_bound_of_the_run_are_not_run() {
    let mut run = Run::of(plan_with(|limits| limits.tool_calls = 2));
    run.calls(&[("a", "search_catalog", "[1]"), ("b", "search_catalog", "[2]"), ("c", "search_catalog", "[3]")]);
    assert_eq!(run.running().len(), 2);
    run.answer_all();
    assert_eq!(run.last_said(1), ["tool c=search_catalog: not run: the tool calls of this run are used up"]);
    assert_eq!(run.next(), parked("tool_calls", "the run has used 2 of 2 tool calls"));
}

#[test]
fn a_run_taken_up_again_runs_its_unanswered_calls_first() {
    let mut run = Run::composing();
    run.calls(&[("a", "search_catalog", "{}"), ("b", "propose_message", "{}")]);
    let stored = serde_json::to_string(&run.machine).unwrap();
    run.machine = Machine::restore(&stored).unwrap();
    assert_eq!(run.machine.request(), None);
    assert_eq!(run.running()[0].id, call_id("a"));
    run.answer_all();
    assert_eq!(run.running()[0].id, call_id("b"));
}
