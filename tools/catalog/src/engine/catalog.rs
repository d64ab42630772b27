//! The catalogue of one shop.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use kit::gist::Gist;
use kit::product::{ProductCard, ReviewCard, Shelf, best_review};
use kit::{CategoryId, Currency, Digest, Language, Money, ProductId, ReviewId, Timestamp};

use super::facets::{FacetColumns, cut};
use super::live::{LiveColumns, LiveState, UpdateError};
use super::search::{Query, SearchError};
use super::text::{self, TextIndex};
use crate::history::{PricePoint, former_price};
use crate::product::Product;

/// Why products make no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Two products share an id.
    #[error("two products have the id {0}; ids are unique in a shop")]
    Duplicate(ProductId),
    /// Prices in two currencies.
    #[error("product {product} is priced in {found}, others in {expected}; a catalogue has one currency")]
    Currency {
        /// The product that differs.
        product: ProductId,
        /// Its currency.
        found: Currency,
        /// That of the first product.
        expected: Currency,
    },
    /// The folder of the index cannot be read or written.
    #[error("catalogue index {path}: {source}; free space or fix permissions, then open again", path = path.display())]
    Disk {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The index could not be made or read.
    #[error("the catalogue index cannot be made: {0}")]
    Index(#[from] tantivy::TantivyError),
}

/// The products of one shop, searchable, with price and stock of now.
///
/// The set of products and their words are fixed: an import makes a new catalogue. Price and stock change in place.
pub struct Catalog {
    /// In order of id: the index into it is the ordinal.
    products: Vec<Arc<Product>>,
    currency: Option<Currency>,
    digest: Digest,
    pub(super) live: Arc<LiveColumns>,
    pub(super) facets: Arc<FacetColumns>,
    /// Kept in memory it is made by the first search: most of who opens a shop searches nothing.
    index: Arc<OnceLock<TextIndex>>,
    /// Prices as they were: what proves a former price.
    history: RwLock<BTreeMap<ProductId, Vec<PricePoint>>>,
    /// What a model saw in reviews, where one reads for the shop.
    gists: RwLock<HashMap<ReviewId, Gist>>,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("products", &self.products.len()).field("digest", &self.digest).finish()
    }
}

impl Catalog {
    /// A catalogue whose index is in memory, made by the first search or [`Catalog::prepare`].
    ///
    /// # Errors
    /// [`CatalogError::Duplicate`], [`CatalogError::Currency`] for products that do not go together.
    pub fn in_memory(products: Vec<Product>) -> Result<Self, CatalogError> {
        Self::with_index(products, None)
    }

    /// A catalogue whose index is kept in `dir` and memory-mapped: opened as it is when it was made from the same words
    /// (price and stock aside), else built anew. One folder belongs to one shop.
    ///
    /// # Errors
    /// As [`Catalog::in_memory`], and [`CatalogError::Disk`] or [`CatalogError::Index`] when the folder cannot be used.
    pub fn open(dir: &Path, products: Vec<Product>) -> Result<Self, CatalogError> {
        Self::with_index(products, Some(dir))
    }

    fn with_index(mut products: Vec<Product>, dir: Option<&Path>) -> Result<Self, CatalogError> {
        products.sort_by(|a, b| a.id.cmp(&b.id));
        let currency = one_currency(&products)?;
        if let Some(twice) = products.windows(2).find_map(|pair| match pair {
            [a, b] if a.id == b.id => Some(a.id.clone()),
            _ => None,
        }) {
            return Err(CatalogError::Duplicate(twice));
        }
        let digest = text::digest(products.iter());
        let index = OnceLock::new();
        if let Some(dir) = dir {
            let opened = TextIndex::open(dir, digest, products.iter())?;
            index.get_or_init(|| opened);
        }
        Ok(Self {
            history: RwLock::default(),
            gists: RwLock::default(),
            live: Arc::new(LiveColumns::of(products.iter())),
            facets: Arc::new(FacetColumns::of(products.iter(), currency)),
            products: products.into_iter().map(Arc::new).collect(),
            currency,
            digest,
            index: Arc::new(index),
        })
    }

