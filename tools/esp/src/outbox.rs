//! The outbox: every message becomes a file in a Maildir. The keyless default, and the place to look at mail that any
//! mail program can open. Text messages lie in `sms/` beside it, one JSON file each: no mail program would read them.
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

use kit::message::{DedupeKey, Outgoing, Reserved, TextMessage};
use kit::{BoxFuture, Timestamp};
use serde::Serialize;

use crate::esp::{Accepted, Capabilities, Esp, EspError, Lookup};
use crate::mail;

pub(crate) const NAME: &str = "outbox";
/// The folder of text messages.
const SMS: &str = "sms";
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
        for folder in ["tmp", "new", "cur", SMS] {
            let path = outbox.root.join(folder);
            make_private_dir(&path).map_err(|e| unavailable("make", &path, &e))?;
        }
        Ok(outbox)
    }

    /// The file of a key: in `new/` or, once a mail program has seen it, in `cur/`; a text message in `sms/`.
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
        let text = self.root.join(SMS).join(format!("{key}.json"));
        match fs::symlink_metadata(&text) {
            Ok(_) => return Ok(Some(text)),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(unavailable("look for", &text, &e)),
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
        let key = message.key();
        if let Some(path) = self.find(key)? {
            return accepted(&path);
        }
        let (bytes, path) = match message.message() {
            Outgoing::Mail(mail) => {
                let bytes = mail::build(key, mail, now).map_err(|e| refused(e.to_string()))?;
                (bytes, self.root.join("new").join(file_name(key)))
            }
            Outgoing::Sms(text) => {
                let bytes = sms_file(key, text, now).map_err(|e| refused(e.to_string()))?;
                (bytes, self.root.join(SMS).join(format!("{key}.json")))
            }
        };
        let draft = self.write_draft(key, &bytes)?;
        let linked = fs::hard_link(&draft, &path);
        // Linked or not, the draft has served. If it stays it is one more leftover, and those are ignored.
        let _ = fs::remove_file(&draft);
        match linked {
            Ok(()) => accepted(&path),
            // Somebody else delivered the same key in this moment.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => accepted(&path),
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
                Some(path) => accepted(&path).map(Lookup::Found),
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

/// What an SMS gateway would be given, and when.
#[derive(Serialize)]
struct SmsFile<'a> {
    key: DedupeKey,
    at: Timestamp,
    from: &'a str,
    to: &'a str,
    parts: u32,
    text: &'a str,
}

fn sms_file(key: DedupeKey, text: &TextMessage, at: Timestamp) -> Result<Vec<u8>, serde_json::Error> {
    let TextMessage { sender, number, body, parts } = text;
    let file = SmsFile { key, at, from: sender, to: number.reveal(), parts: *parts, text: body };
    let mut bytes = serde_json::to_vec_pretty(&file)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn file_name(key: DedupeKey) -> String {
    format!("{key}.eml")
}

/// The file is there; it counts once its folder is on disk. Also for a file found: whoever linked it may have died
/// before syncing.
fn accepted(path: &Path) -> Result<Accepted, EspError> {
    let folder = path.parent().unwrap_or(path);
    sync_dir(folder).map_err(|e| EspError::Unknown {
        esp: NAME.to_owned(),
        why: format!("cannot sync {}: {e}; look the key up again", folder.display()),
    })?;
    // A mail program may have added flags to the name: what follows the colon is not ours.
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    Ok(Accepted { provider_id: name.split(':').next().unwrap_or(name).to_owned() })
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
