//! BigCommerce: what is asked for a webhook that carries an id, and what the answers become.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kit::message::ConsentState;
use kit::{Currency, ShopId};
use mailwright_shop::bigcommerce::{Ask, idle, next, with};
use mailwright_shop::{Delivery, EventBody, ShopDefaults, ShopEvent, Source, Topic, WebhookError, parse};

fn webhook(scope: &str, data: &str) -> Vec<u8> {
    format!(r#"{{"scope":"{scope}","store_id":"1","data":{data},"hash":"h1","created_at":1779000000}}"#).into_bytes()
}

fn read(scope: &str, body: &[u8]) -> Result<ShopEvent, WebhookError> {
    let defaults = ShopDefaults { shop: ShopId::new("s").unwrap(), currency: Currency::EUR };
    let received_at = "2026-11-21T03:00:00Z".parse().unwrap();
    let source = Source::BigCommerce;
    parse(&Delivery { source, topic: scope, body, event_id: None, triggered_at: None, received_at }, &defaults)
}

/// Asks until nothing is missing, answering by part; returns the paths and the whole body.
fn fetched(scope: &str, data: &str, answers: &[(&str, &str)]) -> (Vec<String>, Vec<u8>) {
    let mut body = webhook(scope, data);
    let mut paths = Vec::new();
    while let Some(Ask { part, path }) = next(scope, &body).unwrap() {
        assert!(matches!(read(scope, &body), Err(WebhookError::FetchNeeded { .. })), "{path} is missing and not said");
        let answer = answers.iter().find(|(name, _)| *name == part).unwrap_or_else(|| panic!("{part} is asked for")).1;
        body = with(&body, part, answer.as_bytes()).unwrap();
        paths.push(path);
    }
    (paths, body)
}

const CART: &str = r#"{"data":{"id":"c-1","customer_id":32,"email":"","currency":{"code":"EUR"},"cart_amount":258,"locale":"de",
    "line_items":{"physical_items":[{"id":"l1","product_id":12,"variant_id":358,"sku":"B","name":"Boots","quantity":2,"list_price":139.5,"sale_price":129}],
    "digital_items":[],"gift_certificates":[],"custom_items":[]},"redirect_urls":{"cart_url":"https://shop.example/cart.php?action=load&id=c-1"}},"meta":{}}"#;
const PERSON: &str = r#"{"data":[{"id":32,"email":"aoife@example.com","first_name":"Aoife","addresses":[{"country_code":"IE"}]}],"meta":{}}"#;

