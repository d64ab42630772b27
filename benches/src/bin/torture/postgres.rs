//! A PostgreSQL server of our own, which goes away and comes back like any other.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Failure;

/// The only user; loopback alone is listened on.
const USER: &str = "mailwright";
const DATABASE: &str = "torture";
/// The system's number of the user `nobody`: the server refuses to run as root.
const NOBODY: u32 = 65534;

/// The server with its folder.
pub(crate) struct Postgres {
    dir: PathBuf,
    bin: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Postgres {
    /// Makes a server in this folder and starts it.
    pub(crate) async fn start(dir: &Path) -> Result<Self, Failure> {
        let bin = bin().ok_or("no initdb under /usr/lib/postgresql; `cargo xtask test` installs PostgreSQL")?;
        std::fs::create_dir_all(dir)?;
        if is_root() {
            std::os::unix::fs::chown(dir, Some(NOBODY), Some(NOBODY))?;
        }
        let made = as_nobody(&bin.join("initdb"))
            .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"])
            .arg("--pgdata")
            .arg(dir.join("data"))
            .current_dir(dir)
            .output()?;
        if !made.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut server = Self { dir: dir.to_owned(), bin, port, child: None };
        server.up().await?;
        let created = server.client("createdb").arg(DATABASE).status()?;
        if created.success() { Ok(server) } else { Err("createdb did not make the database".into()) }
    }

    /// The address of its database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{DATABASE}", self.port)
    }

    /// Starts it, when it does not run, and waits until it answers.
    pub(crate) async fn up(&mut self) -> Result<(), Failure> {
        for _ in 0..1200 {
            // A full disk ends it on its own account.
            let runs = match &mut self.child {
                Some(child) => child.try_wait()?.is_none(),
                None => false,
            };
            if !runs {
                self.child = Some(self.spawn()?);
            }
            if self.client("pg_isready").arg("-q").status()?.success() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the PostgreSQL server does not answer".into())
    }

    /// Ends it as a crash would: connections break, nothing is said.
    pub(crate) fn down(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.child.take() {
            // SIGQUIT: its own word for an immediate shutdown.
            Command::new("kill").args(["-QUIT", &child.id().to_string()]).status()?;
            child.wait()?;
        }
        Ok(())
    }

    fn spawn(&self) -> Result<Child, Failure> {
        let mut command = as_nobody(&self.bin.join("postgres"));
        command.arg("-D").arg(self.dir.join("data")).arg("-k").arg(&self.dir);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-F"]);
        // The disk is small, and is to be filled by us alone.
        command.args(["-c", "max_connections=60", "-c", "max_wal_size=96MB", "-c", "min_wal_size=32MB"]);
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.spawn()?)
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Nothing is left to be told to: the folder goes with the process.
        let _ = self.down();
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// A command that runs without rights and ends with the thread that starts it.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "QUIT", "--"]).arg(program);
    command.env("LC_ALL", "C.UTF-8").env_remove("PGDATA").env_remove("PGPORT");
    command
}

/// Where the newest server's programs are.
fn bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    versions.filter(|bin| bin.join("initdb").exists()).max()
}
