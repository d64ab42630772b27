//! `cargo xtask fuzz`: every fuzz target for a while, with cargo-fuzz on a nightly compiler.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::console::Console;
use crate::run::{StageError, at_root, shown};

/// Files of the repository that a target reads, each behind the bytes that say what it is.
const SEEDS: &[(&str, &[u8], &str)] = &[
    ("files", &[0], "prompts/flows/abandoned-checkout.md"),
    ("files", &[1], "evals/brief.yaml"),
    ("webhook", &[0, 0], "knowledge/sample-shop/webhooks/shopify-checkouts-update-ada.json"),
    ("webhook", &[0, 1], "knowledge/sample-shop/webhooks/shopify-orders-create-bought.json"),
    ("webhook", &[5, 0], "knowledge/sample-shop/webhooks/generic-cart-updated-bought.json"),
];

/// Fuzzes the named targets, or all, each for so many seconds; goes on after one that failed.
pub(crate) fn fuzz(targets: &[String], seconds: u32, console: Console) -> ExitCode {
    match fuzzed(targets, seconds, console) {
        Ok(failed) if failed.is_empty() => {
            console.result("nothing was found");
            ExitCode::SUCCESS
        }
        Ok(failed) => {
            console.result(&format!("something was found by: {}; see fuzz/artifacts", failed.join(", ")));
            ExitCode::FAILURE
        }
        Err(error) => {
            console.say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn fuzzed(targets: &[String], seconds: u32, console: Console) -> Result<Vec<String>, StageError> {
    let all = all()?;
    let wanted = if targets.is_empty() { all } else { targets.to_vec() };
    let mut failed = Vec::new();
    for target in wanted {
        console.headline(&format!("{target}, {seconds} s"));
        let corpus = format!("fuzz/corpus/{target}");
        sow(&target, &corpus)?;
        let mut command = fuzzer();
        command.args(["run", &target, &corpus]);
        // Its own beginnings, where there are some.
        let seeds = format!("fuzz/seeds/{target}");
        if Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&seeds).is_dir() {
            command.arg(&seeds);
        }
        command.args(["--", &format!("-max_total_time={seconds}"), "-timeout=20", "-rss_limit_mb=4096"]);
        match shown(command, console) {
            Ok(()) => {}
            Err(StageError::Status { .. }) => failed.push(target),
            Err(other) => return Err(other),
        }
    }
    Ok(failed)
}

/// The targets are the files of their folder.
fn all() -> Result<Vec<String>, StageError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/targets");
    let fail = |source| StageError::File { file: "fuzz/targets".to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        names.extend(path.file_stem().and_then(OsStr::to_str).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Puts the repository's own files into a target's corpus.
fn sow(target: &str, corpus: &str) -> Result<(), StageError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let fail = |file: &str| {
        let file = file.to_owned();
        move |source| StageError::File { file, source }
    };
    fs::create_dir_all(root.join(corpus)).map_err(fail(corpus))?;
    for (number, (_, kind, file)) in SEEDS.iter().enumerate().filter(|(_, (of, ..))| *of == target) {
        let body = fs::read(root.join(file)).map_err(fail(file))?;
        let seed = format!("{corpus}/seed-{number}");
        fs::write(root.join(&seed), [*kind, &body].concat()).map_err(fail(&seed))?;
    }
    Ok(())
}

/// cargo-fuzz wants a nightly compiler; rustup's proxy chooses it, whatever this task was started with.
fn fuzzer() -> Command {
    let mut command = at_root("cargo");
    for set_by_rustup in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC"] {
        command.env_remove(set_by_rustup);
    }
    command.args(["+nightly", "fuzz"]);
    command
}
