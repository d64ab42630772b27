//! Files that a shop's people write: flows with their front matter, suites of the eval gate.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use mailwright::eval::suite::Suite;
use mailwright::flows::Flow;

fuzz_target!(|data: &[u8]| {
    let [kind, file @ ..] = data else { return };
    let Ok(text) = std::str::from_utf8(file) else { return };
    if kind % 2 == 0 {
        let _ = Flow::parse("prompts/flows/fuzz.md", text);
    } else {
        let _ = Suite::parse(Path::new("evals/fuzz.yaml"), text);
    }
});
