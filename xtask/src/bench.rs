//! `cargo xtask bench NAME …`: one binary of the package `mailwright-bench`, built for release.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::console::Console;
use crate::run::{StageError, beside, cargo, shown};

/// Builds and runs it. What it prints is its own affair: tables for people, one JSON object as the last line.
pub(crate) fn run(name: &str, args: &[OsString], console: Console) -> ExitCode {
    let mut command = cargo(console);
    command.args(["run", "--release", "--quiet", "--package", "mailwright-bench", "--bin", name, "--"]).args(args);
    // It starts the program itself, from beside its own.
    let program = if matches!(name, "approvals" | "start") {
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

/// How large a torture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// With the server that the tests have built.
    Small,
    /// With an optimised server, which starts a thousand times in reasonable time.
    Full,
}

/// Lives in the one whole check: enough to see each kind of end, in less than a minute.
const LIVES_OF_A_CHECK: &str = "12";

/// Builds the server with its failpoints, and tortures it.
pub(crate) fn torture(size: Size, args: &[OsString], console: Console) -> ExitCode {
    match tortured(size, args, console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The torture of the one whole check.
pub(crate) fn small_torture(console: Console) -> Result<(), StageError> {
    tortured(Size::Small, &["--kills".into(), LIVES_OF_A_CHECK.into()], console)
}

fn tortured(size: Size, args: &[OsString], console: Console) -> Result<(), StageError> {
    // With the tests, whose features it shares then, so that hardly anything is left to do after them.
    let mut build = cargo(console);
    build.args(["build", "--quiet", "--workspace", "--tests", "--bin", "torture", "--bin", "mailwright"]);
    shown(build, console)?;
    let mut torture = beside("torture");
    if size == Size::Full {
        let mut server = cargo(console);
        server.args(["build", "--quiet", "--package", "mailwright", "--bin", "mailwright", "--profile", "torture"]);
        shown(server, console)?;
        torture.args(["--kills", "1000", "--server", "target/torture/mailwright"]);
    }
    torture.args(args);
    shown(torture, console)
}
