//! What servers send back: strict servers, sloppy servers, new servers.

use agent::{FinishReason, ModelReply, RawCall, Usage};
use mailwright::model::ModelError;
use mailwright::model::openai::Profile;
use mailwright::model::prices::Price;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::{ask, completion, profile, requests_of, server, words};

/// What is made of this answer.
async fn read(answer: &Value) -> Result<ModelReply, ModelError> {
    let server = server(ResponseTemplate::new(200).set_body_json(answer)).await;
    ask(profile(&server.uri())).await
}

fn reply(text: Option<&str>, calls: Vec<RawCall>, finish: FinishReason) -> ModelReply {
    let usage = Usage { input_tokens: 100, output_tokens: 20, ..Usage::default() };
    ModelReply { text: text.map(str::to_owned), calls, finish, usage, model: "gpt-test-2026".to_owned() }
}

fn call(id: &str, name: &str, arguments: &str) -> RawCall {
    RawCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

fn calling(calls: &Value) -> Value {
    completion(json!({ "role": "assistant", "content": null, "refusal": null, "tool_calls": calls }), "tool_calls")
}

fn function(id: &str, arguments: &Value) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": "look", "arguments": arguments } })
}

#[tokio::test]
async fn words_and_calls_are_read() {
    use FinishReason::{Stop, ToolCalls};
    assert_eq!(read(&words("Hello")).await, Ok(reply(Some("Hello"), vec![], Stop)));
    let one = calling(&json!([function("call_1", &json!("{\"sku\":\"TT-1\"}"))]));
    assert_eq!(read(&one).await, Ok(reply(None, vec![call("call_1", "look", "{\"sku\":\"TT-1\"}")], ToolCalls)));
    let parallel =
        calling(&json!([function("b", &json!("{}")), function("a", &json!("")), function("b", &json!("{"))]));
    let calls = vec![call("b", "look", "{}"), call("a", "look", ""), call("b", "look", "{")];
    assert_eq!(read(&parallel).await, Ok(reply(None, calls, ToolCalls)));
}

#[tokio::test]
async fn sloppy_calls_are_read_as_far_as_they_go() {
    for (sloppy, read_as) in [
        // Arguments as the object itself, in the order in which they were written.
        (function("x", &json!({ "sku": "TT-1", "a": 1 })), call("x", "look", "{\"sku\":\"TT-1\",\"a\":1}")),
        (function("x", &Value::Null), call("x", "look", "")),
        (json!({ "function": { "name": "look", "arguments": "{}" } }), call("", "look", "{}")),
        (
            json!({ "id": null, "type": "function", "function": { "name": "look", "arguments": "{}" } }),
            call("", "look", "{}"),
        ),
        (json!({ "id": "x", "index": 0, "type": "custom" }), call("x", "", "")),
        (json!({ "id": "x", "function": {} }), call("x", "", "")),
    ] {
        let expected = reply(None, vec![read_as], FinishReason::ToolCalls);
        assert_eq!(read(&calling(&json!([sloppy]))).await, Ok(expected), "{sloppy}");
    }
}

#[tokio::test]
async fn content_comes_in_many_shapes() {
    let parts = json!([{ "type": "text", "text": "Hel" }, { "type": "image" }, { "type": "text", "text": "lo" }]);
    for (content, text) in [
        (parts, Some("Hello")),
        (Value::Null, None),
        (json!(""), None),
        (json!([]), None),
        (json!(7), None),
        (json!("Grüße 🎒"), Some("Grüße 🎒")),
    ] {
        let answer = completion(json!({ "role": "assistant", "content": content }), "stop");
        assert_eq!(read(&answer).await, Ok(reply(text, vec![], FinishReason::Stop)), "{content}");
    }
}

#[tokio::test]
async fn every_way_to_stop_has_a_meaning() {
    let says = |finish: &Value| {
        let mut answer = words("Hi");
        answer["choices"][0]["finish_reason"] = finish.clone();
        answer
    };
    for (finish, meaning) in [
        (json!("stop"), FinishReason::Stop),
        (Value::Null, FinishReason::Stop),
        (json!("length"), FinishReason::Length),
        (json!("tool_calls"), FinishReason::ToolCalls),
        (json!("content_filter"), FinishReason::Refused),
        (json!(""), FinishReason::Other),
        (json!("eos_token_of_tomorrow"), FinishReason::Other),
    ] {
        assert_eq!(read(&says(&finish)).await, Ok(reply(Some("Hi"), vec![], meaning)), "{finish}");
    }
    let refused = completion(json!({ "role": "assistant", "content": null, "refusal": "I cannot" }), "stop");
    assert_eq!(read(&refused).await, Ok(reply(Some("I cannot"), vec![], FinishReason::Refused)));
    let nothing_refused = completion(json!({ "role": "assistant", "content": "Hi", "refusal": "" }), "stop");
    assert_eq!(read(&nothing_refused).await, Ok(reply(Some("Hi"), vec![], FinishReason::Stop)));
}

