//! Disks that are full, folders that cannot be written, files that are no database.
//!
//! Full and read-only disks are made with a mount namespace of their own, which goes away with its process; where the
//! system does not allow that, these tests say so and end.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::binary::{AFTERNOON, Folder, MORNING, Told, bare, copy_dir, told, webhook};

fn ada() -> String {
    webhook("shopify-checkouts-update-ada")
}

#[test]
fn a_data_folder_that_is_a_file() {
    let folder = Folder::empty();
    let file = folder.file("data", "not a folder");
    told(&mut bare(&["runs", "list", "--data", &file]))
        .failed(1, &[&file, "cannot be written", "choose another with --data DIR"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "not a folder");
    let below = format!("{file}/deeper");
    told(&mut bare(&["runs", "list", "--data", &below])).failed(1, &[&below, "cannot be written"]);
}

#[test]
fn a_database_that_is_none() {
    let folder = Folder::new();
    let database = folder.path().join("mailwright.db");
    let garbage = b"This is not a database, whatever its name says. ".repeat(200);
    fs::write(&database, &garbage).unwrap();
    let told = folder.run(MORNING, &["runs", "list"]);
    told.failed(1, &["mailwright.db", "it is damaged or no database"]);
    assert_eq!(fs::read(&database).unwrap(), garbage);
}

/// A page in the middle is gone: what reads it fails and says so; nothing is sent on a guess.
#[test]
fn a_database_with_a_torn_page() {
    let folder = Folder::new();
    let database = folder.path().join("mailwright.db");
    let mut bytes = fs::read(&database).unwrap();
    for byte in &mut bytes[8192..] {
        *byte = 0xa5;
    }
    fs::write(&database, bytes).unwrap();
    let told = folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada()]);
    told.failed(1, &["damaged"]);
    assert!(folder.mails().is_empty());
}

#[test]
fn an_outbox_that_is_no_folder() {
    let folder = Folder::new();
    fs::write(folder.path().join("outbox"), "not a folder").unwrap();
    let before = folder.state();
    let told = folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada()]);
    told.failed(1, &["outbox", "fix permissions, nothing was half-written"]);
    assert_eq!(folder.state(), before);
}

/// A tmpfs in a mount namespace of its own, in which one command runs on a copy of a folder.
struct Disk {
    /// In kilobytes.
    size: Option<u64>,
    /// Shell commands after the copy, before the command.
    prepare: &'static str,
}

/// True when this process may make mount namespaces.
pub(super) fn can_mount() -> bool {
    let tried = Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    let can = tried.as_ref().is_ok_and(|output| output.status.success());
    if !can {
        println!("skipped: no mount namespace of its own ({tried:?})");
    }
    can
}

impl Disk {
    /// Runs a command on a copy of the folder on this disk. What it left there takes the folder's place.
    fn run(&self, folder: &mut Folder, at: &str, args: &[&str]) -> Told {
        let (after, mount) = (Folder::empty(), Folder::empty());
        let size = self.size.map_or_else(String::new, |kilobytes| format!("-o size={kilobytes}k"));
        let script = format!(
            "mount -t tmpfs {size} none \"$D\" && cp -a \"$FROM\"/. \"$D\" || exit 99; {}
             \"$@\" --data \"$D\"; code=$?; cp -a \"$D\"/. \"$AFTER\" || exit 98; exit $code",
            self.prepare
        );
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_mailwright")])
            .args(args)
            .args(["--at", at]);
        command.env("D", mount.path()).env("FROM", folder.path()).env("AFTER", after.path());
        let told = told(&mut command);
        assert!(!matches!(told.code(), Some(98 | 99) | None), "{told:?}");
        let _ = fs::remove_file(after.path().join("ballast"));
        *folder = after;
        told
    }
}

fn kilobytes(dir: &Path) -> u64 {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            // tmpfs counts pages of 4 KB.
            if entry.file_type().unwrap().is_dir() {
                4 + kilobytes(&entry.path())
            } else {
                entry.metadata().unwrap().len().div_ceil(4096) * 4
            }
        })
        .sum()
}

