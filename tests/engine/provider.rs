//! A provider behind plain HTTP: what each of its answers does to the ledger, and that no key is handed over twice by itself.

use std::time::Duration;

use serde_json::json;
use tokio::runtime::Runtime;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

/// A provider with its folder, in which a message waits for a person.
struct Scene {
    runtime: Runtime,
    server: MockServer,
    folder: Folder,
    run: String,
    approval: String,
    config: String,
}

fn scene(more: &str) -> Scene {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(MockServer::start());
    let (folder, run, approval) = waiting();
    let config = format!("[esp]\nbase_url = \"{}/v1\"\ntimeout_s = 1\n{more}", server.uri());
    let config = folder.file("mailwright.toml", config);
    Scene { runtime, server, folder, run, approval, config }
}

impl Scene {
    fn on(&self, verb: &str, answer: ResponseTemplate, times: u64) {
        let at = if verb == "POST" { "/v1/messages".to_owned() } else { format!("/v1/messages/{}", self.key()) };
        let mock = Mock::given(method(verb)).and(path(at)).respond_with(answer).up_to_n_times(times);
        self.runtime.block_on(mock.mount(&self.server));
    }

    fn approve(&self) -> crate::binary::Told {
        self.folder.run(AFTERNOON, &["approvals", "approve", &self.approval, "--as", "nora", "--config", &self.config])
    }

    fn resume(&self) -> Value {
        self.folder.json(AFTERNOON, &["runs", "resume", &self.run, "--config", &self.config])
    }

    fn key(&self) -> String {
        self.folder.rows("SELECT dedupe_key FROM sends").pop().unwrap_or_default()
    }

    fn send(&self) -> Vec<String> {
        self.folder.rows("SELECT state || ' ' || COALESCE(detail, '') FROM sends")
    }

    /// Every hand-over that arrived: its key, twice over, and its recipient.
    fn handed_over(&self) -> Vec<Value> {
        let requests = self.runtime.block_on(self.server.received_requests()).unwrap();
        requests
            .iter()
            .filter(|request| request.method.as_str() == "POST")
            .map(|request| {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let header = request.headers.get("idempotency-key").unwrap().to_str().unwrap();
                assert_eq!(body["key"], json!(header));
                assert_eq!(body["version"], json!(1));
                json!([body["key"], body["to"]])
            })
            .collect()
    }
}

#[test]
fn a_message_that_is_taken_is_sent() {
    let scene = scene("");
    scene.on("POST", ResponseTemplate::new(202).set_body_json(json!({ "id": "msg-1" })), 9);
    assert!(scene.approve().status.success());
    assert_eq!(scene.send(), ["sent msg-1"]);
    assert_eq!(scene.handed_over().len(), 1);
    assert_eq!(scene.folder.mails(), [], "not into the outbox as well");
}

#[test]
fn what_took_nothing_is_tried_again() {
    for answer in [429, 503, 401] {
        let scene = scene("");
        scene.on("POST", ResponseTemplate::new(answer), 1);
        scene.on("POST", ResponseTemplate::new(200).set_body_json(json!({ "id": "msg-1" })), 9);
        // Nobody knows whether a row that was attempted was taken, once the process is gone; here it is told that it was not.
        let told = scene.approve();
        assert_eq!(told.code(), Some(1), "{told:?}");
        assert!(told.err.contains(&format!("it answered {answer}")), "{told:?}");
        assert_eq!(scene.send(), ["reserved "]);
        let _ = scene.resume();
        assert_eq!(scene.send(), ["sent msg-1"], "{answer}");
        assert_eq!(scene.handed_over().len(), 2);
    }
}

#[test]
fn what_is_refused_for_good_is_not_tried_again() {
    let scene = scene("");
    scene.on("POST", ResponseTemplate::new(422), 9);
    assert!(scene.approve().status.success());
    assert_eq!(scene.send(), ["refused http refused the message for good: it answered 422"]);
    scene.folder.run(AFTERNOON, &["runs", "resume", "--config", &scene.config]);
    assert_eq!(scene.handed_over().len(), 1);
}

/// Accepted or not, nobody knows, and the provider cannot be asked: shown, never sent again by itself.
#[test]
fn an_unknown_outcome_stays_unknown_where_nobody_can_be_asked() {
    for answer in [ResponseTemplate::new(500), ResponseTemplate::new(200).set_delay(Duration::from_secs(3))] {
        let scene = scene("");
        scene.on("POST", answer, 9);
        assert!(scene.approve().status.success());
        assert!(scene.send()[0].starts_with("unknown http may or may not"), "{:?}", scene.send());
        scene.folder.run(AFTERNOON, &["runs", "resume", "--config", &scene.config]);
        assert_eq!(scene.handed_over().len(), 1);
    }
}

