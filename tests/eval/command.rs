//! `mailwright eval`: its exit codes and files.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Told, bare, told};

const SUITE: &str = "\
suite: small
about: two cases
cases:
  - name: nobody agreed
    customer: { consent: none }
    story: [{ cart: [TT-1001] }]
    then: { outcome: no_send, reason: no_consent }
  - name: a ticket is open
    customer: { ticket: true }
    story: [{ cart: [TT-1001] }]
    then: { outcome: no_send, reason: ticket_open }
";

fn eval(folder: &TempDir, args: &[&str]) -> Told {
    let mut command = bare(&[&["eval"], args].concat());
    told(command.current_dir(folder.path()))
}

fn folder(suite: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("evals")).unwrap();
    fs::write(dir.path().join("evals/small.yaml"), suite).unwrap();
    dir
}

fn code(told: &Told) -> i32 {
    told.status.code().unwrap()
}

#[test]
fn from_the_first_run_to_a_gate_that_holds() {
    let dir = folder(SUITE);
    let first = eval(&dir, &["run", "evals", "--gate", "--out", "r.json", "--junit", "r.xml", "--html", "r.html"]);
    assert_eq!(code(&first), 3, "{first:?}");
    assert!(first.out.contains("mailwright eval bless") && first.out.ends_with("INCONCLUSIVE\n"), "{first:?}");
    for file in ["r.xml", "r.html"] {
        assert!(fs::read_to_string(dir.path().join(file)).unwrap().contains("a ticket is open"));
    }
    let blessed = eval(&dir, &["bless", "r.json"]);
    assert_eq!(code(&blessed), 0, "{blessed:?}");
    assert!(blessed.out.contains("2 cases, 0 of them failing") && blessed.out.contains("proves code, not prompts"));
    let second = eval(&dir, &["run", "evals", "--gate"]);
    assert_eq!((code(&second), second.out.ends_with("PASS\n")), (0, true), "{second:?}");

    // The same suite expects something else now.
    fs::write(dir.path().join("evals/small.yaml"), SUITE.replace("reason: ticket_open", "reason: bought")).unwrap();
    let third = eval(&dir, &["--json", "run", "evals", "--gate", "--out", "worse.json"]);
    assert_eq!(code(&third), 1, "{third:?}");
    let json: Value = serde_json::from_str(&third.out).unwrap();
    assert_eq!(json["decision"]["verdict"], "regression");
    let compared = eval(&dir, &["compare", "r.json", "worse.json"]);
    assert_eq!(code(&compared), 1, "{compared:?}");
    assert_eq!(code(&eval(&dir, &["bless", "worse.json"])), 4);
}

#[test]
fn what_is_wrong_with_the_harness_is_no_verdict() {
    let dir = folder(&SUITE.replace("outcome: no_send, reason: ticket_open", "outcome: nothing"));
    let told = eval(&dir, &["run", "evals"]);
    assert_eq!(code(&told), 4);
    assert!(told.err.contains("small.yaml:11:"), "{told:?}");
    let dir = folder(&SUITE.replace("TT-1001", "TT-9999"));
    let told = eval(&dir, &["run", "evals"]);
    assert_eq!((code(&told), told.err.contains("the shop sells no TT-9999")), (4, true), "{told:?}");
    assert_eq!(code(&eval(&dir, &["run", "nowhere"])), 4);
}
