//! `mailwright release show|export|apply|rollback`: what a shop runs, as files.
//!
//! The store alone is opened: whatever is wrong with what is in force, it can be looked at and replaced.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kit::{Digest, Role, Timestamp};

use super::app;
use super::out::{Ink, Out};
use super::{Failure, Global, failure};
use crate::release::{Files, Release, TOOLS};
use crate::store::ShopStore;
use crate::tenant::Tenant;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright release show")]
pub(super) struct ReleaseArgs {
    #[command(subcommand)]
    command: ReleaseCommand,
}

#[derive(Debug, Subcommand)]
enum ReleaseCommand {
    /// The release in force, its files, and the ones before it.
    #[command(after_help = "Example: mailwright release show")]
    Show,
    /// Write the files of the release in force into a folder, to edit them.
    #[command(after_help = "Example: mailwright release export ./shop-files")]
    Export {
        /// An empty or new folder.
        dir: PathBuf,
    },
    /// Check every file of a folder and put them in force; a wrong one is named and nothing changes.
    #[command(after_help = "Example: mailwright release apply ./shop-files --as nora")]
    Apply {
        /// A folder as `export` writes it. Files it does not have keep their present content; see --whole.
        dir: PathBuf,
        /// Who you are: it stands in the audit trail.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// The folder is all of it: files it does not have are removed from the release.
        #[arg(long)]
        whole: bool,
    },
    /// Put an earlier release in force again.
    #[command(after_help = "Example: mailwright release rollback 3f2a91c04d7e --as nora")]
    Rollback {
        /// The release, or the beginning of its digest.
        release: String,
        /// Who you are: it stands in the audit trail.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
}

pub(super) async fn run(global: &Global, args: ReleaseArgs, out: &Out) -> Result<(), Failure> {
    let (store, now) = app::open_store(global).await?;
    let done = perform(&store, args.command, now, out).await;
    store.store().clone().close().await;
    done
}

async fn perform(store: &ShopStore, command: ReleaseCommand, now: Timestamp, out: &Out) -> Result<(), Failure> {
    let (digest, files) =
        store.active_release().await.map_err(failure)?.ok_or_else(|| Failure::new("no release is in force"))?;
    match command {
        ReleaseCommand::Show => show(store, digest, &files, out).await,
        ReleaseCommand::Export { dir } => export(&dir, &files, out),
        ReleaseCommand::Apply { dir, name, whole } => {
            let mut own = Files::new();
            collect(&dir, &dir, &mut own)?;
            if own.is_empty() {
                return Err(Failure::new(format!(
                    "{} holds no file of a release; `release export` writes them",
                    dir.display()
                )));
            }
            let missing: Vec<&str> =
                files.keys().filter(|path| *path != TOOLS && !own.contains_key(*path)).map(String::as_str).collect();
            if !whole && !missing.is_empty() {
                out.note(&format!(
                    "kept as they are, since the folder does not have them (--whole removes them): {}",
                    missing.join(", ")
                ));
            }
            let mut wanted = if whole { Files::new() } else { files.clone() };
            wanted.extend(own);
            put_in_force(store, &files, wanted, &name, now, out).await
        }
        ReleaseCommand::Rollback { release, name } => {
            let known = store.releases().await.map_err(failure)?;
            let matching: Vec<Digest> =
                known.iter().map(|(d, _)| *d).filter(|d| d.to_string().starts_with(&release)).collect();
            let [one] = matching.as_slice() else {
                return Err(Failure::new(format!(
                    "{} release(s) begin with `{release}`; see `mailwright release show`",
                    matching.len()
                )));
            };
            let wanted = store.release(*one).await.map_err(failure)?;
            let wanted = wanted.ok_or_else(|| Failure::new("the release is gone"))?;
            put_in_force(store, &files, wanted, &name, now, out).await
        }
    }
}

async fn show(store: &ShopStore, digest: Digest, files: &Files, out: &Out) -> Result<(), Failure> {
    let all = store.releases().await.map_err(failure)?;
    let names: Vec<&String> = files.keys().collect();
    out.value(&serde_json::json!({ "in_force": digest, "files": names, "releases": all }))?;
    out.line(&format!("{} {digest}", out.ink(Ink::Bold, "in force")));
    for (path, text) in files {
        out.line(&format!("  {path}  ({} bytes)", text.len()));
    }
    let rows: Vec<Vec<String>> = all.iter().map(|(d, at)| vec![d.to_string(), at.to_string()]).collect();
    out.table(&["release", "made"], &rows);
    Ok(())
}

fn export(dir: &Path, files: &Files, out: &Out) -> Result<(), Failure> {
    let say = |path: &Path, e: std::io::Error| Failure::new(format!("{}: {e}", path.display()));
    if dir.exists() && std::fs::read_dir(dir).map_err(|e| say(dir, e))?.next().is_some() {
        return Err(Failure::new(format!("{} is not empty; choose a new folder", dir.display())));
    }
    let mut written = 0;
    for (path, text) in files.iter().filter(|(path, _)| path.as_str() != TOOLS) {
        let file = dir.join(path);
        let parent = file.parent().unwrap_or(dir);
        std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&file, text)).map_err(|e| say(&file, e))?;
        written += 1;
    }
    out.line(&format!(
        "{written} files written to {0}; edit them, then: mailwright release apply {0} --as NAME",
        dir.display()
    ));
    out.value(&serde_json::json!({ "written": written }))
}

