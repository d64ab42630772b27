//! What a cassette never holds: e-mail addresses, telephone numbers, cards, bank accounts, names that were given, keys and passwords,
//! and the words of messages: a digest stands for them, so that a changed message is still another request.
//!
//! Everybody becomes the same somebody: a stand-in that told people apart could be traced back to them. What is encoded
//! (a MIME body in base64) or split over the events of a stream is not seen through.

use kit::Digest;
use kit::personal::{self, Class, Known};
use serde_json::Value;

/// What stands for every address.
const EMAIL: &str = "somebody@redacted.invalid";
/// What stands for every telephone number.
const PHONE: &str = "+00000000000";
/// What stands for every name that was given.
const NAME: &str = "[name]";
/// Digits of a telephone number with its country (E.164 allows fifteen).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// Fields by which a message to one person is known, as tools/esp hands it over.
const MESSAGE: [&str; 4] = ["channel", "key", "to", "text"];
/// Those of its fields that hold words to the person.
const WORDS: [&str; 3] = ["subject", "html", "text"];
/// Parts of a key's name that say that its value is a secret.
const SECRETS: [&str; 7] = ["api_key", "apikey", "api-key", "authorization", "password", "secret", "access_token"];

/// Replaces personal data and secrets.
#[derive(Debug, Clone, Default)]
pub struct Scrub {
    /// In lower case, longest first, so that a full name goes before its parts.
    names: Vec<String>,
}

impl Scrub {
    /// What stands for every secret.
    pub(super) const SECRET: &'static str = "[secret]";

    /// Also replaces these words, in any letter case: names of the people whom the exchanges are about.
    pub fn names(names: impl IntoIterator<Item = String>) -> Self {
        let mut names: Vec<String> =
            names.into_iter().map(|name| name.trim().to_lowercase()).filter(|name| name.chars().count() > 1).collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self { names }
    }

    /// True for a field or parameter whose value is a secret by its name.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        SECRETS.iter().any(|part| name.contains(part)) || matches!(name.as_str(), "key" | "token" | "sig" | "signature")
    }

    /// The same text without personal data.
    pub(super) fn text(&self, text: &str) -> String {
        self.given(&phones(&emails(&accounts(text))))
    }

    /// The same JSON without personal data and secrets.
    pub(super) fn json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.json(item)).collect()),
            Value::Object(map) => {
                let is_message = MESSAGE.iter().all(|field| map.get(*field).is_some_and(Value::is_string));
                let entry = |(key, inner): (String, Value)| {
                    let inner = match &inner {
                        Value::String(_) if self.is_secret(&key) => Value::from(Self::SECRET),
                        Value::String(text) if is_message && WORDS.contains(&key.as_str()) => self.digest(text),
                        _ => self.json(inner),
                    };
                    (self.text(&key), inner)
                };
                Value::Object(map.into_iter().map(entry).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    /// What stands for the words of a message: they greet by name, and no form tells a name.
    fn digest(&self, words: &str) -> Value {
        Value::from(format!("[words {}]", Digest::of_bytes(self.text(words).as_bytes()).short()))
    }

    fn given(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for name in &self.names {
            text = without(&text, name);
        }
        text
    }
}

/// Replaces payment cards and bank accounts, which their checksums tell from other numbers.
fn accounts(text: &str) -> String {
    let mut spans = personal::find(text, &Known::nobody());
    spans.retain(|span| matches!(span.class, Class::Card | Class::Iban));
    personal::mask_spans(text, &spans).into_owned()
}

/// Replaces a word wherever it stands alone, in any letter case.
fn without(text: &str, name: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let wanted: Vec<char> = name.chars().collect();
    let same = |a: &char, b: &char| a.to_lowercase().eq(b.to_lowercase());
    let in_word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let here =
            chars.get(at..at + wanted.len()).is_some_and(|part| part.iter().zip(&wanted).all(|(a, b)| same(a, b)));
        if here && !in_word(at.checked_sub(1)) && !in_word(Some(at + wanted.len())) {
            out.push_str(NAME);
            at += wanted.len();
        } else {
            out.push(*c);
            at += 1;
        }
    }
    out
}

