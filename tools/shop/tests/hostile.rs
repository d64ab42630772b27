//! Bodies that nobody should send: limits, garbage, and samples with bytes changed at random.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{read, refused};
use mailwright_shop::{Fault, MAX_BODY_BYTES, MAX_DEPTH, Source, WebhookError};
use proptest::prelude::*;

const CHECKOUT: &str = r#"{"token":"t","cart_token":null,"email":"a@b.ie","currency":"USD","created_at":"2026-05-15T14:00:00Z",
"line_items":[{"product_id":704912205188288575,"title":"Tent","quantity":1,"price":"10.50","line_price":"10.50"}],
"total_line_items_price":"10.50","customer":{"id":603851970716743400,"email":"a@b.ie","default_address":{"country_code":"CA"}}}"#;

#[test]
fn limits_are_named() {
    let checkout = |body: &[u8]| read(Source::Shopify, "checkouts/create", body).unwrap_err();
    let big = vec![b' '; MAX_BODY_BYTES + 1];
    assert_eq!(checkout(&big), WebhookError::TooLarge { bytes: MAX_BODY_BYTES + 1, limit: MAX_BODY_BYTES });
    assert_eq!(checkout(b"{\"a\":\"\xff\"}"), WebhookError::NotUtf8 { at: 6 });
    let deep = format!("{{\n\"a\":{}", "[".repeat(MAX_DEPTH));
    assert_eq!(checkout(deep.as_bytes()), WebhookError::TooDeep { limit: MAX_DEPTH, line: 2, column: 4 + MAX_DEPTH });
    // Brackets inside a string are words.
    let words = CHECKOUT.replace("Tent", &"[\\\"{".repeat(MAX_DEPTH));
    assert!(read(Source::Shopify, "checkouts/create", words.as_bytes()).is_ok());
    let marked = format!("\u{feff}{CHECKOUT}");
    assert!(read(Source::Shopify, "checkouts/create", marked.as_bytes()).is_ok());
}

#[test]
fn what_is_no_json_is_named_by_line_and_column() {
    insta::assert_snapshot!(
        [
            refused(Source::Shopify, "checkouts/create", ""),
            refused(Source::Shopify, "checkouts/create", "{\n\"token\": }"),
            refused(Source::Shopify, "checkouts/create", "<xml/>"),
            refused(Source::Shopify, "checkouts/create", "[]"),
            refused(Source::Shopify, "checkouts/create", &format!("{CHECKOUT} {{}}")),
            refused(
                Source::Shopify,
                "checkouts/create",
                &CHECKOUT.replace("\"currency\":", "\"email\":\"c@d.ie\",\"currency\":")
            ),
            refused(Source::Shopify, "app/uninstalled", "7"),
            "myspace".parse::<Source>().unwrap_err().to_string(),
        ]
        .join("\n")
    );
}

#[test]
fn ids_are_refused_when_they_are_no_ids() {
    for bad in ["1e3", "-5", "true", "{}", "[1]"] {
        let body = CHECKOUT.replace("603851970716743400", bad);
        let said = read(Source::Shopify, "checkouts/create", body.as_bytes()).unwrap_err();
        assert!(
            matches!(&said, WebhookError::Field { path, fault: Fault::Shape { .. } } if path == "$.customer.id"),
            "{said}"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200), pick in 0usize..31) {
        let all: Vec<_> = Source::ALL.into_iter().flat_map(|s| s.topics().iter().map(move |(t, _)| (s, *t))).collect();
        let (source, topic) = all[pick];
        let _ = read(source, topic, &body);
    }

    #[test]
    fn changed_bytes_never_panic(at in 0usize..CHECKOUT.len(), byte in any::<u8>(), cut in 0usize..CHECKOUT.len()) {
        let mut body = CHECKOUT.as_bytes().to_vec();
        body[at] = byte;
        let _ = read(Source::Shopify, "checkouts/create", &body);
        body.truncate(cut);
        let _ = read(Source::Shopify, "checkouts/create", &body);
    }

    #[test]
    fn numbers_of_any_length_survive_as_ids(digits in "[1-9][0-9]{0,60}") {
        let body = CHECKOUT.replace("603851970716743400", &digits);
        let event = read(Source::Shopify, "checkouts/create", body.as_bytes()).unwrap();
        prop_assert_eq!(String::from(event.customer.unwrap().id.unwrap()), digits);
    }
}
