//! Bodies of every platform's webhooks, at the door and behind it. The first byte says whose, the second which topic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shop::arrival::{arrive, is_ping};
use shop::signature::Signed;
use shop::{Delivery, ShopDefaults, Source};

fuzz_target!(|data: &[u8]| {
    let [source, topic, body @ ..] = data else { return };
    let Some(source) = Source::ALL.get(usize::from(*source) % Source::ALL.len()).copied() else { return };
    let topics = source.topics();
    let Some((topic, _)) = topics.get(usize::from(*topic) % topics.len().max(1)) else { return };
    let (Ok(now), Ok(id)) = ("2026-11-17T09:00:00Z".parse(), kit::ShopId::new("fuzz")) else { return };
    let header = |name: &str| name.ends_with("topic").then_some(*topic);
    is_ping(source, body);
    for body_only in [true, false] {
        if let Ok(arrival) = arrive(source, Signed { body_only }, &header, body, "fuzz.example", Some(topic)) {
            assert!(arrival.topic.chars().count() <= 80 && arrival.event.chars().count() <= 80);
        }
    }
    let delivery = Delivery { source, topic, body, event_id: None, triggered_at: None, received_at: now };
    let defaults = ShopDefaults { shop: id, currency: kit::Currency::EUR };
    let (first, again) = (shop::parse(&delivery, &defaults), shop::parse(&delivery, &defaults));
    assert_eq!(first, again, "the same delivery is the same event");
});
