//! WooCommerce, BigCommerce and Adobe Commerce: their own samples where they are at hand, and what is odd about them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::path::PathBuf;

use kit::{Currency, Money, ShopId};
use mailwright_shop::{CancelReason, Delivery, EventBody, ShopDefaults, ShopEvent, Source, Topic, WebhookError, parse};

fn read(source: Source, topic: &str, body: &[u8]) -> Result<ShopEvent, WebhookError> {
    let defaults = ShopDefaults { shop: ShopId::new("s").unwrap(), currency: Currency::parse("EUR").unwrap() };
    let received_at = "2026-11-21T03:00:00Z".parse().unwrap();
    parse(&Delivery { source, topic, body, event_id: None, triggered_at: None, received_at }, &defaults)
}

fn sample(name: &str) -> Option<Vec<u8>> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs").join(name);
    let found = std::fs::read(&file).ok();
    if found.is_none() {
        println!("skipped: {} is not there", file.display());
    }
    found
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::parse("USD").unwrap())
}

#[test]
fn a_woocommerce_order() {
    let Some(body) = sample("woocommerce/samples/order_created.json") else { return };
    let event = read(Source::WooCommerce, "order.created", &body).unwrap();
    assert_eq!(event.topic, Topic::OrderCreated);
    assert_eq!(event.triggered_at.to_string(), "2017-03-22T19:28:08Z");
    let customer = event.customer.unwrap();
    // A guest: known by the address of the bill.
    assert_eq!((customer.id, customer.first_name.as_deref()), (None, Some("John")));
    assert_eq!((customer.email.unwrap().reveal(), customer.country.as_deref()), ("john.doe@example.com", Some("US")));
    let EventBody::Order(order) = event.body else { panic!("{:?}", event.body) };
    assert_eq!((order.id.as_str(), order.total, order.cancelled_at), ("727", usd(2935), None));
    assert_eq!(order.placed_at.to_string(), "2017-03-22T19:28:02Z");
    let lines: Vec<_> = order
        .items
        .iter()
        .map(|line| {
            (
                line.product.as_ref().unwrap().as_str(),
                line.variant.as_deref(),
                line.sku.as_deref(),
                line.price,
                line.quantity,
            )
        })
        .collect();
    assert_eq!(lines, [("93", None, None, usd(300), 2), ("22", Some("23"), Some("Bar3"), usd(1200), 1)]);
}

#[test]
fn a_woocommerce_order_says_in_its_status_what_became_of_it() {
    let order = |status: &str| {
        let body = format!(
            r#"{{"id":7,"status":"{status}","currency":"EUR","date_created_gmt":"2026-11-20T10:00:00","date_modified_gmt":"2026-11-20T11:00:00",
                "date_completed_gmt":null,"total":"10.00","customer_id":3,"line_items":[{{"name":"A","product_id":1,"quantity":3,"subtotal":"10.00","price":3.333333}}]}}"#
        );
        read(Source::WooCommerce, "order.updated", body.as_bytes()).unwrap()
    };
    for (status, topic, reason) in [
        ("processing", Topic::OrderUpdated, None),
        ("cancelled", Topic::OrderCancelled, Some(CancelReason::Other)),
        ("failed", Topic::OrderCancelled, Some(CancelReason::Declined)),
        ("completed", Topic::OrderFulfilled, None),
        ("refunded", Topic::OrderUpdated, None),
    ] {
        let event = order(status);
        assert_eq!(event.topic, topic, "{status}");
        let EventBody::Order(order) = event.body else { panic!("no order") };
        assert_eq!(order.cancel_reason, reason);
        assert_eq!(order.fulfilled_at.is_some(), status == "completed");
        assert_eq!(order.refunded, status == "refunded");
        // The noise of a division is not taken over: a third of 10.00 is 3.33.
        assert_eq!(order.items[0].price.minor, 333);
    }
}

#[test]
fn a_woocommerce_customer() {
    let Some(body) = sample("woocommerce/samples/customer_updated.json") else { return };
    let event = read(Source::WooCommerce, "customer.updated", &body).unwrap();
    let customer = event.customer.unwrap();
    assert_eq!((customer.id.unwrap().as_str(), customer.email.unwrap().reveal()), ("25", "john.doe@example.com"));
    assert_eq!(event.body, EventBody::Customer);
}

