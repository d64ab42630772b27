//! Whose a platform's subscription is.

use kit::{CustomerId, StoreError};

use super::error::map;
use super::{ShopStore, corrupt};

impl ShopStore {
    /// Notes whose a subscription is; the newest word counts.
    pub async fn note_subscription(&self, subscription: &str, customer: &CustomerId) -> Result<(), StoreError> {
        let (subscription, customer) = (subscription.to_owned(), customer.clone());
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO subscriptions (shop_id, subscription_id, customer_id) VALUES ($1, $2, $3)
                     ON CONFLICT (shop_id, subscription_id) DO UPDATE SET customer_id = excluded.customer_id",
                )
                .bind(shop.as_str())
                .bind(&subscription)
                .bind(customer.as_str())
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Whose a subscription is, if it is known.
    pub async fn subscriber(&self, subscription: &str) -> Result<Option<CustomerId>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT customer_id FROM subscriptions WHERE shop_id = $1 AND subscription_id = $2")
                .bind(self.shop.as_str())
                .bind(subscription)
                .fetch_optional(self.readers())
                .await
                .map_err(map)?;
        row.map(|(id,)| CustomerId::new(id).map_err(|e| corrupt("subscription", e))).transpose()
    }
}
