//! A server whose storage is full, held by somebody else, damaged or gone: senders are told to come again, what was
//! acknowledged is stored, and work goes on once storage does.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use esp::Outbox;
use mailwright::clock::SetClock;
use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::server::{Limits, Secrets, Server};
use mailwright::store::{Connection, Store};
use mailwright::tenant::Parts;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use shop::Source;
use sqlx::Executor as _;
use tokio::net::TcpListener;

use super::disk::can_mount;
use crate::binary::{Folder, MORNING, block_on};
use crate::postgres;

const SECRET: &str = "between-us";

/// A signed webhook to the connection `any`: a cart of somebody who is not known.
async fn post(url: &str, event: &str) -> Response {
    let body = json!({
        "event": "cart.updated", "id": event, "triggered_at": MORNING,
        "payload": { "cart_id": event, "customer": { "id": "C-1" }, "cart": { "items": [], "total_value": "0.00" } },
    });
    let body = body.to_string();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = Client::new().post(format!("{url}/webhooks/generic/any")).header("content-type", "application/json");
    request.header("x-webhook-signature", format!("sha256={tag}")).body(body).send().await.unwrap()
}

/// The status, after how many seconds the sender may come again, and what is said.
async fn refusal(response: Response) -> (u16, String, String) {
    let after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap();
    (status, after.unwrap_or_default(), problem["detail"].as_str().unwrap().to_owned())
}

/// A shop with the connection.
fn folder() -> Folder {
    let folder = Folder::new();
    let secret = folder.file("secret.txt", SECRET);
    let told = folder.run(MORNING, &["connections", "add", "generic", "any", "--secret-file", &secret]);
    assert!(told.status.success(), "{told:?}");
    folder
}

/// A server process, killed with its test.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines.find_map(|line| {
            let line = line.unwrap();
            line.split_once(" on ").map(|(_, rest)| rest.split(';').next().unwrap().to_owned())
        });
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: url.unwrap() }
    }

    /// Ids of the events that the server says it holds.
    async fn inbox(&self, dir: &Path) -> Vec<String> {
        let token = fs::read_to_string(dir.join("admin.token")).unwrap();
        let asked = Client::new().get(format!("{}/api/v1/inbox", self.url)).bearer_auth(token.trim()).send().await;
        let listed: Value = asked.unwrap().json().await.unwrap();
        let items = listed.get("items").unwrap_or(&listed).as_array().unwrap();
        let mut ids: Vec<String> = items.iter().map(|item| item["event"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The disk fills between two webhooks: the one after it is not acknowledged, and not there; with room again it is both.
#[test]
fn a_disk_that_fills_while_webhooks_come() {
    if !can_mount() {
        return;
    }
    let (folder, mount) = (folder(), Folder::empty());
    let script = "mount -t tmpfs -o size=64m none \"$D\" && cp -a \"$FROM\"/. \"$D\" && exec \"$@\" --data \"$D\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_mailwright")]);
    command.args(["serve", "--listen", "127.0.0.1:0", "--at", MORNING]);
    command.env("D", mount.path()).env("FROM", folder.path()).env_remove("MAILWRIGHT_FAILPOINT");
    let serving = Serving::start(command);
    // The folder as the server sees it.
    let inside = PathBuf::from(format!("/proc/{}/root{}", serving.child.id(), mount.path().display()));
    let ballast = inside.join("ballast");
    block_on(async {
        assert_eq!(post(&serving.url, "before").await.status(), 200);
        let mut file = fs::File::create(&ballast).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        // A file that somebody has open keeps its room when it is deleted.
        drop(file);
        let mut refused = Vec::new();
        // What is left of the log's last page may still take a few.
        for number in 0..60 {
            let event = format!("full-{number:03}");
            let response = post(&serving.url, &event).await;
            if response.status() != 200 {
                let told = refusal(response).await;
                assert_eq!((told.0, told.1.as_str()), (503, "60"), "{}", told.2);
                assert!(told.2.contains("the disk is full; free space"), "{}", told.2);
                refused.push(format!("any:{event}"));
            }
        }
        assert!(refused.len() > 30, "only {} of 60 met a full disk", refused.len());
        // Longer than a lease lasts: a full disk is no reason to go.
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(refusal(post(&serving.url, "long-after").await).await.0, 503);
        fs::remove_file(&ballast).unwrap();
        let held = serving.inbox(&inside).await;
        assert!(held.contains(&"any:before".to_owned()));
        assert!(refused.iter().all(|event| !held.contains(event)));
        assert_eq!(post(&serving.url, "after").await.status(), 200);
        assert!(serving.inbox(&inside).await.contains(&"any:after".to_owned()));
    });
}

