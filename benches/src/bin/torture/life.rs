//! One life of the server process, from its start to its end by force.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::Failure;
use crate::plan::Death;
use crate::shop::Shop;

/// SIGABRT: how a process ends at a failpoint.
const ABORTED: i32 = 6;

/// How a life ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// By `kill -9`.
    Killed,
    /// At the failpoint that was set.
    At(&'static str),
    /// By itself, which only trouble excuses.
    Alone(ExitStatus),
}

/// A server that runs.
pub(crate) struct Life {
    child: Child,
    /// Where it listens; empty when it died before.
    pub(crate) address: String,
    /// What it said instead of where it listens.
    pub(crate) said: String,
}

impl Life {
    /// Starts the server; it may be dead already when this returns.
    pub(crate) async fn start(shop: &Shop, failpoint: Option<&str>) -> Result<Self, Failure> {
        let mut command = Command::new(&shop.server);
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(&shop.dir)
            .arg("--config")
            .arg(&shop.config)
            .env("MAILWRIGHT_CLOCK_FILE", &shop.clock)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(url) = &shop.store {
            command.args(["--store", url]);
        }
        if let Some(name) = failpoint {
            command.env("MAILWRIGHT_FAILPOINT", name);
        }
        let mut child = command.spawn()?;
        let err = child.stderr.take().ok_or("the server has no standard error")?;
        let (told, listens) = oneshot::channel();
        std::thread::spawn(move || listen(BufReader::new(err), told));
        let (address, said) = listens.await?;
        Ok(Self { child, address, said })
    }

    /// Lets it live as long as it is to, and ends it by force.
    pub(crate) async fn end(mut self, death: &Death) -> Result<End, Failure> {
        let (place, limit) = match death {
            Death::Killed(after) => (None, *after),
            Death::At { name, patience, .. } => (Some(*name), *patience),
        };
        if let Some(status) = self.gone_within(limit).await? {
            return Ok(match place {
                Some(name) if status.signal() == Some(ABORTED) => End::At(name),
                _ => End::Alone(status),
            });
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(End::Killed)
    }

    /// How it ended, if it does in this time.
    async fn gone_within(&mut self, limit: Duration) -> Result<Option<ExitStatus>, Failure> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if began.elapsed() > limit {
                return Ok(None);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops it as a service manager does.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        match self.gone_within(Duration::from_secs(60)).await? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("the server stopped with {status}").into()),
            None => Err("the server does not stop".into()),
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // When torture itself fails, no server stays behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a server says until it goes: where it listens first of all, or what it said instead.
fn listen(mut err: impl BufRead, told: oneshot::Sender<(String, String)>) {
    let (mut told, mut said, mut line) = (Some(told), String::new(), String::new());
    while err.read_line(&mut line).is_ok_and(|read| read > 0) {
        if let Some((_, rest)) = line.split_once("on http://")
            && let Some(told) = told.take()
        {
            let address = rest.split(';').next().unwrap_or_default().to_owned();
            let _ = told.send((address, String::new()));
        }
        if told.is_some() {
            said.push_str(&line);
        }
        line.clear();
    }
    if let Some(told) = told {
        let _ = told.send((String::new(), said));
    }
}
