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
    let outcome: Value = serde_json::from_str(&folder.rows("SELECT outcome FROM runs")[0]).unwrap();
    assert_eq!(told["next"], merged(&json!({ "step": "done" }), &outcome));
    assert_eq!(told["steps"].as_array().unwrap().last().unwrap(), "the outcome of a hand-over");
}

fn merged(one: &Value, other: &Value) -> Value {
    let fields = |v: &Value| v.as_object().unwrap().clone();
    fields(one).into_iter().chain(fields(other)).collect::<serde_json::Map<_, _>>().into()
}

/// One digit of one row, whichever: the replay fails there, and says what was asked and what was found.
#[test]
fn one_flipped_byte_fails_at_its_position() {
    let (folder, run) = delivered();
    let steps = folder.rows("SELECT step FROM journal ORDER BY seq");
    for (index, step) in steps.iter().enumerate() {
        let folder = folder.copy();
        let seq = index + 1;
        crate::binary::block_on(async {
            let mut connection = folder.connect().await;
            // The time that every row holds: still JSON, still a time.
            let changed = "UPDATE journal SET body = REPLACE(body, '2026-11-17T', '2026-11-18T') WHERE seq = $1";
            let done = sqlx::query(changed).bind(i64::try_from(seq).unwrap()).execute(&mut connection).await.unwrap();
            assert_eq!(done.rows_affected(), 1);
        });
        let (position, found) = (format!("the journal diverges at step {seq}: "), format!("found: {step}"));
        folder.run(AFTERNOON, &["runs", "replay", &run]).failed(1, &[&run, &position, "(asked: ", &found]);
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
    tamper(&folder, "UPDATE runs SET outcome = REPLACE(outcome, 'sent', 'sent') || ' '");
    folder.json(AFTERNOON, &["runs", "replay", &run]);
    tamper(&folder, "UPDATE runs SET outcome = REPLACE(outcome, '.eml', '.txt')");
    folder.run(AFTERNOON, &["runs", "replay", &run]).failed(1, &["the run is noted with another end"]);

    let (folder, run, _) = waiting();
    tamper(&folder, "UPDATE parked_states SET body = REPLACE(body, '\"turns\":', '\"turns\":1')");
    folder.run(AFTERNOON, &["runs", "replay", &run]).failed(1, &["the journal diverges at step", "the state stored"]);
}
