//! What was looked at last on this data folder: `approvals show` notes it, `approvals approve` names it.

use std::path::{Path, PathBuf};

use kit::ApprovalId;

use super::{Failure, failure};
use crate::approvals::Seen;

fn file(dir: &Path, id: &ApprovalId) -> PathBuf {
    dir.join("looks").join(format!("{id}.seen"))
}

/// Notes that this was shown.
pub(super) fn note(dir: &Path, id: &ApprovalId, seen: &Seen) -> Result<(), Failure> {
    let file = file(dir, id);
    let folder = file.parent().unwrap_or(dir);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&file, seen.to_string()))
        .map_err(|e| Failure::new(format!("{}: {e}; free space or fix permissions", file.display())))
}

/// What was shown last; `None` when nothing was.
pub(super) fn last(dir: &Path, id: &ApprovalId) -> Result<Option<Seen>, Failure> {
    let file = file(dir, id);
    match std::fs::read_to_string(&file) {
        Ok(text) => text.parse().map(Some).map_err(failure),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("{}: {error}", file.display()))),
    }
}
