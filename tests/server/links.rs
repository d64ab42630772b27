//! Unsubscribe links and the places that answer without a key.

use kit::message::{Channel, ConsentState};
use reqwest::StatusCode;

use super::{Served, problem, served};
use crate::world::only_run;

/// A mail was sent; the path of its unsubscribe link on this server.
async fn link(served: &mut Served) -> (kit::CustomerId, String) {
    let reader = served.world.reader().await;
    let basket = served.world.basket(&reader, &[served.world.shelf.lead()]);
    let run = only_run(&served.world.fire(&basket).await);
    let mail = served.world.in_time(&run).await.mail();
    let header = mail.header("List-Unsubscribe").unwrap();
    let token = header.trim_matches(['<', '>']).rsplit('/').next().unwrap().to_owned();
    (reader, format!("{}/u/{token}", served.url))
}

#[test]
fn a_look_changes_nothing_and_a_click_ends_it() {
    served(async |mut served| {
        let (reader, url) = link(&mut served).await;
        let consent = async || served.world.tenant.store.consent(&reader, Channel::Email).await.unwrap();
        for _ in 0..2 {
            let page = served.client.get(&url).send().await.unwrap();
            assert_eq!(page.status(), StatusCode::OK);
            assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
            assert!(page.text().await.unwrap().contains("<form method=\"post\">"));
            assert_eq!(consent().await, ConsentState::Subscribed);
        }
        // As RFC 8058 has it: a form, no cookie, no login; twice is once.
        for _ in 0..2 {
            let click = served.client.post(&url).header("content-type", "application/x-www-form-urlencoded");
            let done = click.body("List-Unsubscribe=One-Click").send().await.unwrap();
            assert_eq!(done.status(), StatusCode::OK);
            assert_eq!(consent().await, ConsentState::Withdrawn);
        }
        served.stop().await;
    });
}

#[test]
fn a_link_that_is_none_of_ours() {
    served(async |served| {
        let made_up = "0123456789012345678901234567890123456789";
        for token in [made_up, "short", "..%2f..%2fetc"] {
            let url = format!("{}/u/{token}", served.url);
            assert_eq!(problem(served.client.post(&url)).await.0, StatusCode::NOT_FOUND);
            assert_eq!(problem(served.client.get(&url)).await.0, StatusCode::NOT_FOUND);
        }
        served.stop().await;
    });
}

#[test]
fn health_is_told_without_a_key() {
    served(async |served| {
        let get = async |path: &str| served.client.get(format!("{}{path}", served.url)).send().await.unwrap().status();
        assert_eq!(get("/healthz").await, StatusCode::OK);
        for _ in 0..200 {
            if get("/readyz").await == StatusCode::OK {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        assert_eq!(get("/readyz").await, StatusCode::OK);
        served.world.store().clone().close().await;
        assert_eq!(get("/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(get("/healthz").await, StatusCode::OK);
        served.stop().await;
    });
}
