//! Webhook bodies through `mailwright trigger`.

use serde_json::{Value, json};

use crate::binary::{Folder, MORNING, webhook};

/// A checkout of the sample shop, changed.
fn checkout(change: impl FnOnce(&mut Value)) -> String {
    changed("shopify-checkouts-update-ada", change)
}

fn changed(name: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut body: Value = serde_json::from_str(&std::fs::read_to_string(webhook(name)).unwrap()).unwrap();
    change(&mut body);
    body.to_string()
}

/// File name, source, topic, body, and what must be said about it, in this order.
type Case<'a> = (&'a str, &'a str, &'a str, Vec<u8>, &'a [&'a str]);

/// Passes when each body is refused with these words and the folder stays as it was.
#[track_caller]
fn refused(cases: &[Case<'_>]) {
    let folder = Folder::new();
    let before = folder.state();
    for (name, source, topic, body, words) in cases {
        let file = folder.file(name, body);
        let told = folder.run(MORNING, &["trigger", source, topic, &file]);
        let words: Vec<&str> = [name].into_iter().chain(*words).copied().collect();
        told.failed(1, &words);
        assert_eq!(told.out, "", "{name}");
    }
    assert_eq!(folder.state(), before);
}

const CHECKOUT: (&str, &str) = ("shopify", "checkouts/update");

#[test]
fn what_is_no_readable_body() {
    let (source, topic) = CHECKOUT;
    let deep = format!("{{\"line_items\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    refused(&[
        (
            "cut-off.json",
            source,
            topic,
            b"{\"token\": \"a\",\n \"line_items\": [".to_vec(),
            &["not JSON at line 2, column 16"],
        ),
        ("no-json.json", source, topic, b"token=a&cart=b".to_vec(), &["not JSON at line 1"]),
        ("empty.json", source, topic, Vec::new(), &["not JSON at line 1"]),
        ("list.json", source, topic, b"[]".to_vec(), &["$: a list, expected an object"]),
        (
            "latin-1.json",
            source,
            topic,
            b"{\"note\": \"Gr\xfc\xdfe\"}".to_vec(),
            &["not UTF-8 from byte 12", "in UTF-8"],
        ),
        ("deep.json", source, topic, deep.into_bytes(), &["nested deeper than 64 levels at line 1, column"]),
        ("long.json", source, topic, vec![b' '; (1 << 20) + 1], &["1048577 bytes; at most 1048576"]),
        ("huge.json", source, topic, vec![b' '; (4 << 20) + 1], &["4194305 bytes; at most 4194304"]),
    ]);
}

#[test]
fn what_is_not_spoken_here() {
    let body = checkout(|_| {}).into_bytes();
    let folder = Folder::new();
    let before = folder.state();
    let file = folder.file("checkout.json", &body);
    let run = |source, topic, file| folder.run(MORNING, &["trigger", source, topic, file]);
    run("shopfy", "checkouts/update", &file).failed(1, &["unknown source `shopfy`", "known: shopify, "]);
    run("shopify", "checkouts/updated", &file)
        .failed(1, &["unsupported topic `checkouts/updated` of shopify", "checkouts/update"]);
    run("generic", "cart.updated", &file).failed(1, &["checkout.json", "event"]);
    run("shopify", "checkouts/update", "/no/such/file.json").failed(1, &["/no/such/file.json: No such file"]);
    run("shopify", "checkouts/update", folder.path().to_str().unwrap()).failed(1, &["Is a directory"]);
    assert_eq!(folder.state(), before);
    // Another event than the delivery says.
    let cart = folder.file("cart.json", std::fs::read(webhook("generic-cart-updated-optout")).unwrap());
    run("generic", "order.created", &cart).failed(1, &["cart.json", "delivered as `order.created`", "`cart.updated`"]);
    assert_eq!(folder.state(), before);
}

