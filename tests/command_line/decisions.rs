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
    approve(&id, "nora").failed(1, &[&id, "was edited by user:sam", &successor, "takes its place", "the preheader"]);
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
    reject("no").failed(1, &["this needs a reason of 3 to 500 characters, found 2"]);
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

/// Words that an approver names become a rule when a marketer says so, as a release, and never before.
#[test]
fn a_quoted_rejection_becomes_a_rule_when_a_marketer_accepts_it() {
    let (folder, id) = waiting();
    let shown = folder.json(AFTERNOON, &["approvals", "show", &id]);
    let preheader = shown["draft"]["preheader"].as_str().unwrap();
    let words: Vec<&str> = preheader.split_whitespace().collect();
    // Three words in a row that no rule has anything against.
    let unsuspected = |words: &&[&str]| {
        let draft = folder.file("three.txt", format!("A subject\n{}\n", words.join(" ")));
        let told = folder.run(AFTERNOON, &["brand", "check", &draft, "--json"]);
        words.iter().all(|w| w.chars().all(char::is_alphabetic)) && told.status.success() && told.out.trim() == "[]"
    };
    let quoted = words.windows(3).find(unsuspected).unwrap().join(" ");
    let slug = format!("learned.{}", quoted.to_lowercase().replace(' ', "-"));
    let reason = format!("we do not say “{quoted}”");
    assert!(folder.run(AFTERNOON, &["approvals", "reject", &id, "--as", "nora", "--reason", &reason]).status.success());

    let releases = || folder.rows("SELECT active_release FROM shops");
    let before = releases();
    let proposed = folder.json(AFTERNOON, &["brand", "proposals", "list"]);
    assert_eq!((proposed.as_array().unwrap().len(), &proposed[0]["id"]), (1, &json!(slug)));
    assert_eq!(proposed[0]["rejected"], json!({ id.clone(): reason }));
    let shown = folder.run(AFTERNOON, &["brand", "proposals", "show", &slug]);
    assert!(shown.out.contains("[[phrase]]") && shown.out.contains(&reason), "{shown:?}");
    let told = folder.run(AFTERNOON, &["brand", "proposals", "accept", "learned.nothing", "--as", "mira"]);
    told.failed(1, &["no rule `learned.nothing` is proposed", "brand proposals list"]);
    assert_eq!(releases(), before, "nothing is in force by itself");

    let accepted =
        folder.json(AFTERNOON, &["brand", "proposals", "accept", &slug, "--as", "mira", "--severity", "block"]);
    assert_ne!(releases(), before);
    assert_eq!(accepted["release"], json!(releases()[0]));
    let draft = folder.file("draft.txt", format!("A subject\n{preheader}\n"));
    folder.run(AFTERNOON, &["brand", "check", &draft]).failed(1, &["may not leave"]);
    assert_eq!(folder.json(AFTERNOON, &["brand", "proposals", "list"]), json!([]));
    assert_eq!(folder.rows("SELECT action FROM audit WHERE action LIKE 'rule.%'"), ["rule.accept"]);
    let back = folder.run(AFTERNOON, &["release", "rollback", &before[0], "--as", "mira"]);
    assert!(back.status.success(), "{back:?}");

    // Rolled back it is proposed again; declined it is not.
    assert_eq!(folder.json(AFTERNOON, &["brand", "proposals", "list"])[0]["id"], json!(slug));
    let decline = ["brand", "proposals", "reject", &slug, "--as", "mira", "--reason", "it was that one mail"];
    assert!(folder.run(AFTERNOON, &decline).status.success());
    assert_eq!(folder.json(AFTERNOON, &["brand", "proposals", "list"]), json!([]));
}

/// The shipped minute, which the shop of these tests does not have.
const A_MINUTE: &str = "UPDATE shops SET limits = REPLACE(limits, '\"recall_seconds\":0', '\"recall_seconds\":60')";

#[test]
fn what_was_approved_is_recalled_before_it_leaves() {
    let (folder, id) = waiting();
    crate::engine::tamper(&folder, A_MINUTE);
    let approved = folder.run(AFTERNOON, &["approvals", "approve", &id, "--as", "nora", "--no-wait"]);
    assert!(
        approved.out.contains("it leaves after 2026-11-17T15:01:00Z, unless: mailwright approvals recall"),
        "{approved:?}"
    );
    folder.json(AFTERNOON, &["runs", "resume"]);
    assert!(folder.mails().is_empty());
    let recall = |reason: &str| folder.run(AFTERNOON, &["approvals", "recall", &id, "--as", "sam", "--reason", reason]);
    recall("no").failed(1, &["this needs a reason of 3 to 500 characters"]);
    assert!(recall("the wrong week").status.success());
    recall("once more").failed(1, &[&id, "cannot be recalled: it is Recalled"]);
    folder.json("2026-11-17T15:05:00Z", &["runs", "resume"]);
    assert!(folder.mails().is_empty());
    assert_eq!(folder.rows("SELECT state FROM runs"), ["done"]);
    let told = "SELECT who || ' ' || action || ' ' || detail FROM audit WHERE action = 'approval.recalled'";
    assert_eq!(folder.rows(told), ["user:sam approval.recalled the wrong week"]);
    folder.json(AFTERNOON, &["audit", "verify"]);
}

#[test]
fn whoever_approves_waits_out_the_minute_and_then_it_leaves() {
    let (folder, id) = waiting();
    crate::engine::tamper(&folder, A_MINUTE);
    let approved = folder.json(AFTERNOON, &["approvals", "approve", &id, "--as", "nora"]);
    assert_eq!(approved["rest"], json!("delivered (sent)"));
    assert_eq!(folder.rows("SELECT CAST(settled_at - reserved_at >= 0 AS TEXT) FROM sends"), ["1"]);
    let recall = ["approvals", "recall", &id, "--as", "sam", "--reason", "the wrong week"];
    folder.run(AFTERNOON, &recall).failed(1, &[&id, "cannot be recalled any more: a message is on its way with it"]);
    assert_eq!(folder.mails().len(), 1);
}

#[test]
fn nobody_approves_what_they_have_not_looked_at() {
    let (folder, id) = waiting();
    let unseen = folder.path().join(format!("looks/{id}.seen"));
    let approve = |more: &[&str]| {
        let args = [&["approvals", "approve", &id, "--as", "nora"], more].concat();
        crate::binary::told(crate::binary::bare(&args).arg("--data").arg(folder.path()).args(["--at", AFTERNOON]))
    };
    assert!(!unseen.exists());
    approve(&[]).failed(1, &["look at it first: mailwright approvals show", &id]);
    approve(&["--seen", "1-2-3"]).failed(2, &["it looks like 1-0123456789ab"]);
    approve(&["--seen", "1-0123456789ab-0123456789ab-0123456789ab"])
        .failed(1, &[&id, "is not what you looked at any more", "look again: mailwright approvals show"]);
    assert_eq!(folder.rows("SELECT state FROM approvals"), ["pending"]);
    let shown = folder.json(AFTERNOON, &["approvals", "show", &id]);
    assert!(approve(&["--seen", shown["seen"].as_str().unwrap()]).status.success());
    assert_eq!(folder.mails().len(), 1);
}
