//! What must hold after a case.

use std::collections::BTreeSet;

use kit::ProductId;
use serde::{Deserialize, Serialize};

use super::BriefThen;

/// What must hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// How it ends.
    pub outcome: Ending,
    /// The code of the reason, when nothing was sent or something waits.
    #[serde(default)]
    pub reason: Option<String>,
    /// How many mails left; one when the outcome is `sent`, else none.
    #[serde(default)]
    pub mails: Option<usize>,
    /// How many text messages left; none, unless this says so.
    #[serde(default)]
    pub texts: usize,
    /// Products that the last mail shows.
    #[serde(default)]
    pub shows: Vec<ProductId>,
    /// Products of which it shows at least one.
    #[serde(default)]
    pub shows_one_of: Vec<ProductId>,
    /// Products that no mail shows.
    #[serde(default)]
    pub never_shows: Vec<ProductId>,
    /// Words in the last mail, in any letter case.
    #[serde(default)]
    pub says: Vec<String>,
    /// Words that no mail may hold.
    #[serde(default)]
    pub never_says: Vec<String>,
    /// Where the button leads: `cart`, `product` or `guide`.
    #[serde(default)]
    pub button: Option<Button>,
    /// Whether a person was asked. Nobody is, unless this says so.
    #[serde(default)]
    pub approval: Asked,
    /// Codes of the reasons for which they were asked.
    #[serde(default)]
    pub because: Vec<String>,
    /// Offers that may be made.
    #[serde(default)]
    pub offers: BTreeSet<String>,
    /// Tools that are called, in this order, whatever else is called between.
    #[serde(default)]
    pub calls: Vec<String>,
    /// Tools that are never called.
    #[serde(default)]
    pub never_calls: Vec<String>,
    /// Model calls that are enough.
    #[serde(default)]
    pub model_calls_at_most: Option<u64>,
    /// First names of everybody who got a mail of a campaign.
    #[serde(default)]
    pub readers: Option<BTreeSet<String>>,
    /// First names of people to whom no offer may be made.
    #[serde(default)]
    pub full_price: BTreeSet<String>,
    /// What the brief must hold after the marketer's last turn.
    #[serde(default)]
    pub brief: Option<BriefThen>,
}

/// How a case ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A mail left.
    Sent,
    /// It was decided that nothing is sent.
    NoSend,
    /// A cleared message was dropped for good.
    Dropped,
    /// A cleared message waits for its cause to pass.
    Held,
    /// It waits for a person.
    Waiting,
    /// It waits for its time.
    Delayed,
    /// No run began.
    NoRun,
    /// An operator must look.
    Parked,
    /// Nobody knows whether the mail left.
    Unknown,
    /// A brief is with its marketer: nothing is asked or sent.
    Briefed,
}

/// Where a button leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// To the cart.
    Cart,
    /// To a product.
    Product,
    /// To a guide.
    Guide,
}

/// Whether a person was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Nobody was.
    #[default]
    None,
    /// Somebody was.
    Asked,
}
