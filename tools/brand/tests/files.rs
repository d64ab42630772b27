//! Rule and claims files: what is refused, and where.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{CLAIMS, RULES};
use mailwright_brand::RuleBook;

fn errors(rules: &str, claims: &str) -> String {
    RuleBook::parse("rules.toml", rules, "claims.toml", claims).unwrap_err().to_string()
}

#[test]
fn the_shops_own_files_are_sound() {
    let claims = include_str!("../../../knowledge/brand/claims.toml");
    RuleBook::parse("rules.toml", RULES, "claims.toml", claims).unwrap();
}

#[test]
fn broken_files_are_refused_with_places() {
    let rules = RULES
        .replace("mailwright.brand/1", "mailwright.brand/9")
        .replace("languages = [\"en\", \"de\"]", "languages = [\"en\", \"fr\"]")
        .replace("\"style.caps\" = \"block\"", "\"style.capitals\" = \"block\"\n\"figure.digits\" = \"warn\"")
        .replace("id = \"brand.spam-words\"", "id = \"brand.green-words\"")
        .replace("id = \"legal.competitors\"", "id = \"figure.url\"")
        .replace("[\"northpeak\", \"trailking\", \"bergfreund depot\"]", "[\"northpeak\", \"\", \"* trail\", \"!!\"]")
        .replace("products = [0, 0]", "products = [0, 9]");
    let claims = CLAIMS
        .replace("id = \"upf\"", "id = \"membrane\"")
        .replace("expires = 2026-11-20", "expires = 12:00:00")
        .replacen("evidence = \"lab\"", "evidence = \"\"", 1);
    insta::assert_snapshot!(errors(&rules, &claims));
}

#[test]
fn unknown_keys_and_broken_toml_are_refused_in_both_files() {
    let rules = RULES.replace("stem = true", "steem = true");
    let claims = CLAIMS.replacen("product_tag", "product_tags", 1);
    insta::assert_snapshot!(errors(&rules, &claims));
    insta::assert_snapshot!(errors("schema = [", CLAIMS));
    insta::assert_snapshot!(errors("", ""));
}

#[test]
fn the_version_follows_the_content_of_both_files() {
    let version = |rules: &str, claims: &str| RuleBook::parse("a", rules, "b", claims).unwrap().version();
    let first = version(RULES, CLAIMS);
    assert_eq!(first, version(RULES, CLAIMS));
    assert_ne!(first, version(&format!("{RULES}\n# note"), CLAIMS));
    assert_ne!(first, version(RULES, &CLAIMS.replace("2027-06-30", "2027-07-30")));
}

#[test]
fn every_rule_can_be_explained_and_has_an_owner_and_a_source() {
    let book = RuleBook::parse("a", RULES, "b", CLAIMS).unwrap();
    for id in book.rule_ids() {
        let rule = book.explain(id).unwrap();
        for words in [&rule.why, &rule.mend, &rule.owner, &rule.source] {
            assert!(!words.trim().is_empty(), "{id}");
        }
    }
    assert_eq!(book.explain("no.such.rule"), None);
}
