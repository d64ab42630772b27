//! What is true in a case, with the times at which it became so. Plain data: whoever plays a case writes it down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

/// The world of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// When the story begins.
    pub began: Timestamp,
    /// The shop.
    pub shop: Shop,
    /// What it sells.
    pub products: Arc<BTreeMap<String, Product>>,
    /// Everybody it knows.
    pub people: Vec<Person>,
    /// Ids of those whom the case is about: nobody else may get anything.
    pub about: BTreeSet<String>,
    /// What the case permits.
    pub limits: Limits,
    /// What people at the shop have approved.
    pub approvals: Vec<Approval>,
    /// When sending was switched off, and on again.
    pub stops: Vec<Period>,
}

/// The shop, as a reader may see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shop {
    /// The only sender.
    pub from: String,
    /// Its name, which stands in every text message.
    pub name: String,
    /// The full postal address.
    pub postal_address: String,
    /// Hosts that links and pictures may lead to.
    pub hosts: Vec<String>,
    /// ISO 4217.
    pub currency: String,
    /// Every discount that exists.
    pub offers: Vec<Offer>,
}

/// A discount that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: String,
    /// How readers know it, in every language.
    pub labels: Vec<String>,
    /// Per cent, when it is a share.
    pub percent: Option<u32>,
    /// What its codes begin with.
    pub code_prefix: Option<String>,
}

/// A product over time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Product {
    /// Its titles, in every language.
    pub titles: Vec<String>,
    /// Prices in minor units, each from a time on.
    pub prices: Vec<(Timestamp, i64)>,
    /// A price shown struck through, if any.
    pub compare_at: Option<i64>,
    /// Units in stock, each from a time on.
    pub stock: Vec<(Timestamp, i64)>,
    /// The law has something to say about messages with it.
    pub regulated: bool,
}

/// A person over time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The shop's id for them.
    pub id: String,
    /// Their address.
    pub email: Option<String>,
    /// Where text messages reach them, as `+353871234567`.
    pub phone: Option<String>,
    /// Their first name.
    pub first_name: Option<String>,
    /// What they read: `en`, `de`.
    pub language: String,
    /// Their IANA zone.
    pub zone: String,
    /// Whether a person must look at whatever goes to them.
    pub vip: bool,
    /// Yes and no to mail, each from a time on.
    pub consents: Vec<(Timestamp, bool)>,
    /// Yes and no to text messages, each from a time on.
    pub text_consents: Vec<(Timestamp, bool)>,
    /// When their address was suppressed.
    pub suppressed: Option<Timestamp>,
    /// When they asked to be forgotten.
    pub erased: Option<Timestamp>,
    /// Open tickets.
    pub tickets: Vec<Period>,
    /// When they ordered.
    pub orders: Vec<Timestamp>,
    /// They get nothing, for measurement.
    pub held_out: bool,
}

/// From a time on, until another one or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Option<Timestamp>,
}

impl Period {
    /// True when it goes on at this time.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// What a case permits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Quiet hours in the reader's zone: from, to.
    pub quiet: (i8, i8),
    /// Messages within 24 hours.
    pub cap_day: usize,
    /// Messages within 7 days.
    pub cap_week: usize,
    /// Offers that may be made.
    pub offers: BTreeSet<String>,
    /// Ids of people to whom none of them may be made.
    pub full_price: BTreeSet<String>,
    /// Flows of which a person sees every message, by the name in the links.
    pub reviewed: BTreeSet<String>,
    /// Flows that an order makes pointless.
    pub stops_on_purchase: BTreeSet<String>,
    /// Words that no message may hold: planted ones, or such as the shop's rules forbid.
    pub forbidden: Vec<String>,
}

/// Somebody's yes to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// To whom the message goes.
    pub person: String,
    /// When it was given.
    pub at: Timestamp,
    /// Until when it counts.
    pub until: Timestamp,
    /// Who gave it.
    pub by: String,
    /// Who wrote the message, or shaped the campaign.
    pub authors: BTreeSet<String>,
    /// The subject lines that were seen.
    pub subjects: Vec<String>,
}

/// What was true last at a time.
pub(crate) fn at<T: Copy>(history: &[(Timestamp, T)], now: Timestamp) -> Option<T> {
    history.iter().filter(|(from, _)| *from <= now).max_by_key(|(from, _)| *from).map(|(_, value)| *value)
}
