//! `tool_mode = json_schema`: tools as one document, for servers that only hold a model to a schema.

use agent::{FinishReason, ModelReply, RawCall, Usage};
use mailwright::model::ModelError;
use mailwright::model::openai::{Api, OpenAi, Profile, Provider, ToolMode};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::{ask, completion, profile, server, words};

fn documents(base_url: &str) -> Profile {
    Profile { tool_mode: ToolMode::JsonSchema, ..profile(base_url) }
}

/// The reply to this content, and the request that asked for it.
async fn asked(content: &str, finish: &str, change: impl FnOnce(&mut Profile)) -> (ModelReply, Value) {
    let answer = completion(json!({ "role": "assistant", "content": content }), finish);
    let server = server(ResponseTemplate::new(200).set_body_json(answer)).await;
    let mut profile = documents(&server.uri());
    change(&mut profile);
    let reply = ask(profile).await.unwrap();
    (reply, server.received_requests().await.unwrap()[0].body_json().unwrap())
}

fn reply(text: Option<&str>, calls: &[(&str, &str)], finish: FinishReason) -> ModelReply {
    let call = |(name, arguments): &(&str, &str)| RawCall {
        id: String::new(),
        name: (*name).to_owned(),
        arguments: (*arguments).to_owned(),
    };
    let usage = Usage { input_tokens: 100, output_tokens: 20, ..Usage::default() };
    ModelReply {
        text: text.map(str::to_owned),
        calls: calls.iter().map(call).collect(),
        finish,
        usage,
        model: "gpt-test-2026".to_owned(),
    }
}

const CALL: &str = r#"{"action":{"tool":"look","arguments":{"sku":"TT-1","shops":null}}}"#;
const READ: (&str, &str) = ("look", r#"{"sku":"TT-1","shops":null}"#);

#[tokio::test]
async fn the_schema_takes_the_place_of_tools() {
    let (got, body) = asked(CALL, "stop", |_| {}).await;
    assert_eq!(got, reply(None, &[READ], FinishReason::ToolCalls));
    let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["model", "messages", "response_format", "max_completion_tokens", "stream"]);
    assert_eq!(
        body["response_format"],
        json!({ "type": "json_schema", "json_schema": {
            "name": "next_action",
            "schema": {
                "type": "object",
                "properties": { "action": { "anyOf": [{
                    "type": "object",
                    "properties": {
                        "tool": { "type": "string", "const": "look" },
                        "arguments": {
                            "type": "object",
                            "description": "Looks up stock.",
                            "properties": {
                                "sku": { "type": "string", "description": "Stock keeping unit." },
                                "shops": { "type": ["integer", "null"], "description": "How many shops to ask.", "minimum": 1, "maximum": 9 },
                            },
                            "required": ["sku", "shops"],
                            "additionalProperties": false,
                        },
                    },
                    "required": ["tool", "arguments"],
                    "additionalProperties": false,
                }] } },
                "required": ["action"],
                "additionalProperties": false,
            },
            "strict": true,
        } })
    );
}

#[tokio::test]
async fn the_conversation_needs_no_tool_roles() {
    let (_, body) = asked(CALL, "stop", |_| {}).await;
    let roles: Vec<&str> = body["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "user"]);
    let spoken: Vec<String> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| format!("[{}]\n{}", m["role"].as_str().unwrap(), m["content"].as_str().unwrap()))
        .collect();
    insta::assert_snapshot!(spoken.join("\n\n"));
}

#[tokio::test]
async fn responses_hold_a_model_to_the_same_schema() {
    let message =
        json!({ "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": CALL }] });
    let answer = json!({ "status": "completed", "model": "gpt-test-2026", "output": [message], "usage": { "input_tokens": 100, "output_tokens": 20 } });
    let server = server(ResponseTemplate::new(200).set_body_json(answer)).await;
    let got = ask(Profile { api: Api::Responses, ..documents(&server.uri()) }).await.unwrap();
    assert_eq!(got, reply(None, &[READ], FinishReason::ToolCalls));
    let body: Value = server.received_requests().await.unwrap()[0].body_json().unwrap();
    let format = &body["text"]["format"];
    assert_eq!(
        (&format["type"], &format["name"], &format["strict"]),
        (&json!("json_schema"), &json!("next_action"), &json!(true))
    );
    assert_eq!(format["schema"]["properties"]["action"]["anyOf"][0]["properties"]["tool"]["const"], "look");
    assert_eq!(body.get("tools"), None);
    let roles: Vec<&str> = body["input"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "user"]);
}

