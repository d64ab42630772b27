//! Telephone numbers of customers, and the short links of text messages.

use kit::phone::Phone;
use kit::{CustomerId, StoreError, Timestamp};

use super::error::map;
use super::{DbConnection, ShopStore, corrupt, micros};

/// Where text messages for a customer go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerPhone {
    /// Whose.
    pub customer: CustomerId,
    /// The number.
    pub phone: Phone,
    /// The part of the country, ISO 3166-2 such as `US-TX`, when it is known.
    pub region: Option<String>,
}

impl ShopStore {
    /// Notes the numbers of customers that are there already, in one commit. An erased customer gets none.
    pub async fn put_phones(&self, phones: Vec<CustomerPhone>) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                for entry in &phones {
                    put_phone(c, shop.as_str(), entry).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// A customer's number, if known.
    pub async fn phone(&self, customer: &CustomerId) -> Result<Option<CustomerPhone>, StoreError> {
        let row: Option<(Option<String>, Option<String>)> =
            sqlx::query_as("SELECT phone, region FROM customers WHERE shop_id = $1 AND customer_id = $2")
                .bind(self.shop.as_str())
                .bind(customer.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(map)?;
        let Some((Some(phone), region)) = row else { return Ok(None) };
        let phone = Phone::parse(&phone).map_err(|e| corrupt("customer phone", e))?;
        Ok(Some(CustomerPhone { customer: customer.clone(), phone, region }))
    }

    /// Notes where a short link leads. The same link again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the code leads somewhere else already.
    pub async fn put_short_link(&self, code: &str, url: &str, now: Timestamp) -> Result<(), StoreError> {
        let (code, url) = (code.to_owned(), url.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("INSERT INTO short_links (shop_id, code, url, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                    .bind(shop.as_str()).bind(&code).bind(&url).bind(micros(now)).execute(&mut *c).await.map_err(map)?;
                match short_link(c, shop.as_str(), &code).await? {
                    Some(kept) if kept == url => Ok(()),
                    Some(_) | None => Err(StoreError::Conflict(format!("short link {code}"))),
                }
            })
        })
        .await
    }

    /// Where a short link leads.
    pub async fn short_link(&self, code: &str) -> Result<Option<String>, StoreError> {
        let mut connection = self.readers().acquire().await.map_err(map)?;
        short_link(&mut connection, self.shop.as_str(), code).await
    }
}

async fn short_link(c: &mut DbConnection, shop: &str, code: &str) -> Result<Option<String>, StoreError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT url FROM short_links WHERE shop_id = $1 AND code = $2")
        .bind(shop)
        .bind(code)
        .fetch_optional(c)
        .await
        .map_err(map)?;
    Ok(row.map(|(url,)| url))
}

async fn put_phone(c: &mut DbConnection, shop: &str, entry: &CustomerPhone) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE customers SET phone = $3, region = $4 WHERE shop_id = $1 AND customer_id = $2 AND erased_at IS NULL",
    )
    .bind(shop)
    .bind(entry.customer.as_str())
    .bind(entry.phone.reveal())
    .bind(&entry.region)
    .execute(c)
    .await
    .map_err(map)?;
    Ok(())
}
