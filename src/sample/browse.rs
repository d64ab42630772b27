//! Visits to the site: looking around, looking before buying, leaving a cart.

use std::collections::BTreeSet;

use kit::{CategoryId, CustomerId, Timestamp};

use super::SampleError;
use super::basket::{Chooser, Pick};
use super::calendar::{earlier, later};
use super::rng::Rng;
use super::shelf::Entry;
use crate::store::Activity;

/// One visit; every page moves its clock.
#[derive(Debug)]
pub(super) struct Visit<'e> {
    customer: CustomerId,
    at: Timestamp,
    events: &'e mut Vec<Activity>,
}

/// Pages of a visit without a purchase, on average, in thousandths: a browse rate in pages becomes one in visits.
pub(super) const PAGES_A_VISIT: u64 = 2_400;

impl<'e> Visit<'e> {
    /// A visit that begins at this time.
    pub(super) fn begin(customer: &CustomerId, at: Timestamp, events: &'e mut Vec<Activity>) -> Self {
        Self { customer: customer.clone(), at, events }
    }

    /// Adds one event and moves on by its dwell and a few seconds.
    pub(super) fn event(
        &mut self,
        rng: &mut Rng,
        kind: &str,
        entry: Option<&Entry<'_>>,
        category: &CategoryId,
        dwell_s: u32,
    ) -> Result<(), SampleError> {
        self.events.push(Activity {
            customer: self.customer.clone(),
            at: self.at,
            kind: kind.to_owned(),
            product: entry.map(|entry| entry.item.id.clone()),
            category: Some(category.clone()),
            dwell_s,
        });
        self.at = later(self.at, dwell_s + rng.between(2, 9))?;
        Ok(())
    }

    fn of(&mut self, rng: &mut Rng, kind: &str, entry: &Entry<'_>, dwell: (u32, u32)) -> Result<(), SampleError> {
        let dwell_s = rng.between(dwell.0, dwell.1);
        self.event(rng, kind, Some(entry), &entry.item.category, dwell_s)
    }

    /// Looks around in what they like: a search now and then, a wish, at times a cart that is left.
    pub(super) fn wander(&mut self, rng: &mut Rng, chooser: Chooser<'_, '_>, month: i8) -> Result<(), SampleError> {
        let Some(first) = chooser.suits(rng, month, &BTreeSet::new()) else { return Ok(()) };
        if rng.chance(160_000) {
            let dwell_s = rng.between(4, 25);
            self.event(rng, "searched", None, &first.item.category, dwell_s)?;
        }
        let mut seen = BTreeSet::new();
        let mut here = Some(first);
        for _ in 0..rng.between(1, 4) {
            let Some(entry) = here else { break };
            self.of(rng, "viewed", entry, (6, 110))?;
            seen.insert(&entry.item.id);
            here = chooser.within(rng, &first.item.category, month, &seen);
        }
        if rng.chance(70_000) {
            self.of(rng, "wishlist", first, (1, 4))?;
        } else if rng.chance(50_000) {
            self.leave_cart(rng, &[first])?;
        }
        Ok(())
    }

    /// Compares what will be bought with its neighbours, days before.
    pub(super) fn compare(
        &mut self,
        rng: &mut Rng,
        chooser: Chooser<'_, '_>,
        main: &Entry<'_>,
        month: i8,
    ) -> Result<(), SampleError> {
        if rng.chance(350_000) {
            let dwell_s = rng.between(4, 25);
            self.event(rng, "searched", None, &main.item.category, dwell_s)?;
        }
        self.of(rng, "viewed", main, (35, 260))?;
        let without = BTreeSet::from([&main.item.id]);
        for _ in 0..rng.between(0, 2) {
            if let Some(rival) = chooser.within(rng, &main.item.category, month, &without) {
                self.of(rng, "viewed", rival, (15, 150))?;
            }
        }
        if rng.chance(120_000) {
            self.of(rng, "wishlist", main, (1, 4))?;
        }
        Ok(())
    }

    /// Puts things into the cart and, most times, begins to pay; then nothing.
    pub(super) fn leave_cart(&mut self, rng: &mut Rng, entries: &[&Entry<'_>]) -> Result<(), SampleError> {
        for entry in entries {
            self.of(rng, "viewed", entry, (25, 200))?;
            self.of(rng, "cart", entry, (2, 8))?;
        }
        match entries.first() {
            Some(first) if rng.chance(600_000) => self.of(rng, "checkout", first, (20, 150)),
            Some(_) | None => Ok(()),
        }
    }
}

/// The visit that ends in an order at `placed_at`: pages, carts, checkout, all of them before it.
pub(super) fn buying(
    rng: &mut Rng,
    customer: &CustomerId,
    picks: &[Pick<'_, '_>],
    placed_at: Timestamp,
    events: &mut Vec<Activity>,
) -> Result<(), SampleError> {
    let checkout = rng.between(45, 240);
    let pages: Vec<(u32, u32)> = picks.iter().map(|_| (rng.between(12, 180), rng.between(2, 8))).collect();
    // Every event is followed by at most nine seconds of nothing.
    let duration: u32 = checkout + 9 + pages.iter().map(|(view, cart)| view + cart + 18).sum::<u32>();
    let mut visit = Visit::begin(customer, earlier(placed_at, duration)?, events);
    for (pick, (view, cart)) in picks.iter().zip(pages) {
        let category = &pick.entry.item.category;
        visit.event(rng, "viewed", Some(pick.entry), category, view)?;
        visit.event(rng, "cart", Some(pick.entry), category, cart)?;
    }
    match picks.first() {
        Some(first) => visit.event(rng, "checkout", Some(first.entry), &first.entry.item.category, checkout),
        None => Ok(()),
    }
}
