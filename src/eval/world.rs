//! The people of a case: named, planted in the shop, and told to the oracle in its own terms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalog::Product;
use jiff::SignedDuration;
use kit::message::{Channel, ConsentState};
use kit::person::Email;
use kit::{BriefId, CustomerId, Digest, Language, Money, OrderId, ShopId, StoreError, TicketId, Timestamp};
use oracle::world as truth;
use toml::{Table, Value};

use super::play::MORNING;
use super::stage::{Stage, StageError};
use super::suite::{Case, Consent, Customer as Wanted};
use crate::release::Files;
use crate::store::{Consent as ConsentRow, Customer, CustomerPhone, Order, OrderLine, ShopStore, Ticket};

/// People whose data must turn up in nobody else's mail.
const BYSTANDERS: [(&str, &str); 3] = [
    ("Grzegorzina", "grzegorzina.p@elsewhere.example"),
    ("Thorvaldur", "thorvaldur.k@elsewhere.example"),
    ("Wilhelmina", "wilhelmina.v@elsewhere.example"),
];

/// Names tried until one belongs to the wanted group.
const ATTEMPTS: u32 = 1_000;
/// Whoever is held out at this share, in per cent, is held out at every larger one.
const LEAST_HOLDOUT: u8 = 1;
/// Whoever is not held out at this share is not at any smaller one.
const MOST_HOLDOUT: u8 = 50;

/// Somebody whom a case is about.
#[derive(Debug, Clone)]
pub struct Hero {
    /// Their id.
    pub id: CustomerId,
    /// Their address.
    pub email: Email,
    /// Their open ticket.
    pub ticket: TicketId,
}

impl Hero {
    /// Somebody whom no other case and no other trial has, of whom `fits` is true. `name` tells people of one trial apart.
    ///
    /// # Errors
    /// When nobody fits: a holdout group is empty, say, or holds everybody.
    pub fn of(trial: &Trial<'_>, name: &str, fits: impl Fn(&CustomerId) -> bool) -> Result<Self, StageError> {
        for attempt in 0..ATTEMPTS {
            let (number, attempt) = (trial.number.to_string(), attempt.to_string());
            let parts = [trial.suite, trial.case, &number, &attempt, name];
            // The first person of a case has no name here: baselines of old know them so.
            let digest = Digest::of_parts(parts.into_iter().filter(|part| !part.is_empty()));
            let id = CustomerId::from_digest("case", &digest);
            if fits(&id) {
                let email = parse(&format!("{}@mailbox.example", digest.short()))?;
                return Ok(Self { id, email, ticket: TicketId::from_digest("T", &digest) });
            }
        }
        let why = "nobody is as `held_out` says: look at holdout_percent".to_owned();
        Err(StoreError::Corrupt { what: format!("case `{}`", trial.case), why }.into())
    }
}

/// One trial of a case, by name.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// The suite.
    pub suite: &'a str,
    /// The case.
    pub case: &'a str,
    /// Which trial, from 0.
    pub number: u32,
}

impl Trial<'_> {
    /// The id under which its marketer briefs a campaign.
    pub fn brief(&self) -> BriefId {
        BriefId::from_digest("brief", &Digest::of_parts([self.suite, self.case, &self.number.to_string()]))
    }

    /// Everybody of a case, the customer first, in the holdout groups or not as the case wants it: the shop's, and where a
    /// campaign is briefed, the campaign's.
    ///
    /// # Errors
    /// When nobody fits.
    pub fn people(&self, case: &Case, shop: &ShopId, percent: u32) -> Result<Vec<Hero>, StageError> {
        let brief = case.is_brief().then(|| self.brief());
        let fits = |wanted: &Wanted, id: &CustomerId| match &brief {
            None => kit::message::in_holdout(shop, id, percent) == wanted.held_out,
            Some(brief) => {
                let share = if wanted.held_out { LEAST_HOLDOUT } else { MOST_HOLDOUT };
                !kit::message::in_holdout(shop, id, percent)
                    && audience::in_campaign_holdout(shop, brief.as_str(), id, share) == wanted.held_out
            }
        };
        let name = |index: usize, wanted: &Wanted| match index {
            0 => String::new(),
            _ => wanted.first_name.clone().unwrap_or_default(),
        };
        case.people()
            .enumerate()
            .map(|(index, wanted)| Hero::of(self, &name(index, wanted), |id| fits(wanted, id)))
            .collect()
    }
}

