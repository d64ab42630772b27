//! The questions. Each begins with an engine that has nothing stored.

use std::collections::BTreeMap;

use agent::ApprovalDecision;
use jiff::SignedDuration;
use kit::tool::NoSend;
use kit::{RunId, Timestamp};
use mailwright::clock::Clock as _;
use mailwright::runs::Signal;
use mailwright::store::RunState;

use super::outside::{EFFECTS, PATIENCE, approval, now};
use super::{Ended, Engine, Occasion, Outside, Process, Standing};

/// The journal of a whole story.
const STORY: [&str; 9] = [
    "start",
    "call_model",
    "run_tools",
    "call_model",
    "run_tools",
    "call_model",
    "run_tools",
    "await_approval",
    "deliver",
];

fn cart(due: Timestamp) -> Occasion {
    Occasion { run: "run-1", occasion: "cart:1", due }
}

fn approved(run: &RunId) -> Signal {
    Signal::Approval { approval: approval(run), decision: ApprovalDecision::Approved }
}

fn ended(state: RunState, outcome: &str) -> Standing {
    Standing { state, wakes: None, outcome: Some(outcome.to_owned()) }
}

fn waits_for_a_person() -> Standing {
    Standing { state: RunState::Waiting, wakes: Some(now() + PATIENCE), outcome: None }
}

/// Every effect so many times, but for those named.
fn each(times: u32, but: &[(&str, u32)]) -> BTreeMap<String, u32> {
    let mut each: BTreeMap<String, u32> = EFFECTS.iter().map(|effect| ((*effect).to_owned(), times)).collect();
    each.extend(but.iter().map(|(effect, times)| ((*effect).to_owned(), *times)));
    each.retain(|_, times| *times > 0);
    each
}

/// A run that waits for a person.
fn waiting(process: &impl Process) -> RunId {
    let run = process.admit(&cart(now()));
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), waits_for_a_person());
    run
}

/// Whatever happened before, a person approves and the story ends as it should.
fn ends_well(process: &impl Process, run: &RunId) {
    process.signal(run, approved(run));
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(run), ended(RunState::Done, "sent"));
    assert_eq!(process.journal(run), STORY);
}

pub(super) fn a_run_goes_through_its_story_once(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let run = waiting(&process);
    ends_well(&process, &run);
    assert_eq!(outside.effects(), each(1, &[]));
}

/// Killed after each effect in turn, before the engine knew of it: that step is performed again, and no other.
pub(super) fn a_kill_between_effect_and_acknowledgement_repeats_that_step_alone(engine: &impl Engine) {
    let runs = ["run-0", "run-1", "run-2", "run-3", "run-4", "run-5", "run-6", "run-7"];
    for (name, effect) in runs.into_iter().zip(EFFECTS) {
        let outside = Outside::new();
        outside.hang_after(effect);
        let process = engine.start(&outside);
        let run = process.admit(&Occasion { run: name, occasion: name, due: now() });
        if effect == "hand over" {
            assert_eq!(process.work(), Ended::AtRest);
            process.signal(&run, approved(&run));
        }
        assert_eq!(process.work(), Ended::Hanging, "{effect}");
        drop(process);

        let process = engine.start(&outside);
        assert_eq!(process.work(), Ended::AtRest);
        if effect == "hand over" {
            assert_eq!(process.standing(&run), ended(RunState::Done, "sent"));
            assert_eq!(process.journal(&run), STORY);
        } else {
            ends_well(&process, &run);
        }
        let repeated = match effect {
            // Reads side by side are one step. The other may or may not have been asked by then.
            "look a" | "look b" => {
                let done = outside.effects();
                let other = if effect == "look a" { "look b" } else { "look a" };
                assert!((1..=2).contains(&done[other]), "{done:?}");
                each(1, &[(effect, 2), (other, done[other])])
            }
            _ => each(1, &[(effect, 2)]),
        };
        assert_eq!(outside.effects(), repeated, "{effect}");
    }
}

pub(super) fn a_connection_lost_in_a_call_is_tried_again(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let run = waiting(&process);
    outside.break_after("hand over", 2);
    process.signal(&run, approved(&run));
    for _ in 0..2 {
        assert_eq!(process.work(), Ended::AtRest);
        let standing = process.standing(&run);
        assert_eq!((standing.state, standing.outcome), (RunState::Waiting, None));
        // Not before its time: the pause holds.
        assert_eq!(process.work(), Ended::AtRest);
        let again = standing.wakes.unwrap();
        assert!(again > outside.clock.now());
        outside.clock.set(again);
    }
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), ended(RunState::Done, "sent"));
    assert_eq!(process.journal(&run), STORY);
    assert_eq!(outside.effects(), each(1, &[("hand over", 3)]));
}

pub(super) fn a_step_that_never_works_is_parked_and_may_be_taken_up(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let run = waiting(&process);
    outside.break_after("hand over", u32::MAX);
    process.signal(&run, approved(&run));
    for _ in 0..200 {
        process.work();
        match process.standing(&run).wakes {
            Some(at) => outside.clock.set(at),
            None => break,
        }
    }
    assert_eq!(process.standing(&run), Standing { state: RunState::Parked, wakes: None, outcome: None });
    outside.break_after("hand over", 0);
    drop(process);
    let process = engine.start(&outside);
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run).state, RunState::Parked);
    process.unpark(&run);
    process.work();
    assert_eq!(process.standing(&run), ended(RunState::Done, "sent"));
}

