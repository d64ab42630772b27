//! Catalogue and graph of the shop, for the tools that read them.

use std::sync::Arc;

use catalog::{Catalog, Catalogs, Product};
use graph::{GraphProduct, Graphs, ProductGraph};
use kit::{BoxFuture, ShopId, StoreError};

use crate::tenant::Learned;

pub(super) struct Shelves {
    pub(super) shop: ShopId,
    pub(super) catalog: Arc<Catalog>,
    pub(super) learned: Arc<Learned>,
}

impl Catalogs for Shelves {
    fn catalog(&self, shop: &ShopId) -> Option<Arc<Catalog>> {
        (*shop == self.shop).then(|| self.catalog.clone())
    }
}

impl Graphs for Shelves {
    fn graph<'a>(&'a self, shop: &'a ShopId) -> BoxFuture<'a, Result<Option<Arc<ProductGraph>>, StoreError>> {
        Box::pin(async move {
            Ok(match *shop == self.shop {
                true => Some(self.learned.graph().await?),
                false => None,
            })
        })
    }
}

/// A catalogue product as the graph needs it.
pub fn graph_product(product: &Product) -> GraphProduct {
    let margin = product.cost.filter(|_| product.price.minor > 0).map(|cost| {
        let permille = i128::from(product.price.minor - cost.minor) * 1000 / i128::from(product.price.minor);
        u16::try_from(permille.clamp(0, 1000)).unwrap_or(0)
    });
    GraphProduct {
        id: product.id.clone(),
        category: product.category.clone(),
        attributes: product.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        tags: product.tags.clone(),
        price: product.price,
        margin_permille: margin,
        consumable: product.consumable_days.is_some(),
    }
}