/// Replaces what looks like an e-mail address, also with its `@` percent-encoded.
fn emails(text: &str) -> String {
    let local = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    let domain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, sign)) = first_sign(rest) {
        let (before, after) = (&rest[..at], &rest[at + sign..]);
        let begins =
            before.rfind(|c| !local(c)).map_or(0, |i| i + before[i..].chars().next().map_or(0, char::len_utf8));
        let ends = after.find(|c| !domain(c)).unwrap_or(after.len());
        // A full stop at the end belongs to the sentence.
        let host = after[..ends].trim_end_matches(['.', '-']);
        if begins < at && host.contains('.') {
            out.push_str(&before[..begins]);
            out.push_str(EMAIL);
            rest = &after[host.len()..];
        } else {
            out.push_str(&rest[..at + sign]);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Where the next `@` stands and how long it is written.
fn first_sign(text: &str) -> Option<(usize, usize)> {
    let plain = text.find('@').map(|at| (at, 1));
    let encoded = text.find("%40").map(|at| (at, 3));
    plain.into_iter().chain(encoded).min()
}

/// Replaces telephone numbers written with their country: `+353 85 015 5012`.
fn phones(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('+') {
        let (before, number) = rest.split_at(at);
        let mut digits = 0;
        let mut end = 1;
        for (i, c) in number.char_indices().skip(1) {
            match c {
                '0'..='9' => (digits, end) = (digits + 1, i + 1),
                ' ' | '-' | '.' | '(' | ')' | '/' => {}
                _ => break,
            }
        }
        out.push_str(before);
        if PHONE_DIGITS.contains(&digits) {
            out.push_str(PHONE);
        } else {
            out.push_str(&number[..end]);
        }
        rest = &number[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Scrub;

    #[test]
    fn addresses_numbers_and_given_names_go() {
        let scrub = Scrub::names(["Ada Quill".to_owned(), "Ada".to_owned()]);
        for (text, clean) in [
            ("to ada.q+x@mail.example.com.", "to somebody@redacted.invalid."),
            ("a@b.example,c@d.example", "somebody@redacted.invalid,somebody@redacted.invalid"),
            ("to=ada%40example.com&x=1", "to=somebody@redacted.invalid&x=1"),
            ("Grüße@büro.example", "somebody@redacted.invalid"),
            ("@handle and 3 @ 4.5 and {{f1.price}}", "@handle and 3 @ 4.5 and {{f1.price}}"),
            ("call +353 (85) 015-5012 now", "call +00000000000 now"),
            ("1+1, +20 %, C++ and +1234567", "1+1, +20 %, C++ and +1234567"),
            ("Dear ADA QUILL, Adaptive Ada!", "Dear [name], Adaptive [name]!"),
            ("somebody@redacted.invalid +00000000000 [name]", "somebody@redacted.invalid +00000000000 [name]"),
        ] {
            assert_eq!(scrub.text(text), clean);
        }
    }

    #[test]
    fn secrets_go_by_the_name_of_their_field() {
        let body = json!({ "api_key": "x", "Authorization": "y", "token": "z", "max_tokens": 5, "tokens": "stay", "inner": [{ "client_secret": "w", "to": "a@b.example" }] });
        let clean = json!({ "api_key": "[secret]", "Authorization": "[secret]", "token": "[secret]", "max_tokens": 5, "tokens": "stay", "inner": [{ "client_secret": "[secret]", "to": "somebody@redacted.invalid" }] });
        assert_eq!(Scrub::default().json(body), clean);
    }

    #[test]
    fn the_words_of_a_message_are_a_digest() {
        let message = |to: &str, text: &str| json!({ "version": 1, "channel": "email", "key": "k", "to": to, "subject": "Hi Ada", "text": text });
        let scrubbed = |to: &str, text: &str| Scrub::default().json(message(to, text));
        let first = scrubbed("a@b.example", "Hi Ada, boots");
        assert!(!first.to_string().contains("Ada"), "{first}");
        assert_eq!(first["to"], "somebody@redacted.invalid");
        assert_eq!(first, scrubbed("c@d.example", "Hi Ada, boots"), "everybody is the same somebody");
        assert_ne!(first, scrubbed("a@b.example", "Hi Ada, tents"), "another message is another request");
    }
}
