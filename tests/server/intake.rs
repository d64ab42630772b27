//! What is taken: stored before the answer, once, worked in afterwards.

use kit::{CustomerId, ProductId};
use mailwright::store::{InboxState, RunState};
use serde_json::json;

use super::{DOMAIN, SECRET, Served, accepted, served, sign};

fn cart(served: &Served, reader: &CustomerId, event: &str) -> Vec<u8> {
    let lead: ProductId = served.world.shelf.lead();
    let item = served.world.item(&lead);
    let price = served.world.price_of(&lead);
    let who = served.world.who(reader);
    serde_json::to_vec(&json!({
        "event": "checkout.started", "id": event, "triggered_at": served.world.now().to_string(),
        "payload": {
            "cart_id": format!("cart-{event}"),
            "customer": { "id": reader, "email": who.email },
            "cart": { "items": [item], "total_value": format!("{}.{:02}", price / 100, price % 100) },
        },
    }))
    .unwrap()
}

#[test]
fn a_webhook_becomes_a_run() {
    served(async |served| {
        let reader = served.world.reader().await;
        let body = cart(&served, &reader, "evt_1");
        accepted(served.standard("msg_1", &body)).await;
        served.settled().await;
        let event = served.event("std:evt_1").await;
        assert_eq!((event.state, event.body == body), (InboxState::Done, true), "{:?}", event.note);
        let runs = served.world.tenant.store.runs(10).await.unwrap();
        assert_eq!(
            runs.iter().map(|run| (&run.customer, run.state)).collect::<Vec<_>>(),
            [(&reader, RunState::Delayed)]
        );
        served.stop().await;
    });
}

/// The whole way: webhook, timer, mail; without anybody but the server at work.
#[test]
fn the_workers_send_the_mail_when_it_is_due() {
    served(async |served| {
        let reader = served.world.reader().await;
        accepted(served.standard("msg_1", &cart(&served, &reader, "evt_1"))).await;
        served.settled().await;
        served.world.later(3);
        for _ in 0..2400 {
            if !served.world.outbox().is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        let world = served.stop().await;
        assert_eq!(world.outbox().len(), 1);
        let runs = world.tenant.store.runs(10).await.unwrap();
        assert_eq!(runs.iter().map(|run| run.state).collect::<Vec<_>>(), [RunState::Done]);
    });
}

#[test]
fn a_repeat_is_stored_once_under_whatever_id() {
    served(async |served| {
        let body = br#"{"token":"t1","line_items":[],"note":"one"}"#;
        for id in ["e1", "e1", "e2"] {
            accepted(served.shopify("carts/update", id, body)).await;
        }
        served.settled().await;
        let rows = served.inbox().await;
        assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["main:e1"]);
        // Another topic makes another event of the same body: orders/create and orders/paid are like that.
        accepted(served.shopify("carts/create", "e3", body)).await;
        assert_eq!(served.inbox().await.len(), 2);
        served.stop().await;
    });
}

