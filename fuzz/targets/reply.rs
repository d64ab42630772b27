//! Replies to text messages: what holds a STOP is a stop, with whatever stands around it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shop::reply::{Intent, Reply};

fuzz_target!(|data: &[u8]| {
    let _ = Reply::read(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Intent::of(text);
    assert_eq!(Intent::of(&format!("{text} STOPALL {text}")), Intent::Stop);
});
