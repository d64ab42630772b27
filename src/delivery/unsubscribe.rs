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
