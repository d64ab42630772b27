//! The engine: products in order of id, a full-text index over their words, price and stock in a column beside it.
//!
//! A product's place in the order of ids (its *ordinal*) is its document number in the index and its row in the
//! column. So a search reads live price and stock by array access, ties fall in order of id, and neither an update nor
//! a filter touches the index.

mod catalog;
mod collect;
mod facets;
mod live;
mod search;
mod spelling;
mod text;
mod words;

pub use catalog::{Catalog, CatalogError};
pub use facets::{CategoryCount, Facets, PriceBand};
pub use live::{LiveState, UpdateError};
pub use search::{Hit, Query, Results, SearchError};
