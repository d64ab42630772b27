//! Inputs that do not answer the current step: named, and without effect.

use kit::message::Hold;
use mailwright_agent::{ApprovalDecision, FinishReason, Input, Mismatch, ModelFault, Outcome, Step, ToolAnswer};

use crate::support::{Run, approval_id, at, call_id, no_send, parked, reply, sent};

fn every_input() -> Vec<Input> {
    vec![
        Input::Model { reply: reply(None, Vec::new(), FinishReason::Stop), at: at(1) },
        Input::ModelFailed { fault: ModelFault { why: "x".to_owned(), transient: true }, at: at(1) },
        Input::Tools { answers: Vec::new(), at: at(1) },
        Input::Approval { approval: approval_id("a1"), decision: ApprovalDecision::Approved, at: at(1) },
        Input::SwitchedModel { profile: "p".to_owned(), at: at(1) },
        Input::NoMoreModels { at: at(1) },
        Input::Delivery { result: Ok(sent()), at: at(1) },
        Input::Released { at: at(1) },
        Input::Fatal { why: "x".to_owned(), at: at(1) },
        Input::Cancelled { reason: no_send("x"), at: at(1) },
    ]
}

/// One run at each step, with what it accepts beside a failure and a cancellation.
fn every_step() -> Vec<(Run, &'static [&'static str])> {
    let asking = Run::new();
    let mut running = Run::new();
    running.calls(&[("a", "lookup_profile", "{}")]);
    let awaiting = Run::awaiting();
    let mut delivering = Run::awaiting();
    delivering.decide("a1", ApprovalDecision::Approved);
    let mut held = Run::awaiting();
    held.decide("a1", ApprovalDecision::Approved);
    held.delivery(Err(Hold::TicketOpen { count: 2 }));
    let mut switching = Run::new();
    switching.model_fails(true);
    vec![
        (asking, &["a model's answer", "a failed model call"]),
        (running, &[]),
        (awaiting, &["a decision"]),
        (delivering, &["the outcome of a hand-over"]),
        (held, &["a release"]),
        (switching, &["another model", "word that no model is left"]),
    ]
}

#[test]
fn only_answers_to_the_current_step_are_taken() {
    for (mut run, accepted) in every_step() {
        let at_rest = run.machine.clone();
        for input in every_input() {
            let what = input.what();
            if accepted.contains(&what) || ["a fatal failure", "a cancellation"].contains(&what) {
                run.apply(input);
                run.machine = at_rest.clone();
                continue;
            }
            let mismatch = run.refuses(input);
            if let Mismatch::Step { expected, got } = mismatch {
                assert_eq!((expected, got), (at_rest.next().waits_for(), what));
            } else {
                assert!(matches!(mismatch, Mismatch::Answers { .. }));
            }
        }
    }
}

#[test]
fn a_run_can_be_called_off_or_fail_at_every_step() {
    for (mut run, _) in every_step() {
        let before = run.machine.clone();
        let at = run.later(1);
        run.apply(Input::Cancelled { reason: no_send("ordered"), at });
        assert_eq!(run.next(), Step::Done(Outcome::NoSend(no_send("ordered"))));
        run.machine = before;
        run.apply(Input::Fatal { why: "the catalogue is gone".to_owned(), at });
        assert_eq!(run.next(), parked("fatal", "the catalogue is gone"));
    }
}

#[test]
fn a_run_that_is_over_takes_nothing() {
    let mut run = Run::new();
    run.apply(Input::Cancelled { reason: no_send("ordered"), at: at(1) });
    for input in every_input() {
        let got = input.what();
        assert_eq!(run.refuses(input), Mismatch::Step { expected: "nothing: the run is over", got });
    }
}

#[test]
fn answers_must_be_one_a_call_in_the_order_of_the_step() {
    let mut run = Run::new();
    run.calls(&[("a", "search_catalog", "{}"), ("b", "get_products", "{}")]);
    let [a, b] = <[_; 2]>::try_from(run.running()).unwrap();
    let ok = |call| ToolAnswer::ok(call, "{}");
    for answers in [vec![ok(&a)], vec![ok(&b), ok(&a)], vec![ok(&a), ok(&b), ok(&b)], vec![ok(&a), ok(&a)]] {
        let got = answers.iter().map(|answer| answer.call.clone()).collect();
        let expected = vec![call_id("a"), call_id("b")];
        assert_eq!(run.refuses(Input::Tools { answers, at: at(9) }), Mismatch::Answers { expected, got });
    }
    run.answer_all();
}

#[test]
fn a_mismatch_says_what_was_expected() {
    let mut run = Run::awaiting();
    assert_eq!(
        run.refuses(Input::Released { at: at(9) }).to_string(),
        "the run waits for a decision; it got a release"
    );
    let late = Input::Approval { approval: approval_id("a0"), decision: ApprovalDecision::Expired, at: at(9) };
    assert_eq!(run.refuses(late).to_string(), "the run waits for a decision about approval a1; it got one about a0");
}
