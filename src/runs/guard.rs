//! The last door before a model: personal data in any message of a request becomes a token (mission 78, N11).
//!
//! Tools hand out placeholders and fenced, masked text already. This door does not trust them: whatever a later tool, a
//! marketer's chat or an error text lets through is masked here, in one place, for every model. Names alone are looked for in
//! other people's words only, which a fence marks; what an approver writes about a reader has none, since the writer is to do what
//! it says, and is masked where they write it (`approvals/decide.rs`).

use std::borrow::Cow;

use agent::Message;
use kit::fence;
use kit::personal::{self, Class, Known};
use serde_json::Value;

use crate::store::Customer;

/// Masks what leaves for a model. It remembers what it has looked at: a transcript only grows.
#[derive(Debug, Default)]
pub(crate) struct PrivacyGuard {
    known: Known,
    seen: Vec<(Message, Option<Message>)>,
}

impl PrivacyGuard {
    /// A guard that knows the person the run is about.
    pub(crate) fn for_person(person: Option<&Customer>) -> Self {
        Self::knowing(person.map_or_else(Known::nobody, Customer::known))
    }

    fn knowing(known: Known) -> Self {
        Self { known, seen: Vec::new() }
    }

    /// The messages as a model may see them.
    pub(crate) fn mask<'a>(&mut self, messages: &'a [Message]) -> Cow<'a, [Message]> {
        for (index, message) in messages.iter().enumerate() {
            match self.seen.get_mut(index) {
                Some((seen, _)) if seen == message => {}
                Some(entry) => *entry = (message.clone(), masked(message, &self.known)),
                None => self.seen.push((message.clone(), masked(message, &self.known))),
            }
        }
        self.seen.truncate(messages.len());
        if self.seen.iter().all(|(_, masked)| masked.is_none()) {
            return Cow::Borrowed(messages);
        }
        Cow::Owned(self.seen.iter().map(|(seen, masked)| masked.as_ref().unwrap_or(seen).clone()).collect())
    }
}

/// The message without personal data; `None` when it has none.
fn masked(message: &Message, known: &Known) -> Option<Message> {
    let mut found = message.clone();
    match &mut found {
        Message::System { text } | Message::User { text } => *text = words(text, known, Voice::People).into_owned(),
        // A model's own words and calls come back to it: what it made up is no secret, what it repeats was masked before.
        Message::Assistant { .. } => {}
        Message::Tool { content, .. } => *content = answer(content, known),
    }
    (found != *message).then_some(found)
}

/// Who speaks outside of fences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// A marketer, a prompt: words.
    People,
    /// A tool: words and ids. An id may be all digits, so that only digits as people group them count as a telephone.
    Tool,
}

/// A tool's answer is JSON: only its strings are words, and escapes are read before they are looked at.
fn answer(content: &str, known: &Known) -> String {
    let escaped = content.contains('\\');
    if !escaped && words(content, known, Voice::Tool) == content {
        return content.to_owned();
    }
    match serde_json::from_str::<Value>(content) {
        Ok(mut value) => {
            if strings(&mut value, known) {
                value.to_string()
            } else {
                content.to_owned()
            }
        }
        Err(_) => words(content, known, Voice::Tool).into_owned(),
    }
}

/// Masks every string within; false when none had anything to mask.
fn strings(value: &mut Value, known: &Known) -> bool {
    match value {
        Value::String(text) => match words(text, known, Voice::Tool) {
            Cow::Owned(masked) => {
                *text = masked;
                true
            }
            Cow::Borrowed(_) => false,
        },
        Value::Array(items) => all(items.iter_mut(), known),
        Value::Object(fields) => all(fields.values_mut(), known),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Every one of them, also after the first that had something to mask.
fn all<'v>(values: impl Iterator<Item = &'v mut Value>, known: &Known) -> bool {
    let mut masked = false;
    for value in values {
        masked |= strings(value, known);
    }
    masked
}

/// What has a form is masked everywhere. A name is looked for only in the words of other people: a boot may be called Clare.
fn words<'a>(text: &'a str, known: &Known, voice: Voice) -> Cow<'a, str> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(fence::OPEN) {
        let (inside, behind) = after.split_once(fence::CLOSE).unwrap_or((after, ""));
        out.push_str(&unfenced(before, voice));
        out.push_str(fence::OPEN);
        out.push_str(&personal::mask(inside, known));
        out.push_str(if after.len() > inside.len() { fence::CLOSE } else { "" });
        rest = behind;
    }
    out.push_str(&unfenced(rest, voice));
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

fn unfenced(text: &str, voice: Voice) -> Cow<'_, str> {
    let mut spans = personal::find(text, &Known::nobody());
    spans.retain(|span| {
        let digits = text.get(span.start..span.end).is_some_and(|t| t.bytes().all(|b| b.is_ascii_digit()));
        let id = digits && matches!(span.class, Class::Phone | Class::Ssn);
        voice == Voice::People || !id
    });
    personal::mask_spans(text, &spans)
}

#[cfg(test)]
mod tests {
    use kit::CallId;

    use super::*;

    fn tool(content: &str) -> Message {
        Message::Tool {
            call: CallId::new("c1").unwrap(),
            name: "lookup_profile".to_owned(),
            content: content.to_owned(),
        }
    }

    #[test]
    fn nothing_personal_leaves_and_everything_else_does() {
        let mut guard = PrivacyGuard::knowing(Known::nobody().name("Clare"));
        let messages = [
            Message::System { text: "Write to one person.".to_owned() },
            Message::User { text: "Mail ada@example.ie or +353 87 123 4567 about order 10023".to_owned() },
            tool(
                r#"{"id":4111111111111111,"title":"Clare Mid Boot","note":"⟦third-party: Clare here, card 4111 1111 1111 1111⟧","address":"line\n087 123 4567"}"#,
            ),
            tool("no JSON: 2001:db8::1"),
            tool(r#"{"draft":"087123456789","next":"call queue_send with draft 087123456789"}"#),
        ];
        let masked = guard.mask(&messages).into_owned();
        assert_eq!(
            masked,
            [
                messages[0].clone(),
                Message::User { text: "Mail [email] or [phone] about order 10023".to_owned() },
                tool(
                    r#"{"id":4111111111111111,"title":"Clare Mid Boot","note":"⟦third-party: [name] here, card [card]⟧","address":"line\n[phone]"}"#
                ),
                tool("no JSON: [ip]"),
                messages[4].clone(),
            ]
        );
        // A transcript that was cut and grew again is looked at again.
        let shorter =
            [messages[0].clone(), Message::User { text: "Mail zoe@example.ie or +353 87 765 4321 now".to_owned() }];
        assert_eq!(guard.mask(&shorter)[1], Message::User { text: "Mail [email] or [phone] now".to_owned() });
        assert!(matches!(guard.mask(&messages[..1]), Cow::Borrowed(_)));
    }
}
