//! The people of the sample shop "Tarn & Trail": customers, consents, orders, browsing and tickets of twelve months.
//!
//! [`generate`] is a pure function of seed, personas, catalogue and relations: the same input gives the same world on any
//! machine. Every customer is lived through day by day ([`life`]): favourite categories, the seasons, accessories after the
//! thing they belong to, consumables on the customer's own cycle, visits before orders. [`plant`] writes a world to a store.
//!
//! Whatever the seed, the named [`Cast`] is there, with histories that do not depend on it:
//!
//! | id | who | story |
//! |---|---|---|
//! | `C-ADA` | Aoife Brennan, Galway, English | three orders, a pack among them, no boots: leaves a checkout with boots |
//! | `C-JONAS` | Jonas Weber, Freiburg, German | regular; a tent left the warehouse three days ago: post-purchase |
//! | `C-VIP` | Maeve O'Sullivan, Westport, English | eleven orders: a checkout left by her needs an approval |
//! | `C-TICKET` | Tom Hughes, Sheffield, English | has an open ticket: nothing may be sent |
//! | `C-OPTOUT` | Lena Fischer, Hamburg, German | took her consent back: nothing may be sent |
//! | `C-LAPSED` | Priya Nair, Bristol, English | quiet since winter, then we cancelled her order for want of stock: win-back |
//! | `C-SAM` | Sam Okafor, Dublin, English | buys right after leaving a cart: the message must not leave |
//!
//! Their webhooks are in `knowledge/sample-shop/webhooks/`. Edge customers with names that must not be printed as they are
//! go by `C-EDGE-…`; everybody else is `C-000001` and up. All addresses are at example.com, .net and .org (RFC 2606).

mod basket;
mod browse;
mod calendar;
mod cast;
mod life;
mod people;
mod personas;
mod phones;
mod plant;
mod purchase;
mod rng;
mod season;
mod shelf;
mod support;
#[cfg(test)]
mod tests;
mod world;

use kit::message::{Channel, ConsentState};
use kit::person::InvalidEmail;
use kit::{CategoryId, Currency, CustomerId, InvalidId, Money, ProductId, Timestamp, money::MoneyError};

use crate::store::{Activity, Consent, Customer, CustomerPhone, Order, Ticket};

pub use cast::{Cast, CastMember, JONAS_ORDER, LAPSED_ORDER, cast};
pub use personas::{Persona, PersonaError, PersonaFault, Personas, Place};
pub use plant::plant;
pub use world::generate;

/// The present of the sample shop, 2026-11-17T10:00:00Z: webhooks and demonstration play around it.
pub const SAMPLE_NOW: Timestamp = Timestamp::constant(1_794_909_600, 0);
/// The version of the words that customers agreed to.
pub const CONSENT_WORDING: &str = "2025-03";
/// Customers of the default world.
pub const SAMPLE_CUSTOMERS: u32 = 2_400;

/// Which world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSpec {
    /// Everything random follows from it.
    pub seed: u64,
    /// Customers in all, the cast and the edge customers included; those are there even if this is less.
    pub customers: u32,
    /// The present: nothing happens after it.
    pub now: Timestamp,
    /// Months of history, 3 to 36. The cast's own histories reach back a year in any case.
    pub months: u32,
}

impl Default for SampleSpec {
    fn default() -> Self {
        Self { seed: 1, customers: SAMPLE_CUSTOMERS, now: SAMPLE_NOW, months: 12 }
    }
}

/// A product as the generator sees it; the caller maps it from the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueItem {
    /// The product.
    pub id: ProductId,
    /// Its category path.
    pub category: CategoryId,
    /// Its price, now and throughout the sample.
    pub price: Money,
    /// What it costs the shop, if known. Sample customers do not care.
    pub cost: Option<Money>,
    /// Days after which one is used up, for consumables.
    pub consumable_days: Option<u32>,
    /// The shop's tags. `kids`, `gift` and `vegan` steer who buys and when; the others are tastes.
    pub tags: Vec<String>,
    /// Units now.
    pub stock: i64,
}

/// How products lead to one another: (from, to, weight from 0 to 1).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relations {
    /// `to` is an accessory of `from`.
    pub accessory: Vec<(ProductId, ProductId, f32)>,
    /// `to` is a logical purchase after `from`.
    pub next: Vec<(ProductId, ProductId, f32)>,
}

/// A generated world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SampleWorld {
    /// The cast, then the edge customers, then the others in order of id.
    pub customers: Vec<Customer>,
    /// Telephone numbers of some, in the order of customers.
    pub phones: Vec<CustomerPhone>,
    /// Consents in the order of customers; at most two each.
    pub consents: Vec<(CustomerId, Consent)>,
    /// Consents to text messages, in the order of customers; at most two each.
    pub sms_consents: Vec<(CustomerId, Consent)>,
    /// Orders, oldest first.
    pub orders: Vec<Order>,
    /// Visits in the order of customers, each oldest first.
    pub activity: Vec<Activity>,
    /// Tickets, oldest first.
    pub tickets: Vec<Ticket>,
}

/// Why no world can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// Nothing to buy.
    #[error("the catalogue is empty; load the sample shop's products first")]
    EmptyCatalogue,
    /// The cast has no story in this catalogue.
    #[error(
        "the catalogue has no product in `{0}`, which a member of the cast needs; add one or map your category to it"
    )]
    NoProduct(&'static str),
    /// A product in another currency.
    #[error("product {product} costs {found}, the others {expected}; a sample shop has one currency")]
    Currency {
        /// The product.
        product: ProductId,
        /// Its currency.
        found: Currency,
        /// The catalogue's first.
        expected: Currency,
    },
    /// A relation to nothing.
    #[error("a relation names {0}, which is not in the catalogue; remove it or load the product")]
    UnknownProduct(ProductId),
    /// A sample too short or too long.
    #[error("{0} months of history; use 3 to 36")]
    Months(u32),
    /// No persona to be.
    #[error("the personas say nothing about {0}; see knowledge/sample-shop/personas.toml")]
    Personas(&'static str),
    /// A made id was refused.
    #[error("sample data: {0}")]
    Id(#[from] InvalidId),
    /// A made address was refused.
    #[error("sample data: {0}")]
    Email(#[from] InvalidEmail),
    /// A made telephone number was refused.
    #[error("sample data: {0}")]
    Phone(#[from] kit::phone::InvalidPhone),
    /// A sum does not fit.
    #[error("sample data: {0}")]
    Money(#[from] MoneyError),
    /// A time outside the calendar.
    #[error("sample data: {0}; choose another `now`")]
    Time(String),
}

impl From<jiff::Error> for SampleError {
    fn from(error: jiff::Error) -> Self {
        Self::Time(error.to_string())
    }
}

/// An e-mail consent as the sample shop collects it.
fn consent(state: ConsentState, at: Timestamp, source: &str) -> Consent {
    Consent { channel: Channel::Email, state, at, source: source.to_owned(), wording: CONSENT_WORDING.to_owned() }
}
