//! Hand-overs, holds and releases.

use kit::message::Hold;
use kit::tool::{Disposition, Phase};
use mailwright_agent::{ApprovalDecision, Outcome, Step};

use crate::support::{Run, approval_id, at, parked, sent};

fn approved() -> Run {
    let mut run = Run::awaiting();
    run.decide("a1", ApprovalDecision::Approved);
    run
}

/// A run in which `queue_send` reported this hold.
fn queued(hold: Hold) -> Run {
    let mut run = Run::delivering();
    let id = run.call("queue_send", "{}");
    run.answer_with(&id, "{}", Some(Disposition::Held { hold }));
    run
}

fn quiet() -> Hold {
    Hold::Quiet { until: at(40_000) }
}

fn changed() -> Hold {
    Hold::FactsChanged { what: vec!["f101.price is €89.00 now".to_owned()] }
}

#[test]
fn a_hold_for_good_ends_the_run_whoever_handed_over() {
    let mut run = approved();
    run.delivery(Err(Hold::Withdrawn));
    assert_eq!(run.next(), Step::Done(Outcome::Held { hold: Hold::Withdrawn }));
    assert_eq!(queued(Hold::Holdout).next(), Step::Done(Outcome::Held { hold: Hold::Holdout }));
}

#[test]
fn a_hold_that_passes_is_waited_for_and_tried_again_without_a_model() {
    let mut run = approved();
    run.delivery(Err(quiet()));
    assert_eq!(run.next(), Step::AwaitRelease { at: Some(at(40_000)), hold: quiet() });
    run.released();
    assert_eq!(run.next(), Step::Deliver { approval: Some(approval_id("a1")) });
    run.delivery(Err(Hold::TicketOpen { count: 1 }));
    assert_eq!(run.next(), Step::AwaitRelease { at: None, hold: Hold::TicketOpen { count: 1 } });
    run.released();
    run.delivery(Ok(sent()));
    assert_eq!(run.next(), Step::Done(Outcome::Delivered { state: sent() }));
}

#[test]
fn a_hold_reported_by_the_tool_follows_the_same_rules() {
    let mut run = queued(quiet());
    assert_eq!(run.next(), Step::AwaitRelease { at: Some(at(40_000)), hold: quiet() });
    run.released();
    assert_eq!(run.next(), Step::Deliver { approval: None });
    run.delivery(Ok(sent()));
    assert_eq!(run.next(), Step::Done(Outcome::Delivered { state: sent() }));
}

#[test]
fn a_message_out_of_date_is_written_anew_once() {
    for hold in [changed(), Hold::RulesChanged, Hold::ApprovalVoid { why: "it is gone".to_owned() }] {
        let mut run = approved();
        run.delivery(Err(hold.clone()));
        assert_eq!(run.next(), Step::CallModel);
        assert_eq!(run.machine.phase(), Phase::Compose);
        assert_eq!(run.machine.draft(), None);
        run.propose("anew", &[]);
        let id = run.call("queue_send", "{}");
        run.answer_with(&id, "{}", Some(Disposition::Held { hold: hold.clone() }));
        assert_eq!(run.next(), Step::Done(Outcome::Held { hold }));
    }
}

#[test]
fn the_writer_is_told_what_changed_and_words_from_outside_are_fenced() {
    let run = queued(changed());
    assert_eq!(
        run.last_said(1),
        [
            "user: The message was held and the draft dropped: ⟦third-party: facts changed: f101.price is €89.00 now⟧. Look up again what it builds on, then propose a message with what is true now, or decide to send nothing; on offer: decide_no_send, get_products, propose_message, quote_offer, search_catalog."
        ]
    );
}

#[test]
fn what_was_looked_up_before_a_change_may_be_looked_up_again() {
    let mut run = Run::composing();
    for turn in 0..2 {
        run.calls(&[(&format!("g{turn}"), "get_products", "{}")]);
        run.answer_all();
    }
    run.propose("first", &[]);
    let id = run.call("queue_send", "{}");
    run.answer_with(&id, "{}", Some(Disposition::Held { hold: changed() }));
    run.calls(&[("again", "get_products", "{}")]);
    assert_eq!(run.running_names(), ["get_products"]);
}

#[test]
fn a_hold_that_never_ends_is_parked() {
    let mut run = approved();
    for _ in 0..24 {
        run.delivery(Err(quiet()));
        run.released();
    }
    run.delivery(Err(quiet()));
    assert_eq!(
        run.next(),
        parked("holds", "the message was held 24 times, at last because quiet hours until 2026-07-01T23:06:40Z")
    );
}

#[test]
fn a_hold_without_a_draft_is_a_fault_of_ours() {
    let mut run = Run::new();
    run.calls(&[("a", "search_catalog", "{}")]);
    run.answer_with("a", "{}", Some(Disposition::Held { hold: quiet() }));
    assert_eq!(run.next(), parked("fatal", "a message was held (quiet_hours) without a draft"));
}
