//! Puts in place what the checks need beyond cargo itself, so that a fresh machine passes.
//!
//! Today that is two parts of the Rust toolchain. What a later test needs (a package of the system, a browser) is
//! installed here too, never by hand: CI runs nothing else.

use std::process::{Command, Stdio};

use crate::console::Console;
use crate::run::{StageError, cargo};

/// Sub-commands of cargo that come as toolchain components.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// Adds what is missing.
pub(crate) fn prepare(console: Console) -> Result<(), StageError> {
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

fn answers(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
