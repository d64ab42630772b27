//! Answers of a model that cannot be used as they are.

use kit::tool::Disposition;
use mailwright_agent::{FinishReason, HumanReason, Outcome, Step, ToolAnswer};

use crate::support::{Run, drafted, no_send, parked, plan_with, raw, reply};

const ONE_CALL: &str =
    "Answer with exactly one tool call; on offer: decide_no_send, get_products, lookup_profile, search_catalog.";

fn gives_up(code: &str, text: &str) -> Step {
    Step::SwitchModel { why: HumanReason { code: code.to_owned(), text: text.to_owned() } }
}

#[test]
fn words_without_a_call_are_asked_again_and_bounded() {
    let mut run = Run::new();
    run.text("  I would write a nice mail.  ");
    assert_eq!(
        run.last_said(2),
        [
            "assistant: I would write a nice mail.[]".to_owned(),
            format!("user: Your answer held no tool call, so nothing happened. {ONE_CALL}")
        ]
    );
    run.text("As I said.");
    run.text("As I said.");
    assert_eq!(run.next(), Step::CallModel);
    run.text("As I said.");
    assert_eq!(run.next(), gives_up("reasks", "4 answers in a row could not be used"));
    run.no_more_models();
    assert_eq!(run.next(), parked("reasks", "4 answers in a row could not be used"));
}

#[test]
fn an_empty_answer_leaves_no_empty_message_behind() {
    let mut run = Run::new();
    run.text(" \n ");
    assert_eq!(
        run.said(),
        [
            "system: You write for a shop.".to_owned(),
            format!("user: A cart was left behind.\n\nYour answer held no tool call, so nothing happened. {ONE_CALL}")
        ]
    );
}

