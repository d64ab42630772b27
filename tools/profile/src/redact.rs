//! Free text that a model may read: a customer's note without what may be somebody's data.
//!
//! Over-redaction is the point. A name cannot be told from a noun by rule, so every word with a capital letter goes, and
//! with it whatever holds a digit, an `@`, a slash or a colon: addresses, numbers, links, dates, door codes. What is left of "Leave it
//! with Bríd, it's a birthday present" is "[…] it with […] it's a birthday present": enough to see why somebody bought.
//! A name typed in lower case passes unless it is the customer's own; the fence and the rules below the model still hold.

use kit::fence::ThirdParty;

/// What stands for a removed word.
const GONE: &str = "[…]";

/// The note without personal data; `None` when nothing is left to read.
pub(crate) fn redact(note: &ThirdParty, own_name: Option<&str>) -> Option<ThirdParty> {
    let own: Vec<String> = own_name.map(|name| words(name).map(str::to_lowercase).collect()).unwrap_or_default();
    let mut kept: Vec<&str> = Vec::new();
    for word in note.raw().split_whitespace() {
        let hidden = suspicious(word) || words(word).any(|part| own.contains(&part.to_lowercase()));
        match (hidden, kept.last()) {
            (true, Some(&GONE)) => {}
            (true, _) => kept.push(GONE),
            (false, _) => kept.push(word),
        }
    }
    let says_something = kept.iter().filter(|word| **word != GONE).count() >= 2;
    says_something.then(|| ThirdParty::new(kept.join(" ")))
}

/// Capitals, digits and the signs of addresses and links.
fn suspicious(word: &str) -> bool {
    let first_person = matches!(word, "I" | "I'm" | "I'll" | "I've" | "I'd");
    let telling = |c: char| c.is_uppercase() || c.is_numeric() || matches!(c, '@' | '/' | ':' | '\\' | '#' | '_');
    // A full stop inside a word is a host name: `example.com`.
    let host = word.trim_end_matches(['.', '!', '?', ',', ';']).contains('.');
    !first_person && (word.chars().any(telling) || host)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(note: &str) -> Option<String> {
        redact(&ThirdParty::new(note), Some("Niamh")).map(|note| note.raw().to_owned())
    }

    #[test]
    fn notes_keep_their_sense_and_lose_their_people() {
        for (note, kept) in [
            ("Leave it with Bríd in the flower shop if I'm out", "[…] it with […] in the flower shop if I'm out"),
            ("please call niamh on 087 123 4567", "please call […] on […]"),
            ("mail me: ada@example.ie or see example.ie/x today", "mail […] or see […] today"),
            ("gate code is 4711, by 3 May latest", "gate code is […] by […] latest"),
            ("It's a birthday present, no invoice.", "[…] a birthday present, no invoice."),
        ] {
            assert_eq!(redacted(note).as_deref(), Some(kept), "{note}");
        }
        assert_eq!(redacted("Ask Bríd 12"), None);
        assert_eq!(redacted(""), None);
    }
}
