//! What must hold after a case: never-events first, then what was rendered, the brief, and how it came about.

mod brief;

use std::collections::BTreeSet;

use oracle::{Letter, NeverEvent, TextMessage};
use serde::{Deserialize, Serialize};

use super::play::Played;
use super::suite::{Asked, Button, Case, Ending};

/// Something that should hold and does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// Which check.
    pub check: String,
    /// What was seen instead.
    pub why: String,
}

/// What the scorers say of one trial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// What must never happen, and did.
    pub never: Vec<NeverEvent>,
    /// What does not hold.
    pub misses: Vec<Miss>,
}

/// Characters of a subject that mail programs show whole.
const SUBJECT_CHARS: std::ops::RangeInclusive<usize> = 6..=78;
/// Products a message may show.
const CARDS: usize = 4;

/// Judges a case.
pub fn score(case: &Case, played: &Played) -> Score {
    let mut never = oracle::judge(&played.world, &played.sent);
    never.extend(played.never.iter().cloned());
    let letters: Vec<Letter> = played.sent.iter().filter_map(|sent| Letter::read(&sent.bytes).ok()).collect();
    let mut misses = Misses::default();
    ending(case, played, &mut misses);
    for letter in &letters {
        rendered(played, letter, &mut misses);
    }
    shown(case, played, &letters, &mut misses);
    readers(case, played, &letters, &mut misses);
    if let Some(then) = &case.then.brief {
        brief::score(then, played.brief.as_ref(), &mut misses);
    }
    trajectory(case, played, &mut misses);
    for stumble in &played.stumbles {
        misses.add("story", stumble.clone());
    }
    Score { never, misses: misses.0 }
}

#[derive(Default)]
struct Misses(Vec<Miss>);

impl Misses {
    fn add(&mut self, check: &str, why: impl Into<String>) {
        self.0.push(Miss { check: check.to_owned(), why: why.into() });
    }

    fn holds(&mut self, holds: bool, check: &str, why: impl FnOnce() -> String) {
        if !holds {
            self.add(check, why());
        }
    }
}

fn ending(case: &Case, played: &Played, misses: &mut Misses) {
    let then = &case.then;
    misses.holds(played.ending == then.outcome, "outcome", || {
        format!("{} was expected, it is {} ({})", word(then.outcome), word(played.ending), played.told)
    });
    if let Some(reason) = &then.reason {
        misses.holds(played.reason.as_ref() == Some(reason), "reason", || {
            format!("`{reason}` was expected, it is `{}`", played.reason.as_deref().unwrap_or("none"))
        });
    }
    let mails = then.mails.unwrap_or(usize::from(then.outcome == Ending::Sent));
    let texts = played.sent.iter().filter(|sent| TextMessage::read(&sent.bytes).is_some()).count();
    let left = played.sent.len() - texts;
    misses.holds(left == mails, "mails", || format!("{mails} were expected, {left} left"));
    misses.holds(texts == then.texts, "texts", || format!("{} were expected, {texts} left", then.texts));
    match (&played.asked, then.approval) {
        (Some(codes), Asked::None) => {
            misses.add("approval", format!("a person was asked ({}), nobody had to be", codes.join(", ")))
        }
        (None, Asked::Asked) => misses.add("approval", "nobody was asked"),
        (Some(codes), Asked::Asked) => {
            for code in then.because.iter().filter(|code| !codes.contains(code)) {
                misses.add("because", format!("`{code}` is not among the reasons ({})", codes.join(", ")));
            }
        }
        (None, Asked::None) => {}
    }
}

/// The word of an ending, as suites write it.
pub fn word(ending: Ending) -> &'static str {
    match ending {
        Ending::Sent => "sent",
        Ending::NoSend => "no_send",
        Ending::Dropped => "dropped",
        Ending::Held => "held",
        Ending::Waiting => "waiting",
        Ending::Delayed => "delayed",
        Ending::NoRun => "no_run",
        Ending::Parked => "parked",
        Ending::Unknown => "unknown",
        Ending::Briefed => "briefed",
    }
}