/// The shop in the oracle's terms: read from the files, not through the product.
pub fn shop(files: &Files) -> truth::Shop {
    let table = |file: &str| files.get(file).and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    let settings = table("knowledge/shop.toml");
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |value: Option<&Value>| -> Vec<String> {
        value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let sender = settings.get("sender").and_then(Value::as_table).cloned().unwrap_or_default();
    let unsubscribe = text(sender.get("unsubscribe_base"));
    let host = unsubscribe.strip_prefix("https://").and_then(|rest| rest.split('/').next()).map(str::to_owned);
    let mut hosts = list(settings.get("link_hosts"));
    hosts.extend(list(settings.get("image_hosts")));
    hosts.extend(host);
    let offer = |step: &Value| truth::Offer {
        id: text(step.get("id")),
        labels: ["label", "label_de"]
            .into_iter()
            .map(|key| text(step.get(key)))
            .filter(|label| !label.is_empty())
            .collect(),
        percent: step.get("percent").and_then(Value::as_integer).and_then(|p| u32::try_from(p).ok()),
        code_prefix: step.get("code_prefix").and_then(Value::as_str).map(str::to_owned),
    };
    let ladder = table("knowledge/offers/ladder.toml");
    let steps = ladder.get("step").and_then(Value::as_array).into_iter().flatten();
    truth::Shop {
        from: text(sender.get("from_address")).to_lowercase(),
        name: text(settings.get("name")),
        postal_address: text(sender.get("postal_address")),
        hosts,
        currency: text(settings.get("currency")),
        offers: steps.map(offer).filter(|offer| !offer.labels.is_empty()).collect(),
    }
}

/// The range in the oracle's terms.
pub fn range(products: &[Product], now: Timestamp) -> BTreeMap<String, truth::Product> {
    let told = |product: &Product| truth::Product {
        titles: std::iter::once(product.title.clone())
            .chain(product.i18n.values().map(|own| own.title.clone()))
            .collect(),
        prices: vec![(now, product.price.minor)],
        compare_at: product.compare_at.map(|was| was.minor),
        stock: vec![(now, product.stock)],
        regulated: product.regulated.is_some(),
    };
    products.iter().map(|product| (product.id.to_string(), told(product))).collect()
}

/// The limits of a shop in the oracle's terms, read from the policy files. What a case allows is no part of them.
pub fn limits(files: &Files) -> truth::Limits {
    let table = |file: &str| files.get(file).and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    let (sending, risk) = (table("knowledge/policy/sending.toml"), table("knowledge/policy/risk.toml"));
    let number = |table: &Table, key: &str| table.get(key).and_then(Value::as_integer).unwrap_or_default();
    let cap = |key: &str| usize::try_from(number(&sending, key)).unwrap_or(usize::MAX);
    let quiet = sending.get("quiet").and_then(Value::as_table).cloned().unwrap_or_default();
    let hour = |key: &str| i8::try_from(number(&quiet, key)).unwrap_or_default();
    let flows = risk.get("flow").and_then(Value::as_table).into_iter().flatten();
    let reviewed = flows.filter(|(_, rules)| rules.get("trust").and_then(Value::as_str) == Some("review"));
    let stops = files
        .iter()
        .filter(|(path, text)| path.starts_with("prompts/flows/") && text.contains("stops_on_purchase = true"));
    let name =
        |path: &str| path.rsplit('/').next().and_then(|file| file.strip_suffix(".md")).unwrap_or_default().to_owned();
    truth::Limits {
        quiet: (hour("from"), hour("to")),
        cap_day: cap("cap_day"),
        cap_week: cap("cap_week"),
        reviewed: reviewed.map(|(flow, _)| flow.clone()).collect(),
        stops_on_purchase: stops.map(|(path, _)| name(path)).collect(),
        ..truth::Limits::default()
    }
}

/// The limits of a case: those of its shop, the offers it allows, and the words that only it forbids.
pub fn limits_of(shop: &truth::Limits, case: &Case, people: &[Hero]) -> truth::Limits {
    let full_price =
        |wanted: &Wanted| wanted.first_name.as_ref().is_some_and(|name| case.then.full_price.contains(name));
    let at_full_price = case.people().zip(people).filter(|(wanted, _)| full_price(wanted));
    truth::Limits {
        offers: case.then.offers.clone(),
        full_price: at_full_price.map(|(_, person)| person.id.to_string()).collect(),
        forbidden: case.shop.as_ref().map(|terms| terms.banned.clone()).unwrap_or_default(),
        ..shop.clone()
    }
}

/// Plants the bystanders of a shop.
///
/// # Errors
/// When storage cannot write.
pub async fn plant_bystanders(store: &ShopStore) -> Result<(), StageError> {
    for (name, email) in BYSTANDERS {
        let hero = Hero {
            id: CustomerId::from_digest("bystander", &Digest::of_bytes(name.as_bytes())),
            email: parse(email)?,
            ticket: TicketId::from_digest("T", &Digest::of_bytes(b"none")),
        };
        let wanted = Wanted { first_name: Some(name.to_owned()), ..Wanted::default() };
        plant(store, &hero, &wanted, MORNING).await?;
    }
    Ok(())
}

fn parse(email: &str) -> Result<Email, StageError> {
    Email::parse(email)
        .map_err(|e| StoreError::Corrupt { what: "a bystander's address".to_owned(), why: e.to_string() }.into())
}

/// Bystanders in the oracle's terms.
pub fn bystanders() -> Vec<truth::Person> {
    BYSTANDERS
        .iter()
        .map(|(name, email)| truth::Person {
            id: (*name).to_owned(),
            email: Some((*email).to_owned()),
            first_name: Some((*name).to_owned()),
            zone: "Europe/Dublin".to_owned(),
            ..truth::Person::default()
        })
        .collect()
}

/// A hero in the oracle's terms.
pub fn told(hero: &Hero, wanted: &Wanted, now: Timestamp) -> truth::Person {
    let consents = |said: Consent| match said {
        Consent::Subscribed => vec![(before(now, 400), true)],
        Consent::None => Vec::new(),
        Consent::Withdrawn => vec![(before(now, 400), true), (before(now, 30), false)],
    };
    truth::Person {
        id: hero.id.to_string(),
        email: Some(hero.email.reveal().to_owned()),
        first_name: wanted.first_name.clone(),
        language: wanted.language.to_string(),
        zone: wanted.zone.clone(),
        vip: wanted.vip,
        phone: wanted.phone.as_ref().map(|phone| phone.reveal().to_owned()),
        consents: consents(wanted.consent),
        text_consents: consents(wanted.text_consent),
        suppressed: wanted.suppressed.is_some().then_some(before(now, 30)),
        erased: None,
        tickets: wanted.ticket.then_some(truth::Period { from: before(now, 1), until: None }).into_iter().collect(),
        orders: wanted.bought.iter().map(|order| before(now, order.days_ago)).collect(),
        held_out: wanted.held_out,
    }
}

fn before(now: Timestamp, days: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now)
}

