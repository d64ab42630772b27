//! What the tests share: a shop, a delivery, and the samples in shared/ when they are there.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::print_stderr)]

use std::path::PathBuf;

use mailwright_shop::{Delivery, ShopDefaults, ShopEvent, Source, WebhookError, parse};

pub const NOW: &str = "2026-05-15T15:00:00Z";

pub fn shop() -> ShopDefaults {
    ShopDefaults { shop: kit::ShopId::new("tarn").unwrap(), currency: kit::Currency::EUR }
}

pub fn read(source: Source, topic: &str, body: &[u8]) -> Result<ShopEvent, WebhookError> {
    let delivery =
        Delivery { source, topic, body, event_id: None, triggered_at: None, received_at: NOW.parse().unwrap() };
    parse(&delivery, &shop())
}

/// The error's words.
pub fn refused(source: Source, topic: &str, body: &str) -> String {
    read(source, topic, body.as_bytes()).unwrap_err().to_string()
}

/// A file under shared/specs, or `None` with a printed reason: it is no part of this repository.
pub fn spec(path: &str) -> Option<String> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs").join(path);
    match std::fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(why) => {
            eprintln!("skipped: {} cannot be read ({why})", file.display());
            None
        }
    }
}
