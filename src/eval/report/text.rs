//! The report in the terminal.

use std::fmt::Write as _;

use crate::eval::gate::Decision;
use crate::eval::outcome::{CaseResult, Results};
use crate::eval::score::word;

/// One line a suite, then what failed, figures, and the verdict as the last line.
pub fn text(results: &Results, decision: &Decision) -> String {
    let mut out = String::new();
    let mut suites: Vec<(&str, Vec<&CaseResult>)> = Vec::new();
    for case in &results.cases {
        match suites.last_mut().filter(|(name, _)| *name == case.suite) {
            Some((_, cases)) => cases.push(case),
            None => suites.push((&case.suite, vec![case])),
        }
    }
    let width = suites.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, cases) in &suites {
        let passed = cases.iter().filter(|case| case.passed()).count();
        let _ = writeln!(out, "{name:<width$}  {passed} of {} pass", cases.len());
    }
    for case in results.cases.iter().filter(|case| !case.passed()) {
        let _ = writeln!(
            out,
            "\nFAILS  {}: {} ({} of {} trials pass)",
            case.suite,
            case.case,
            case.passes(),
            case.trials.len()
        );
        for (number, trial) in case.trials.iter().enumerate().filter(|(_, trial)| !trial.passed()) {
            let which = if case.trials.len() > 1 { format!("trial {}: ", number + 1) } else { String::new() };
            let _ = writeln!(out, "  {which}it ended as {}", word(trial.ending));
            for event in &trial.never {
                let _ = writeln!(out, "  NEVER  {}: {}", event.rule, event.why);
            }
            for miss in &trial.misses {
                let _ = writeln!(out, "  {}: {}", miss.check, miss.why);
            }
        }
    }
    let summary = results.summary();
    let _ = writeln!(out, "\ncases   {}", summary.passed.to_words());
    let _ = writeln!(
        out,
        "mails   {}, never-events in {} of them: below {:.1} % with 95 % confidence",
        summary.mails,
        summary.never_events.hits,
        summary.never_events.high * 100.0
    );
    let _ = writeln!(
        out,
        "model   {} ({} calls{})",
        results.proof.model.profile,
        summary.model_calls,
        cost(summary.micros_per_mail)
    );
    if let Some(compared) = &decision.comparison {
        let _ = writeln!(
            out,
            "against the baseline: {} worse, {} better, p = {:.2}",
            compared.lost.len(),
            compared.won.len(),
            compared.p
        );
    }
    for reason in &decision.reasons {
        let _ = writeln!(out, "- {reason}");
    }
    let _ = write!(out, "{}", decision.verdict.to_word());
    out
}

fn cost(micros_per_mail: u64) -> String {
    if micros_per_mail == 0 {
        return String::new();
    }
    format!(", ${}.{:06} a mail", micros_per_mail / 1_000_000, micros_per_mail % 1_000_000)
}
