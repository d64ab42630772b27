//! What a marketer's words say, by rules: stages, per cent, days, channels, VIPs, in English and German.
//!
//! Nothing here guesses. What is not recognised is left over, and what is left over is looked up in the catalogue.

use super::lists::{DAYS, EMPTY, FILLERS, FORGET, GERMAN, GOAL, NOT, OFFERS, STAGES};

/// What one turn said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Journey stages, as the tools name them.
    pub(super) stages: Vec<&'static str>,
    /// The discount asked for: per cent, or a concession by name.
    pub(super) offer: Option<Wish>,
    /// The day as it was said.
    pub(super) day: Option<String>,
    /// The time of day.
    pub(super) time: Option<String>,
    /// Channels to use.
    pub(super) channels: Vec<&'static str>,
    /// A clause about VIPs.
    pub(super) vip: Option<String>,
    /// Rules: the clause, and what it is about.
    pub(super) rules: Vec<(String, Ban)>,
    /// Constraints that are taken back by number: the clause, and the number when it was said.
    pub(super) take_back: Vec<(String, Option<u32>)>,
    /// Per cent to hold out.
    pub(super) holdout: Option<u32>,
    /// Named fields of the form: `title: …`.
    pub(super) fields: Vec<(&'static str, String)>,
    /// Product ids.
    pub(super) products: Vec<String>,
    /// Clauses that nothing recognised: words for the catalogue.
    pub(super) left: Vec<String>,
    /// Clauses that say more than the rules here can hold, told back instead of being written down in part.
    pub(super) unclear: Vec<String>,
    /// It sounds like a goal: "more second purchases".
    pub(super) goal: bool,
    /// Written in German.
    pub(super) german: bool,
}

/// A discount that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    Percent(u32),
    FreeShipping,
    None,
}

/// What a rule forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ban {
    Sms,
    Email,
    Offer,
    AtMost(u32),
    /// Something of the catalogue, to be looked up.
    Goods(String),
}

/// Reads what was said.
pub(super) fn hear(said: &str) -> Heard {
    let mut heard = Heard { german: any(said, GERMAN), ..Heard::default() };
    for clause in clauses(said) {
        if !form(&mut heard, &clause) {
            clause_by_clause(&mut heard, &clause);
        }
    }
    heard
}

/// `title: Back to school`, for those who fill in the form.
fn form(heard: &mut Heard, clause: &str) -> bool {
    const FIELDS: &[(&str, &[&str])] = &[
        ("title", &["title", "titel"]),
        ("objective", &["objective", "goal", "ziel"]),
        ("tone", &["tone", "ton"]),
        ("products", &["products", "product", "produkte", "produkt"]),
        (
            "other",
            &["audience", "date", "day", "offer", "channel", "zielgruppe", "tag", "datum", "angebot", "kanal", "vip"],
        ),
    ];
    let Some((name, value)) = clause.split_once(':') else { return false };
    let (name, value) = (name.trim().to_lowercase(), value.trim());
    let Some((field, _)) = FIELDS.iter().find(|(_, names)| names.contains(&name.as_str())) else { return false };
    match *field {
        "products" | "other" => clause_by_clause(heard, value),
        field => heard.fields.push((field, value.to_owned())),
    }
    true
}

fn clause_by_clause(heard: &mut Heard, clause: &str) {
    let lower = clause.to_lowercase();
    let negated = any(&lower, NOT);
    if any(&lower, FORGET) || (any(&lower, &["yes", "ja"]) && words(&lower).count() <= 3) {
        let number = words(&lower).find_map(|w| w.strip_prefix('c')?.parse().ok());
        heard.take_back.push((clause.to_owned(), number));
        if number.is_some() || words(&lower).count() <= 3 {
            return;
        }
    }
    if any(&lower, &["vip", "vips"]) {
        heard.vip = Some(clause.to_owned());
        return;
    }
    let percent = percent(&lower);
    if let Some(percent) = percent {
        if any(&lower, &["holdout", "hold out", "control", "kontrollgruppe"]) {
            heard.holdout = Some(percent);
            return;
        }
        if any(&lower, &["at most", "no more than", "höchstens", "maximal", "max"]) {
            heard.rules.push((clause.to_owned(), Ban::AtMost(percent)));
            return;
        }
        heard.offer = Some(Wish::Percent(percent));
    }
    if any(&lower, &["free shipping", "free delivery", "versandkostenfrei", "kostenloser versand"]) && !negated {
        heard.offer = Some(Wish::FreeShipping);
    }
    if negated {
        return ban(heard, clause, &lower);
    }
    heard.stages.extend(STAGES.iter().filter(|(_, names)| any(&lower, names)).map(|(stage, _)| *stage));
    if any(&lower, &["sms", "text message", "text messages"]) {
        heard.channels = vec!["email", "sms"];
    } else if any(&lower, &["e-mail only", "email only", "nur e-mail", "only email", "only e-mail"]) {
        heard.channels = vec!["email"];
    }
    heard.day = day(&lower).or_else(|| heard.day.take());
    heard.time = time(&lower).or_else(|| heard.time.take());
    heard.goal |= any(&lower, GOAL);
    for word in clause.split_whitespace().map(|w| w.trim_matches(|c: char| !c.is_alphanumeric())) {
        let is_id = word.contains('-')
            && word.chars().any(|c| c.is_ascii_digit())
            && word.chars().any(|c| c.is_ascii_uppercase());
        if is_id {
            heard.products.push(word.to_owned());
        }
    }
    let left = leftover(&lower);
    if !left.is_empty() {
        heard.left.push(left);
    }
}

