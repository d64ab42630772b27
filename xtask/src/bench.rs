//! `cargo xtask bench NAME …`: one binary of the package `mailwright-bench`, built for release.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::console::Console;
use crate::run::{cargo, shown};

/// Builds and runs it. What it prints is its own affair: tables for people, one JSON object as the last line.
pub(crate) fn run(name: &str, args: &[OsString], console: Console) -> ExitCode {
    let mut command = cargo(console);
    command.args(["run", "--release", "--quiet", "--package", "mailwright-bench", "--bin", name, "--"]).args(args);
    // It starts the program itself, from beside its own.
    let program = if name == "start" {
        let mut program = cargo(console);
        program.args(["build", "--release", "--quiet", "--package", "mailwright", "--bin", "mailwright"]);
        shown(program, console)
    } else {
        Ok(())
    };
    match program.and_then(|()| shown(command, console)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Builds the server as tests have it, with its failpoints, and tortures it.
pub(crate) fn torture(args: &[OsString], console: Console) -> ExitCode {
    let mut server = cargo(console);
    server.args(["build", "--quiet", "--package", "mailwright", "--bin", "mailwright"]);
    let mut torture = cargo(console);
    torture.args(["run", "--quiet", "--package", "mailwright-bench", "--bin", "torture", "--"]).args(args);
    match shown(server, console).and_then(|()| shown(torture, console)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
