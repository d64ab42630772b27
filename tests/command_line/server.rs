//! The server as its users start it, the commands around it, and a data folder that is copied while it serves.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};

use super::*;
use crate::binary::block_on;

/// A server process on a free port; it is killed with its test if it does not end before.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(folder: &Folder) -> Self {
        let mut command = folder.command(MORNING, &["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines
            .find_map(|line| {
                let line = line.unwrap();
                line.split_once(" on ").map(|(_, rest)| rest.split(';').next().unwrap().to_owned())
            })
            .unwrap();
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    fn status(&self, path: &str, token: &str) -> u16 {
        block_on(async {
            let sent = reqwest::Client::new().get(format!("{}{path}", self.url)).bearer_auth(token).send().await;
            sent.unwrap().status().as_u16()
        })
    }

    /// As a service manager stops it.
    fn stop(mut self) {
        std::process::Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn the_first_start_makes_an_admin_and_nobody_else() {
    let folder = Folder::new();
    let serving = Serving::start(&folder);
    let file = folder.path().join("admin.token");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let admin = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_eq!(serving.status("/healthz", ""), 200);
    assert_eq!(serving.status("/api/v1/runs", &admin), 200);
    assert_eq!(serving.status("/api/v1/runs", "admin"), 401);
    // The database holds no token, only its digest.
    assert!(folder.rows("SELECT hash FROM api_tokens").iter().all(|hash| !admin.contains(hash)));
    // Other processes work on the folder meanwhile.
    let made = folder.json(MORNING, &["tokens", "create", "Nora", "--role", "approver"]);
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(serving.status("/api/v1/approvals", secret), 200);
    let id = made["token"]["id"].as_str().unwrap();
    assert!(folder.run(MORNING, &["tokens", "revoke", id]).status.success());
    assert_eq!(serving.status("/api/v1/approvals", secret), 401);
    serving.stop();
    // A second start makes no other admin.
    std::fs::remove_file(&file).unwrap();
    Serving::start(&folder).stop();
    assert!(!file.exists());
}

#[test]
fn connections_are_added_with_their_secrets_kept_apart() {
    let folder = Folder::new();
    let secret = folder.file("secret.txt", "hush-hush\n");
    let add = ["connections", "add", "shopify", "main", "--domain", "a.myshopify.com", "--secret-file", &secret];
    let added = folder.json(MORNING, &add);
    assert_eq!(added["path"], "/webhooks/shopify/main");
    folder.run(MORNING, &add).failed(1, &["there is a connection `main` already"]);
    folder
        .run(MORNING, &["connections", "add", "shopify", "two"])
        .failed(1, &["--secret-file FILE or --secret-env NAME"]);
    folder.run(MORNING, &["connections", "add", "shopify", "Ü"]).failed(1, &["1 to 40 of a-z"]);
    let made = folder.json(MORNING, &["connections", "add", "standard", "std"]);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let told = folder.run(MORNING, &["connections", "list"]);
    assert!(told.out.contains("a.myshopify.com") && !told.out.contains("hush"), "{}", told.out);
    assert!(folder.rows("SELECT connection_id || domain FROM connections").iter().all(|row| !row.contains("hush")));
    let kept: Vec<_> = std::fs::read_dir(folder.path().join("secrets")).unwrap().map(Result::unwrap).collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|file| file.metadata().unwrap().permissions().mode() & 0o777 == 0o600));
    assert!(folder.run(MORNING, &["connections", "remove", "main"]).status.success());
    folder.run(MORNING, &["connections", "remove", "main"]).failed(1, &["there is no connection `main`"]);
}

#[test]
fn parked_events_are_shown_and_put_back() {
    let folder = Folder::new();
    let body = folder.file("product.json", r#"{"id":1,"updated_at":"2026-11-17T09:00:00Z"}"#);
    assert!(!folder.run(MORNING, &["trigger", "shopify", "products/update", &body]).status.success());
    let parked = folder.json(MORNING, &["inbox", "list", "--state", "parked"]);
    let id = parked[0]["id"].as_str().unwrap();
    let shown = folder.run(MORNING, &["inbox", "show", id]);
    assert!(shown.out.contains("\"id\":1") && shown.out.contains("Parked: "), "{}", shown.out);
    assert!(folder.run(MORNING, &["inbox", "retry", id]).status.success());
    folder.run(MORNING, &["inbox", "retry", id]).failed(1, &["is not parked"]);
    folder.run(MORNING, &["inbox", "retry", "nothing"]).failed(1, &["there is no event nothing"]);
    folder.json(MORNING, &["runs", "resume"]);
    assert_eq!(folder.json(MORNING, &["inbox", "list", "--state", "parked"]), parked);
}

/// The backup is taken before a message leaves; what comes back does not send it again.
#[test]
fn what_is_restored_sends_nothing_twice() {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    let serving = Serving::start(&folder);
    let (copies, fresh) = (Folder::empty(), Folder::empty());
    let backup = copies.path().join("backup").to_str().unwrap().to_owned();
    assert!(folder.run(MORNING, &["backup", &backup]).status.success());
    folder.run(MORNING, &["backup", &backup]).failed(1, &["is not empty; choose a new folder"]);
    serving.stop();
    let decide = |folder: &Folder| {
        let id = folder.rows("SELECT approval_id FROM approvals WHERE state = 'pending'").pop().unwrap();
        assert!(folder.run(AFTERNOON, &["approvals", "approve", &id, "--as", "nora"]).status.success());
        folder.json(AFTERNOON, &["runs", "resume"]);
    };
    decide(&folder);
    let sent = folder.mails();
    assert_eq!(sent.len(), 1);

    let restored = fresh.run(AFTERNOON, &["restore", &backup]);
    assert!(restored.out.contains("Nothing is sent until `mailwright kill off global`"), "{restored:?}");
    fresh.run(AFTERNOON, &["restore", &backup]).failed(1, &["is not empty"]);
    folder.run(AFTERNOON, &["restore", fresh.path().to_str().unwrap()]).failed(1, &["BACKUP.json"]);
    // The provider has it: here, the outbox as it went on after the backup.
    let new = fresh.path().join("outbox/new");
    std::fs::create_dir_all(&new).unwrap();
    std::fs::write(new.join(&sent[0].0), &sent[0].1).unwrap();
    decide(&fresh);
    assert_eq!(fresh.rows("SELECT state FROM sends"), [] as [&str; 0]);
    assert!(fresh.run(AFTERNOON, &["kill", "off", "global", "--as", "ops"]).status.success());
    fresh.json(AFTERNOON, &["runs", "resume"]);
    assert_eq!(fresh.rows("SELECT state FROM sends"), ["sent"]);
    assert_eq!(fresh.mails(), sent);
}
