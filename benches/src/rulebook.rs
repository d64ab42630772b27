//! The sample shop's rule book, grown to a size.

use std::fmt::Write as _;

use brand::{RuleBook, RuleFileErrors};

const RULES: &str = include_str!("../../knowledge/brand/rules.toml");
const CLAIMS: &str = include_str!("../../knowledge/brand/claims.toml");
/// Words of the made rules: none of them stands in a message, all of them look like words that might.
const STEMS: [&str; 8] = ["gravel", "bracken", "lantern", "harbour", "thistle", "kessel", "nebel", "hering"];

/// A book of so many rules: the built-in ones, the shop's, and made ones of three phrases each, one of them by stems.
///
/// # Errors
/// When the shop's own files are broken.
pub fn of_size(rules: usize) -> Result<RuleBook, RuleFileErrors> {
    let plain = RuleBook::parse("rules.toml", RULES, "claims.toml", CLAIMS)?;
    let mut grown = RULES.to_owned();
    for (number, stem) in (plain.rule_ids().len()..rules).zip(STEMS.iter().cycle()) {
        // Writing to a string cannot fail.
        let _ = write!(
            grown,
            "\n[[phrase]]\nid = \"made.{number}\"\nseverity = \"block\"\nstem = {}\nwhy = \"w\"\nmend = \"m\"\nowner = \"o\"\n\
             source = \"s\"\nany = [\"{stem}{number} crossing\", \"walk * {stem}{number}\", \"{stem}{number}*\"]\n",
            number.is_multiple_of(3),
        );
    }
    RuleBook::parse("rules.toml", &grown, "claims.toml", CLAIMS)
}

/// Every phrase of a book, for a floor that only looks for them.
pub fn phrases(book: &RuleBook) -> Vec<String> {
    let rules = book.rule_ids();
    let phrases = rules.into_iter().filter_map(|id| book.explain(id)).flat_map(|rule| rule.looks_for);
    phrases.map(|phrase| phrase.replace(['*', '…'], "").trim().to_lowercase()).filter(|p| !p.is_empty()).collect()
}
