//! The program as a process of its own, all its threads logging at every level, with a model and a provider behind HTTP that are
//! both recorded.

use std::fs;
use std::process::Command;

use kit::Digest;
use mailwright::model::offline::OfflineModel;
use mailwright::release::{Release, defaults};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{PLANTED, found};
use crate::binary::{AFTERNOON, Folder, MORNING, Told, told, webhook};
use crate::model_server::Thinking;

const EMAIL: &str = "quintessa.planted@mailbox.example";

/// The sample shop's checkout, left by the planted person, with all that they could write.
fn checkout() -> String {
    let mut body: Value =
        serde_json::from_str(&fs::read_to_string(webhook("shopify-checkouts-update-ada")).unwrap()).unwrap();
    let words: Vec<&str> = PLANTED.iter().map(|(_, value)| *value).collect();
    let address = json!({ "first_name": "Quintessa", "last_name": "Zwetschkenbaum", "address1": "14 Plantedheron Row", "zip": "H91 PL4N",
        "phone": "+353 87 555 1234", "country_code": "IE" });
    body["id"] = json!(90_017);
    body["token"] = json!("token-planted-9");
    body["cart_token"] = json!("cart-planted-9");
    body["email"] = json!(EMAIL);
    body["note"] = json!(words.join(", "));
    body["shipping_address"] = address.clone();
    body["billing_address"] = address.clone();
    body["customer"] = json!({ "id": 7_301_440_000_199_u64, "email": EMAIL, "first_name": "Quintessa", "last_name": "Zwetschkenbaum",
        "default_address": address });
    body.to_string()
}

/// Runs a command that logs everything and records what it asks; what it said and the recording.
fn recorded(folder: &Folder, at: &str, args: &[&str], number: usize) -> (Told, String) {
    let tape = folder.path().join(format!("given/tape-{number}.jsonl"));
    let mut command: Command = folder.command(at, args);
    command.arg("--config").arg(folder.path().join("given/mailwright.toml"));
    command.arg("--cassette").arg(&tape).arg("--record").env("MAILWRIGHT_LOG", "trace");
    let said = told(&mut command);
    assert!(said.status.success(), "{args:?}: {}\n{}", said.out, said.err.lines().last().unwrap_or_default());
    (said, fs::read_to_string(tape).unwrap_or_default())
}

#[test]
fn planted_values_stand_in_no_log_of_any_thread_and_no_recording_of_model_or_provider() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (model, provider) = runtime.block_on(async {
        let (model, provider) = (MockServer::start().await, MockServer::start().await);
        let release = Release::read(Digest::of_bytes(b"x"), &defaults()).unwrap();
        Mock::given(method("POST")).respond_with(Thinking(OfflineModel::of(&release))).mount(&model).await;
        let taken = ResponseTemplate::new(202).set_body_json(json!({ "id": "m-1", "to": EMAIL }));
        Mock::given(method("POST")).and(path("/messages")).respond_with(taken).mount(&provider).await;
        (model, provider)
    });
    let folder = Folder::new();
    let config = format!(
        "[[model]]\nname = \"main\"\nbase_url = \"{}/v1\"\nmodel = \"m\"\n[esp]\nbase_url = \"{}\"\nprivate_network = true\n",
        model.uri(),
        provider.uri()
    );
    folder.file("mailwright.toml", config);
    let body = folder.file("checkout.json", checkout());
    let left = recorded(&folder, MORNING, &["trigger", "shopify", "checkouts/update", &body, "--assume-consent"], 1);
    let pending = folder.json(AFTERNOON, &["approvals", "list"]);
    let id = pending[0]["approval"].as_str().unwrap_or_else(|| panic!("{pending}\n{}", left.0.out)).to_owned();
    let approved = recorded(&folder, AFTERNOON, &["approvals", "approve", &id, "--as", "nora"], 2);
    // It may still be recalled for a minute: whoever works next hands it over.
    let sent = recorded(&folder, "2026-11-17T15:05:00Z", &["runs", "resume"], 3);

    let asked = runtime.block_on(model.received_requests()).unwrap();
    let handed = runtime.block_on(provider.received_requests()).unwrap();
    assert!(asked.len() > 3, "the model was hardly asked: {}", asked.len());
    assert_eq!(handed.len(), 1, "{}", sent.0.out);
    assert!(String::from_utf8_lossy(&handed[0].body).contains(EMAIL), "the message itself names its reader");
    let mut seen = Vec::new();
    for (number, request) in asked.iter().enumerate() {
        seen.extend(found(&format!("request {number} to the model"), &String::from_utf8_lossy(&request.body)));
    }
    for (number, (said, tape)) in [&left, &approved, &sent].into_iter().enumerate() {
        for line in said.err.lines() {
            seen.extend(found(&format!("the log of command {number}"), line));
        }
        seen.extend(found(&format!("the words of command {number}"), &said.out));
        seen.extend(found(&format!("the recording of command {number}"), tape));
    }
    // Whoever talks over HTTP logs at every level.
    let logged = [&left, &approved, &sent].iter().filter(|(said, _)| said.err.contains("TRACE")).count();
    assert!(logged >= 2, "{logged} of three commands logged");
    let tapes: usize = (1..=3)
        .map(|n| {
            fs::read_to_string(folder.path().join(format!("given/tape-{n}.jsonl"))).map_or(0, |t| t.lines().count())
        })
        .sum();
    assert!(tapes > asked.len(), "the provider is in no recording: {tapes} lines");
    assert_eq!(seen, Vec::<String>::new());
}
