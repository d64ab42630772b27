//! Reports of evals whose cases are about somebody with planted values.

use std::fs;

use super::found;
use crate::binary::{bare, told};

const SUITE: &str = "\
suite: planted
about: somebody whose values must stay where they are
cases:
  - name: a cart with a note
    customer: { first_name: Quintessa, phone: \"+353875551234\" }
    story:
      - cart_with: { items: [TT-1001], note: \"call +353 87 555 1234, under the plantedblue door\", title: \"the plantedzip burst\" }
      - due
    then: { outcome: sent }
  - name: a cart that was expected to say more
    customer: { first_name: Quintessa }
    story: [{ cart: [TT-1001] }, due]
    then: { outcome: sent, says: [\"words that nobody wrote\"] }
";

#[test]
fn planted_values_stand_in_no_report_but_in_its_mails() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("evals")).unwrap();
    fs::write(dir.path().join("evals/planted.yaml"), SUITE).unwrap();
    let mut command = bare(&["eval", "run", "evals", "--out", "r.json", "--junit", "r.xml", "--html", "r.html"]);
    let run = told(command.current_dir(dir.path()).env("MAILWRIGHT_LOG", "trace"));
    assert!(run.out.contains("a cart with a note") || run.out.contains("planted"), "{run:?}");
    let read = |file: &str| fs::read_to_string(dir.path().join(file)).unwrap();
    // A mail stands in a frame of its own: it was written to the person.
    let html: String = read("r.html")
        .split("<iframe")
        .enumerate()
        .map(|(n, part)| if n == 0 { part.to_owned() } else { part.split_once("</iframe>").unwrap().1.to_owned() })
        .collect();
    let mut seen = found("the terminal", &run.out);
    seen.extend(found("the log", &run.err));
    seen.extend(found("r.json", &read("r.json")));
    seen.extend(found("r.xml", &read("r.xml")));
    seen.extend(found("r.html", &html));
    assert_eq!(seen, Vec::<String>::new());
}
