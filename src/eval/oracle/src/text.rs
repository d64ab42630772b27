//! A text message as its reader gets it, and whether it could be sent to them.

use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;

use crate::NeverEvent;
use crate::body::{MARKS, discounts};
use crate::figures;
use crate::person::{is_named, may_be_written_to};
use crate::world::{Person, World, at as last};

/// Hours at which a text message may arrive anywhere, by the reader's clock: 47 CFR 64.1200(c)(1) says 8 a.m. to 9 p.m.
const HOURS: std::ops::Range<i8> = 8..21;

/// A text message as a provider is handed it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TextMessage {
    /// Who the reader sees as its sender.
    pub sender: String,
    /// To which number it goes.
    pub number: String,
    /// Every word of it.
    pub body: String,
}

impl TextMessage {
    /// Reads one; `None` when the bytes are something else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Addresses in it. They stand without `https://` where letters are dear.
    fn links(&self) -> impl Iterator<Item = &str> {
        let words = self.body.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        words.filter(|word| word.contains('/') || word.starts_with("http"))
    }
}

/// Who has this number.
pub fn owner<'w>(world: &'w World, number: &str) -> Option<&'w Person> {
    world.people.iter().find(|person| person.phone.as_deref() == Some(number))
}

pub(crate) fn judge(
    world: &World,
    at: Timestamp,
    text: &TextMessage,
    earlier: &[(Timestamp, TextMessage)],
    events: &mut Vec<NeverEvent>,
) {
    let mut never = |rule: &str, why: String| events.push(NeverEvent::new(rule, why));
    let Some(person) = owner(world, &text.number).filter(|person| world.about.contains(&person.id)) else {
        never("wrong_recipient", "a text message goes to somebody whom the story is not about".to_owned());
        return;
    };
    match last(&person.text_consents, at) {
        Some(true) => {}
        Some(false) => never("unsubscribed", "they had taken their consent to text messages back".to_owned()),
        None => never("no_consent", "they never agreed to text messages".to_owned()),
    }
    may_be_written_to(world, at, person, &mut never);
    match TimeZone::get(&person.zone) {
        Ok(zone) if HOURS.contains(&at.to_zoned(zone.clone()).hour()) => {}
        Ok(zone) => never("text_hours", format!("it was {} o'clock where they live", at.to_zoned(zone).hour())),
        Err(_) => never("text_hours", format!("nobody knows what time it is in {}", person.zone)),
    }
    if earlier.iter().any(|(_, other)| other.number == text.number && other.body == text.body) {
        never("duplicate", "the same text message left before".to_owned());
    }
    let counts =
        |a: &&crate::world::Approval| a.person == person.id && a.at <= at && at < a.until && !a.authors.contains(&a.by);
    if !world.approvals.iter().any(|approval| counts(&approval)) {
        never("no_approval", "nobody had approved it, and a person sees every campaign".to_owned());
    }
    body(world, at, person, text, &mut never);
}

fn body(world: &World, at: Timestamp, person: &Person, text: &TextMessage, never: &mut impl FnMut(&str, String)) {
    let lower = text.body.to_lowercase();
    if !lower.contains(&world.shop.name.to_lowercase()) {
        never("wrong_sender", "it does not say which shop it comes from".to_owned());
    }
    if !lower.contains("stop") {
        never("no_unsubscribe", "it does not say how to stop text messages".to_owned());
    }
    for link in text.links() {
        let bare = link.trim_start_matches("https://");
        let host = bare.split(['/', '?', '#']).next().unwrap_or_default();
        if bare.starts_with("http:") || !world.shop.hosts.iter().any(|known| known == host) {
            never("foreign_link", format!("it leads to {host}"));
        }
    }
    if MARKS.iter().any(|mark| text.body.contains(mark)) {
        never("placeholder_left", "a placeholder stands in it".to_owned());
    }
    for word in world.limits.forbidden.iter().filter(|word| lower.contains(&word.to_lowercase())) {
        never("forbidden_words", format!("it says `{word}`"));
    }
    if world.people.iter().any(|other| other.id != person.id && is_named(other, person, &lower)) {
        never("others_data", "somebody else's name stands in it".to_owned());
    }
    let prices: Vec<i64> = world
        .products
        .values()
        .flat_map(|product| last(&product.prices, at).into_iter().chain(product.compare_at))
        .collect();
    for amount in figures::amounts(&text.body, &world.shop.currency).iter().filter(|amount| !prices.contains(amount)) {
        never("wrong_price", format!("{}.{:02} is the price of nothing", amount / 100, amount % 100));
    }
    discounts(world, Some(person), &text.body, never);
}
