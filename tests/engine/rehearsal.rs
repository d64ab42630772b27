//! `runs diff`: the same run once more, with nothing leaving the house.

use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

#[test]
fn the_same_model_and_release_do_the_same_again() {
    let (folder, run) = delivered();
    let before = folder.state();
    let told = folder.json(AFTERNOON, &["runs", "diff", &run, "--model", "offline"]);
    assert_eq!(told["first_difference"], Value::Null, "{told:#}");
    assert_eq!(told["answered_afresh"], json!([]));
    assert_eq!(told["recorded"]["message"], told["rehearsed"]["message"]);
    assert_eq!(told["recorded"]["needs_approval"], told["rehearsed"]["needs_approval"]);
    assert_eq!(told["recorded"]["end"]["outcome"], "delivered");
    assert_eq!(told["rehearsed"]["end"], json!({ "waits": "approval" }));
    let calls = &told["rehearsed"]["turns"][0];
    assert_eq!((&calls["what"], told["recorded"]["models"].clone()), (&json!("model calls"), json!(["offline"])));
    assert_eq!(folder.state(), before, "a rehearsal writes nothing");
}

/// Another release writes with other words: the trajectory is compared, and so is the message.
#[test]
fn another_prompt_set_shows_in_the_message() {
    let (folder, run) = delivered();
    let own = folder.rows("SELECT active_release FROM shops").pop().unwrap();
    let files = folder.path().join("given-release");
    folder.run(AFTERNOON, &["release", "export", files.to_str().unwrap()]);
    let patterns = files.join("prompts/offline/en.toml");
    let words = std::fs::read_to_string(&patterns).unwrap();
    let subject = text(&folder.json(AFTERNOON, &["runs", "diff", &run])["recorded"]["message"]["texts"][0]["text"]);
    let changed = swapped_opening(&words);
    assert_ne!(words, changed);
    std::fs::write(&patterns, changed).unwrap();
    let applied = folder.run(AFTERNOON, &["release", "apply", files.to_str().unwrap(), "--as", "nora"]);
    assert!(applied.status.success(), "{applied:?}");
    let other = folder.rows("SELECT active_release FROM shops").pop().unwrap();
    let before = folder.state();
    let told = folder.json(AFTERNOON, &["runs", "diff", &run, "--release", &other]);
    assert_eq!(told["recorded"]["release"], json!(own));
    assert_eq!(told["rehearsed"]["release"], json!(other));
    assert_ne!(told["recorded"]["message"]["content"], told["rehearsed"]["message"]["content"], "{subject}");
    assert!(told["first_difference"].is_u64(), "{told:#}");
    assert_eq!(folder.state(), before);
    let shown = folder.run(AFTERNOON, &["runs", "diff", &run, "--release", &other]);
    for words in ["as it was", "rehearsed", "preheader", "The first difference is in turn"] {
        assert!(shown.out.contains(words), "{words}:\n{}", shown.out);
    }
}

/// The same sentences with their words changed, wherever an English sentence of the offline model begins so.
fn swapped_opening(words: &str) -> String {
    words.replace("detail", "point").replace("in your cart", "in your basket")
}

/// A model server that decides otherwise: one call, no message, and everything else stays as it was.
#[test]
fn another_model_is_asked_and_nothing_leaves() {
    let (folder, run) = delivered();
    let before = folder.state();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(MockServer::start());
    let arguments = json!({ "code": "nothing_to_say", "reason": "The reader has what they need." }).to_string();
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "other-model",
        "choices": [{ "index": 0, "finish_reason": "tool_calls", "message": { "role": "assistant", "content": null, "tool_calls": [
            { "id": "call_1", "type": "function", "function": { "name": "decide_no_send", "arguments": arguments } }] } }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 },
    });
    runtime.block_on(
        Mock::given(method("POST"))
            .and(path("/v1/chat/completions"))
            .respond_with(ResponseTemplate::new(200).set_body_json(answer))
            .expect(1)
            .mount(&server),
    );
    let url = format!("{}/v1", server.uri());
    let told = folder.json(AFTERNOON, &["runs", "diff", &run, "--base-url", &url, "--model", "other"]);
    assert_eq!(told["first_difference"], json!(1));
    assert_eq!(told["rehearsed"]["models"], json!(["other-model"]));
    assert_eq!(told["rehearsed"]["message"], Value::Null);
    assert_eq!(told["rehearsed"]["end"]["outcome"], "no_send");
    assert_eq!(folder.state(), before);
    let asked = runtime.block_on(server.received_requests()).unwrap();
    let body: Value = serde_json::from_slice(&asked[0].body).unwrap();
    assert_eq!(body["messages"][0]["role"], "system");
    runtime.block_on(server.verify());
}

#[test]
fn an_unknown_model_or_release_is_named() {
    let (folder, run) = delivered();
    folder
        .run(AFTERNOON, &["runs", "diff", &run, "--model", "no-such"])
        .failed(1, &["there is no model profile `no-such`; there are offline"]);
    let none = "0".repeat(64);
    folder.run(AFTERNOON, &["runs", "diff", &run, "--release", &none]).failed(1, &["there is no release", &none]);
}
