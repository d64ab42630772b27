//! Decisions of people about a draft.

use kit::message::Hold;
use kit::tool::{Disposition, NoSend, Phase};
use mailwright_agent::{ApprovalDecision, Input, Mismatch, Outcome, Step};

use crate::support::{Run, approval_id, asked, at, draft, parked};

#[test]
fn a_rejection_with_a_wish_goes_back_to_the_writer_twice() {
    let mut run = Run::awaiting();
    run.reject("a1", "too loud", true);
    assert_eq!(run.machine.phase(), Phase::Compose);
    assert_eq!(run.machine.draft(), None, "what a person rejected cannot be sent");
    assert!(run.machine.needs_approval().is_empty());
    assert_eq!(
        run.last_said(1),
        [
            "user: A marketer rejected the message and asks for another one. The reason, in their words: \"too loud\". Propose a message that meets it, or decide to send nothing; on offer: decide_no_send, get_products, propose_message, quote_offer, search_catalog."
        ]
    );
    for (approval, reason) in [("a2", "still too loud"), ("a3", "give it up")] {
        run.propose(reason, &["vip"]);
        run.request_approval(approval);
        run.reject(approval, reason, true);
    }
    let reason = NoSend { code: "rejected".to_owned(), reason: "give it up".to_owned() };
    assert_eq!(run.next(), Step::Done(Outcome::NoSend(reason)));
}

#[test]
fn a_rejection_without_a_wish_ends_the_run() {
    let mut run = Run::awaiting();
    run.reject("a1", "not this customer", false);
    let reason = NoSend { code: "rejected".to_owned(), reason: "not this customer".to_owned() };
    assert_eq!(run.next(), Step::Done(Outcome::NoSend(reason)));
}

#[test]
fn silence_is_no_consent() {
    let mut run = Run::awaiting();
    run.decide("a1", ApprovalDecision::Expired);
    assert!(matches!(run.machine.outcome(), Some(Outcome::NoSend(why)) if why.code == "approval_expired"));
}

#[test]
fn an_edit_puts_a_new_request_in_the_place_of_the_old_one() {
    let mut run = Run::awaiting();
    let edited = ApprovalDecision::Edited {
        approval: approval_id("a2"),
        expires_at: at(200_000),
        draft: Box::new(draft("edited")),
    };
    run.decide("a1", edited);
    assert_eq!(run.next(), Step::AwaitApproval { approval: approval_id("a2"), until: at(200_000) });
    assert_eq!(run.machine.draft().unwrap().as_ref(), &draft("edited"));
    let late = Input::Approval { approval: approval_id("a1"), decision: ApprovalDecision::Approved, at: run.later(1) };
    assert_eq!(run.refuses(late), Mismatch::Approval { expected: approval_id("a2"), got: approval_id("a1") });
    run.decide("a2", ApprovalDecision::Approved);
    assert_eq!(run.next(), Step::Deliver { approval: Some(approval_id("a2")) });
}

#[test]
fn an_approval_of_nothing_is_a_fault_of_ours() {
    let mut run = Run::new();
    run.calls(&[("a", "search_catalog", "{}")]);
    run.answer_with("a", "{}", Some(asked("a1")));
    assert_eq!(run.next(), parked("fatal", "approval a1 was asked for without a draft"));
}

#[test]
fn an_approval_given_for_one_draft_does_not_clear_the_next() {
    let mut run = Run::awaiting();
    run.decide("a1", ApprovalDecision::Approved);
    run.delivery(Err(Hold::RulesChanged));
    run.propose("second", &["vip"]);
    assert_eq!(run.machine.phase(), Phase::Clear);
    run.calls(&[("q", "search_catalog", "{}"), ("d", "decide_no_send", "{}")]);
    // A hold that passes, reported about a draft nobody approved: the hand-over must not be tried.
    let hold = Hold::Quiet { until: at(9_000) };
    run.answer_with("d", "{}", Some(Disposition::Held { hold }));
    assert_eq!(run.next(), parked("fatal", "a message was held (quiet_hours) that nobody had approved"));
}

#[test]
fn the_same_call_may_be_made_again_after_a_revision() {
    let mut run = Run::awaiting();
    for approval in ["a2", "a3"] {
        let last = format!("a{}", approval[1..].parse::<u32>().unwrap() - 1);
        run.reject(&last, "again", true);
        run.propose("same words", &["vip"]);
        run.request_approval(approval);
    }
    assert_eq!(run.next(), Step::AwaitApproval { approval: approval_id("a3"), until: at(100_000) });
}
