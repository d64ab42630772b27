//! The built binary, run as its users run it: on a data folder of its own that holds a small sample shop.
//!
//! The shop is set up once for all tests and copied for each. What a command left behind is read from outside, with SQL and
//! from the outbox, so that nothing under test tells about itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::store::{Approval, DATABASE, InboxEvent, JournalRow, ParkedState, Run, Store};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

/// When the webhook of the story comes.
pub(crate) const MORNING: &str = "2026-11-17T10:00:00Z";
/// When its run is due, its approval is pending, and it is day wherever the sample shop sells.
pub(crate) const AFTERNOON: &str = "2026-11-17T15:00:00Z";

/// A data folder that goes away with its test.
pub(crate) struct Folder {
    dir: TempDir,
}

/// A run with what is stored about it, opened: in the tables it is sealed.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) run: Run,
    pub(crate) journal: Vec<JournalRow>,
    pub(crate) parked: Option<ParkedState>,
    pub(crate) signals: Vec<(u32, String)>,
    pub(crate) approvals: Vec<Approval>,
}

impl Opened {
    /// How it ended, as stored.
    pub(crate) fn outcome(&self) -> &str {
        self.run.outcome.as_deref().unwrap_or_default()
    }
}

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    /// A copy of the sample shop in which nothing has happened yet.
    pub(crate) fn new() -> Self {
        let folder = Self::empty();
        copy_dir(sample(), folder.path());
        folder
    }

    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Another folder with the same content.
    pub(crate) fn copy(&self) -> Self {
        let folder = Self::empty();
        copy_dir(self.path(), folder.path());
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The binary with these arguments, ready to be started at this time of the shop. A decision is about what was looked
    /// at: whoever approves has looked before, unless they say what they saw.
    pub(crate) fn command(&self, at: &str, args: &[&str]) -> Command {
        if let ["approvals", "approve", id, ..] = args
            && !args.contains(&"--seen")
            && !self.path().join(format!("looks/{id}.seen")).exists()
        {
            let _ = self.command(at, &["approvals", "show", id]).output().unwrap();
        }
        let mut command = bare(args);
        command.arg("--data").arg(self.path()).args(["--at", at]);
        command
    }

    pub(crate) fn run(&self, at: &str, args: &[&str]) -> Told {
        told(&mut self.command(at, args))
    }

    /// Runs a command that must succeed and print one JSON document.
    #[track_caller]
    pub(crate) fn json(&self, at: &str, args: &[&str]) -> Value {
        let told = self.run(at, &[args, &["--json"]].concat());
        assert!(told.status.success(), "{args:?}: {told:?}");
        serde_json::from_str(&told.out).unwrap_or_else(|e| panic!("{args:?}: {e}\n{}", told.out))
    }

    /// The first column of the rows of a query.
    pub(crate) fn rows(&self, sql: &'static str) -> Vec<String> {
        block_on(async {
            let mut connection = self.connect().await;
            let rows = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            rows
        })
    }

    /// Every run, by id.
    pub(crate) fn opened(&self) -> Vec<Opened> {
        block_on(async {
            let store = Store::open(self.path()).await.unwrap();
            let mut opened = Vec::new();
            for id in store.shop(&kit::ShopId::new("any").unwrap()).shop_ids().await.unwrap() {
                let shop = store.shop(&kit::ShopId::new(id).unwrap());
                for run in shop.runs(1000).await.unwrap() {
                    opened.push(Opened {
                        journal: shop.journal(&run.id).await.unwrap(),
                        parked: shop.parked_state(&run.id).await.unwrap(),
                        signals: shop.signals(&run.id).await.unwrap(),
                        approvals: shop.approvals_of(&run.id).await.unwrap(),
                        run,
                    });
                }
            }
            store.close().await;
            opened.sort_by(|a, b| a.run.id.cmp(&b.run.id));
            opened
        })
    }

    /// Every event of the inbox, by id.
    pub(crate) fn events(&self) -> Vec<InboxEvent> {
        let ids = self.rows("SELECT event_id FROM inbox ORDER BY event_id");
        block_on(async {
            let store = Store::open(self.path()).await.unwrap();
            let any = store.shop(&kit::ShopId::new("any").unwrap());
            let shop = store.shop(&kit::ShopId::new(any.shop_ids().await.unwrap().remove(0)).unwrap());
            let mut events = Vec::new();
            for id in ids {
                events.push(shop.event(&kit::EventId::new(id).unwrap()).await.unwrap().unwrap());
            }
            store.close().await;
            events
        })
    }

    /// Runs a statement with a value behind the program's back: such a value stands as databases from before hold it, which
    /// did not seal.
    pub(crate) fn write(&self, sql: &'static str, value: &str) {
        block_on(async {
            let mut connection = self.connect().await;
            let done = sqlx::query(sql).bind(value).execute(&mut connection).await.unwrap();
            assert_ne!(done.rows_affected(), 0, "{sql}");
            connection.close().await.unwrap();
        });
    }

    pub(crate) async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path().join(DATABASE)).connect().await.unwrap()
    }

    /// The mails in the outbox, by file name.
    pub(crate) fn mails(&self) -> Vec<(String, String)> {
        let new = self.path().join("outbox/new");
        let Ok(entries) = fs::read_dir(new) else { return Vec::new() };
        let mut mails: Vec<(String, String)> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        mails.sort();
        mails
    }

    /// Everything that a command may change, as lines.
    pub(crate) fn state(&self) -> Vec<String> {
        let mut lines: Vec<String> = STATE.iter().flat_map(|sql| self.rows(sql)).collect();
        lines.extend(self.opened().iter().map(|run| format!("outcome {} {}", run.run.id, run.outcome())));
        lines.extend(self.mails().into_iter().map(|(name, mail)| format!("mail {name} {mail}")));
        lines
    }

    /// Writes a file for a command to read, outside the data folder's own files.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let folder = self.path().join("given");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

