//! Suites that are wrong: named with file, line and column, before anything is played.

use std::path::Path;

use mailwright::eval::suite::{Suite, SuiteError};

const RIGHT: &str = "\
suite: one
about: a word about it
cases:
  - name: boots
    customer: { first_name: Aoife }
    story:
      - cart: [TT-1001]
      - due
    then:
      outcome: sent
      shows: [TT-1001]
";

fn told(text: &str) -> String {
    let error = Suite::parse(Path::new("evals/one.yaml"), text).unwrap_err();
    assert!(matches!(error, SuiteError::Form { .. } | SuiteError::Sense { .. }));
    error.to_string()
}

#[test]
fn a_right_suite_is_read_whole() {
    let suite = Suite::parse(Path::new("one.yaml"), RIGHT).unwrap();
    insta::assert_debug_snapshot!(suite);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let wrong = [
        // A key that nobody knows: in the suite, a case, the customer, a step, the expectations.
        ("about:", "abuot:"),
        ("    story:", "    storey:"),
        ("first_name", "forename"),
        ("- cart:", "- basket:"),
        ("shows:", "shws:"),
        // A value of another kind.
        ("outcome: sent", "outcome: sended"),
        ("[TT-1001]\n      - due", "TT-1001\n      - due"),
        ("first_name: Aoife", "vip: perhaps"),
        ("first_name: Aoife", "phone: '0851'"),
        // No YAML.
        ("name: boots", "name: \"boots"),
        // No sense.
        ("outcome: sent", "outcome: no_send"),
        ("first_name: Aoife", "zone: Atlantis"),
        ("name: boots", "name: \" \""),
    ];
    let all: Vec<String> = wrong
        .into_iter()
        .map(|(right, wrong)| {
            assert!(RIGHT.contains(right), "{right}");
            format!("{wrong:?}\n    {}", told(&RIGHT.replacen(right, wrong, 1)))
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

const BRIEF: &str = "\
suite: two
about: a marketer talks
cases:
  - name: packs
    others:
      - { first_name: Jonas }
    story:
      - chat: packs for lapsed
      - changed: [products]
    then:
      outcome: briefed
      readers: [Jonas]
      brief:
        vip: unstated
        leaves: 2026-11-19
";

#[test]
fn mistakes_about_a_brief_are_named_with_their_place() {
    assert!(Suite::parse(Path::new("two.yaml"), BRIEF).unwrap().cases[0].is_brief());
    let wrong = [
        // Keys and values that nobody knows.
        ("vip:", "vips:"),
        ("vip: unstated", "vip: nobody"),
        ("[products]", "[wares]"),
        ("2026-11-19", "the 19th"),
        ("- chat:", "- says:"),
        // No sense.
        (
            "- chat: packs for lapsed\n      - changed: [products]",
            "- changed: [products]\n      - chat: packs for lapsed",
        ),
        ("chat: packs for lapsed\n      - changed: [products]", "due"),
        ("readers: [Jonas]", "readers: [Mia]"),
        ("first_name: Jonas", "first_name: Aoife"),
        ("first_name: Jonas", "zone: Atlantis"),
    ];
    let all: Vec<String> = wrong
        .into_iter()
        .map(|(right, wrong)| {
            assert!(BRIEF.contains(right), "{right}");
            format!("{wrong:?}\n    {}", told(&BRIEF.replacen(right, wrong, 1)))
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn two_cases_of_one_name_are_refused() {
    let case = RIGHT.split_once("cases:\n").unwrap().1;
    assert_eq!(told(&format!("{RIGHT}{case}")), "evals/one.yaml: case `boots`: every case has a name of its own");
}
