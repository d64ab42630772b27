//! `mailwright release show|export|apply|rollback`: what a shop runs, as files.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kit::Digest;

use super::app::App;
use super::out::{Ink, Out};
use super::{Failure, Global, failure};
use crate::release::{Files, Release};
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
    #[command(after_help = "Example: mailwright release apply ./shop-files")]
    Apply {
        /// A folder as `export` writes it. Files it does not have keep their present content.
        dir: PathBuf,
    },
    /// Put an earlier release in force again.
    #[command(after_help = "Example: mailwright release rollback 3f2a91c04d7e")]
    Rollback {
        /// The release, or the beginning of its digest.
        release: String,
    },
}

pub(super) async fn run(global: &Global, args: ReleaseArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let done = perform(&app, args.command, out).await;
    app.close().await;
    done
}

async fn perform(app: &App, command: ReleaseCommand, out: &Out) -> Result<(), Failure> {
    let store = &app.tenant.store;
    let (digest, files) =
        store.active_release().await.map_err(failure)?.ok_or_else(|| Failure::new("no release is in force"))?;
    match command {
        ReleaseCommand::Show => show(app, digest, &files, out).await,
        ReleaseCommand::Export { dir } => export(&dir, &files, out),
        ReleaseCommand::Apply { dir } => {
            let mut changed = files.clone();
            let mut own = Files::new();
            collect(&dir, &dir, &mut own)?;
            if own.is_empty() {
                return Err(Failure::new(format!(
                    "{} holds no file of a release; `release export` writes them",
                    dir.display()
                )));
            }
            changed.extend(own);
            put_in_force(app, changed, out).await
        }
        ReleaseCommand::Rollback { release } => {
            let known = store.releases().await.map_err(failure)?;
            let matching: Vec<Digest> =
                known.iter().map(|(d, _)| *d).filter(|d| d.to_string().starts_with(&release)).collect();
            let [one] = matching.as_slice() else {
                return Err(Failure::new(format!(
                    "{} release(s) begin with `{release}`; see `mailwright release show`",
                    matching.len()
                )));
            };
            let files = store.release(*one).await.map_err(failure)?;
            put_in_force(app, files.ok_or_else(|| Failure::new("the release is gone"))?, out).await
        }
    }
}

async fn show(app: &App, digest: Digest, files: &Files, out: &Out) -> Result<(), Failure> {
    let all = app.tenant.store.releases().await.map_err(failure)?;
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
    // Tool schemas follow from the binary, not from a person's edit.
    for (path, text) in files.iter().filter(|(path, _)| path.as_str() != "tools.json") {
        let file = dir.join(path);
        let parent = file.parent().unwrap_or(dir);
        std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&file, text)).map_err(|e| say(&file, e))?;
        written += 1;
    }
    out.line(&format!(
        "{written} files written to {}; edit them, then: mailwright release apply {}",
        dir.display(),
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

fn collect(root: &Path, dir: &Path, files: &mut Files) -> Result<(), Failure> {
    let say = |path: &Path, why: &dyn std::fmt::Display| Failure::new(format!("{}: {why}", path.display()));
    for entry in std::fs::read_dir(dir).map_err(|e| say(dir, &e))? {
        let path = entry.map_err(|e| say(dir, &e))?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if name.starts_with("prompts/") || name.starts_with("knowledge/") {
            files.insert(name, std::fs::read_to_string(&path).map_err(|e| say(&path, &e))?);
        }
    }
    Ok(())
}

async fn put_in_force(app: &App, files: Files, out: &Out) -> Result<(), Failure> {
    let read = Release::read(Digest::of_bytes(b""), &files).map_err(failure)?;
    if read.shop.id != *app.tenant.store.id() {
        return Err(Failure::new(format!(
            "these files are of the shop {}, not {}",
            read.shop.id,
            app.tenant.store.id()
        )));
    }
    Tenant::set_up(&app.store, files, app.tenant.clock.now()).await.map_err(failure)?;
    let now = app.tenant.store.active_release().await.map_err(failure)?.map(|(digest, _)| digest);
    let digest = now.map(|d| d.to_string()).unwrap_or_default();
    out.line(&format!("{} {digest}", out.ink(Ink::Good, "in force")));
    out.value(&serde_json::json!({ "in_force": digest }))
}