/// Where it can be asked, it is: what it has is sent, what it has not is handed over again with the same key.
#[test]
fn an_unknown_outcome_is_resolved_by_asking() {
    for has_it in [true, false] {
        let scene = scene("lookup = true\n");
        scene.on("POST", ResponseTemplate::new(500), 1);
        assert_eq!(scene.approve().code(), Some(1));
        assert_eq!(scene.send(), ["reserved "]);
        let found = ResponseTemplate::new(200).set_body_json(json!({ "id": "msg-found" }));
        scene.on("GET", if has_it { found } else { ResponseTemplate::new(404) }, 9);
        scene.on("POST", ResponseTemplate::new(200).set_body_json(json!({ "id": "msg-2" })), 9);
        scene.resume();
        assert_eq!(scene.send(), [if has_it { "sent msg-found" } else { "sent msg-2" }]);
        let handed = scene.handed_over();
        assert_eq!(handed.len(), if has_it { 1 } else { 2 });
        assert!(handed.iter().all(|one| one == &handed[0]), "{handed:?}");
    }
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused() {
    let folder = Folder::new();
    for (text, words) in [
        (
            "[esp]\nbase_url = \"mail.example\"\n",
            "[esp]: base_url under [esp]: its address is no plain http or https URL",
        ),
        ("[esp]\nbase_url = \"http://a\"\napi_key_env = \"NO_SUCH\"\n", "the environment variable NO_SUCH is not set"),
        ("[esp]\nbase_url = \"http://a\"\napi_key = \"x\"\n", "unknown field `api_key`"),
    ] {
        let config = folder.file("mailwright.toml", text);
        folder.run(AFTERNOON, &["runs", "resume", "--config", &config]).failed(1, &[words]);
    }
}

/// What was recorded of a provider answers in its place, and holds neither the reader's address nor the key.
#[test]
fn a_hand_over_is_recorded_and_played_again_without_the_provider() {
    let scene = scene("");
    let untouched = scene.folder.copy();
    scene.on("POST", ResponseTemplate::new(202).set_body_json(json!({ "id": "msg-1" })), 1);
    let tape = scene.folder.path().join("tape.jsonl").to_str().unwrap().to_owned();
    let usual =
        ["approvals", "approve", &scene.approval, "--as", "nora", "--config", &scene.config, "--cassette", &tape];
    let told = scene.folder.run(AFTERNOON, &[&usual[..], &["--record"]].concat());
    assert!(told.status.success(), "{told:?}");
    let text = std::fs::read_to_string(&tape).unwrap();
    let to = scene.handed_over()[0][1].as_str().unwrap().to_owned();
    assert!(text.contains("idempotency-key") && !text.contains(&to), "{text}");

    scene.runtime.block_on(scene.server.reset());
    let told = untouched.run(AFTERNOON, &usual);
    assert!(told.status.success(), "{told:?}");
    assert_eq!(untouched.rows("SELECT state || ' ' || detail FROM sends"), ["sent msg-1"]);
    assert_eq!(scene.handed_over(), [] as [Value; 0], "nobody was asked");
}

/// Whoever is erased is erased at the provider as well, and the event waits for a person where that cannot be asked.
#[test]
fn an_erasure_is_asked_of_the_provider() {
    for (more, answer, parked) in [("erase = true\n", 204, None), ("", 404, Some("cannot be asked to forget 1 more"))] {
        let scene = scene(more);
        scene.on("POST", ResponseTemplate::new(202).set_body_json(json!({ "id": "msg-1" })), 1);
        assert!(scene.approve().status.success());
        scene.on("DELETE", ResponseTemplate::new(answer), 9);
        let who = scene.folder.rows("SELECT customer_id FROM sends").pop().unwrap();
        let body = json!({ "shop_id": 1, "shop_domain": "x", "customer": { "id": who }, "orders_to_redact": [] });
        let body = scene.folder.file("redact.json", body.to_string());
        let args = ["trigger", "shopify", "customers/redact", &body, "--config", &scene.config];
        let _ = scene.folder.run(AFTERNOON, &args);
        let requests = scene.runtime.block_on(scene.server.received_requests()).unwrap();
        let asked: Vec<_> = requests.iter().filter(|request| request.method.as_str() == "DELETE").collect();
        assert_eq!(asked.len(), usize::from(parked.is_none()));
        let notes = scene.folder.rows("SELECT note FROM inbox WHERE topic = 'customers/redact'");
        assert!(notes[0].contains(parked.unwrap_or("erased, with 1 message(s)")), "{notes:?}");
    }
}
