//! What differs from vendor to vendor, by the request that leaves.

use mailwright::model::openai::{Api, Profile, Provider, ToolMode};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::{KEY, ask, profile, server, words};

async fn sent(change: impl FnOnce(&mut Profile)) -> Request {
    let server = server(ResponseTemplate::new(200).set_body_json(words("hello"))).await;
    let mut profile = profile(&server.uri());
    change(&mut profile);
    ask(profile).await.unwrap();
    server.received_requests().await.unwrap().remove(0)
}

/// What of a request tells providers apart.
async fn ways(provider: Provider) -> Value {
    let request =
        sent(|profile| (profile.provider, profile.stream, profile.parallel_calls) = (provider, true, Some(false)))
            .await;
    let body: Value = request.body_json().unwrap();
    let function = &body["tools"][0]["function"];
    let header = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap().replace(KEY, "KEY"));
    let limit: Vec<&str> =
        ["max_completion_tokens", "max_tokens"].into_iter().filter(|key| body.get(*key).is_some()).collect();
    json!({
        "authorization": header("authorization"),
        "api-key": header("api-key"),
        "role": body["messages"][0]["role"],
        "limit": limit,
        "tool_choice": body["tool_choice"],
        "parallel_tool_calls": body.get("parallel_tool_calls"),
        "strict": function.get("strict"),
        "closed": function["parameters"].get("additionalProperties"),
        "bounds": function["parameters"]["properties"]["shops"].get("maximum"),
        "stream_options": body.get("stream_options"),
    })
}

fn documented() -> Value {
    json!({
        "authorization": "Bearer KEY", "api-key": null, "role": "system", "limit": ["max_completion_tokens"],
        "tool_choice": "required", "parallel_tool_calls": false, "strict": true, "closed": false, "bounds": 9,
        "stream_options": { "include_usage": true },
    })
}

#[tokio::test]
async fn each_provider_is_asked_in_its_own_way() {
    for (provider, differences) in [
        (Provider::Other, json!({})),
        (Provider::OpenAi, json!({ "role": "developer" })),
        (Provider::Azure, json!({ "authorization": null, "api-key": "KEY" })),
        (Provider::Anthropic, json!({ "strict": null })),
        (Provider::Gemini, json!({ "strict": null, "closed": null, "parallel_tool_calls": null })),
        (
            Provider::Ollama,
            json!({ "strict": null, "limit": ["max_tokens"], "tool_choice": "auto", "parallel_tool_calls": null }),
        ),
        (Provider::LlamaCpp, json!({ "strict": null, "limit": ["max_tokens"], "tool_choice": "auto" })),
        (Provider::Vllm, json!({ "strict": null })),
    ] {
        let mut expected = documented();
        expected.as_object_mut().unwrap().extend(differences.as_object().unwrap().clone());
        assert_eq!(ways(provider).await, expected, "{provider:?}");
    }
}

#[tokio::test]
async fn azure_names_the_deployment_in_the_address() {
    for (api, version, expected) in [
        (Api::Chat, Some("2024-10-21"), "/openai/deployments/gpt-test/chat/completions?api-version=2024-10-21"),
        (Api::Chat, None, "/chat/completions"),
    ] {
        let request = sent(|profile| {
            (profile.provider, profile.api, profile.api_version) = (Provider::Azure, api, version.map(str::to_owned));
        })
        .await;
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        assert_eq!(format!("{}{query}", request.url.path()), expected);
    }
}

#[tokio::test]
async fn a_constant_is_a_choice_of_one_where_constants_are_refused() {
    let request =
        sent(|profile| (profile.provider, profile.tool_mode) = (Provider::Gemini, ToolMode::JsonSchema)).await;
    let body: Value = request.body_json().unwrap();
    let action = &body["response_format"]["json_schema"]["schema"]["properties"]["action"]["anyOf"][0];
    assert_eq!(action["properties"]["tool"], json!({ "type": "string", "enum": ["look"] }));
    assert!(
        !body.to_string().contains("additionalProperties\":") || !action.to_string().contains("additionalProperties"),
        "{action}"
    );
    // What is no keyword of a schema stays: fields may be named like one.
    assert!(action["properties"]["arguments"]["properties"].get("sku").is_some());
}
