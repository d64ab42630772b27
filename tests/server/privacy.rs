//! Requests about a person's data: told to the shop, or gone from everywhere.

use std::fs;
use std::path::Path;

use kit::CustomerId;
use mailwright::store::InboxState;
use serde_json::{Value, json};

use super::{DOMAIN, Served, accepted, problem, served};
use crate::world::only_run;

/// The reader's own words, which may be nowhere after the erasure.
async fn with_a_mail(served: &mut Served) -> (CustomerId, String) {
    let reader = served.world.reader().await;
    let lead = served.world.shelf.lead();
    let basket = served.world.basket(&reader, std::slice::from_ref(&lead));
    let run = only_run(&served.world.fire(&basket).await);
    served.world.in_time(&run).await.mail();
    served.world.buys(&reader, &[lead]).await;
    let email = served.world.who(&reader).email.unwrap();
    (reader, email)
}

fn request(kind: &str, reader: &CustomerId, email: &str) -> Vec<u8> {
    let mut body = json!({ "shop_id": 954889, "shop_domain": DOMAIN, "customer": { "id": reader, "email": email } });
    if kind == "orders_requested" {
        body["data_request"] = json!({ "id": 9999 });
    }
    body[kind] = json!([]);
    serde_json::to_vec(&body).unwrap()
}

/// Every file of the folder that holds these bytes; the write-ahead log is folded in first.
fn files_with(dir: &Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_with(&entry.path(), needle));
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            if bytes.windows(needle.len()).any(|window| window == needle.as_bytes()) {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found
}

#[test]
fn an_erased_person_is_nowhere_and_does_not_come_back() {
    served(async |mut served| {
        let (reader, email) = with_a_mail(&mut served).await;
        // An event that is about nobody yet, and one that cannot be read: both name the person.
        let odd = format!(
            r#"{{"event":"nothing.known","triggered_at":"2026-11-17T10:00:00Z","payload":{{"mail":"{email}"}}}}"#
        );
        accepted(served.standard("odd_1", odd.as_bytes())).await;
        accepted(served.shopify("customers/redact", "r1", &request("orders_to_redact", &reader, &email))).await;
        served.settled().await;
        let event = served.event("main:r1").await;
        assert_eq!((event.state, event.body.len()), (InboxState::Done, 0), "{:?}", event.note);
        assert_eq!(event.note.as_deref(), Some("erased, with 1 message(s)"));
        let store = served.world.tenant.store.clone();
        assert_eq!(store.customer(&reader).await.unwrap(), None);
        assert_eq!(store.orders_of(&reader).await.unwrap(), []);
        assert_eq!(served.world.outbox(), []);
        let sends = store.sends(10).await.unwrap();
        assert_eq!(sends.len(), 1);
        assert!(sends[0].customer.as_str().starts_with("erased-"));
        for run in store.runs(10).await.unwrap() {
            assert_eq!(store.journal(&run.id).await.unwrap(), []);
        }
        // Late and repeated events of that person are taken, and change nothing.
        let again = served.world.basket(&reader, &[served.world.shelf.lead()]);
        let intake = served.world.fire(&again).await;
        assert!(intake.runs.is_empty(), "{intake:?}");
        assert_eq!(store.customer(&reader).await.unwrap(), None);
        accepted(served.shopify("customers/redact", "r1", &request("orders_to_redact", &reader, &email))).await;
        served.stop().await;
    });
}

/// The database is rewritten, so that what was deleted is not in its free pages either; nothing else holds the address.
#[test]
fn no_byte_of_an_erased_address_stays_in_the_folder() {
    served(async |mut served| {
        let (reader, email) = with_a_mail(&mut served).await;
        assert!(!files_with(served.world.folder(), &email).is_empty());
        accepted(served.shopify("customers/redact", "r1", &request("orders_to_redact", &reader, &email))).await;
        served.settled().await;
        let folder = served.world.folder().to_owned();
        let world = served.stop().await;
        world.store().clone().close().await;
        assert_eq!(files_with(&folder, &email), [] as [&str; 0]);
        drop(world);
    });
}

#[test]
fn what_is_stored_about_a_person_is_put_into_a_file() {
    served(async |mut served| {
        let (reader, email) = with_a_mail(&mut served).await;
        served.world.ticket_saying(&reader, "Too small, can I send it back?", true).await;
        accepted(served.shopify("customers/data_request", "d1", &request("orders_requested", &reader, &email))).await;
        served.settled().await;
        let note = served.event("main:d1").await.note.unwrap();
        let file = note.strip_prefix("what is stored is in ").unwrap().split_once(": hand it").unwrap().0;
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).unwrap().permissions()) & 0o777, 0o600);
        let told: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!(told[0]["customer"]["email"], email);
        assert_eq!(told[0]["orders"].as_array().unwrap().len(), 1);
        let wrote = &told[0]["wrote_about"][0];
        assert_eq!((&wrote["wrote"], &wrote["topics"]), (&json!("ticket"), &json!(["fit", "returns"])));
        let text = told[0]["rest"]["messages"][0]["message"]["text"].as_str().unwrap();
        assert_eq!(text.trim(), served.world.outbox()[0].text.trim());
        assert!(told[0]["rest"]["consents"].as_array().is_some_and(|consents| !consents.is_empty()));
        assert!(told[0]["rest"]["events"].as_array().is_some_and(|events| events.len() >= 2));
        served.stop().await;
    });
}

#[test]
fn an_erased_shop_has_nobody_and_sends_nothing() {
    served(async |mut served| {
        let (reader, _) = with_a_mail(&mut served).await;
        let body = json!({ "shop_id": 1, "shop_domain": DOMAIN }).to_string();
        accepted(served.shopify("shop/redact", "s1", body.as_bytes())).await;
        served.settled().await;
        let store = served.world.tenant.store.clone();
        assert_eq!(store.event(&kit::EventId::new("main:s1").unwrap()).await.unwrap().unwrap().state, InboxState::Done);
        assert_eq!(store.customer(&reader).await.unwrap(), None);
        assert_eq!((store.runs(9).await.unwrap().len(), store.sends(9).await.unwrap().len()), (0, 0));
        assert_eq!(store.products().await.unwrap(), []);
        assert_eq!(store.kill_switches().await.unwrap()[0].scope, "shop");
        assert_eq!(served.world.outbox(), []);
        // Its connections are gone as well, once they are looked up again.
        served.world.later(1);
        let (status, _) = problem(served.shopify("carts/update", "e1", b"{\"token\":\"t1\",\"line_items\":[]}")).await;
        assert_eq!(status, reqwest::StatusCode::NOT_FOUND);
        served.stop().await;
    });
}
