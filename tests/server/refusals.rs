//! What is not taken, and what the sender is told. Nothing of it is kept.

use std::time::Duration;

use mailwright::server::Limits;
use reqwest::{Body, StatusCode};

use super::{DOMAIN, SECRET, limited, problem, served, sign};

const CART: &[u8] = br#"{"token":"t1","line_items":[]}"#;

#[test]
fn a_signature_that_does_not_fit() {
    served(async |served| {
        let wrong = served.post("/webhooks/shopify/main").header("x-shopify-topic", "carts/update");
        let cases = [
            (wrong.try_clone().unwrap().body(CART), "is missing"),
            (wrong.try_clone().unwrap().header("x-shopify-hmac-sha256", "no base64!").body(CART), "cannot be read"),
            (
                wrong.try_clone().unwrap().header("x-shopify-hmac-sha256", sign(b"other", CART)).body(CART),
                "does not fit",
            ),
            (
                wrong.header("x-shopify-hmac-sha256", sign(SECRET.as_bytes(), CART)).body([CART, b" "].concat()),
                "does not fit",
            ),
        ];
        for (sent, said) in cases {
            let (status, detail) = problem(sent).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            assert!(detail.contains(said), "{detail}");
        }
        // Signed long ago, by our clock.
        let stale = served.standard("msg_1", CART);
        served.world.later(1);
        let (status, detail) = problem(stale).await;
        assert_eq!((status, detail.contains("5 minutes")), (StatusCode::UNAUTHORIZED, true));
        assert_eq!(served.inbox().await, []);
        served.stop().await;
    });
}

#[test]
fn a_body_that_is_no_json() {
    served(async |served| {
        let deep = [vec![b'['; 100], vec![b']'; 100]].concat();
        let bodies: [(&[u8], &str); 6] = [
            (b"", "not JSON"),
            (b"{\"token\":", "not JSON"),
            (b"\xff\xfe", "not UTF-8"),
            (&deep, "nested deeper"),
            (b"{} {}", "not JSON"),
            (b"hello", "not JSON"),
        ];
        for (body, said) in bodies {
            let (status, detail) = problem(served.shopify("carts/update", "e1", body)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{detail}");
            assert!(detail.contains(said), "{detail}");
        }
        assert_eq!(served.inbox().await, []);
        served.stop().await;
    });
}

#[test]
fn a_body_that_is_too_large() {
    served(async |served| {
        let body = vec![b' '; shop::MAX_BODY_BYTES + 1];
        let (status, detail) = problem(served.shopify("carts/update", "e1", &body)).await;
        assert_eq!((status, detail.contains("at most 1048576 bytes")), (StatusCode::PAYLOAD_TOO_LARGE, true));
        assert_eq!(served.inbox().await, []);
        served.stop().await;
    });
}

#[test]
fn another_content_type_or_a_compressed_one() {
    served(async |served| {
        let sent = |kind: &str, encoding: &str| {
            let url = format!("{}/webhooks/shopify/main", served.url);
            served
                .client
                .post(url)
                .header("content-type", kind.to_owned())
                .header("content-encoding", encoding.to_owned())
                .header("x-shopify-topic", "carts/update")
                .header("x-shopify-hmac-sha256", sign(SECRET.as_bytes(), CART))
                .body(CART)
        };
        for (kind, encoding) in [("text/plain", ""), ("application/json", "gzip"), ("", "")] {
            let (status, _) = problem(sent(kind, encoding)).await;
            assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind} {encoding}");
        }
        super::accepted(sent("application/json; charset=utf-8", "identity")).await;
        served.stop().await;
    });
}

#[test]
fn what_does_not_say_its_topic_or_is_for_another_shop() {
    served(async |served| {
        let signed = |body: &'static [u8]| {
            served
                .post("/webhooks/shopify/main")
                .header("x-shopify-hmac-sha256", sign(SECRET.as_bytes(), body))
                .body(body)
        };
        let (status, detail) = problem(signed(CART)).await;
        assert_eq!((status, detail.contains("X-Shopify-Topic is missing")), (StatusCode::BAD_REQUEST, true));
        let other = signed(CART).header("x-shopify-topic", "carts/update").header("x-shopify-shop-domain", "other");
        let (status, detail) = problem(other).await;
        assert_eq!((status, detail.contains("another shop")), (StatusCode::BAD_REQUEST, true));
        assert_eq!(served.inbox().await, []);
        served.stop().await;
    });
}

/// Topics are not under the signature: a signed body of another topic must not erase or stop anything.
#[test]
fn a_signed_body_cannot_be_turned_into_an_erasure() {
    served(async |served| {
        let order = br#"{"id":1,"customer":{"id":7,"email":"a@example.com"},"line_items":[]}"#;
        let request = format!(
            r#"{{"shop_id":1,"shop_domain":"{DOMAIN}","customer":{{"id":7}},"orders_requested":[],"data_request":{{"id":9}}}}"#
        );
        let elsewhere =
            r#"{"shop_id":1,"shop_domain":"other.myshopify.com","customer":{"id":7},"orders_to_redact":[]}"#;
        for topic in ["customers/redact", "shop/redact", "customers/data_request", "app/uninstalled"] {
            let (status, detail) = problem(served.shopify(topic, "e1", order)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert!(detail.contains(&format!("the body is not one of {topic}")), "{detail}");
        }
        let (status, _) = problem(served.shopify("customers/redact", "e2", request.as_bytes())).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let (status, detail) = problem(served.shopify("customers/redact", "e3", elsewhere.as_bytes())).await;
        assert_eq!((status, detail.contains("another shop")), (StatusCode::BAD_REQUEST, true));
        assert_eq!(served.inbox().await, []);
        assert_eq!(served.world.tenant.store.kill_switches().await.unwrap(), []);
        served.stop().await;
    });
}

#[test]
fn nobody_is_there() {
    served(async |served| {
        for path in ["/webhooks/shopify/other", "/webhooks/nobody/main", "/webhooks/woocommerce/main", "/elsewhere"] {
            let (status, _) = problem(served.post(path).body(CART)).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
        served.stop().await;
    });
}

#[test]
fn when_there_is_no_room_the_sender_comes_again() {
    limited(Limits { webhooks: 0, ..Limits::default() }, async |served| {
        let response = served.shopify("carts/update", "e1", CART).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(served.inbox().await, []);
        served.stop().await;
    });
}

#[test]
fn when_storage_does_not_take_it_nothing_is_acknowledged() {
    served(async |served| {
        // Once through, so that the connection is known without the store.
        super::accepted(served.shopify("carts/update", "e0", CART)).await;
        served.settled().await;
        served.world.store().clone().close().await;
        let response = served.shopify("carts/update", "e1", br#"{"token":"t2","line_items":[]}"#).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
        served.stop().await;
    });
}

#[test]
fn a_body_that_does_not_end() {
    limited(Limits { body: Duration::from_millis(50), ..Limits::default() }, async |served| {
        let never = tokio_stream_of_one(b"{");
        let (status, _) = problem(served.post("/webhooks/shopify/main").body(never)).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
        served.stop().await;
    });
}

/// A body of which one piece comes and then nothing.
fn tokio_stream_of_one(piece: &'static [u8]) -> Body {
    struct Never(Option<&'static [u8]>);
    impl http_body::Body for Never {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
            match self.0.take() {
                Some(piece) => {
                    std::task::Poll::Ready(Some(Ok(http_body::Frame::data(bytes::Bytes::from_static(piece)))))
                }
                None => std::task::Poll::Pending,
            }
        }
    }
    Body::wrap(Never(Some(piece)))
}
