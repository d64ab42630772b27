//! The tool `search_catalog`: words and filters to products as facts.

use std::sync::Arc;

use kit::product::{ProductView, Shelf};
use kit::tool::{Effect, Phase, Tool, ToolContext, ToolError};
use kit::{CategoryId, Currency, Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Catalog, CategoryCount, PriceBand, Query, Results, SearchError};
use crate::{Catalogs, SOURCE, catalog_of, lost};

/// Products shown when the model does not say how many.
const DEFAULT_LIMIT: u32 = 5;
/// Categories shown in an answer or an error.
const MAX_CATEGORIES: usize = 10;

/// Words and filters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchArgs {
    /// Plain words, such as `waterproof hiking boots`; empty to list what fits the filters.
    #[schemars(length(max = 200))]
    pub query: String,
    /// Only this category and those below it, such as `footwear` or `footwear/hiking-boots`.
    pub category: Option<CategoryId>,
    /// The highest price, in whole units of the shop's currency.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_price: Option<u32>,
    /// False to see products that are out of stock as well; null leaves them out.
    pub in_stock: Option<bool>,
    /// How many products to return, 1 to 8; null for 5.
    #[schemars(range(min = 1, max = 8))]
    pub limit: Option<u32>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct SearchOutput {
    products: Vec<ProductView>,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<CategoryCount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prices: Vec<PriceCount>,
}

/// Matches in a price band, in whole currency units as `max_price` takes them.
#[derive(Debug, Serialize)]
struct PriceCount {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<i64>,
    count: u64,
}

/// The tool.
pub struct SearchCatalog {
    catalogs: Arc<dyn Catalogs>,
}

impl SearchCatalog {
    /// A tool over the catalogues of all shops; a call sees that of its own shop.
    pub fn new(catalogs: Arc<dyn Catalogs>) -> Self {
        Self { catalogs }
    }
}

impl Tool for SearchCatalog {
    type Args = SearchArgs;
    type Output = SearchOutput;

    const NAME: &'static str = "search_catalog";
    const DESCRIPTION: &'static str = include_str!("search_catalog.md");
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = &[Phase::Brief, Phase::Gather, Phase::Compose];

    async fn call(&self, cx: &ToolContext, args: SearchArgs) -> Result<SearchOutput, ToolError> {
        let catalog = catalog_of(&*self.catalogs, &cx.shop)?;
        let query = query(&catalog, args)?;
        let results = catalog.search(&query).map_err(index_fault)?;
        let mut products = Vec::with_capacity(results.hits.len());
        for hit in &results.hits {
            let mut card = catalog.card(&hit.id, &cx.subject.language, cx.now).ok_or_else(|| lost(&hit.id))?;
            // Reviews are for the products that are chosen: `get_products` has them.
            card.reviews.clear();
            products.push(card.mint(cx, SOURCE)?);
        }
        Ok(output(results, products))
    }
}

fn query(catalog: &Catalog, args: SearchArgs) -> Result<Query, ToolError> {
    if let Some(unknown) = args.category.as_ref().filter(|category| !catalog.has_category(category)) {
        return Err(ToolError::ForModel(unknown_category(catalog, unknown)));
    }
    let limit = args.limit.unwrap_or(DEFAULT_LIMIT);
    Ok(Query {
        text: args.query,
        category: args.category,
        max_price: args.max_price.zip(catalog.currency()).map(|(units, currency)| whole(units, currency)),
        in_stock_only: args.in_stock.unwrap_or(true),
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        facets: true,
        ..Query::default()
    })
}

/// Names categories that exist: those below the same top category, else the top ones.
fn unknown_category(catalog: &Catalog, unknown: &CategoryId) -> String {
    let top = unknown.as_str().split('/').next().unwrap_or_default().to_lowercase();
    let below = |category: &CategoryId| category.as_str().to_lowercase().starts_with(&format!("{top}/"));
    let mut known = catalog.categories(2);
    known.retain(below);
    if known.is_empty() {
        known = catalog.categories(1);
    }
    let names: Vec<&str> = known.iter().take(MAX_CATEGORIES).map(CategoryId::as_str).collect();
    format!("there is no category {unknown}; use one of {}, or null", names.join(", "))
}

fn whole(units: u32, currency: Currency) -> Money {
    Money::new(i64::from(units) * 10_i64.pow(currency.exponent()), currency)
}

fn output(results: Results, products: Vec<ProductView>) -> SearchOutput {
    let note = if results.total == 0 {
        Some("nothing fits: use fewer or other words, or drop a filter")
    } else if results.relaxed {
        Some("no product has all the words; these have some of them")
    } else {
        None
    };
    // How the matches spread helps to narrow a search, so it is shown only when there is more than is seen.
    let spread = results.facets.filter(|_| results.total > products.len() as u64);
    let (mut categories, prices) = spread.map(|facets| (facets.categories, facets.prices)).unwrap_or_default();
    categories.truncate(MAX_CATEGORIES);
    SearchOutput {
        products,
        total: results.total,
        corrected: results.corrected,
        note,
        categories,
        prices: prices.into_iter().map(PriceCount::from).collect(),
    }
}

impl From<PriceBand> for PriceCount {
    /// Bounds are whole units: the engine parts prices at round figures.
    fn from(band: PriceBand) -> Self {
        let units = |price: Money| price.minor / 10_i64.pow(price.currency.exponent());
        Self { from: band.from.map(units), below: band.below.map(units), count: band.count }
    }
}

/// A query that this tool makes fails only when the index does.
pub(crate) fn index_fault(error: SearchError) -> ToolError {
    ToolError::Fatal(error.to_string())
}
