//! The API: who may what, what it answers, and its document.

use kit::Role;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{Served, problem};
use crate::world::{Fate, Terms, only_run};
use mailwright::server::Limits;

pub(super) fn asked(served: &Served, method: Method, path: &str, token: &str) -> RequestBuilder {
    served.client.request(method, format!("{}/api/v1{path}", served.url)).bearer_auth(token)
}

pub(super) async fn got(sent: RequestBuilder) -> Value {
    let response = sent.send().await.unwrap();
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

/// A server of a shop in which a message waits for a person.
fn with_a_pending_message(story: impl AsyncFnOnce(Served, kit::RunId)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = Terms::of(11).trust("review").open().await;
        let reader = world.reader().await;
        let basket = world.basket(&reader, &[world.shelf.lead()]);
        let run = only_run(&world.fire(&basket).await);
        assert!(matches!(world.in_time(&run).await, Fate::Waiting(_)));
        story(Served::with(world, Limits::default()).await, run).await;
    });
}

#[test]
fn nobody_gets_in_without_a_token() {
    super::served(async |served| {
        let url = format!("{}/api/v1/runs", served.url);
        for sent in [
            served.client.get(&url),
            served.client.get(&url).bearer_auth("mw_made_up"),
            served.client.get(&url).basic_auth("admin", Some("admin")),
        ] {
            let response = sent.try_clone().unwrap().send().await.unwrap();
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            assert_eq!(problem(sent).await.0, StatusCode::UNAUTHORIZED);
        }
        let token = served.token(Role::Viewer).await;
        assert_eq!(got(asked(&served, Method::GET, "/runs", &token)).await, json!([]));
        let store = &served.world.tenant.store;
        let id = store.tokens().await.unwrap()[0].id.clone();
        assert!(store.revoke_token(&id, "test", served.world.now()).await.unwrap());
        assert_eq!(problem(asked(&served, Method::GET, "/runs", &token)).await.0, StatusCode::UNAUTHORIZED);
        served.stop().await;
    });
}

#[test]
fn every_role_does_what_it_may() {
    with_a_pending_message(async |served, _| {
        let pending = served.world.asked().await.record.id;
        let approve = format!("/approvals/{pending}/approve");
        for (role, method, path, body, needed) in [
            (Role::Viewer, Method::POST, approve.as_str(), json!({}), "approver"),
            (Role::Marketer, Method::POST, &approve, json!({}), "approver"),
            (Role::Approver, Method::PUT, "/kill/shop", json!({ "reason": "x" }), "admin"),
            (Role::Approver, Method::DELETE, "/kill/shop", json!({}), "admin"),
            (Role::Approver, Method::POST, "/inbox/e1/retry", json!({}), "admin"),
        ] {
            let token = served.token(role).await;
            let (status, detail) = problem(asked(&served, method, path, &token).json(&body)).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
            assert!(detail.starts_with(&format!("this takes the role {needed}")), "{detail}");
        }
        assert_eq!(served.world.asked().await.record.id, pending);
        served.stop().await;
    });
}

