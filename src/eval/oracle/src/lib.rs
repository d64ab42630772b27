//! What must never happen, judged from what left and from the world, without any code of the product.
//!
//! [`judge`] reads the bytes that the provider was handed and a [`World`] that the harness wrote down on its own. A mistake
//! in the product's ledger, rules or renderer therefore cannot hide itself here: nothing of them is imported. What the
//! oracle knows of the product is the form of its mails, as a reader sees it: the bullet before a product's title, the rule
//! above the footer.
//!
//! * [`world`]: what is true: people, products, limits, decisions, each with its times.
//! * [`letter`]: a mail as its reader gets it.
//! * [`text`]: a text message as its reader gets it.
//! * [`figures`]: amounts, discounts and codes in a text.

pub mod figures;
pub mod letter;
pub mod text;
pub mod world;

mod body;
mod person;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use letter::{Letter, Unreadable};
pub use text::TextMessage;
pub use world::World;

/// One message as the provider got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Something that must never happen, and did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeverEvent {
    /// Its short name, such as `no_consent`.
    pub rule: String,
    /// What was seen, in words, without anybody's data.
    pub why: String,
}

impl NeverEvent {
    /// A never-event.
    pub fn new(rule: &str, why: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), why: why.into() }
    }
}

/// Judges everything that left, in the order in which it left.
pub fn judge(world: &World, sent: &[Sent]) -> Vec<NeverEvent> {
    let mut events = Vec::new();
    let mut earlier: Vec<(Timestamp, Letter)> = Vec::new();
    let mut texts: Vec<(Timestamp, TextMessage)> = Vec::new();
    for one in sent {
        if let Some(text) = TextMessage::read(&one.bytes) {
            text::judge(world, one.at, &text, &texts, &mut events);
            texts.push((one.at, text));
            continue;
        }
        let letter = match Letter::read(&one.bytes) {
            Ok(letter) => letter,
            Err(why) => {
                events.push(NeverEvent::new("unreadable", why.to_string()));
                continue;
            }
        };
        person::judge(world, one.at, &letter, &earlier, &mut events);
        body::judge(world, one.at, &letter, &mut events);
        earlier.push((one.at, letter));
    }
    events
}
