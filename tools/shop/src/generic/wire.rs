//! The JSON of the generic webhook, as [`super`] documents it.

use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::Deserialize;

use crate::json::{AmountText, IdText};

#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) event: String,
    pub(super) id: Option<IdText>,
    pub(super) triggered_at: Timestamp,
}

#[derive(Deserialize)]
pub(super) struct Body<T> {
    pub(super) payload: T,
}

#[derive(Deserialize)]
pub(super) struct CartPayload {
    pub(super) cart_id: IdText,
    pub(super) customer: Customer,
    pub(super) cart: Cart,
}

#[derive(Deserialize)]
pub(super) struct Cart {
    pub(super) currency: Option<String>,
    pub(super) items: Vec<Item>,
    pub(super) total_value: AmountText,
    pub(super) discount_value: Option<AmountText>,
    pub(super) shipping_value: Option<AmountText>,
    pub(super) tax_value: Option<AmountText>,
    pub(super) abandoned_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) url: Option<String>,
    pub(super) note: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct OrderPayload {
    pub(super) order_id: IdText,
    pub(super) cart_id: Option<IdText>,
    pub(super) customer: Customer,
    pub(super) order: Order,
}

#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) currency: Option<String>,
    pub(super) items: Vec<Item>,
    pub(super) total_value: AmountText,
    pub(super) discount_value: Option<AmountText>,
    pub(super) shipping_value: Option<AmountText>,
    pub(super) tax_value: Option<AmountText>,
    pub(super) discount_codes: Option<Vec<String>>,
    pub(super) placed_at: Option<Timestamp>,
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) cancel_reason: Option<String>,
    pub(super) fulfilled_at: Option<Timestamp>,
    pub(super) note: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Item {
    pub(super) product_id: IdText,
    pub(super) variant_id: Option<IdText>,
    pub(super) sku: Option<String>,
    pub(super) title: String,
    pub(super) price: AmountText,
    pub(super) quantity: NonZeroU32,
    pub(super) category: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Customer {
    pub(super) id: IdText,
    pub(super) email: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) language: Option<String>,
    pub(super) country: Option<String>,
    pub(super) time_zone: Option<String>,
    pub(super) accepts_email_marketing: Option<bool>,
    pub(super) loyalty_tier: Option<String>,
    pub(super) total_orders: Option<u32>,
    pub(super) tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct CustomerPayload {
    pub(super) customer: Customer,
}

#[derive(Deserialize)]
pub(super) struct ConsentPayload {
    pub(super) customer: Customer,
    pub(super) consent: Consent,
}

#[derive(Deserialize)]
pub(super) struct Consent {
    pub(super) channel: String,
    pub(super) state: String,
    pub(super) at: Option<Timestamp>,
    pub(super) source: Option<String>,
    pub(super) wording: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct TicketPayload {
    pub(super) ticket_id: IdText,
    pub(super) customer: Customer,
    pub(super) subject: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RefundPayload {
    pub(super) order_id: IdText,
    pub(super) items: Vec<RefundItem>,
}

#[derive(Deserialize)]
pub(super) struct RefundItem {
    pub(super) product_id: IdText,
    pub(super) quantity: NonZeroU32,
}

#[derive(Deserialize)]
pub(super) struct ShelfPayload {
    pub(super) product_id: IdText,
    pub(super) sku: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) price: Option<AmountText>,
    pub(super) stock: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct WishPayload {
    pub(super) customer: Customer,
    pub(super) product_id: IdText,
}

#[derive(Deserialize)]
pub(super) struct ViewPayload {
    pub(super) customer: Customer,
    pub(super) product_id: IdText,
    pub(super) category: Option<String>,
    pub(super) dwell_seconds: Option<u32>,
}
