//! The facts behind a message: stock, links, reviews, offers, claims, regulated goods, text from outside.

use jiff::Timestamp;
use kit::fact::{FactValue, Provenance};
use kit::message::{Draft, Place, Severity};
use kit::personal::{self, Known};
use kit::{Fact, FactKind};

use super::{Scene, strong, words};
use crate::book::Role;
use crate::fold::{Segment, is_invisible};
use crate::phrases::{Forms, Owner};
use crate::rules;

/// Fields of a product that a message says as the shop's own sentences.
const OUR_VOICE: [&str; 2] = ["highlight", "care"];

pub(super) fn check(scene: &mut Scene<'_>, draft: &Draft) {
    for fact in scene.cited.clone() {
        let place = place_of(draft, fact);
        match fact.kind {
            FactKind::Product => product(scene, fact, &place),
            FactKind::Review => review(scene, fact, &place),
            FactKind::Offer => offer(scene, fact, &place),
            FactKind::Claim => claim(scene, fact, &place),
            FactKind::Guide | FactKind::Cart | FactKind::Order => {}
        }
        outside_text(scene, fact, &place);
    }
    let mut currencies = scene.cited.iter().flat_map(|f| f.fields.values()).filter_map(|value| match value {
        FactValue::Money { money } => Some(money.currency),
        FactValue::Text { .. }
        | FactValue::Count { .. }
        | FactValue::Url { .. }
        | FactValue::Time { .. }
        | FactValue::Products { .. } => None,
    });
    if let Some(first) = currencies.next()
        && let Some(other) = currencies.find(|c| *c != first)
    {
        scene.find(&rules::MIXED_CURRENCY, &Place::Whole, None, &format!("{first} and {other}"));
    }
    for (index, block) in draft.blocks.iter().enumerate() {
        let Some(fact) = block.fact().and_then(|id| scene.facts.get(id)) else { continue };
        let place = Place::Block { index, field: "fact".to_owned() };
        links(scene, fact, &place);
    }
}

/// The first block that shows the fact, or the message.
fn place_of(draft: &Draft, fact: &Fact) -> Place {
    let index = draft.blocks.iter().position(|b| b.fact() == Some(&fact.id));
    index.map_or(Place::Whole, |index| Place::Block { index, field: "fact".to_owned() })
}

fn product(scene: &mut Scene<'_>, fact: &Fact, place: &Place) {
    // Naming a sold-out product in words is another matter, see `slots`.
    let shown = matches!(place, Place::Block { .. });
    if shown && fact.count("stock").is_none_or(|stock| stock <= 0) {
        scene.find(&rules::OUT_OF_STOCK, place, None, fact.text("title").unwrap_or(&fact.subject));
    }
    let pictured = shown && fact.field("image").is_some();
    if pictured && fact.text("image_alt").is_none_or(|alt| alt.trim().is_empty()) {
        scene.find(&rules::IMAGE_ALT, place, None, fact.text("title").unwrap_or(&fact.subject));
    }
    if let Some(law) = fact.text("regulated") {
        scene.find(&rules::REGULATED, place, None, law);
    }
}

fn review(scene: &mut Scene<'_>, fact: &Fact, place: &Place) {
    if fact.count("stars").is_none_or(|stars| !(1..=5).contains(&stars)) {
        scene.find(&rules::REVIEW_STARS, place, None, &fact.subject);
    }
    if let Some(connection) = fact.text("connection") {
        scene.find(&rules::CONNECTION, place, None, connection);
    }
    let about = fact.text("product").unwrap_or_default();
    if !scene.cites_product(|id| id == about) {
        scene.find(&rules::REVIEW_PRODUCT, place, None, about);
    }
}

fn offer(scene: &mut Scene<'_>, fact: &Fact, place: &Place) {
    match fact.field("ends") {
        Some(FactValue::Time { at }) if *at > scene.cx.now => {}
        Some(_) | None => scene.find(&rules::OFFER_ENDED, place, None, &ended(fact.field("ends"))),
    }
}

fn ended(field: Option<&FactValue>) -> String {
    match field {
        Some(FactValue::Time { at }) => Timestamp::to_string(at),
        Some(_) | None => "no end".to_owned(),
    }
}

fn claim(scene: &mut Scene<'_>, fact: &Fact, place: &Place) {
    let approved = scene.book.claims.iter().find(|c| c.id == fact.subject);
    if !approved.is_some_and(|c| words::in_force(scene, c)) {
        scene.find(&rules::CLAIM_FACT, place, None, &fact.subject);
    }
}

