//! Text messages: their links, the page that ends them, and replies.

use aws_lc_rs::hmac;
use kit::message::{Channel, ConsentState};
use kit::phone::Phone;
use kit::{CustomerId, Timestamp};
use mailwright::store::{Consent, CustomerPhone};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{SECRET, Served, problem, served};

const NUMBER: &str = "+353850123456";

/// A customer with a number, who agreed to text messages on a page of the shop.
async fn texted(served: &Served) -> CustomerId {
    let reader = served.world.reader().await;
    let store = &served.world.tenant.store;
    let phone = CustomerPhone { customer: reader.clone(), phone: Phone::parse(NUMBER).unwrap(), region: None };
    store.put_phones(vec![phone]).await.unwrap();
    agree(served, &reader, ConsentState::Subscribed, "sign-up page").await;
    reader
}

async fn agree(served: &Served, who: &CustomerId, state: ConsentState, source: &str) {
    let at = served.world.now();
    let consent =
        Consent { channel: Channel::Sms, state, at, source: source.to_owned(), wording: "texts from us".to_owned() };
    served.world.tenant.store.add_consents(vec![(who.clone(), consent)]).await.unwrap();
}

/// What the provider is answered to one reply.
async fn reply(served: &Served, id: &str, text: &str, at: Timestamp) -> Value {
    let body = json!({ "id": id, "from": NUMBER, "text": text, "at": at.to_string() }).to_string();
    let response = signed(served, &body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}

fn signed(served: &Served, body: &str) -> reqwest::RequestBuilder {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
    let header = format!("sha256={}", hex::encode(tag));
    served.post("/sms/any").header("X-Webhook-Signature", header).body(body.to_owned())
}

async fn stands(served: &Served, who: &CustomerId) -> (ConsentState, Option<String>) {
    let store = &served.world.tenant.store;
    let consent = store.consent(who, Channel::Sms).await.unwrap();
    (consent, store.suppressed(Channel::Sms, &Phone::parse(NUMBER).unwrap()).await.unwrap())
}

#[test]
fn a_stop_holds_when_it_is_answered_and_start_lifts_no_more_than_that() {
    served(async |served| {
        let reader = texted(&served).await;
        let before = served.world.now();
        served.world.later(1);
        let stopped = reply(&served, "in-1", "Please STOP this", served.world.now()).await;
        assert_eq!(stopped["effect"], "stopped");
        assert!(stopped["reply"].as_str().unwrap().contains("no more text messages"), "{stopped}");
        let off = (ConsentState::Withdrawn, Some("text message STOP".to_owned()));
        assert_eq!(stands(&served, &reader).await, off);
        // Again, in other words, with a question, and a START that was sent before it: nothing of it changes that.
        for (id, text, at, effect) in [
            ("in-1", "Please STOP this", served.world.now(), "stopped"),
            ("in-2", "who is this?", served.world.now(), "kept"),
            ("in-3", "START", before, "not_started"),
        ] {
            assert_eq!(reply(&served, id, text, at).await["effect"], effect, "{id}");
            assert_eq!(stands(&served, &reader).await, off, "{id}");
        }
        // Help is answered to those who are opted out as well.
        let help = reply(&served, "in-4", "HELP", served.world.now()).await;
        assert!(help["reply"].as_str().unwrap().contains('@'), "{help}");

        served.world.later(1);
        assert_eq!(reply(&served, "in-5", "start", served.world.now()).await["effect"], "started");
        assert_eq!(stands(&served, &reader).await, (ConsentState::Subscribed, None));
        // The old STOP, sent once more by a provider that lost the answer, is the old one.
        assert_eq!(reply(&served, "in-1", "Please STOP this", served.world.now()).await["effect"], "stopped");
        assert_eq!(stands(&served, &reader).await, (ConsentState::Subscribed, None));
        served.stop().await;
    });
}

#[test]
fn whoever_never_agreed_or_took_it_back_elsewhere_is_not_started_by_a_word() {
    served(async |served| {
        let reader = texted(&served).await;
        served.world.later(1);
        agree(&served, &reader, ConsentState::Withdrawn, "preference page").await;
        served.world.later(1);
        reply(&served, "in-1", "STOP", served.world.now()).await;
        served.world.later(1);
        let told = reply(&served, "in-2", "START", served.world.now()).await;
        assert_eq!(told["effect"], "not_started");
        assert!(told["reply"].as_str().unwrap().contains("sign up"), "{told}");
        assert_eq!(stands(&served, &reader).await.0, ConsentState::Withdrawn);
        served.stop().await;
    });
}

#[test]
fn a_reply_that_is_not_signed_or_cannot_be_read_stops_nobody() {
    served(async |served| {
        let reader = texted(&served).await;
        let body = json!({ "id": "in-1", "from": NUMBER, "text": "STOP" }).to_string();
        let forged = served.post("/sms/any").header("X-Webhook-Signature", "sha256=00ff").body(body.clone());
        assert_eq!(problem(forged).await.0, StatusCode::UNAUTHORIZED);
        let (status, detail) = problem(signed(&served, r#"{"id":"in-1","from":"0850123456","text":"STOP"}"#)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(detail.contains("$.from") && !detail.contains("0850123456"), "{detail}");
        // A shop platform's connection carries no replies.
        for path in ["/sms/main", "/sms/nowhere"] {
            assert_eq!(problem(served.post(path).body(body.clone())).await.0, StatusCode::NOT_FOUND);
        }
        assert_eq!(stands(&served, &reader).await, (ConsentState::Subscribed, None));
        served.stop().await;
    });
}

#[test]
fn a_short_link_leads_on_and_changes_nothing() {
    served(async |served| {
        let reader = texted(&served).await;
        let target = "https://www.tarnandtrail.example/p/ridge-pack?utm_source=mailwright";
        served.world.tenant.store.put_short_link("7yk2m0qa", target, served.world.now()).await.unwrap();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
            let url = format!("{}/s/7yk2m0qa", served.url);
            let led = client.request(method, url).send().await.unwrap();
            assert_eq!((led.status(), led.headers()["location"].to_str().unwrap()), (StatusCode::FOUND, target));
        }
        for code in ["7yk2m0qb", "short", "..%2f..%2fetc", "7YK2M0QA"] {
            assert_eq!(problem(served.client.get(format!("{}/s/{code}", served.url))).await.0, StatusCode::NOT_FOUND);
        }
        let posted = problem(served.client.post(format!("{}/s/7yk2m0qa", served.url))).await;
        assert_eq!(posted.0, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(stands(&served, &reader).await, (ConsentState::Subscribed, None));
        served.stop().await;
    });
}

#[test]
fn the_page_asks_for_the_number_and_only_its_form_ends_it() {
    served(async |served| {
        let reader = texted(&served).await;
        let url = format!("{}/s/stop", served.url);
        let page = served.client.get(&url).send().await.unwrap();
        assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("form-action 'self'"));
        assert!(page.text().await.unwrap().contains("<form method=\"post\">"));
        assert_eq!(stands(&served, &reader).await, (ConsentState::Subscribed, None));
        let form = |number: &str| {
            let body = format!("number={}", number.replace('+', "%2B").replace(' ', "+"));
            served.client.post(&url).header("content-type", "application/x-www-form-urlencoded").body(body)
        };
        assert_eq!(problem(form("0850123456")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        // A number that nobody has gets the same answer and leaves no row.
        let stranger = form("+353 85 999 9999").send().await.unwrap();
        let known = form("+353 85 012 3456").send().await.unwrap();
        assert_eq!((stranger.status(), known.status()), (StatusCode::OK, StatusCode::OK));
        assert_eq!(stranger.text().await.unwrap(), known.text().await.unwrap());
        let nobody = Phone::parse("+353859999999").unwrap();
        assert_eq!(served.world.tenant.store.suppressed(Channel::Sms, &nobody).await.unwrap(), None);
        let off = (ConsentState::Withdrawn, Some("opt-out page".to_owned()));
        assert_eq!(stands(&served, &reader).await, off);
        served.stop().await;
    });
}
