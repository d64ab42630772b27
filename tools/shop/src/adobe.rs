//! Adobe Commerce webhooks: the order and the cart ("quote") as its REST API has them, alone or under `order`, `quote` or
//! `data`. The topic stands in the address, since neither header nor body tells it: `…?topic=order.created`.
//!
//! What differs from what one would expect: times are `2026-11-21 03:00:00` and UTC; amounts are JSON numbers with up to
//! four decimals; a configurable product comes as two lines, of which the child has `parent_item_id` and counts for
//! nothing; a discount is negative.

use kit::fence::ThirdParty;
use kit::{CartId, Currency, CustomerId, Money, OrderId, ProductId};
use serde::Deserialize;

use crate::amounts::{amount, currency, optional, sum};
use crate::error::{Fault, WebhookError, field};
use crate::event::{CancelReason, Cart, EventBody, EventCustomer, LineItem, Order, Refund, RefundLine, Shelf};
use crate::json::{AmountText, IdText, decode};
use crate::topic::Topic;
use crate::values::{email, filled, id};
use crate::woocommerce::utc;
use crate::{Parsed, ShopDefaults};

/// Topics, as they are named in the address.
pub const TOPICS: &[(&str, Topic)] = &[
    ("cart.updated", Topic::CartUpdated),
    ("order.created", Topic::OrderCreated),
    ("order.updated", Topic::OrderUpdated),
    ("refund.created", Topic::RefundCreated),
    ("customer.updated", Topic::CustomerUpdated),
    ("product.updated", Topic::ProductUpdated),
    ("inventory.updated", Topic::InventoryUpdated),
];

/// Units of a product whose stock the shop does not track: enough never to be called scarce.
const UNTRACKED_STOCK: i64 = 1_000;

#[derive(Deserialize)]
struct Wrapped<T> {
    #[serde(alias = "quote", alias = "data")]
    order: Option<T>,
}

/// The same for what is no order and no cart: a cart has a `customer` of its own.
#[derive(Deserialize)]
struct Named<T> {
    #[serde(alias = "product", alias = "stock_item", alias = "creditmemo", alias = "data")]
    customer: Option<T>,
}

#[derive(Deserialize)]
struct WireOrder {
    entity_id: IdText,
    quote_id: Option<IdText>,
    created_at: String,
    updated_at: Option<String>,
    state: Option<String>,
    customer_id: Option<IdText>,
    customer_email: Option<String>,
    customer_firstname: Option<String>,
    order_currency_code: Option<String>,
    grand_total: AmountText,
    discount_amount: Option<AmountText>,
    coupon_code: Option<String>,
    items: Vec<Line>,
}

#[derive(Deserialize)]
struct WireCart {
    id: IdText,
    updated_at: Option<String>,
    currency: Option<CartCurrency>,
    customer: Option<Person>,
    items: Vec<Line>,
}

/// A credit memo (`sales-data-creditmemo-interface`); its lines repeat the order's.
#[derive(Deserialize)]
struct CreditMemo {
    order_id: IdText,
    created_at: Option<String>,
    items: Vec<Line>,
}

