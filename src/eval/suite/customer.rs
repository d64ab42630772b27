//! Whom a case is about.

use kit::phone::Phone;
use kit::{Language, ProductId};
use serde::Deserialize;

/// A customer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Customer {
    /// Their first name; `null` when nobody knows it.
    pub first_name: Option<String>,
    /// What they read.
    pub language: Language,
    /// Where they live.
    pub zone: String,
    /// A very important one.
    pub vip: bool,
    /// Their loyalty tier.
    pub tier: Option<String>,
    /// Whether they agreed to mail.
    pub consent: Consent,
    /// Where text messages reach them, as `+353871234567`.
    pub phone: Option<Phone>,
    /// Whether they agreed to text messages.
    pub text_consent: Consent,
    /// Why their address takes no mail.
    pub suppressed: Option<String>,
    /// Whether a support ticket is open when the story begins.
    pub ticket: bool,
    /// Whether they belong to the holdout group; needs `shop: { holdout_percent: 50 }` or the like.
    pub held_out: bool,
    /// Orders of the past.
    pub bought: Vec<Purchase>,
}

impl Default for Customer {
    fn default() -> Self {
        Self {
            first_name: Some("Aoife".to_owned()),
            language: Language::EN,
            zone: "Europe/Dublin".to_owned(),
            vip: false,
            tier: None,
            consent: Consent::Subscribed,
            phone: None,
            text_consent: Consent::None,
            suppressed: None,
            ticket: false,
            held_out: false,
            bought: Vec::new(),
        }
    }
}

/// What somebody said about messages of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Yes.
    Subscribed,
    /// Nothing.
    None,
    /// No, after a yes.
    Withdrawn,
}

/// An order of the past.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    /// What.
    pub items: Vec<ProductId>,
    /// How long ago.
    pub days_ago: i64,
    /// All of it came back.
    #[serde(default)]
    pub returned: bool,
}
