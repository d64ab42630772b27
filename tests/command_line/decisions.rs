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
