//! The eval harness: cases per CPU second through the whole pipeline, beside the agent machine alone.
//!
//! A one-call case is a cart event for somebody who may be written to, answered by a model that decides at once to send
//! nothing: parsed, stored, admitted, driven, journaled, judged. A whole case is one that the offline model writes, code
//! renders and the oracle reads. The floor is what nobody can leave out: the body parsed, and the machine asked and
//! answered, with no store, no shop and no judge.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

mod bare;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use mailwright::eval::run::{Options, run};
use mailwright::eval::stage::{MakeModel, Props};
use mailwright::eval::suite::Suite;
use mailwright::model::offline::OfflineModel;
use mailwright::{release, sample_shop};
use mailwright_bench::meter::{peak_kb, process_cpu};
use serde::Serialize;
use testkit::models::GivesUp;

/// The eval harness
#[derive(Debug, Parser)]
#[command(after_help = "Example: cargo xtask bench eval --cases 5000")]
struct Args {
    /// One-call cases
    #[arg(long, default_value_t = 5000)]
    cases: u32,
    /// Whole cases, written and rendered
    #[arg(long, default_value_t = 500)]
    whole: u32,
    /// Workers
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

/// The last line.
#[derive(Debug, Serialize)]
struct Report {
    first_case_ms: f64,
    one_call_per_cpu_s: f64,
    one_call_ms: f64,
    floor_ms: f64,
    ratio: f64,
    whole_per_cpu_s: f64,
    peak_kb: i64,
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failure)?;
    let started = Instant::now();
    runtime.block_on(play(give_up(), suite("first", 1, "no_send")?, 1))?;
    let first_case_ms = started.elapsed().as_secs_f64() * 1000.0;

    let set_up = cpu_of(|| runtime.block_on(play(give_up(), suite("one", 1, "no_send")?, args.workers)))?;
    let one = cpu_of(|| runtime.block_on(play(give_up(), suite("one", args.cases, "no_send")?, args.workers)))?;
    let one_call_ms = (one - set_up) * 1000.0 / f64::from(args.cases.saturating_sub(1).max(1));
    let whole = cpu_of(|| runtime.block_on(play(offline(), suite("whole", args.whole, "sent")?, args.workers)))?;
    let whole_ms = (whole - set_up) * 1000.0 / f64::from(args.whole.max(1));
    let tools = bare::tools()?;
    let floor = cpu_of(|| (0..args.cases).try_for_each(|number| bare::case(&tools, number)))?;
    let floor_ms = floor * 1000.0 / f64::from(args.cases.max(1));
    let report = Report {
        first_case_ms,
        one_call_per_cpu_s: 1000.0 / one_call_ms,
        one_call_ms,
        floor_ms,
        ratio: one_call_ms / floor_ms,
        whole_per_cpu_s: 1000.0 / whole_ms,
        peak_kb: peak_kb(),
    };
    println!("to the first case   {first_case_ms:>10.1} ms");
    println!(
        "one-call cases      {:>10.0} per CPU second ({one_call_ms:.3} ms; floor {floor_ms:.3} ms)",
        report.one_call_per_cpu_s
    );
    println!("whole cases         {:>10.0} per CPU second", report.whole_per_cpu_s);
    println!("peak memory         {:>10} KB", report.peak_kb);
    println!("{}", serde_json::to_string(&report).map_err(failure)?);
    Ok(())
}

/// CPU seconds of some work.
fn cpu_of(work: impl FnOnce() -> Result<(), Failure>) -> Result<f64, Failure> {
    let before = process_cpu();
    work()?;
    Ok((process_cpu() - before).as_secs_f64())
}

fn give_up() -> MakeModel {
    Arc::new(|_| Arc::new(GivesUp))
}

fn offline() -> MakeModel {
    Arc::new(|release| Arc::new(OfflineModel::of(release)))
}

/// So many cases of one kind, written as a suite is.
fn suite(name: &str, cases: u32, outcome: &str) -> Result<Suite, Failure> {
    let mut text = format!("suite: {name}\nabout: the same case, often\ncases:\n");
    for number in 0..cases {
        let _ = writeln!(
            text,
            "  - name: case {number}\n    story: [{{ cart: [TT-1806] }}]\n    then: {{ outcome: {outcome} }}"
        );
    }
    Suite::parse(Path::new("bench.yaml"), &text).map_err(failure)
}

async fn play(model: MakeModel, suite: Suite, workers: usize) -> Result<(), Failure> {
    let products = sample_shop::products().map_err(failure)?;
    let props = Props::new(release::defaults(), products, model).map_err(failure)?;
    let results = run(props, vec![suite], Options { trials: 1, workers }).await.map_err(failure)?;
    match results.cases.iter().find(|case| !case.passed()) {
        None => Ok(()),
        Some(case) => Err(Failure(format!("{}: {:?}", case.case, case.trials))),
    }
}