#[test]
fn nothing_of_a_cut_off_answer_is_run() {
    let mut run = Run::new();
    let calls = vec![raw("a", "lookup_profile", "{}"), raw("b", "search_catalog", r#"{"query":"te"#)];
    run.model(reply(Some("Let me"), calls, FinishReason::Length));
    assert_eq!(
        run.last_said(2),
        [
            "assistant: Let me[]".to_owned(),
            format!(
                "user: Your answer was cut off at the length limit and nothing of it was run. Answer shorter. {ONE_CALL}"
            )
        ]
    );
}

#[test]
fn endless_words_are_cut() {
    let mut run = Run::new();
    run.model(reply(Some(&"ö".repeat(50_000)), Vec::new(), FinishReason::Length));
    assert_eq!(run.last_said(2)[0].chars().count(), "assistant: []".len() + 2_000);
}

#[test]
fn a_refusal_is_asked_again_once_and_not_repeated_to_the_model() {
    let mut run = Run::new();
    run.model(reply(Some("I cannot help with that."), vec![raw("a", "lookup_profile", "{}")], FinishReason::Refused));
    assert_eq!(
        run.said()[1..],
        [format!(
            "user: A cart was left behind.\n\nYou declined to answer. If no message should be sent, say so with a tool call. {ONE_CALL}"
        )]
    );
    run.model(reply(None, Vec::new(), FinishReason::Refused));
    assert_eq!(run.next(), gives_up("refused", "the model declined to answer, also when asked again"));
    run.no_more_models();
    assert_eq!(run.next(), parked("refused", "the model declined to answer, also when asked again"));
}

#[test]
fn a_refusal_long_ago_is_forgiven() {
    let mut run = Run::new();
    for turn in 0..3 {
        run.model(reply(None, Vec::new(), FinishReason::Refused));
        assert_eq!(run.next(), Step::CallModel);
        run.call("search_catalog", &format!("[{turn}]"));
        run.answer_all();
    }
}

#[test]
fn broken_arguments_go_to_the_tool_layer_and_its_errors_count_as_reasks() {
    let mut run = Run::of(plan_with(|limits| limits.reasks = 1));
    run.calls(&[("a", "search_catalog", r#"{"query": "#)]);
    assert_eq!(run.running()[0].arguments, r#"{"query": "#);
    run.fail_all();
    assert_eq!(run.last_said(1), ["tool a=search_catalog: wrong arguments"]);
    run.calls(&[("b", "search_catalog", r#"{"q":1}"#), ("c", "get_products", "[]")]);
    run.fail_all();
    assert_eq!(run.next(), gives_up("reasks", "2 answers in a row could not be used"));
}

#[test]
fn one_good_answer_among_errors_makes_the_turn_useful() {
    let mut run = Run::of(plan_with(|limits| limits.reasks = 1));
    for turn in 0..6 {
        run.text("Hm.");
        let query = format!(r#"{{"query":"{turn}"}}"#);
        run.calls(&[("a", "search_catalog", &query), ("b", "teleport", "{}")]);
        run.answer_all();
        assert_eq!(run.next(), Step::CallModel);
    }
}

#[test]
fn a_good_answer_counts_wherever_it_stands_in_its_batch() {
    let mut run = Run::of(plan_with(|limits| limits.reasks = 0));
    for swapped in [false, true] {
        let query = format!("[{swapped}]");
        run.calls(&[("a", "search_catalog", &query), ("b", "get_products", &query)]);
        let calls = run.running();
        let mut answers = vec![ToolAnswer::ok(&calls[0], "{}"), ToolAnswer::error(&calls[1], "wrong")];
        if swapped {
            answers = vec![ToolAnswer::error(&calls[0], "wrong"), ToolAnswer::ok(&calls[1], "{}")];
        }
        run.answers(answers);
        assert_eq!(run.next(), Step::CallModel);
    }
}

#[test]
fn an_unknown_tool_is_answered_and_not_run() {
    let mut run = Run::new();
    run.calls(&[("a", "functions.send email!", "{}")]);
    assert_eq!(
        run.last_said(2),
        [
            "assistant: [a=functions_send_email_({})]",
            "tool a=functions_send_email_: not run: there is no tool `functions_send_email_`; on offer now: decide_no_send, get_products, lookup_profile, search_catalog"
        ]
    );
    run.calls(&[("b", "", "{}"), ("c", &"x".repeat(900), "{}")]);
    assert!(run.last_said(3)[0].starts_with("assistant: [b=unnamed({}) c=xxx"));
    assert_eq!(run.machine.spent().tool_calls, 0);
}

#[test]
fn a_tool_of_another_phase_is_answered_and_not_run() {
    let mut run = Run::new();
    run.calls(&[("a", "queue_send", "{}")]);
    assert_eq!(
        run.last_said(1),
        [
            "tool a=queue_send: not run: `queue_send` is not on offer at this point of the run; on offer now: decide_no_send, get_products, lookup_profile, search_catalog"
        ]
    );
    assert_eq!(run.next(), Step::CallModel);
}

#[test]
fn a_tool_that_was_not_on_offer_when_the_model_answered_is_not_run_later_either() {
    let mut run = Run::new();
    run.calls(&[("a", "lookup_profile", "{}"), ("b", "propose_message", "{}")]);
    assert_eq!(run.running_names(), ["lookup_profile"]);
    run.answer_all();
    assert_eq!(
        run.last_said(1),
        [
            "tool b=propose_message: not run: `propose_message` is not on offer at this point of the run; on offer now: decide_no_send, get_products, propose_message, quote_offer, search_catalog"
        ]
    );
}

#[test]
fn ids_are_made_unique_so_that_every_call_is_answered_once() {
    let mut run = Run::new();
    let too_long = "i".repeat(161);
    run.calls(&[
        ("same", "search_catalog", r#"{"query":"1"}"#),
        ("same", "search_catalog", r#"{"query":"2"}"#),
        ("", "search_catalog", r#"{"query":"3"}"#),
        ("call_1_5", "search_catalog", r#"{"query":"4"}"#),
        (" \u{7}", "search_catalog", r#"{"query":"5"}"#),
        (&too_long, "search_catalog", r#"{"query":"6"}"#),
    ]);
    let ids: Vec<_> = run.running().into_iter().map(|call| call.id.to_string()).collect();
    assert_eq!(ids, ["same", "call_1_2", "call_1_3", "call_1_5", "call_1_5_2", "call_1_6"]);
    run.answer_all();
    run.calls(&[("same", "get_products", "{}")]);
    assert_eq!(run.running()[0].id.as_str(), "call_2_1");
}

#[test]
fn huge_arguments_are_neither_run_nor_kept() {
    let mut run = Run::new();
    let huge = format!(r#"{{"query":"{}"}}"#, "x".repeat(64 * 1024));
    run.calls(&[("a", "search_catalog", &huge)]);
    assert_eq!(
        run.last_said(2),
        [
            "assistant: [a=search_catalog({})]",
            "tool a=search_catalog: not run: the arguments are longer than 65536 bytes; answer shorter"
        ]
    );
}

#[test]
fn of_many_calls_the_first_eight_are_run() {
    let mut run = Run::new();
    let arguments: Vec<_> = (0..10).map(|n| format!(r#"{{"query":"{n}"}}"#)).collect();
    let ids: Vec<_> = (0..10).map(|n| format!("q{n}")).collect();
    let calls: Vec<_> = (0..10).map(|n| (ids[n].as_str(), "search_catalog", arguments[n].as_str())).collect();
    run.calls(&calls);
    assert_eq!(run.running().len(), 8);
    run.answer_all();
    let refused = "not run: too many calls in one answer, the first 8 count; ask again if you still need it";
    assert_eq!(
        run.last_said(2),
        [format!("tool q8=search_catalog: {refused}"), format!("tool q9=search_catalog: {refused}")]
    );
    assert_eq!(run.machine.spent().tool_calls, 8);
}

#[test]
fn of_a_flood_of_calls_none_is_run() {
    let mut run = Run::new();
    let calls = (0..33).map(|n| raw(&format!("q{n}"), "search_catalog", "{}")).collect();
    run.model(reply(None, calls, FinishReason::ToolCalls));
    assert_eq!(
        run.last_said(1),
        [format!("user: A cart was left behind.\n\nYour answer held 33 tool calls and none was run. {ONE_CALL}")]
    );
}

#[test]
fn the_same_read_is_run_twice_then_refused_then_a_loop() {
    let mut run = Run::new();
    for (turn, arguments) in [r#"{"a":1,"b":[2]}"#, r#"{ "b": [2], "a": 1 }"#].into_iter().enumerate() {
        run.calls(&[(&format!("r{turn}"), "search_catalog", arguments)]);
        run.answer_all();
    }
    for turn in 3..6 {
        run.calls(&[(&format!("r{turn}"), "search_catalog", r#"{"a":1,"b":[2]}"#)]);
        assert_eq!(run.next(), Step::CallModel);
        let refused =
            format!("tool r{turn}=search_catalog: not run: you have asked this already; the answer stands above");
        assert_eq!(run.last_said(1), [refused]);
    }
    run.calls(&[("last", "search_catalog", r#"{"b":[2],"a":1}"#), ("after", "get_products", "{}")]);
    assert_eq!(run.next(), parked("loop", "the model keeps calling search_catalog with the same arguments"));
    assert_eq!(run.machine.spent().tool_calls, 2);
}

#[test]
fn the_same_call_within_one_answer_counts_as_well() {
    let mut run = Run::new();
    run.calls(&[("a", "get_products", "{}"), ("b", "get_products", "{}"), ("c", "get_products", "{}")]);
    assert_eq!(run.running().len(), 2);
    run.answer_all();
    assert_eq!(
        run.last_said(1),
        ["tool c=get_products: not run: you have asked this already; the answer stands above"]
    );
}

#[test]
fn of_two_contradicting_calls_the_cautious_one_counts() {
    for calls in [
        [("a", "decide_no_send", "{}"), ("b", "queue_send", "{}"), ("c", "propose_message", "{}")],
        [("b", "queue_send", "{}"), ("c", "propose_message", "{}"), ("a", "decide_no_send", "{}")],
    ] {
        let mut run = Run::delivering();
        run.calls(&calls);
        assert_eq!(run.running_names(), ["decide_no_send"]);
        run.answer_with("a", "{}", Some(Disposition::NoSend(no_send("unsure"))));
        assert_eq!(run.next(), Step::Done(Outcome::NoSend(no_send("unsure"))));
        let not_run = run.last_said(3).iter().filter(|line| line.contains(": not run: ")).count();
        assert_eq!(not_run, 2);
    }
}

#[test]
fn a_contradicted_call_is_told_why() {
    let mut run = Run::delivering();
    run.calls(&[("a", "queue_send", "{}"), ("b", "decide_no_send", "{}")]);
    run.fail_all();
    assert_eq!(
        run.last_said(2),
        [
            "tool a=queue_send: not run: the same answer decides to send nothing; of two contradicting calls the cautious one counts",
            "tool b=decide_no_send: wrong arguments"
        ]
    );
}

#[test]
fn a_decision_to_send_nothing_that_fails_still_lets_nothing_else_run() {
    let mut run = Run::delivering();
    run.calls(&[("a", "queue_send", "{}"), ("b", "decide_no_send", "no json"), ("c", "queue_send", "{}")]);
    assert_eq!(run.running_names(), ["decide_no_send"]);
    run.fail_all();
    assert_eq!(run.next(), Step::CallModel);
    assert_eq!(run.machine.spent().tool_calls, 3, "profile, proposal, decision");
}

#[test]
fn a_decision_beside_reads_is_no_contradiction() {
    let mut run = Run::new();
    run.calls(&[("a", "search_catalog", "{}"), ("b", "decide_no_send", "{}")]);
    assert_eq!(run.running_names(), ["search_catalog"]);
    run.answer_all();
    assert_eq!(run.running_names(), ["decide_no_send"]);
}

#[test]
fn a_decision_far_behind_in_a_long_answer_wins_too() {
    let mut run = Run::composing();
    let mut calls: Vec<_> = (0..20).map(|n| raw(&format!("p{n}"), "propose_message", &format!("[{n}]"))).collect();
    calls.push(raw("no", "decide_no_send", "{}"));
    run.model(reply(None, calls, FinishReason::ToolCalls));
    assert_eq!(run.running_names(), ["decide_no_send"]);
}

#[test]
fn words_beside_calls_are_kept() {
    let mut run = Run::composing();
    run.model(reply(Some("A reminder fits."), vec![raw("p", "propose_message", "{}")], FinishReason::Other));
    run.answer_with("p", "{}", Some(drafted("x", &[])));
    assert_eq!(run.last_said(2)[0], "assistant: A reminder fits.[p=propose_message({})]");
}
