//! The command line: what programs and people may rely on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod access;
mod decisions;
mod erasures;
mod first_user;
mod operators;
mod retention;
mod samples;
mod server;
mod traces;
mod wishes;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::binary::{AFTERNOON, Folder, MORNING, bare, told, webhook};

/// The commands below `path`, from its own help.
fn commands(path: &[String]) -> Vec<String> {
    let help = help(path);
    let Some((_, list)) = help.split_once("Commands:\n") else { return Vec::new() };
    let lines = list.lines().take_while(|line| !line.trim().is_empty());
    // A command stands two columns in; a long description goes on further in.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

fn help(path: &[String]) -> String {
    let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let told = told(&mut bare(&args));
    assert!(told.status.success(), "{told:?}");
    told.out
}

#[test]
fn every_command_helps_with_an_example_of_its_own() {
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        let help = help(&path);
        let example = help.lines().find_map(|line| line.strip_prefix("Example: mailwright"));
        let example = example.unwrap_or_else(|| panic!("{path:?} --help has no example:\n{help}"));
        let begins = path.iter().fold(String::new(), |all, name| format!("{all} {name}"));
        assert!(example.starts_with(&begins), "the example of{begins} is of another command:{example}");
        open.extend(commands(&path).into_iter().map(|name| [path.as_slice(), &[name]].concat()));
        seen.push(path.join(" "));
    }
    for known in ["approvals approve", "runs resume", "sends show", "kill off", "demo"] {
        assert!(seen.iter().any(|path| path == known), "{known}: {seen:?}");
    }
}

/// Every command with `--json`: one document on standard output, whether it changes something or only looks.
#[test]
fn every_command_prints_one_json_document() {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    let trigger = folder.json(MORNING, &["trigger", "shopify", "checkouts/update", &ada]);
    let run = trigger["intake"]["runs"][0]["run"].as_str().unwrap().to_owned();
    let id = folder.json(AFTERNOON, &["approvals", "list"])[0]["approval"].as_str().unwrap().to_owned();
    let draft = folder.file("draft.txt", "A closer look\nThe boots keep their shape.\n");
    let product = folder.file("shop.jsonl", include_str!("../knowledge/sample-shop/products/packs.jsonl"));
    let flow = "flow:abandoned-checkout";
    let head = folder.path().join("given/head.json").to_str().unwrap().to_owned();
    let commands: [&[&str]; 34] = [
        &["approvals", "show", &id],
        &["approvals", "edit", &id, "--as", "sam", "--preheader", "What to know about it, plainly."],
        &["approvals", "list"],
        &["runs", "list"],
        &["runs", "show", &run],
        &["runs", "replay", &run],
        &["runs", "diff", &run],
        &["runs", "start", "win-back", "C-LAPSED"],
        &["runs", "resume"],
        &["runs", "prune", "--older-than-days", "30", "--as", "nora"],
        &["sends", "list"],
        &["catalog", "search", "boot"],
        &["catalog", "search", "no such thing at all"],
        &["catalog", "import", &product],
        &["graph", "recommend", "TT-1001"],
        &["graph", "recommend", "TT-1001", "--customer", "C-ADA"],
        &["graph", "explain", "TT-1001", "TT-1401"],
        &["graph", "explain", "TT-1001", "TT-2101"],
        &["profile", "show", "C-ADA"],
        &["profile", "show", "C-TICKET"],
        &["brand", "check", &draft],
        &["brand", "explain"],
        &["tools", "list"],
        &["tools", "schema"],
        &["tools", "schema", "lookup_profile"],
        &["prompts", "list"],
        &["prompts", "show", "win-back"],
        &["release", "show"],
        &["audit", "list"],
        &["audit", "verify"],
        &["audit", "export", &head],
        &["kill", "list"],
        &["kill", "on", flow, "--as", "nora", "--reason", "wrong prices"],
        &["kill", "off", flow, "--as", "nora"],
    ];
    for command in commands {
        folder.json(AFTERNOON, command);
    }
    // Of the edit, only its successor is left to decide on; somebody else approves it, and the mail can be shown.
    let successor = folder.json(AFTERNOON, &["approvals", "list"]);
    let successor = successor.as_array().unwrap().iter().find(|a| a["run"] == json!(run)).unwrap()["approval"].clone();
    let approved = folder.json(AFTERNOON, &["approvals", "approve", successor.as_str().unwrap(), "--as", "nora"]);
    assert_eq!(approved, json!({ "approval": successor, "run": run, "rest": "delivered (sent)" }));
    let key = folder.json(AFTERNOON, &["sends", "list"])[0]["key"].as_str().unwrap().to_owned();
    let sent = folder.json(AFTERNOON, &["sends", "show", &key]);
    assert!(Path::new(sent["file"].as_str().unwrap()).is_file());
}

