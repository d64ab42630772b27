//! The report as JUnit XML, which every CI can show.

use std::fmt::Write as _;

use crate::eval::gate::Decision;
use crate::eval::outcome::{CaseResult, Results};

/// One `testsuite` a suite; the gate's own decision is a test of its own.
pub fn junit(results: &Results, decision: &Decision) -> String {
    let mut suites: Vec<(&str, Vec<&CaseResult>)> = Vec::new();
    for case in &results.cases {
        match suites.last_mut().filter(|(name, _)| *name == case.suite) {
            Some((_, cases)) => cases.push(case),
            None => suites.push((&case.suite, vec![case])),
        }
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mailwright eval\">\n");
    for (name, cases) in suites {
        let failed = cases.iter().filter(|case| !case.passed()).count();
        let _ =
            writeln!(out, "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">", escape(name), cases.len());
        for case in cases {
            let open = format!("    <testcase classname=\"{}\" name=\"{}\"", escape(name), escape(&case.case));
            if case.passed() {
                let _ = writeln!(out, "{open}/>");
                continue;
            }
            let _ = writeln!(out, "{open}>");
            for trial in &case.trials {
                for event in &trial.never {
                    failure(&mut out, "never-event", &format!("{}: {}", event.rule, event.why));
                }
                for miss in &trial.misses {
                    failure(&mut out, &miss.check, &miss.why);
                }
            }
            out.push_str("    </testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    let passes = decision.verdict.exit_code() == 0;
    let _ = writeln!(out, "  <testsuite name=\"gate\" tests=\"1\" failures=\"{}\">", u8::from(!passes));
    if passes {
        out.push_str("    <testcase classname=\"gate\" name=\"verdict\"/>\n");
    } else {
        out.push_str("    <testcase classname=\"gate\" name=\"verdict\">\n");
        failure(&mut out, decision.verdict.to_word(), &decision.reasons.join("\n"));
        out.push_str("    </testcase>\n");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn failure(out: &mut String, kind: &str, why: &str) {
    let _ = writeln!(out, "      <failure type=\"{}\">{}</failure>", escape(kind), escape(why));
}

/// Text as XML and HTML hold it. Control characters have no place in XML 1.0.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Line ends of mails.
            '\r' => {}
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
