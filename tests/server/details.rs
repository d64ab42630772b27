//! BigCommerce sends ids: what is stored first, then asked of the shop's API, then worked in.

use kit::message::{Channel, ConsentState};
use kit::{CustomerId, OrderId, ProductId};
use mailwright::server::Secrets;
use mailwright::store::{Connection, InboxState};
use serde_json::{Value, json};
use shop::Source;
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{SECRET, Served, accepted, served, sign};

const TOKEN: &str = "tok_3f2a91c04d7e";

/// The shop's API, and the connection `bc` that may ask it.
async fn connected(served: &Served) -> MockServer {
    let api = MockServer::start().await;
    let shop = served.world.tenant.store.id();
    let secrets = Secrets::of(served.world.folder());
    secrets.keep(shop, "bc", Source::BigCommerce, SECRET).unwrap();
    secrets.keep_api_token(shop, "bc", TOKEN).unwrap();
    let connection = Connection {
        id: "bc".to_owned(),
        source: "bigcommerce".to_owned(),
        domain: "abc123".to_owned(),
        secret_env: None,
        api_base: Some(format!("{}/stores/abc123", api.uri())),
        api_token_env: None,
        created_at: served.world.now(),
    };
    served.world.tenant.store.add_connection(connection, "test").await.unwrap();
    api
}

/// One answer of the API, which must be asked with the token; asked once.
async fn answers(api: &MockServer, at: &str, answer: ResponseTemplate) {
    let asked = Mock::given(method("GET")).and(path(format!("/stores/abc123/{at}"))).and(header("x-auth-token", TOKEN));
    asked.respond_with(answer).expect(1).mount(api).await;
}

async fn tell(served: &Served, scope: &str, hash: &str, data: Value) {
    let at = served.world.now().as_second();
    let body = json!({
        "scope": scope, "store_id": "1", "data": data, "hash": hash, "created_at": at, "producer": "stores/abc123",
    });
    let body = body.to_string();
    let message = [format!("{hash}.{at}.").as_bytes(), body.as_bytes()].concat();
    let sent = served
        .post("/webhooks/bigcommerce/bc")
        .header("webhook-id", hash)
        .header("webhook-timestamp", at)
        .header("webhook-signature", format!("v1,{}", sign(SECRET.as_bytes(), &message)))
        .body(body);
    accepted(sent).await;
}

