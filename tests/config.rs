//! The configuration file: what it holds, what it refuses, and its schema, which editors read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::{Path, PathBuf};

use mailwright::config::Config;
use mailwright::egress::Reach;
use mailwright::model::openai::{Api, Profile, Provider, ToolMode};
use mailwright::model::prices::Price;
use mailwright::spend::Caps;
use serde_json::Value;
use tempfile::TempDir;

/// A file with this text.
fn file(text: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mailwright.toml");
    std::fs::write(&file, text).unwrap();
    (dir, file)
}

fn read(text: &str) -> Config {
    Config::read(&file(text).1).unwrap()
}

fn refused(text: &str) -> String {
    let (_dir, file) = file(text);
    let refused = match Config::read(&file) {
        Err(error) => error.to_string(),
        Ok(config) => config.profiles().unwrap_err().to_string(),
    };
    refused.replace(&file.display().to_string(), "FILE")
}

#[test]
fn a_model_is_told_by_few_words() {
    let text = "[[model]]\nname = \"main\"\nbase_url = \"https://api.openai.com/v1\"\nmodel = \"gpt-4o-mini\"\n";
    let price = Some(Price { input: 150_000, cached_input: Some(75_000), output: 600_000 });
    let profile = Profile { price, ..Profile::new("main", "https://api.openai.com/v1", "gpt-4o-mini") };
    assert_eq!(profile.provider, Provider::OpenAi);
    assert_eq!(read(text).profiles().unwrap(), [profile]);
    assert_eq!(read("").profiles().unwrap(), []);
}

#[test]
fn who_reads_texts_from_outside_is_one_of_the_models() {
    let model = "[[model]]\nname = \"small\"\nbase_url = \"http://127.0.0.1:8080/v1\"\nmodel = \"s\"\n";
    assert_eq!(read(model).reader().unwrap(), None);
    assert_eq!(read(&format!("[reading]\nmodel = \"small\"\n{model}")).reader().unwrap(), Some(0));
    let (reads, both) = (read(&format!("{model}writes = false\n")), read(model));
    assert_eq!((reads.writers().count(), both.writers().collect::<Vec<_>>()), (0, vec![0]));
    let unknown = read(&format!("[reading]\nmodel = \"large\"\n{model}")).reader().unwrap_err();
    assert_eq!(unknown.to_string(), "[reading]: there is no [[model]] with the name `large`");
    let text = "[reading]\nmodell = \"small\"\n";
    assert!(refused(text).contains("unknown field `modell`"), "{}", refused(text));
}

#[test]
fn everything_about_a_model_can_be_said() {
    let text = r#"
        [spend]
        run_micros = 1
        flow_day_micros = 2
        shop_day_micros = 3
        flows = { win-back = 4 }
        [[model]]
        name = "azure"
        base_url = "https://gateway.example"
        model = "mail-writer"
        provider = "azure"
        api = "responses"
        tool_mode = "json_schema"
        lenient = true
        stream = true
        api_version = "2024-10-21"
        parallel_calls = false
        private_network = true
        timeout_s = 1
        deadline_s = 2
        retries = 0
        max_tokens = 3
        input_micros_per_mtok = 4
        cached_input_micros_per_mtok = 5
        output_micros_per_mtok = 6
    "#;
    let config = read(text);
    let expected = Profile {
        provider: Provider::Azure,
        api: Api::Responses,
        tool_mode: ToolMode::JsonSchema,
        lenient: true,
        stream: true,
        api_version: Some("2024-10-21".to_owned()),
        parallel_calls: Some(false),
        reach: Reach::Private,
        timeout_s: 1,
        deadline_s: 2,
        retries: 0,
        max_tokens: 3,
        price: Some(Price { input: 4, cached_input: Some(5), output: 6 }),
        ..Profile::new("azure", "https://gateway.example", "mail-writer")
    };
    assert_eq!(config.profiles().unwrap(), [expected]);
    let flows = [("win-back".to_owned(), 4)].into();
    assert_eq!(Caps::from(config.spend), Caps { run: Some(1), flow_day: Some(2), shop_day: Some(3), flows });
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let model = "[[model]]\nname = \"m\"\nbase_url = \"http://127.0.0.1:1\"\nmodel = \"x\"\n";
    for (more, words) in [
        ("api_key = \"sk-1\"\n", "FILE, line 5: unknown field `api_key`"),
        ("tool_mode = \"jason\"\n", "FILE, line 5: unknown variant `jason`, expected `native` or `json_schema`"),
        ("provider = \"open_ai\"\n", "FILE, line 5: unknown variant `open_ai`"),
        ("[spend]\nday = 1\n", "FILE, line 6: unknown field `day`"),
        ("api_version = \"1\"\n", "model `m`: api_version is Azure's: set provider = \"azure\""),
        (
            "input_micros_per_mtok = 1\n",
            "model `m`: a price needs both input_micros_per_mtok and output_micros_per_mtok",
        ),
    ] {
        let said = refused(&format!("{model}{more}"));
        assert!(said.starts_with(words), "{said}");
    }
}

/// `MAILWRIGHT_UPDATE=1 cargo test --test main config` writes the schema anew.
#[test]
fn the_schema_is_that_of_the_program() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.schema.json");
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("MAILWRIGHT_UPDATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(kept, schema, "config.schema.json is not what the program reads: see above this test");
}
