//! Streams: pieces of words and calls as servers really send them.

use std::sync::{Arc, Mutex};

use agent::{FinishReason, ModelReply, ModelRequest, RawCall, ReplySink, ToolChoice, Usage};
use kit::tool::{Tool as _, ToolSpec};
use mailwright::model::openai::{Api, OpenAi, Profile, ToolMode};
use mailwright::model::{ChatModel as _, ModelError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use wiremock::ResponseTemplate;

use super::{Look, completion, conversation, profile, requests_of, server};

fn streaming(base_url: &str) -> Profile {
    Profile { stream: true, ..profile(base_url) }
}

/// What was handed on, in order.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl ReplySink for Heard {
    fn text(&self, delta: &str) {
        self.0.lock().unwrap().push(delta.to_owned());
    }
    fn call(&self, name: &str) {
        self.0.lock().unwrap().push(format!("→ {name}"));
    }
}

async fn listen(profile: Profile) -> (Result<ModelReply, ModelError>, Vec<String>) {
    listen_to(&OpenAi::new(profile).unwrap()).await
}

pub(super) async fn listen_to(model: &OpenAi) -> (Result<ModelReply, ModelError>, Vec<String>) {
    let messages = conversation();
    let request = ModelRequest {
        messages: &messages,
        tools: vec![Look::NAME.to_owned()],
        tool_choice: ToolChoice::Required,
        form: None,
    };
    let heard = Heard::default();
    let reply = model.stream(&request, &[&ToolSpec::of::<Look>().unwrap()], &heard).await;
    (reply, heard.0.into_inner().unwrap())
}

fn events(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text.as_bytes(), "text/event-stream; charset=utf-8")
}

fn chunk(delta: &Value, finish: &Value) -> String {
    let chunk = json!({ "id": "c", "object": "chat.completion.chunk", "model": "gpt-test-2026", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
    format!("data: {chunk}\n\n")
}

fn said(text: &str) -> String {
    chunk(&json!({ "content": text }), &Value::Null)
}

fn calls(pieces: &Value) -> String {
    chunk(&json!({ "tool_calls": pieces }), &Value::Null)
}

fn stop(why: &str) -> String {
    chunk(&json!({}), &json!(why))
}

const COUNTED: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":20,\"prompt_tokens_details\":{\"cached_tokens\":64}}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

async fn read(stream: &str) -> (Result<ModelReply, ModelError>, Vec<String>) {
    let server = server(events(stream)).await;
    listen(Profile { retries: 0, ..streaming(&server.uri()) }).await
}

fn reply(text: Option<&str>, calls: &[(&str, &str, &str)], finish: FinishReason, usage: Usage) -> ModelReply {
    let call = |(id, name, arguments): &(&str, &str, &str)| RawCall {
        id: (*id).to_owned(),
        name: (*name).to_owned(),
        arguments: (*arguments).to_owned(),
    };
    ModelReply {
        text: text.map(str::to_owned),
        calls: calls.iter().map(call).collect(),
        finish,
        usage,
        model: "gpt-test-2026".to_owned(),
    }
}

fn counted() -> Usage {
    Usage { input_tokens: 100, output_tokens: 20, cached_tokens: 64, ..Usage::default() }
}

#[tokio::test]
async fn words_come_as_they_are_written() {
    let role = chunk(&json!({ "role": "assistant", "content": "" }), &Value::Null);
    let stream = format!("{role}: keep-alive\n\n{}{}{}{COUNTED}{DONE}", said("Hel"), said("lo 🎒"), stop("stop"));
    let (got, heard) = read(&stream).await;
    assert_eq!(got, Ok(reply(Some("Hello 🎒"), &[], FinishReason::Stop, counted())));
    assert_eq!(heard, ["Hel", "lo 🎒"]);
}

/// Says when it hears something.
struct Nodding(Arc<Notify>);

impl ReplySink for Nodding {
    fn text(&self, _: &str) {
        self.0.notify_one();
    }
    fn call(&self, _: &str) {}
}

/// The server says no more until the first word was handed on.
#[tokio::test]
async fn words_are_handed_on_before_the_answer_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let nod = Arc::new(Notify::new());
    let heard = nod.clone();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 16 * 1024]).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        stream.write_all(format!("{head}{}", said("Hel")).as_bytes()).await.unwrap();
        heard.notified().await;
        stream.write_all(format!("{}{}{DONE}", said("lo"), stop("stop")).as_bytes()).await.unwrap();
    });
    let model = OpenAi::new(Profile { retries: 0, timeout_s: 5, ..streaming(&url) }).unwrap();
    let messages = conversation();
    let request = ModelRequest { messages: &messages, tools: Vec::new(), tool_choice: ToolChoice::Auto, form: None };
    let got = model.stream(&request, &[], &Nodding(nod)).await;
    assert_eq!(got, Ok(reply(Some("Hello"), &[], FinishReason::Stop, Usage::default())));
}

