//! Killed anywhere between a shop's event and the mail in the outbox, and started again: exactly one mail.
//!
//! The story is always the same: a checkout is left, its message waits for a person, the person approves, the mail goes
//! out. The process dies somewhere in it, again and again; then whoever is there goes on as they would: the platform sends
//! its webhook again, the service is started again, the person finds what waits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod chat;
mod controls;
mod failpoints;
mod journal;
mod kill;
mod set_up;
mod side_by_side;

use crate::binary::{AFTERNOON, Folder, MORNING, Told, webhook};

/// The arguments of the story's event.
fn trigger() -> Vec<String> {
    ["trigger", "shopify", "checkouts/update"].map(str::to_owned).into_iter().chain([ada()]).collect()
}

fn ada() -> String {
    webhook("shopify-checkouts-update-ada")
}

/// The webhook comes, and its run is driven as far as it goes.
fn leave_checkout(folder: &Folder) -> Told {
    let args = trigger();
    folder.run(MORNING, &args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A folder whose run waits for a person, with the approval that waits.
fn waiting() -> (Folder, String) {
    let folder = Folder::new();
    assert!(leave_checkout(&folder).status.success());
    let approval = pending(&folder).expect("the message waits for a person");
    folder.json(AFTERNOON, &["approvals", "show", &approval]);
    (folder, approval)
}

/// The approval that waits.
fn pending(folder: &Folder) -> Option<String> {
    let mut waiting = folder.rows("SELECT approval_id FROM approvals WHERE state = 'pending'");
    assert!(waiting.len() <= 1, "{waiting:?}");
    waiting.pop()
}

/// Starts without failpoint until nothing is due and nobody has anything to decide.
fn go_on(folder: &Folder) {
    for _ in 0..6 {
        match pending(folder) {
            Some(approval) if at_rest(folder) => {
                let approved = folder.run(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
                assert!(approved.status.success(), "{approved:?}");
            }
            None if at_its_end(folder) => return,
            Some(_) | None => {
                folder.json(AFTERNOON, &["runs", "resume"]);
            }
        }
    }
    panic!("the run does not come to its end: {:#?}", folder.state());
}

fn at_rest(folder: &Folder) -> bool {
    folder.rows("SELECT state FROM runs") == ["waiting"]
}

fn at_its_end(folder: &Folder) -> bool {
    let ended = folder.rows("SELECT state FROM runs");
    let open = "SELECT event_id FROM inbox WHERE state = 'received' UNION ALL SELECT dedupe_key FROM sends WHERE state = 'reserved'";
    (ended == ["done"] || ended == ["parked"]) && folder.rows(open).is_empty()
}

/// Passes when the story has come to its one good end.
#[track_caller]
fn exactly_one_mail(folder: &Folder) {
    let told = |sql| folder.rows(sql).join("; ");
    let keys = folder.rows("SELECT dedupe_key FROM sends");
    let [key] = keys.as_slice() else { panic!("one send, not {keys:?}: {:#?}", folder.state()) };
    let mails: Vec<String> = folder.mails().into_iter().map(|(name, _)| name).collect();
    assert_eq!(mails, [format!("{key}.eml")]);
    assert_eq!(told("SELECT state || ' ' || detail FROM sends"), format!("sent {key}.eml"));
    assert_eq!(told("SELECT state FROM runs"), "done");
    let outcome = folder.opened().remove(0).run.outcome.unwrap();
    assert!(outcome.contains("\"sent\""), "{outcome}");
    assert_eq!(told("SELECT state || ' ' || used_by FROM approvals"), format!("approved {key}"));
    assert_eq!(told("SELECT state FROM inbox"), "done");
    assert_eq!(told("SELECT seq FROM signals WHERE consumed = 0"), "");
    let audited = "SELECT action || ' ' || COUNT(*) FROM audit WHERE action LIKE 'approval.%' OR action LIKE 'send.%' GROUP BY action ORDER BY action";
    assert_eq!(told(audited), "approval.approved 1; approval.open 1; approval.signed 1; send.reserved 1; send.sent 1");
}

/// Passes when doing everything once more changes nothing.
#[track_caller]
fn nothing_is_done_twice(folder: &Folder) {
    let before = folder.state();
    let again = leave_checkout(folder);
    assert!(again.status.success() && again.out.contains("this delivery came before"), "{again:?}");
    let approval = folder.rows("SELECT approval_id FROM approvals").pop().unwrap();
    let approved = folder.run(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
    approved.failed(1, &[&approval, "is Approved already"]);
    assert_eq!(folder.json(AFTERNOON, &["runs", "resume"]), serde_json::json!([]));
    assert_eq!(folder.state(), before);
}