/// What holds for every message, whatever the case is about.
fn rendered(played: &Played, letter: &Letter, misses: &mut Misses) {
    let subject = letter.subject.chars().count();
    misses.holds(SUBJECT_CHARS.contains(&subject), "subject", || format!("it has {subject} characters"));
    let cards = letter.cards().len();
    misses.holds(cards <= CARDS, "cards", || format!("it shows {cards} products, at most {CARDS}"));
    let least = usize::from(letter.campaign().as_deref() != Some("post-purchase"));
    misses.holds(cards >= least, "cards", || "it shows no product".to_owned());
    let buttons = letter.buttons().len();
    misses.holds(buttons == 1, "button", || format!("it has {buttons} buttons, one is right"));
    let reader = reader(played, letter);
    let wanted = if reader.is_some_and(|reader| reader.language.starts_with("de")) { "de" } else { "en" };
    misses.holds(letter.language() == Some(wanted), "language", || {
        format!("{wanted} was expected, it declares {}", letter.language().unwrap_or("none"))
    });
    let foreign = if wanted == "de" { [" the ", " your ", " and "] } else { [" und ", " dein ", " für "] };
    let words = format!(" {} ", letter.told().to_lowercase());
    let found = foreign.iter().filter(|word| words.contains(**word)).count();
    misses.holds(found < 2, "language", || format!("it does not read like {wanted}"));
}

/// To whom it goes; nobody whom the world does not know.
fn reader<'w>(played: &'w Played, letter: &Letter) -> Option<&'w oracle::world::Person> {
    let known = |to: &String| {
        played.world.people.iter().find(|p| p.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(to)))
    };
    letter.to.iter().find_map(known)
}

/// Who got a mail, by first name.
fn readers(case: &Case, played: &Played, letters: &[Letter], misses: &mut Misses) {
    let Some(wanted) = &case.then.readers else { return };
    let name = |letter: &Letter| reader(played, letter).and_then(|reader| reader.first_name.clone());
    let found: BTreeSet<String> = letters.iter().filter_map(name).collect();
    let told = |names: &BTreeSet<String>| match names.is_empty() {
        true => "nobody".to_owned(),
        false => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    };
    misses
        .holds(found == *wanted, "readers", || format!("{} were expected, it went to {}", told(wanted), told(&found)));
}

fn shown(case: &Case, played: &Played, letters: &[Letter], misses: &mut Misses) {
    let then = &case.then;
    let titles = |id: &kit::ProductId| {
        played.world.products.get(id.as_str()).map(|product| product.titles.clone()).unwrap_or_default()
    };
    let shows = |letter: &Letter, id: &kit::ProductId| {
        let cards = letter.cards();
        titles(id).iter().any(|title| cards.iter().any(|card| card.split_whitespace().eq(title.split_whitespace())))
    };
    if let Some(last) = letters.last() {
        for id in then.shows.iter().filter(|id| !shows(last, id)) {
            misses.add("shows", format!("{id} is not shown; it shows {}", last.cards().join(", ")));
        }
        let one = then.shows_one_of.is_empty() || then.shows_one_of.iter().any(|id| shows(last, id));
        misses.holds(one, "shows_one_of", || format!("none of them is shown; it shows {}", last.cards().join(", ")));
        let told = format!("{} {}", last.told(), last.visible()).to_lowercase();
        for words in then.says.iter().filter(|words| !told.contains(&words.to_lowercase())) {
            misses.add("says", format!("it does not say `{words}`"));
        }
        if let Some(wanted) = then.button {
            let link = last.buttons().first().map(|(_, link)| link.clone()).unwrap_or_default();
            let leads = leads_to(&link);
            misses.holds(leads == Some(wanted), "button", || format!("it leads to {link}"));
        }
    }
    for letter in letters {
        for id in then.never_shows.iter().filter(|id| shows(letter, id)) {
            misses.add("never_shows", format!("{id} is shown"));
        }
        let told = format!("{} {}", letter.told(), letter.visible()).to_lowercase();
        for words in then.never_says.iter().filter(|words| told.contains(&words.to_lowercase())) {
            misses.add("never_says", format!("it says `{words}`"));
        }
    }
}

fn leads_to(link: &str) -> Option<Button> {
    let path = link.strip_prefix("https://")?.split_once('/').map_or("", |(_, path)| path);
    match path {
        path if path.starts_with("cart/") => Some(Button::Cart),
        path if path.starts_with("p/") => Some(Button::Product),
        path if !path.is_empty() => Some(Button::Guide),
        _ => None,
    }
}

fn trajectory(case: &Case, played: &Played, misses: &mut Misses) {
    let then = &case.then;
    let mut rest = played.tools.iter();
    for wanted in &then.calls {
        let found = rest.any(|called| called == wanted);
        misses.holds(found, "calls", || {
            format!("`{wanted}` is not called where it should be; called: {}", played.tools.join(", "))
        });
    }
    for refused in then.never_calls.iter().filter(|name| played.tools.contains(name)) {
        misses.add("never_calls", format!("`{refused}` is called"));
    }
    if let Some(most) = then.model_calls_at_most {
        misses.holds(played.model_calls <= most, "model_calls", || {
            format!("{} were made, {most} are enough", played.model_calls)
        });
    }
}
