//! The three reports of one run: a case that passes, one that fails, one that must never happen.

use mailwright::eval::gate::decide;
use mailwright::eval::outcome::Results;
use mailwright::eval::report;

use super::off::Off;
use super::{play_wired, suites};

fn results() -> Results {
    let names = ["A small thing is left", "The reader never agreed to mail"];
    let mut suites = suites(|case| names.contains(&case.name.as_str()));
    for suite in &mut suites {
        let mut wrong = suite.cases[0].clone();
        wrong.name = "It says <what> nobody wrote & more".to_owned();
        wrong.then.says = vec!["Bits & \"bobs\"".to_owned()];
        suite.cases.insert(1, wrong);
    }
    let mut results = play_wired(Off::Holds(&["no_consent"]), suites);
    // Hashes change with every prompt; what stands here is the form.
    let blank = kit::Digest::of_bytes(b"");
    (results.proof.prompts, results.proof.tools, results.proof.rules) = (blank, blank, blank);
    results.proof.model.hash = blank;
    results
}

#[test]
fn one_decision_in_three_forms() {
    let results = results();
    let decision = decide(&results, None);
    insta::assert_snapshot!("text", report::text::text(&results, &decision));
    insta::assert_snapshot!("junit", report::junit::junit(&results, &decision));
    let html = report::html::html(&results, &decision);
    // The mails are read as mails are; the page around them is what is new here.
    let body = html.split_once("<body>").unwrap().1;
    let rest = |part: &str| part.split_once("</iframe>").map_or(part.to_owned(), |(_, rest)| rest.to_owned());
    let outside: String = body.split("<iframe").map(rest).collect();
    insta::assert_snapshot!("html", outside);
    assert_eq!(html.matches("<iframe sandbox").count(), 3);
    assert!(!html.contains("<script"));
}
