//! Personal data in free text: what was masked holds nothing more to mask, and spans lie within the text.
#![no_main]

use kit::personal::{Known, find, mask};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let known = Known::default();
    for span in find(text, &known) {
        assert!(text.get(span.start..span.end).is_some_and(|found| !found.is_empty()), "{span:?}");
    }
    let masked = mask(text, &known);
    assert_eq!(find(&masked, &known), [], "{masked:?}");
});
