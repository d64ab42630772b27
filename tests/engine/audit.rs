//! The audit trail: whatever is changed in it is found, by its row.

use super::*;

fn verify(folder: &Folder) -> Value {
    folder.json(AFTERNOON, &["audit", "verify"])
}

#[test]
fn an_untouched_trail_is_sound_and_still_holds_what_was_exported() {
    let (folder, _, approval) = waiting();
    let head = folder.path().join("given-head.json");
    let head = head.to_str().unwrap();
    let exported = folder.json(AFTERNOON, &["audit", "export", head]);
    assert_eq!(serde_json::from_slice::<Value>(&std::fs::read(head).unwrap()).unwrap(), exported);
    folder.json(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
    let rows = folder.rows("SELECT action FROM audit ORDER BY seq");
    assert_eq!(
        rows[rows.len() - 4..],
        ["approval.signed", "approval.approved", "send.reserved", "send.sent"].map(str::to_owned)
    );
    let told = folder.json(AFTERNOON, &["audit", "verify", "--head", head]);
    assert_eq!((&told["sound"], &told["compared_with"]), (&Value::from(true), &exported));
    assert_eq!(told["head"]["seq"], Value::from(rows.len()));
    // A head is kept, not replaced.
    folder.run(AFTERNOON, &["audit", "export", head]).failed(1, &["given-head.json"]);
}

#[test]
fn any_column_of_any_row_that_changes_is_found() {
    let (folder, _) = delivered();
    verify(&folder);
    for (sql, words) in [
        ("UPDATE audit SET at = at + 1 WHERE seq = 2", "row 2 is not what it was"),
        ("UPDATE audit SET who = 'user:mallory' WHERE action = 'approval.approved'", "is not what it was"),
        ("UPDATE audit SET action = 'approval.rejected' WHERE action = 'approval.approved'", "is not what it was"),
        ("UPDATE audit SET subject = subject || 'x' WHERE seq = 1", "row 1 is not what it was"),
        ("UPDATE audit SET detail = 'another reason' WHERE seq = 3", "row 3 is not what it was"),
        ("UPDATE audit SET commitment = NULL WHERE seq = 2", "row 2 has no commitment"),
        ("DELETE FROM audit WHERE seq = 2", "row 2 is missing"),
        ("DELETE FROM audit WHERE seq = 1", "row 1 is missing"),
        // Removed in the middle and closed up, or two rows in each other's place.
        ("UPDATE audit SET seq = -seq WHERE seq IN (2, 3)", "row 1 is missing"),
        (
            "INSERT INTO audit (shop_id, seq, at, who, action, subject, detail)
             SELECT shop_id, MAX(seq) + 1, 0, 'system', 'send.sent', 'x', '' FROM audit GROUP BY shop_id",
            "has no commitment",
        ),
    ] {
        let folder = folder.copy();
        tamper(&folder, sql);
        folder.run(AFTERNOON, &["audit", "verify"]).failed(1, &["the audit trail of", "is not sound", words]);
    }
    let folder = folder.copy();
    tamper(&folder, "UPDATE audit SET seq = -seq WHERE seq IN (2, 3)");
    tamper(&folder, "UPDATE audit SET seq = seq + 5 WHERE seq < 0");
    folder.run(AFTERNOON, &["audit", "verify"]).failed(1, &["row 2 is not what it was"]);
}

#[test]
fn rows_removed_at_the_end_show_against_an_exported_head() {
    let (folder, _) = delivered();
    let head = folder.path().join("given-head.json");
    let head = head.to_str().unwrap();
    folder.json(AFTERNOON, &["audit", "export", head]);
    tamper(&folder, "DELETE FROM audit WHERE seq = (SELECT MAX(seq) FROM audit)");
    verify(&folder);
    folder.run(AFTERNOON, &["audit", "verify", "--head", head]).failed(1, &["rows were removed at the end"]);
}

/// A folder from before there was a chain: its rows are chained once, when the key is made, and never again.
#[test]
fn an_older_folder_is_chained_once() {
    let (folder, _) = delivered();
    let key = folder.path().join("audit.key");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions()) & 0o777, 0o600);
    tamper(&folder, "UPDATE audit SET commitment = NULL");
    folder.run(AFTERNOON, &["audit", "verify"]).failed(1, &["row 1 has no commitment"]);
    std::fs::remove_file(&key).unwrap();
    verify(&folder);
    assert!(key.exists());
    tamper(&folder, "UPDATE audit SET commitment = NULL");
    folder.run(AFTERNOON, &["audit", "verify"]).failed(1, &["row 1 has no commitment"]);
}

/// Whoever takes the key away does not get another chain: the folder does not open.
#[test]
fn a_chain_without_its_key_is_not_made_anew() {
    let (folder, _) = delivered();
    std::fs::remove_file(folder.path().join("audit.key")).unwrap();
    folder.run(AFTERNOON, &["audit", "verify"]).failed(1, &["the audit trail is chained with a key that is not there"]);
    assert!(!folder.path().join("audit.key").exists());
}
