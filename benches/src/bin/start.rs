//! Starting: what parked runs cost, and how long until a server answers.
//!
//! Opening a folder with parked runs stands beside opening an empty one, and a server that is ready beside the same program
//! saying its version, each the median of several starts of the same minute.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use kit::{CustomerId, Digest, FlowId, RunId, ShopId, StoreError, Timestamp};
use mailwright::sample::SampleSpec;
use mailwright::store::{JournalRow, NewRun, ParkedState, ShopStore, Store};
use mailwright_bench::meter::resident_kb;
use mailwright_bench::stats::{millis, percentile};
use serde::Serialize;
use tokio::task::JoinSet;

/// Starts: parked runs, and a server on the sample shop
#[derive(Debug, Parser)]
#[command(after_help = "Example: cargo xtask bench start --parked 1000000")]
struct Args {
    /// Runs that wait for a person
    #[arg(long, default_value_t = 100_000)]
    parked: u64,
    /// Bytes of the machine state that each of them has stored
    #[arg(long, default_value_t = 200)]
    state_bytes: usize,
    /// Starts of each kind
    #[arg(long, default_value_t = 7)]
    starts: usize,
    /// The program to start as a server; the one beside this benchmark if not given
    #[arg(long)]
    server: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

macro_rules! fails_with {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        }
    )+};
}

fails_with!(
    StoreError,
    kit::InvalidId,
    mailwright::sample_shop::SetUpError,
    mailwright::store::OpenError,
    serde_json::Error,
    std::io::Error,
    tokio::task::JoinError,
);

/// The last line.
#[derive(Debug, Serialize)]
struct Report {
    parked: u64,
    /// Opening a folder and asking for what is due.
    open_ms: f64,
    open_empty_ms: f64,
    /// Memory that an open folder takes beyond an empty one, for each parked run.
    bytes_per_parked_run: f64,
    /// From starting the program to a 200 of `/readyz`.
    ready_ms: f64,
    /// The same program, saying its version.
    version_ms: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let (empty, full) = (tempfile::tempdir()?, tempfile::tempdir()?);
    Store::open(empty.path()).await?.close().await;
    let store = Store::open(full.path()).await?;
    park(&store.shop(&shop()?), args.parked, args.state_bytes).await?;
    store.close().await;

    // Once each before anything is measured: what the first opening leaves in the process is nobody's.
    for dir in [&empty, &full] {
        open(dir.path()).await?;
    }
    let (mut of_empty, mut of_full, mut grown) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.starts {
        let (time, kb) = open(empty.path()).await?;
        of_empty.push(time);
        let (more, full_kb) = open(full.path()).await?;
        of_full.push(more);
        grown.push(full_kb.saturating_sub(kb));
    }
    grown.sort_unstable();
    let grown = grown.get(grown.len() / 2).copied().unwrap_or(0);
    let program = match args.server {
        Some(program) => program,
        None => std::env::current_exe()?.with_file_name("mailwright"),
    };
    let (ready_ms, version_ms) = serve(&program, args.starts).await?;
    let report = Report {
        parked: args.parked,
        open_ms: median(of_full),
        open_empty_ms: median(of_empty),
        bytes_per_parked_run: grown as f64 * 1024.0 / args.parked.max(1) as f64,
        ready_ms,
        version_ms,
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    millis(percentile(&times, 50))
}

fn shop() -> Result<ShopId, kit::InvalidId> {
    ShopId::new("bench")
}

/// Opens a folder, asks what is due, and says how long that took and how much memory the process has then.
async fn open(dir: &Path) -> Result<(Duration, i64), Failure> {
    let began = Instant::now();
    let store = Store::open(dir).await?;
    let due = store.shop(&shop()?).due_runs(Timestamp::now()).await?;
    let (time, kb) = (began.elapsed(), resident_kb());
    store.close().await;
    if due.is_empty() { Ok((time, kb)) } else { Err(Failure(format!("{} runs are due, of none", due.len()))) }
}

/// Begins runs and lets each wait for a person until next year.
async fn park(shop: &ShopStore, runs: u64, state_bytes: usize) -> Result<(), Failure> {
    const AT_A_TIME: u64 = 256;
    let mut workers = JoinSet::new();
    for worker in 0..AT_A_TIME {
        let shop = shop.clone();
        workers.spawn(async move {
            for number in (worker..runs).step_by(AT_A_TIME as usize) {
                park_one(&shop, number, state_bytes).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(done) = workers.join_next().await {
        done??;
    }
    Ok(())
}

async fn park_one(shop: &ShopStore, number: u64, state_bytes: usize) -> Result<(), Failure> {
    let now = Timestamp::now();
    let id = RunId::from_digest("run", &Digest::of_bytes(&number.to_be_bytes()));
    let new = NewRun {
        id: id.clone(),
        flow: FlowId::new("abandoned-checkout")?,
        customer: CustomerId::from_digest("cus", &Digest::of_bytes(&number.to_be_bytes())),
        occasion: id.to_string(),
        step: 1,
        due: now,
        cause: "bench".to_owned(),
        supersede: None,
        release: Digest::of_bytes(b"release"),
        plan: serde_json::json!({ "subject": { "triggered_at": now } }).to_string(),
    };
    shop.admit(new, now).await?;
    let start = JournalRow {
        seq: 1,
        step: "start".to_owned(),
        input_hash: Digest::of_bytes(b"start"),
        body: "{}".to_owned(),
        at: now,
    };
    shop.begin_run(&id, 1, start).await?;
    let until = now.checked_add(jiff::SignedDuration::from_hours(24 * 365)).unwrap_or(now);
    let parked = ParkedState { seq: 1, version: 1, body: "s".repeat(state_bytes) };
    shop.rest_run(&id, Some(until), "an approval".to_owned(), parked, now).await?;
    Ok(())
}

/// Starts the program as a server over the sample shop, and to say its version, in turn; both medians in milliseconds.
async fn serve(program: &Path, starts: usize) -> Result<(f64, f64), Failure> {
    let dir = tempfile::tempdir()?;
    let store = Store::open(dir.path()).await?;
    mailwright::sample_shop::set_up(&store, &SampleSpec::default(), Timestamp::now(), &|_, _| {}).await?;
    store.close().await;
    let (mut ready, mut version) = (Vec::new(), Vec::new());
    for _ in 0..starts {
        let began = Instant::now();
        Command::new(program).arg("--version").stdout(Stdio::null()).status()?;
        version.push(began.elapsed());

        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let began = Instant::now();
        let mut command = Command::new(program);
        command.arg("--data").arg(dir.path()).args(["serve", "--listen", &address.to_string()]);
        let server = Killed(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let time = loop {
            if is_ready(address) {
                break began.elapsed();
            }
            if began.elapsed() > Duration::from_secs(60) {
                return Err(Failure(format!("{} does not get ready", program.display())));
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        ready.push(time);
        drop(server);
    }
    Ok((median(ready), median(version)))
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(100))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// A process that ends with its measurement.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
