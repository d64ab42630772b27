//! The eval gate itself: that it passes what is right, fails what is wrong, and says so in every form.
//!
//! * [`gates`]: with any one gate of the product switched off, a case fails.
//! * [`tempers`]: models that always do one thing fail the suites; hostile and obedient ones cause no never-event.
//! * [`verdicts`]: what the gate makes of two results, and what a model that reads no prompts can prove.
//! * [`files`]: suites that are wrong are named with line and column.
//! * [`reports`]: text, JUnit and HTML, as snapshots.
//! * [`command`]: the command and its exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod command;
mod files;
mod gates;
mod off;
mod reports;
mod tempers;
mod verdicts;

use std::path::Path;
use std::sync::Arc;

use agent::ChatModel;
use mailwright::eval::outcome::Results;
use mailwright::eval::run::{Options, run};
use mailwright::eval::stage::{Props, Wiring};
use mailwright::eval::suite::{self, Case, Suite};
use mailwright::model::offline::OfflineModel;
use mailwright::{release, sample_shop};

/// The suites of the repository, with the cases that are wanted.
fn suites(wanted: impl Fn(&Case) -> bool) -> Vec<Suite> {
    let mut suites = suite::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("evals")).unwrap();
    for suite in &mut suites {
        suite.cases.retain(&wanted);
    }
    suites.retain(|suite| !suite.cases.is_empty());
    suites
}

/// Props with the offline model behind whatever stands before it.
fn props(before: impl Fn(Arc<dyn ChatModel>) -> Arc<dyn ChatModel> + Send + Sync + 'static) -> Props {
    let model = Arc::new(move |release: &release::Release| before(Arc::new(OfflineModel::of(release))));
    Props::new(release::defaults(), sample_shop::products().unwrap(), model).unwrap()
}

fn play(props: Props, suites: Vec<Suite>) -> Results {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(props, suites, Options { trials: 1, workers: 2 })).unwrap()
}

fn play_wired(wiring: impl Wiring + 'static, suites: Vec<Suite>) -> Results {
    play(props(|offline| offline).wired(Arc::new(wiring)), suites)
}

/// What did not pass, by name, with never-events and checks.
fn failing(results: &Results) -> Vec<String> {
    let told = |case: &mailwright::eval::outcome::CaseResult| {
        let trial = &case.trials[0];
        let never = trial.never.iter().map(|event| format!("never:{}", event.rule));
        let mut rules: Vec<String> = never.chain(trial.misses.iter().map(|miss| miss.check.clone())).collect();
        rules.dedup();
        format!("{} [{}]", case.case, rules.join(" "))
    };
    results.cases.iter().filter(|case| !case.passed()).map(told).collect()
}
