//! Secrets made at first start: 32 random bytes in a file of the data folder that only its owner reads.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Why a secret cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret {} cannot be read or made: {why}", file.display())]
pub struct KeyFileError {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub why: String,
}

/// Reads a secret as 64 hexadecimal characters; `None` when there is no such file.
///
/// # Errors
/// When the file cannot be read or holds something else.
pub fn read(file: &Path) -> Result<Option<String>, KeyFileError> {
    let fail = |why: String| KeyFileError { file: file.to_owned(), why };
    match std::fs::read_to_string(file) {
        Ok(text) if text.trim().len() == 64 && text.trim().bytes().all(|b| b.is_ascii_hexdigit()) => {
            Ok(Some(text.trim().to_owned()))
        }
        Ok(_) => Err(fail("it is not 64 hexadecimal characters; restore it from a backup".to_owned())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(fail(e.to_string())),
    }
}

/// Reads a secret, making it when there is none. Two processes that start at once end with the same one.
///
/// # Errors
/// As [`read`], and when it cannot be written.
pub fn read_or_make(file: &Path) -> Result<String, KeyFileError> {
    if let Some(secret) = read(file)? {
        return Ok(secret);
    }
    let fail = |why: String| KeyFileError { file: file.to_owned(), why };
    let mut secret = [0u8; 32];
    getrandom::fill(&mut secret).map_err(|e| fail(e.to_string()))?;
    let text = hex::encode(secret);
    if write_private(file, &text).map_err(|e| fail(e.to_string()))? {
        return Ok(text);
    }
    // Another process made it at this moment: that one counts.
    read(file)?.ok_or_else(|| fail("it was there and is gone".to_owned()))
}

/// Written beside and linked, readable by the owner only; false when the file is there already.
pub(crate) fn write_private(file: &Path, text: &str) -> std::io::Result<bool> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let beside = file.with_extension(format!("new-{}", std::process::id()));
    // What a process of the same number left behind when it was killed.
    let _ = std::fs::remove_file(&beside);
    let mut out = options.open(&beside)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    // Linking is exclusive where renaming would replace: two processes that start at once end with one secret.
    let linked = std::fs::hard_link(&beside, file);
    let _ = std::fs::remove_file(&beside);
    match linked {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e),
    }
}
