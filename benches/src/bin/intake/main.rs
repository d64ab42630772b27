//! Webhook intake: events a second that are verified, stored and answered, beside a bare loop of group commits.
//!
//! Both get the same bodies from the same number of callers at a time, each waiting for its answer, on files of the same
//! disk, in turns. Ours are requests over loopback connections that stay open: head and body are read, the signature is
//! checked, repeats are looked for, the body is parsed, and the row is on disk before the answer. The floor inserts id and
//! body. Times are of the wall clock here, since waiting for the disk is what intake does.
//!
//! The exit code is 1 when ours is slower than half the floor's rate, or its p99 longer than three times the floor's.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

mod events;
mod floor;
mod ours;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use mailwright_bench::stats::{millis, percentile};
use serde::Serialize;
use serde_json::json;

use events::Event;

/// Of the floor's rate, what ours has at least; of its p99, what ours takes at most (design.md, section 9).
const RATE: f64 = 0.5;
const TAIL: f64 = 3.0;

/// Webhook intake beside a bare loop of group commits
#[derive(Debug, Clone, Parser)]
#[command(after_help = "Example: cargo xtask bench intake --events 20000 --callers 64")]
struct Args {
    /// Events a round
    #[arg(long, default_value_t = 10_000)]
    events: u32,
    /// Callers at a time
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// Rounds of each; the median round counts
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Let the workers work events in meanwhile, which intake itself does not wait for
    #[arg(long)]
    workers: bool,
    /// Where the files lie while it runs; the system's folder for temporary files unless it is said
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What stops the benchmark itself.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One round.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Round {
    /// Events a second.
    rate: f64,
    /// Milliseconds from asking to the answer.
    p50: f64,
    p99: f64,
}

impl Round {
    fn of(mut times: Vec<Duration>, took: Duration) -> Self {
        times.sort_unstable();
        let rate = times.len() as f64 / took.as_secs_f64();
        Self { rate, p50: millis(percentile(&times, 50)), p99: millis(percentile(&times, 99)) }
    }
}

/// Gives each of the callers its part of the events, and waits for all answers.
pub(crate) async fn drive<C, F>(events: &Arc<Vec<Event>>, callers: usize, caller: C) -> Result<Round, Failure>
where
    C: Fn(Arc<Vec<Event>>, usize) -> F,
    F: Future<Output = Result<Vec<Duration>, Failure>> + Send + 'static,
{
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers).map(|first| tokio::spawn(caller(events.clone(), first))).collect();
    let mut times = Vec::with_capacity(events.len());
    for task in tasks {
        times.extend(task.await??);
    }
    Ok(Round::of(times, began.elapsed()))
}

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let args = Args::parse();
    let dir = match &args.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let shop = ours::Served::start(&dir.path().join("ours"), args.workers).await?;
    let (mut floors, mut own) = (Vec::new(), Vec::new());
    for round in 0..args.rounds {
        let events = Arc::new(events::make(round, args.events));
        floors.push(floor::round(&dir.path().join(format!("floor-{round}.db")), &events, args.callers).await?);
        own.push(shop.round(&events, args.callers).await?);
    }
    let stored = shop.stored().await?;
    let expected = u64::from(args.rounds) * u64::from(args.events);
    if stored != expected {
        return Err(format!("{expected} events were acknowledged, {stored} are stored").into());
    }
    Ok(tell(&args, &floors, &own))
}

fn tell(args: &Args, floors: &[Round], own: &[Round]) -> ExitCode {
    println!("{} rounds of {} events, {} callers", args.rounds, args.events, args.callers);
    println!("{:<12} {:>10} {:>9} {:>9}", "", "events/s", "p50 ms", "p99 ms");
    for (floor, ours) in floors.iter().zip(own) {
        for (name, round) in [("floor", floor), ("ours", ours)] {
            println!("{name:<12} {:>10.0} {:>9.2} {:>9.2}", round.rate, round.p50, round.p99);
        }
    }
    let (floor, ours) = (middle(floors), middle(own));
    let (rate, tail) = (ours.rate / floor.rate, ours.p99 / floor.p99);
    println!("ours over floor: rate {rate:.2} (at least {RATE}), p99 {tail:.2} (at most {TAIL})");
    let kept = rate >= RATE && tail <= TAIL;
    println!("{}", json!({ "floor": floor, "ours": ours, "rate": rate, "p99": tail, "kept": kept }));
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The median of each figure: a disturbed round does not count.
fn middle(rounds: &[Round]) -> Round {
    let of = |figure: fn(&Round) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    Round { rate: of(|round| round.rate), p50: of(|round| round.p50), p99: of(|round| round.p99) }
}