const STATE: [&str; 14] = [
    "SELECT 'release ' || active_release FROM shops",
    "SELECT 'products ' || COUNT(*) || ' ' || SUM(price_minor) || ' ' || SUM(stock) FROM products",
    "SELECT 'customers ' || COUNT(*) || ' ' || COUNT(email) FROM customers",
    "SELECT 'consents ' || COUNT(*) FROM consents",
    "SELECT 'orders ' || COUNT(*) || ' ' || SUM(total_minor) FROM orders",
    "SELECT 'activity ' || COUNT(*) FROM activity",
    "SELECT 'tickets ' || COUNT(*) FROM tickets",
    "SELECT 'inbox ' || event_id || ' ' || state || ' ' || COALESCE(note, '') FROM inbox ORDER BY event_id",
    "SELECT 'run ' || run_id || ' ' || state || ' ' || COALESCE(wait_for, '') FROM runs ORDER BY run_id",
    "SELECT 'journal ' || run_id || ' ' || seq || ' ' || input_hash FROM journal ORDER BY run_id, seq",
    "SELECT 'signal ' || run_id || ' ' || seq || ' ' || consumed FROM signals ORDER BY run_id, seq",
    "SELECT 'approval ' || approval_id || ' ' || state || ' ' || version || ' ' || COALESCE(used_by, '') FROM approvals ORDER BY approval_id",
    "SELECT 'send ' || dedupe_key || ' ' || state || ' ' || COALESCE(detail, '') FROM sends ORDER BY dedupe_key",
    "SELECT 'audit ' || seq || ' ' || who || ' ' || action || ' ' || subject FROM audit ORDER BY seq",
];

impl Told {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { status: output.status, out: text(&output.stdout), err: text(&output.stderr) }
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Passes when the command failed with this code and its message holds these words, one after the other.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code(), Some(code), "{self:?}");
        let mut rest = self.err.as_str();
        for word in words {
            let found = rest.split_once(word);
            rest = found.unwrap_or_else(|| panic!("`{word}` is not said:\n{}", self.err)).1;
        }
    }
}

/// The binary with these arguments and nothing of the environment that could change what it does.
pub(crate) fn bare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailwright"));
    command.args(args).stdin(Stdio::null());
    for name in [
        "MAILWRIGHT_FAILPOINT",
        "MAILWRIGHT_API_KEY",
        "MAILWRIGHT_LOG",
        "MAILWRIGHT_STORE_PASSWORD",
        "MAILWRIGHT_TOKEN",
        "MAILWRIGHT_TOKEN_FILE",
    ] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn told(command: &mut Command) -> Told {
    Told::of(&command.output().unwrap())
}

/// A webhook body of the sample shop, as a file.
pub(crate) fn webhook(name: &str) -> String {
    format!("{}/knowledge/sample-shop/webhooks/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The sample shop with few people, set up once for each build of the binary.
fn sample() -> &'static Path {
    static SAMPLE: OnceLock<PathBuf> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let built = fs::metadata(env!("CARGO_BIN_EXE_mailwright")).unwrap().modified().unwrap();
        let built = built.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let home = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let ready = home.join(format!("sample-shop-{built}"));
        if ready.exists() {
            return ready;
        }
        forget_older(home);
        let fresh = TempDir::with_prefix_in("setting-up-", home).unwrap();
        block_on(set_up(fresh.path()));
        // Another process may have been faster; its shop is the same.
        if fs::rename(fresh.path(), &ready).is_ok() {
            let _ = fresh.keep();
        }
        ready
    })
}

/// Shops of earlier builds go; those of today may be in use by another run of the tests.
fn forget_older(home: &Path) {
    for entry in fs::read_dir(home).unwrap().flatten() {
        let is_shop = entry.file_name().to_str().is_some_and(|name| name.starts_with("sample-shop-"));
        let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
        if is_shop && age.is_some_and(|age| age > Duration::from_secs(24 * 3600)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

async fn set_up(dir: &Path) {
    let store = Store::open(dir).await.unwrap();
    let spec = SampleSpec { customers: 60, ..SampleSpec::default() };
    sample_shop::set_up(&store, &spec, MORNING.parse().unwrap(), &|_, _| {}).await.unwrap();
    store.close().await;
    // Stories are told at times that stand still: the minute in which an approval can be recalled would never be over.
    let mut connection = SqliteConnectOptions::new().filename(dir.join(DATABASE)).connect().await.unwrap();
    let at_once = "UPDATE shops SET limits = REPLACE(limits, '\"recall_seconds\":60', '\"recall_seconds\":0')";
    sqlx::query(at_once).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
