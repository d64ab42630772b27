//! What goes wrong: which error it is, how often it is tried again, and for how long.

use std::time::{Duration, Instant};

use mailwright::model::ModelError;
use mailwright::model::openai::Profile;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::wire::{Bad, Manner, nobody};
use super::{ask, profile, requests_of, server, words};

/// One request, and one for each retry.
const ALL: usize = 3;

fn error(status: u16, code: &Value) -> ResponseTemplate {
    let error = json!({ "message": "words that quote the prompt", "type": "some_error", "param": null, "code": code });
    ResponseTemplate::new(status).set_body_json(json!({ "error": error }))
}

fn rejected(status: u16, code: Option<&str>) -> ModelError {
    ModelError::Rejected { status, code: code.map(str::to_owned) }
}

/// The error and the number of requests it took.
async fn fails(answer: ResponseTemplate) -> (ModelError, usize) {
    let server = server(answer).await;
    let error = ask(profile(&server.uri())).await.unwrap_err();
    (error, requests_of(&server).await)
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_no_oftener_than_allowed() {
    for status in [408, 409, 425, 500, 502, 503, 504, 529] {
        assert_eq!(fails(error(status, &Value::Null)).await, (ModelError::Server { status }, ALL), "{status}");
    }
    assert_eq!(fails(error(429, &json!("rate_limit_exceeded"))).await, (ModelError::RateLimited, ALL));
    assert_eq!(fails(ResponseTemplate::new(429)).await, (ModelError::RateLimited, ALL));
}

#[tokio::test]
async fn what_will_not_pass_is_asked_once() {
    for (answer, refused) in [
        (error(400, &json!("context_length_exceeded")), rejected(400, Some("context_length_exceeded"))),
        (error(401, &json!("invalid_api_key")), ModelError::Unauthorised { status: 401 }),
        (error(403, &Value::Null), ModelError::Unauthorised { status: 403 }),
        (error(404, &json!("model_not_found")), rejected(404, Some("model_not_found"))),
        (error(422, &Value::Null), rejected(422, Some("some_error"))),
        (error(429, &json!("insufficient_quota")), ModelError::OutOfQuota),
        (error(418, &json!(418)), rejected(418, Some("some_error"))),
        (error(418, &json!("a sentence, perhaps with a name")), rejected(418, None)),
    ] {
        assert_eq!(fails(answer).await, (refused, 1));
    }
}

#[tokio::test]
async fn another_profile_may_do_better_unless_the_request_itself_is_wrong() {
    for error in [
        ModelError::OutOfQuota,
        ModelError::RateLimited,
        ModelError::Server { status: 500 },
        ModelError::Unauthorised { status: 401 },
        ModelError::UnusableKey,
        rejected(404, None),
        rejected(302, None),
        ModelError::Malformed("it is no JSON".to_owned()),
    ] {
        assert!(error.fault().transient, "{error}");
    }
    for status in [400, 413, 422] {
        assert!(!rejected(status, None).fault().transient, "{status}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_as_good_as_its_status() {
    let html = "<html><body>Bad gateway</body></html>";
    assert_eq!(
        fails(ResponseTemplate::new(502).set_body_string(html)).await,
        (ModelError::Server { status: 502 }, ALL)
    );
    assert_eq!(fails(ResponseTemplate::new(500)).await, (ModelError::Server { status: 500 }, ALL));
    assert_eq!(fails(ResponseTemplate::new(404).set_body_string(html)).await, (rejected(404, None), 1));
    let array = ResponseTemplate::new(400).set_body_json(json!([{ "error": "x" }]));
    assert_eq!(fails(array).await, (rejected(400, None), 1));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_no_answer() {
    let no_json = ModelError::Malformed("it is no JSON".to_owned());
    let truncated = words("Hello").to_string()[..60].to_owned();
    let deep = "[".repeat(100_000);
    for body in ["", "OK", "<html></html>", &truncated, "data: {\"choices\":[]}\n\n", "{} {}", &deep] {
        let answer = ResponseTemplate::new(200).set_body_string(body);
        assert_eq!(fails(answer).await, (no_json.clone(), ALL), "{}", &body[..body.len().min(40)]);
    }
    let latin1 = ResponseTemplate::new(200)
        .set_body_bytes(b"{\"choices\":[{\"message\":{\"content\":\"Gr\xFC\xDFe\"}}]}".to_vec());
    assert_eq!(fails(latin1).await, (no_json, ALL));
    let no_content = ResponseTemplate::new(204);
    assert_eq!(fails(no_content).await.0, ModelError::Malformed("it is no JSON".to_owned()));
}

#[tokio::test]
async fn a_flood_is_not_read_to_its_end() {
    let flood = |status| ResponseTemplate::new(status).set_body_bytes(vec![b' '; (4 << 20) + 1]);
    let too_long = ModelError::Malformed("it is longer than 4 MiB".to_owned());
    assert_eq!(fails(flood(200)).await, (too_long, ALL));
    assert_eq!(fails(flood(401)).await, (ModelError::Unauthorised { status: 401 }, 1));
    let mut long = words("Hi");
    long["padding"] = json!("x".repeat(3 << 20));
    let server = server(ResponseTemplate::new(200).set_body_json(long)).await;
    assert_eq!(ask(profile(&server.uri())).await.unwrap().text.as_deref(), Some("Hi"));
}

/// A server that is busy once, then answers.
async fn busy_once(busy: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(busy).up_to_n_times(1).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(words("Hi"))).mount(&server).await;
    server
}

#[tokio::test]
async fn a_short_wait_that_the_server_asks_for_is_kept() {
    let server = busy_once(error(429, &Value::Null).insert_header("retry-after", "1")).await;
    let began = Instant::now();
    assert_eq!(ask(profile(&server.uri())).await.unwrap().text.as_deref(), Some("Hi"));
    let waited = began.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(3)).contains(&waited), "{waited:?}");
    assert_eq!(requests_of(&server).await, 2);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    for wait in ["9", "86399", "86400", "1e300", "inf"] {
        for status in [429, 503] {
            let server = busy_once(error(status, &Value::Null).insert_header("retry-after", wait)).await;
            let began = Instant::now();
            let refused = ask(profile(&server.uri())).await.unwrap_err();
            assert!(refused.is_retryable(), "{refused}");
            assert!(began.elapsed() < Duration::from_secs(2), "{wait}: {:?}", began.elapsed());
            assert_eq!(requests_of(&server).await, 1, "{wait}");
        }
    }
}

#[tokio::test]
async fn a_wait_that_is_no_number_of_seconds_is_ours_to_choose() {
    for wait in ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "NaN", "soon", ""] {
        let server = busy_once(error(429, &Value::Null).insert_header("retry-after", wait)).await;
        assert_eq!(ask(profile(&server.uri())).await.unwrap().text.as_deref(), Some("Hi"), "{wait}");
    }
}

