//! Who may decide what, on the command line. That of two at once one wins is in `crash::side_by_side`.

use super::*;

/// A folder whose run waits, and its approval.
fn waiting() -> (Folder, String) {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    let id = folder.rows("SELECT approval_id FROM approvals").pop().unwrap();
    (folder, id)
}

#[test]
fn whoever_edits_does_not_approve() {
    let (folder, id) = waiting();
    let edit = ["approvals", "edit", &id, "--as", "sam", "--preheader", "What to know about it, plainly."];
    let edited = folder.json(AFTERNOON, &edit);
    let successor = folder.rows("SELECT approval_id FROM approvals WHERE state = 'pending'").pop().unwrap();
    assert_eq!(edited["successor"], json!(successor));
    assert_ne!(successor, id);
    let before = folder.state();
    let approve = |id: &str, name: &str| folder.run(AFTERNOON, &["approvals", "approve", id, "--as", name]);
    approve(&successor, "sam").failed(1, &["sam is an author of", &successor, "somebody else must look"]);
    approve(&id, "nora").failed(1, &[&id, "is Superseded already"]);
    approve(&successor, "  ").failed(1, &["say who you are"]);
    assert_eq!(folder.state(), before);
    assert!(approve(&successor, "nora").status.success());
    let mails = folder.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].1.contains("What to know about it, plainly."), "{}", mails[0].1);
}

#[test]
fn a_rejection_needs_a_reason_and_ends_the_run() {
    let (folder, id) = waiting();
    let before = folder.state();
    let reject = |reason| folder.run(AFTERNOON, &["approvals", "reject", &id, "--as", "nora", "--reason", reason]);
    reject("no").failed(1, &["a rejection needs a reason of 3 to 500 characters, found 2"]);
    assert_eq!(folder.state(), before);
    let told = reject("she is on the phone with us");
    assert!(told.status.success() && told.out.contains("no message: rejected"), "{told:?}");
    reject("once more").failed(1, &[&id, "is Rejected already"]);
    assert!(folder.mails().is_empty());
}

#[test]
fn a_decision_that_comes_too_late_does_not_count() {
    let (folder, id) = waiting();
    let late = folder.run("2026-11-19T14:00:00Z", &["approvals", "approve", &id, "--as", "nora"]);
    late.failed(1, &[&id, "lapsed at 2026-11-19T14:00:00Z; the message has to be proposed again"]);
    let resumed = folder.json("2026-11-19T14:00:00Z", &["runs", "resume"]);
    assert_eq!(resumed.as_array().unwrap().len(), 1);
    assert_eq!(folder.rows("SELECT state FROM approvals"), ["expired"]);
    assert!(folder.mails().is_empty());
}
