//! What any engine must withstand. [`questions`] know an engine by [`Engine`] and [`Process`] alone: another one, say on a
//! workflow server, implements the two and is asked the same, unchanged.
//!
//! An engine keeps what became of each step and decides what comes next; the steps themselves are performed by the parts
//! that [`Outside`] brings (models, tools, the hand-over, the clock), whichever engine asks. Business data (approvals here)
//! are in our own tables under every engine.

mod embedded;
mod outside;
mod questions;

use kit::{RunId, Timestamp};
use mailwright::runs::Signal;
use mailwright::store::RunState;

use outside::Outside;

/// An engine with nothing stored yet.
trait Engine {
    /// One life of it.
    type Process: Process;

    /// Begins a process over whatever the ones before it have stored.
    fn start(&self, outside: &Outside) -> Self::Process;
}

/// One life of an engine. Dropped, it dies as with `kill -9`: nothing is finished, nothing is said.
trait Process {
    /// Begins a run at its time; for an occasion that has one, answers which.
    fn admit(&self, new: &Occasion) -> RunId;

    /// Puts a signal into a run's inbox.
    fn signal(&self, run: &RunId, signal: Signal);

    /// Performs everything that is due, until nothing is or the outside world hangs; what hung before is waited for first.
    /// A step that fails is put off, as the policy says.
    fn work(&self) -> Ended;

    /// Lets an operator take up a run that was parked.
    fn unpark(&self, run: &RunId);

    /// Where a run stands.
    fn standing(&self, run: &RunId) -> Standing;

    /// The steps of its journal, in order.
    fn journal(&self, run: &RunId) -> Vec<String>;
}

/// What a run is about.
struct Occasion {
    /// The id that the caller proposes.
    run: &'static str,
    /// What there is one run for.
    occasion: &'static str,
    /// When it is due.
    due: Timestamp,
}

/// How a stretch of work ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// Nothing is due.
    AtRest,
    /// The outside world took an effect and does not answer.
    Hanging,
}

/// Where a run stands, as whoever asks is told.
#[derive(Debug, PartialEq)]
struct Standing {
    state: RunState,
    /// When it wakes by itself.
    wakes: Option<Timestamp>,
    /// How it ended, in a word.
    outcome: Option<String>,
}

/// Each question, asked of each engine.
macro_rules! ask_all {
    ($($question:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $question() {
                super::questions::$question(&super::embedded::Embedded::sqlite());
            })+
        }
        mod postgresql {
            $(#[test] fn $question() {
                if let Some(engine) = super::embedded::Embedded::postgres() {
                    super::questions::$question(&engine);
                }
            })+
        }
    };
}

ask_all!(
    a_run_goes_through_its_story_once,
    a_kill_between_effect_and_acknowledgement_repeats_that_step_alone,
    a_connection_lost_in_a_call_is_tried_again,
    a_step_that_never_works_is_parked_and_may_be_taken_up,
    a_signal_before_the_wait_is_kept,
    a_signal_while_nobody_is_there_is_kept,
    a_cancellation_before_the_start_ends_the_run_without_a_call,
    a_signal_after_the_timeout_changes_nothing,
    a_timer_that_was_due_while_nobody_was_there_fires,
    a_timer_that_is_not_due_does_not_fire,
    a_parked_run_survives_another_program_and_goes_on_with_its_own,
    two_triggers_of_one_occasion_are_one_run,
    the_same_run_started_twice_is_one_run,
    two_processes_perform_no_step_of_a_run_twice_in_its_journal,
    a_large_value_comes_back_whole,
);