#[tokio::test]
async fn what_is_new_or_missing_costs_no_answer() {
    let mut rich = words("Hi");
    rich["service_tier"] = json!("galactic");
    rich["object"] = json!(["not", "a", "string"]);
    rich["created"] = json!("yesterday");
    rich["choices"][0]["message"]["role"] = json!("oracle");
    rich["choices"][0]["message"]["reasoning_content"] = json!({ "steps": [] });
    rich["choices"][0]["index"] = json!(-1);
    rich["usage"]["prompt_tokens_details"] = json!({ "cached_tokens": 64 });
    let mut expected = reply(Some("Hi"), vec![], FinishReason::Stop);
    expected.usage.cached_tokens = 64;
    assert_eq!(read(&rich).await, Ok(expected));

    let bare = json!({ "choices": [{ "message": { "content": "Hi" } }] });
    let nothing_counted = ModelReply {
        usage: Usage::default(),
        model: "gpt-test".to_owned(),
        ..reply(Some("Hi"), vec![], FinishReason::Stop)
    };
    assert_eq!(read(&bare).await, Ok(nothing_counted));
    for usage in [Value::Null, json!({}), json!({ "prompt_tokens": -1, "completion_tokens": null })] {
        let mut answer = words("Hi");
        answer["usage"] = usage;
        assert_eq!(read(&answer).await.map(|r| r.usage), Ok(Usage::default()), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_without_a_message_is_empty_and_one_without_choices_is_none() {
    let empty = json!({ "model": "gpt-test-2026", "choices": [{}], "usage": { "prompt_tokens": 100, "completion_tokens": 20 } });
    assert_eq!(read(&empty).await, Ok(reply(None, vec![], FinishReason::Stop)));
    for answer in [json!({ "choices": [] }), json!({}), json!({ "error": { "message": "overloaded" } })] {
        let none = ModelError::Malformed("it holds no choices".to_owned());
        assert_eq!(read(&answer).await, Err(none), "{answer}");
    }
    let other = ModelError::Malformed("line 1, column 17 is not what Chat Completions sends".to_owned());
    assert_eq!(read(&json!({ "choices": "none" })).await, Err(other));
}

#[tokio::test]
async fn an_answer_has_its_price() {
    let server = server(ResponseTemplate::new(200).set_body_json(words("Hi"))).await;
    let dear = Price { input: 2_500_000, cached_input: None, output: 10_000_000 };
    let of = |price| Profile { price, ..profile(&server.uri()) };
    // 100 × $2.50 and 20 × $10 a million.
    let counted = Usage { input_tokens: 100, output_tokens: 20, ..Usage::default() };
    assert_eq!(ask(of(Some(dear))).await.unwrap().usage, Usage { cost_micros: 450, ..counted });
    let absurd = Price { input: u64::MAX, cached_input: None, output: u64::MAX };
    assert!(ask(of(Some(absurd))).await.unwrap().usage.cost_micros > 1 << 50);
    // Nobody knows the price: that is said, and is not the same as free.
    assert_eq!(ask(of(None)).await.unwrap().usage, Usage { unpriced: true, ..counted });
    assert_eq!(requests_of(&server).await, 3);
}

#[tokio::test]
async fn cached_tokens_cost_what_they_cost() {
    let mut answer = words("Hi");
    answer["usage"]["prompt_tokens_details"] = json!({ "cached_tokens": 60 });
    let server = server(ResponseTemplate::new(200).set_body_json(&answer)).await;
    let price = Some(Price { input: 1_000_000, cached_input: Some(100_000), output: 2_000_000 });
    let usage = ask(Profile { price, ..profile(&server.uri()) }).await.unwrap().usage;
    let expected =
        Usage { input_tokens: 100, output_tokens: 20, cost_micros: 40 + 6 + 40, cached_tokens: 60, unpriced: false };
    assert_eq!(usage, expected);
}

#[tokio::test]
async fn a_server_that_does_not_count_is_not_free() {
    let mut answer = words("Hi");
    answer.as_object_mut().unwrap().remove("usage");
    let server = server(ResponseTemplate::new(200).set_body_json(&answer)).await;
    let price = Some(Price { input: 1, cached_input: None, output: 1 });
    let usage = ask(Profile { price, ..profile(&server.uri()) }).await.unwrap().usage;
    assert_eq!(usage, Usage { unpriced: true, ..Usage::default() });
}
