//! The one whole check: stages in order, every one run, a summary as the last line.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bench::small_torture;
use crate::console::Console;
use crate::prepare::prepare;
use crate::run::{StageError, beside, cargo, read, shown};
use crate::tally::{Reader, Tally};

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything.
    Whole,
    /// Everything but the lints.
    Quick,
}

/// One stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Prepare,
    Format,
    Lint,
    Tests,
    Evals,
    Torture,
}

impl Stage {
    const ALL: [Self; 6] = [Self::Prepare, Self::Format, Self::Lint, Self::Tests, Self::Evals, Self::Torture];

    const fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Format => "format",
            Self::Lint => "lint",
            Self::Tests => "tests",
            Self::Evals => "evals",
            Self::Torture => "torture",
        }
    }

    fn is_in(self, scope: Scope) -> bool {
        match self {
            Self::Lint => scope == Scope::Whole,
            Self::Prepare | Self::Format | Self::Tests | Self::Evals | Self::Torture => true,
        }
    }

    /// Runs it. What it counted stands even when it failed.
    fn run(self, console: Console) -> (Tally, Result<(), StageError>) {
        let uncounted = |outcome| (Tally::default(), outcome);
        let mut command = cargo(console);
        match self {
            Self::Prepare => uncounted(prepare(console)),
            Self::Format => {
                command.args(["fmt", "--all", "--check"]);
                uncounted(shown(command, console))
            }
            Self::Lint => {
                command.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
                uncounted(shown(command, console))
            }
            Self::Tests => {
                command.args(["test", "--workspace", "--no-fail-fast", "--", "--show-output"]);
                // Generated files are compared, never rewritten: what has drifted fails.
                command.env("INSTA_UPDATE", "no").env_remove("UPDATE_SCHEMAS");
                let mut reader = Reader::default();
                let outcome = read(command, |line| {
                    if reader.line(line) {
                        console.say(line);
                    }
                });
                (reader.tally(), outcome)
            }
            // After the tests, which have built the binary.
            Self::Evals => {
                let mut evals = beside("mailwright");
                evals.args(["eval", "run", "evals", "--gate"]);
                uncounted(shown(evals, console))
            }
            Self::Torture => uncounted(small_torture(console)),
        }
    }
}

/// What became of a stage.
#[derive(Debug)]
struct Report {
    stage: Stage,
    took: Duration,
    tally: Tally,
    outcome: Result<(), StageError>,
}

impl Report {
    /// The tests counted. A stage that failed without a failing test (lints, a crash, code that does not compile)
    /// counts as one failure, so that "0 failed" is never printed over a failure.
    fn tally(&self) -> Tally {
        match &self.outcome {
            Err(_) if self.tally.failed == 0 => Tally { failed: 1, ..self.tally },
            Ok(()) | Err(_) => self.tally,
        }
    }

    fn to_line(&self) -> String {
        let (name, seconds) = (self.stage.name(), self.took.as_secs_f64());
        match &self.outcome {
            Ok(()) => format!("{name:<8} ok      {seconds:>7.1} s"),
            Err(error) => format!("{name:<8} FAILED  {seconds:>7.1} s  {error}"),
        }
    }
}

/// Runs all stages of the scope and prints the result.
pub(crate) fn check(scope: Scope, console: Console) -> ExitCode {
    let stages = Stage::ALL.into_iter().filter(|stage| stage.is_in(scope));
    let reports: Vec<Report> = stages.map(|stage| timed(stage, console)).collect();
    console.headline("result");
    for report in &reports {
        console.say(&report.to_line());
    }
    let tally = total(&reports);
    console.result(&if console.is_json() { to_json(&reports) } else { tally.to_string() });
    if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn timed(stage: Stage, console: Console) -> Report {
    console.headline(stage.name());
    let start = Instant::now();
    let (tally, outcome) = stage.run(console);
    let report = Report { stage, took: start.elapsed(), tally, outcome };
    console.say(&report.to_line());
    report
}

fn total(reports: &[Report]) -> Tally {
    reports.iter().fold(Tally::default(), |mut sum, report| {
        sum += report.tally();
        sum
    })
}

fn to_json(reports: &[Report]) -> String {
    let Tally { passed, failed, skipped } = total(reports);
    let stages: Vec<_> = reports
        .iter()
        .map(|report| {
            json!({
                "name": report.stage.name(),
                "ok": report.outcome.is_ok(),
                "seconds": report.took.as_secs_f64(),
                "error": report.outcome.as_ref().err().map(ToString::to_string),
            })
        })
        .collect();
    json!({ "passed": passed, "failed": failed, "skipped": skipped, "stages": stages }).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn report(stage: Stage, tally: Tally, failed: bool) -> Report {
        let error = StageError::Component { subcommand: "fmt", component: "rustfmt" };
        Report { stage, took: Duration::ZERO, tally, outcome: if failed { Err(error) } else { Ok(()) } }
    }

    #[test]
    fn a_failed_stage_is_a_failure_even_without_a_failing_test() {
        let tests = Tally { passed: 5, failed: 0, skipped: 2 };
        let reports = [report(Stage::Lint, Tally::default(), true), report(Stage::Tests, tests, false)];
        assert_eq!(total(&reports).to_string(), "5 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn failing_tests_are_not_counted_twice() {
        let tests = Tally { passed: 5, failed: 3, skipped: 0 };
        assert_eq!(total(&[report(Stage::Tests, tests, true)]), tests);
    }

    #[test]
    fn quick_leaves_only_the_lints_out() {
        let quick: Vec<_> = Stage::ALL.into_iter().filter(|stage| stage.is_in(Scope::Quick)).collect();
        assert_eq!(quick, [Stage::Prepare, Stage::Format, Stage::Tests, Stage::Evals, Stage::Torture]);
    }
}
