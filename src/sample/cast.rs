//! The named cast: seven customers whose stories the demonstration tells, the same for every seed.
//!
//! Products are chosen from the catalogue, not named: of each category the first by id of which more than
//! [`ENOUGH_STOCK`] units are there.

use kit::message::ConsentState;
use kit::person::Email;
use kit::{CustomerId, Language, OrderId, ProductId, Timestamp};

use super::calendar::{Calendar, zone};
use super::purchase::{Purchase, line};
use super::shelf::Shelf;
use super::support::Question;
use super::{CatalogueItem, SampleError, consent};
use crate::store::{Activity, Consent, Customer};

/// Jonas's last order, by the number that its webhook `shopify-orders-fulfilled-jonas.json` gives.
pub const JONAS_ORDER: &str = "6210448817301";
/// Priya's cancelled order, by the number that its webhook `shopify-orders-cancelled-lapsed.json` gives.
pub const LAPSED_ORDER: &str = "6210448817402";

/// A product with no more units than this may be gone before the demonstration is over.
const ENOUGH_STOCK: i64 = 20;

/// Who plays what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// `C-ADA`: leaves a checkout with boots.
    pub ada: CastMember,
    /// `C-JONAS`: a tent has just been delivered to him.
    pub jonas: CastMember,
    /// `C-VIP`: leaves a checkout; writing to her needs an approval.
    pub vip: CastMember,
    /// `C-TICKET`: leaves a cart while a ticket is open.
    pub ticket: CastMember,
    /// `C-OPTOUT`: leaves a cart, but took her consent back.
    pub optout: CastMember,
    /// `C-LAPSED`: her order was cancelled for want of stock.
    pub lapsed: CastMember,
    /// `C-SAM`: leaves a cart and buys it right after.
    pub bought: CastMember,
}

/// One of the cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CastMember {
    /// The id, `C-…`.
    pub customer: CustomerId,
    /// Where mail goes; webhooks name the same.
    pub email: Email,
    /// What the member's webhook is about: the lines of the cart or order, in order.
    pub products: Vec<ProductId>,
}

