//! Unsubscribe links that only we can make.

use std::path::Path;

use kit::{CustomerId, Digest, ShopId};

use crate::keyfile::{self, KeyFileError};

/// The installation's secret for unsubscribe links, made at first start.
#[derive(Clone)]
pub struct UnsubscribeKey(String);

impl std::fmt::Debug for UnsubscribeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnsubscribeKey(…)")
    }
}

impl UnsubscribeKey {
    /// Reads the secret of a data folder, making it when there is none.
    pub fn open(dir: &Path) -> Result<Self, KeyFileError> {
        Ok(Self(keyfile::read_or_make(&dir.join("unsubscribe.key"))?))
    }

    /// As [`UnsubscribeKey::open`], for a shop that may have sent mail: its links work with the secret they were made with,
    /// and a new one made in silence would break each of them.
    pub fn open_for(dir: &Path, has_sent: bool) -> Result<Self, KeyFileError> {
        let file = dir.join("unsubscribe.key");
        if has_sent && matches!(file.try_exists(), Ok(false)) {
            let why = "it is missing, and the unsubscribe links of mail already sent need it; restore it from a backup, or, if it is lost for good, write 64 hexadecimal characters into it: links sent before stop working then";
            return Err(KeyFileError { file, why: why.to_owned() });
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