/// Where an event stands once nobody works on it, and what is noted of it.
async fn ended(served: &Served, hash: &str) -> (InboxState, String) {
    for _ in 0..1200 {
        let event = served.event(&format!("bc:{hash}")).await;
        if !matches!(event.state, InboxState::Received | InboxState::Fetching) {
            return (event.state, event.note.unwrap_or_default());
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{hash} is not worked in");
}

fn order(status: u32, product: &ProductId) -> (Value, Value) {
    let order = json!({
        "id": 250, "cart_id": "09346904-4175-44fd-be53-f7e598531b6c", "status_id": status, "customer_id": 32,
        "date_created": "Tue, 17 Nov 2026 09:00:00 +0000", "date_modified": "Tue, 17 Nov 2026 09:30:00 +0000",
        "date_shipped": "", "currency_code": "EUR", "total_inc_tax": "129.0000", "discount_amount": "0.0000",
        "is_email_opt_in": false,
        "billing_address": { "first_name": "Aoife", "email": "aoife@example.com", "country_iso2": "IE" },
    });
    let products = json!([{
        "id": 1, "order_id": 250, "product_id": product, "variant_id": 0, "name": "Boots", "sku": "",
        "price_inc_tax": "129.0000", "quantity": 1, "quantity_refunded": 0,
    }]);
    (order, products)
}

#[test]
fn an_order_is_asked_for_and_worked_in_like_any_other() {
    served(async |served| {
        let api = connected(&served).await;
        let lead = served.world.shelf.lead();
        let (order, products) = order(10, &lead);
        answers(&api, "v2/orders/250", ResponseTemplate::new(200).set_body_json(order)).await;
        let listed = Mock::given(path("/stores/abc123/v2/orders/250/products")).and(query_param("limit", "250"));
        let listed = listed.and(header("x-auth-token", TOKEN)).and(header("accept", "application/json"));
        listed.respond_with(ResponseTemplate::new(200).set_body_json(products)).expect(1).mount(&api).await;
        tell(&served, "store/order/created", "h1", json!({ "type": "order", "id": 250 })).await;
        let (state, note) = ended(&served, "h1").await;
        assert_eq!(state, InboxState::Done, "{note}");
        let store = &served.world.tenant.store;
        let who = CustomerId::new("32").unwrap();
        let customer = store.customer(&who).await.unwrap().unwrap();
        assert_eq!((customer.first_name.as_deref(), customer.country.as_deref()), (Some("Aoife"), Some("IE")));
        let orders = store.orders_of(&who).await.unwrap();
        assert_eq!(orders.len(), 1);
        assert_eq!((&orders[0].id, orders[0].total.minor), (&OrderId::new("250").unwrap(), 12_900));
        assert_eq!(orders[0].lines[0].product, lead);
        assert_eq!(orders[0].placed_at.to_string(), "2026-11-17T09:00:00Z");
        // A repeat of the same event asks nothing: the mocks expect one request each.
        tell(&served, "store/order/created", "h1", json!({ "type": "order", "id": 250 })).await;
        served.settled().await;
        api.verify().await;
        served.stop().await;
    });
}

#[test]
fn a_busy_shop_is_asked_again_when_it_says_and_nothing_else_waits_for_it() {
    served(async |served| {
        let api = connected(&served).await;
        let busy = ResponseTemplate::new(429).insert_header("X-Rate-Limit-Time-Reset-Ms", "90000");
        let asked = Mock::given(path("/stores/abc123/v3/customers/subscribers/5"));
        asked.respond_with(busy).up_to_n_times(1).expect(1).mount(&api).await;
        tell(&served, "store/subscriber/created", "h2", json!({ "type": "subscriber", "id": 5 })).await;
        for _ in 0..1200 {
            if served.event("bc:h2").await.note.is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        let waiting = served.event("bc:h2").await;
        assert_eq!((waiting.state, waiting.note.as_deref()), (InboxState::Fetching, Some("the shop's API is busy")));
        api.verify().await;
        // Another event is worked in meanwhile.
        let stock =
            json!({ "type": "product", "id": 1, "inventory": { "product_id": 1, "method": "absolute", "value": 3 } });
        tell(&served, "store/product/inventory/updated", "h3", stock).await;
        assert_eq!(ended(&served, "h3").await.0, InboxState::Done);
        let agreed = json!({ "data": { "id": 5, "email": "aoife@example.com", "first_name": "Aoife", "source": "storefront",
            "consents": ["marketing_newsletter"], "date_modified": "2026-11-17T09:00:00+00:00" } });
        answers(&api, "v3/customers/subscribers/5", ResponseTemplate::new(200).set_body_json(agreed)).await;
        served.world.later(1);
        assert_eq!(ended(&served, "h2").await.0, InboxState::Done);
        let store = &served.world.tenant.store;
        let email = kit::person::Email::parse("aoife@example.com").unwrap();
        let who = store.customer_by_email(&email).await.unwrap().unwrap();
        assert_eq!(store.consent(&who.id, Channel::Email).await.unwrap(), ConsentState::Subscribed);
        // Deleted, it is a number and nothing else; whose it was is known.
        tell(&served, "store/subscriber/deleted", "h4", json!({ "type": "subscriber", "id": 5 })).await;
        assert_eq!(ended(&served, "h4").await.0, InboxState::Done);
        assert_eq!(store.consent(&who.id, Channel::Email).await.unwrap(), ConsentState::Withdrawn);
        served.stop().await;
    });
}

#[test]
fn what_cannot_be_had_is_kept_with_the_reason_and_never_guessed() {
    served(async |served| {
        let api = connected(&served).await;
        let (incomplete, products) = order(0, &served.world.shelf.lead());
        answers(&api, "v2/orders/250", ResponseTemplate::new(200).set_body_json(incomplete)).await;
        answers(&api, "v2/orders/250/products", ResponseTemplate::new(200).set_body_json(products)).await;
        answers(&api, "v2/orders/251", ResponseTemplate::new(401).set_body_string(TOKEN)).await;
        answers(&api, "v2/orders/252", ResponseTemplate::new(200).set_body_string("<html>")).await;
        answers(&api, "v3/carts/c-1", ResponseTemplate::new(404)).await;
        for (scope, hash, data, state, told) in [
            ("store/order/created", "h1", json!({ "id": 250 }), InboxState::Done, "not complete yet"),
            ("store/order/updated", "h2", json!({ "id": 251 }), InboxState::Parked, "look at the token"),
            ("store/order/updated", "h3", json!({ "id": 252 }), InboxState::Parked, "no JSON"),
            ("store/cart/updated", "h4", json!({ "id": "c-1" }), InboxState::Done, "gone from the shop"),
            ("store/subscriber/deleted", "h5", json!({ "id": 6 }), InboxState::Parked, "whose it was is not known"),
            ("store/order/updated", "h6", json!({ "id": "../../x" }), InboxState::Parked, "$.data.id"),
        ] {
            tell(&served, scope, hash, data).await;
            let (ended, note) = ended(&served, hash).await;
            assert_eq!(ended, state, "{hash}: {note}");
            assert!(note.contains(told) && !note.contains(TOKEN), "{hash}: {note}");
        }
        api.verify().await;
        served.stop().await;
    });
}