/// With `--json` a failure is one JSON object too, on standard error, and standard output stays empty.
#[test]
fn failures_are_json_for_programs() {
    let folder = Folder::new();
    for (args, words) in [
        (["runs", "show", "run-000000000000"], "there is no run run-000000000000; see `mailwright runs list`"),
        (["approvals", "show", "apr-000000000000"], "there is no approval apr-000000000000"),
        (["profile", "show", "C-NOBODY"], "there is no customer `C-NOBODY`"),
        (["prompts", "show", "no-such-flow"], "there is no flow `no-such-flow`; see `mailwright prompts list`"),
        (["brand", "explain", "no-such-rule"], "there is no rule `no-such-rule`"),
        (["tools", "schema", "no_such_tool"], "there is no tool `no_such_tool`; see `mailwright tools list`"),
        (["graph", "recommend", "TT-0000"], "there is no product `TT-0000`"),
        (["sends", "show", "8c1f"], "0 send(s) have a key that begins with `8c1f`; see `mailwright sends list`"),
        (["runs", "list", "--shop=other"], "no shop `other`; it has: "),
    ] {
        let told = folder.run(MORNING, &[&args[..], &["--json"]].concat());
        assert_eq!((told.code(), told.out.as_str()), (Some(1), ""), "{args:?}: {told:?}");
        let error: Value = serde_json::from_str(&told.err).unwrap_or_else(|e| panic!("{e}: {}", told.err));
        assert!(error["error"].as_str().unwrap().contains(words), "{error}");
    }
}

#[test]
fn wrong_usage_is_code_two() {
    for args in [
        &["approvals", "approve", "apr-3f2a91c04d7e"][..],
        &["approvals", "reject", "apr-3f2a91c04d7e", "--as", "nora"],
        &["approvals", "approve", "--as", "nora"],
        &["kill", "on", "shop", "--as", "nora"],
        &["trigger", "shopify"],
        &["graph", "recommend"],
        &["runs", "list", "--at", "yesterday"],
        &["no-such-command"],
        &[],
    ] {
        let told = told(&mut bare(args));
        assert_eq!((told.code(), told.out.as_str()), (Some(2), ""), "{args:?}: {told:?}");
        assert!(told.err.contains("--help") || told.err.contains("Usage:"), "{}", told.err);
    }
}

#[test]
fn the_schemas_are_strict_function_tools() {
    let told = told(&mut bare(&["tools", "schema", "--json"]));
    let tools: Value = serde_json::from_str(&told.out).unwrap();
    let tools = tools.as_array().unwrap();
    assert!(tools.len() >= 10, "{} tools", tools.len());
    for tool in tools {
        let function = &tool["function"];
        assert_eq!((&tool["type"], &function["strict"]), (&json!("function"), &json!(true)), "{tool}");
        assert!(!function["description"].as_str().unwrap().is_empty());
        strict(&function["parameters"], function["name"].as_str().unwrap());
    }
}

/// Strict mode of the Chat Completions API: every object closed, every property required.
fn strict(schema: &Value, place: &str) {
    match schema {
        Value::Object(fields) => {
            if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
                assert_eq!(fields.get("additionalProperties"), Some(&json!(false)), "{place}");
                let mut required: Vec<&str> =
                    fields["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
                let mut known: Vec<&str> = properties.keys().map(String::as_str).collect();
                required.sort_unstable();
                known.sort_unstable();
                assert_eq!(required, known, "{place}");
            }
            fields.iter().for_each(|(name, inner)| strict(inner, &format!("{place}.{name}")));
        }
        Value::Array(items) => items.iter().for_each(|item| strict(item, place)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// From an empty folder, without a key or a service: what a newcomer tries first.
#[test]
fn the_demo_tells_its_five_stories() {
    let folder = Folder::empty();
    let data = folder.path().join("demo");
    let data = data.to_str().unwrap();
    let began = Instant::now();
    let told = told(&mut bare(&["demo", "--yes", "--json", "--data", data]));
    assert!(told.status.success(), "{told:?}");
    assert!(began.elapsed() < Duration::from_secs(60), "the demo took {:?}", began.elapsed());
    let scenes: Value = serde_json::from_str(&told.out).unwrap();
    let scenes = scenes.as_array().unwrap();
    let endings: Vec<&str> = scenes.iter().map(|scene| scene["ending"].as_str().unwrap()).collect();
    let expected = [
        "delivered (sent)",
        "no message: rejected",
        "held until the cause is lifted: 1 support ticket(s) are open",
        "delivered (sent)",
        "no message: withdrawn",
    ];
    assert_eq!(endings.len(), expected.len());
    for (ending, expected) in endings.iter().zip(expected) {
        assert!(ending.starts_with(expected), "`{ending}` is not `{expected}`");
    }
    for scene in scenes {
        let sent = scene["ending"] == json!("delivered (sent)");
        for file in [&scene["eml"], &scene["preview"]] {
            assert_eq!(file.as_str().is_some_and(|file| Path::new(file).is_file()), sent, "{scene}");
        }
    }
    // It makes its own folder anew, and leaves every other alone.
    let full = folder.file("mine.txt", "mine");
    let mine = Path::new(&full).parent().unwrap().to_str().unwrap();
    let refused = self::told(&mut bare(&["demo", "--yes", "--data", mine]));
    refused.failed(1, &[mine, "is not empty and no demo folder", "--data DIR"]);
    assert_eq!(std::fs::read_to_string(&full).unwrap(), "mine");
}