/// A line of a story: a product of this category, and how many. `!` before the category means one that is sold out.
type Wanted = (&'static str, u32);

/// An order of a story: days ago, local hour, what.
type Past = (i32, u32, &'static [Wanted]);

struct Role {
    id: &'static str,
    first_name: &'static str,
    email: &'static str,
    language: Language,
    country: &'static str,
    time_zone: &'static str,
    /// The shop's best.
    vip: bool,
    tier: Option<&'static str>,
    /// Days since the account was made.
    joined: i32,
    /// Days since consent was taken back.
    withdrawn: Option<i32>,
    /// Days since a ticket was opened that is still open.
    ticket: Option<i32>,
    past: &'static [Past],
    /// The lines of the webhook.
    wants: &'static [Wanted],
}

const ADA: Role = Role {
    id: "C-ADA",
    first_name: "Aoife",
    email: "aoife.brennan@example.com",
    language: Language::EN,
    country: "IE",
    time_zone: "Europe/Dublin",
    vip: false,
    tier: Some("bronze"),
    joined: 268,
    withdrawn: None,
    ticket: None,
    past: &[
        (267, 20, &[("packs/trekking-packs", 1), ("packs/accessories", 1)]),
        (158, 19, &[("clothing/base-layers", 1)]),
        (64, 13, &[("water/bottles", 1)]),
    ],
    wants: &[("footwear/hiking-boots", 1)],
};

const JONAS: Role = Role {
    id: "C-JONAS",
    first_name: "Jonas",
    email: "jonas.weber@example.net",
    language: Language::DE,
    country: "DE",
    time_zone: "Europe/Berlin",
    vip: false,
    tier: Some("silver"),
    joined: 331,
    withdrawn: None,
    ticket: None,
    past: &[
        (330, 21, &[("footwear/trail-shoes", 1), ("clothing/socks", 2)]),
        (252, 20, &[("food/drinks", 1), ("food/bars", 4)]),
        (171, 12, &[("camping/stoves", 1), ("camping/fuel", 1)]),
        (84, 19, &[("water/filters", 1)]),
    ],
    wants: &[("camping/tents", 1), ("food/meals", 2)],
};

const VIP: Role = Role {
    id: "C-VIP",
    first_name: "Maeve",
    email: "maeve.osullivan@example.com",
    language: Language::EN,
    country: "IE",
    time_zone: "Europe/Dublin",
    vip: true,
    tier: Some("gold"),
    joined: 352,
    withdrawn: None,
    ticket: None,
    past: &[
        (351, 20, &[("clothing/insulation", 1), ("accessories/gloves", 1)]),
        (322, 21, &[("lights/headlamps", 1)]),
        (287, 19, &[("footwear/hiking-boots", 1), ("care/footwear", 1)]),
        (246, 20, &[("packs/trekking-packs", 1)]),
        (219, 13, &[("clothing/base-layers", 2)]),
        (186, 20, &[("camping/tents", 1)]),
        (155, 22, &[("camping/stoves", 1), ("camping/fuel", 2), ("food/meals", 4)]),
        (122, 19, &[("water/filters", 1)]),
        (91, 20, &[("clothing/rain-shells", 1)]),
        (58, 12, &[("clothing/rain-trousers", 1), ("care/shells", 1)]),
        (27, 20, &[("accessories/poles", 1)]),
    ],
    wants: &[("camping/sleeping-bags", 1), ("camping/mats", 1)],
};

const TICKET: Role = Role {
    id: "C-TICKET",
    first_name: "Tom",
    email: "tom.hughes@example.org",
    language: Language::EN,
    country: "GB",
    time_zone: "Europe/London",
    vip: false,
    tier: None,
    joined: 83,
    withdrawn: None,
    ticket: Some(2),
    past: &[(82, 20, &[("camping/tarps", 1)]), (9, 21, &[("camping/mats", 1)])],
    wants: &[("camping/stoves", 1), ("camping/fuel", 1)],
};

const OPTOUT: Role = Role {
    id: "C-OPTOUT",
    first_name: "Lena",
    email: "lena.fischer@example.net",
    language: Language::DE,
    country: "DE",
    time_zone: "Europe/Berlin",
    vip: false,
    tier: None,
    joined: 203,
    withdrawn: Some(41),
    ticket: None,
    past: &[(203, 18, &[("clothing/fleece", 1)])],
    wants: &[("clothing/insulation", 1)],
};

const LAPSED: Role = Role {
    id: "C-LAPSED",
    first_name: "Priya",
    email: "priya.nair@example.org",
    language: Language::EN,
    country: "GB",
    time_zone: "Europe/London",
    vip: false,
    tier: Some("bronze"),
    joined: 344,
    withdrawn: None,
    ticket: None,
    past: &[(343, 20, &[("clothing/base-layers", 1), ("accessories/gloves", 1)]), (311, 13, &[("clothing/fleece", 1)])],
    wants: &[("!clothing/insulation", 1)],
};

const BOUGHT: Role = Role {
    id: "C-SAM",
    first_name: "Sam",
    email: "sam.okafor@example.com",
    language: Language::EN,
    country: "IE",
    time_zone: "Europe/Dublin",
    vip: false,
    tier: None,
    joined: 141,
    withdrawn: None,
    ticket: None,
    past: &[(141, 21, &[("packs/day-packs", 1)]), (73, 19, &[("water/bottles", 1)])],
    wants: &[("lights/headlamps", 1), ("clothing/socks", 2)],
};

const ROLES: [&Role; 7] = [&ADA, &JONAS, &VIP, &TICKET, &OPTOUT, &LAPSED, &BOUGHT];

/// The cast with the products of their stories in this catalogue.
///
/// # Errors
/// [`SampleError::NoProduct`] when the catalogue lacks a category that a story needs.
pub fn cast(catalogue: &[CatalogueItem]) -> Result<Cast, SampleError> {
    let member = |role: &Role| {
        let product = |(category, _): &Wanted| choose(catalogue, category).map(|item| item.id.clone());
        Ok::<_, SampleError>(CastMember {
            customer: CustomerId::new(role.id)?,
            email: Email::parse(role.email)?,
            products: role.wants.iter().map(product).collect::<Result<_, _>>()?,
        })
    };
    Ok(Cast {
        ada: member(&ADA)?,
        jonas: member(&JONAS)?,
        vip: member(&VIP)?,
        ticket: member(&TICKET)?,
        optout: member(&OPTOUT)?,
        lapsed: member(&LAPSED)?,
        bought: member(&BOUGHT)?,
    })
}

/// The first product of a category by id that is well in stock; with `!` the first that is sold out, if one is.
fn choose<'a>(catalogue: &'a [CatalogueItem], wanted: &'static str) -> Result<&'a CatalogueItem, SampleError> {
    let category = wanted.trim_start_matches('!');
    let sold_out = category.len() < wanted.len();
    let first = |fits: fn(&CatalogueItem) -> bool| {
        let here = catalogue.iter().filter(|item| item.category.as_str() == category && fits(item));
        here.min_by(|a, b| a.id.cmp(&b.id))
    };
    let best = if sold_out { first(|item| item.stock <= 0) } else { first(|item| item.stock > ENOUGH_STOCK) };
    best.or_else(|| first(|_| true)).ok_or(SampleError::NoProduct(category))
}

/// What the cast brings into a world.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) customers: Vec<Customer>,
    pub(super) consents: Vec<(CustomerId, Consent)>,
    pub(super) purchases: Vec<Purchase>,
    pub(super) activity: Vec<Activity>,
    pub(super) questions: Vec<Question>,
}

/// Sets the stage: customers, consents, histories. No randomness.
pub(super) fn stage(calendar: &Calendar, catalogue: &[CatalogueItem], shelf: &Shelf<'_>) -> Result<Stage, SampleError> {
    let mut stage = Stage::default();
    for role in ROLES {
        Director { calendar, catalogue, shelf, role }.enter(&mut stage)?;
    }
    Ok(stage)
}

/// The addresses of the cast.
pub(super) fn addresses() -> Result<Vec<Email>, SampleError> {
    ROLES.into_iter().map(|role| Ok(Email::parse(role.email)?)).collect()
}

/// Turns a role into rows.
struct Director<'a> {
    calendar: &'a Calendar,
    catalogue: &'a [CatalogueItem],
    shelf: &'a Shelf<'a>,
    role: &'a Role,
}