/// Somebody else holds the database for longer than we wait: the sender comes again, and then it is taken.
#[test]
fn a_database_that_another_process_holds() {
    let folder = folder();
    let serving = Serving::start(folder.command(MORNING, &["serve", "--listen", "127.0.0.1:0"]));
    block_on(async {
        assert_eq!(post(&serving.url, "before").await.status(), 200);
        let mut other = folder.connect().await;
        other.execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").await.unwrap();
        let (status, after, detail) = refusal(post(&serving.url, "held").await).await;
        assert_eq!((status, after.as_str()), (503, "5"), "{detail}");
        assert!(detail.contains("another process holds the database"), "{detail}");
        other.execute("ROLLBACK").await.unwrap();
        assert_eq!(post(&serving.url, "held").await.status(), 200);
        assert_eq!(serving.inbox(folder.path()).await, ["any:before", "any:held"]);
    });
}

#[test]
fn a_server_does_not_start_on_a_damaged_database() {
    let folder = folder();
    let database = folder.path().join("mailwright.db");
    let whole = fs::read(&database).unwrap();
    for damaged in [whole[..whole.len() / 2].to_vec(), b"no database".repeat(1000)] {
        fs::write(&database, &damaged).unwrap();
        let mut child = folder.command(MORNING, &["serve", "--listen", "127.0.0.1:0"]);
        let mut child = child.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
        assert!(said.contains("damaged"), "{said}");
        assert_eq!(fs::read(&database).unwrap(), damaged);
    }
}

/// The database server goes away and comes back: nothing is acknowledged meanwhile, and what was acknowledged is there.
#[test]
fn a_database_server_that_goes_and_comes_back() {
    let Some(mut database) = postgres::Server::start() else { return };
    let (dir, place, now) = (tempfile::tempdir().unwrap(), database.place(), MORNING.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open_at(dir.path(), &place).await.unwrap();
        let spec = SampleSpec { customers: 30, now, ..SampleSpec::default() };
        let id = sample_shop::set_up(&store, &spec, now, &|_, _| {}).await.unwrap();
        Secrets::of(dir.path()).keep(&id, "any", Source::Generic, SECRET).unwrap();
        let connection = Connection {
            id: "any".to_owned(),
            source: "generic".to_owned(),
            domain: String::new(),
            secret_env: None,
            api_base: None,
            api_token_env: None,
            created_at: now,
        };
        store.shop(&id).add_connection(connection, "test").await.unwrap();
        let esp = Arc::new(Outbox::open(dir.path().join("outbox")).unwrap());
        let parts = Parts::new(Arc::new(SetClock::at(now)), esp, Vec::new());
        let server = Server::open(&store, &id, parts, Limits::default()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let ended = tokio::spawn(server.run(listener, async move {
            let _ = stopped.await;
        }));
        assert_eq!(post(&url, "before").await.status(), 200);
        database.down();
        for number in 0..3 {
            let (status, after, detail) = refusal(post(&url, &format!("gone-{number}")).await).await;
            assert_eq!((status, after.as_str()), (503, "5"), "{detail}");
            assert!(!detail.contains(postgres::PASSWORD), "{detail}");
        }
        database.up();
        for event in ["gone-0", "after"] {
            assert_eq!(post(&url, event).await.status(), 200, "{event}");
        }
        let rows = store.shop(&id).inbox(None, 9).await.unwrap();
        let mut held: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        held.sort_unstable();
        assert_eq!(held, ["any:after", "any:before", "any:gone-0"]);
        let _ = stop.send(());
        ended.await.unwrap();
        store.close().await;
    });
}
