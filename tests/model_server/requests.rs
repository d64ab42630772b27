//! What we send, checked whole: nothing is missing and nothing is there that nobody asked for.

use agent::{ModelRequest, ToolChoice};
use mailwright::model::ChatModel as _;
use mailwright::model::ModelError;
use mailwright::model::openai::{Api, OpenAi, Profile, Provider, Secret};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::{KEY, ask, conversation, profile, server, words};

/// The one request that reached the server.
async fn sent(change: impl FnOnce(&mut mailwright::model::openai::Profile, &str)) -> Request {
    let server = server(ResponseTemplate::new(200).set_body_json(words("hello"))).await;
    let mut profile = profile(&format!("{}/v1", server.uri()));
    change(&mut profile, &server.uri());
    ask(profile).await.unwrap();
    let [request] = <[Request; 1]>::try_from(server.received_requests().await.unwrap()).unwrap();
    request
}

/// Header names and values but for what HTTP itself needs.
fn headers(request: &Request) -> Vec<(String, String)> {
    let own = request.headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()));
    let mut own: Vec<_> = own.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    own.sort();
    own
}

#[tokio::test]
async fn a_request_holds_what_was_asked_and_no_more() {
    let request = sent(|_, _| {}).await;
    assert_eq!(
        (request.method.as_str(), request.url.path(), request.url.query()),
        ("POST", "/v1/chat/completions", None)
    );
    let expected =
        [("accept", "*/*"), ("authorization", &format!("Bearer {KEY}")), ("content-type", "application/json")];
    assert_eq!(headers(&request), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(
        request.body_json::<Value>().unwrap(),
        json!({
            "model": "gpt-test",
            "messages": [
                { "role": "system", "content": "Be brief." },
                { "role": "user", "content": "What is in stock?\n\"Boots\"" },
                { "role": "assistant", "content": null, "tool_calls": [
                    { "id": "call_1", "type": "function", "function": { "name": "look", "arguments": "{\"sku\":\"TT-1\"}" } },
                    { "id": "call_2", "type": "function", "function": { "name": "look", "arguments": "{broken" } },
                ] },
                { "role": "tool", "tool_call_id": "call_1", "content": "{\"stock\":3}" },
                { "role": "tool", "tool_call_id": "call_2", "content": "not JSON (line 1, column 2)" },
            ],
            "tools": [{ "type": "function", "function": {
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
            } }],
            "tool_choice": "required",
            "max_completion_tokens": 512,
            "stream": false,
        })
    );
}

#[tokio::test]
async fn any_base_url_will_do() {
    for (base, path) in [
        ("", "/chat/completions"),
        ("/", "/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/v1//", "/v1/chat/completions"),
        ("/openai/deployments/a%20b/v1", "/openai/deployments/a%20b/v1/chat/completions"),
    ] {
        let request = sent(|profile, uri| profile.base_url = format!("{uri}{base}")).await;
        assert_eq!(request.url.path(), path, "{base}");
    }
}

#[tokio::test]
async fn without_a_key_none_is_sent() {
    let request = sent(|profile, _| profile.api_key = Secret::default()).await;
    let names: Vec<String> = headers(&request).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["accept", "content-type"]);
}

#[tokio::test]
async fn without_tools_there_is_no_choice_of_tools() {
    let server = server(ResponseTemplate::new(200).set_body_json(words("hello"))).await;
    let model = OpenAi::new(profile(&server.uri())).unwrap();
    let messages = &conversation()[..2];
    let request = ModelRequest { messages, tools: Vec::new(), tool_choice: ToolChoice::Required, form: None };
    model.complete(&request, &[]).await.unwrap();
    let body: Value = server.received_requests().await.unwrap()[0].body_json().unwrap();
    let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["model", "messages", "max_completion_tokens", "stream"]);
}

#[tokio::test]
async fn a_question_of_one_form_has_no_tools_and_names_the_form_where_a_server_can_be_held_to_it() {
    let schema = kit::gist::schema();
    let format = json!({ "type": "json_schema", "name": "answer", "strict": true, "schema": schema });
    let chat = json!({ "type": "json_schema", "json_schema": { "name": "answer", "strict": true, "schema": schema } });
    // Anthropic's compatible interface ignores schemas: it gets the form in words alone.
    for (provider, api, path, place, expected) in [
        (Provider::OpenAi, Api::Chat, "/chat/completions", "response_format", Some(chat)),
        (Provider::OpenAi, Api::Responses, "/responses", "text", Some(json!({ "format": format }))),
        (Provider::Anthropic, Api::Chat, "/chat/completions", "response_format", None),
    ] {
        let server = server(ResponseTemplate::new(200).set_body_json(words(r#"{"topics":[],"tone":"neutral"}"#))).await;
        let model = OpenAi::new(Profile { provider, api, ..profile(&server.uri()) }).unwrap();
        let messages = &conversation()[..2];
        let request = ModelRequest { messages, tools: Vec::new(), tool_choice: ToolChoice::Auto, form: Some(&schema) };
        let _ = model.complete(&request, &[]).await;
        let asked = server.received_requests().await.unwrap();
        assert_eq!(asked[0].url.path(), path);
        let body: Value = asked[0].body_json().unwrap();
        assert_eq!(body.get(place), expected.as_ref(), "{provider:?} {api:?}");
        for none in ["tools", "tool_choice", "parallel_tool_calls"] {
            assert_eq!(body.get(none), None, "{provider:?} {api:?}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_an_address_or_a_key_is_refused_at_the_start() {
    for base in [
        "",
        "localhost:8080/v1",
        "api.openai.com",
        "ftp://files.example",
        "http://",
        "http://a.example/v1?key=1",
        "http://a.example/v1#x",
    ] {
        let refused = OpenAi::new(profile(base)).unwrap_err();
        let words = "the model server cannot be reached: its address is no plain http or https URL; check base_url";
        assert_eq!(refused.to_string(), words, "{base}");
    }
    for key in ["sk-with-newline\n", "two\r\nX-Evil: 1", "\u{0}"] {
        let profile = mailwright::model::openai::Profile { api_key: Secret::new(key), ..profile("http://127.0.0.1:9") };
        assert_eq!(OpenAi::new(profile).unwrap_err(), ModelError::UnusableKey);
    }
}
