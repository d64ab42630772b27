//! Products as stored: the catalogue's own wire form, with price and stock beside it.

use kit::{Currency, Money, ProductId, StoreError, Timestamp};

use super::error::map;
use super::{ShopStore, corrupt, micros, prices};

/// A stored product. The body is the catalogue's own JSON; price and stock in the columns are the present ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// The product.
    pub id: ProductId,
    /// The catalogue's JSON.
    pub body: String,
    /// The price now.
    pub price: Money,
    /// Units now.
    pub stock: i64,
}

impl ShopStore {
    /// Inserts or replaces products in one commit: all or nothing. What is stored as of a later time stays.
    pub async fn put_products(&self, products: Vec<ProductRow>, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                for product in &products {
                    let done = sqlx::query(
                        "INSERT INTO products (shop_id, product_id, body, currency, price_minor, stock, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
                         ON CONFLICT (shop_id, product_id) DO UPDATE SET body = excluded.body, currency = excluded.currency,
                            price_minor = excluded.price_minor, stock = excluded.stock, updated_at = excluded.updated_at
                         WHERE products.updated_at <= excluded.updated_at",
                    )
                    .bind(shop.as_str()).bind(product.id.as_str()).bind(&product.body).bind(product.price.currency.as_str())
                    .bind(product.price.minor).bind(product.stock).bind(micros(now))
                    .execute(&mut *c).await.map_err(map)?;
                    if done.rows_affected() > 0 {
                        prices::note(c, &shop, &product.id, product.price, now).await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// Sets the stock of a product; false when the shop does not have it.
    pub async fn set_stock(&self, product: &ProductId, stock: i64, now: Timestamp) -> Result<bool, StoreError> {
        let product = product.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE products SET stock = $3, updated_at = $4 WHERE shop_id = $1 AND product_id = $2 AND updated_at <= $4",
                )
                .bind(shop.as_str())
                .bind(product.as_str())
                .bind(stock)
                .bind(micros(now))
                .execute(c)
                .await
                .map_err(map)?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Sets the price of a product in its own currency; false when the shop does not have it.
    pub async fn set_price(&self, product: &ProductId, minor: i64, now: Timestamp) -> Result<bool, StoreError> {
        let product = product.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE products SET price_minor = $3, updated_at = $4 WHERE shop_id = $1 AND product_id = $2 AND updated_at <= $4",
                )
                .bind(shop.as_str())
                .bind(product.as_str())
                .bind(minor)
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if done.rows_affected() == 0 {
                    return Ok(false);
                }
                let row: (String,) = sqlx::query_as("SELECT currency FROM products WHERE shop_id = $1 AND product_id = $2")
                    .bind(shop.as_str())
                    .bind(product.as_str())
                    .fetch_one(&mut *c)
                    .await
                    .map_err(map)?;
                let currency = Currency::parse(&row.0).map_err(|e| corrupt("product", e))?;
                prices::note(c, &shop, &product, Money::new(minor, currency), now).await?;
                Ok(true)
            })
        })
        .await
    }

    /// All products in order of id.
    pub async fn products(&self) -> Result<Vec<ProductRow>, StoreError> {
        let rows: Vec<(String, String, String, i64, i64)> =
            sqlx::query_as("SELECT product_id, body, currency, price_minor, stock FROM products WHERE shop_id = $1 ORDER BY product_id")
                .bind(self.shop.as_str()).fetch_all(self.readers()).await.map_err(map)?;
        rows.into_iter()
            .map(|(id, body, currency, price, stock)| {
                let currency = Currency::parse(&currency).map_err(|e| corrupt("product", e))?;
                Ok(ProductRow {
                    id: ProductId::new(id).map_err(|e| corrupt("product", e))?,
                    body,
                    price: Money::new(price, currency),
                    stock,
                })
            })
            .collect()
    }
}
