//! Reads what Rust's test harness prints: counts, and decides what is worth a person's time.
//!
//! The harness is run with `--show-output`, which prints what passing tests wrote, after all have run:
//!
//! ```text
//! running 2 tests
//! test a ... ok
//! test b ... FAILED
//!
//! successes:
//!
//! ---- a stdout ----
//! skipped: no ../shared
//!
//! failures:
//! …
//! test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
//! ```
//!
//! A test that cannot run where it is says so in a line that begins with `skipped:` and returns; the harness counts it
//! as passed, we do not. A passing test may also say `warning:`, which is shown.

use std::ops::AddAssign;

/// Tests by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Which part of the harness's output a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Results,
    /// What passing tests printed; `counted` once this test has said that it was skipped.
    Successes {
        counted: bool,
    },
    Failures,
}

/// Follows the output of any number of test binaries.
#[derive(Debug)]
pub(crate) struct Reader {
    tally: Tally,
    part: Part,
    /// Tests of this binary that said they were skipped.
    skipped_here: u64,
}

impl Default for Reader {
    fn default() -> Self {
        Self { tally: Tally::default(), part: Part::Results, skipped_here: 0 }
    }
}

impl Reader {
    /// The sum so far.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// Takes one line; true when a person should see it.
    pub(crate) fn line(&mut self, line: &str) -> bool {
        if let Some(result) = parse_result(line) {
            self.part = Part::Results;
            let said_skipped = std::mem::take(&mut self.skipped_here);
            self.tally += Tally {
                passed: result.passed.saturating_sub(said_skipped),
                skipped: result.skipped + said_skipped,
                ..result
            };
            return result != Tally::default();
        }
        match line {
            "successes:" => self.part = Part::Successes { counted: false },
            "failures:" => self.part = Part::Failures,
            _ => {}
        }
        match self.part {
            Part::Results => is_news(line),
            Part::Failures => true,
            Part::Successes { counted } => self.line_of_success(line, counted),
        }
    }

    fn line_of_success(&mut self, line: &str, counted: bool) -> bool {
        let next_test = line.starts_with("---- ") && line.ends_with(" ----");
        let first_skip = !counted && line.starts_with("skipped:");
        self.skipped_here += u64::from(first_skip);
        self.part = Part::Successes { counted: (counted || first_skip) && !next_test };
        first_skip || line.starts_with("warning:")
    }
}

/// False for what says that all is as it should be: one line for each test would bury the rest.
fn is_news(line: &str) -> bool {
    let fine = line.starts_with("test ") && (line.ends_with("... ok") || line.contains("... ignored"));
    let frame = line.trim().is_empty() || line.starts_with("running ");
    !fine && !frame
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; …` in numbers.
fn parse_result(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count =
        |what: &str| counts.split("; ").find_map(|part| part.strip_suffix(what)?.trim_end().parse::<u64>().ok());
    Some(Tally { passed: count("passed")?, failed: count("failed")?, skipped: count("ignored")? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    /// The tally of an output and what is shown of it.
    fn follow(output: &str) -> (Tally, Vec<&str>) {
        let mut reader = Reader::default();
        let shown = output.lines().filter(|line| reader.line(line)).collect();
        (reader.tally(), shown)
    }

    #[test]
    fn binaries_add_up_and_only_news_is_shown() {
        let output = "
running 3 tests
test a ... ok
test b ... ignored, needs a server
test c has been running for over 60 seconds
test c ... ok

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 61.00s

running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 1 test
test d ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s
";
        let (tally, shown) = follow(output);
        assert_eq!(tally, Tally { passed: 3, failed: 0, skipped: 1 });
        assert_eq!(
            shown,
            [
                "test c has been running for over 60 seconds",
                "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 61.00s",
                "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s",
            ]
        );
    }

    #[test]
    fn a_test_that_says_it_was_skipped_has_not_passed_and_counts_once() {
        let output = "
running 4 tests
test a ... ok
test b ... ok
test c ... ok
test d ... FAILED

successes:

---- a stdout ----
skipped: no ../shared
skipped: really not

---- b stdout ----
hello, nothing was skipped: here

---- c stdout ----
before
warning: slow
skipped: no server

successes:
    a
    b
    c

failures:

---- d stdout ----
skipped: said too late, it failed
boom

failures:
    d

test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        let (tally, shown) = follow(output);
        assert_eq!(tally, Tally { passed: 1, failed: 1, skipped: 2 });
        assert_eq!(
            shown,
            [
                "test d ... FAILED",
                "skipped: no ../shared",
                "warning: slow",
                "skipped: no server",
                "failures:",
                "",
                "---- d stdout ----",
                "skipped: said too late, it failed",
                "boom",
                "",
                "failures:",
                "    d",
                "",
                "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            ]
        );
    }

    #[test]
    fn what_only_resembles_a_result_is_none() {
        for line in
            ["test result: ok", "test result: ok. many passed; 0 failed; 0 ignored", "  test result: ok. 1 passed"]
        {
            assert_eq!(parse_result(line), None, "{line}");
        }
    }
}
