//! Development tasks, run as `cargo xtask …`.
//!
//! * `test`: the one whole check, the same on a laptop and in CI ([`check`]).
//! * `torture`: a server under load that is killed again and again ([`bench::torture`]).
//! * `fuzz`: what reads things from outside, with input that nobody would think of ([`fuzz`]).
//! * `bench`: a benchmark of the `mailwright-bench` package, built for release ([`bench`]).

mod bench;
mod check;
mod console;
mod fuzz;
mod prepare;
mod run;
mod tally;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench::Size;
use crate::check::{Scope, check};
use crate::console::Console;

#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", about = "Development tasks")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check everything: format, lints, all tests, evals, a small torture
    ///
    /// Runs every stage even when an earlier one fails. The last line is `N passed, N failed, N skipped`. The exit code
    /// is not 0 when a stage failed.
    #[command(after_help = "Example: cargo xtask test --quick")]
    Test {
        /// Leave the lints out
        #[arg(long)]
        quick: bool,
        /// Print the result as one JSON object on standard output; progress goes to standard error
        #[arg(long)]
        json: bool,
    },
    /// Kill a server under load again and again; nothing may be lost or sent twice
    ///
    /// Builds the server with its failpoints, then runs the binary `torture` of the package mailwright-bench. Small by
    /// default. The exit code is not 0 when anything was lost, doubled or left, or a failpoint was met too rarely.
    #[command(after_help = "Example: cargo xtask torture --full --postgres")]
    Torture {
        /// A thousand kills of an optimised server, each failpoint met 20 times or more; takes most of an hour
        #[arg(long)]
        full: bool,
        /// What it takes; `cargo xtask torture -- --help` lists it
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Give the parsers of what comes from outside input that nobody would think of
    ///
    /// Takes a nightly compiler and cargo-fuzz (`cargo install cargo-fuzz`). What makes a target fail is kept in
    /// fuzz/artifacts. The exit code is not 0 when something was found.
    #[command(after_help = "Example: cargo xtask fuzz --seconds 60 webhook answer")]
    Fuzz {
        /// How long each target runs
        #[arg(long, default_value_t = 30)]
        seconds: u32,
        /// Which targets of fuzz/targets; all when none is named
        targets: Vec<String>,
    },
    /// Run a benchmark of the package mailwright-bench, built for release
    #[command(after_help = "Example: cargo xtask bench graph --products 20000 --interactions 900000")]
    Bench {
        /// Which: agent, catalog, compose, eval, graph, intake, rules, soak, start
        name: String,
        /// What the benchmark itself takes; `cargo xtask bench NAME -- --help` lists it
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match Cli::parse().task {
        Task::Test { quick, json } => check(if quick { Scope::Quick } else { Scope::Whole }, Console::new(json)),
        Task::Torture { full, args } => {
            bench::torture(if full { Size::Full } else { Size::Small }, &args, Console::new(false))
        }
        Task::Fuzz { seconds, targets } => fuzz::fuzz(&targets, seconds, Console::new(false)),
        Task::Bench { name, args } => bench::run(&name, &args, Console::new(false)),
    }
}
