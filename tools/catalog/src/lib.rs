//! The catalogue: import, full-text search, live price and stock.
//!
//! * [`product`]: what the shop knows about a product.
//! * [`import`]: JSONL, CSV and Shopify product JSON into products, or every fault with its place.
//! * [`engine`]: [`Catalog`], a full-text index whose prices and stocks live beside it, so that an update needs no commit.
//! * [`search_catalog`], [`get_products`]: the two tools over it.
//!
//! Nothing here reads a clock or a network; [`Catalog::open`] is the only door to the disk.

pub mod engine;
pub mod get_products;
mod history;
pub mod import;
pub mod product;
pub mod search_catalog;

use std::sync::Arc;

use kit::tool::ToolError;
use kit::{ProductId, ShopId};

pub use engine::{
    Catalog, CatalogError, CategoryCount, Facets, Hit, LiveState, PriceBand, Query, Results, SearchError, UpdateError,
};
pub use get_products::GetProducts;
pub use history::{PricePoint, former_price};
pub use import::{Fault, ImportErrors, Place};
pub use product::{Localised, Product};
pub use search_catalog::SearchCatalog;

/// The engine's name in facts.
const SOURCE: &str = "catalog";

/// Where the tools find the catalogue of a shop. Implemented by the orchestrator.
pub trait Catalogs: Send + Sync {
    /// The shop's catalogue; `None` when it has imported none.
    fn catalog(&self, shop: &ShopId) -> Option<Arc<Catalog>>;
}

fn catalog_of(catalogs: &dyn Catalogs, shop: &ShopId) -> Result<Arc<Catalog>, ToolError> {
    catalogs.catalog(shop).ok_or_else(|| {
        ToolError::Fatal(format!("shop {shop} has no catalogue: import one with `mailwright catalog import FILE`"))
    })
}

/// A hit without a product: index and products are made together, so only a damaged index can cause it.
fn lost(product: &ProductId) -> ToolError {
    ToolError::Fatal(format!("product {product} is indexed but not in the catalogue: import the catalogue again"))
}
