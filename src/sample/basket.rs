//! What goes into a basket: the main thing, what belongs to it, and how many.

use std::collections::BTreeSet;

use kit::{CategoryId, ProductId};

use super::people::{Person, scaled};
use super::rng::Rng;
use super::season;
use super::shelf::{Entry, Shelf};

/// A product in a basket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pick<'s, 'a> {
    pub(super) entry: &'s Entry<'a>,
    pub(super) quantity: u32,
}

/// Chooses for one customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chooser<'s, 'a> {
    pub(super) shelf: &'s Shelf<'a>,
    pub(super) person: &'s Person<'s>,
}

/// Weights of the favourite categories, best first; more favourites count like the last.
const FAVOURITE_WEIGHTS: [u64; 5] = [10, 8, 6, 5, 4];
/// Share of things bought or looked at within the favourite categories.
const IN_FAVOURITES: u32 = 800_000;
/// Share of an accessory's weight at which it comes along at once, in permille.
const ALONG: u64 = 260;
/// More lines nobody puts into one basket here.
pub(super) const MOST_LINES: usize = 6;

impl<'s, 'a> Chooser<'s, 'a> {
    /// Something this customer would look at this month, of a category they like; `None` when nothing suits.
    pub(super) fn suits(&self, rng: &mut Rng, month: i8, without: &BTreeSet<&ProductId>) -> Option<&'s Entry<'a>> {
        // A category may have nothing left that suits; a few more are tried.
        (0..4).find_map(|_| {
            let category = self.category(rng, month)?;
            self.within(rng, category, month, without)
        })
    }

    /// Something of this category.
    pub(super) fn within(
        &self,
        rng: &mut Rng,
        category: &CategoryId,
        month: i8,
        without: &BTreeSet<&ProductId>,
    ) -> Option<&'s Entry<'a>> {
        let entries = self.shelf.category(category).filter(|entry| !without.contains(&entry.item.id));
        let weighed: Vec<_> = entries.map(|entry| (entry, self.weight(entry, month))).collect();
        rng.weighted(&weighed)
    }

    /// How much a month is this customer's, in permille: campers buy before summer.
    pub(super) fn season(&self, month: i8) -> u64 {
        let (sum, weights) = self.favourites().fold((0, 0), |(sum, weights), (category, weight)| {
            (sum + weight * season::of_category(category.as_str(), month), weights + weight)
        });
        sum.checked_div(weights).unwrap_or(1_000)
    }

    fn favourites(&self) -> impl Iterator<Item = (&'s CategoryId, u64)> {
        let last = FAVOURITE_WEIGHTS.last().copied().unwrap_or(1);
        let weights = FAVOURITE_WEIGHTS.into_iter().chain(std::iter::repeat(last));
        self.person.persona.favourites.iter().zip(weights)
    }

    fn category(&self, rng: &mut Rng, month: i8) -> Option<&'s CategoryId> {
        let wanted: Vec<(&'s CategoryId, u64)> = if rng.chance(IN_FAVOURITES) {
            self.favourites().collect()
        } else {
            self.shelf
                .categories()
                .map(|(category, products)| (category, u64::try_from(products).unwrap_or(1)))
                .collect()
        };
        let in_season = |(category, weight): (&'s CategoryId, u64)| {
            (category, weight * season::of_category(category.as_str(), month))
        };
        let weighed: Vec<_> = wanted.into_iter().map(in_season).collect();
        rng.weighted(&weighed)
    }

    /// How well a product suits: near the customer's price level, with tags they like, for whom they buy.
    fn weight(&self, entry: &Entry<'_>, month: i8) -> u64 {
        let habits = &self.person.habits;
        if habits.vegan && !is_vegan(entry) {
            return 0;
        }
        let level = u64::from(self.person.persona.price_level / 1_000);
        let near = 1_000u64.saturating_sub(entry.price_rank.abs_diff(level)).max(100);
        let liked = habits.tastes.iter().filter(|taste| entry.has_tag(taste)).count();
        let liked = 1 + u64::try_from(liked).unwrap_or(0);
        let kids = match (entry.has_tag("kids"), habits.kids) {
            (true, true) => 1_600,
            (true, false) => 60,
            (false, _) => 1_000,
        };
        let gift = if entry.has_tag("gift") { season::of_gifts(month) } else { 1_000 };
        near * liked * kids * gift / 1_000
    }

    /// Accessories that come along with the main thing, at most two.
    pub(super) fn along(&self, rng: &mut Rng, main: &Entry<'a>, without: &BTreeSet<&ProductId>) -> Vec<&'s Entry<'a>> {
        let mut along = Vec::new();
        for (accessory, weight) in &main.accessories {
            let Some(entry) = self.shelf.get(accessory).filter(|entry| self.may_have(entry, without)) else { continue };
            if along.len() < 2 && rng.chance(scaled(*weight, ALONG)) {
                along.push(entry);
            }
        }
        along
    }

    /// Whether a thing that a relation leads to is for this customer at all.
    pub(super) fn may_have(&self, entry: &Entry<'_>, without: &BTreeSet<&ProductId>) -> bool {
        let habits = &self.person.habits;
        let fits = (habits.kids || !entry.has_tag("kids")) && (!habits.vegan || is_vegan(entry));
        fits && !without.contains(&entry.item.id)
    }

    /// How many of it.
    pub(super) fn quantity(&self, rng: &mut Rng, entry: &Entry<'_>) -> u32 {
        let category = entry.item.category.as_str();
        match category {
            "food/bars" if entry.item.price.minor < 1_000 => rng.between(3, 10),
            "food/meals" if entry.item.price.minor < 2_000 => rng.between(1, 5),
            "clothing/socks" => rng.between(1, 3),
            _ if category.starts_with("food/") || category == "camping/fuel" => rng.between(1, 2),
            _ if entry.item.price.minor < 4_000 && rng.chance(80_000) => 2,
            _ => 1,
        }
    }
}

/// Food says whether it is vegan; wool and down are not.
fn is_vegan(entry: &Entry<'_>) -> bool {
    let eaten = entry.item.category.as_str().starts_with("food/");
    if eaten { entry.has_tag("vegan") } else { !entry.has_tag("merino") && !entry.has_tag("down-rds") }
}
