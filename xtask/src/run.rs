//! Commands: started at the root of the repository, their output shown or read line by line.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::console::Console;

/// Why a stage failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// The program is not there, or may not be run.
    #[error("`{command}` cannot be started: {source}")]
    Start {
        /// As one would type it.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// What the program printed could not be read.
    #[error("the output of `{command}` cannot be read: {source}")]
    Read {
        /// As one would type it.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ran and was not content.
    #[error("`{command}` ended with {status}; its output is above")]
    Status {
        /// As one would type it.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A file of the repository cannot be read or written.
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A part of the Rust toolchain is missing, and rustup could not add it.
    #[error("`cargo {subcommand}` is missing; add it with `rustup component add {component}`")]
    Component {
        /// What cargo lacks.
        subcommand: &'static str,
        /// What rustup calls it.
        component: &'static str,
    },
}

/// A `cargo` command at the root of the repository: the same cargo that runs this task.
pub(crate) fn cargo(console: Console) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = at_root(program);
    // Left alone, cargo colours for a terminal and not for a file, which is what `Console` does too.
    if !console.is_coloured() {
        command.env("CARGO_TERM_COLOR", "never");
    }
    command
}

/// A program, started at the root of the repository with nothing to read.
pub(crate) fn at_root(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() {
        command.current_dir(root);
    }
    command.stdin(Stdio::null());
    command
}

/// A binary that the tests have built, which stands beside this one, started at the root of the repository.
pub(crate) fn beside(name: &str) -> Command {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|this| Some(this.parent()?.join(&name)));
    at_root(beside.unwrap_or_else(|| name.into()))
}

/// Runs a command to its end, showing what it prints.
pub(crate) fn shown(mut command: Command, console: Console) -> Result<(), StageError> {
    command.stdout(console.child_stdout());
    let status = command.status().map_err(|source| StageError::Start { command: typed(&command), source })?;
    ended(&command, status)
}

/// Runs a command to its end, giving each line of its standard output to `read`; standard error is shown.
pub(crate) fn read(mut command: Command, mut read: impl FnMut(&str)) -> Result<(), StageError> {
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|source| StageError::Start { command: typed(&command), source })?;
    // Read as bytes: a test may print what is no UTF-8.
    let lines = child.stdout.take().map(|out| BufReader::new(out).split(b'\n'));
    let outcome = lines
        .into_iter()
        .flatten()
        .try_for_each(|line| line.map(|bytes| read(String::from_utf8_lossy(&bytes).trim_end_matches('\r'))));
    let status = child.wait().map_err(|source| StageError::Read { command: typed(&command), source })?;
    outcome.map_err(|source| StageError::Read { command: typed(&command), source })?;
    ended(&command, status)
}

fn ended(command: &Command, status: ExitStatus) -> Result<(), StageError> {
    if status.success() { Ok(()) } else { Err(StageError::Status { command: typed(command), status }) }
}

/// The command as one would type it; the program without its folders.
fn typed(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    words.join(" ")
}