/// Whatever little room is left, a command does all of its work or says that the disk is full; with room again, the story
/// ends as if nothing had been.
#[test]
fn a_full_disk() {
    if !can_mount() {
        return;
    }
    let mut failed = 0;
    for room in [0, 40, 96, 160, 320] {
        let mut folder = Folder::new();
        let before = folder.state();
        let disk = |folder: &Folder| Disk { size: Some(kilobytes(folder.path()) + room), prepare: "" };
        let event = disk(&folder).run(&mut folder, MORNING, &["trigger", "shopify", "checkouts/update", &ada()]);
        if !event.status.success() {
            failed += 1;
            full(&event);
            let stored = folder.rows("SELECT event_id FROM inbox");
            assert!(!stored.is_empty() || folder.state() == before, "room {room}: {:#?}", folder.state());
        }
        assert!(folder.mails().is_empty());
        let again = folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada()]);
        assert!(again.status.success(), "room {room}: {again:?}");
        folder.json(AFTERNOON, &["runs", "resume"]);
        let id = folder.rows("SELECT approval_id FROM approvals WHERE state = 'pending'").pop().unwrap();
        folder.json(AFTERNOON, &["approvals", "show", &id]);
        let approve = ["approvals", "approve", &id, "--as", "nora"];
        let approved = disk(&folder).run(&mut folder, AFTERNOON, &approve);
        if !approved.status.success() {
            failed += 1;
            full(&approved);
            if folder.rows("SELECT state FROM approvals") == ["pending"] {
                assert!(folder.run(AFTERNOON, &approve).status.success());
            }
        }
        folder.json(AFTERNOON, &["runs", "resume"]);
        assert_eq!(folder.mails().len(), 1, "room {room}: {:#?}", folder.state());
        assert_eq!(folder.rows("SELECT state FROM sends"), ["sent"]);
        assert_eq!(folder.rows("SELECT state FROM runs"), ["done"]);
    }
    assert!(failed >= 4, "only {failed} commands met a full disk: the rooms are too large");
}

#[track_caller]
fn full(told: &Told) {
    assert_eq!(told.code(), Some(1), "{told:?}");
    let said = ["the disk is full", "No space left on device", "input/output error"];
    assert!(said.iter().any(|words| told.err.contains(words)), "{}", told.err);
    assert!(["free space", "choose another"].iter().any(|advice| told.err.contains(advice)), "{}", told.err);
}

#[test]
fn a_folder_that_may_only_be_read() {
    if !can_mount() {
        return;
    }
    let mut folder = Folder::new();
    let before = folder.state();
    let disk = Disk { size: None, prepare: "mount -o remount,ro \"$D\";" };
    let told = disk.run(&mut folder, MORNING, &["trigger", "shopify", "checkouts/update", &ada()]);
    told.failed(1, &["cannot be written", "Read-only file system", "choose another with --data DIR"]);
    assert_eq!(folder.state(), before);
}

/// The decision counts and the message is reserved; it goes out when the outbox can be written again.
#[test]
fn an_outbox_that_may_only_be_read() {
    if !can_mount() {
        return;
    }
    let mut folder = Folder::new();
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada()]).status.success());
    let id = folder.rows("SELECT approval_id FROM approvals").pop().unwrap();
    folder.json(AFTERNOON, &["approvals", "show", &id]);
    let prepare = "mount --bind \"$D/outbox\" \"$D/outbox\" && mount -o remount,ro,bind \"$D/outbox\";";
    let disk = Disk { size: None, prepare };
    let told = disk.run(&mut folder, AFTERNOON, &["approvals", "approve", &id, "--as", "nora"]);
    told.failed(1, &["outbox", "Read-only file system", "fix permissions, nothing was half-written"]);
    assert!(folder.mails().is_empty());
    assert_eq!(folder.rows("SELECT state FROM sends"), ["reserved"]);
    folder.json(AFTERNOON, &["runs", "resume"]);
    assert_eq!(folder.mails().len(), 1);
    assert_eq!(folder.rows("SELECT state FROM sends"), ["sent"]);
}

#[test]
fn the_tests_copy_folders_whole() {
    let (from, to) = (Folder::empty(), Folder::empty());
    from.file("a", "b");
    copy_dir(from.path(), to.path());
    assert_eq!(fs::read_to_string(to.path().join("given/a")).unwrap(), "b");
}
