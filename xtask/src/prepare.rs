//! Puts in place what the checks need beyond cargo itself, so that a fresh machine passes.
//!
//! That is two parts of the Rust toolchain, and a PostgreSQL server for the tests that start one. What a later test needs
//! (a package of the system, a browser) is installed here too, never by hand: CI runs nothing else.

use std::process::{Command, Stdio};

use crate::console::Console;
use crate::run::{StageError, cargo};

/// Sub-commands of cargo that come as toolchain components.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// Where Debian and its relatives put PostgreSQL's programs, by version.
const POSTGRES: &str = "/usr/lib/postgresql";

/// Adds what is missing.
pub(crate) fn prepare(console: Console) -> Result<(), StageError> {
    postgres(console);
    COMPONENTS.into_iter().try_for_each(|(subcommand, component)| {
        if answers(cargo(console).args([subcommand, "--version"])) {
            return Ok(());
        }
        console.say(&format!("adding {component} to the toolchain"));
        // Whether it worked is asked of cargo below, since rustup may be missing altogether.
        answers(Command::new("rustup").args(["component", "add", component]));
        if answers(cargo(console).args([subcommand, "--version"])) {
            Ok(())
        } else {
            Err(StageError::Component { subcommand, component })
        }
    })
}

/// The server's programs, from the system's packages. Where they cannot be had the tests that need them say so and skip:
/// everything else can be tested all the same.
fn postgres(console: Console) {
    let there = || {
        let versions = std::fs::read_dir(POSTGRES).into_iter().flatten().flatten();
        versions.map(|version| version.path().join("bin/initdb")).any(|program| program.exists())
    };
    if there() {
        return;
    }
    console.say("installing PostgreSQL for the tests that start a server");
    let install = ["install", "--yes", "--no-install-recommends", "postgresql"];
    let apt = |args: &[&str]| answers(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"));
    if !apt(&install) && apt(&["update"]) {
        apt(&install);
    }
    if !there() {
        console.say("PostgreSQL cannot be installed here; its tests will be skipped");
    }
}

fn answers(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