#[tokio::test]
async fn the_request_says_that_it_wants_a_stream_with_its_usage() {
    let server = server(events(&format!("{}{}", said("Hi"), stop("stop")))).await;
    listen(streaming(&server.uri())).await.0.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[0].headers["accept"], "text/event-stream");
    let body: Value = requests[0].body_json().unwrap();
    assert_eq!((&body["stream"], &body["stream_options"]), (&json!(true), &json!({ "include_usage": true })));
}

#[tokio::test]
async fn calls_are_gathered_however_they_are_cut() {
    let look = |index: u64, id: &str| json!({ "index": index, "id": id, "type": "function", "function": { "name": "look", "arguments": "" } });
    let more = |index: u64, text: &str| json!({ "index": index, "function": { "arguments": text } });
    let usual = [
        calls(&json!([look(0, "a")])),
        calls(&json!([more(0, "{\"sku\":")])),
        calls(&json!([look(1, "b")])),
        calls(&json!([more(1, "{}"), more(0, "\"1\"}")])),
    ];
    // No index at all: an id begins a call, what has none goes on with the last.
    let bare = [
        calls(&json!([{ "id": "a", "function": { "name": "look", "arguments": "{\"sku\":" } }])),
        calls(&json!([{ "function": { "arguments": "\"1\"}" } }])),
        calls(&json!([{ "id": "b", "function": { "name": "look", "arguments": "{}" } }])),
    ];
    // The name and the id come again with every piece.
    let again = |index: u64, id: &str, text: &str| json!({ "index": index, "id": id, "function": { "name": "look", "arguments": text } });
    let repeated = [
        calls(&json!([again(0, "a", "{\"sku\":")])),
        calls(&json!([again(0, "a", "\"1\"}")])),
        calls(&json!([again(1, "b", "{}")])),
    ];
    // Whole objects, and one index for every parallel call.
    let whole = [calls(&json!([
        { "index": 0, "id": "a", "function": { "name": "look", "arguments": { "sku": "1" } } },
        { "index": 0, "id": "b", "function": { "name": "look", "arguments": {} } },
    ]))];
    for pieces in [usual.concat(), bare.concat(), repeated.concat(), whole.concat()] {
        let (got, heard) = read(&format!("{pieces}{}{COUNTED}{DONE}", stop("tool_calls"))).await;
        let both = [("a", "look", "{\"sku\":\"1\"}"), ("b", "look", "{}")];
        assert_eq!(got, Ok(reply(None, &both, FinishReason::ToolCalls, counted())), "{pieces}");
        assert_eq!(heard, ["→ look", "→ look"], "{pieces}");
    }
    // Neither index nor id: a name after arguments begins the next call.
    let nameless = calls(
        &json!([{ "function": { "name": "look", "arguments": "{}" } }, { "function": { "name": "look", "arguments": "{}" } }]),
    );
    let (got, _) = read(&format!("{nameless}{}{DONE}", stop("tool_calls"))).await;
    assert_eq!(got.unwrap().calls.len(), 2);
}

