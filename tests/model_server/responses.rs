//! The Responses interface: what we send, checked whole, and what comes back.

use agent::{FinishReason, ModelReply, RawCall, Usage};
use mailwright::model::ModelError;
use mailwright::model::openai::{Api, Profile};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::{ask, profile, server};

fn responses(base_url: &str) -> Profile {
    Profile { api: Api::Responses, retries: 0, ..profile(base_url) }
}

fn response(output: &Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "status": "completed", "model": "gpt-test-2026", "error": null,
        "incomplete_details": null, "output": output,
        "usage": { "input_tokens": 100, "output_tokens": 20, "input_tokens_details": { "cached_tokens": 0 } },
    })
}

fn says(text: &str) -> Value {
    json!([{ "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": text }] }])
}

async fn read(answer: &Value) -> Result<ModelReply, ModelError> {
    let server = server(ResponseTemplate::new(200).set_body_json(answer)).await;
    ask(responses(&server.uri())).await
}

fn reply(text: Option<&str>, calls: Vec<RawCall>, finish: FinishReason) -> ModelReply {
    let usage = Usage { input_tokens: 100, output_tokens: 20, ..Usage::default() };
    ModelReply { text: text.map(str::to_owned), calls, finish, usage, model: "gpt-test-2026".to_owned() }
}

#[tokio::test]
async fn a_request_holds_what_was_asked_and_no_more() {
    let server = server(ResponseTemplate::new(200).set_body_json(response(&says("hello")))).await;
    ask(responses(&format!("{}/v1", server.uri()))).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[0].url.path(), "/v1/responses");
    assert_eq!(
        requests[0].body_json::<Value>().unwrap(),
        json!({
            "model": "gpt-test",
            "input": [
                { "type": "message", "role": "system", "content": "Be brief." },
                { "type": "message", "role": "user", "content": "What is in stock?\n\"Boots\"" },
                { "type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{\"sku\":\"TT-1\"}" },
                { "type": "function_call", "call_id": "call_2", "name": "look", "arguments": "{broken" },
                { "type": "function_call_output", "call_id": "call_1", "output": "{\"stock\":3}" },
                { "type": "function_call_output", "call_id": "call_2", "output": "not JSON (line 1, column 2)" },
            ],
            "tools": [{
                "type": "function",
                "name": "look",
                "description": "Says what is in stock.",
                "parameters": {
                    "type": "object",
                    "description": "Looks up stock.",
                    "properties": {
                        "sku": { "type": "string", "description": "Stock keeping unit." },
                        "shops": { "type": ["integer", "null"], "description": "How many shops to ask.", "minimum": 1, "maximum": 9 },
                    },
                    "required": ["sku", "shops"],
                    "additionalProperties": false,
                },
                "strict": true,
            }],
            "tool_choice": "required",
            "max_output_tokens": 512,
            "store": false,
            "stream": false,
        })
    );
}

#[tokio::test]
async fn words_calls_and_refusals_are_read() {
    assert_eq!(read(&response(&says("Hello"))).await, Ok(reply(Some("Hello"), vec![], FinishReason::Stop)));
    let call = |id: &str, arguments: &Value| json!({ "type": "function_call", "id": "fc", "call_id": id, "name": "look", "arguments": arguments });
    let items = json!([{ "type": "reasoning", "summary": [] }, call("a", &json!("{}")), call("b", &json!({ "sku": "1" })), { "type": "of_tomorrow" }]);
    let raw = |id: &str, arguments: &str| RawCall {
        id: id.to_owned(),
        name: "look".to_owned(),
        arguments: arguments.to_owned(),
    };
    let both = vec![raw("a", "{}"), raw("b", "{\"sku\":\"1\"}")];
    assert_eq!(read(&response(&items)).await, Ok(reply(None, both, FinishReason::ToolCalls)));
    let refusal = json!([{ "type": "message", "content": [{ "type": "refusal", "refusal": "I cannot" }] }]);
    assert_eq!(read(&response(&refusal)).await, Ok(reply(Some("I cannot"), vec![], FinishReason::Refused)));
    assert_eq!(read(&response(&json!([]))).await, Ok(reply(None, vec![], FinishReason::Stop)));
}

#[tokio::test]
async fn an_incomplete_answer_says_why() {
    for (reason, finish) in [
        (json!({ "reason": "max_output_tokens" }), FinishReason::Length),
        (json!({ "reason": "content_filter" }), FinishReason::Refused),
        (json!({ "reason": "of_tomorrow" }), FinishReason::Other),
        (Value::Null, FinishReason::Other),
    ] {
        let mut answer = response(&says("Hel"));
        answer["status"] = json!("incomplete");
        answer["incomplete_details"] = reason.clone();
        assert_eq!(read(&answer).await, Ok(reply(Some("Hel"), vec![], finish)), "{reason}");
    }
}

#[tokio::test]
async fn a_failed_answer_is_an_error() {
    let failed = |code: &str| {
        let mut answer = response(&json!([]));
        answer["status"] = json!("failed");
        answer["error"] = json!({ "code": code, "message": "words that quote the prompt" });
        answer
    };
    let broke_off = ModelError::Malformed("the server broke it off with an error".to_owned());
    assert_eq!(read(&failed("server_error")).await, Err(broke_off));
    assert_eq!(read(&failed("rate_limit_exceeded")).await, Err(ModelError::RateLimited));
    let none = ModelError::Malformed("it holds no output".to_owned());
    assert_eq!(read(&json!({ "status": "completed" })).await, Err(none));
    let other = ModelError::Malformed("line 1, column 16 is not what Responses sends".to_owned());
    assert_eq!(read(&json!({ "output": "none" })).await, Err(other));
}
