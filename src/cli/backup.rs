//! `mailwright backup DIR`, `mailwright restore DIR`: the data folder, copied while it is in use, and put back.
//!
//! What comes back is older than the world: messages may have gone out that it knows nothing of. So it comes back stopped,
//! and every hand-over of what began before is preceded by a question to the provider. People who were erased after the
//! backup was taken are erased again before anybody else may open the folder.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use esp::Outbox;
use kit::{Principal, ShopId, Timestamp};
use serde::{Deserialize, Serialize};

use super::app::{OUTBOX, data_dir, place, provider};
use super::out::Out;
use super::{Failure, Global, failure};
use crate::clock::{Clock as _, SetClock, SystemClock};
use crate::intake::ErasedAgain;
use crate::store::{DATABASE, ERASURES, MASTER_KEY, Place, RESTORING, Store, Tombstone, check_backup, read_tombstones};
use crate::tenant::{Parts, Tenant};

/// What a backup says about itself.
const ABOUT: &str = "BACKUP.json";
/// Not copied: the database is copied as a whole of its own, and what was put together for people is theirs.
const LEFT_OUT: [&str; 2] = ["exports", ".write-probe"];

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright backup /var/backups/mailwright-2026-11-26")]
pub(super) struct BackupArgs {
    /// A folder that is not there yet, or empty.
    dir: PathBuf,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: mailwright restore /var/backups/mailwright-2026-11-26 --data ./new --erasures ./old/erasures.log"
)]
pub(super) struct RestoreArgs {
    /// The folder of the backup.
    dir: PathBuf,
    /// The `erasures.log` of the folder that this one takes the place of, or a copy of it kept elsewhere: whoever was erased
    /// after the backup was taken is erased again.
    #[arg(long, value_name = "FILE")]
    erasures: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
struct About {
    schema: String,
    taken_at: Timestamp,
}

const SCHEMA: &str = "mailwright.backup/1";

pub(super) async fn back_up(global: &Global, args: BackupArgs, out: &Out) -> Result<(), Failure> {
    let data = data_dir(global)?;
    let place = place(global)?;
    fresh(&args.dir)?;
    let store = Store::open_at(&data, &place).await.map_err(failure)?;
    let taken_at = global.at.unwrap_or_else(|| SystemClock.now());
    let done = async {
        match place {
            // The tables first: a message that leaves meanwhile is in the copy of the outbox and not in them, which is found
            // out when it comes back. The other way round it would be gone.
            Place::Folder | Place::Scratch => store.snapshot(&args.dir.join(DATABASE)).await.map_err(failure)?,
            Place::Postgres(_) => out.note("The tables are on a PostgreSQL server: copy them with pg_dump, now."),
        }
        let files = copy(&data, &args.dir, &|name| name.starts_with(DATABASE) || LEFT_OUT.contains(&name))?;
        let about = About { schema: SCHEMA.to_owned(), taken_at };
        let text = serde_json::to_vec_pretty(&about).map_err(failure)?;
        let file = args.dir.join(ABOUT);
        let mut about = private(&file).map_err(|e| said(&file, &e))?;
        about.write_all(&text).and_then(|()| about.sync_all()).map_err(|e| said(&file, &e))?;
        Ok(files)
    }
    .await;
    store.close().await;
    let files: usize = done?;
    out.value(&serde_json::json!({ "backup": args.dir, "taken_at": taken_at.to_string(), "files": files }))?;
    out.line(&format!("{} holds everything as of {taken_at}; keep it as safe as the data folder", args.dir.display()));
    out.line(&format!(
        "Its {MASTER_KEY} opens what is stored about customers: without it nothing of that is readable."
    ));
    Ok(())
}

pub(super) async fn restore(global: &Global, args: RestoreArgs, out: &Out) -> Result<(), Failure> {
    let data = data_dir(global)?;
    let place = place(global)?;
    let file = args.dir.join(ABOUT);
    let text = fs::read_to_string(&file).map_err(|e| said(&file, &e))?;
    let about: About = serde_json::from_str(&text).map_err(|e| Failure::new(format!("{}: {e}", file.display())))?;
    if about.schema != SCHEMA {
        return Err(Failure::new(format!(
            "{}: `{}` is no backup that this version reads",
            file.display(),
            about.schema
        )));
    }
    let stones = erased_since(&args, about.taken_at)?;
    // What cannot be read afterwards is not put back.
    check_backup(&args.dir, &place).await.map_err(failure)?;
    fresh(&data)?;
    // Until it is gone, nobody opens the folder: a restore that is cut off leaves nothing that could be taken for whole.
    let marker = data.join(RESTORING);
    private(&marker).and_then(|file| file.sync_all()).map_err(|e| said(&marker, &e))?;
    copy(&args.dir, &data, &|name| name == ABOUT)?;
    let store = Store::open_restored(&data, &place).await.map_err(failure)?;
    let now = global.at.unwrap_or_else(|| SystemClock.now());
    let mut again = Vec::new();
    let shops = store.shop(&ShopId::from_digest("none", &kit::Digest::of_bytes(b""))).shop_ids().await;
    let done = async {
        let reason = format!("restored from a backup of {}", about.taken_at);
        for id in shops.map_err(failure)? {
            let shop = store.shop(&ShopId::new(id).map_err(failure)?);
            shop.note_restore(about.taken_at, now).await.map_err(failure)?;
            shop.kill_on("global", &reason, &Principal::System, now).await.map_err(failure)?;
            if !stones.is_empty() {
                again.push(erase_again(global, &store, shop.id(), &stones, now).await?);
            }
        }
        Ok(())
    }
    .await;
    store.close().await;
    done?;
    fs::remove_file(&marker).map_err(|e| said(&marker, &e))?;
    out.value(&serde_json::json!({
        "restored": data, "taken_at": about.taken_at.to_string(), "erased_again": again, "erasures_given": args.erasures.is_some(),
    }))?;
    out.line(&format!(
        "{} is as of {}. Nothing is sent until `mailwright kill off global`.",
        data.display(),
        about.taken_at
    ));
    for ErasedAgain { people, messages, files, left } in again {
        out.line(&format!("Erased again: {people} people, with {messages} message(s) and {files} file(s)."));
        if left > 0 {
            out.line(&format!("The provider cannot be asked to forget {left} messages of theirs: see that it did."));
        }
    }
    if args.erasures.is_none() {
        out.line(&format!(
            "Whoever was erased after {} is back: restore again with --erasures FILE, the `{ERASURES}` of the old folder.",
            about.taken_at
        ));
    }
    out.line("What began before now is asked for at the provider before it is handed over.");
    Ok(())
}

/// What was erased after the backup was taken: noted in the log that is given, or in the backup's own while it was copied.
fn erased_since(args: &RestoreArgs, taken_at: Timestamp) -> Result<Vec<Tombstone>, Failure> {
    let mut stones = Vec::new();
    let own = args.dir.join(ERASURES);
    for file in args.erasures.iter().chain(own.is_file().then_some(&own)) {
        stones.extend(read_tombstones(file).map_err(failure)?);
    }
    stones.retain(|stone| stone.noted_at >= taken_at);
    Ok(stones)
}

async fn erase_again(
    global: &Global,
    store: &Store,
    shop: &ShopId,
    stones: &[Tombstone],
    now: Timestamp,
) -> Result<ErasedAgain, Failure> {
    let outbox = Arc::new(Outbox::open(store.dir().join(OUTBOX)).map_err(failure)?);
    let clock = Arc::new(SetClock::at(now));
    let parts = Parts::new(clock, provider(global, &outbox)?, Vec::new());
    let tenant = Tenant::open(store, shop, parts).await.map_err(failure)?;
    tenant.erase_again(stones).await.map_err(failure)
}

/// A folder to write into: made for its owner alone, and empty.
fn fresh(dir: &Path) -> Result<(), Failure> {
    let mut make = fs::DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
    make.create(dir).map_err(|e| said(dir, &e))?;
    let mut entries = fs::read_dir(dir).map_err(|e| said(dir, &e))?;
    if entries.next().is_some() {
        return Err(Failure::new(format!("{} is not empty; choose a new folder", dir.display())));
    }
    Ok(())
}

/// Copies files and folders, but no sockets and locks; returns how many files.
fn copy(from: &Path, to: &Path, left_out: &dyn Fn(&str) -> bool) -> Result<usize, Failure> {
    let mut files = 0;
    for entry in fs::read_dir(from).map_err(|e| said(from, &e))? {
        let entry = entry.map_err(|e| said(from, &e))?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let kind = entry.file_type().map_err(|e| said(&path, &e))?;
        if left_out(&name) || name.ends_with(".lock") {
            continue;
        }
        let target = to.join(name.as_ref());
        if kind.is_dir() {
            fresh(&target)?;
            files += copy(&path, &target, &|_| false)?;
        } else if kind.is_file() {
            let mut source = match fs::File::open(&path) {
                Ok(source) => source,
                // It was there a moment ago: a draft that became a message.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => return Err(said(&path, &e)),
            };
            let mut copy = private(&target).map_err(|e| said(&target, &e))?;
            std::io::copy(&mut source, &mut copy).and_then(|_| copy.sync_all()).map_err(|e| said(&target, &e))?;
            files += 1;
        }
    }
    Ok(files)
}

fn private(file: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

fn said(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}; free space or fix permissions", path.display()))
}
