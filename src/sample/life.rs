//! A customer's year, day by day.

use std::collections::BTreeSet;

use kit::{ProductId, Timestamp};

use super::SampleError;
use super::basket::{Chooser, MOST_LINES, Pick};
use super::browse::{self, PAGES_A_VISIT, Visit};
use super::calendar::{Calendar, earlier, later};
use super::people::{Person, scaled};
use super::purchase::{Purchase, line};
use super::rng::Rng;
use super::season;
use super::shelf::{Entry, Shelf};
use crate::store::Activity;

/// Share of the persona's orders a year that come out of the blue, in permille; the rest follows from earlier ones.
const OUT_OF_THE_BLUE: u64 = 760;
/// Share of new accounts that are made to buy at once.
const BUYS_AT_ONCE: u32 = 650_000;
/// Days in which nobody orders twice.
const REST: i32 = 8;
/// A consumable due within this many days goes into a basket that is packed anyway.
const DUE_SOON: i32 = 14;
/// Wishes older than this are forgotten.
const FORGET: i32 = 75;
/// Baskets below this (minor units) are hardly worth the postage; most get one thing more.
const SMALL: i64 = 2_000;
const TOPS_UP: u32 = 750_000;
/// Share of a relation's weight at which it becomes a wish, in permille: accessories, then next purchases.
const WISH_ACCESSORY: u64 = 230;
const WISH_NEXT: u64 = 200;
/// Share of wishes that are worth an order of their own.
const WISH_ORDERS: u32 = 450_000;
/// Share of habits that end with each refill.
const HABIT_ENDS: u32 = 180_000;
/// Cancelled orders, and how many of them for want of stock.
const CANCELLED: u32 = 15_000;
const OUT_OF_STOCK: u32 = 400_000;
/// Customers with a cart left open in the last days.
const OPEN_CART: u32 = 30_000;

/// What came of a year.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) purchases: Vec<Purchase>,
    pub(super) activity: Vec<Activity>,
}

/// Something to buy later.
#[derive(Debug, Clone, Copy)]
struct Wish<'a> {
    product: &'a ProductId,
    due: i32,
    orders: bool,
}

/// A consumable that is bought again and again.
#[derive(Debug, Clone, Copy)]
struct Habit<'a> {
    product: &'a ProductId,
    quantity: u32,
    due: i32,
}

struct Life<'s, 'a> {
    calendar: &'s Calendar,
    chooser: Chooser<'s, 'a>,
    owned: BTreeSet<&'a ProductId>,
    wishes: Vec<Wish<'a>>,
    habits: Vec<Habit<'a>>,
    last_order: Option<i32>,
    history: History,
}

/// Lives a customer's year.
pub(super) fn live(
    rng: &mut Rng,
    calendar: &Calendar,
    shelf: &Shelf<'_>,
    person: &Person<'_>,
) -> Result<History, SampleError> {
    let mut life = Life {
        calendar,
        chooser: Chooser { shelf, person },
        owned: BTreeSet::new(),
        wishes: Vec::new(),
        habits: Vec::new(),
        last_order: None,
        history: History::default(),
    };
    let (first, last) = (person.habits.joined.max(0), person.habits.last);
    for day in first..=last {
        life.day(rng, day)?;
    }
    if person.habits.buyer && life.history.purchases.is_empty() {
        let width = u32::try_from(last - first).unwrap_or(0);
        let day = first + i32::try_from(rng.between(0, width)).unwrap_or(0);
        life.buy(rng, day, calendar.month(day)?)?;
    }
    life.leave_open_cart(rng)?;
    let mut history = life.history;
    history.activity.retain(|event| event.at <= calendar.now);
    Ok(history)
}

impl<'s, 'a> Life<'s, 'a> {
    fn person(&self) -> &'s Person<'s> {
        self.chooser.person
    }

    fn day(&mut self, rng: &mut Rng, day: i32) -> Result<(), SampleError> {
        let month = self.calendar.month(day)?;
        if self.wants_to_buy(rng, day, month) {
            return self.buy(rng, day, month);
        }
        let pages = u64::from(self.person().persona.browse_per_month) * u64::from(self.person().habits.pace);
        // Thousandths of pages a month × permille, as parts per million of a visit on this day.
        let chance = pages * 1_000 / (30 * PAGES_A_VISIT);
        if rng.chance(u32::try_from(chance).unwrap_or(0)) {
            let at = self.calendar.moment(rng, &self.person().place.zone, day)?;
            let chooser = self.chooser;
            Visit::begin(&self.person().id, at, &mut self.history.activity).wander(rng, chooser, month)?;
        }
        Ok(())
    }

