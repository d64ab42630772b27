//! Headers that pretend to be signatures: none is believed, whatever it holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shop::Source;
use shop::signature::{Key, verify};

fuzz_target!(|data: &[u8]| {
    let [source, rest @ ..] = data else { return };
    let Some(source) = Source::ALL.get(usize::from(*source) % Source::ALL.len()).copied() else { return };
    let Ok(now) = "2026-11-17T09:00:00Z".parse() else { return };
    // A secret of this length is not found by trying.
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let mut keys: Vec<Key> = Key::read(source, secret).into_iter().collect();
    let (text, body) = rest.split_at(rest.len() / 2);
    let text = String::from_utf8_lossy(text);
    // A secret as somebody types it in.
    keys.extend(Key::read(source, &text).ok().filter(|_| keys.is_empty()));
    let lines: Vec<&str> = text.split('\n').collect();
    let header = |name: &str| lines.get(name.len() % lines.len().max(1)).copied();
    assert!(verify(source, &keys, &header, body, now).is_err());
});
