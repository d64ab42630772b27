//! Two processes at once: one mail, and nobody is told something wrong.

use std::process::Stdio;

use super::*;

/// Runs two commands at the same time.
fn both(folder: &Folder, one: (&str, &[&str]), other: (&str, &[&str])) -> [Told; 2] {
    let start = |(at, args): (&str, &[&str])| {
        folder.command(at, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    [start(one), start(other)].map(|child| Told::of(&child.wait_with_output().unwrap()))
}

#[test]
fn the_same_webhook_twice_at_once_is_one_run() {
    let args = trigger();
    let event: Vec<&str> = args.iter().map(String::as_str).collect();
    for _ in 0..2 {
        let folder = Folder::new();
        for told in both(&folder, (MORNING, &event), (MORNING, &event)) {
            let elsewhere = told.code() == Some(1) && told.err.contains("is driven by another process");
            assert!(told.status.success() || elsewhere, "{told:?}");
        }
        go_on(&folder);
        exactly_one_mail(&folder);
    }
}

#[test]
fn two_who_drive_the_same_run_send_one_mail() {
    let (seen, approval) = waiting();
    let decided = folder_with_decision(&seen, &approval);
    for _ in 0..4 {
        let folder = decided.copy();
        let resume: (&str, &[&str]) = (AFTERNOON, &["runs", "resume"]);
        for told in both(&folder, resume, resume) {
            assert!(told.status.success(), "{told:?}");
        }
        go_on(&folder);
        exactly_one_mail(&folder);
    }
}

/// A decision is written, and the process that wrote it is gone.
fn folder_with_decision(seen: &Folder, approval: &str) -> Folder {
    let folder = seen.copy();
    let mut decide = folder.command(AFTERNOON, &["approvals", "approve", approval, "--as", "nora"]);
    decide.env("MAILWRIGHT_FAILPOINT", "after_decide").output().unwrap();
    assert_eq!(folder.rows("SELECT state FROM approvals"), ["approved"]);
    folder
}

#[test]
fn of_two_who_approve_at_once_one_wins() {
    let (seen, approval) = waiting();
    for _ in 0..3 {
        let folder = seen.copy();
        let approve = |name| ["approvals", "approve", &approval, "--as", name];
        let mut told = both(&folder, (AFTERNOON, &approve("nora")), (AFTERNOON, &approve("emil")));
        told.sort_by_key(Told::code);
        assert_eq!(told[0].code(), Some(0), "{told:?}");
        assert_eq!(told[1].code(), Some(1), "{told:?}");
        let late = &told[1].err;
        let clear =
            late.contains("is Approved already; list the pending ones") || late.contains("was changed meanwhile");
        assert!(clear && late.contains(&approval), "{late}");
        go_on(&folder);
        exactly_one_mail(&folder);
    }
}

#[test]
fn a_folder_that_is_new_to_two_processes_gets_one_secret() {
    let folder = Folder::new();
    let list: (&str, &[&str]) = (MORNING, &["catalog", "search", "boot"]);
    for told in both(&folder, list, list) {
        assert!(told.status.success(), "{told:?}");
    }
    let mut files: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("mailwright.db-"))
        .collect();
    files.sort();
    assert_eq!(files, ["audit.key", "mailwright.db", "master.key", "outbox", "unsubscribe.key"]);
}