#[test]
fn bigcommerce_names_what_must_be_fetched() {
    let Some(body) = sample("bigcommerce/samples/store_order_created.json") else { return };
    let error = read(Source::BigCommerce, "store/order/created", &body).unwrap_err();
    assert_eq!(error, WebhookError::FetchNeeded { what: "order".to_owned(), id: "250".to_owned() });
    let body = sample("bigcommerce/samples/store_product_inventory_updated.json").unwrap();
    let event = read(Source::BigCommerce, "store/product/inventory/updated", &body).unwrap();
    assert_eq!(event.id.as_str(), "cba9eef399fbd6d384489bca6cacad24794b1086");
    let EventBody::Shelf(stock) = event.body else { panic!("{:?}", event.body) };
    assert_eq!((stock.product.as_str(), stock.price, stock.stock), ("167", None, Some(100_000_000)));
}

/// Every sample has a topic, or is refused by its name.
#[test]
fn every_bigcommerce_sample_is_understood_or_named() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs/bigcommerce/samples");
    let Ok(entries) = std::fs::read_dir(&dir) else {
        println!("skipped: {} is not there", dir.display());
        return;
    };
    let mut understood = 0;
    let files = entries.map(|entry| entry.unwrap().path()).filter(|file| file.extension().is_some_and(|e| e == "json"));
    for file in files {
        let body = std::fs::read(&file).unwrap();
        let name = file.display();
        let scope: serde_json::Value = serde_json::from_slice(&body).unwrap();
        match read(Source::BigCommerce, scope["scope"].as_str().unwrap(), &body) {
            Ok(_) | Err(WebhookError::FetchNeeded { .. }) => understood += 1,
            Err(WebhookError::UnknownTopic { .. }) => {}
            Err(other) => panic!("{name}: {other}"),
        }
    }
    assert!(understood >= 15, "{understood} samples understood");
}

#[test]
fn an_adobe_order_and_cart() {
    let order = br#"{"order":{"entity_id":31,"quote_id":9,"created_at":"2026-11-21 03:00:00","updated_at":"2026-11-21 04:00:00","state":"canceled",
        "customer_id":5,"customer_email":"a@example.com","customer_firstname":"Ada","order_currency_code":"USD","grand_total":52.0000,"discount_amount":-4.5,
        "items":[{"item_id":1,"product_id":11,"sku":"B","name":"Boots","qty_ordered":1,"price":50,"product_type":"configurable"},
                 {"item_id":2,"parent_item_id":1,"product_id":12,"sku":"B-41","name":"Boots 41","qty_ordered":1,"price":0}]}}"#;
    let event = read(Source::Adobe, "order.updated", order).unwrap();
    assert_eq!((event.topic, event.triggered_at.to_string().as_str()), (Topic::OrderCancelled, "2026-11-21T04:00:00Z"));
    let EventBody::Order(order) = event.body else { panic!("no order") };
    assert_eq!((order.total, order.discount, order.items.len()), (usd(5200), usd(450), 1));
    assert_eq!((order.items[0].product.as_ref().unwrap().as_str(), order.items[0].price), ("11", usd(5000)));
    assert_eq!(order.cart.unwrap().as_str(), "9");

    let memo = br#"{"creditmemo":{"entity_id":4,"order_id":31,"created_at":"2026-11-22 03:00:00","items":[
        {"entity_id":1,"order_item_id":1,"product_id":11,"sku":"B","name":"Boots","qty":1.0000,"price":50},
        {"entity_id":2,"order_item_id":3,"product_id":14,"sku":"C","name":"Laces","qty":0,"price":5}]}}"#;
    let event = read(Source::Adobe, "refund.created", memo).unwrap();
    let EventBody::Refund(refund) = event.body else { panic!("no refund") };
    let returned: Vec<_> = refund.lines.iter().map(|l| (l.product.as_ref().unwrap().as_str(), l.quantity)).collect();
    assert_eq!((event.topic, refund.order.as_str(), returned), (Topic::RefundCreated, "31", vec![("11", 1)]));
    let whole = read(
        Source::Adobe,
        "order.updated",
        br#"{"entity_id":31,"created_at":"2026-11-21 03:00:00","state":"closed",
        "customer_email":"a@example.com","grand_total":50,"items":[{"product_id":11,"qty_ordered":1,"price":50}]}"#,
    )
    .unwrap();
    let EventBody::Order(whole) = whole.body else { panic!("no order") };
    assert!(whole.refunded);

    let cart = br#"{"id":9,"updated_at":"2026-11-21 03:00:00","currency":{"quote_currency_code":"USD"},
        "customer":{"id":5,"email":"a@example.com","firstname":"Ada"},"items":[{"item_id":1,"sku":"B","qty":2,"name":"Boots","price":50}]}"#;
    let event = read(Source::Adobe, "cart.updated", cart).unwrap();
    let EventBody::Cart(cart) = event.body else { panic!("no cart") };
    assert_eq!((cart.id.as_str(), cart.total, cart.items[0].sku.as_deref()), ("9", usd(10000), Some("B")));
    assert_eq!(event.customer.unwrap().first_name.as_deref(), Some("Ada"));
}