#[tokio::test]
async fn another_host_is_not_followed() {
    let elsewhere = server(ResponseTemplate::new(200).set_body_json(words("Hi"))).await;
    for status in [301, 302, 307, 308] {
        let moved =
            ResponseTemplate::new(status).insert_header("location", format!("{}/v1/chat/completions", elsewhere.uri()));
        assert_eq!(fails(moved).await, (rejected(status, None), 1));
    }
    assert_eq!(requests_of(&elsewhere).await, 0);
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let refused = ask(profile(&nobody().await)).await.unwrap_err();
    assert_eq!(refused, ModelError::Connect("no connection".to_owned()));
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    for manner in [Manner::CutsOff, Manner::Closes, Manner::Babbles] {
        let bad = Bad::start(manner).await;
        let broken = ask(profile(&bad.url())).await.unwrap_err();
        assert_eq!(broken, ModelError::Connect("the connection broke".to_owned()), "{manner:?}");
        assert!(bad.connections() >= ALL, "{manner:?}: {}", bad.connections());
    }
}

#[tokio::test]
async fn a_slow_server_is_left_after_the_time_for_one_attempt() {
    for manner in [Manner::Hangs, Manner::Trickles] {
        let bad = Bad::start(manner).await;
        let impatient = Profile { timeout_s: 1, retries: 0, ..profile(&bad.url()) };
        let began = Instant::now();
        assert_eq!(ask(impatient).await.unwrap_err(), ModelError::Timeout { seconds: 1 }, "{manner:?}");
        assert!(began.elapsed() < Duration::from_secs(3), "{manner:?}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn all_attempts_together_keep_the_deadline() {
    let bad = Bad::start(Manner::Hangs).await;
    let patient = Profile { timeout_s: 30, deadline_s: 1, retries: 9, ..profile(&bad.url()) };
    let began = Instant::now();
    assert_eq!(ask(patient).await.unwrap_err(), ModelError::Timeout { seconds: 1 });
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(bad.connections(), 1);
}
