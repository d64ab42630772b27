//! The rules of the house, read from the source and enforced.
//!
//! Each rule is a function from a [`Tree`] of files to [`Violation`]s. It is run twice: on this repository, where it must
//! find nothing, and on a few planted lines, where it must find exactly what was planted. A rule that cannot fail is no
//! rule.
//!
//! * [`imports`]: who may depend on whom.
//! * [`names`]: what may be named only in one place (SQL, wire formats, vendors, the clock).
//! * [`files`]: prologue, length, leftovers, paths of somebody's machine.
//! * [`schema`]: the shop leads every key of the database.
//! * [`tools`]: a tool comes with description, schema and registration; prompts name only tools that exist.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod files;
mod imports;
mod names;
mod rust;
mod schema;
mod tools;
mod tree;

use std::fmt;

use tree::Tree;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    /// `path` or `path:line`.
    place: String,
    /// What is wrong there, and what to do.
    what: String,
}

impl Violation {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }

    fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self::new(format!("{path}:{line}"), what)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Passes when this repository keeps the rule.
#[track_caller]
fn holds(rule: impl Fn(&Tree) -> Vec<Violation>) {
    let broken: Vec<String> = rule(Tree::of_repository()).iter().map(ToString::to_string).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// Passes when the rule finds violations at exactly these places of planted files, in this order.
#[track_caller]
fn catches(rule: impl Fn(&Tree) -> Vec<Violation>, planted: &[(&str, &str)], places: &[&str]) {
    let found: Vec<String> = rule(&Tree::planted(planted)).into_iter().map(|violation| violation.place).collect();
    assert_eq!(found, places);
}
