//! The stored form: what an older program wrote, a newer one reads.

use std::path::PathBuf;

use kit::message::Hold;
use kit::tool::{NoSend, Phase};
use mailwright_agent::{ApprovalDecision, Machine, Outcome, RestoreError, Step, ToolAnswer};

use crate::support::{Run, approval_id, asked, call_id, draft, fact, sent};

/// A run in the middle of a turn, with something in every field that can be filled then.
fn mid_run() -> Run {
    let mut run = Run::new();
    run.model_fails(true);
    run.switch("offline");
    run.calls(&[("look", "lookup_profile", "{}"), ("look", "search_catalog", r#"{"query":"tent"}"#)]);
    let [look, search] = <[_; 2]>::try_from(run.running()).unwrap();
    run.answers(vec![
        ToolAnswer::ok(&look, "{}"),
        ToolAnswer { facts: vec![fact(2, "p1")], ..ToolAnswer::ok(&search, r#"["f201"]"#) },
    ]);
    run.propose("first", &["vip: spends a lot"]);
    run.text("Shall I ask?");
    run.calls(&[("ask", "request_approval", "{}"), ("more", "propose_message", "{}"), ("no", "teleport", "{}")]);
    run
}

fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/machine-v1.json")
}

/// A fixture is written once, when its version is new (`WRITE_FIXTURES=1`), and never changed afterwards.
#[test]
fn a_state_of_version_1_still_loads_and_goes_on() {
    if std::env::var_os("WRITE_FIXTURES").is_some() && !fixture().exists() {
        std::fs::write(fixture(), serde_json::to_string_pretty(&mid_run().machine).unwrap() + "\n").unwrap();
    }
    let stored = std::fs::read_to_string(fixture()).unwrap();
    let machine = Machine::restore(&stored).unwrap();
    let kept = serde_json::to_value(&machine).unwrap();
    assert_eq!(kept, serde_json::from_str::<serde_json::Value>(&stored).unwrap(), "nothing is lost on the way");
    let now = mid_run().now;
    let mut run = Run { machine, now };
    assert_eq!(run.running()[0].id, call_id("ask"));
    assert_eq!((run.machine.phase(), run.machine.draft().unwrap().as_ref()), (Phase::Clear, &draft("first")));
    run.answer_with("ask", "{}", Some(asked("a1")));
    run.decide("a1", ApprovalDecision::Approved);
    run.delivery(Ok(sent()));
    assert!(matches!(run.next(), Step::Done(Outcome::Delivered { .. })));
}

#[test]
fn a_state_of_another_version_is_refused_by_its_number() {
    let error = Machine::restore(r#"{"version": 7, "everything": "else"}"#).unwrap_err();
    assert!(matches!(error, RestoreError::Version { found: 7 }));
    assert_eq!(
        error.to_string(),
        "the state was written by machine version 7; this program reads versions up to 3: run the program of that version, or migrate"
    );
}

#[test]
fn a_text_that_is_no_state_is_refused() {
    for text in ["", "{}", "[]", r#"{"version":1}"#, r#"{"version":"1"}"#] {
        assert!(matches!(Machine::restore(text), Err(RestoreError::Form(_))), "{text}");
    }
}

#[test]
fn a_waiting_run_is_small() {
    let run = Run::awaiting();
    let bytes = serde_json::to_vec(&run.machine).unwrap().len();
    assert!(bytes < 4_096, "{bytes} bytes, prompts and draft included");
}

/// A run whose message nobody decided about: its control is about to leave.
fn with_control() -> Run {
    let mut run = mid_run();
    run.answer_with("ask", "{}", Some(asked("a1")));
    let (control, approval) = (approval_id("ctl-1"), approval_id("a2"));
    run.decide("a1", ApprovalDecision::Control { control, approval, draft: Box::new(draft("control")) });
    run
}

#[test]
fn a_state_of_version_3_still_loads_and_hands_the_control_over() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/machine-v3.json");
    if std::env::var_os("WRITE_FIXTURES").is_some() && !file.exists() {
        std::fs::write(&file, serde_json::to_string_pretty(&with_control().machine).unwrap() + "\n").unwrap();
    }
    let stored = std::fs::read_to_string(file).unwrap();
    let machine = Machine::restore(&stored).unwrap();
    let kept = serde_json::to_value(&machine).unwrap();
    assert_eq!(kept, serde_json::from_str::<serde_json::Value>(&stored).unwrap(), "nothing is lost on the way");
    let now = with_control().now;
    let mut run = Run { machine, now };
    assert_eq!(run.machine.draft().unwrap().as_ref(), &draft("control"));
    assert_eq!(run.next(), Step::Deliver { approval: Some(approval_id("a2")) });
    // Held for good: no model is asked for other words.
    run.delivery(Err(Hold::RulesChanged));
    assert_eq!(run.next(), Step::Done(Outcome::Held { hold: Hold::RulesChanged }));
}

#[test]
fn a_control_that_stayed_says_why() {
    let mut run = mid_run();
    run.answer_with("ask", "{}", Some(asked("a1")));
    run.decide("a1", ApprovalDecision::Lapsed { why: "nobody has approved it".to_owned() });
    let reason = "nobody decided about the message in time, and its control stayed: nobody has approved it".to_owned();
    assert_eq!(run.next(), Step::Done(Outcome::NoSend(NoSend { code: "approval_expired".to_owned(), reason })));
}
