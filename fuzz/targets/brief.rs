//! A campaign's brief as JSON, which `campaigns write --file` takes: what is read comes back the same.
#![no_main]

use kit::campaign::Brief;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(brief) = serde_json::from_slice::<Brief>(data) else { return };
    let Ok(text) = serde_json::to_vec(&brief) else { return };
    let again: Option<Brief> = serde_json::from_slice(&text).ok();
    assert_eq!(again, Some(brief), "what was read can be written and read again");
});