#[test]
fn a_message_is_approved_and_leaves() {
    with_a_pending_message(async |served, run| {
        let token = served.token(Role::Approver).await;
        let listed = got(asked(&served, Method::GET, "/approvals", &token)).await;
        assert_eq!((listed.as_array().unwrap().len(), &listed[0]["state"]), (1, &json!("pending")));
        let id = listed[0]["approval"].as_str().unwrap().to_owned();
        let shown = got(asked(&served, Method::GET, &format!("/approvals/{id}"), &token)).await;
        assert_eq!(shown["message"], listed[0]["message"]);
        assert_eq!(shown["missing"], json!(["message (marketing-ops: anybody who may approve)"]));
        let approve = || asked(&served, Method::POST, &format!("/approvals/{id}/approve"), &token);
        let (status, detail) = problem(approve()).await;
        assert_eq!(status, StatusCode::PRECONDITION_REQUIRED, "{detail}");
        let (status, detail) =
            problem(approve().header("if-match", "\"2-000000000000-000000000000-000000000000\"")).await;
        assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{detail}");
        assert!(detail.contains("it is pending now (version 1, you saw 2)"), "{detail}");
        let saw = format!("\"{}\"", shown["seen"].as_str().unwrap());
        let tag = asked(&served, Method::GET, &format!("/approvals/{id}"), &token).send().await.unwrap();
        assert_eq!(tag.headers()["etag"], saw);
        let done = got(approve().header("if-match", &saw)).await;
        let until = served.world.now().to_string();
        assert_eq!(done, json!({ "approval": id, "state": "approved", "run": run, "recallable_until": until }));
        let again = problem(approve().header("if-match", &saw)).await;
        assert_eq!(again.0, StatusCode::CONFLICT);
        for _ in 0..2400 {
            if !served.world.outbox().is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        let sends = got(asked(&served, Method::GET, "/sends", &token)).await;
        assert_eq!((&sends[0]["run"], &sends[0]["approval"]), (&json!(run), &json!(id)));
        let key = sends[0]["key"].as_str().unwrap();
        let send = got(asked(&served, Method::GET, &format!("/sends/{key}"), &token)).await;
        assert_eq!(send["subject"], served.world.outbox()[0].subject);
        let detail = got(asked(&served, Method::GET, &format!("/runs/{run}"), &token)).await;
        assert!(detail["steps"].as_array().unwrap().len() > 3);
        assert_eq!(detail["run"], json!(run));
        served.stop().await;
    });
}

#[test]
fn a_rejection_needs_its_reason() {
    with_a_pending_message(async |served, run| {
        let token = served.token(Role::Approver).await;
        let id = served.world.asked().await.record.id;
        let path = format!("/approvals/{id}/reject");
        let reject = |body: Value| asked(&served, Method::POST, &path, &token).json(&body);
        assert_eq!(problem(reject(json!({ "reason": "" }))).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem(reject(json!({ "why": "x" }))).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        let bare = asked(&served, Method::POST, &path, &token);
        assert_eq!(problem(bare).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let done = got(reject(json!({ "reason": "too soon after the complaint" }))).await;
        assert_eq!(done, json!({ "approval": id, "state": "rejected", "run": run }));
        served.stop().await;
    });
}

#[test]
fn sending_is_stopped_and_goes_on() {
    super::served(async |served| {
        let token = served.token(Role::Admin).await;
        let on = asked(&served, Method::PUT, "/kill/shop", &token).json(&json!({ "reason": "wrong prices" }));
        let told = got(on).await;
        assert_eq!((&told[0]["scope"], &told[0]["by"]), (&json!("shop"), &json!("user:nora")));
        assert_eq!(got(asked(&served, Method::GET, "/kill", &token)).await, told);
        assert_eq!(got(asked(&served, Method::DELETE, "/kill/shop", &token)).await, json!([]));
        assert_eq!(problem(asked(&served, Method::DELETE, "/kill/shop", &token)).await.0, StatusCode::NOT_FOUND);
        let odd = asked(&served, Method::PUT, "/kill/flow:none", &token).json(&json!({ "reason": "x" }));
        assert_eq!(problem(odd).await.0, StatusCode::BAD_REQUEST);
        served.stop().await;
    });
}

#[test]
fn parked_events_are_listed_and_put_back() {
    super::served(async |served| {
        super::accepted(served.shopify("themes/publish", "e1", b"{}")).await;
        let token = served.token(Role::Admin).await;
        let parked = got(asked(&served, Method::GET, "/inbox?state=parked", &token)).await;
        assert_eq!((&parked[0]["event"], &parked[0]["topic"]), (&json!("main:e1"), &json!("themes/publish")));
        assert_eq!(got(asked(&served, Method::GET, "/inbox?state=done", &token)).await, json!([]));
        assert_eq!(problem(asked(&served, Method::GET, "/inbox?state=odd", &token)).await.0, StatusCode::BAD_REQUEST);
        let retry = asked(&served, Method::POST, "/inbox/main:e1/retry", &token).send().await.unwrap();
        assert_eq!(retry.status(), StatusCode::ACCEPTED);
        served.settled().await;
        let again = served.event("main:e1").await;
        assert!(again.note.unwrap().starts_with("unsupported topic"));
        let none = asked(&served, Method::POST, "/inbox/main:e2/retry", &token);
        assert_eq!(problem(none).await.0, StatusCode::NOT_FOUND);
        served.stop().await;
    });
}

#[test]
fn the_document_is_what_the_server_does() {
    super::served(async |served| {
        let document: Value = served
            .client
            .get(format!("{}/api/v1/openapi.json", served.url))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let token = served.token(Role::Viewer).await;
        for (path, operations) in document["paths"].as_object().unwrap() {
            let path = path.strip_prefix("/api/v1").unwrap().replace("{scope}", "shop");
            let path = path.replace("{id}", "x").replace("{key}", "x");
            for method in operations.as_object().unwrap().keys() {
                let method: Method = method.to_uppercase().parse().unwrap();
                let response = asked(&served, method.clone(), &path, &token).send().await.unwrap();
                assert_ne!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                let body: Value = response.json().await.unwrap();
                assert!(!body["detail"].as_str().unwrap_or_default().contains("nothing at this path"), "{path}");
            }
        }
        insta::assert_snapshot!("openapi", serde_json::to_string_pretty(&document).unwrap());
        served.stop().await;
    });
}