/// The person is quicker than the engine: the request is open, the run does not wait yet.
pub(super) fn a_signal_before_the_wait_is_kept(engine: &impl Engine) {
    let outside = Outside::new();
    outside.hang_after("ask");
    let process = engine.start(&outside);
    let run = process.admit(&cart(now()));
    assert_eq!(process.work(), Ended::Hanging);
    process.signal(&run, approved(&run));
    drop(process);
    let process = engine.start(&outside);
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), ended(RunState::Done, "sent"));
    assert_eq!(process.journal(&run), STORY);
}

pub(super) fn a_signal_while_nobody_is_there_is_kept(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let run = waiting(&process);
    process.signal(&run, approved(&run));
    drop(process);
    let process = engine.start(&outside);
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), ended(RunState::Done, "sent"));
    assert_eq!(outside.effects(), each(1, &[]));
}

pub(super) fn a_cancellation_before_the_start_ends_the_run_without_a_call(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let run = process.admit(&cart(now() + SignedDuration::from_hours(1)));
    let reason = NoSend { code: "bought".to_owned(), reason: "an order came".to_owned() };
    process.signal(&run, Signal::Cancel(reason));
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), ended(RunState::Done, "bought"));
    assert_eq!(outside.effects(), each(0, &[]));
}

pub(super) fn a_signal_after_the_timeout_changes_nothing(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let run = waiting(&process);
    drop(process);
    outside.clock.set(now() + PATIENCE);
    let process = engine.start(&outside);
    assert_eq!(process.work(), Ended::AtRest);
    let expired = ended(RunState::Done, "approval_expired");
    assert_eq!(process.standing(&run), expired);
    process.signal(&run, approved(&run));
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), expired);
    assert_eq!(outside.effects(), each(1, &[("hand over", 0)]));
}

pub(super) fn a_timer_that_was_due_while_nobody_was_there_fires(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let run = process.admit(&cart(now() + SignedDuration::from_hours(1)));
    drop(process);
    outside.clock.set(now() + SignedDuration::from_hours(9));
    let process = engine.start(&outside);
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run).state, RunState::Waiting);
    assert_eq!(outside.effects(), each(1, &[("hand over", 0)]));
}

pub(super) fn a_timer_that_is_not_due_does_not_fire(engine: &impl Engine) {
    let outside = Outside::new();
    let due = now() + SignedDuration::from_hours(1);
    let process = engine.start(&outside);
    let run = process.admit(&cart(due));
    outside.clock.set(due - SignedDuration::from_micros(1));
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), Standing { state: RunState::Delayed, wakes: Some(due), outcome: None });
    outside.clock.set(due);
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run).state, RunState::Waiting);
}

/// A program to which the journal makes no sense does nothing and loses nothing.
pub(super) fn a_parked_run_survives_another_program_and_goes_on_with_its_own(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let run = waiting(&process);
    drop(process);

    let process = engine.start(&outside.other_program());
    process.signal(&run, approved(&run));
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), Standing { state: RunState::Parked, wakes: None, outcome: None });
    assert_eq!(process.journal(&run), STORY[..7]);
    drop(process);

    let process = engine.start(&outside);
    process.unpark(&run);
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), ended(RunState::Done, "sent"));
    assert_eq!(process.journal(&run), STORY);
    assert_eq!(outside.effects(), each(1, &[]));
}

pub(super) fn two_triggers_of_one_occasion_are_one_run(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let other = engine.start(&outside);
    let first = process.admit(&Occasion { run: "run-1", occasion: "cart:1", due: now() });
    let second = other.admit(&Occasion { run: "run-2", occasion: "cart:1", due: now() });
    assert_eq!(second, first);
    drop(other);
    assert_eq!(process.work(), Ended::AtRest);
    ends_well(&process, &first);
    assert_eq!(outside.effects(), each(1, &[]));
}

pub(super) fn the_same_run_started_twice_is_one_run(engine: &impl Engine) {
    let outside = Outside::new();
    let process = engine.start(&outside);
    let run = waiting(&process);
    assert_eq!(process.admit(&cart(now())), run);
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(process.standing(&run), waits_for_a_person());
    ends_well(&process, &run);
    // Over, and still the run of its occasion.
    assert_eq!(process.admit(&cart(now())), run);
    assert_eq!(process.work(), Ended::AtRest);
    assert_eq!(outside.effects(), each(1, &[]));
}

/// A process that was thought to be dead comes back: what it then does for the run is not written beside what the other did.
pub(super) fn two_processes_perform_no_step_of_a_run_twice_in_its_journal(engine: &impl Engine) {
    let outside = Outside::new();
    outside.hang_after("model 2");
    let stuck = engine.start(&outside);
    let run = stuck.admit(&cart(now()));
    assert_eq!(stuck.work(), Ended::Hanging);
    let process = engine.start(&outside);
    assert_eq!(process.work(), Ended::AtRest);
    ends_well(&process, &run);
    outside.let_go();
    assert_eq!(stuck.work(), Ended::AtRest);
    assert_eq!(stuck.standing(&run), ended(RunState::Done, "sent"));
    assert_eq!(stuck.journal(&run), STORY);
    assert_eq!(outside.effects(), each(1, &[("model 2", 2)]));
}

/// Two megabytes in one answer, in characters that every layer likes to escape.
pub(super) fn a_large_value_comes_back_whole(engine: &impl Engine) {
    let outside = Outside::new();
    outside.answer_with_bytes(2 << 20);
    outside.hang_after("draft");
    let process = engine.start(&outside);
    let run = process.admit(&cart(now()));
    assert_eq!(process.work(), Ended::Hanging);
    drop(process);
    outside.answer_with_bytes(0);
    let process = engine.start(&outside);
    assert_eq!(process.work(), Ended::AtRest);
    ends_well(&process, &run);
    assert_eq!(outside.effects(), each(1, &[("draft", 2)]));
}