impl Director<'_> {
    fn enter(&self, stage: &mut Stage) -> Result<(), SampleError> {
        let role = self.role;
        let id = CustomerId::new(role.id)?;
        let joined = self.ago(role.joined, 9, 12)?;
        stage.customers.push(Customer {
            id: id.clone(),
            email: Some(Email::parse(role.email)?),
            first_name: Some(role.first_name.to_owned()),
            language: role.language.clone(),
            country: Some(role.country.to_owned()),
            time_zone: role.time_zone.to_owned(),
            loyalty_tier: role.tier.map(str::to_owned),
            vip: role.vip,
            created_at: joined,
            erased_at: None,
        });
        stage.consents.push((id.clone(), consent(ConsentState::Subscribed, joined, "account")));
        if let Some(days) = role.withdrawn {
            stage
                .consents
                .push((id.clone(), consent(ConsentState::Withdrawn, self.ago(days, 21, 3)?, "unsubscribe link")));
        }
        if let Some(days) = role.ticket {
            stage.questions.push(Question { customer: id, opened_at: self.ago(days, 10, 25)?, closed_at: None });
        }
        for (days, hour, wanted) in role.past {
            let purchase = self.purchase(*days, *hour, wanted)?;
            stage.purchases.push(Purchase { fulfilled_at: Some(self.ago(days - 2, 11, 40)?), ..purchase });
        }
        self.recent(stage)
    }

    /// The orders that a webhook repeats, and what else happened in these days.
    fn recent(&self, stage: &mut Stage) -> Result<(), SampleError> {
        let wants = self.role.wants;
        match self.role.id {
            "C-ADA" => {
                self.look(stage, 6, 20, 75)?;
                self.look(stage, 1, 20, 140)?;
            }
            "C-JONAS" => {
                self.look(stage, 8, 20, 190)?;
                let (id, fulfilled_at) = (Some(OrderId::new(JONAS_ORDER)?), Some(self.ago(3, 9, 30)?));
                stage.purchases.push(Purchase { id, fulfilled_at, ..self.purchase(6, 20, wants)? });
            }
            "C-LAPSED" => {
                let (id, cancelled) = (Some(OrderId::new(LAPSED_ORDER)?), Some((self.ago(1, 9, 10)?, "inventory")));
                stage.purchases.push(Purchase { id, cancelled, ..self.purchase(3, 20, wants)? });
            }
            _ => self.look(stage, 1, 20, 60)?,
        }
        Ok(())
    }

    /// An order without its end: not sent, not cancelled.
    fn purchase(&self, days: i32, hour: u32, wanted: &[Wanted]) -> Result<Purchase, SampleError> {
        let mut lines = Vec::with_capacity(wanted.len());
        for (category, quantity) in wanted {
            let item = choose(self.catalogue, category)?;
            let entry = self.shelf.get(&item.id).ok_or_else(|| SampleError::UnknownProduct(item.id.clone()))?;
            lines.push(line(entry, *quantity, false));
        }
        Ok(Purchase {
            id: None,
            customer: CustomerId::new(self.role.id)?,
            placed_at: self.ago(days, hour, 14)?,
            lines,
            percent_off: 0,
            fulfilled_at: None,
            cancelled: None,
        })
    }

    /// A look at the first thing wanted.
    fn look(&self, stage: &mut Stage, days: i32, hour: u32, dwell_s: u32) -> Result<(), SampleError> {
        let Some((category, _)) = self.role.wants.first() else { return Ok(()) };
        let item = choose(self.catalogue, category)?;
        stage.activity.push(Activity {
            customer: CustomerId::new(self.role.id)?,
            at: self.ago(days, hour, 31)?,
            kind: "viewed".to_owned(),
            product: Some(item.id.clone()),
            category: Some(item.category.clone()),
            dwell_s,
        });
        Ok(())
    }

    fn ago(&self, days: i32, hour: u32, minute: u32) -> Result<Timestamp, SampleError> {
        self.calendar.ago(&zone(self.role.time_zone)?, days, hour, minute)
    }
}