/// Plants somebody in the shop.
///
/// # Errors
/// When storage cannot write.
pub async fn plant(store: &ShopStore, hero: &Hero, wanted: &Wanted, now: Timestamp) -> Result<(), StageError> {
    let customer = Customer {
        id: hero.id.clone(),
        email: Some(hero.email.clone()),
        first_name: wanted.first_name.clone(),
        language: Language::clone(&wanted.language),
        country: None,
        time_zone: wanted.zone.clone(),
        loyalty_tier: wanted.tier.clone(),
        vip: wanted.vip,
        created_at: before(now, 400),
        erased_at: None,
    };
    store.put_customers(vec![customer]).await?;
    if let Some(phone) = wanted.phone.clone() {
        store.put_phones(vec![CustomerPhone { customer: hero.id.clone(), phone, region: None }]).await?;
    }
    let row = |channel, state, days| {
        let (source, wording) = ("case".to_owned(), "v1".to_owned());
        (hero.id.clone(), ConsentRow { channel, state, at: before(now, days), source, wording })
    };
    let said = |channel, consent| match consent {
        Consent::Subscribed => vec![row(channel, ConsentState::Subscribed, 400)],
        Consent::None => Vec::new(),
        Consent::Withdrawn => {
            vec![row(channel, ConsentState::Subscribed, 400), row(channel, ConsentState::Withdrawn, 30)]
        }
    };
    let mut consents = said(Channel::Email, wanted.consent);
    consents.extend(said(Channel::Sms, wanted.text_consent));
    if !consents.is_empty() {
        store.add_consents(consents).await?;
    }
    if let Some(reason) = &wanted.suppressed {
        store.suppress(Channel::Email, &hero.email, reason, before(now, 30)).await?;
    }
    if wanted.ticket {
        let ticket =
            Ticket { id: hero.ticket.clone(), customer: hero.id.clone(), opened_at: before(now, 1), closed_at: None };
        store.put_tickets(vec![ticket]).await?;
    }
    Ok(())
}