#[test]
fn another_body_under_the_same_id_is_kept_for_a_person() {
    served(async |served| {
        accepted(served.shopify("carts/update", "e1", br#"{"token":"t1","line_items":[]}"#)).await;
        for _ in 0..2 {
            accepted(served.shopify("carts/update", "e1", br#"{"token":"t2","line_items":[]}"#)).await;
        }
        served.settled().await;
        let rows = served.inbox().await;
        let odd = rows.iter().find(|row| row.id.as_str() != "main:e1").unwrap();
        assert_eq!((rows.len(), odd.state), (2, InboxState::Parked));
        assert!(odd.note.as_deref().unwrap().contains("under the id of another event (main:e1)"));
        served.stop().await;
    });
}

/// Two events of one sender that signs its ids may have the same body.
#[test]
fn signed_ids_count_more_than_bodies() {
    served(async |served| {
        let body = br#"{"event":"nothing.known","triggered_at":"2026-11-17T10:00:00Z","payload":{}}"#;
        accepted(served.standard("msg_1", body)).await;
        accepted(served.standard("msg_2", body)).await;
        accepted(served.standard("msg_2", body)).await;
        let ids: Vec<String> = served.inbox().await.into_iter().map(|row| row.id.to_string()).collect();
        assert_eq!(ids, ["std:msg_1", "std:msg_2"]);
        served.stop().await;
    });
}

/// What cannot be read is acknowledged, kept and named: its sender can do nothing about it.
#[test]
fn what_cannot_be_worked_in_is_parked_with_the_reason() {
    served(async |served| {
        accepted(served.shopify("themes/publish", "e1", b"{}")).await;
        accepted(served.shopify("orders/create", "e2", br#"{"id":1}"#)).await;
        let big = br#"{"scope":"store/order/created","store_id":"1","data":{"type":"order","id":250},"hash":"h1","created_at":1779012000,"producer":"stores/abc123"}"#;
        let at = served.world.now().as_second();
        let message = [format!("m1.{at}.").as_bytes(), big.as_slice()].concat();
        let sent = served
            .post("/webhooks/bigcommerce/big")
            .header("webhook-id", "m1")
            .header("webhook-timestamp", at)
            .header("webhook-signature", format!("v1,{}", sign(SECRET.as_bytes(), &message)))
            .body(big.to_vec());
        accepted(sent).await;
        served.settled().await;
        let rows = served.inbox().await;
        let said: Vec<(&str, InboxState, &str)> =
            rows.iter().map(|row| (row.id.as_str(), row.state, row.note.as_deref().unwrap())).collect();
        assert_eq!(
            said.iter().map(|row| (row.0, row.1)).collect::<Vec<_>>(),
            [("big:h1", InboxState::Parked), ("main:e1", InboxState::Parked), ("main:e2", InboxState::Parked)]
        );
        assert!(said[0].2.starts_with("no BigCommerce connection has access to the API"), "{}", said[0].2);
        assert!(said[1].2.starts_with("unsupported topic `themes/publish`"), "{}", said[1].2);
        assert!(said[2].2.contains("missing field"), "{}", said[2].2);
        served.stop().await;
    });
}

/// The newer family of Shopify's headers, another content type of JSON, WooCommerce and a generic HMAC.
#[test]
fn every_door_is_open_to_its_own() {
    served(async |served| {
        let body = br#"{"token":"t1","line_items":[]}"#;
        let tag = sign(SECRET.as_bytes(), body);
        let new = served
            .post("/webhooks/shopify/main")
            .header("shopify-topic", "carts/update")
            .header("shopify-event-id", "n1")
            .header("shopify-shop-domain", DOMAIN)
            .header("shopify-hmac-sha256", &tag)
            .body(body.to_vec());
        accepted(new).await;
        let woo =
            br#"{"id":25,"email":"john@example.com","first_name":"John","date_modified_gmt":"2026-11-17T09:00:00"}"#;
        let sent = served
            .post("/webhooks/woocommerce/woo")
            .header("x-wc-webhook-topic", "customer.updated")
            .header("x-wc-webhook-id", "142")
            .header("x-wc-webhook-delivery-id", "d1")
            .header("x-wc-webhook-signature", sign(SECRET.as_bytes(), woo))
            .body(woo.to_vec());
        accepted(sent).await;
        // The first thing WooCommerce sends is a form, unsigned: it must be answered and means nothing.
        let ping = served
            .client
            .post(format!("{}/webhooks/woocommerce/woo", served.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("webhook_id=142");
        accepted(ping).await;
        let view = br#"{"event":"nothing.known","id":"v1","triggered_at":"2026-11-17T09:00:00Z","payload":{}}"#;
        let hex: String = {
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
            aws_lc_rs::hmac::sign(&key, view).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let any = served.post("/webhooks/generic/any").header("x-webhook-signature", format!("sha256={hex}"));
        accepted(any.body(view.to_vec())).await;
        served.settled().await;
        let rows: Vec<(String, InboxState)> =
            served.inbox().await.into_iter().map(|row| (row.id.to_string(), row.state)).collect();
        assert_eq!(
            rows,
            [
                ("any:v1".to_owned(), InboxState::Parked),
                ("main:n1".to_owned(), InboxState::Done),
                ("woo:142:d1".to_owned(), InboxState::Done)
            ]
        );
        let john = served.world.tenant.store.customer(&CustomerId::new("25").unwrap()).await.unwrap().unwrap();
        assert_eq!(john.first_name.as_deref(), Some("John"));
        served.stop().await;
    });
}
