//! `mailwright eval run|compare|bless`: cases played and judged, and the gate over them.
//!
//! Exit codes: 0 pass, 1 regression, 2 never-event, 3 inconclusive, 4 the harness or a suite is at fault.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::out::Out;
use super::{Failure, Global, app, failure};
use crate::eval::gate::{self, Decision};
use crate::eval::outcome::Results;
use crate::eval::report;
use crate::eval::run::{self, Options};
use crate::eval::stage::{MakeModel, Props};
use crate::eval::suite;
use crate::model::ChatModel;
use crate::model::offline::OfflineModel;
use crate::{release, sample_shop};

/// The exit code when nothing can be said.
const HARNESS: u8 = 4;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright eval run evals --gate")]
pub(super) struct EvalArgs {
    #[command(subcommand)]
    command: EvalCommand,
}

#[derive(Debug, Subcommand)]
enum EvalCommand {
    /// Play suites and judge them.
    #[command(
        after_help = "Example: mailwright eval run evals --gate --html report.html\n\nExit codes: 0 pass, 1 regression, 2 never-event, 3 inconclusive, 4 the harness or a suite is at fault."
    )]
    Run(RunArgs),
    /// Compare two results case by case.
    #[command(after_help = "Example: mailwright eval compare before.json after.json")]
    Compare {
        /// The earlier result.
        before: PathBuf,
        /// The later one.
        after: PathBuf,
    },
    /// Accept a result as the baseline that later runs are compared with.
    #[command(after_help = "Example: mailwright eval bless result.json --as nora")]
    Bless {
        /// The result.
        result: PathBuf,
        /// Where baselines are kept.
        #[arg(long, value_name = "FILE", default_value = "evals/baselines/offline.json")]
        baseline: PathBuf,
        /// Bless it although cases fail in it.
        #[arg(long)]
        with_failures: bool,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// A suite, or a folder of suites.
    suites: PathBuf,
    /// How often every case is tried.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    trials: u32,
    /// The blessed result to compare with; with --gate and a folder, its baselines/offline.json unless said.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Decide against the baseline; without one there is no pass.
    #[arg(long)]
    gate: bool,
    /// The release to try, as `mailwright release export` writes it; default: as shipped.
    #[arg(long, value_name = "DIR")]
    release: Option<PathBuf>,
    /// Write the result, for `compare` and `bless`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a JUnit report.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write an HTML report with the mails.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Play so many cases side by side; default: one a core.
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
}

/// Runs the command; its verdict is the exit code.
pub(super) async fn run(global: &Global, args: EvalArgs, out: &Out) -> ExitCode {
    let done = match args.command {
        EvalCommand::Run(args) => play(global, &args, out).await,
        EvalCommand::Compare { before, after } => compare(&before, &after, out),
        EvalCommand::Bless { result, baseline, with_failures } => bless(&result, &baseline, with_failures, out),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            out.error(&failure.to_string());
            ExitCode::from(HARNESS)
        }
    }
}

async fn play(global: &Global, args: &RunArgs, out: &Out) -> Result<u8, Failure> {
    let suites = suite::read(&args.suites).map_err(failure)?;
    let baseline = baseline(args)?;
    let files = match &args.release {
        Some(dir) => super::release::read(dir)?,
        None => release::defaults(),
    };
    let products = sample_shop::products().map_err(failure)?;
    let props = Props::new(files, products, model(global)?).map_err(failure)?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let options = Options { trials: args.trials, workers: args.workers.unwrap_or(cores) };
    let results = run::run(props, suites, options).await.map_err(failure)?;
    let mut decision = gate::decide(&results, baseline.as_ref());
    if args.gate && baseline.is_none() && decision.verdict == gate::Verdict::Pass {
        decision.verdict = gate::Verdict::Inconclusive;
        decision.reasons.push("there is no baseline to compare with; write the result with --out and bless it with `mailwright eval bless`".to_owned());
    }
    let to_file = || results.to_file().map_err(failure);
    for (file, text) in [
        (&args.out, to_file()?),
        (&args.junit, report::junit::junit(&results, &decision)),
        (&args.html, report::html::html(&results, &decision)),
    ] {
        if let Some(file) = file {
            write(file, &text)?;
        }
    }
    show(&results, &decision, out)?;
    Ok(decision.verdict.exit_code())
}

/// The baseline that was named; with `--gate` the one beside the suites, when it is there.
fn baseline(args: &RunArgs) -> Result<Option<Results>, Failure> {
    if let Some(file) = &args.baseline {
        return Results::read(file).map(Some).map_err(failure);
    }
    let beside = args.suites.join("baselines").join("offline.json");
    if args.gate && beside.is_file() { Results::read(&beside).map(Some).map_err(failure) } else { Ok(None) }
}

/// The model under test: the profile that --model names, else the first that options or configuration know, else the
/// offline one. No other stands in for it.
fn model(global: &Global) -> Result<MakeModel, Failure> {
    let known = app::models(global)?.list;
    let asked = known.iter().find(|model| model.profile() == global.model).or(known.first());
    let named: Option<Arc<dyn ChatModel>> = asked.cloned();
    Ok(Arc::new(move |release| match &named {
        Some(model) => model.clone(),
        None => Arc::new(OfflineModel::of(release)),
    }))
}

fn show(results: &Results, decision: &Decision, out: &Out) -> Result<(), Failure> {
    out.line(&report::text::text(results, decision));
    out.value(&serde_json::json!({ "decision": decision, "summary": results.summary(), "results": results }))
}

fn compare(before: &Path, after: &Path, out: &Out) -> Result<u8, Failure> {
    let (before, after) = (Results::read(before).map_err(failure)?, Results::read(after).map_err(failure)?);
    let decision = gate::decide(&after, Some(&before));
    show(&after, &decision, out)?;
    Ok(decision.verdict.exit_code())
}

fn bless(result: &Path, baseline: &Path, with_failures: bool, out: &Out) -> Result<u8, Failure> {
    let results = Results::read(result).map_err(failure)?;
    let failing = results.cases.iter().filter(|case| !case.passed()).count();
    if results.cases.iter().flat_map(|case| &case.trials).any(|trial| !trial.never.is_empty()) {
        return Err(Failure::new("a result with a never-event is no baseline; mend what happened first"));
    }
    if failing > 0 && !with_failures {
        return Err(Failure::new(format!(
            "{failing} case(s) fail in it; mend them, or accept that with --with-failures"
        )));
    }
    write(baseline, &results.to_file().map_err(failure)?)?;
    out.line(&format!(
        "{} is the baseline now: {} cases, {failing} of them failing.",
        baseline.display(),
        results.cases.len()
    ));
    if !results.proof.model.reads_prompts {
        out.line(&format!(
            "The model `{}` reads no prompts: this baseline proves code, not prompts.",
            results.proof.model.profile
        ));
    }
    out.value(&serde_json::json!({ "baseline": baseline, "cases": results.cases.len(), "failing": failing }))?;
    Ok(0)
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let say = |why: std::io::Error| Failure::new(format!("{}: {why}", file.display()));
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(say)?;
    }
    std::fs::write(file, text).map_err(say)
}