/// Plants orders of the past.
///
/// # Errors
/// When storage cannot write.
pub async fn plant_orders(stage: &Stage, hero: &Hero, wanted: &Wanted, now: Timestamp) -> Result<(), StageError> {
    let catalog = &stage.tenant.catalog;
    let mut orders = Vec::new();
    for (number, order) in wanted.bought.iter().enumerate() {
        let known = order.items.iter().filter_map(|id| catalog.get(id));
        let lines: Vec<OrderLine> = known
            .map(|p| OrderLine {
                product: p.id.clone(),
                category: p.category.clone(),
                quantity: 1,
                price: p.price,
                returned: order.returned,
            })
            .collect();
        let currency = stage.tenant.release.shop.currency;
        let total = lines.iter().map(|line| line.price.minor).sum();
        let placed_at = before(now, order.days_ago);
        orders.push(Order {
            id: OrderId::from_digest("past", &Digest::of_parts([hero.id.as_str(), &number.to_string()])),
            customer: hero.id.clone(),
            cart: None,
            placed_at,
            total: Money::new(total, currency),
            discount: Money::new(0, currency),
            cancelled_at: None,
            cancel_reason: None,
            fulfilled_at: placed_at.checked_add(SignedDuration::from_hours(48)).ok(),
            lines,
        });
    }
    if !orders.is_empty() {
        stage.tenant.store.put_orders(orders).await?;
    }
    Ok(())
}

/// The world of a case before anything happens.
pub fn begin(
    case: &Case,
    heroes: &[Hero],
    limits: truth::Limits,
    shop: &truth::Shop,
    products: &Arc<BTreeMap<String, truth::Product>>,
    now: Timestamp,
) -> truth::World {
    let mut people = bystanders();
    people.extend(heroes.iter().zip(case.people()).map(|(hero, wanted)| told(hero, wanted, now)));
    truth::World {
        began: now,
        shop: shop.clone(),
        products: products.clone(),
        people,
        about: heroes.iter().map(|hero| hero.id.to_string()).collect(),
        limits,
        approvals: Vec::new(),
        stops: Vec::new(),
    }
}

/// Products that a suite names and the shop does not sell.
pub fn unknown_products(case: &Case, products: &BTreeMap<String, truth::Product>) -> BTreeSet<String> {
    let then = &case.then;
    let in_story = case.story.iter().flat_map(super::play::products_of);
    let in_then = then.shows.iter().chain(&then.shows_one_of).chain(&then.never_shows);
    let in_brief = then.brief.iter().filter_map(|brief| brief.products.as_ref()).flatten();
    let bought = case.people().flat_map(|person| &person.bought).flat_map(|order| &order.items);
    in_story
        .chain(in_then)
        .chain(in_brief)
        .chain(bought)
        .map(ToString::to_string)
        .filter(|id| !products.contains_key(id) && !id.starts_with("NOT-"))
        .collect()
}
