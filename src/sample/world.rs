//! From lives to rows.

use std::collections::BTreeMap;

use kit::message::ConsentState;
use kit::{CustomerId, Timestamp};

use super::calendar::{Calendar, earlier, later};
use super::life::{self, History};
use super::people::{EDGES, Person, Registry};
use super::purchase::Purchase;
use super::rng::Rng;
use super::shelf::Shelf;
use super::support::{self, Question};
use super::{CatalogueItem, Personas, Relations, SampleError, SampleSpec, SampleWorld, cast, consent, phones};
use crate::store::{Activity, Consent, Customer};

/// Share of customers who subscribed and stayed, and of those who subscribed and left; the rest never subscribed.
const SUBSCRIBED: u32 = 780_000;
const WITHDREW: u32 = 80_000;
/// One customer in so many is a VIP.
const VIP_ONE_IN: usize = 50;
/// Orders from which on the shop's tiers begin.
const SILVER_ORDERS: usize = 5;
const BRONZE_ORDERS: usize = 2;

/// Makes the world of this spec. Pure: the same input gives the same world.
///
/// # Errors
/// [`SampleError`] when the catalogue is empty, of several currencies or without the categories that the cast needs, when
/// a relation names an unknown product, or when the spec asks for a time that no calendar has.
pub fn generate(
    spec: &SampleSpec,
    personas: &Personas,
    catalogue: &[CatalogueItem],
    relations: &Relations,
) -> Result<SampleWorld, SampleError> {
    if !(3..=36).contains(&spec.months) {
        return Err(SampleError::Months(spec.months));
    }
    let calendar = Calendar::new(spec.now, spec.months)?;
    let shelf = Shelf::new(catalogue, relations)?;
    let stage = cast::stage(&calendar, catalogue, &shelf)?;
    let mut registry = Registry::new(personas, shelf.tastes(), cast::addresses()?.into_iter());
    let mut making = Making {
        calendar: &calendar,
        rows: SampleWorld::default(),
        purchases: stage.purchases,
        questions: stage.questions,
        spenders: Vec::new(),
    };
    making.rows.customers = stage.customers;
    making.rows.consents = stage.consents;
    making.rows.activity = stage.activity;
    for (id, stream) in ids(spec.customers, making.rows.customers.len())? {
        let mut rng = Rng::stream(spec.seed, stream);
        let mut person = registry.draw(&mut rng, &calendar, id)?;
        if let Some((_, name)) = EDGES.iter().find(|(id, _)| *id == person.id.as_str()) {
            person.first_name = name.map(str::to_owned);
        }
        let history = life::live(&mut rng, &calendar, &shelf, &person)?;
        making.settle(&mut rng, person, history)?;
    }
    let mut world = making.finish()?;
    phones::give(spec.seed, &mut world)?;
    Ok(world)
}

/// The ids to make with the number of the stream each draws from.
fn ids(customers: u32, cast: usize) -> Result<Vec<(CustomerId, u64)>, SampleError> {
    let made = u32::try_from(cast + EDGES.len()).unwrap_or(u32::MAX);
    let edges = EDGES.iter().zip(1_000_000_000..).map(|((id, _), stream)| Ok((CustomerId::new(*id)?, stream)));
    let others =
        (1..=customers.saturating_sub(made)).map(|n| Ok((CustomerId::new(format!("C-{n:06}"))?, u64::from(n))));
    edges.chain(others).collect()
}

struct Making<'a> {
    calendar: &'a Calendar,
    rows: SampleWorld,
    purchases: Vec<Purchase>,
    questions: Vec<Question>,
    /// What customers of the kinds that VIPs are among have spent, in minor units.
    spenders: Vec<(i64, CustomerId)>,
}

