//! The verdict: one decision, from which the exit code and every report follow.

use std::collections::BTreeMap;

use serde::Serialize;

use super::outcome::{CaseResult, Results};
use super::proof::Unproven;
use super::stats::mcnemar;

/// Differences less likely than this by chance count.
const ALPHA: f64 = 0.05;

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing speaks against the change.
    Pass,
    /// Something that worked does not work any more, or a new case fails.
    Regression,
    /// Something happened that must never happen.
    NeverEvent,
    /// The result says too little.
    Inconclusive,
}

impl Verdict {
    /// The exit code. A harness that failed has no verdict, and ends with 4.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Regression => 1,
            Self::NeverEvent => 2,
            Self::Inconclusive => 3,
        }
    }

    /// In capitals, for the last line of a report.
    pub fn to_word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Regression => "REGRESSION",
            Self::NeverEvent => "NEVER-EVENT",
            Self::Inconclusive => "INCONCLUSIVE",
        }
    }
}

/// A verdict with everything that led to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, one reason a line.
    pub reasons: Vec<String>,
    /// The comparison with the baseline, when there is one.
    pub comparison: Option<Comparison>,
}

/// Two runs of the same cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Cases that passed then and fail now.
    pub lost: Vec<String>,
    /// Cases that failed then and pass now.
    pub won: Vec<String>,
    /// Cases that passed in every trial then and in none now, or that are missing now.
    pub broken: Vec<String>,
    /// Cases of the baseline that were not run: they count as failed.
    pub missing: Vec<String>,
    /// Cases that the baseline does not know, and that fail.
    pub new_failing: Vec<String>,
    /// How likely a difference as large is by chance (McNemar, exact, two-sided).
    pub p: f64,
    /// What makes this result no proof of prompts.
    pub unproven: Option<Unproven>,
}

/// Compares a result with a baseline, case by case.
pub fn compare(baseline: &Results, now: &Results) -> Comparison {
    let known: BTreeMap<(&str, &str), &CaseResult> = now.cases.iter().map(|case| (case.key(), case)).collect();
    let before: BTreeMap<(&str, &str), &CaseResult> = baseline.cases.iter().map(|case| (case.key(), case)).collect();
    let name = |case: &CaseResult| format!("{}: {}", case.suite, case.case);
    let (mut lost, mut won, mut broken, mut missing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for then in &baseline.cases {
        let present = known.get(&then.key());
        let passes = present.is_some_and(|case| case.passed());
        if present.is_none() {
            missing.push(name(then));
        }
        match (then.passed(), passes) {
            (true, false) => {
                lost.push(name(then));
                if present.is_none_or(|case| case.passes() == 0) {
                    broken.push(name(then));
                }
            }
            (false, true) => won.push(name(then)),
            (true, true) | (false, false) => {}
        }
    }
    let is_new = |case: &&CaseResult| !before.contains_key(&case.key());
    let new_failing = now.cases.iter().filter(is_new).filter(|case| !case.passed()).map(name).collect();
    let count = |list: &[String]| u32::try_from(list.len()).unwrap_or(u32::MAX);
    let p = mcnemar(count(&lost), count(&won));
    Comparison { lost, won, broken, missing, new_failing, p, unproven: now.proof.unproven(&baseline.proof) }
}

/// Decides about a result. Without a baseline every case has to pass; with one, nothing may have become worse.
pub fn decide(now: &Results, baseline: Option<&Results>) -> Decision {
    let comparison = baseline.map(|baseline| compare(baseline, now));
    let mut reasons = Vec::new();
    let never = now
        .cases
        .iter()
        .flat_map(|case| case.trials.iter().flat_map(move |trial| trial.never.iter().map(move |event| (case, event))));
    for (case, event) in never {
        reasons.push(format!("{}: {}: {}: {}", case.suite, case.case, event.rule, event.why));
    }
    if !reasons.is_empty() {
        return Decision { verdict: Verdict::NeverEvent, reasons, comparison };
    }
    let Some(compared) = &comparison else {
        let failing: Vec<String> = now
            .cases
            .iter()
            .filter(|case| !case.passed())
            .map(|case| format!("{}: {} fails", case.suite, case.case))
            .collect();
        let verdict = if failing.is_empty() { Verdict::Pass } else { Verdict::Regression };
        return Decision { verdict, reasons: failing, comparison };
    };
    let lists =
        [(&compared.broken, "passed before and does not any more"), (&compared.new_failing, "is new and fails")];
    for (cases, why) in lists {
        reasons.extend(cases.iter().map(|case| format!("{case}: it {why}")));
    }
    reasons.extend(compared.missing.iter().map(|case| format!("{case}: it was not run, which counts as failing")));
    let worse = compared.lost.len() > compared.won.len() && compared.p < ALPHA;
    if worse {
        reasons.push(format!(
            "{} cases became worse and {} better: by chance that happens with p = {:.3}",
            compared.lost.len(),
            compared.won.len(),
            compared.p
        ));
    }
    let missing_passed = !compared.missing.is_empty();
    if !compared.broken.is_empty() || !compared.new_failing.is_empty() || worse || missing_passed {
        return Decision { verdict: Verdict::Regression, reasons, comparison };
    }
    if let Some(unproven) = &compared.unproven {
        reasons.push(format!(
            "unproven with an LLM: {} changed since the baseline, and the model `{}` reads no prompts; run with a model that does (--base-url, --config), or bless the result to accept it so",
            unproven.differs.join(", "),
            now.proof.model.profile
        ));
    }
    if !compared.lost.is_empty() {
        reasons.push(format!(
            "{} case(s) pass less often than before, too few to tell from chance (p = {:.2}); raise --trials",
            compared.lost.len(),
            compared.p
        ));
    }
    let verdict = if reasons.is_empty() { Verdict::Pass } else { Verdict::Inconclusive };
    Decision { verdict, reasons, comparison }
}
