//! Facets: how the matches spread over categories and prices.

use std::collections::BTreeMap;

use kit::{CategoryId, Currency, Money};
use serde::Serialize;

use crate::product::Product;

/// How the matches of a search spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// Counts one level below the category searched in (top categories when none was), most first.
    pub categories: Vec<CategoryCount>,
    /// Counts by price of now, cheapest first; bands without a match are left out.
    pub prices: Vec<PriceBand>,
}

/// Matches in a category and below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryCount {
    /// The category path.
    pub category: CategoryId,
    /// Matching products.
    pub count: u64,
}

/// Matches in a price band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceBand {
    /// From this price on; `None` for the cheapest band.
    pub from: Option<Money>,
    /// Below this price; `None` for the dearest band.
    pub below: Option<Money>,
    /// Matching products.
    pub count: u64,
}

/// What is needed to count, built once for a catalogue.
#[derive(Debug)]
pub(super) struct FacetColumns {
    /// Index into `categories`, by ordinal.
    category_of: Vec<u32>,
    categories: Vec<CategoryId>,
    /// Minor units, ascending.
    price_bounds: Vec<i64>,
}

/// Bounds between price bands, at most.
const MAX_BOUNDS: usize = 6;

impl FacetColumns {
    pub(super) fn of<'a>(products: impl Iterator<Item = &'a Product> + Clone, currency: Option<Currency>) -> Self {
        let mut numbers: BTreeMap<&CategoryId, u32> = BTreeMap::new();
        for product in products.clone() {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            numbers.entry(&product.category).or_insert(next);
        }
        let category_of = products.clone().map(|p| numbers.get(&p.category).copied().unwrap_or(u32::MAX)).collect();
        let mut categories: Vec<(u32, &CategoryId)> = numbers.into_iter().map(|(id, number)| (number, id)).collect();
        categories.sort_unstable_by_key(|(number, _)| *number);
        let mut prices: Vec<i64> = products.map(|p| p.price.minor).collect();
        prices.sort_unstable();
        Self {
            category_of,
            categories: categories.into_iter().map(|(_, id)| id.clone()).collect(),
            price_bounds: currency.map(|currency| bounds(&prices, currency)).unwrap_or_default(),
        }
    }

    pub(super) fn categories(&self) -> &[CategoryId] {
        &self.categories
    }

    pub(super) fn counts(&self) -> Counts {
        Counts { categories: vec![0; self.categories.len()], prices: vec![0; self.price_bounds.len() + 1] }
    }

    pub(super) fn count(&self, ordinal: u32, price: i64, counts: &mut Counts) {
        let category = self.category_of.get(ordinal as usize).map_or(usize::MAX, |c| *c as usize);
        if let Some(count) = counts.categories.get_mut(category) {
            *count += 1;
        }
        // No early end, as in `LiveFilter::admits`: six comparisons are cheaper than one wrong guess.
        let band = self.price_bounds.iter().filter(|bound| price >= **bound).count();
        if let Some(count) = counts.prices.get_mut(band) {
            *count += 1;
        }
    }

    /// Rolls the counts up: categories to one level below `within`, bands to money.
    pub(super) fn roll_up(&self, counts: &Counts, within: Option<&CategoryId>, currency: Currency) -> Facets {
        let depth = 1 + within.map_or(0, |path| path.as_str().trim_matches('/').split('/').count());
        let mut by_level: BTreeMap<CategoryId, u64> = BTreeMap::new();
        for (category, count) in self.categories.iter().zip(&counts.categories).filter(|(_, count)| **count > 0) {
            *by_level.entry(cut(category, depth)).or_default() += count;
        }
        let mut categories: Vec<CategoryCount> =
            by_level.into_iter().map(|(category, count)| CategoryCount { category, count }).collect();
        categories.sort_by_key(|c| std::cmp::Reverse(c.count));

        let money = |minor: &i64| Money::new(*minor, currency);
        let froms = std::iter::once(None).chain(self.price_bounds.iter().map(|b| Some(money(b))));
        let belows = self.price_bounds.iter().map(|b| Some(money(b))).chain(std::iter::once(None));
        let bands = froms.zip(belows).zip(&counts.prices);
        let prices = bands
            .filter(|(_, count)| **count > 0)
            .map(|((from, below), count)| PriceBand { from, below, count: *count })
            .collect();
        Facets { categories, prices }
    }
}

/// Raw counts of one search.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    categories: Vec<u64>,
    prices: Vec<u64>,
}

/// The first `depth` levels of a path; the whole path when it has no more.
pub(super) fn cut(category: &CategoryId, depth: usize) -> CategoryId {
    let path = category.as_str().trim_matches('/');
    let end = path.match_indices('/').nth(depth.saturating_sub(1)).map_or(path.len(), |(at, _)| at);
    // A cut of a valid id is valid, save for one that ends in a blank: then the path stays whole.
    path.get(..end).and_then(|prefix| CategoryId::new(prefix).ok()).unwrap_or_else(|| category.clone())
}

/// Round prices (1, 2, 5, 10, 20, 50 … whole units) that part the middle nine tenths of the catalogue.
fn bounds(sorted_prices: &[i64], currency: Currency) -> Vec<i64> {
    let percentile = |p: usize| sorted_prices.get(sorted_prices.len() * p / 100).copied();
    let (Some(low), Some(high)) = (percentile(5), percentile(95)) else {
        return Vec::new();
    };
    let unit = 10_i64.pow(currency.exponent());
    let decades = (0..15).filter_map(|exponent| 10_i64.checked_pow(exponent)?.checked_mul(unit));
    let round = decades.flat_map(|decade| [1, 2, 5].into_iter().filter_map(move |step| decade.checked_mul(step)));
    let mut bounds: Vec<i64> = round.filter(|price| *price > low && *price <= high).collect();
    while bounds.len() > MAX_BOUNDS {
        // Every second one: still round, still ascending.
        bounds = bounds.into_iter().step_by(2).collect();
    }
    bounds
}
