//! `runs replay`: equality, or the first row that does not follow.

use serde_json::json;

use super::*;

#[test]
fn an_untouched_run_replays_to_its_end_and_to_the_state_it_waited_in() {
    let (folder, run, _) = waiting();
    let before = folder.state();
    let told = folder.json(AFTERNOON, &["runs", "replay", &run]);
    let rows = folder.rows("SELECT step FROM journal").len();
    assert_eq!(told["equal"], json!(true));
    assert_eq!(told["rows"], json!(rows));
    assert_eq!(told["machine_version"], told["program_version"]);
    assert_eq!(told["state_compared"], json!(true));
    assert_eq!(told["next"]["step"], "await_approval");
    assert_eq!(folder.state(), before);

    let (folder, run) = delivered();
    let told = folder.json(AFTERNOON, &["runs", "replay", &run]);
    let outcome: Value = serde_json::from_str(folder.opened()[0].outcome()).unwrap();
    assert_eq!(told["next"], merged(&json!({ "step": "done" }), &outcome));
    assert_eq!(told["steps"].as_array().unwrap().last().unwrap(), "the outcome of a hand-over");
}

fn merged(one: &Value, other: &Value) -> Value {
    let fields = |v: &Value| v.as_object().unwrap().clone();
    fields(one).into_iter().chain(fields(other)).collect::<serde_json::Map<_, _>>().into()
}

/// One byte of one row, whichever, of what it says or of what stands sealed in the table: the replay fails there, and says
/// what was asked and what was found.
#[test]
fn one_flipped_byte_fails_at_its_position() {
    let (folder, run) = delivered();
    for row in folder.opened().remove(0).journal {
        let stored = folder.rows(format!("SELECT body FROM journal WHERE seq = {}", row.seq).leak()).remove(0);
        let mut flipped = stored.clone().into_bytes();
        let last = flipped.len() - 9;
        flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
        // The time that every row holds: still JSON, still a time.
        let other = row.body.replace("2026-11-17T", "2026-11-18T");
        assert_ne!(other, row.body);
        for changed in [String::from_utf8(flipped).unwrap(), other] {
            let folder = folder.copy();
            folder.write(format!("UPDATE journal SET body = $1 WHERE seq = {}", row.seq).leak(), &changed);
            let position = format!("the journal diverges at step {}: ", row.seq);
            let found = format!("found: {}", row.step);
            folder.run(AFTERNOON, &["runs", "replay", &run]).failed(1, &[&run, &position, "(asked: ", &found]);
        }
    }
}

/// The chain of hashes does not show that the last rows are gone; what the run says of itself does.
#[test]
fn rows_missing_at_the_end_are_found() {
    let (folder, run) = delivered();
    let last = folder.rows("SELECT step FROM journal").len();
    tamper(&folder, "DELETE FROM journal WHERE seq = (SELECT MAX(seq) FROM journal)");
    let position = format!("the journal diverges at step {last}: the run is noted as over");
    folder.run(AFTERNOON, &["runs", "replay", &run]).failed(1, &[&position, "asked: deliver, found: no row"]);
}

#[test]
fn another_end_or_another_state_than_the_journal_has_is_found() {
    let (folder, run) = delivered();
    let outcome = folder.opened()[0].outcome().to_owned();
    folder.write("UPDATE runs SET outcome = $1", &format!("{outcome} "));
    folder.json(AFTERNOON, &["runs", "replay", &run]);
    folder.write("UPDATE runs SET outcome = $1", &outcome.replace(".eml", ".txt"));
    folder.run(AFTERNOON, &["runs", "replay", &run]).failed(1, &["the run is noted with another end"]);

    let (folder, run, _) = waiting();
    let state = folder.opened().remove(0).parked.unwrap().body;
    folder.write("UPDATE parked_states SET body = $1", &state.replace("\"turns\":", "\"turns\":1"));
    folder.run(AFTERNOON, &["runs", "replay", &run]).failed(1, &["the journal diverges at step", "the state stored"]);
}

/// A pruned run keeps what it decided: its row, its approval, its send, its audit; a replay says what became of the rest.
#[test]
fn a_pruned_journal_leaves_what_audit_needs() {
    let (folder, run) = delivered();
    let rows = folder.rows("SELECT step FROM journal").len();
    let none = folder.json(AFTERNOON, &["runs", "prune", "--older-than-days", "1", "--as", "nora"]);
    assert_eq!(none["pruned"], json!(0));
    let later = "2026-11-20T15:00:00Z";
    let kept = |folder: &Folder| {
        let tables =
            ["SELECT outcome FROM runs", "SELECT decided_by FROM approvals", "SELECT state || detail FROM sends"];
        tables.map(|sql| folder.rows(sql))
    };
    let before = kept(&folder);
    let pruned = folder.json(later, &["runs", "prune", "--older-than-days", "1", "--as", "nora"]);
    assert_eq!(pruned["pruned"], json!(1));
    assert_eq!(folder.rows("SELECT step FROM journal"), Vec::<String>::new());
    assert_eq!(kept(&folder), before);
    let words = format!("its journal of {rows} rows (last hash ");
    folder.run(later, &["runs", "replay", &run]).failed(1, &[&run, &words, "was pruned at 2026-11-20"]);
    let audited = folder.rows("SELECT who || ' ' || detail FROM audit WHERE action = 'journals.pruned'");
    assert_eq!(audited, ["user:nora 1 journals of runs that ended before 2026-11-19T15:00:00Z"]);
    folder.json(later, &["audit", "verify"]);
}

#[test]
fn the_story_names_event_timer_person_and_ledger() {
    let (folder, run) = delivered();
    let told = folder.run(AFTERNOON, &["runs", "show", &run]);
    let mut rest = told.out.as_str();
    for words in [
        "event     it happened 2026-11-17",
        "timer     set by event ",
        "begun",
        "model ",
        "tool ",
        "person    apr-",
        "approved by user:nora",
        "ledger    ",
        " sent 2026-11-17",
        "outcome   ",
    ] {
        rest = rest.split_once(words).unwrap_or_else(|| panic!("`{words}` is not told:\n{}", told.out)).1;
    }
}
