//! What was erased, kept outside of the tables: a backup that is older than an erasure does not know of it.
//!
//! `erasures.log` in the data folder is append-only, one JSON object a line, and names nobody: digests of ids and addresses.
//! A line is on disk before the first row goes. A restore reads it and erases again what the backup brought back.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use kit::{ShopId, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ShopStore, Store};

/// The file's name within a data folder.
pub const ERASURES: &str = "erasures.log";

/// One erasure of one digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// The shop.
    pub shop: ShopId,
    /// The digest of an id or an address, or of the whole shop.
    pub subject: String,
    /// From when on the person is not known any more, as the request says.
    pub at: Timestamp,
    /// When it was noted here.
    pub noted_at: Timestamp,
}

impl Store {
    /// Notes erasures beside the tables, on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] names the file; nothing may be erased then, since nobody would remember it.
    pub(super) async fn note_tombstones(&self, stones: Vec<Tombstone>) -> Result<(), StoreError> {
        let file = self.dir().join(ERASURES);
        let said = file.display().to_string();
        let written = tokio::task::spawn_blocking(move || append(&file, &stones)).await;
        let written = written.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        written.map_err(|e| StoreError::Unwritable(format!("{said}: {e}; free space or fix permissions")))
    }
}

impl ShopStore {
    /// Notes that what is named by these digests is erased: beside the tables first, then in them. It is not taken in any
    /// more from then on.
    ///
    /// # Errors
    /// When either cannot be written.
    pub async fn bury(&self, subjects: Vec<String>, at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let mut new = Vec::new();
        for subject in &subjects {
            if self.buried(subject).await?.is_none_or(|since| since < at) {
                new.push(Tombstone { shop: self.id().clone(), subject: subject.clone(), at, noted_at: now });
            }
        }
        if !new.is_empty() {
            self.store().note_tombstones(new).await?;
        }
        self.bury_rows(subjects, at).await
    }
}

/// Appends whole lines and forces them to disk.
fn append(file: &Path, stones: &[Tombstone]) -> std::io::Result<()> {
    let mut lines = Vec::new();
    for stone in stones {
        serde_json::to_writer(&mut lines, stone)?;
        lines.push(b'\n');
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file)?;
    out.write_all(&lines)?;
    out.sync_all()
}

/// Reads a log of erasures. A last line that was cut off by a crash is left out: nothing was erased under it yet.
///
/// # Errors
/// [`StoreError::Corrupt`] names the line.
pub fn read_tombstones(file: &Path) -> Result<Vec<Tombstone>, StoreError> {
    let said = |e: std::io::Error| StoreError::Unavailable(format!("{}: {e}", file.display()));
    let mut lines = BufReader::new(File::open(file).map_err(said)?);
    let mut stones = Vec::new();
    let mut number = 0;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).map_err(said)? == 0 {
            return Ok(stones);
        }
        number += 1;
        match serde_json::from_str(line.trim_end()) {
            Ok(stone) => stones.push(stone),
            Err(_) if !line.ends_with('\n') => return Ok(stones),
            Err(error) => {
                let what = format!("{}, line {number}", file.display());
                return Err(StoreError::Corrupt { what, why: error.to_string() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_log_is_read_back_and_a_broken_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(ERASURES);
        let at = Timestamp::UNIX_EPOCH;
        let shop = ShopId::new("s").unwrap();
        let stone = |subject: &str| Tombstone { shop: shop.clone(), subject: subject.to_owned(), at, noted_at: at };
        append(&file, &[stone("a"), stone("b")]).unwrap();
        append(&file, &[stone("c")]).unwrap();
        let all = vec![stone("a"), stone("b"), stone("c")];
        assert_eq!(read_tombstones(&file).unwrap(), all);
        // Cut off in the middle of a line.
        let whole = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{whole}{{\"shop\":\"s\",\"sub")).unwrap();
        assert_eq!(read_tombstones(&file).unwrap(), all);
        std::fs::write(&file, format!("nonsense\n{whole}")).unwrap();
        assert!(read_tombstones(&file).unwrap_err().to_string().contains("line 1"));
    }
}
