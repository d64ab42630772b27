//! The agent loop: what a scripted run costs through the real machine, model client, registry and journal.
//!
//! The floor, the same script with nothing around it, is a program of its own; compare `cpu_ms_per_run` with its figure of
//! the same minute. A run is six model calls and seven tool calls. One thread drives them all, as in the floor.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

mod durable;
mod plain;
mod scenario;
mod subject;
mod tools;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use agent::Machine;
use clap::{Parser, ValueEnum};
use mailwright::model::ChatModel;
use mailwright::model::openai::{OpenAi, Profile, Secret};
use mailwright_bench::meter::{forget_peak, peak_kb, process_cpu, resident_kb};
use mailwright_bench::stats::{millis, percentile};
use serde::Serialize;
use tokio::task::JoinSet;

use durable::{Durable, bytes_in};
use scenario::Scenario;
use subject::run_id;

/// The agent loop against a scripted model server
#[derive(Debug, Parser)]
#[command(after_help = "Example: cargo xtask bench agent --base-url http://127.0.0.1:8765/v1 --scenario scenario.json")]
struct Args {
    /// The scripted Chat Completions server
    #[arg(long, default_value = "http://127.0.0.1:8765/v1")]
    base_url: String,
    /// System prompt, task, tools and their canned results, as JSON
    #[arg(long)]
    scenario: PathBuf,
    /// Runs in all
    #[arg(long, default_value_t = 1000)]
    runs: u64,
    /// Runs at a time
    #[arg(long, default_value_t = 32)]
    concurrency: u64,
    /// Play runs to their end, or park each at its approval
    #[arg(long, value_enum, default_value_t = Mode::Throughput)]
    mode: Mode,
    /// Where steps are recorded
    #[arg(long, value_enum, default_value_t = Journal::None)]
    journal: Journal,
    /// An empty folder for the database; a temporary one if not given
    #[arg(long)]
    data: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    Throughput,
    Suspend,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Journal {
    None,
    Sqlite,
}

/// How a run ended.
#[derive(Debug)]
enum Ended {
    Done,
    /// It waits for a person; without a journal the machine has to be kept.
    Waiting(#[expect(dead_code, reason = "only its memory matters")] Option<Box<Machine>>),
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl Failure {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

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
    agent::Mismatch,
    kit::StoreError,
    kit::tool::RegistryError,
    mailwright::model::ModelError,
    mailwright::runs::DriveError,
    mailwright::store::OpenError,
    serde_json::Error,
    std::io::Error,
    tokio::task::JoinError,
);

/// The last line.
#[derive(Debug, Serialize)]
struct Report {
    runs: u64,
    wall_s: f64,
    cpu_s: f64,
    cpu_ms_per_run: f64,
    p50_ms: f64,
    p99_ms: f64,
    rss_before_kb: i64,
    rss_kb: i64,
    rss_peak_kb: i64,
    db_bytes: u64,
    /// Of one run, with a journal: the bytes of its rows, and of the messages that were new in it.
    journal_bytes_per_run: u64,
    message_bytes_per_run: u64,
}

/// What all runs share.
struct Stage {
    scenario: Arc<Scenario>,
    model: Arc<dyn ChatModel>,
    durable: Option<Durable>,
    expects: Mode,
    next: AtomicU64,
    runs: u64,
}

impl Stage {
    async fn play(&self, number: u64) -> Result<Ended, Failure> {
        let run = run_id(number);
        let ended = match &self.durable {
            Some(durable) => durable.play(&run).await?,
            None => plain::play(&self.scenario, self.model.as_ref(), &run).await?,
        };
        match (self.expects, &ended) {
            (Mode::Throughput, Ended::Done) | (Mode::Suspend, Ended::Waiting(_)) => Ok(ended),
            (Mode::Throughput, Ended::Waiting(_)) => Err(Failure::new(format!("{run} waits for a person"))),
            (Mode::Suspend, Ended::Done) => Err(Failure::new(format!("{run} did not wait for a person"))),
        }
    }

    /// Plays runs one after the other until none is left.
    async fn work(self: Arc<Self>) -> Result<Vec<(Duration, Ended)>, Failure> {
        let mut played = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.runs {
                return Ok(played);
            }
            let began = Instant::now();
            let ended = self.play(number).await?;
            played.push((began.elapsed(), ended));
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let scenario = Arc::new(Scenario::read(&args.scenario, args.mode == Mode::Suspend)?);
    let profile = Profile { api_key: Secret::new("sk-mock"), ..Profile::new("mock-1", &args.base_url, "mock-1") };
    let model: Arc<dyn ChatModel> = Arc::new(OpenAi::new(profile)?);
    let temporary = tempfile::tempdir()?;
    let dir = args.data.as_deref().unwrap_or(temporary.path());
    let durable = match args.journal {
        Journal::None => None,
        Journal::Sqlite => Some(Durable::open(dir, scenario.clone(), model.clone()).await?),
    };
    let next = AtomicU64::new(0);
    let stage = Arc::new(Stage { scenario, model, durable, expects: args.mode, next, runs: args.runs });

    forget_peak();
    let (rss_before_kb, cpu, wall) = (resident_kb(), process_cpu(), Instant::now());
    let mut workers: JoinSet<_> = (0..args.concurrency).map(|_| stage.clone().work()).collect();
    let mut played = Vec::new();
    while let Some(worker) = workers.join_next().await {
        played.extend(worker??);
    }
    let (wall, cpu) = (wall.elapsed(), process_cpu().saturating_sub(cpu));
    let (rss_kb, rss_peak_kb) = (resident_kb(), peak_kb());

    let (mut times, parked): (Vec<Duration>, Vec<Ended>) = played.into_iter().unzip();
    times.sort_unstable();
    drop(parked);
    let (mut db_bytes, mut journal_bytes, mut message_bytes) = (0, 0, 0);
    if let Some(durable) = Arc::into_inner(stage).and_then(|stage| stage.durable) {
        (journal_bytes, message_bytes) = durable.bytes_of(&run_id(0)).await?;
        durable.close().await;
        db_bytes = bytes_in(dir)?;
    }
    let report = Report {
        runs: args.runs,
        wall_s: wall.as_secs_f64(),
        cpu_s: cpu.as_secs_f64(),
        cpu_ms_per_run: millis(cpu) / args.runs.max(1) as f64,
        p50_ms: millis(percentile(&times, 50)),
        p99_ms: millis(percentile(&times, 99)),
        rss_before_kb,
        rss_kb,
        rss_peak_kb,
        db_bytes,
        journal_bytes_per_run: journal_bytes,
        message_bytes_per_run: message_bytes,
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
