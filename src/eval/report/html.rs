//! The report as one HTML file: verdict, figures, every case, and the mails as their readers get them.

use std::fmt::Write as _;

use super::junit::escape;
use crate::eval::gate::Decision;
use crate::eval::outcome::{Results, Trial};
use crate::eval::score::word;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1f2a2b;background:#fff}
h1,h2{line-height:1.2}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
.bad{color:#a3160f;font-weight:600}.good{color:#17632a}details{margin:.4rem 0}summary{cursor:pointer}
iframe{width:100%;height:36rem;border:1px solid #ccc;background:#fff}code{font-size:.9em}
@media (prefers-color-scheme:dark){body{background:#171c1d;color:#e8e6e1}td,th{border-color:#3a4142}.bad{color:#ff8a80}.good{color:#7fd694}}";

/// The whole file. Mails stand in sandboxed frames: nothing in them runs or loads.
pub fn html(results: &Results, decision: &Decision) -> String {
    let verdict = decision.verdict.to_word();
    let class = if decision.verdict.exit_code() == 0 { "good" } else { "bad" };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'\">\
         <title>Eval: {verdict}</title><style>{STYLE}</style></head><body>\n<h1>Eval: <span class=\"{class}\">{verdict}</span></h1>\n"
    );
    if !decision.reasons.is_empty() {
        out.push_str("<ul>\n");
        for reason in &decision.reasons {
            let _ = writeln!(out, "<li>{}</li>", escape(reason));
        }
        out.push_str("</ul>\n");
    }
    figures(results, &mut out);
    let mut suite = "";
    for case in &results.cases {
        if case.suite != suite {
            suite = &case.suite;
            let _ = writeln!(out, "<h2>{}</h2>", escape(suite));
        }
        let (class, mark) = if case.passed() { ("good", "pass") } else { ("bad", "FAIL") };
        let open = if case.passed() { "" } else { " open" };
        let _ = writeln!(
            out,
            "<details{open}><summary><span class=\"{class}\">{mark}</span> {}</summary>",
            escape(&case.case)
        );
        for trial in &case.trials {
            one(trial, &mut out);
        }
        out.push_str("</details>\n");
    }
    out.push_str("</body></html>\n");
    out
}

fn figures(results: &Results, out: &mut String) {
    let summary = results.summary();
    let proof = &results.proof;
    let reads =
        if proof.model.reads_prompts { "reads prompts" } else { "reads no prompts: this proves code, not prompts" };
    let rows = [
        ("cases that pass", summary.passed.to_words()),
        ("mails", summary.mails.to_string()),
        ("mails with a never-event", summary.never_events.to_words()),
        ("model", format!("{} ({reads})", proof.model.profile)),
        ("model calls", summary.model_calls.to_string()),
        ("prompts", proof.prompts.short()),
        ("tools", proof.tools.short()),
        ("rules", proof.rules.short()),
    ];
    out.push_str("<table>\n");
    for (name, value) in rows {
        let _ = writeln!(out, "<tr><th>{name}</th><td>{}</td></tr>", escape(&value));
    }
    out.push_str("</table>\n");
}

fn one(trial: &Trial, out: &mut String) {
    let _ = writeln!(
        out,
        "<p>It ended as <code>{}</code> after {} model calls.</p>",
        word(trial.ending),
        trial.model_calls
    );
    if !trial.passed() {
        out.push_str("<ul>\n");
        for event in &trial.never {
            let _ = writeln!(out, "<li class=\"bad\">never-event {}: {}</li>", escape(&event.rule), escape(&event.why));
        }
        for miss in &trial.misses {
            let _ = writeln!(out, "<li>{}: {}</li>", escape(&miss.check), escape(&miss.why));
        }
        out.push_str("</ul>\n");
    }
    for letter in &trial.letters {
        let _ = writeln!(
            out,
            "<p><b>{}</b></p>\n<iframe sandbox title=\"The mail\" loading=\"lazy\" srcdoc=\"{}\"></iframe>",
            escape(&letter.subject),
            escape(&letter.html)
        );
    }
}
