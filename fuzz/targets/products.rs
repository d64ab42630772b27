//! Product files as shops export them.
#![no_main]

use catalog::import;
use kit::Provenance;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [kind, file @ ..] = data else { return };
    let _ = match kind % 2 {
        0 => import::jsonl("fuzz.jsonl", file, Provenance::Merchant),
        _ => import::csv("fuzz.csv", file, Provenance::Merchant),
    };
});