    fn wants_to_buy(&self, rng: &mut Rng, day: i32, month: i8) -> bool {
        let habits = &self.person().habits;
        let rests = self.last_order.is_some_and(|last| day - last < REST);
        if !habits.buyer || rests || (habits.once && !self.history.purchases.is_empty()) {
            return false;
        }
        if day == habits.joined && rng.chance(BUYS_AT_ONCE) {
            return true;
        }
        let due = self.habits.iter().any(|habit| habit.due <= day)
            || self.wishes.iter().any(|wish| wish.orders && wish.due <= day);
        let yearly =
            u64::from(self.person().persona.orders_per_year) * u64::from(habits.pace) * OUT_OF_THE_BLUE / 1_000;
        let season = season::of_shop(month) * self.chooser.season(month) / 1_000;
        // Thousandths of orders a year × permille × the season's permille, as parts per million of a day.
        let chance = yearly * season / 365_000;
        due || rng.chance(u32::try_from(chance).unwrap_or(0))
    }

    fn buy(&mut self, rng: &mut Rng, day: i32, month: i8) -> Result<(), SampleError> {
        let person = self.person();
        let placed_at = self.calendar.moment(rng, &person.place.zone, day)?;
        let picks = self.basket(rng, day, month);
        let Some(main) = picks.first().copied().filter(|_| placed_at <= self.calendar.now) else { return Ok(()) };
        self.look_before(rng, main.entry, day, month)?;
        browse::buying(rng, &person.id, &picks, placed_at, &mut self.history.activity)?;
        let discounted = rng.chance(person.persona.discount_share);
        let percent_off = if discounted { rng.between(10, 15) } else { 0 };
        let cancelled = self.cancellation(rng, placed_at)?;
        let fulfilled_at = if cancelled.is_some() { None } else { self.fulfilment(rng, placed_at, day)? };
        let returnable = fulfilled_at.is_some_and(|at| day + 12 < self.calendar.today && at < self.calendar.now);
        let mut lines = Vec::with_capacity(picks.len());
        for pick in &picks {
            let returned = returnable && rng.chance(returns(pick.entry.item.category.as_str()));
            lines.push(line(pick.entry, pick.quantity, returned));
            if cancelled.is_none() && !returned {
                self.keep(rng, *pick, day);
            }
        }
        let customer = person.id.clone();
        self.history.purchases.push(Purchase {
            id: None,
            customer,
            placed_at,
            lines,
            percent_off,
            fulfilled_at,
            cancelled,
        });
        self.last_order = Some(day);
        Ok(())
    }

    /// What is due, what was wished for, else something that suits; and what belongs to it.
    fn basket(&mut self, rng: &mut Rng, day: i32, month: i8) -> Vec<Pick<'s, 'a>> {
        let mut picks: Vec<Pick<'s, 'a>> = Vec::new();
        let mut without = self.owned.clone();
        let shelf = self.chooser.shelf;
        for habit in self.habits.iter().filter(|habit| habit.due <= day + DUE_SOON) {
            picks.extend(shelf.get(habit.product).map(|entry| Pick { entry, quantity: habit.quantity }));
        }
        self.wishes.retain(|wish| day - wish.due <= FORGET);
        let due: Vec<_> =
            self.wishes.iter().filter(|wish| wish.due <= day).filter_map(|wish| shelf.get(wish.product)).collect();
        for entry in due.into_iter().filter(|entry| self.chooser.may_have(entry, &without)).take(2) {
            picks.push(Pick { entry, quantity: self.chooser.quantity(rng, entry) });
        }
        without.extend(picks.iter().map(|pick| &pick.entry.item.id));
        let more = if picks.is_empty() {
            rng.weighted(&[(1, 62), (2, 27), (3, 11)])
        } else {
            rng.weighted(&[(0, 70), (1, 30)])
        };
        for _ in 0..more.unwrap_or(1) {
            let Some(entry) = self.chooser.suits(rng, month, &without) else { continue };
            without.insert(&entry.item.id);
            picks.push(Pick { entry, quantity: self.chooser.quantity(rng, entry) });
            for accessory in self.chooser.along(rng, entry, &without) {
                without.insert(&accessory.item.id);
                picks.push(Pick { entry: accessory, quantity: self.chooser.quantity(rng, accessory) });
            }
        }
        if value(&picks) < SMALL && rng.chance(TOPS_UP) {
            let entry = self.chooser.suits(rng, month, &without);
            picks.extend(entry.map(|entry| Pick { entry, quantity: self.chooser.quantity(rng, entry) }));
        }
        picks.truncate(MOST_LINES);
        let mut seen = BTreeSet::new();
        picks.retain(|pick| seen.insert(&pick.entry.item.id));
        picks
    }

    /// Two orders in three are looked at some days before.
    fn look_before(&mut self, rng: &mut Rng, main: &Entry<'a>, day: i32, month: i8) -> Result<(), SampleError> {
        let before = day - i32::try_from(rng.between(1, 6)).unwrap_or(1);
        if before < self.person().habits.joined.max(0) || !rng.chance(670_000) {
            return Ok(());
        }
        let at = self.calendar.moment(rng, &self.person().place.zone, before)?;
        let chooser = self.chooser;
        Visit::begin(&self.person().id, at, &mut self.history.activity).compare(rng, chooser, main, month)
    }