#[tokio::test]
async fn a_stream_may_end_in_many_ways() {
    let hello = reply(Some("Hi"), &[], FinishReason::Stop, Usage::default());
    for stream in [
        format!("{}{}", said("Hi"), stop("stop")),
        format!("{}{DONE}", said("Hi")),
        format!("{}{}data: [DONE]", said("Hi"), stop("stop")),
        format!("{}{}{DONE}data: this is never read\n\n", said("Hi"), stop("stop")),
        format!("{}data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}", said("Hi")),
    ] {
        // Nobody counted, and everything is free here: so nothing is owed.
        assert_eq!(read(&stream).await.0, Ok(hello.clone()), "{stream}");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_is_an_error() {
    let error = |code: &str| {
        format!(
            "{}data: {{\"error\":{{\"message\":\"words that quote the prompt\",\"code\":\"{code}\"}}}}\n\n",
            said("Hi")
        )
    };
    let broke_off = ModelError::Malformed("the server broke it off with an error".to_owned());
    assert_eq!(read(&error("server_error")).await.0, Err(broke_off));
    assert_eq!(read(&error("rate_limit_exceeded")).await.0, Err(ModelError::RateLimited));
    assert_eq!(read(&error("insufficient_quota")).await.0, Err(ModelError::OutOfQuota));
    let unreadable = ModelError::Malformed("an event is not what Chat Completions sends".to_owned());
    assert_eq!(read("data: {\"choices\":[{\"delta\"\n\n").await.0, Err(unreadable));
    assert_eq!(read(DONE).await.0, Err(ModelError::Malformed("it holds no choices".to_owned())));
}

#[tokio::test]
async fn what_was_handed_on_is_not_asked_for_again() {
    let cut = said("Hel");
    let broke = Err(ModelError::Connect("the connection broke".to_owned()));
    let after = server(events(&cut)).await;
    assert_eq!(listen(streaming(&after.uri())).await, (broke.clone(), vec!["Hel".to_owned()]));
    assert_eq!(requests_of(&after).await, 1);

    // Nothing was handed on yet: a role, a comment.
    let before = server(events(&format!(": hello\n\n{}", chunk(&json!({ "role": "assistant" }), &Value::Null)))).await;
    assert_eq!(listen(streaming(&before.uri())).await, (broke.clone(), Vec::new()));
    assert_eq!(requests_of(&before).await, 3);

    // Nobody reads along: the whole answer may be asked for again.
    let alone = server(events(&cut)).await;
    assert_eq!(super::ask(streaming(&alone.uri())).await, broke);
    assert_eq!(requests_of(&alone).await, 3);
}

/// A server that sends this, then closes or stays silent.
async fn raw(text: String, hang: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 16 * 1024];
            let _ = stream.read(&mut request).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 100000\r\n\r\n";
            let _ = stream.write_all(format!("{head}{text}").as_bytes()).await;
            if hang {
                tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            }
        }
    });
    url
}