#[derive(Deserialize)]
struct Account {
    id: IdText,
    email: Option<String>,
    firstname: Option<String>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct WireProduct {
    id: IdText,
    sku: Option<String>,
    price: Option<AmountText>,
    status: Option<u8>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct StockItem {
    product_id: IdText,
    qty: Option<AmountText>,
    is_in_stock: Option<bool>,
    manage_stock: Option<bool>,
}

#[derive(Deserialize)]
struct CartCurrency {
    quote_currency_code: Option<String>,
}

#[derive(Deserialize)]
struct Person {
    id: Option<IdText>,
    email: Option<String>,
    firstname: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(alias = "qty_ordered")]
    qty: AmountText,
    name: Option<String>,
    sku: Option<String>,
    price: Option<AmountText>,
    product_id: Option<IdText>,
    parent_item_id: Option<IdText>,
}

pub(crate) fn parse(topic: Topic, text: &str, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    match topic {
        Topic::CartUpdated => cart(unwrap(text)?, defaults),
        Topic::RefundCreated => refund(unwrap_other(text)?),
        Topic::CustomerUpdated => account(unwrap_other(text)?),
        Topic::ProductUpdated => product(unwrap_other(text)?, defaults),
        Topic::InventoryUpdated => stock(unwrap_other(text)?),
        // The table above has no other topics than those of orders.
        _ => order(unwrap(text)?, defaults),
    }
}

fn unwrap<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, WebhookError> {
    match decode::<Wrapped<T>>(text) {
        Ok(Wrapped { order: Some(inside) }) => Ok(inside),
        Ok(Wrapped { order: None }) => decode(text),
        Err(error) => Err(error),
    }
}

fn unwrap_other<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, WebhookError> {
    match decode::<Named<T>>(text)?.customer {
        Some(inside) => Ok(inside),
        None => decode(text),
    }
}

fn order(order: WireOrder, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    let currency = currency(order.order_currency_code.as_deref(), defaults.currency, "$.order_currency_code")?;
    let placed_at =
        utc(Some(&order.created_at), "$.created_at")?.ok_or_else(|| field("$.created_at", Fault::Missing))?;
    let changed = utc(order.updated_at.as_deref(), "$.updated_at")?.unwrap_or(placed_at);
    let state = order.state.as_deref().unwrap_or_default();
    let discount = order.discount_amount.map(|text| AmountText(text.0.trim_start_matches('-').to_owned()));
    let body = Order {
        id: id(&order.entity_id, "$.entity_id", OrderId::new)?,
        cart: order.quote_id.as_ref().map(|quote| id(quote, "$.quote_id", CartId::new)).transpose()?,
        placed_at,
        items: lines(&order.items, currency)?,
        total: amount(&order.grand_total, currency, "$.grand_total")?,
        discount: match &discount {
            Some(text) => amount(text, currency, "$.discount_amount")?,
            None => Money::new(0, currency),
        },
        discount_codes: order.coupon_code.into_iter().collect(),
        cancelled_at: (state == "canceled").then_some(changed),
        cancel_reason: (state == "canceled").then_some(CancelReason::Other),
        fulfilled_at: (state == "complete").then_some(changed),
        // What a credit memo over all of it leaves behind.
        refunded: state == "closed",
        // Customers have no field for one here.
        note: None,
    };
    let buyer = EventCustomer {
        id: order.customer_id.as_ref().map(|number| id(number, "$.customer_id", CustomerId::new)).transpose()?,
        email: email(order.customer_email.as_deref(), "$.customer_email")?,
        first_name: filled(order.customer_firstname),
        ..EventCustomer::default()
    };
    let named = buyer.id.is_some() || buyer.email.is_some();
    Ok(Parsed { at: Some(changed), id: None, customer: named.then_some(buyer), body: EventBody::Order(body) })
}

fn cart(cart: WireCart, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    let code = cart.currency.as_ref().and_then(|currency| currency.quote_currency_code.as_deref());
    let currency = currency(code, defaults.currency, "$.currency.quote_currency_code")?;
    let items = lines(&cart.items, currency)?;
    let buyer = match cart.customer {
        Some(person) => EventCustomer {
            id: person.id.as_ref().map(|number| id(number, "$.customer.id", CustomerId::new)).transpose()?,
            email: email(person.email.as_deref(), "$.customer.email")?,
            first_name: filled(person.firstname),
            ..EventCustomer::default()
        },
        None => EventCustomer::default(),
    };
    let named = buyer.id.is_some() || buyer.email.is_some();
    let body = Cart {
        id: id(&cart.id, "$.id", CartId::new)?,
        total: sum(&items, currency, "$.items")?,
        items,
        abandoned_at: None,
        completed_at: None,
        recover_url: None,
        note: None,
    };
    let at = utc(cart.updated_at.as_deref(), "$.updated_at")?;
    Ok(Parsed { at, id: None, customer: named.then_some(buyer), body: EventBody::Cart(body) })
}

fn refund(memo: CreditMemo) -> Result<Parsed, WebhookError> {
    let at = utc(memo.created_at.as_deref(), "$.created_at")?.ok_or_else(|| field("$.created_at", Fault::Missing))?;
    let mut lines = Vec::new();
    for (index, line) in own_lines(&memo.items) {
        let path = |name: &str| format!("$.items[{index}].{name}");
        let quantity = units(&line.qty, || path("qty"))?;
        if quantity > 0 {
            let product = line.product_id.as_ref();
            let product = product.map(|product| id(product, &path("product_id"), ProductId::new)).transpose()?;
            lines.push(RefundLine { product, quantity });
        }
    }
    let body = Refund { order: id(&memo.order_id, "$.order_id", OrderId::new)?, lines, at };
    Ok(Parsed { at: Some(at), id: None, customer: None, body: EventBody::Refund(body) })
}

fn account(told: Account) -> Result<Parsed, WebhookError> {
    let person = EventCustomer {
        id: Some(id(&told.id, "$.id", CustomerId::new)?),
        email: email(told.email.as_deref(), "$.email")?,
        first_name: filled(told.firstname),
        ..EventCustomer::default()
    };
    let at = utc(told.updated_at.as_deref(), "$.updated_at")?;
    Ok(Parsed { at, id: None, customer: Some(person), body: EventBody::Customer })
}

/// Status 1 is on sale, 2 is not. Stock comes under a topic of its own.
fn product(told: WireProduct, defaults: &ShopDefaults) -> Result<Parsed, WebhookError> {
    let shelf = Shelf {
        product: id(&told.id, "$.id", ProductId::new)?,
        sku: filled(told.sku),
        price: optional(told.price.as_ref(), defaults.currency, "$.price")?,
        stock: (told.status == Some(2)).then_some(0),
    };
    let at = utc(told.updated_at.as_deref(), "$.updated_at")?;
    Ok(Parsed { at, id: None, customer: None, body: EventBody::Shelf(shelf) })
}

fn stock(told: StockItem) -> Result<Parsed, WebhookError> {
    let whole = |text: &AmountText| text.0.split('.').next().and_then(|units| units.parse::<i64>().ok());
    let counted = told.qty.as_ref().map(|text| {
        let shape = || Fault::Shape { why: "no number of units".to_owned(), line: 1, column: 1 };
        whole(text).ok_or_else(|| field("$.qty", shape()))
    });
    let stock = match (told.is_in_stock, told.manage_stock, counted.transpose()?) {
        (Some(false), _, _) => 0,
        (_, Some(false), _) | (_, _, None) => UNTRACKED_STOCK,
        (_, _, Some(units)) => units,
    };
    let product = id(&told.product_id, "$.product_id", ProductId::new)?;
    let shelf = Shelf { product, sku: None, price: None, stock: Some(stock) };
    Ok(Parsed { at: None, id: None, customer: None, body: EventBody::Shelf(shelf) })
}

/// Lines with their places, without the children of configurable products.
fn own_lines(lines: &[Line]) -> impl Iterator<Item = (usize, &Line)> {
    lines.iter().enumerate().filter(|(_, line)| line.parent_item_id.is_none())
}

/// Whole units of a quantity such as `1.0000`.
fn units(quantity: &AmountText, path: impl Fn() -> String) -> Result<u32, WebhookError> {
    let whole = quantity.0.split('.').next().unwrap_or_default();
    let shape = || Fault::Shape { why: "no number of units".to_owned(), line: 1, column: 1 };
    whole.parse().map_err(|_| field(path(), shape()))
}

fn lines(lines: &[Line], currency: Currency) -> Result<Vec<LineItem>, WebhookError> {
    let mut items = Vec::new();
    for (index, line) in own_lines(lines) {
        let at = |name: &str| format!("$.items[{index}].{name}");
        let quantity = units(&line.qty, || at("qty"))?;
        if quantity == 0 {
            continue;
        }
        items.push(LineItem {
            product: line
                .product_id
                .as_ref()
                .map(|product| id(product, &at("product_id"), ProductId::new))
                .transpose()?,
            variant: None,
            sku: filled(line.sku.clone()),
            title: ThirdParty::new(line.name.clone().unwrap_or_default()),
            price: match &line.price {
                Some(price) => amount(price, currency, &at("price"))?,
                None => Money::new(0, currency),
            },
            quantity,
            category: None,
        });
    }
    Ok(items)
}
