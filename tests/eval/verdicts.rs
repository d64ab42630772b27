//! What the gate makes of two results.

use mailwright::eval::gate::{Decision, Verdict, decide};
use mailwright::eval::outcome::{CaseResult, Results, SCHEMA, Trial};
use mailwright::eval::proof::Proof;
use mailwright::eval::score::Miss;
use mailwright::eval::suite::Ending;
use mailwright::release;
use oracle::NeverEvent;
use serde_json::json;

/// A trial: `.` passes, `x` fails, `!` is a never-event.
fn trial(sign: char) -> Trial {
    let miss = Miss { check: "outcome".to_owned(), why: "it is another one".to_owned() };
    Trial {
        ending: if sign == '.' { Ending::Sent } else { Ending::NoSend },
        misses: if sign == 'x' { vec![miss] } else { Vec::new() },
        never: if sign == '!' { vec![NeverEvent::new("no_consent", "they never agreed to mail")] } else { Vec::new() },
        mails: u64::from(sign != 'x'),
        model_calls: 4,
        tool_calls: 5,
        cost_micros: 0,
        letters: Vec::new(),
    }
}

/// Results by one word a case, a sign a trial.
fn results(cases: &[&str]) -> Results {
    let case = |(number, signs): (usize, &&str)| CaseResult {
        suite: "one".to_owned(),
        case: format!("case {number}"),
        trials: signs.chars().map(trial).collect(),
    };
    let cases: Vec<CaseResult> = cases.iter().enumerate().map(case).filter(|case| !case.trials.is_empty()).collect();
    Results { schema: SCHEMA.to_owned(), proof: proof("offline", false, "be brief", "look"), trials: 1, cases }
}

fn proof(profile: &str, reads_prompts: bool, prompt: &str, tool: &str) -> Proof {
    let mut files = release::defaults();
    files.insert("prompts/agent/system.md".to_owned(), prompt.to_owned());
    Proof::of(&files, &json!([tool]), profile, reads_prompts, vec![format!("{profile}-1")])
}

fn decided(before: &[&str], now: &[&str]) -> Decision {
    decide(&results(now), Some(&results(before)))
}

#[test]
fn what_is_as_good_as_before_passes() {
    for (before, now) in [
        (vec![".", "."], vec![".", "."]),
        (vec!["x", "."], vec!["x", "."]),
        (vec!["x"], vec!["."]),
        (vec!["..x"], vec!["..x"]),
    ] {
        assert_eq!(decided(&before, &now).verdict, Verdict::Pass, "{before:?} {now:?}");
    }
}

#[test]
fn a_case_that_is_broken_is_a_regression_however_many_became_better() {
    let decision = decided(&[".", "x", "x", "x"], &["x", ".", ".", "."]);
    assert_eq!(decision.verdict, Verdict::Regression);
    assert_eq!(decision.reasons, ["one: case 0: it passed before and does not any more"]);
}

#[test]
fn a_missing_case_and_a_new_one_that_fails_are_regressions() {
    let decision = decided(&[".", "."], &[".", "", "x"]);
    assert_eq!(decision.verdict, Verdict::Regression);
    insta::assert_debug_snapshot!(decision);
    assert_eq!(decided(&["."], &[".", "."]).verdict, Verdict::Pass);
}

#[test]
fn a_never_event_stands_above_everything() {
    let decision = decided(&["."], &["!"]);
    assert_eq!((decision.verdict, decision.verdict.exit_code()), (Verdict::NeverEvent, 2));
    assert_eq!(decision.reasons, ["one: case 0: no_consent: they never agreed to mail"]);
}

#[test]
fn one_flicker_is_too_little_and_six_are_a_regression() {
    let steady = ["...", "...", "...", "...", "...", "..."];
    let one = decided(&steady, &["..x", "...", "...", "...", "...", "..."]);
    assert_eq!(one.verdict, Verdict::Inconclusive);
    assert_eq!(decided(&steady, &["..x"; 6]).verdict, Verdict::Regression);
}

#[test]
fn without_a_baseline_every_case_has_to_pass() {
    assert_eq!(decide(&results(&[".", "."]), None).verdict, Verdict::Pass);
    assert_eq!(decide(&results(&[".", "x"]), None).verdict, Verdict::Regression);
}

#[test]
fn a_changed_prompt_is_unproven_until_a_model_has_read_it() {
    let before = results(&["."]);
    let with = |proof: Proof| Results { proof, ..results(&["."]) };
    // The same words, and a blind model: nothing to prove.
    assert_eq!(decide(&before, Some(&before)).verdict, Verdict::Pass);
    for (proof, differs) in [
        (proof("offline", false, "be long", "look"), vec!["prompts"]),
        (proof("offline", false, "be brief", "look twice"), vec!["tools"]),
        (proof("scripted", false, "be brief", "look"), vec!["model"]),
        (proof("scripted", false, "be long", "look twice"), vec!["prompts", "tools", "model"]),
    ] {
        let decision = decide(&with(proof), Some(&before));
        assert_eq!((decision.verdict, decision.verdict.exit_code()), (Verdict::Inconclusive, 3));
        assert_eq!(decision.comparison.unwrap().unproven.unwrap().differs, differs);
        assert!(decision.reasons[0].starts_with("unproven with an LLM: "), "{:?}", decision.reasons);
    }
    // A model that reads what it is told has proven it.
    assert_eq!(decide(&with(proof("main", true, "be long", "look twice")), Some(&before)).verdict, Verdict::Pass);
    // What is worse is worse, proven or not.
    let worse = Results { proof: proof("offline", false, "be long", "look"), ..results(&["x"]) };
    assert_eq!(decide(&worse, Some(&before)).verdict, Verdict::Regression);
}

#[test]
fn a_changed_rule_is_proven_by_code() {
    let before = results(&["."]);
    let mut files = release::defaults();
    files.insert("prompts/agent/system.md".to_owned(), "be brief".to_owned());
    files.insert("knowledge/policy/risk.toml".to_owned(), "another one".to_owned());
    let proof = Proof::of(&files, &json!(["look"]), "offline", false, Vec::new());
    assert_ne!(proof.rules, before.proof.rules);
    assert_eq!(decide(&Results { proof, ..results(&["."]) }, Some(&before)).verdict, Verdict::Pass);
}

#[test]
fn a_result_survives_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("r.json");
    let results = results(&["..", ".x", "!!"]);
    std::fs::write(&file, results.to_file().unwrap()).unwrap();
    assert_eq!(Results::read(&file).unwrap(), results);
    std::fs::write(&file, results.to_file().unwrap().replace("mailwright.eval/1", "mailwright.eval/9")).unwrap();
    assert!(Results::read(&file).unwrap_err().to_string().ends_with("`mailwright.eval/9` is not mailwright.eval/1"));
}
