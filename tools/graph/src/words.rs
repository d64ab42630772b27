//! Reasons in words. German for readers of German, English for all others: reasons are read by the model and the
//! marketer; only curated words may end up in copy.

use kit::Language;

/// Customers from which on a learned relation may be called frequent.
pub(crate) const OFTEN: u16 = 10;

/// Why a product is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Because<'a> {
    Accessory { of: &'a str, why: Option<&'a str> },
    Next { after: &'a str, why: Option<&'a str> },
    BoughtNext { after: &'a str, often: bool },
    BoughtTogether { with: &'a str, often: bool },
    SameIntent { with: &'a str, label: Option<&'a str> },
    Substitute { of: &'a str, why: Option<&'a str> },
    SameKind { of: &'a str, price: PriceStep, shared: usize },
    PopularIn { category: &'a str },
    Popular,
    FewOrders { category: &'a str },
}

/// The price of an alternative against the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PriceStep {
    /// Within a fifth.
    Similar,
    Lower,
    Higher,
    /// In another currency, or free.
    Unknown,
}

impl Because<'_> {
    pub(crate) fn in_words(&self, language: &Language) -> String {
        if *language == Language::DE { self.german() } else { self.english() }
    }

    fn english(&self) -> String {
        match *self {
            Self::Accessory { of, why } => with_why(format!("goes with {of}"), why),
            Self::Next { after, why } => with_why(format!("the next step after {after}"), why),
            Self::BoughtNext { after, often: true } => format!("often bought next by people who bought {after}"),
            Self::BoughtNext { after, often: false } => format!("bought next by some people who bought {after}"),
            Self::BoughtTogether { with, often: true } => format!("many people who bought {with} also bought this"),
            Self::BoughtTogether { with, often: false } => format!("some people who bought {with} also bought this"),
            Self::SameIntent { with, label } => with_why(format!("for the same purpose as {with}"), label),
            Self::Substitute { of, why } => with_why(format!("can stand in for {of}"), why),
            Self::SameKind { of, price, shared } => {
                let price = match price {
                    PriceStep::Similar => ", similar price",
                    PriceStep::Lower => ", lower price",
                    PriceStep::Higher => ", higher price",
                    PriceStep::Unknown => "",
                };
                let shared = if shared > 0 { ", features in common" } else { "" };
                format!("the same kind of product as {of}{price}{shared}")
            }
            Self::PopularIn { category } => {
                format!("popular in {}; nothing this customer bought points to it", plain(category))
            }
            Self::Popular => "popular in the whole shop; nothing this customer bought points to it".to_owned(),
            Self::FewOrders { category } => {
                format!("from {}; too few orders to call it popular", plain(category))
            }
        }
    }

    fn german(&self) -> String {
        match *self {
            Self::Accessory { of, why } => with_why(format!("passt zu {of}"), why),
            Self::Next { after, why } => with_why(format!("der nächste Schritt nach {after}"), why),
            Self::BoughtNext { after, often: true } => format!("wird nach {after} oft als Nächstes gekauft"),
            Self::BoughtNext { after, often: false } => format!("wird nach {after} von manchen als Nächstes gekauft"),
            Self::BoughtTogether { with, often: true } => {
                format!("viele, die {with} gekauft haben, kauften auch dies")
            }
            Self::BoughtTogether { with, often: false } => {
                format!("manche, die {with} gekauft haben, kauften auch dies")
            }
            Self::SameIntent { with, label } => with_why(format!("für denselben Zweck wie {with}"), label),
            Self::Substitute { of, why } => with_why(format!("kann {of} ersetzen"), why),
            Self::SameKind { of, price, shared } => {
                let price = match price {
                    PriceStep::Similar => ", ähnlicher Preis",
                    PriceStep::Lower => ", niedrigerer Preis",
                    PriceStep::Higher => ", höherer Preis",
                    PriceStep::Unknown => "",
                };
                let shared = if shared > 0 { ", gemeinsame Merkmale" } else { "" };
                format!("dieselbe Art Produkt wie {of}{price}{shared}")
            }
            Self::PopularIn { category } => {
                format!("beliebt in {}; kein früherer Kauf spricht dafür", plain(category))
            }
            Self::Popular => "im ganzen Shop beliebt; kein früherer Kauf spricht dafür".to_owned(),
            Self::FewOrders { category } => {
                format!("aus {}; zu wenige Bestellungen, um es beliebt zu nennen", plain(category))
            }
        }
    }
}

fn with_why(claim: String, why: Option<&str>) -> String {
    match why {
        Some(why) => format!("{claim}: {why}"),
        None => claim,
    }
}

/// `footwear/hiking-boots` as `hiking boots`.
fn plain(category: &str) -> String {
    category.rsplit('/').next().unwrap_or(category).replace(['-', '_'], " ")
}
