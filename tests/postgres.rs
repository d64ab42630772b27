//! A real PostgreSQL server that the tests start themselves: one for all tests of the process, a database for each, and
//! servers of their own for tests that stop and start them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mailwright::store::{Address, Place};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

/// The only user, and the password without which it is not let in.
const USER: &str = "mailwright";
pub(crate) const PASSWORD: &str = "only-for-tests";

/// A server that ends with its test.
pub(crate) struct Server {
    dir: TempDir,
    port: u16,
    bin: PathBuf,
    child: Option<Child>,
    databases: AtomicU32,
}

impl Server {
    /// A server of this test's own; `None`, with the reason printed, where PostgreSQL cannot be had.
    pub(crate) fn start() -> Option<Self> {
        let made = Self::make();
        if let Err(why) = &made {
            println!("skipped: no PostgreSQL server ({why})");
        }
        made.ok()
    }

    fn make() -> Result<Self, String> {
        let bin = bin().ok_or("no initdb under /usr/lib/postgresql; `cargo xtask test` installs it where it may")?;
        let dir = TempDir::with_prefix("mailwright-pg-").map_err(|e| e.to_string())?;
        if is_root() {
            // The server refuses to run as root.
            std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).map_err(|e| e.to_string())?;
        }
        let secret = dir.path().join("password");
        fs::write(&secret, PASSWORD).map_err(|e| e.to_string())?;
        if is_root() {
            std::os::unix::fs::chown(&secret, Some(NOBODY), Some(NOBODY)).map_err(|e| e.to_string())?;
        }
        let made = as_nobody(&bin.join("initdb"))
            .args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync", "--pwfile"])
            .arg(&secret)
            // The test of byte order means something only where the server would sort by a language.
            .args(["--locale-provider", "icu", "--icu-locale", "de", "--locale", "C.UTF-8", "--pgdata"])
            .arg(dir.path().join("data"))
            .current_dir(dir.path())
            .output()
            .map_err(|e| e.to_string())?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned());
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(|e| e.to_string())?.port();
        let mut server = Self { dir, port, bin, child: None, databases: AtomicU32::new(0) };
        server.up();
        Ok(server)
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn up(&mut self) {
        let mut command = as_nobody(&self.bin.join("postgres"));
        command.arg("-D").arg(self.dir.path().join("data")).arg("-k").arg(self.dir.path());
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-F", "-c", "max_connections=300"]);
        command.current_dir(self.dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        for _ in 0..600 {
            let asked = Command::new(self.bin.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()
                .unwrap();
            if asked.success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the PostgreSQL server does not answer");
    }

    /// Stops the server as a crash would: connections break, nothing is said.
    pub(crate) fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            // SIGQUIT: its own word for an immediate shutdown.
            Command::new("kill").args(["-QUIT", &child.id().to_string()]).status().unwrap();
            child.wait().unwrap();
        }
    }

    /// The URL of a database, with the user and without the password.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// A new database, by name.
    pub(crate) fn database(&self) -> String {
        let name = format!("shop_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let (url, create) = (self.admin_url(), format!("CREATE DATABASE {name}"));
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let mut connection = PgConnection::connect(&url).await.unwrap();
                connection.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
                connection.close().await.unwrap();
            });
        })
        .join()
        .unwrap();
        name
    }

    /// A new database, as a store's place.
    pub(crate) fn place(&self) -> Place {
        Place::Postgres(Address::parse(&self.url(&self.database()), Some(PASSWORD)).unwrap())
    }

    fn admin_url(&self) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// The first column of the rows of a query, asked from outside.
    pub(crate) async fn rows(&self, database: &str, sql: &'static str) -> Vec<String> {
        let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port);
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let rows = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

/// The server that tests share; it ends with the process.
pub(crate) fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            forget_dead();
            // The kernel stops the server when the thread that started it ends, so that thread stays.
            let (told, server) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                told.send(Server::start()).unwrap();
                loop {
                    std::thread::park();
                }
            });
            let server = server.recv().unwrap()?;
            fs::write(server.dir.path().join("owner"), std::process::id().to_string()).unwrap();
            Some(server)
        })
        .as_ref()
}

/// A process that ends takes its server along, but not the server's folder.
fn forget_dead() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with("mailwright-pg-"));
        let owner = fs::read_to_string(entry.path().join("owner")).unwrap_or_default();
        if ours && !owner.is_empty() && !Path::new("/proc").join(owner).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The system's number of the user `nobody`.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// A command that runs without rights and ends with the thread that starts it.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "QUIT", "--"]).arg(program);
    // Its messages are for the tests, whatever language the machine speaks.
    command.env("LC_ALL", "C.UTF-8").env_remove("PGDATA").env_remove("PGPORT");
    command
}

/// Where the newest server's programs are.
fn bin() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    versions.filter(|bin| bin.join("initdb").exists()).max()
}
