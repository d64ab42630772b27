//! Text messages that people send back: what a provider's webhook tells, and what the words ask for.
//!
//! ```json
//! { "id": "in-7f3a", "from": "+353850123456", "text": "STOP", "at": "2026-11-20T08:00:00Z" }
//! ```
//!
//! `id` is the provider's own, the same on every retry; `at` may be left out. Further fields are ignored.
//!
//! The words of 47 CFR 64.1200(a)(10) (stop, quit, end, revoke, opt out, cancel, unsubscribe) and of the CTIA's handbook
//! (STOPALL, ARRET), with what people write in the languages of our shops. In doubt it is a stop: a person who is left
//! alone for no reason can come back with START, one who is written to against their word cannot be unwritten.

use jiff::Timestamp;
use kit::phone::Phone;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use crate::error::{Fault, WebhookError, field};
use crate::json::{IdText, decode, guard};

/// Longer texts are no replies of a person; carriers join at most ten parts.
pub const MAX_CHARS: usize = 1600;

/// Stops wherever it stands in the text. Folded: lower case, no accents.
const STOPS: &[&str] = &[
    "stop",
    "stopp",
    "stopall",
    "stoppt",
    "unsubscribe",
    "optout",
    "opt out",
    "revoke",
    "arret",
    "arreter",
    "desabonner",
    "desinscrire",
    "abmelden",
    "abmeldung",
    "abbestellen",
    "austragen",
    "afmelden",
    "afmeld",
    "avsluta",
    "avslutt",
    "baja",
    "fermare",
    "annulla",
    "remove me",
    "take me off",
    "leave me alone",
    "no more texts",
    "do not text",
    "don t text",
    "dont text",
    "do not contact",
    "don t contact",
    "do not message",
    "don t message",
    "wrong number",
    "not interested",
    "keine sms",
    "keine nachrichten",
    "nicht mehr",
    "falsche nummer",
    "kein interesse",
    "lass mich in ruhe",
    "lasst mich in ruhe",
    "ne plus",
    "no mas",
];
/// Stops in a text of a few words: alone they ask for it, in a long sentence they may mean anything.
const SHORT_STOPS: &[&str] = &[
    "quit", "end", "cancel", "no", "nein", "parar", "pare", "sair", "cancelar", "cancella", "kundigen", "ende", "halt",
];
/// Words of a text in which [`SHORT_STOPS`] count.
const FEW_WORDS: usize = 4;
/// Asks for help; the first word of a text of at most three.
const HELPS: &[&str] = &["help", "info", "hilfe", "aide", "ayuda", "aiuto"];
/// Asks to come back; the whole text.
const STARTS: &[&str] = &["start", "unstop"];

/// What a reply asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Intent {
    /// No more text messages.
    Stop,
    /// Text messages again.
    Start,
    /// Who writes, and how to reach them.
    Help,
    /// Anything else.
    Other,
}

impl Intent {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Help => "help",
            Self::Other => "other",
        }
    }

    /// What the words ask for. A stop counts before everything else in the text.
    pub fn of(text: &str) -> Self {
        let folded = fold(text);
        let words: Vec<&str> = folded.split_whitespace().collect();
        // Whole words: "nonstop" and "endless" are none of these.
        let spaced = format!(" {} ", words.join(" "));
        let says = |phrase: &str| spaced.contains(&format!(" {phrase} "));
        if STOPS.iter().any(|phrase| says(phrase)) {
            return Self::Stop;
        }
        if words.len() <= FEW_WORDS && SHORT_STOPS.iter().any(|phrase| says(phrase)) {
            return Self::Stop;
        }
        match words.as_slice() {
            [only] if STARTS.contains(only) => Self::Start,
            [first] | [first, _] | [first, _, _] if HELPS.contains(first) => Self::Help,
            _ => Self::Other,
        }
    }
}

/// A reply as a provider's webhook tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The provider's id of it.
    pub id: String,
    /// Whose number it came from.
    pub from: Phone,
    /// What it asks for. The words themselves are not kept.
    pub intent: Intent,
    /// When it was sent, where the provider tells.
    pub at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Wire {
    id: IdText,
    from: String,
    text: String,
    at: Option<Timestamp>,
}

impl Reply {
    /// Reads the body of a reply's webhook, whose signature fits.
    ///
    /// # Errors
    /// [`WebhookError`] with the place.
    pub fn read(body: &[u8]) -> Result<Self, WebhookError> {
        let wire: Wire = decode(guard(body)?)?;
        let shape = |path: &str, why: String| field(path, Fault::Shape { why, line: 1, column: 1 });
        let id: String = wire.id.0.trim().chars().filter(|c| !c.is_control()).take(80).collect();
        if id.is_empty() {
            return Err(field("$.id", Fault::Missing));
        }
        // The number itself is personal: the fault says what is wrong, never what it is.
        let from = Phone::parse(&wire.from).map_err(|e| shape("$.from", e.to_string()))?;
        if wire.text.chars().count() > MAX_CHARS {
            return Err(shape("$.text", format!("longer than {MAX_CHARS} characters")));
        }
        Ok(Self { id, from, intent: Intent::of(&wire.text), at: wire.at })
    }
}

/// Lower case, without accents, everything but letters and digits a blank.
fn fold(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).flat_map(char::to_lowercase);
    plain.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect()
}
