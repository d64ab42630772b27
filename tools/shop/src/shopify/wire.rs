//! Shopify's JSON, the part we read. Types follow webhook-schemas-2026-04 and are wider where samples are.

use jiff::Timestamp;
use serde::Deserialize;

use crate::json::{AmountText, IdText};

/// Any object: the topic alone says it all.
#[derive(Deserialize)]
pub(super) struct Any {}

#[derive(Deserialize)]
pub(super) struct Cart {
    pub(super) token: IdText,
    pub(super) line_items: Vec<Line>,
    pub(super) note: Option<String>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) created_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) product_id: Option<IdText>,
    pub(super) variant_id: Option<IdText>,
    pub(super) title: String,
    pub(super) sku: Option<String>,
    pub(super) quantity: u32,
    pub(super) price: AmountText,
    pub(super) original_price: Option<AmountText>,
    pub(super) original_line_price: Option<AmountText>,
    pub(super) line_price: Option<AmountText>,
    pub(super) price_set: Option<PriceSet>,
}

#[derive(Deserialize)]
pub(super) struct PriceSet {
    pub(super) shop_money: ShopMoney,
}

#[derive(Deserialize)]
pub(super) struct ShopMoney {
    pub(super) currency_code: String,
}

#[derive(Deserialize)]
pub(super) struct Checkout {
    pub(super) token: IdText,
    pub(super) cart_token: Option<IdText>,
    pub(super) email: Option<String>,
    pub(super) customer_locale: Option<String>,
    pub(super) buyer_accepts_marketing: Option<bool>,
    pub(super) currency: Option<String>,
    pub(super) line_items: Vec<Line>,
    pub(super) total_line_items_price: Option<AmountText>,
    pub(super) subtotal_price: Option<AmountText>,
    pub(super) total_discounts: Option<AmountText>,
    pub(super) total_price: Option<AmountText>,
    pub(super) abandoned_checkout_url: Option<String>,
    pub(super) note: Option<String>,
    pub(super) customer: Option<Customer>,
    pub(super) shipping_address: Option<AddressForm>,
    pub(super) billing_address: Option<AddressForm>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) id: IdText,
    pub(super) cart_token: Option<IdText>,
    pub(super) checkout_token: Option<IdText>,
    pub(super) email: Option<String>,
    pub(super) contact_email: Option<String>,
    pub(super) customer_locale: Option<String>,
    pub(super) buyer_accepts_marketing: Option<bool>,
    pub(super) currency: Option<String>,
    pub(super) line_items: Vec<Line>,
    pub(super) total_line_items_price: Option<AmountText>,
    pub(super) total_price: AmountText,
    pub(super) total_discounts: Option<AmountText>,
    #[serde(default)]
    pub(super) discount_codes: Vec<DiscountCode>,
    pub(super) customer: Option<Customer>,
    pub(super) shipping_address: Option<AddressForm>,
    pub(super) billing_address: Option<AddressForm>,
    pub(super) financial_status: Option<String>,
    pub(super) fulfillment_status: Option<String>,
    #[serde(default)]
    pub(super) fulfillments: Vec<Parcel>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) cancel_reason: Option<String>,
    pub(super) note: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct DiscountCode {
    pub(super) code: String,
}

#[derive(Deserialize)]
pub(super) struct Parcel {
    pub(super) created_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) order_id: IdText,
    pub(super) created_at: Timestamp,
    pub(super) refund_line_items: Vec<RefundLine>,
}

#[derive(Deserialize)]
pub(super) struct RefundLine {
    pub(super) quantity: u32,
    pub(super) line_item: Option<RefundedItem>,
}

#[derive(Deserialize)]
pub(super) struct RefundedItem {
    pub(super) product_id: Option<IdText>,
}

#[derive(Deserialize)]
pub(super) struct Fulfillment {
    pub(super) order_id: IdText,
    pub(super) status: String,
    pub(super) shipment_status: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct Customer {
    pub(super) id: IdText,
    pub(super) email: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) tags: Option<String>,
    pub(super) orders_count: Option<u32>,
    pub(super) accepts_marketing: Option<bool>,
    pub(super) default_address: Option<AddressForm>,
    pub(super) email_marketing_consent: Option<MarketingConsent>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct MarketingConsent {
    pub(super) state: String,
    pub(super) opt_in_level: Option<String>,
    pub(super) consent_updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct ConsentChange {
    pub(super) customer_id: IdText,
    pub(super) email_address: Option<String>,
    pub(super) email_marketing_consent: MarketingConsent,
}

#[derive(Deserialize)]
pub(super) struct Product {
    pub(super) id: IdText,
    pub(super) updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct InventoryLevel {
    pub(super) inventory_item_id: IdText,
    pub(super) location_id: IdText,
    pub(super) available: Option<i64>,
    pub(super) updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct Privacy {
    pub(super) customer: PrivacyCustomer,
    pub(super) orders_requested: Option<Vec<IdText>>,
    pub(super) orders_to_redact: Option<Vec<IdText>>,
}

#[derive(Deserialize)]
pub(super) struct PrivacyCustomer {
    pub(super) id: IdText,
    pub(super) email: Option<String>,
}

/// An address, or `[]`: what Shopify sends for none.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum AddressForm {
    Address { country_code: Option<String> },
    Empty([(); 0]),
}

/// The country code of an address that is there.
pub(super) fn country_code(form: &Option<AddressForm>) -> Option<&str> {
    match form {
        Some(AddressForm::Address { country_code }) => country_code.as_deref(),
        Some(AddressForm::Empty([])) | None => None,
    }
}