fn links(scene: &mut Scene<'_>, fact: &Fact, place: &Place) {
    for (field, value) in &fact.fields {
        let FactValue::Url { url } = value else { continue };
        let extra: &[String] = if field == "image" { &scene.book.image_hosts } else { &[] };
        let known = host(url).is_some_and(|h| scene.cx.link_hosts.iter().chain(extra).any(|allowed| *allowed == h));
        if !known {
            scene.find(&rules::LINK_HOST, place, None, url);
        }
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let foreign =
            |name: &str| name.starts_with("utm_") && !scene.book.utm_allow.iter().any(|allowed| allowed == name);
        let names = query.split(['&', '#']).filter_map(|part| part.split('=').next());
        if let Some(name) = names.map(str::to_ascii_lowercase).find(|name| foreign(name)) {
            scene.find(&rules::LINK_UTM, place, None, &name);
        }
        let lower = url.to_ascii_lowercase();
        if lower.contains('@') || lower.contains("%40") || lower.contains("email=") {
            scene.find(&rules::LINK_PERSONAL, place, None, "");
        }
    }
}

/// The host of an https address, lower case; `None` for anything unusual: other schemes, user names, ports, addresses
/// in digits, blanks, names outside ASCII.
fn host(url: &str) -> Option<String> {
    if !url.chars().all(|c| c.is_ascii_graphic()) || url.contains(['\\', '"', '<', '>']) {
        return None;
    }
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    let named = host.contains('.') && host.bytes().any(|b| b.is_ascii_alphabetic());
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    (named && plain).then_some(host)
}

/// Reviews and feed titles go out as they are, so they may carry nothing but words.
fn outside_text(scene: &mut Scene<'_>, fact: &Fact, place: &Place) {
    let book = scene.book;
    for (field, value) in &fact.fields {
        let FactValue::Text { text, provenance: Provenance::ThirdParty } = value else { continue };
        let ours = fact.kind == FactKind::Product && OUR_VOICE.contains(&field.as_str());
        let patterns = &scene.matchers.patterns;
        let carries = patterns.url.is_match(text) || patterns.email.is_match(text) || patterns.markup.is_match(text);
        let hidden = text.chars().any(|c| (is_invisible(c) && !matches!(c, '\u{fe0f}' | '\u{200d}')) || c.is_control());
        let personal = personal::find(text, &Known::nobody());
        if carries || hidden || text.contains("{{") || !personal.is_empty() {
            scene.find(&rules::OUTSIDE_TEXT, place, None, text);
            continue;
        }
        // A figure beside such a word is a promise, whoever wrote it, and no fact proves it.
        let reduced = |sentence: &&str| patterns.amount.is_match(sentence) && patterns.reduction.is_match(sentence);
        let mut sentences = text.split(['!', '?', '\n']).flat_map(|part| part.split(". "));
        if let Some(sentence) = sentences.find(reduced) {
            scene.find(&rules::OUTSIDE_OFFER, place, None, sentence.trim());
            continue;
        }
        let forms = Forms::of(&[Segment::Words { at: 0, text }]);
        let hits = scene.matchers.phrases.find(&forms, scene.lang);
        let meant = strong::of(&hits, text, &forms, book);
        let excepted = |hit: &crate::phrases::Hit, index: usize| {
            hits.iter().any(|h| h.owner == Owner::Except(index) && h.overlaps(hit))
        };
        let serious = meant.iter().find(|hit| match hit.owner {
            Owner::Rule(index) => {
                !excepted(hit, index) && book.rules.get(index).is_some_and(|rule| speaks_for_the_shop(rule, ours))
            }
            Owner::Weak(_) | Owner::Near(_) | Owner::Except(_) | Owner::Claim(_) => false,
        });
        if let Some(hit) = serious {
            let words = text.get(hit.start..hit.end).unwrap_or_default();
            scene.find(&rules::OUTSIDE_WORDS, place, None, words);
        }
    }
}

/// A customer may find boots the best there are; what they do to a body or what is given away is another matter. What we
/// say in our own voice has to hold in any case, whoever wrote it.
fn speaks_for_the_shop(rule: &crate::book::PhraseRule, ours: bool) -> bool {
    if ours && rule.severity != Severity::Warn {
        return true;
    }
    match rule.role {
        Role::Health | Role::Scarcity | Role::Deadline | Role::Today | Role::Discount | Role::Shipping => true,
        Role::Plain => rule.id == rules::SECRETS.id || rule.id == rules::SENSITIVE.id,
        Role::Claim | Role::SocialProof | Role::Code | Role::Cart | Role::Ordered | Role::Bought | Role::Chosen => {
            false
        }
    }
}
