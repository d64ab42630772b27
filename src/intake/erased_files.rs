//! Files of the data folder that hold somebody's data outside of the tables: previews of messages, exports for people.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use kit::{CustomerId, StoreError};
use serde_json::Value;

use super::privacy::{EXPORTS, mentions};
use crate::tenant::Tenant;

/// The folder of what approvers looked at.
const PREVIEWS: &str = "previews";

impl Tenant {
    /// Deletes previews of messages to these people, and exports about them; returns how many files went.
    pub(super) async fn erase_files(&self, people: &[CustomerId], addresses: &[String]) -> Result<usize, StoreError> {
        let data = self.store.store().dir().to_owned();
        // A preview is a whole message, and every message carries its reader's own link.
        let links: Vec<String> = people.iter().map(|id| self.delivery.unsubscribe.token(self.store.id(), id)).collect();
        let (people, addresses) = (people.to_vec(), addresses.to_vec());
        let gone = tokio::task::spawn_blocking(move || {
            let shown = |text: &str| links.iter().any(|link| text.contains(link.as_str()));
            let told = |text: &str| {
                let value = serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
                let own = |entry: &Value| {
                    let id = entry.pointer("/customer/id").and_then(Value::as_str);
                    id.is_some_and(|id| people.iter().any(|person| person.as_str() == id))
                };
                value.as_array().is_some_and(|told| told.iter().any(own)) || mentions(&value, &people, &addresses)
            };
            Ok(sweep(&data.join(PREVIEWS), &shown)? + sweep(&data.join(EXPORTS), &told)?)
        });
        gone.await.map_err(|e| StoreError::Unavailable(e.to_string()))?
    }

    /// Deletes every preview and export: they are all of customers of a shop that asked to be forgotten.
    pub(super) async fn erase_all_files(&self) -> Result<usize, StoreError> {
        let data = self.store.store().dir().to_owned();
        let gone = tokio::task::spawn_blocking(move || {
            Ok(sweep(&data.join(PREVIEWS), &|_| true)? + sweep(&data.join(EXPORTS), &|_| true)?)
        });
        gone.await.map_err(|e| StoreError::Unavailable(e.to_string()))?
    }
}

/// Deletes the files of a folder that are about whom `about` knows. A folder that is not there holds none.
fn sweep(folder: &Path, about: &dyn Fn(&str) -> bool) -> Result<usize, StoreError> {
    let said = |e: std::io::Error| StoreError::Unwritable(format!("{}: {e}", folder.display()));
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(said(e)),
    };
    let mut gone = 0;
    for entry in entries {
        let path = entry.map_err(said)?.path();
        if path.is_file() && about(&String::from_utf8_lossy(&fs::read(&path).map_err(said)?)) {
            fs::remove_file(&path).map_err(said)?;
            gone += 1;
        }
    }
    Ok(gone)
}
