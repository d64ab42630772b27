//! Whether this person could be written to at this moment.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::NeverEvent;
use crate::letter::{Letter, flat};
use crate::world::{Person, World, at as last};

/// How the links of a campaign's mails begin its name.
const CAMPAIGN: &str = "cmp-";

pub(crate) fn judge(
    world: &World,
    at: Timestamp,
    letter: &Letter,
    earlier: &[(Timestamp, Letter)],
    events: &mut Vec<NeverEvent>,
) {
    let mut never = |rule: &str, why: String| events.push(NeverEvent::new(rule, why));
    let known: Vec<&Person> = letter.to.iter().filter_map(|to| owner(world, to)).collect();
    let [person] = known.as_slice() else {
        never("wrong_recipient", format!("{} recipients, {} of them known", letter.to.len(), known.len()));
        return;
    };
    if letter.to.len() != 1 {
        never("wrong_recipient", format!("{} recipients", letter.to.len()));
    }
    if !world.about.contains(&person.id) {
        never("wrong_recipient", "it goes to somebody whom the story is not about".to_owned());
    }
    match last(&person.consents, at) {
        Some(true) => {}
        Some(false) => never("unsubscribed", "they had taken their consent back".to_owned()),
        None => never("no_consent", "they never agreed to mail".to_owned()),
    }
    if person.suppressed.is_some_and(|since| since <= at) {
        never("suppressed", "their address was suppressed".to_owned());
    }
    may_be_written_to(world, at, person, &mut never);
    let flow = letter.campaign().unwrap_or_default();
    let bought = person.orders.iter().any(|order| *order > world.began && *order <= at);
    if bought && world.limits.stops_on_purchase.contains(&flow) {
        never("after_purchase", "they had ordered since".to_owned());
    }
    let theirs: Vec<(Timestamp, &Letter)> =
        earlier.iter().filter(|(_, l)| l.to == letter.to).map(|(at, l)| (*at, l)).collect();
    repeated(letter, &theirs, &mut never);
    for (hours, cap) in [(24, world.limits.cap_day), (24 * 7, world.limits.cap_week)] {
        let since = at.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(at);
        let recent = theirs.iter().filter(|(sent, _)| *sent > since).count();
        if recent >= cap {
            never("over_cap", format!("it is number {} within {hours} hours, {cap} are allowed", recent + 1));
        }
    }
    needs_approval(world, at, person, letter, &flow, &theirs, &mut never);
    others(world, person, letter, &mut never);
}

pub(crate) fn owner<'w>(world: &'w World, address: &str) -> Option<&'w Person> {
    world.people.iter().find(|p| p.email.as_ref().is_some_and(|e| e.eq_ignore_ascii_case(address)))
}

/// What holds of a message of any kind.
pub(crate) fn may_be_written_to(world: &World, at: Timestamp, person: &Person, never: &mut impl FnMut(&str, String)) {
    if person.erased.is_some_and(|since| since <= at) {
        never("erased", "they had asked to be forgotten".to_owned());
    }
    if person.tickets.iter().any(|ticket| ticket.holds(at)) {
        never("ticket_open", "a support ticket of theirs was open".to_owned());
    }
    if person.held_out {
        never("holdout", "they belong to the holdout group".to_owned());
    }
    if world.stops.iter().any(|stop| stop.holds(at)) {
        never("killed", "sending was switched off".to_owned());
    }
    let Ok(zone) = TimeZone::get(&person.zone) else {
        never("quiet_hours", format!("nobody knows what time it is in {}", person.zone));
        return;
    };
    let (from, to) = world.limits.quiet;
    let hour = at.to_zoned(zone).hour();
    let quiet = if from <= to { (from..to).contains(&hour) } else { hour >= from || hour < to };
    if quiet {
        never("quiet_hours", format!("it was {hour} o'clock where they live"));
    }
}

/// Twice the same key, or twice the same words: one occasion, two mails.
fn repeated(letter: &Letter, theirs: &[(Timestamp, &Letter)], never: &mut impl FnMut(&str, String)) {
    let key = letter.header("x-mailwright-key");
    let same = |other: &Letter| {
        (key.is_some() && other.header("x-mailwright-key") == key)
            || (other.subject == letter.subject && flat(other.letter()) == flat(letter.letter()))
    };
    if theirs.iter().any(|(_, other)| same(other)) {
        never("duplicate", "the same message left before".to_owned());
    }
}

fn needs_approval(
    world: &World,
    at: Timestamp,
    person: &Person,
    letter: &Letter,
    flow: &str,
    theirs: &[(Timestamp, &Letter)],
    never: &mut impl FnMut(&str, String),
) {
    let cards = letter.cards();
    let regulated =
        |title: &str| world.products.values().any(|p| p.regulated && p.titles.iter().any(|t| flat(t) == title));
    let why = if flow.starts_with(CAMPAIGN) {
        "a person sees every campaign"
    } else if world.limits.reviewed.contains(flow) {
        "a person sees every message of this flow"
    } else if person.vip {
        "a person sees every message to a VIP"
    } else if cards.iter().any(|card| regulated(card)) {
        "a person sees every message with regulated goods"
    } else {
        return;
    };
    let seen = |subjects: &[String]| {
        // A subject with a placeholder is filled in per person: the rest of it is what was seen.
        subjects.iter().any(|s| {
            s == &letter.subject
                || s.split("{{").next().is_some_and(|head| s.contains("{{") && letter.subject.starts_with(head))
        })
    };
    let counts = world.approvals.iter().filter(|a| {
        a.person == person.id && a.at <= at && at < a.until && !a.authors.contains(&a.by) && seen(&a.subjects)
    });
    // One yes, one message.
    let used = theirs.iter().filter(|(_, other)| other.subject == letter.subject).count();
    if counts.count() <= used {
        never("no_approval", format!("nobody had approved it, and {why}"));
    }
}

/// True when a text in lower case has the first name of somebody else than its reader as a word of its own.
pub(crate) fn is_named(other: &Person, reader: &Person, lower: &str) -> bool {
    let of = |person: &Person| person.first_name.as_ref().map(|name| name.to_lowercase());
    let distinct = of(other).filter(|name| name.chars().count() > 5 && Some(name) != of(reader).as_ref());
    distinct.is_some_and(|name| lower.split(|c: char| !c.is_alphanumeric()).any(|word| word == name))
}

fn others(world: &World, person: &Person, letter: &Letter, never: &mut impl FnMut(&str, String)) {
    let body = format!("{}\n{}\n{}", letter.subject, letter.text, letter.html).to_lowercase();
    for other in world.people.iter().filter(|p| p.id != person.id) {
        let address = other
            .email
            .as_ref()
            .map(|e| e.to_lowercase())
            .filter(|e| person.email.as_ref().is_none_or(|own| !own.eq_ignore_ascii_case(e)));
        if address.is_some_and(|address| body.contains(&address)) {
            never("others_data", "somebody else's address stands in it".to_owned());
        }
        if is_named(other, person, &body) {
            never("others_data", "somebody else's name stands in it".to_owned());
        }
    }
    if person.email.as_ref().is_some_and(|own| body.contains(&own.to_lowercase())) {
        never("address_in_body", "the reader's address stands in it".to_owned());
    }
}