#[test]
fn prices_and_stock_of_the_other_platforms() {
    let shelf = |source: Source, topic: &str, body: &str| match read(source, topic, body.as_bytes()).unwrap().body {
        EventBody::Shelf(shelf) => (shelf.product.to_string(), shelf.price.map(|price| price.minor), shelf.stock),
        other => panic!("{other:?}"),
    };
    let woo = |more: &str| {
        shelf(Source::WooCommerce, "product.updated", &format!(r#"{{"id":7,"sku":"B","price":"20.00"{more}}}"#))
    };
    assert_eq!(
        woo(r#","status":"publish","stock_status":"instock","stock_quantity":4"#),
        ("7".into(), Some(2000), Some(4))
    );
    assert_eq!(woo(r#","status":"publish","stock_status":"instock","stock_quantity":null"#).2, Some(1000));
    assert_eq!(woo(r#","status":"publish","stock_status":"outofstock","stock_quantity":4"#).2, Some(0));
    assert_eq!(woo(r#","status":"draft","stock_status":"instock","stock_quantity":4"#).2, Some(0));
    let varied = r#"{"id":7,"price":"","status":"publish","stock_status":"instock"}"#;
    assert_eq!(shelf(Source::WooCommerce, "product.created", varied).1, None);

    let adobe = |topic: &str, body: &str| shelf(Source::Adobe, topic, body);
    let product =
        r#"{"product":{"id":9,"sku":"B","name":"Boots","price":50,"status":1,"updated_at":"2026-11-21 03:00:00"}}"#;
    assert_eq!(adobe("product.updated", product), ("9".into(), Some(5000), None));
    assert_eq!(adobe("product.updated", r#"{"id":9,"sku":"B","price":50,"status":2}"#).2, Some(0));
    for (more, stock) in [
        (r#""qty":3.0000,"is_in_stock":true,"manage_stock":true"#, 3),
        (r#""qty":3,"is_in_stock":false,"manage_stock":true"#, 0),
        (r#""qty":0,"is_in_stock":true,"manage_stock":false"#, 1000),
    ] {
        assert_eq!(
            adobe("inventory.updated", &format!(r#"{{"item_id":1,"product_id":9,{more}}}"#)).2,
            Some(stock),
            "{more}"
        );
    }
    let account =
        br#"{"customer":{"id":5,"email":"ada@example.com","firstname":"Ada","updated_at":"2026-11-21 03:00:00"}}"#;
    let event = read(Source::Adobe, "customer.updated", account).unwrap();
    assert_eq!((event.body, event.customer.unwrap().email.unwrap().reveal()), (EventBody::Customer, "ada@example.com"));
}

#[test]
fn an_order_brings_what_its_customer_wrote() {
    let woo = r#"{"id":7,"status":"processing","currency":"EUR","date_created_gmt":"2026-11-20T10:00:00","total":"0.00","customer_id":3,
        "customer_note":" For my niece ","line_items":[]}"#;
    let shopify = r#"{"id":7,"currency":"EUR","line_items":[],"total_price":"0.00","created_at":"2026-11-20T10:00:00Z","note":"For my niece"}"#;
    let generic = r#"{"event":"order.created","triggered_at":"2026-11-20T10:00:00Z","payload":{"order_id":"o1","customer":{"id":"k1"},
        "order":{"items":[],"total_value":0,"note":"For my niece"}}}"#;
    for (source, topic, body) in [
        (Source::WooCommerce, "order.created", woo),
        (Source::Shopify, "orders/create", shopify),
        (Source::Generic, "order.created", generic),
    ] {
        let told = |body: &str| match read(source, topic, body.as_bytes()).unwrap().body {
            EventBody::Order(order) => order.note.map(|note| note.raw().trim().to_owned()),
            other => panic!("{other:?}"),
        };
        assert_eq!(told(body).as_deref(), Some("For my niece"), "{source:?}");
        let empty = body.replace(" For my niece ", "").replace("For my niece", "");
        assert_eq!(told(&empty), None, "{source:?}");
    }
}
