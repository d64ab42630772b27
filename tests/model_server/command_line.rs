//! The options of the command line that concern models, with the built binary.

use serde_json::Value;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer};

use super::runs::Thinking;
use super::wire::nobody;
use crate::binary::{Folder, MORNING, block_on, webhook};

async fn thinking() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(Thinking(Thinking::model())).mount(&server).await;
    server
}

#[test]
fn a_command_is_recorded_and_answered_from_the_recording() {
    let server = block_on(thinking());
    let folder = Folder::new();
    let (live, replayed, changed) = (folder.copy(), folder.copy(), folder.copy());
    let tape = folder.path().join("tape.jsonl");
    let ada = webhook("shopify-checkouts-update-ada");
    let trigger = |base_url: &str, more: &[&str]| {
        let args = [
            "trigger",
            "shopify",
            "checkouts/update",
            &ada,
            "--base-url",
            base_url,
            "--cassette",
            tape.to_str().unwrap(),
        ];
        [&args, more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let json =
        |folder: &Folder, args: &[String]| folder.json(MORNING, &args.iter().map(String::as_str).collect::<Vec<_>>());
    let recorded = json(&live, &trigger(&format!("{}/v1", server.uri()), &["--record"]));
    let asked = block_on(server.received_requests()).unwrap().len();
    assert!(asked > 2);
    assert_eq!(std::fs::read_to_string(&tape).unwrap().lines().count(), asked + 1);

    let nobody = block_on(nobody());
    assert_eq!(json(&replayed, &trigger(&nobody, &[])), recorded);

    let args = trigger(&nobody, &["--model", "another"]);
    let told = changed.run(MORNING, &args.iter().map(String::as_str).collect::<Vec<_>>());
    told.failed(1, &["does not hold this request", "body.model: recorded \"default\", now \"another\""]);
    assert_eq!(block_on(server.received_requests()).unwrap().len(), asked);

    // To record is to say where to.
    folder.run(MORNING, &["runs", "list", "--record"]).failed(2, &["--cassette"]);
    folder
        .run(MORNING, &["runs", "list", "--tool-mode", "jason"])
        .failed(2, &["`jason` is neither `native` nor `json_schema`"]);
}

/// Prices, caps and what was spent, as an operator sees them.
#[test]
fn what_a_run_cost_is_shown() {
    let server = block_on(thinking());
    let folder = Folder::new();
    let config = |spend: &str, price: &str| {
        let text = format!(
            "[spend]\n{spend}\n[[model]]\nname = \"main\"\nbase_url = \"{}\"\nmodel = \"m\"\n{price}\n",
            server.uri()
        );
        folder.file("mailwright.toml", text)
    };
    let ada = webhook("shopify-checkouts-update-ada");
    let price = "input_micros_per_mtok = 1000000\noutput_micros_per_mtok = 10000000";
    for (spend, price, spent, calls, outcome) in [
        ("", price, true, 1.., "  spent     $0."),
        ("run_micros = 10", price, false, 0.., "would pass the spend cap of this run: $0.000000 of $0.000010 are used"),
        ("", "", false, 0.., "(120 tokens, cost unknown)"),
    ] {
        let shop = folder.copy();
        let config = config(spend, price);
        let trigger = shop.json(MORNING, &["trigger", "shopify", "checkouts/update", &ada, "--config", &config]);
        let run = trigger["intake"]["runs"][0]["run"].as_str().unwrap().to_owned();
        let shown: Value = shop.json(MORNING, &["runs", "show", &run]);
        let rows = shown["spend"].as_array().unwrap();
        assert!(calls.contains(&rows.len()) && (rows.is_empty() != spent), "{shown}");
        assert!(rows.iter().all(|row| row["settled_micros"] == 300 && row["profile"] == "main"), "{shown}");
        let told = shop.run(MORNING, &["runs", "show", &run]);
        assert!(told.out.contains(outcome), "{outcome}\n{}", told.out);
    }
}