impl Making<'_> {
    /// Turns a life into rows; numbers and VIPs come at the end.
    fn settle(&mut self, rng: &mut Rng, person: Person<'_>, history: History) -> Result<(), SampleError> {
        let History { purchases, mut activity } = history;
        let created_at = self.joined(rng, &person, &activity, &purchases)?;
        let now = self.calendar.now;
        let first_order = purchases.iter().map(|purchase| purchase.placed_at).min();
        let consents = consents(rng, now, created_at, first_order)?;
        self.rows.consents.extend(consents.into_iter().map(|consent| (person.id.clone(), consent)));
        self.questions.extend(support::question(rng, now, &purchases)?);
        if person.persona.vip {
            let spent: i64 = purchases.iter().map(Purchase::spent).sum::<Result<_, _>>()?;
            self.spenders.push((spent, person.id.clone()));
        }
        activity.sort_by_key(|event| event.at);
        // Two windows open at once: the store keys events by their second, so one of them counts.
        activity.dedup_by_key(|event| event.at);
        self.rows.activity.extend(activity);
        let loyalty_tier = match purchases.len() {
            SILVER_ORDERS.. => Some("silver".to_owned()),
            BRONZE_ORDERS.. => Some("bronze".to_owned()),
            _ => None,
        };
        self.purchases.extend(purchases);
        self.rows.customers.push(Customer {
            id: person.id,
            email: Some(person.email),
            first_name: person.first_name,
            language: person.language,
            country: Some(person.place.country.clone()),
            time_zone: person.place.time_zone.clone(),
            loyalty_tier,
            vip: false,
            created_at,
            erased_at: None,
        });
        Ok(())
    }

    /// Accounts within the sample are made minutes before the first thing that happens.
    fn joined(
        &self,
        rng: &mut Rng,
        person: &Person<'_>,
        activity: &[Activity],
        purchases: &[Purchase],
    ) -> Result<Timestamp, SampleError> {
        let events = activity.iter().map(|event| event.at).chain(purchases.iter().map(|purchase| purchase.placed_at));
        match events.min() {
            Some(first) if person.habits.joined >= 0 => earlier(first, rng.between(40, 400)),
            Some(_) | None => self.calendar.moment(rng, &person.place.zone, person.habits.joined),
        }
    }

    fn finish(mut self) -> Result<SampleWorld, SampleError> {
        self.crown();
        self.purchases.sort_by(|a, b| (a.placed_at, &a.customer).cmp(&(b.placed_at, &b.customer)));
        let numbered = self.purchases.into_iter().zip(1..).map(|(purchase, number)| purchase.number(number));
        self.rows.orders = numbered.collect::<Result<_, _>>()?;
        self.rows.tickets = support::number(self.questions)?;
        Ok(self.rows)
    }

    /// Of the customers of a VIP kind those who spent most become VIPs: one in fifty of all customers.
    fn crown(&mut self) {
        self.spenders.sort_by(|a, b| b.cmp(a));
        self.spenders.retain(|(spent, _)| *spent > 0);
        self.spenders.truncate(self.rows.customers.len() / VIP_ONE_IN);
        let vips: BTreeMap<&CustomerId, i64> = self.spenders.iter().map(|(spent, id)| (id, *spent)).collect();
        for customer in self.rows.customers.iter_mut().filter(|customer| vips.contains_key(&customer.id)) {
            customer.vip = true;
            customer.loyalty_tier = Some("gold".to_owned());
        }
    }
}

/// Who agreed at the checkout did so with the first order, everybody else with the account.
fn consents(
    rng: &mut Rng,
    now: Timestamp,
    created_at: Timestamp,
    first_order: Option<Timestamp>,
) -> Result<Vec<Consent>, SampleError> {
    const DAY: u32 = 24 * 3_600;
    let (subscribed, withdrew) = (rng.chance(SUBSCRIBED), rng.chance(WITHDREW * 100 / 22));
    if !subscribed && !withdrew {
        return Ok(Vec::new());
    }
    let given = match first_order {
        Some(at) if rng.chance(620_000) => consent(ConsentState::Subscribed, at, "checkout"),
        Some(_) | None => {
            let source = if rng.chance(550_000) { "signup form" } else { "account" };
            consent(ConsentState::Subscribed, later(created_at, 15)?, source)
        }
    };
    if subscribed {
        return Ok(vec![given]);
    }
    let days = u32::try_from(given.at.duration_until(now).as_hours() / 24).unwrap_or(0);
    let at = later(given.at, rng.between(1, days.max(1)) * DAY)?;
    // Whoever agreed only yesterday has not left yet.
    if at > now {
        return Ok(vec![given]);
    }
    let source = if rng.chance(800_000) { "unsubscribe link" } else { "account" };
    Ok(vec![given, consent(ConsentState::Withdrawn, at, source)])
}