#[tokio::test]
async fn a_connection_that_breaks_counts_only_before_the_answer_is_whole() {
    let whole = raw(format!("{}{}", said("Hi"), stop("stop")), false).await;
    let hello = reply(Some("Hi"), &[], FinishReason::Stop, Usage::default());
    assert_eq!(listen(streaming(&whole)).await.0, Ok(hello));
    let half = raw(said("Hi"), false).await;
    let broke = ModelError::Connect("the connection broke".to_owned());
    assert_eq!(listen(streaming(&half)).await, (Err(broke), vec!["Hi".to_owned()]));
    let silent = raw(said("Hi"), true).await;
    let impatient = Profile { timeout_s: 1, ..streaming(&silent) };
    assert_eq!(listen(impatient).await, (Err(ModelError::Timeout { seconds: 1 }), vec!["Hi".to_owned()]));
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_heard_at_the_end() {
    let answer = completion(
        json!({ "content": "Hi", "tool_calls": [{ "id": "a", "function": { "name": "look", "arguments": "{}" } }] }),
        "tool_calls",
    );
    let server = server(ResponseTemplate::new(200).set_body_json(answer)).await;
    for profile in [streaming(&server.uri()), profile(&server.uri())] {
        let (got, heard) = listen(profile).await;
        assert_eq!(got.unwrap().calls.len(), 1);
        assert_eq!(heard, ["Hi", "→ look"]);
    }
}

#[tokio::test]
async fn a_document_is_no_words_for_anybody() {
    let document = r#"{"action":{"tool":"look","arguments":{"sku":"TT-1"}}}"#;
    let (first, second) = document.split_at(20);
    let server = server(events(&format!("{}{}{}{DONE}", said(first), said(second), stop("stop")))).await;
    let (got, heard) = listen(Profile { tool_mode: ToolMode::JsonSchema, ..streaming(&server.uri()) }).await;
    assert_eq!(got, Ok(reply(None, &[("", "look", "{\"sku\":\"TT-1\"}")], FinishReason::ToolCalls, Usage::default())));
    assert_eq!(heard, ["→ look"]);
}

fn event(kind: &str, rest: &Value) -> String {
    let mut event = json!({ "type": kind });
    event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    format!("event: {kind}\ndata: {event}\n\n")
}

#[tokio::test]
async fn responses_stream_too() {
    let call = json!({ "type": "function_call", "id": "fc", "call_id": "a", "name": "look", "arguments": "{}" });
    let message = json!({ "type": "message", "content": [{ "type": "output_text", "text": "Hello" }] });
    let usage = json!({ "input_tokens": 100, "output_tokens": 20, "input_tokens_details": { "cached_tokens": 64 } });
    let whole = |output: &Value| json!({ "response": { "status": "completed", "model": "gpt-test-2026", "output": output, "usage": usage } });
    let begun = [
        event("response.created", &json!({ "response": { "status": "in_progress", "output": [] } })),
        event("response.output_text.delta", &json!({ "delta": "Hel" })),
        event("response.output_text.delta", &json!({ "delta": "lo" })),
        event("response.output_item.done", &json!({ "item": message })),
        event(
            "response.output_item.added",
            &json!({ "item": { "type": "function_call", "name": "look", "arguments": "" } }),
        ),
        event("response.function_call_arguments.delta", &json!({ "delta": "{}" })),
        event("response.output_item.done", &json!({ "item": call })),
    ]
    .concat();
    let responses = |uri: &str| Profile { api: Api::Responses, retries: 0, ..streaming(uri) };
    for output in [json!([message, call]), json!([])] {
        let server = server(events(&format!("{begun}{}", event("response.completed", &whole(&output))))).await;
        let (got, heard) = listen(responses(&server.uri())).await;
        assert_eq!(got, Ok(reply(Some("Hello"), &[("a", "look", "{}")], FinishReason::ToolCalls, counted())));
        assert_eq!(heard, ["Hel", "lo", "→ look"]);
        let body: Value = server.received_requests().await.unwrap()[0].body_json().unwrap();
        assert_eq!((&body["stream"], body.get("stream_options")), (&json!(true), None));
    }
    let broke_off = ModelError::Malformed("the server broke it off with an error".to_owned());
    for (last, error) in [
        (
            event(
                "response.failed",
                &json!({ "response": { "status": "failed", "error": { "code": "server_error", "message": "x" } } }),
            ),
            broke_off,
        ),
        (event("error", &json!({ "code": "rate_limit_exceeded", "message": "x" })), ModelError::RateLimited),
        (String::new(), ModelError::Connect("the connection broke".to_owned())),
    ] {
        let server = server(events(&format!("{begun}{last}"))).await;
        assert_eq!(listen(responses(&server.uri())).await.0, Err(error));
    }
}
