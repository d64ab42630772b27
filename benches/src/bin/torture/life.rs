//! One life of the server process, from its start to its end by force.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mailwright_bench::random::Random;
use tokio::sync::oneshot;

use crate::Failure;
use crate::esp::Provider;
use crate::shop::Shop;

/// Named places, as `mailwright::failpoint` lists them; positions of the journal are drawn.
const FAILPOINTS: [&str; 15] = [
    "after_receive",
    "after_apply",
    "after_admit",
    "before_append.N",
    "after_append.N",
    "after_model",
    "after_tools",
    "after_open",
    "after_decide",
    "before_reserve",
    "after_reserve",
    "after_begin_attempt",
    "after_deliver",
    "after_settle",
    "before_finish",
];

/// The longest a life with a failpoint may last before it is killed all the same.
const PATIENCE: Duration = Duration::from_secs(4);

/// How a life is to end.
#[derive(Debug, Clone)]
pub(crate) enum Death {
    /// `kill -9` at any time.
    Killed,
    /// At this place.
    At { name: &'static str, failpoint: String },
}

/// How it ended.
#[derive(Debug, Clone)]
pub(crate) struct Died {
    /// The failpoint it died at, if it came that far.
    pub(crate) at: Option<&'static str>,
    /// Hand-overs that had begun and were not settled, by the ledger.
    pub(crate) in_flight: Vec<String>,
}

impl Death {
    /// Every failpoint in turn, and in between any moment.
    pub(crate) fn choose(round: u32, random: &mut Random) -> Self {
        let place = usize::try_from(round / 2).unwrap_or(0) % FAILPOINTS.len();
        match FAILPOINTS.get(place) {
            Some(name) if round % 2 == 1 => {
                let position = (random.below(12) + 1).to_string();
                Self::At { name, failpoint: name.replace('N', &position) }
            }
            _ => Self::Killed,
        }
    }

    pub(crate) fn failpoint(&self) -> Option<&str> {
        match self {
            Self::Killed => None,
            Self::At { failpoint, .. } => Some(failpoint),
        }
    }

    pub(crate) fn places() -> &'static [&'static str] {
        &FAILPOINTS
    }
}

/// A server that runs.
pub(crate) struct Life<'a> {
    shop: &'a Shop,
    child: Child,
    /// Where it listens; empty when it died before.
    pub(crate) address: String,
}

impl<'a> Life<'a> {
    /// Starts the server; it may be dead already when this returns.
    pub(crate) async fn start(shop: &'a Shop, now: Timestamp, failpoint: Option<&str>) -> Result<Self, Failure> {
        let mut command = Command::new(&shop.server);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--at", &now.to_string()])
            .arg("--data")
            .arg(&shop.dir)
            .arg("--config")
            .arg(&shop.config)
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
        if address.is_empty() && failpoint.is_none() {
            let _ = child.kill();
            return Err(format!("the server did not start: {said}").into());
        }
        Ok(Self { shop, child, address })
    }

    /// Ends it by force, and looks what it left in flight.
    pub(crate) async fn die(
        mut self,
        death: &Death,
        provider: &Provider,
        random: &mut Random,
    ) -> Result<Died, Failure> {
        let at = match death {
            Death::Killed => {
                tokio::time::sleep(Duration::from_millis(u64::from(random.below(700)))).await;
                None
            }
            Death::At { name, .. } => {
                let gone = self.gone_within(PATIENCE).await?;
                gone.map(|_| *name)
            }
        };
        // SIGKILL; of a process that is gone there is nothing to kill.
        let _ = self.child.kill();
        self.child.wait()?;
        provider.next_life();
        let store = self.shop.open().await?;
        let shop = store.shop(&self.shop.id);
        let mut in_flight = Vec::new();
        for key in shop.unsettled_sends().await? {
            if shop.sent_message(key).await?.is_some_and(|row| row.attempted_at.is_some()) {
                in_flight.push(key.to_string());
            }
        }
        store.close().await;
        Ok(Died { at, in_flight })
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
            tokio::time::sleep(Duration::from_millis(10)).await;
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
