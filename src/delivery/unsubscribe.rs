//! Unsubscribe links that only we can make.

use std::path::{Path, PathBuf};

use kit::{CustomerId, Digest, ShopId};

/// The installation's secret for unsubscribe links, made at first start.
#[derive(Clone)]
pub struct UnsubscribeKey(String);

impl std::fmt::Debug for UnsubscribeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnsubscribeKey(…)")
    }
}

/// Why the secret cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("the secret {} cannot be read or made: {why}", file.display())]
pub struct KeyError {
    file: PathBuf,
    why: String,
}

impl UnsubscribeKey {
    /// Reads the secret of a data folder, making it when there is none.
    pub fn open(dir: &Path) -> Result<Self, KeyError> {
        let file = dir.join("unsubscribe.key");
        let fail = |why: String| KeyError { file: file.clone(), why };
        match std::fs::read_to_string(&file) {
            Ok(text) if text.trim().len() == 64 => Ok(Self(text.trim().to_owned())),
            Ok(_) => Err(fail(
                "it is not 64 hexadecimal characters; restore it from a backup, or links already sent stop working"
                    .to_owned(),
            )),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let mut secret = [0u8; 32];
                getrandom::fill(&mut secret).map_err(|e| fail(e.to_string()))?;
                let text = hex::encode(secret);
                if write_private(&file, &text).map_err(|e| fail(e.to_string()))? {
                    return Ok(Self(text));
                }
                // Another process made it at this moment: that one counts.
                Self::open(dir)
            }
            Err(e) => Err(fail(e.to_string())),
        }
    }

    /// As [`UnsubscribeKey::open`], for a shop that may have sent mail: its links work with the secret they were made with,
    /// and a new one made in silence would break each of them.
    pub fn open_for(dir: &Path, has_sent: bool) -> Result<Self, KeyError> {
        let file = dir.join("unsubscribe.key");
        if has_sent && matches!(file.try_exists(), Ok(false)) {
            let why = "it is missing, and the unsubscribe links of mail already sent need it; restore it from a backup, or, if it is lost for good, write 64 hexadecimal characters into it: links sent before stop working then";
            return Err(KeyError { file, why: why.to_owned() });
        }
        Self::open(dir)
    }

    /// The opaque token of one person's links. 160 bits of a keyed digest: nothing about the person can be read from it,
    /// and truncation closes length extension.
    pub fn token(&self, shop: &ShopId, customer: &CustomerId) -> String {
        Digest::of_parts([&self.0, shop.as_str(), "unsubscribe", customer.as_str()])
            .to_string()
            .chars()
            .take(40)
            .collect()
    }
}

/// Written beside and linked, readable by the owner only; false when the file is there already.
fn write_private(file: &Path, text: &str) -> std::io::Result<bool> {
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
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e),
    }
}