#[test]
fn a_cart_brings_its_customer_with_it() {
    let answers = [("cart", CART), ("customer", PERSON)];
    for (scope, data) in [
        ("store/cart/updated", r#"{"type":"cart","id":"c-1"}"#),
        ("store/cart/lineItem/updated", r#"{"type":"cart_line_item","id":"l1","cartId":"c-1"}"#),
    ] {
        let (paths, body) = fetched(scope, data, &answers);
        assert_eq!(paths, ["v3/carts/c-1?include=redirect_urls", "v3/customers?id:in=32&include=addresses"]);
        let event = read(scope, &body).unwrap();
        let customer = event.customer.unwrap();
        assert_eq!((customer.id.unwrap().as_str(), customer.country.as_deref()), ("32", Some("IE")));
        assert_eq!(customer.email.unwrap().reveal(), "aoife@example.com");
        let EventBody::Cart(cart) = event.body else { panic!("no cart") };
        assert_eq!((cart.id.as_str(), cart.total.minor, cart.abandoned_at), ("c-1", 25_800, None));
        assert_eq!((cart.items[0].price.minor, cart.items[0].quantity), (12_900, 2));
        assert_eq!(cart.recover_url.as_deref(), Some("https://shop.example/cart.php?action=load&id=c-1"));
    }
    let guest = CART.replace("\"customer_id\":32", "\"customer_id\":0");
    let (paths, body) = fetched("store/cart/abandoned", r#"{"id":"c-1","token":"t"}"#, &[("cart", &guest)]);
    assert_eq!(paths.len(), 1, "a guest has no account to ask for");
    let event = read("store/cart/abandoned", &body).unwrap();
    assert_eq!((event.topic, event.customer), (Topic::CartAbandoned, None));
}

#[test]
fn an_orders_status_says_what_became_of_it() {
    let order = |status: u32| {
        format!(
            r#"{{"id":250,"cart_id":"c-1","status_id":{status},"customer_id":0,"date_created":"Tue, 17 Nov 2026 09:00:00 +0000",
                "date_modified":"Tue, 17 Nov 2026 10:00:00 +0000","date_shipped":"","currency_code":"USD","total_inc_tax":"20.0000",
                "discount_amount":"1.0000","coupon_discount":"2.5000","is_email_opt_in":true,
                "billing_address":{{"first_name":"Ada","email":"ada@example.com","country_iso2":"US"}}}}"#
        )
    };
    let products = r#"[{"product_id":20,"variant_id":0,"name":"Towel","sku":"T","price_inc_tax":"10.0000","quantity":2,"quantity_refunded":1}]"#;
    for (status, topic) in
        [(11, Topic::OrderUpdated), (5, Topic::OrderCancelled), (6, Topic::OrderCancelled), (10, Topic::OrderFulfilled)]
    {
        let (paths, body) =
            fetched("store/order/updated", r#"{"id":250}"#, &[("order", &order(status)), ("products", products)]);
        assert_eq!(paths, ["v2/orders/250", "v2/orders/250/products?limit=250"]);
        let event = read("store/order/updated", &body).unwrap();
        assert_eq!(event.topic, topic, "{status}");
        let EventBody::Order(order) = event.body else { panic!("no order") };
        assert_eq!((order.total.minor, order.discount.minor, order.items.len()), (2_000, 350, 1));
        assert_eq!(order.placed_at.to_string(), "2026-11-17T09:00:00Z");
    }
    // Begun and not paid: nothing follows from it.
    let (_, body) = fetched("store/order/created", r#"{"id":250}"#, &[("order", &order(0)), ("products", products)]);
    assert!(idle("store/order/created", &body).unwrap().is_some());
    let (_, body) =
        fetched("store/order/refund/created", r#"{"id":250}"#, &[("order", &order(14)), ("products", products)]);
    let EventBody::Refund(refund) = read("store/order/refund/created", &body).unwrap().body else {
        panic!("no refund")
    };
    assert_eq!((refund.order.as_str(), refund.lines.len(), refund.lines[0].quantity), ("250", 1, 1));
}

#[test]
fn only_the_newsletters_consent_is_one() {
    for (consents, state) in [
        (r#"["marketing_newsletter"]"#, ConsentState::Subscribed),
        (r#"["abandoned_cart"]"#, ConsentState::None),
        ("[]", ConsentState::None),
    ] {
        let answer = format!(
            r#"{{"data":{{"id":5,"email":"ada@example.com","source":"storefront","consents":{consents},"date_modified":"2026-11-17T09:00:00Z"}}}}"#
        );
        let (paths, body) = fetched("store/subscriber/updated", r#"{"id":5}"#, &[("subscriber", &answer)]);
        assert_eq!(paths, ["v3/customers/subscribers/5"]);
        let EventBody::Consent(consent) = read("store/subscriber/updated", &body).unwrap().body else {
            panic!("no consent")
        };
        assert_eq!((consent.state, consent.subscription.as_deref()), (state, Some("5")), "{consents}");
    }
    let deleted = webhook("store/subscriber/deleted", r#"{"type":"subscriber","id":5}"#);
    assert_eq!(next("store/subscriber/deleted", &deleted).unwrap(), None, "there is nothing to ask for any more");
    let event = read("store/subscriber/deleted", &deleted).unwrap();
    assert_eq!((event.customer, event.body), (None, EventBody::Unsubscribed("5".to_owned())));
}

#[test]
fn a_products_price_and_stock_are_those_of_the_shelf() {
    let product = |more: &str| format!(r#"{{"data":{{"id":167,"sku":"P","price":20,"inventory_level":7{more}}}}}"#);
    for (more, price, stock) in [
        (r#","sale_price":0,"inventory_tracking":"product","is_visible":true"#, 2_000, 7),
        (r#","sale_price":15.5,"inventory_tracking":"none","is_visible":true"#, 1_550, 1_000),
        (r#","inventory_tracking":"variant","is_visible":false"#, 2_000, 0),
        (r#","inventory_tracking":"product","availability":"disabled""#, 2_000, 0),
    ] {
        let data =
            r#"{"type":"sku","id":461,"inventory":{"product_id":167,"method":"absolute","value":5,"variant_id":509}}"#;
        let (paths, body) = fetched("store/sku/inventory/updated", data, &[("product", &product(more))]);
        assert_eq!(paths, ["v3/catalog/products/167"]);
        let EventBody::Shelf(shelf) = read("store/sku/inventory/updated", &body).unwrap().body else {
            panic!("no shelf")
        };
        assert_eq!((shelf.price.unwrap().minor, shelf.stock), (price, Some(stock)), "{more}");
    }
}

#[test]
fn an_id_that_is_no_plain_word_is_never_put_into_an_address() {
    for id in ["\"../../x\"", "\"1?x=1\"", "\"\"", "null"] {
        let body = webhook("store/order/created", &format!(r#"{{"type":"order","id":{id}}}"#));
        let refused = next("store/order/created", &body).unwrap_err().to_string();
        assert!(refused.contains("$.data.id"), "{refused}");
    }
    let body = webhook("store/order/created", r#"{"id":1}"#);
    assert!(with(&body, "order", b"<html>").unwrap_err().to_string().contains("no JSON"));
}