fn ban(heard: &mut Heard, clause: &str, lower: &str) {
    if any(lower, OFFERS) {
        // "No discount over 10 euro" forbids something else than "no discount".
        if !is_all_known(lower, OFFERS) {
            heard.unclear.push(clause.to_owned());
            return;
        }
        heard.offer = Some(Wish::None);
        heard.rules.push((clause.to_owned(), Ban::Offer));
    } else if any(lower, &["sms", "text message", "text messages"]) {
        heard.rules.push((clause.to_owned(), Ban::Sms));
    } else if any(lower, &["email", "e-mail", "mail"]) {
        heard.rules.push((clause.to_owned(), Ban::Email));
    } else {
        let goods = leftover(lower);
        if !goods.is_empty() {
            heard.rules.push((clause.to_owned(), Ban::Goods(goods)));
        }
    }
}

/// Words that nothing recognised, for the catalogue.
fn leftover(lower: &str) -> String {
    let known = |word: &str| {
        EMPTY.contains(&word)
            || NOT.contains(&word)
            || DAYS.contains(&word)
            || STAGES.iter().any(|(_, names)| names.iter().any(|name| words(name).any(|w| w == word)))
            || word.chars().any(|c| c.is_ascii_digit())
            || ["sms", "vip", "vips", "free", "shipping", "delivery"].contains(&word)
    };
    words(lower).filter(|word| !known(word)).collect::<Vec<_>>().join(" ")
}

/// True when a text says nothing beside these words and words that carry nothing: what it says is then all of it.
pub(super) fn is_all_known(lower: &str, known: &[&str]) -> bool {
    let known: Vec<&str> = known.iter().flat_map(|phrase| words(phrase)).collect();
    words(lower).all(|word| known.contains(&word) || NOT.contains(&word) || FILLERS.contains(&word))
}

