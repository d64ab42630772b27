//! Each bound of a run ends in an outcome, and the model is told when one is near.

use kit::tool::Phase;
use mailwright_agent::{FinishReason, Limits, Outcome, Step};

use crate::support::{Run, at, parked, plan, plan_with, raw, reply};

/// Reads on and on, each time something else.
fn reads_until_done(limits: Limits) -> Run {
    let mut plan = plan();
    plan.limits = limits;
    let mut run = Run::of(plan);
    let mut turn = 0;
    while run.next() == Step::CallModel {
        turn += 1;
        run.call("search_catalog", &format!("[{turn}]"));
        run.answer_all();
    }
    run
}

#[test]
fn every_bound_parks_the_run_under_its_name() {
    let roomy = Limits::default();
    let cases = [
        (Limits { turns: 3, ..roomy }, "turns", "the run has used 3 of 3 model calls"),
        (Limits { tool_calls: 4, ..roomy }, "tool_calls", "the run has used 4 of 4 tool calls"),
        (Limits { tokens: 4_500, ..roomy }, "tokens", "the run has used 5000 of 4500 tokens"),
        (Limits { cost_micros: 120, ..roomy }, "cost", "the run has used 150 of 120 millionths of a dollar"),
        (Limits { seconds: 7, ..roomy }, "seconds", "the run has used 8000 of 7000 milliseconds of working time"),
    ];
    for (limits, code, text) in cases {
        assert_eq!(reads_until_done(limits).next(), parked(code, text));
    }
}

#[test]
fn the_model_is_told_once_before_a_bound_is_reached() {
    let roomy = Limits::default();
    let cases = [
        (Limits { turns: 3, ..roomy }, "This is your last turn."),
        (Limits { tool_calls: 4, ..roomy }, "the tool calls of this run are nearly used up."),
        (Limits { tokens: 4_500, ..roomy }, "the tokens of this run are nearly used up."),
        (Limits { cost_micros: 120, ..roomy }, "the money for this run is nearly used up."),
        (Limits { seconds: 7, ..roomy }, "the time for this run is nearly used up."),
    ];
    for (limits, note) in cases {
        let said = reads_until_done(limits).said();
        let notes: Vec<_> = said.iter().enumerate().filter(|(_, line)| line.contains("last turn")).collect();
        let [(index, line)] = notes[..] else { panic!("one note, not {notes:?}") };
        assert!(line.contains(note), "{line}");
        assert_eq!(index, said.len() - 3, "the note stands before the last answer");
    }
}

#[test]
fn a_bound_that_stays_near_is_not_told_again() {
    let mut run = Run::of(plan_with(|limits| limits.tokens = 1_900));
    run.call("search_catalog", "[1]");
    run.answer_all();
    assert!(run.last_said(1)[0].contains("nearly used up"));
    let mut small = reply(None, vec![raw("a", "search_catalog", "[2]")], FinishReason::ToolCalls);
    small.usage.input_tokens = 700;
    run.model(small);
    run.answer_all();
    assert_eq!(run.next(), Step::CallModel);
    assert_eq!(run.last_said(1), ["tool a=search_catalog: {}"]);
}

#[test]
fn another_model_is_told_as_well() {
    let mut run = Run::of(plan_with(|limits| limits.turns = 2));
    run.gather();
    run.model_fails(true);
    run.switch("offline");
    assert!(run.last_said(1)[0].starts_with("user: This is your last turn."));
}

#[test]
fn the_note_names_what_brings_the_run_forward() {
    let mut run = Run::of(plan_with(|limits| limits.turns = 2));
    run.gather();
    assert_eq!(
        run.last_said(1),
        [
            "user: This is your last turn. Gather no more; bring the run forward or end it now with one of: decide_no_send, propose_message, quote_offer."
        ]
    );
}

#[test]
fn a_run_without_room_for_a_turn_is_parked_at_once() {
    let run = Run::of(plan_with(|limits| limits.turns = 0));
    assert_eq!(run.next(), parked("turns", "the run has used 0 of 0 model calls"));
}

#[test]
fn a_free_model_runs_without_money() {
    let mut run = Run::of(plan_with(|limits| limits.cost_micros = 0));
    let mut free = reply(None, vec![raw("a", "lookup_profile", "{}")], FinishReason::Stop);
    free.usage.cost_micros = 0;
    run.model(free);
    run.answer_all();
    assert_eq!(run.next(), Step::CallModel);
    assert_eq!(run.said().len(), 4, "and is not warned either");
    run.text("this one costs");
    assert_eq!(run.next(), parked("cost", "the run has used 50 of 0 millionths of a dollar"));
}

#[test]
fn waiting_for_people_is_no_working_time() {
    let mut run = Run::awaiting();
    let worked = run.machine.spent().millis;
    run.later(90_000);
    run.reject("a1", "too loud", true);
    assert_eq!(run.machine.spent().millis, worked);
    assert_eq!(run.machine.phase(), Phase::Compose);
    run.later(600);
    run.text("hm");
    assert!(matches!(run.machine.outcome(), Some(Outcome::Parked(why)) if why.code == "seconds"));
}

#[test]
fn a_process_that_was_gone_did_not_work() {
    let mut run = Run::of(plan_with(|limits| limits.seconds = 600));
    run.gather();
    let worked = run.machine.spent().millis;
    run.later(3_600);
    run.machine.resumed(run.now);
    assert_eq!(run.machine.spent().millis, worked);
    run.text("hm");
    assert_eq!(run.machine.spent().millis, worked + 1_000);
    assert_eq!(run.next(), Step::CallModel);
}

#[test]
fn a_clock_that_steps_back_takes_no_time_and_gives_none() {
    let mut run = Run::new();
    run.later(10);
    run.text("hm");
    assert_eq!(run.machine.spent().millis, 11_000);
    run.now = at(-5_000);
    run.text("hm");
    run.now = at(12);
    run.text("hm");
    assert_eq!(run.machine.spent().millis, 13_000);
}

#[test]
fn absurd_usage_does_not_overflow() {
    let mut run = Run::new();
    let mut absurd = reply(Some("hm"), Vec::new(), FinishReason::Stop);
    absurd.usage.input_tokens = u64::MAX;
    absurd.usage.output_tokens = u64::MAX;
    absurd.usage.cost_micros = u64::MAX;
    run.model(absurd);
    assert!(matches!(run.machine.outcome(), Some(Outcome::Parked(why)) if why.code == "tokens"));
}

#[test]
fn a_bound_goes_before_another_model() {
    let mut run = Run::of(plan_with(|limits| {
        limits.turns = 2;
        limits.reasks = 1;
    }));
    run.text("hm");
    run.text("hm");
    assert_eq!(run.next(), parked("turns", "the run has used 2 of 2 model calls"));
}
