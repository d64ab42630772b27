//! Products from imports and webhooks: into the store, and into the catalogue that is open.

use catalog::import::StockedAs;
use catalog::{PricePoint, Product};
use kit::{ProductId, StoreError, Timestamp};

use super::IntakeError;
use crate::store::ProductRow;
use crate::tenant::Tenant;

/// Catalogue rows for the store.
///
/// # Errors
/// When a product cannot be written as JSON.
pub fn product_rows(products: &[catalog::Product]) -> Result<Vec<ProductRow>, StoreError> {
    products
        .iter()
        .map(|product| {
            let body = serde_json::to_string(product)
                .map_err(|e| StoreError::Corrupt { what: format!("product {}", product.id), why: e.to_string() })?;
            Ok(ProductRow { id: product.id.clone(), body, price: product.price, stock: product.stock })
        })
        .collect()
}

impl Tenant {
    /// What reading Shopify's product JSON needs to know of the shop.
    pub fn shopify_store(&self) -> catalog::import::ShopifyStore {
        catalog::import::ShopifyStore {
            currency: self.release.shop.currency,
            site: self.release.shop.identity.site.clone(),
        }
    }

    /// Takes over products that a webhook brought.
    pub(crate) async fn put_product_json(
        &self,
        id: &ProductId,
        json: &[u8],
        now: Timestamp,
    ) -> Result<(), IntakeError> {
        let platform = self.shopify_store();
        let mut products = catalog::import::shopify("webhook", json, &platform)?;
        // A catalogue may go by the shop's own stock-keeping units; carts and orders are read the same way.
        if self.catalog.get(id).is_none() {
            let units = catalog::import::shopify_units("webhook", json, &platform)?;
            let known: Vec<(ProductId, &StockedAs)> = units
                .iter()
                .filter_map(|unit| Some((ProductId::new(unit.sku.as_str()).ok()?, unit)))
                .filter(|(own, _)| self.catalog.get(own).is_some())
                .collect();
            match (known.as_slice(), products.as_mut_slice(), units.len()) {
                // The product is one of ours under another name: its words are taken over as well.
                ([(own, unit)], [told], 1) => {
                    told.id = own.clone();
                    (told.price, told.stock) = (unit.price, unit.stock);
                }
                ([], _, _) => {}
                (known, _, _) => return self.put_units(known, now).await,
            }
        }
        if products.is_empty() {
            // Taken off the online store: it must not be recommended any more.
            self.store.set_stock(id, 0, now).await?;
            let _ = self.catalog.set_stock(id, 0);
        }
        let products: Vec<Product> = products.into_iter().map(|told| self.with_own(told)).collect();
        self.store.put_products(product_rows(&products)?, now).await?;
        for product in &products {
            // A product that is new to the catalogue is searchable after the next start; price and stock are live at once.
            if self.catalog.get(&product.id).is_some() {
                let _ = self.catalog.set_stock(&product.id, product.stock);
                let _ = self.catalog.set_price(&product.id, product.price);
                self.catalog.note_price(&product.id, PricePoint { at: now, price: product.price });
            }
        }
        Ok(())
    }

    /// Takes over price and stock that a platform tells without a product's words. Returns what to say of a product that the
    /// catalogue does not hold.
    pub(super) async fn put_shelf(&self, shelf: &shop::Shelf, now: Timestamp) -> Result<Option<String>, IntakeError> {
        let Some(id) = self.resolve(Some(&shelf.product), shelf.sku.as_deref()) else {
            let what = format!("{} is not in the catalogue: import it with `mailwright catalog import`", shelf.product);
            return Ok(Some(what));
        };
        if let Some(price) = shelf.price {
            let currency = self.release.shop.currency;
            if price.currency != currency {
                let what = format!("the price of {id} is in {} and the shop sells in {currency}", price.currency);
                return Ok(Some(what));
            }
            if self.store.set_price(&id, price.minor, now).await? {
                let _ = self.catalog.set_price(&id, price);
                self.catalog.note_price(&id, PricePoint { at: now, price });
            }
        }
        if let Some(stock) = shelf.stock
            && self.store.set_stock(&id, stock, now).await?
        {
            let _ = self.catalog.set_stock(&id, stock);
        }
        Ok(None)
    }

    /// Price and stock alone, of products that the platform sells as variants of one.
    async fn put_units(&self, units: &[(ProductId, &StockedAs)], now: Timestamp) -> Result<(), IntakeError> {
        for (id, unit) in units {
            if self.store.set_price(id, unit.price.minor, now).await? {
                let _ = self.catalog.set_price(id, unit.price);
            }
            if self.store.set_stock(id, unit.stock, now).await? {
                let _ = self.catalog.set_stock(id, unit.stock);
            }
        }
        Ok(())
    }

    /// A platform's product knows nothing of what the shop itself has said about it (law, cost, care, translations,
    /// reviews): that stays.
    fn with_own(&self, told: Product) -> Product {
        let Some(own) = self.catalog.get(&told.id) else { return told };
        Product {
            cost: told.cost.or(own.cost),
            care: told.care.or_else(|| own.care.clone()),
            regulated: told.regulated.or_else(|| own.regulated.clone()),
            consumable_days: told.consumable_days.or(own.consumable_days),
            considered: told.considered || own.considered,
            highlights: if own.highlights.is_empty() { told.highlights } else { own.highlights.clone() },
            i18n: own.i18n.clone(),
            reviews: own.reviews.clone(),
            category: own.category.clone(),
            ..told
        }
    }
}
