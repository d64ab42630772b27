//! A marketer's turn, killed while the model thinks: what was said is on disk, the next process goes on with it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const SAID: &str = "Backpacks for lapsed customers, please";

/// A model that answers with words, after a while.
fn thinking(server: &MockServer, runtime: &Runtime, words: &str, after: Duration) {
    let answer = json!({
        "id": "c", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": words }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 },
    });
    let answer = ResponseTemplate::new(200).set_body_json(answer).set_delay(after);
    runtime.block_on(Mock::given(method("POST")).respond_with(answer).mount(server));
}

fn asked(server: &MockServer, runtime: &Runtime) -> Vec<Value> {
    let requests = runtime.block_on(server.received_requests()).unwrap();
    requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

#[test]
fn a_turn_killed_while_the_model_thinks_is_answered_by_the_next_process() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(MockServer::start());
    thinking(&server, &runtime, "Too late.", Duration::from_secs(60));
    let folder = Folder::new();
    let url = format!("{}/v1", server.uri());
    let chat = ["chat", "--as", "mira", "--base-url", &url, "--model", "m"];
    let mut first = folder
        .command(MORNING, &chat)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(first.stdout.take().unwrap()).lines();
    let brief = told.next().unwrap().unwrap().trim_start_matches("brief ").to_owned();
    let mut stdin = first.stdin.take().unwrap();
    writeln!(stdin, "{SAID}").unwrap();
    stdin.flush().unwrap();
    let began = Instant::now();
    while asked(&server, &runtime).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "the model is never asked");
        std::thread::sleep(Duration::from_millis(20));
    }
    // kill -9: nobody is asked, nothing is cleaned up.
    first.kill().unwrap();
    first.wait().unwrap();
    drop(stdin);

    runtime.block_on(server.reset());
    thinking(&server, &runtime, "Here I am again.", Duration::ZERO);
    let resumed = [&chat[..], &["--resume", &brief]].concat();
    let told = folder.run(AFTERNOON, &resumed);
    assert!(told.status.success(), "{told:?}");
    let shown = folder.json(AFTERNOON, &["chat", "show", &brief]);
    assert_eq!((shown["turn"].as_u64(), shown["answer"].as_str()), (Some(1), Some("Here I am again.")), "{shown}");
    // What was said before the kill is what the model was asked about after it, once.
    let asked = asked(&server, &runtime);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["messages"].to_string().matches(SAID).count(), 1, "{}", asked[0]);
}
