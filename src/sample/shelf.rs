//! The catalogue as the generator walks it: by id, by category in order of price, and along relations.

use std::collections::BTreeMap;

use kit::{CategoryId, ProductId};

use super::{CatalogueItem, Relations, SampleError};

/// A product with what it leads to.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) item: &'a CatalogueItem,
    /// Its place among the prices of its category in permille: 0 the cheapest.
    pub(super) price_rank: u64,
    /// Its accessories, with weights in parts per million.
    pub(super) accessories: Vec<(&'a ProductId, u32)>,
    /// What people buy after it, with weights in parts per million.
    pub(super) next: Vec<(&'a ProductId, u32)>,
}

impl Entry<'_> {
    pub(super) fn has_tag(&self, tag: &str) -> bool {
        self.item.tags.iter().any(|t| t == tag)
    }
}

/// All products of the shop's one currency.
#[derive(Debug)]
pub(super) struct Shelf<'a> {
    entries: BTreeMap<&'a ProductId, Entry<'a>>,
    categories: BTreeMap<&'a CategoryId, Vec<&'a ProductId>>,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(catalogue: &'a [CatalogueItem], relations: &'a Relations) -> Result<Self, SampleError> {
        let currency = catalogue.first().ok_or(SampleError::EmptyCatalogue)?.price.currency;
        if let Some(odd) = catalogue.iter().find(|item| item.price.currency != currency) {
            return Err(SampleError::Currency {
                product: odd.id.clone(),
                found: odd.price.currency,
                expected: currency,
            });
        }
        let mut by_price: Vec<&CatalogueItem> = catalogue.iter().collect();
        by_price.sort_by(|a, b| (a.price.minor, &a.id).cmp(&(b.price.minor, &b.id)));
        let mut categories = BTreeMap::<&CategoryId, Vec<&ProductId>>::new();
        for item in &by_price {
            categories.entry(&item.category).or_default().push(&item.id);
        }
        let entry = |item: &'a CatalogueItem| Entry {
            item,
            price_rank: categories.get(&item.category).map_or(500, |ids| rank(ids, &item.id)),
            accessories: Vec::new(),
            next: Vec::new(),
        };
        let entries = catalogue.iter().map(|item| (&item.id, entry(item))).collect();
        let mut shelf = Self { entries, categories };
        shelf.relate(&relations.accessory, |entry| &mut entry.accessories)?;
        shelf.relate(&relations.next, |entry| &mut entry.next)?;
        Ok(shelf)
    }

    fn relate(
        &mut self,
        edges: &'a [(ProductId, ProductId, f32)],
        list: for<'e> fn(&'e mut Entry<'a>) -> &'e mut Vec<(&'a ProductId, u32)>,
    ) -> Result<(), SampleError> {
        for (from, to, weight) in edges {
            if !self.entries.contains_key(to) {
                return Err(SampleError::UnknownProduct(to.clone()));
            }
            let entry = self.entries.get_mut(from).ok_or_else(|| SampleError::UnknownProduct(from.clone()))?;
            // A share as parts per million; clamped, so the conversion is exact.
            list(entry).push((to, (weight.clamp(0.0, 1.0) * 1e6).round() as u32));
        }
        Ok(())
    }

    pub(super) fn get(&self, id: &ProductId) -> Option<&Entry<'a>> {
        self.entries.get(id)
    }

    /// The products of a category in order of price.
    pub(super) fn category(&self, id: &CategoryId) -> impl Iterator<Item = &Entry<'a>> {
        self.categories.get(id).into_iter().flatten().filter_map(|id| self.entries.get(id))
    }

    /// All categories with their numbers of products, in order of id.
    pub(super) fn categories(&self) -> impl Iterator<Item = (&'a CategoryId, usize)> {
        self.categories.iter().map(|(id, products)| (*id, products.len()))
    }

    /// What products are praised for: every tag but the ones that say for whom or what occasion a product is.
    pub(super) fn tastes(&self) -> Vec<&'a str> {
        let tags = self.entries.values().flat_map(|entry| &entry.item.tags).map(String::as_str);
        let tastes: std::collections::BTreeSet<&str> =
            tags.filter(|tag| !matches!(*tag, "kids" | "gift" | "vegan")).collect();
        tastes.into_iter().collect()
    }
}

fn rank(ids: &[&ProductId], id: &ProductId) -> u64 {
    let place = ids.iter().position(|other| *other == id).and_then(|place| u64::try_from(place).ok());
    let last = u64::try_from(ids.len()).ok().and_then(|len| len.checked_sub(1)).filter(|last| *last > 0);
    match (place, last) {
        (Some(place), Some(last)) => place * 1_000 / last,
        (None | Some(_), None) | (None, Some(_)) => 500,
    }
}
