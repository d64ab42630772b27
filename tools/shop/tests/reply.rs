//! Replies to text messages: what words ask for, and what a provider must send.
#![allow(clippy::unwrap_used)]

use mailwright_shop::reply::{Intent, Reply};
use proptest::prelude::*;

#[test]
fn the_words_of_the_law_and_what_people_write_instead_stop_it() {
    for text in [
        "STOP",
        "Stop.",
        "stop!!",
        "STOPP",
        "Stop all",
        "STOPALL",
        "quit",
        "END",
        "revoke",
        "Opt out",
        "opt-out",
        "OPTOUT",
        "cancel",
        "UNSUBSCRIBE",
        "please stop texting me",
        "I said don't text me",
        "Wrong number",
        "ARRÊT",
        "arret",
        "Abmelden",
        "abbestellen bitte",
        "Keine SMS mehr",
        "bitte nicht mehr",
        "KÜNDIGEN",
        "nein",
        "stop\nSTART",
        "ＳＴＯＰ",
        "  s\u{301}top ",
    ] {
        assert_eq!(Intent::of(text), Intent::Stop, "{text:?}");
    }
}

#[test]
fn other_words_are_not_taken_for_a_stop() {
    for (text, intent) in [
        ("START", Intent::Start),
        (" unstop ", Intent::Start),
        ("start now", Intent::Other),
        ("HELP", Intent::Help),
        ("info please", Intent::Help),
        ("Hilfe", Intent::Help),
        ("can you help me find a tent for the weekend", Intent::Other),
        ("I walked nonstop in these, thank you", Intent::Other),
        ("will it arrive by the end of the week", Intent::Other),
        ("yes", Intent::Other),
        ("", Intent::Other),
        ("👍", Intent::Other),
    ] {
        assert_eq!(Intent::of(text), intent, "{text:?}");
    }
}

#[test]
fn a_reply_is_read_and_its_words_are_not_kept() {
    let body =
        br#"{"id":"in-1","from":"+353 85 012 3456","to":"+353850000000","text":"STOP","at":"2026-11-20T08:00:00Z"}"#;
    let reply = Reply::read(body).unwrap();
    assert_eq!((reply.id.as_str(), reply.from.reveal(), reply.intent), ("in-1", "+353850123456", Intent::Stop));
    assert_eq!(reply.at, Some("2026-11-20T08:00:00Z".parse().unwrap()));
    assert!(!format!("{reply:?}").contains("0123"));
}

#[test]
fn what_is_no_reply_is_refused_by_its_place_and_tells_no_number() {
    for (body, told) in [
        (r#"{"from":"+353850123456","text":"STOP"}"#, "id"),
        (r#"{"id":" ","from":"+353850123456","text":"STOP"}"#, "$.id"),
        (r#"{"id":"1","from":"0850123456","text":"STOP"}"#, "$.from"),
        (r#"{"id":"1","from":"+353850123456"}"#, "text"),
        ("STOP", "line 1"),
    ] {
        let refused = Reply::read(body.as_bytes()).unwrap_err().to_string();
        assert!(refused.contains(told) && !refused.contains("0850123456"), "{refused}");
    }
    let long = format!(r#"{{"id":"1","from":"+353850123456","text":"{}"}}"#, "a".repeat(1601));
    assert!(Reply::read(long.as_bytes()).unwrap_err().to_string().contains("$.text"));
}

proptest! {
    #[test]
    fn a_stop_in_any_case_with_anything_around_it_is_a_stop(
        before in "[ .,!a-z]{0,20}", after in "[ .,!a-z]{0,20}", upper in any::<bool>(),
    ) {
        let word = if upper { "STOP" } else { "stop" };
        prop_assert_eq!(Intent::of(&format!("{before} {word} {after}")), Intent::Stop);
    }

    #[test]
    fn no_text_makes_it_fall_over(text in "\\PC{0,200}") {
        let _ = Intent::of(&text);
    }
}
