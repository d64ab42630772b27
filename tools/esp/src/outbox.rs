//! The outbox: every message becomes a file in a Maildir. The keyless default, and the place to look at mail that any
//! mail program can open.
//!
//! A file is written to `tmp/`, synced, and linked into `new/` under a name made of the dedupe key alone. Linking is
//! exclusive, so one key is one file, whoever delivers it and however often. What a crash leaves in `tmp/` was never
//! delivered and is ignored. The file system must know hard links; one that does not is reported, not worked around.
//!
//! The file system is called directly from the futures: a message is some 30 KB and one fsync, and callers hand over one
//! at a time. This crate has no runtime of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use kit::message::{Channel, DedupeKey, Reserved};
use kit::{BoxFuture, Timestamp};

use crate::esp::{Accepted, Capabilities, Esp, EspError, Lookup};
use crate::mail;

pub(crate) const NAME: &str = "outbox";
/// Leftovers of one key that are stepped over before we give up.
const MAX_LEFTOVERS: u32 = 1_000;

/// A Maildir that takes messages.
#[derive(Debug, Clone)]
pub struct Outbox {
    root: PathBuf,
}

impl Outbox {
    /// Opens the Maildir at `root` and makes its folders where they are missing.
    ///
    /// # Errors
    /// [`EspError::Unavailable`] with the path when a folder cannot be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, EspError> {
        let outbox = Self { root: root.into() };
        for folder in ["tmp", "new", "cur"] {
            let path = outbox.root.join(folder);
            make_private_dir(&path).map_err(|e| unavailable("make", &path, &e))?;
        }
        Ok(outbox)
    }

    /// The file of a key, in `new/` or, once a mail program has seen it, in `cur/`.
    ///
    /// # Errors
    /// [`EspError::Unavailable`] when the folders cannot be read.
    pub fn find(&self, key: DedupeKey) -> Result<Option<PathBuf>, EspError> {
        let name = file_name(key);
        // Mail programs move files from new/ to cur/, never back: looking in this order misses none.
        let fresh = self.root.join("new").join(&name);
        match fs::symlink_metadata(&fresh) {
            Ok(_) => return Ok(Some(fresh)),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(unavailable("look for", &fresh, &e)),
        }
        let seen = self.root.join("cur");
        for entry in fs::read_dir(&seen).map_err(|e| unavailable("list", &seen, &e))? {
            let found = entry.map_err(|e| unavailable("list", &seen, &e))?.file_name();
            // Flags follow a colon: `KEY.eml:2,S`.
            let is_ours =
                found.to_str().and_then(|f| f.strip_prefix(&name)).is_some_and(|f| f.is_empty() || f.starts_with(':'));
            if is_ours {
                return Ok(Some(seen.join(found)));
            }
        }
        Ok(None)
    }

    fn put(&self, message: &Reserved, now: Timestamp) -> Result<Accepted, EspError> {
        let refused = |why: String| EspError::Refused { esp: NAME.to_owned(), why };
        match message.channel() {
            Channel::Email => {}
            Channel::Sms => return Err(refused("it takes e-mail only".to_owned())),
        }
        let key = message.key();
        if let Some(path) = self.find(key)? {
            return accepted(key, &path);
        }
        let bytes = mail::build(key, message.message(), now).map_err(|e| refused(e.to_string()))?;
        let draft = self.write_draft(key, &bytes)?;
        let path = self.root.join("new").join(file_name(key));
        let linked = fs::hard_link(&draft, &path);
        // Linked or not, the draft has served. If it stays it is one more leftover, and those are ignored.
        let _ = fs::remove_file(&draft);
        match linked {
            Ok(()) => accepted(key, &path),
            // Somebody else delivered the same key in this moment.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => accepted(key, &path),
            Err(e) => Err(unavailable("link", &path, &e)),
        }
    }

    /// Writes the whole message to a new file in `tmp/` and syncs it; nothing stays behind when that fails.
    fn write_draft(&self, key: DedupeKey, bytes: &[u8]) -> Result<PathBuf, EspError> {
        let (path, mut file) = self.new_draft(key)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        drop(file);
        written.map(|()| path.clone()).map_err(|e| {
            let _ = fs::remove_file(&path);
            unavailable("write", &path, &e)
        })
    }

    fn new_draft(&self, key: DedupeKey) -> Result<(PathBuf, File), EspError> {
        let folder = self.root.join("tmp");
        for number in 0..MAX_LEFTOVERS {
            let path = folder.join(format!("{key}.{number}"));
            match private_file(&path) {
                Ok(file) => return Ok((path, file)),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(unavailable("create", &path, &e)),
            }
        }
        let why = format!("{} holds {MAX_LEFTOVERS} leftovers of one message; empty it", folder.display());
        Err(EspError::Unavailable { esp: NAME.to_owned(), why })
    }
}

impl Esp for Outbox {
    fn name(&self) -> &str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            dedupes_by_key: true,
            can_lookup: true,
            can_create_draft: false,
            can_schedule: false,
            can_cancel: false,
            can_ab: false,
        }
    }

    fn deliver<'a>(&'a self, message: &'a Reserved, now: Timestamp) -> BoxFuture<'a, Result<Accepted, EspError>> {
        Box::pin(async move { self.put(message, now) })
    }

    fn lookup<'a>(&'a self, key: DedupeKey) -> BoxFuture<'a, Result<Lookup, EspError>> {
        Box::pin(async move {
            match self.find(key)? {
                Some(path) => accepted(key, &path).map(Lookup::Found),
                None => Ok(Lookup::Absent),
            }
        })
    }

    fn erase(&self, key: DedupeKey) -> BoxFuture<'_, Result<bool, EspError>> {
        Box::pin(async move {
            while let Some(path) = self.find(key)? {
                fs::remove_file(&path).map_err(|e| unavailable("erase", &path, &e))?;
            }
            // What a crash left of it in tmp/.
            for number in 0..MAX_LEFTOVERS {
                let path = self.root.join("tmp").join(format!("{key}.{number}"));
                match fs::remove_file(&path) {
                    Ok(()) => {}
                    Err(e) if e.kind() == ErrorKind::NotFound => break,
                    Err(e) => return Err(unavailable("erase", &path, &e)),
                }
            }
            Ok(true)
        })
    }
}

fn file_name(key: DedupeKey) -> String {
    format!("{key}.eml")
}

/// The file is there; it counts once its folder is on disk. Also for a file found: whoever linked it may have died
/// before syncing.
fn accepted(key: DedupeKey, path: &Path) -> Result<Accepted, EspError> {
    let folder = path.parent().unwrap_or(path);
    sync_dir(folder).map_err(|e| EspError::Unknown {
        esp: NAME.to_owned(),
        why: format!("cannot sync {}: {e}; look the key up again", folder.display()),
    })?;
    Ok(Accepted { provider_id: file_name(key) })
}

fn unavailable(verb: &str, path: &Path, error: &io::Error) -> EspError {
    let why =
        format!("cannot {verb} {}: {error}; free space or fix permissions, nothing was half-written", path.display());
    EspError::Unavailable { esp: NAME.to_owned(), why }
}

/// Mail is personal data: only its owner reads it.
#[cfg(unix)]
fn make_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file; the file system journals names by itself.
#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}