/// Parts between commas, full stops, line ends, and "but".
pub(super) fn clauses(said: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let chars: Vec<char> = said.replace(" but ", ", ").replace(" aber ", ", ").chars().collect();
    for (i, c) in chars.iter().enumerate() {
        let number = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
        // "9.30" and "1,5" are one word each.
        let splits = match c {
            '\n' | ';' | '!' | '?' => true,
            '.' | ',' => !(number(i.checked_sub(1)) && number(Some(i + 1))),
            _ => false,
        };
        match (splits, parts.last_mut()) {
            (false, Some(last)) => last.push(*c),
            (true, _) | (false, None) => parts.push(String::new()),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn percent(lower: &str) -> Option<u32> {
    let spaced = lower.replace('%', " % ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let marks = |word: Option<&&str>| word.is_some_and(|w| ["%", "percent", "prozent", "per"].contains(w));
    tokens.iter().enumerate().find_map(|(i, word)| word.parse().ok().filter(|n| *n <= 100 && marks(tokens.get(i + 1))))
}

fn day(lower: &str) -> Option<String> {
    let tokens: Vec<&str> = words(lower).collect();
    if let Some(date) = lower.split_whitespace().map(|w| w.trim_matches(['.', ','])).find(|w| is_date(w)) {
        return Some(date.to_owned());
    }
    if let [.., "in", n, unit] | ["in", n, unit, ..] = tokens.as_slice()
        && ["days", "day", "tagen", "tag"].contains(unit)
        && n.parse::<u32>().is_ok()
    {
        return Some(format!("in {n} days"));
    }
    let at = tokens.iter().position(|word| DAYS.contains(word))?;
    let found = tokens.get(at)?;
    let before = at.checked_sub(1).and_then(|at| tokens.get(at)).copied();
    Some(match before {
        Some(next @ ("next" | "nächsten" | "kommenden")) => format!("{next} {found}"),
        Some(_) | None => (*found).to_owned(),
    })
}

fn is_date(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    matches!(parts.as_slice(), [y, m, d] if y.len() == 4 && m.len() == 2 && d.len() == 2 && [y, m, d].iter().all(|p| p.bytes().all(|b| b.is_ascii_digit())))
}

/// `9:30`, `at 9`, `um 9 uhr`.
fn time(lower: &str) -> Option<String> {
    let tokens: Vec<&str> = lower.split_whitespace().map(|w| w.trim_matches([',', '.'])).collect();
    let clock = |word: &&str| {
        let (h, m) = word.split_once(':')?;
        let (h, m): (u32, u32) = (h.parse().ok()?, m.parse().ok()?);
        (h < 24 && m < 60).then(|| format!("{h:02}:{m:02}"))
    };
    tokens.iter().find_map(clock).or_else(|| {
        let at = tokens.iter().position(|word| ["at", "um"].contains(word))?;
        let hour: u32 = tokens.get(at + 1)?.parse().ok()?;
        (hour < 24).then(|| format!("{hour:02}:00"))
    })
}

/// Words in lower case, hyphens kept within.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '\'')).filter(|word| !word.is_empty())
}

/// True when a text holds one of the phrases as whole words, whatever the case.
pub(super) fn any(text: &str, phrases: &[&str]) -> bool {
    let text = format!(" {} ", words(&text.to_lowercase()).collect::<Vec<_>>().join(" "));
    phrases.iter().any(|phrase| text.contains(&format!(" {phrase} ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_is_heard() {
        let heard = hear("back to school, backpacks, 20 % for lapsed, nothing for VIP, Thursday");
        assert_eq!(heard.stages, ["lapsed"]);
        assert_eq!(heard.offer, Some(Wish::Percent(20)));
        assert_eq!((heard.day.as_deref(), heard.vip.as_deref()), (Some("thursday"), Some("nothing for VIP")));
        assert_eq!(heard.left, ["back school", "backpacks"]);
        assert!(!heard.german && !heard.goal);
    }

    #[test]
    fn german_is_heard_too() {
        let heard = hear("Rucksäcke für inaktive Kunden, 10 Prozent, am Donnerstag um 9 Uhr, keine SMS");
        assert_eq!((heard.stages.as_slice(), heard.offer), (["lapsed"].as_slice(), Some(Wish::Percent(10))));
        assert_eq!((heard.day.as_deref(), heard.time.as_deref()), (Some("donnerstag"), Some("09:00")));
        assert_eq!(heard.rules, [("keine SMS".to_owned(), Ban::Sms)]);
        assert_eq!(heard.left, ["rucksäcke"]);
        assert!(heard.german);
    }

    #[test]
    fn rules_limits_and_their_end_are_heard() {
        let heard = hear("at most 10 %, no tents, no discount");
        let bans: Vec<Ban> = heard.rules.into_iter().map(|(_, ban)| ban).collect();
        assert_eq!(bans, [Ban::AtMost(10), Ban::Goods("tents".to_owned()), Ban::Offer]);
        let limited = hear("no discount over 10 euro");
        assert_eq!((limited.rules, limited.offer), (Vec::new(), None), "that forbids something else");
        assert_eq!(limited.unclear, ["no discount over 10 euro"]);
        assert_eq!(hear("forget C2").take_back, [("forget C2".to_owned(), Some(2))]);
        assert_eq!(hear("yes").take_back, [("yes".to_owned(), None)]);
        assert_eq!(hear("title: Back to school\ndate: next friday").fields, [("title", "Back to school".to_owned())]);
        assert_eq!(hear("date: next friday").day.as_deref(), Some("next friday"));
        assert!(hear("I want more second purchases").goal);
        assert_eq!(hear("holdout 5 %").holdout, Some(5));
    }

    proptest::proptest! {
        #[test]
        fn any_words_can_be_heard(said in ".{0,200}") {
            let heard = hear(&said);
            proptest::prop_assert!(heard.rules.len() <= clauses(&said).len());
        }
    }
}