/// The shipped release with the files of a folder over it, as `apply` would put it in force.
pub(super) fn read(dir: &Path) -> Result<Files, Failure> {
    let mut own = Files::new();
    collect(dir, dir, &mut own)?;
    if own.is_empty() {
        return Err(Failure::new(format!(
            "{} holds no file of a release; `release export` writes them",
            dir.display()
        )));
    }
    let mut files = crate::release::defaults();
    files.extend(own);
    Ok(files)
}

/// Every file of the folder by its name in a release. What a shop runs is what lies in the folder: a link would make it
/// something else on another day.
fn collect(root: &Path, dir: &Path, files: &mut Files) -> Result<(), Failure> {
    let say = |path: &Path, why: &dyn std::fmt::Display| Failure::new(format!("{}: {why}", path.display()));
    for entry in std::fs::read_dir(dir).map_err(|e| say(dir, &e))? {
        let entry = entry.map_err(|e| say(dir, &e))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(|e| say(dir, &e))?);
        // Version control and editors keep files of their own beside ours.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_symlink() {
            return Err(say(&path, &"links are not followed; put the file itself there"));
        }
        if kind.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        files.insert(name, std::fs::read_to_string(&path).map_err(|e| say(&path, &e))?);
    }
    Ok(())
}

async fn put_in_force(
    store: &ShopStore,
    before: &Files,
    wanted: Files,
    name: &str,
    now: Timestamp,
    out: &Out,
) -> Result<(), Failure> {
    let who = app::who(store, Some(name), Role::Admin, "release apply", now).await?;
    let read = Release::read(Digest::of_bytes(b""), &wanted).map_err(failure)?;
    if read.shop.id != *store.id() {
        return Err(Failure::new(format!("these files are of the shop {}, not {}", read.shop.id, store.id())));
    }
    let changes = changes(before, &wanted);
    let (_, digest) = Tenant::put_in_force(store.store(), wanted, &who, now).await.map_err(failure)?;
    if changes.is_empty() {
        out.line("nothing changes: the files are those in force");
    }
    for Change { file, added, removed, kind } in &changes {
        let (added, removed) = (out.ink(Ink::Good, &format!("+{added}")), out.ink(Ink::Bad, &format!("-{removed}")));
        out.line(&format!("  {kind:<8} {file}  {added} {removed}"));
    }
    if read.sending.quiet.from == read.sending.quiet.to {
        out.note("quiet hours: none, because from and to are equal; mail may leave at any hour of the night");
    }
    out.line(&format!("{} {digest} by {name}", out.ink(Ink::Good, "in force")));
    out.value(&serde_json::json!({ "in_force": digest, "changed": changes }))
}

#[derive(Debug, serde::Serialize)]
struct Change {
    file: String,
    kind: &'static str,
    added: usize,
    removed: usize,
}

/// What differs, file by file, in lines.
fn changes(before: &Files, after: &Files) -> Vec<Change> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for name in names.into_iter().filter(|name| name.as_str() != TOOLS) {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let kind = match (old, new) {
            (None, _) => "added",
            (_, None) => "removed",
            (Some(_), Some(_)) => "changed",
        };
        let (removed, added) = differing(old.map_or("", String::as_str), new.map_or("", String::as_str));
        changes.push(Change { file: name.clone(), kind, added, removed });
    }
    changes
}

/// Lines that only the one text has, and those that only the other has, however often each stands there.
fn differing(old: &str, new: &str) -> (usize, usize) {
    let mut counts: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
    old.lines().for_each(|line| *counts.entry(line).or_default() -= 1);
    new.lines().for_each(|line| *counts.entry(line).or_default() += 1);
    let sum = |wanted: fn(i64) -> i64| counts.values().map(|n| usize::try_from(wanted(*n)).unwrap_or(0)).sum();
    (sum(|n| -n), sum(|n| n))
}
