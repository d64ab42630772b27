//! The shapes of webhooks, and of what the API answers (Orders V2, Carts, Customers, Subscribers and Catalog V3).

use serde::Deserialize;

use crate::error::WebhookError;
use crate::json::{AmountText, IdText, decode};

#[derive(Deserialize)]
pub(super) struct Webhook {
    pub(super) scope: Option<String>,
    pub(super) data: Data,
    pub(super) hash: Option<String>,
    pub(super) created_at: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Data {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) id: Option<IdText>,
    #[serde(rename = "orderId")]
    pub(super) order_id: Option<IdText>,
    #[serde(rename = "cartId")]
    pub(super) cart_id: Option<IdText>,
    pub(super) inventory: Option<Stock>,
}

#[derive(Deserialize)]
pub(super) struct Stock {
    pub(super) product_id: IdText,
    pub(super) variant_id: Option<IdText>,
    pub(super) method: String,
    pub(super) value: i64,
}

/// The webhook as it came, or with what was fetched beside it.
#[derive(Deserialize)]
struct Either {
    webhook: Option<Webhook>,
}

pub(super) fn webhook(text: &str) -> Result<Webhook, WebhookError> {
    match decode::<Either>(text)?.webhook {
        Some(webhook) => Ok(webhook),
        None => decode(text),
    }
}

/// A webhook with what was fetched.
#[derive(Deserialize)]
pub(super) struct Whole<T> {
    pub(super) fetched: T,
}

/// V3 answers wrap what they tell.
#[derive(Deserialize)]
pub(super) struct Wrapped<T> {
    pub(super) data: T,
}

#[derive(Deserialize)]
pub(super) struct OrderParts {
    pub(super) order: Order,
    pub(super) products: Vec<OrderProduct>,
}

#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) id: IdText,
    pub(super) cart_id: Option<IdText>,
    pub(super) status_id: u32,
    pub(super) customer_id: Option<IdText>,
    pub(super) customer_locale: Option<String>,
    pub(super) date_created: String,
    pub(super) date_modified: Option<String>,
    pub(super) date_shipped: Option<String>,
    pub(super) currency_code: Option<String>,
    pub(super) total_inc_tax: AmountText,
    pub(super) discount_amount: Option<AmountText>,
    pub(super) coupon_discount: Option<AmountText>,
    pub(super) is_email_opt_in: Option<bool>,
    pub(super) billing_address: Option<Billing>,
    pub(super) customer_message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Billing {
    pub(super) first_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) country_iso2: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct OrderProduct {
    pub(super) product_id: Option<IdText>,
    pub(super) variant_id: Option<IdText>,
    pub(super) name: String,
    pub(super) sku: Option<String>,
    pub(super) price_inc_tax: AmountText,
    pub(super) quantity: u32,
    pub(super) quantity_refunded: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct CartParts {
    pub(super) cart: Wrapped<Cart>,
    pub(super) customer: Option<Wrapped<Vec<Customer>>>,
}

#[derive(Deserialize)]
pub(super) struct Cart {
    pub(super) id: IdText,
    pub(super) customer_id: Option<IdText>,
    pub(super) email: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) currency: Option<CartCurrency>,
    pub(super) cart_amount: AmountText,
    pub(super) line_items: CartLines,
    pub(super) redirect_urls: Option<Redirects>,
}

#[derive(Deserialize)]
pub(super) struct CartCurrency {
    pub(super) code: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Redirects {
    pub(super) cart_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CartLines {
    #[serde(default)]
    pub(super) physical_items: Vec<CartLine>,
    #[serde(default)]
    pub(super) digital_items: Vec<CartLine>,
}

#[derive(Deserialize)]
pub(super) struct CartLine {
    pub(super) product_id: Option<IdText>,
    pub(super) variant_id: Option<IdText>,
    pub(super) sku: Option<String>,
    pub(super) name: String,
    pub(super) quantity: u32,
    pub(super) list_price: AmountText,
    pub(super) sale_price: Option<AmountText>,
}

#[derive(Deserialize)]
pub(super) struct CustomerParts {
    pub(super) customer: Wrapped<Vec<Customer>>,
}

#[derive(Deserialize)]
pub(super) struct Customer {
    pub(super) id: IdText,
    pub(super) email: Option<String>,
    pub(super) first_name: Option<String>,
    #[serde(default)]
    pub(super) addresses: Vec<Address>,
}

#[derive(Deserialize)]
pub(super) struct Address {
    pub(super) country_code: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SubscriberParts {
    pub(super) subscriber: Wrapped<Subscriber>,
}

#[derive(Deserialize)]
pub(super) struct Subscriber {
    pub(super) id: IdText,
    pub(super) email: String,
    pub(super) first_name: Option<String>,
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) consents: Vec<String>,
    pub(super) date_modified: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ProductParts {
    pub(super) product: Wrapped<Product>,
}

#[derive(Deserialize)]
pub(super) struct Product {
    pub(super) id: IdText,
    pub(super) sku: Option<String>,
    pub(super) price: AmountText,
    pub(super) sale_price: Option<AmountText>,
    pub(super) inventory_tracking: Option<String>,
    pub(super) inventory_level: Option<i64>,
    pub(super) is_visible: Option<bool>,
    pub(super) availability: Option<String>,
}