#[tokio::test]
async fn what_is_no_document_stays_words_unless_leniency_was_asked_for() {
    let fenced = format!("Sure!\n```json\n{CALL}\n```\nDone.");
    let learned = r#"{"name": "look", "arguments": {"sku":"TT-1","shops":null}}"#;
    for (content, strict, lenient) in [
        (CALL, true, true),
        (" {\"action\": {\"tool\": \"look\", \"arguments\": {\"sku\":\"TT-1\",\"shops\":null}}}\n", true, true),
        (fenced.as_str(), false, true),
        (learned, false, true),
        ("I would look.", false, false),
        (r#"{"action":{"tool":"look"}}"#, false, false),
        (r#"{"action":{"tool":"look","arguments":{"sku":"TT-1","shops":nu"#, false, false),
        ("```json\n{}\n```\n```json\n{}\n```", false, false),
    ] {
        for (is_lenient, understood) in [(false, strict), (true, lenient)] {
            let (got, _) = asked(content, "stop", |profile| profile.lenient = is_lenient).await;
            let expected = if understood {
                reply(None, &[READ], FinishReason::ToolCalls)
            } else {
                reply(Some(content), &[], FinishReason::Stop)
            };
            assert_eq!(got, expected, "{content} (lenient: {is_lenient})");
        }
    }
}

#[tokio::test]
async fn a_native_server_may_write_its_call_into_words_when_leniency_was_asked_for() {
    // What a small server does under `tool_choice: required`: 200, no call, a fenced block.
    let content = "```json\n{\"name\": \"look\", \"arguments\": {\"sku\":\"TT-1\",\"shops\":null}}\n```";
    for (lenient, expected) in
        [(false, reply(Some(content), &[], FinishReason::Stop)), (true, reply(None, &[READ], FinishReason::ToolCalls))]
    {
        let (got, body) =
            asked(content, "stop", |profile| (profile.tool_mode, profile.lenient) = (ToolMode::Native, lenient)).await;
        assert_eq!(got, expected);
        assert_eq!(body["tool_choice"], "required");
    }
    // A tool that is not on offer is no call, and what was cut off is not guessed at.
    let lenient = |profile: &mut Profile| (profile.tool_mode, profile.lenient) = (ToolMode::Native, true);
    let other = r#"{"name": "rm", "arguments": {}}"#;
    assert_eq!(asked(other, "stop", lenient).await.0, reply(Some(other), &[], FinishReason::Stop));
    assert_eq!(asked(content, "length", lenient).await.0, reply(Some(content), &[], FinishReason::Length));
}

#[tokio::test]
async fn a_document_that_was_cut_off_or_refused_is_no_call() {
    assert_eq!(asked(CALL, "length", |_| {}).await.0, reply(Some(CALL), &[], FinishReason::Length));
    assert_eq!(asked(CALL, "content_filter", |_| {}).await.0, reply(Some(CALL), &[], FinishReason::Refused));
}

#[tokio::test]
async fn a_server_that_holds_nobody_to_a_schema_is_not_asked_for_it() {
    let of = |lenient| {
        OpenAi::new(Profile { provider: Provider::Anthropic, lenient, ..documents("https://api.anthropic.com/v1") })
    };
    let words = "anthropic does not hold a model to a JSON schema: use tool_mode = \"native\", or lenient = true";
    assert_eq!(of(false).unwrap_err(), ModelError::Unsupported(words.to_owned()));
    assert!(of(true).is_ok());
}

#[tokio::test]
async fn without_tools_there_is_no_document() {
    let server = server(ResponseTemplate::new(200).set_body_json(words(CALL))).await;
    let model = OpenAi::new(documents(&server.uri())).unwrap();
    let messages = &super::conversation()[..2];
    let request =
        agent::ModelRequest { messages, tools: Vec::new(), tool_choice: agent::ToolChoice::Required, form: None };
    let got = mailwright::model::ChatModel::complete(&model, &request, &[]).await.unwrap();
    assert_eq!(got, reply(Some(CALL), &[], FinishReason::Stop));
}
