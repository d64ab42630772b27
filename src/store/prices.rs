//! Prices as they were.

use std::collections::BTreeMap;

use catalog::PricePoint;
use kit::{Currency, Money, ProductId, ShopId, StoreError, Timestamp};

use super::error::map;
use super::{DbConnection, ShopStore, corrupt, micros, stamp};

/// Notes a price when it differs from the last one known.
pub(super) async fn note(
    c: &mut DbConnection,
    shop: &ShopId,
    product: &ProductId,
    price: Money,
    at: Timestamp,
) -> Result<(), StoreError> {
    let last: Option<(String, i64)> = sqlx::query_as(
        "SELECT currency, price_minor FROM price_history WHERE shop_id = $1 AND product_id = $2 AND at <= $3 ORDER BY at DESC LIMIT 1",
    )
    .bind(shop.as_str())
    .bind(product.as_str())
    .bind(micros(at))
    .fetch_optional(&mut *c)
    .await
    .map_err(map)?;
    if last.is_some_and(|(currency, minor)| currency == price.currency.as_str() && minor == price.minor) {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO price_history (shop_id, product_id, at, currency, price_minor) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (shop_id, product_id, at) DO UPDATE SET currency = excluded.currency, price_minor = excluded.price_minor",
    )
    .bind(shop.as_str())
    .bind(product.as_str())
    .bind(micros(at))
    .bind(price.currency.as_str())
    .bind(price.minor)
    .execute(c)
    .await
    .map_err(map)?;
    Ok(())
}

impl ShopStore {
    /// Notes prices of the past, as an import of a price history tells them.
    pub async fn put_prices(&self, prices: Vec<(ProductId, PricePoint)>) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                for (product, point) in &prices {
                    note(c, &shop, product, point.price, point.at).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Every product's prices in order of time.
    pub async fn price_history(&self) -> Result<BTreeMap<ProductId, Vec<PricePoint>>, StoreError> {
        let rows: Vec<(String, i64, String, i64)> = sqlx::query_as(
            "SELECT product_id, at, currency, price_minor FROM price_history WHERE shop_id = $1 ORDER BY product_id, at",
        )
        .bind(self.shop.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let mut history: BTreeMap<ProductId, Vec<PricePoint>> = BTreeMap::new();
        for (product, at, currency, minor) in rows {
            let currency = Currency::parse(&currency).map_err(|e| corrupt("price", e))?;
            let point = PricePoint { at: stamp(at, "price")?, price: Money::new(minor, currency) };
            history.entry(ProductId::new(product).map_err(|e| corrupt("price", e))?).or_default().push(point);
        }
        Ok(history)
    }
}
