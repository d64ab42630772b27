//! One process that drives, and the command line beside it.

#![cfg(unix)]

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::binary::{Told, bare, told};

/// A process that drives a folder's runs at a time that stands still.
struct Active(Child);

impl Active {
    fn start(folder: &Folder, at: &str) -> Self {
        let mut command = folder.command(at, &["serve", "--listen", "127.0.0.1:0"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let active = Self(child);
        let socket = folder.path().join("control.sock");
        wait_for("the socket", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        active
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn stop(mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

/// The command line without a time of its own.
fn beside(folder: &Folder, args: &[&str]) -> Told {
    told(bare(args).arg("--data").arg(folder.path()))
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_a_person_decides_is_done_by_the_process_that_drives() {
    let (folder, run, approval) = waiting();
    folder.json(AFTERNOON, &["approvals", "show", &approval]);
    let active = Active::start(&folder, AFTERNOON);
    let socket = folder.path().join("control.sock");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&socket).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let second = folder.run(AFTERNOON, &["serve", "--listen", "127.0.0.1:0"]);
    second.failed(1, &["another process drives the runs of"]);
    folder
        .run(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"])
        .failed(1, &["--at cannot be used while a process drives this data folder"]);
    assert_eq!(folder.rows("SELECT state FROM approvals"), ["pending"], "what is refused was not done");

    let stopped = beside(&folder, &["kill", "on", "shop", "--as", "nora", "--reason", "wrong prices"]);
    assert!(stopped.status.success(), "{stopped:?}");
    let approved = beside(&folder, &["approvals", "approve", &approval, "--as", "nora", "--json"]);
    let approved: Value = serde_json::from_str(&approved.out).unwrap();
    assert_eq!((&approved["run"], &approved["missing"]), (&json!(run), &json!([])));
    wait_for("the hold", || {
        folder.rows("SELECT COALESCE(wait_for, '') FROM runs")[0].contains("kill switch is on (shop: wrong prices)")
    });
    assert_eq!(folder.mails(), []);
    assert!(beside(&folder, &["kill", "off", "shop", "--as", "nora"]).status.success());
    wait_for("the mail", || folder.mails().len() == 1);
    wait_for("the end", || folder.rows("SELECT state FROM runs") == ["done"]);

    // Errors are the same words as without the process.
    beside(&folder, &["approvals", "approve", &approval, "--as", "nora"])
        .failed(1, &[&approval, "is Approved already"]);
    beside(&folder, &["runs", "cancel", &run, "--as", "nora", "--reason", "x"]).failed(1, &[&run, "is over (done)"]);

    assert_eq!(active.stop(), Some(0));
    assert!(!socket.exists());
    assert_eq!(folder.rows("SELECT holder FROM leases"), Vec::<String>::new());
    folder.json(AFTERNOON, &["audit", "verify"]);
}

#[test]
fn a_webhook_by_hand_is_taken_in_by_the_process_that_drives() {
    let folder = Folder::new();
    let active = Active::start(&folder, MORNING);
    let ada = webhook("shopify-checkouts-update-ada");
    let told = beside(&folder, &["trigger", "shopify", "checkouts/update", &ada, "--json"]);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["intake"]["runs"][0]["new"], json!(true));
    let run = text(&told["intake"]["runs"][0]["run"]);
    assert_eq!(folder.rows("SELECT state FROM runs"), ["delayed"]);
    let cancelled = beside(&folder, &["runs", "cancel", &run, "--as", "nora", "--reason", "too soon"]);
    assert!(cancelled.status.success(), "{cancelled:?}");
    wait_for("the end", || folder.rows("SELECT state FROM runs") == ["done"]);
    active.kill();
}

/// A process that died leaves a socket and a lease behind: neither is in anybody's way.
#[test]
fn a_dead_process_is_in_nobodys_way() {
    let (folder, _, approval) = waiting();
    Active::start(&folder, AFTERNOON).kill();
    assert!(folder.path().join("control.sock").exists());
    assert_eq!(folder.rows("SELECT name FROM leases"), ["active"]);
    let active = Active::start(&folder, AFTERNOON);
    active.kill();
    let approved = folder.json(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
    assert_eq!(approved["rest"], json!("delivered (sent)"));
}

/// Two folders over one database, as on two machines: the second is told, and takes over once the lease is over.
#[test]
fn two_data_folders_of_one_database_do_not_drive_at_once() {
    use mailwright::store::Store;
    let folder = Folder::new();
    crate::binary::block_on(async {
        let store = Store::open(folder.path()).await.unwrap();
        let at = |seconds: i64| jiff::Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        assert!(store.take_lease("one", at(0), at(15)).await.unwrap());
        assert!(!store.take_lease("other", at(5), at(20)).await.unwrap());
        assert!(store.take_lease("one", at(10), at(25)).await.unwrap());
        assert!(!store.take_lease("other", at(24), at(40)).await.unwrap());
        assert!(store.take_lease("other", at(25), at(40)).await.unwrap());
        store.give_lease_back("one").await.unwrap();
        assert_eq!(store.lease().await.unwrap().unwrap().holder, "other");
        store.give_lease_back("other").await.unwrap();
        assert_eq!(store.lease().await.unwrap(), None);
        store.close().await;
    });
}
