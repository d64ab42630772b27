//! A run that waits while the program under it is replaced by another version.

use kit::Digest;

use super::*;
use crate::binary::block_on;

/// Rewrites the first row as a program of another machine version would have written it: every later row then hashes to
/// something else than stands there, as it does when the rules of folding have changed.
fn begun_by(folder: &Folder, machine: Option<u32>) {
    let begun = folder.opened().remove(0);
    let (seed, body) = (begun.run.plan, begun.journal[0].body.clone());
    block_on(async {
        let mut connection = folder.connect().await;
        let mut started: serde_json::Map<String, Value> = serde_json::from_str(&body).unwrap();
        match machine {
            Some(version) => started.insert("machine".to_owned(), version.into()),
            None => started.remove("machine"),
        };
        let body = serde_json::to_string(&started).unwrap();
        let begun = Digest::of_parts(["mailwright.journal/1", &seed]).to_string();
        let hash = Digest::of_parts([begun.as_str(), "start", &body]).to_string();
        let changed = sqlx::query("UPDATE journal SET body = $1, input_hash = $2 WHERE seq = 1").bind(body).bind(hash);
        assert_eq!(changed.execute(&mut connection).await.unwrap().rows_affected(), 1);
        sqlx::Connection::close(connection).await.unwrap();
    });
}

fn state(folder: &Folder) -> Vec<String> {
    folder.rows("SELECT state FROM runs")
}

#[test]
fn a_run_of_an_older_program_goes_on_from_its_stored_state() {
    for machine in [None, Some(1)] {
        let (folder, run, approval) = waiting();
        begun_by(&folder, machine);
        folder.json(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
        assert_eq!((state(&folder), folder.mails().len()), (vec!["done".to_owned()], 1));
        // Replay promises equality for the same machine version only, and says where this one parts.
        folder.run(AFTERNOON, &["runs", "replay", &run]).failed(1, &["the journal diverges at step 2"]);
    }
}

#[test]
fn a_state_that_cannot_be_taken_over_is_parked_for_an_operator_and_kept() {
    let (folder, run, approval) = waiting();
    begun_by(&folder, Some(1));
    let body = folder.opened().remove(0).parked.unwrap().body;
    let other = body.replace("\"version\":1", "\"version\":9");
    assert_ne!(other, body);
    folder.write("UPDATE parked_states SET version = 9, body = $1", &other);
    let stored = folder.rows("SELECT body FROM parked_states");
    let told = folder.run(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
    told.failed(1, &["it cannot be taken over", "machine version 9", "it is parked for an operator"]);
    assert_eq!((state(&folder), folder.mails().len()), (vec!["parked".to_owned()], 0));
    assert_eq!(folder.rows("SELECT body FROM parked_states"), stored);
    // The decision is kept for the program that can read the state.
    assert_eq!(folder.rows("SELECT COUNT(*) || '' FROM signals WHERE consumed = 0"), ["1"]);
    folder.write("UPDATE parked_states SET version = 1, body = $1", &body);
    folder.json(AFTERNOON, &["runs", "resume", &run]);
    assert_eq!((state(&folder), folder.mails().len()), (vec!["done".to_owned()], 1));
}

#[test]
fn a_run_that_a_newer_program_began_waits_for_that_program() {
    let (folder, _, approval) = waiting();
    begun_by(&folder, Some(99));
    let told = folder.run(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
    told.failed(1, &["a newer mailwright began it (machine version 99", "it is parked for an operator"]);
    assert_eq!((state(&folder), folder.mails().len()), (vec!["parked".to_owned()], 0));
}