#[test]
fn fields_that_are_not_what_they_should_be() {
    let (source, topic) = CHECKOUT;
    let price = |text: &str| {
        let text = text.to_owned();
        checkout(|body| body["line_items"][0]["price"] = json!(text)).into_bytes()
    };
    let at_price: &[&str] = &["$.line_items[0].price: "];
    let odd = ["189,00", "1e3", "NaN", " ", "-5", "189.001", "€189", "0x10", "99999999999999999999", "1.8.9"];
    let names: Vec<String> = (0..odd.len()).map(|n| format!("price-{n}.json")).collect();
    let mut cases: Vec<Case<'_>> =
        odd.iter().zip(&names).map(|(text, name)| (name.as_str(), source, topic, price(text), at_price)).collect();
    let mut case = |name, words, change: fn(&mut Value)| {
        cases.push((name, source, topic, checkout(change).into_bytes(), words));
    };
    case("sum.json", &["$.total_line_items_price: the items come to", "189.00", "199.00"], |body| {
        body["total_line_items_price"] = json!("199.00");
    });
    case("address.json", &["$.customer.email: is not an e-mail address"], |body| {
        body["customer"]["email"] = json!("aoife.brennan@@example");
    });
    case("two-addresses.json", &["$.customer.email: is not an e-mail address"], |body| {
        body["customer"]["email"] = json!("a@example.com, b@example.com");
    });
    case("header.json", &["$.customer.email: is not an e-mail address"], |body| {
        body["customer"]["email"] = json!("a@example.com\r\nBcc: b@example.com");
    });
    case("no-token.json", &["token"], |body| {
        body.as_object_mut().unwrap().remove("token");
    });
    case("float-id.json", &["$.customer.id: an id is a string or a whole number"], |body| {
        body["customer"]["id"] = json!(7.5e12);
    });
    case("quantity.json", &["$.line_items[0].quantity: "], |body| {
        body["line_items"][0]["quantity"] = json!(-1);
    });
    case("currency.json", &["$.currency: "], |body| {
        body["currency"] = json!("EURO");
    });
    case("link.json", &["$.abandoned_checkout_url: is not an absolute https link"], |body| {
        body["abandoned_checkout_url"] = json!("javascript:alert(1)");
    });
    refused(&cases);
}

/// Nobody's address is repeated in a message that may end up in a log.
#[test]
fn a_refused_address_is_not_repeated() {
    let folder = Folder::new();
    let body = checkout(|body| body["customer"]["email"] = json!("aoife.brennan-at-example.com"));
    let file = folder.file("checkout.json", body);
    let told = folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &file]);
    told.failed(1, &["$.customer.email"]);
    assert!(!told.err.contains("aoife"), "{}", told.err);
}

/// No fault of the sender: a cart may belong to nobody we can write to.
#[test]
fn a_cart_without_an_address_begins_nothing_and_says_so() {
    let folder = Folder::new();
    let nobody = checkout(|body| {
        body["customer"] = Value::Null;
        body["email"] = Value::Null;
    });
    let file = folder.file("nobody.json", nobody);
    let told = folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &file]);
    assert!(told.status.success(), "{told:?}");
    assert!(told.out.contains("abandoned-checkout does not begin: the event names no customer"), "{}", told.out);
    let guest = changed("generic-cart-updated-optout", |body| {
        body["payload"]["customer"] = json!({ "id": "C-NEW" });
    });
    let file = folder.file("guest.json", guest);
    let told = folder.run(MORNING, &["trigger", "generic", "cart.updated", &file]);
    assert!(told.status.success(), "{told:?}");
    assert!(told.out.contains("does not begin: the customer has no e-mail address"), "{}", told.out);
    assert_eq!(folder.rows("SELECT run_id FROM runs"), [""; 0]);
    assert_eq!(folder.rows("SELECT state FROM inbox"), ["done", "done"]);
}

/// 2^53 + 1 is the first whole number that a float cannot hold; 2^64 + 1 the first after that which no `u64` can.
#[test]
fn long_ids_are_kept_digit_for_digit() {
    let folder = Folder::new();
    let (customer, order) = ("9007199254740993", "18446744073709551617");
    let body = std::fs::read_to_string(webhook("shopify-orders-fulfilled-jonas")).unwrap();
    let parsed: Value = serde_json::from_str(&body).unwrap();
    let old = |value: &Value| value.to_string();
    let body = body
        .replace(&format!("\"id\": {}", old(&parsed["customer"]["id"])), &format!("\"id\": {customer}"))
        .replace(&format!("\"id\": {}", old(&parsed["id"])), &format!("\"id\": {order}"))
        .replace(parsed["customer"]["email"].as_str().unwrap(), "somebody.new@example.org");
    let file = folder.file("order.json", body);
    let told = folder.run(MORNING, &["trigger", "shopify", "orders/fulfilled", &file, "--wait"]);
    assert!(told.status.success(), "{told:?}");
    let email = "SELECT customer_id FROM customers WHERE email_key = 'somebody.new@example.org'";
    assert_eq!(folder.rows(email), [customer]);
    let placed = "SELECT order_id FROM orders WHERE customer_id = '9007199254740993'";
    assert_eq!(folder.rows(placed), [order]);
    assert_eq!(folder.rows("SELECT occasion FROM runs"), [format!("order:{order}")]);
}