    /// A catalogue of the same products as they are now. Words and index are shared; price, stock and price history go their own
    /// way from here on.
    #[must_use]
    pub fn twin(&self) -> Self {
        let history = self.history.read().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            products: self.products.clone(),
            currency: self.currency,
            digest: self.digest,
            live: Arc::new(self.live.snapshot()),
            facets: self.facets.clone(),
            index: self.index.clone(),
            history: RwLock::new(history),
            gists: RwLock::new(self.gists.read().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    /// Keeps what a model saw in a review.
    pub fn note_gist(&self, review: &ReviewId, gist: Gist) {
        self.gists.write().unwrap_or_else(PoisonError::into_inner).insert(review.clone(), gist);
    }

    /// Reviews that messages may show and in which no model has seen anything yet, at most so many, in order of product.
    pub fn reviews_without_gist(&self, limit: usize) -> Vec<ReviewCard> {
        let gists = self.gists.read().unwrap_or_else(PoisonError::into_inner);
        let shown = self.products.iter().filter_map(|product| best_review(&product.reviews));
        shown.filter(|review| !gists.contains_key(&review.id)).take(limit).cloned().collect()
    }

    /// Makes an index that is kept in memory, which the first search would do otherwise.
    ///
    /// # Errors
    /// [`SearchError::Index`] when it cannot be made.
    pub fn prepare(&self) -> Result<(), SearchError> {
        self.index().map(|_| ()).map_err(SearchError::from)
    }

    pub(super) fn index(&self) -> tantivy::Result<&TextIndex> {
        if let Some(made) = self.index.get() {
            return Ok(made);
        }
        let made = TextIndex::in_memory(self.products.iter().map(Arc::as_ref))?;
        // Two who come at once both make it; one is kept.
        Ok(self.index.get_or_init(|| made))
    }

    /// How many products.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// True without a product.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// The currency of all prices; `None` without a product.
    pub fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// The digest of all words that can be searched. Price and stock are not in it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// All products in order of id, as imported.
    pub fn products(&self) -> impl ExactSizeIterator<Item = &Arc<Product>> {
        self.products.iter()
    }

    /// A product as imported; for price and stock of now see [`Catalog::live`].
    pub fn get(&self, product: &ProductId) -> Option<Arc<Product>> {
        self.at(self.ordinal(product)?).cloned()
    }

    /// Price and stock of now.
    pub fn live(&self, product: &ProductId) -> Option<LiveState> {
        let ordinal = self.ordinal(product)?;
        let price = Money::new(self.live.price(ordinal), self.currency?);
        Some(LiveState { price, stock: self.live.stock(ordinal) })
    }

    /// Sets the stock. The next search and the next card see it.
    ///
    /// # Errors
    /// [`UpdateError::Unknown`].
    pub fn set_stock(&self, product: &ProductId, units: i64) -> Result<(), UpdateError> {
        let ordinal = self.ordinal(product).ok_or_else(|| UpdateError::Unknown(product.clone()))?;
        self.live.set_stock(ordinal, units);
        Ok(())
    }

    /// Sets the price. The next search and the next card see it.
    ///
    /// # Errors
    /// [`UpdateError::Unknown`], [`UpdateError::Currency`], [`UpdateError::Negative`].
    pub fn set_price(&self, product: &ProductId, price: Money) -> Result<(), UpdateError> {
        let known = self.ordinal(product).zip(self.currency);
        let (ordinal, expected) = known.ok_or_else(|| UpdateError::Unknown(product.clone()))?;
        if price.currency != expected {
            return Err(UpdateError::Currency { product: product.clone(), found: price.currency, expected });
        }
        if price.minor < 0 {
            return Err(UpdateError::Negative { product: product.clone(), found: price });
        }
        self.live.set_price(ordinal, price.minor);
        Ok(())
    }

    /// Takes over the prices of the past. Each list is in order of time.
    pub fn set_history(&self, history: BTreeMap<ProductId, Vec<PricePoint>>) {
        *self.history.write().unwrap_or_else(PoisonError::into_inner) = history;
    }

    /// Notes that a product has this price from now on.
    pub fn note_price(&self, product: &ProductId, point: PricePoint) {
        let mut history = self.history.write().unwrap_or_else(PoisonError::into_inner);
        let points = history.entry(product.clone()).or_default();
        if points.last().is_none_or(|last| last.price != point.price && last.at <= point.at) {
            points.push(point);
        }
    }

    /// The former price that may stand beside the price of now; `None` when the history proves none.
    pub fn former_price(&self, product: &ProductId, now: Timestamp) -> Option<Money> {
        let price = self.live(product)?.price;
        let history = self.history.read().unwrap_or_else(PoisonError::into_inner);
        let points = history.get(product)?;
        // A price that came in without its time proves nothing.
        points.iter().rev().find(|p| p.at <= now).filter(|p| p.price == price)?;
        former_price(points, now)
    }

    /// True when a product is in this category or below it, in any letter case.
    pub fn has_category(&self, category: &CategoryId) -> bool {
        let wanted = text::category_term(category.as_str());
        self.facets.categories().iter().any(|known| {
            let depth = category.as_str().trim_matches('/').split('/').count();
            text::category_term(cut(known, depth).as_str()) == wanted
        })
    }

    /// All categories of at most `depth` levels, in order.
    pub fn categories(&self, depth: usize) -> Vec<CategoryId> {
        let cuts: BTreeSet<CategoryId> = self.facets.categories().iter().map(|c| cut(c, depth)).collect();
        cuts.into_iter().collect()
    }

    /// Up to `count` known ids that a wrong one may stand for: products that have all words of the text, then the
    /// neighbours in order of id that share the longest beginning.
    ///
    /// # Errors
    /// [`SearchError::Index`] when the index cannot be read.
    pub fn nearest(&self, text: &str, count: usize) -> Result<Vec<ProductId>, SearchError> {
        let found = self.search(&Query { text: text.to_owned(), limit: count, ..Query::default() })?;
        let meant = found.hits.into_iter().filter(|hit| !found.relaxed && hit.score > 0.0).map(|hit| hit.id);
        let mut nearest: Vec<ProductId> = meant.collect();
        let place = self.products.partition_point(|p| p.id.as_str() < text);
        let (before, after) = self.products.split_at(place);
        let mut neighbours: Vec<(usize, &ProductId)> = before
            .iter()
            .rev()
            .take(count)
            .chain(after.iter().take(count))
            .map(|p| (common_beginning(p.id.as_str(), text), &p.id))
            .filter(|(common, _)| *common > 0)
            .collect();
        neighbours.sort_by_key(|(common, _)| std::cmp::Reverse(*common));
        for (_, id) in neighbours {
            if nearest.len() < count && !nearest.contains(id) {
                nearest.push(id.clone());
            }
        }
        Ok(nearest)
    }

    pub(super) fn at(&self, ordinal: u32) -> Option<&Arc<Product>> {
        self.products.get(ordinal as usize)
    }

    fn ordinal(&self, product: &ProductId) -> Option<u32> {
        let place = self.products.binary_search_by(|p| p.id.cmp(product)).ok()?;
        u32::try_from(place).ok()
    }
}

impl Shelf for Catalog {
    fn card(&self, product: &ProductId, language: &Language, now: Timestamp) -> Option<ProductCard> {
        let live = self.live(product)?;
        let card = self.at(self.ordinal(product)?)?.card(language, live.price, live.stock, now);
        // The shop says that it is reduced; how far it may say so the history decides.
        let was = card.was.and_then(|_| self.former_price(product, now));
        let mut card = ProductCard { was, ..card };
        let gists = self.gists.read().unwrap_or_else(PoisonError::into_inner);
        if !gists.is_empty() {
            for review in &mut card.reviews {
                review.gist = gists.get(&review.id).cloned();
            }
        }
        Some(card)
    }
}

fn one_currency(products: &[Product]) -> Result<Option<Currency>, CatalogError> {
    let Some(expected) = products.first().map(|p| p.price.currency) else { return Ok(None) };
    match products.iter().find(|p| p.price.currency != expected) {
        None => Ok(Some(expected)),
        Some(odd) => Err(CatalogError::Currency { product: odd.id.clone(), found: odd.price.currency, expected }),
    }
}

/// Characters that two texts share at their beginning.
fn common_beginning(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}