    fn cancellation(
        &self,
        rng: &mut Rng,
        placed_at: Timestamp,
    ) -> Result<Option<(Timestamp, &'static str)>, SampleError> {
        if !rng.chance(CANCELLED) {
            return Ok(None);
        }
        let reason = if rng.chance(OUT_OF_STOCK) { "inventory" } else { "customer" };
        let at = later(placed_at, rng.between(3_600, 30 * 3_600))?;
        Ok(Some((at, reason)).filter(|_| at <= self.calendar.now))
    }

    /// One to four days later, in the hours of the warehouse; `None` while it is still to come.
    fn fulfilment(&self, rng: &mut Rng, placed_at: Timestamp, day: i32) -> Result<Option<Timestamp>, SampleError> {
        let days = i32::try_from(rng.between(1, 4)).unwrap_or(1);
        let warehouse = &self.calendar.warehouse;
        let at = self.calendar.at_work(rng, warehouse, day + days)?;
        // An evening in Portland is a morning in Galway.
        let too_soon = at < later(placed_at, 8 * 3_600)?;
        let at = if too_soon { self.calendar.at_work(rng, warehouse, day + days + 1)? } else { at };
        Ok(Some(at).filter(|at| *at <= self.calendar.now))
    }

    /// What keeping a product leads to.
    fn keep(&mut self, rng: &mut Rng, pick: Pick<'s, 'a>, day: i32) {
        let product = &pick.entry.item.id;
        self.wishes.retain(|wish| wish.product != product);
        match pick.entry.item.consumable_days {
            Some(days) => self.consume(rng, pick, day, days),
            None => {
                self.owned.insert(product);
            }
        }
        let accessories = pick.entry.accessories.iter().map(|edge| (edge, WISH_ACCESSORY, (4, 50)));
        let next = pick.entry.next.iter().map(|edge| (edge, WISH_NEXT, (20, 130)));
        for ((product, weight), share, (soonest, latest)) in accessories.chain(next) {
            if rng.chance(scaled(*weight, share)) {
                let due = day + i32::try_from(rng.between(soonest, latest)).unwrap_or(0);
                self.wishes.push(Wish { product, due, orders: rng.chance(WISH_ORDERS) });
            }
        }
    }

    /// A consumable becomes a habit, a habit goes on or ends: days on the label × the customer's own factor × chance.
    fn consume(&mut self, rng: &mut Rng, pick: Pick<'s, 'a>, day: i32, days: u32) {
        let product = &pick.entry.item.id;
        let before = self.habits.len();
        self.habits.retain(|habit| habit.product != product);
        let goes_on = if self.habits.len() < before {
            !rng.chance(HABIT_ENDS)
        } else {
            rng.chance(self.person().persona.consumable_loyalty)
        };
        if !goes_on {
            return;
        }
        let own = u64::from(days) * u64::from(self.person().habits.cycle) * u64::from(rng.between(850, 1_150));
        let due = day + i32::try_from(own / 1_000_000).unwrap_or(i32::MAX / 2);
        self.habits.push(Habit { product, quantity: pick.quantity, due });
    }

    /// A cart left within the last three days by somebody who has not bought lately.
    fn leave_open_cart(&mut self, rng: &mut Rng) -> Result<(), SampleError> {
        let (person, today) = (self.person(), self.calendar.today);
        let bought_lately = self.last_order.is_some_and(|last| today - last < REST);
        let around = person.habits.last == today && person.habits.joined < today - 3;
        if bought_lately || !around || !rng.chance(OPEN_CART) {
            return Ok(());
        }
        let day = today - i32::try_from(rng.between(1, 2)).unwrap_or(1);
        let month = self.calendar.month(day)?;
        let mut without = self.owned.clone();
        let mut cart = Vec::new();
        for _ in 0..rng.between(1, 3) {
            let Some(entry) = self.chooser.suits(rng, month, &without) else { continue };
            without.insert(&entry.item.id);
            cart.push(entry);
        }
        let at = self.calendar.moment(rng, &person.place.zone, day)?;
        // An evening in Portland may already be today; the visit must be over by now.
        let at = at.min(earlier(self.calendar.now, 3_600)?);
        Visit::begin(&person.id, at, &mut self.history.activity).leave_cart(rng, &cart)
    }
}

/// What a basket costs, in minor units.
fn value(picks: &[Pick<'_, '_>]) -> i64 {
    picks.iter().map(|pick| pick.entry.item.price.minor.saturating_mul(i64::from(pick.quantity))).sum()
}

/// How often a line comes back, by category: sizes are guessed, shoes above all.
fn returns(category: &str) -> u32 {
    match category.split('/').next().unwrap_or_default() {
        "footwear" => 160_000,
        "clothing" => 110_000,
        "packs" | "camping" | "accessories" => 65_000,
        "food" | "care" => 6_000,
        _ => 35_000,
    }
}
