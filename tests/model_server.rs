//! The Chat Completions client against servers of every kind, and whole runs driven by one.
//!
//! * [`requests`]: what we send, checked whole.
//! * [`answers`]: what servers send back, and what is made of it.
//! * [`dialects`]: the same runs in every way of asking.
//! * [`providers`]: what differs from vendor to vendor. [`responses`]: the other interface.
//! * [`cassettes`]: recordings. [`spend`]: what it may cost.
//! * [`command_line`]: the options that concern models.
//! * [`documents`]: tools for servers that know none.
//! * [`streams`]: answers as they are written.
//! * [`failures`]: what goes wrong, how often it is tried again, and for how long.
//! * [`secrets`]: what no error and no log may hold.
//! * [`wire`]: plain sockets for what no HTTP server would do.
//! * [`runs`]: from a webhook to the mail, with the model behind HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod answers;
mod cassettes;
mod command_line;
mod dialects;
mod documents;
mod failures;
mod providers;
mod requests;
mod responses;
mod runs;
mod secrets;
mod spend;
mod streams;
mod wire;

pub(crate) use runs::Thinking;

use agent::{Message, ModelReply, ModelRequest, ToolCall, ToolChoice};
use kit::CallId;
use kit::tool::{Effect, Phase, Tool, ToolContext, ToolError, ToolSpec};
use mailwright::model::openai::{OpenAi, Profile, Secret};
use mailwright::model::prices::Price;
use mailwright::model::{ChatModel as _, ModelError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const KEY: &str = "sk-planted-key-4711";

/// Impatient, so that a test of every failure takes a moment.
pub(crate) fn profile(base_url: &str) -> Profile {
    Profile {
        api_key: Secret::new(KEY),
        timeout_s: 5,
        deadline_s: 8,
        retries: 2,
        first_wait_ms: 1,
        max_tokens: 512,
        price: Some(Price::FREE),
        ..Profile::new("test", base_url, "gpt-test")
    }
}

/// A server that gives every request this answer.
async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// Asks the same small question with this profile.
async fn ask(profile: Profile) -> Result<ModelReply, ModelError> {
    let model = OpenAi::new(profile)?;
    let messages = conversation();
    let tools = vec![Look::NAME.to_owned()];
    let request = ModelRequest { messages: &messages, tools, tool_choice: ToolChoice::Required, form: None };
    model.complete(&request, &[&ToolSpec::of::<Look>().unwrap()]).await
}

async fn requests_of(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

/// Two calls in one answer, both answered.
fn conversation() -> Vec<Message> {
    let call = |id: &str, arguments: &str| ToolCall {
        id: CallId::new(id).unwrap(),
        name: Look::NAME.to_owned(),
        arguments: arguments.to_owned(),
    };
    let answer = |id: &str, content: &str| Message::Tool {
        call: CallId::new(id).unwrap(),
        name: Look::NAME.to_owned(),
        content: content.to_owned(),
    };
    vec![
        Message::System { text: "Be brief.".to_owned() },
        Message::User { text: "What is in stock?\n\"Boots\"".to_owned() },
        Message::Assistant { text: None, calls: vec![call("call_1", r#"{"sku":"TT-1"}"#), call("call_2", "{broken")] },
        answer("call_1", r#"{"stock":3}"#),
        answer("call_2", "not JSON (line 1, column 2)"),
    ]
}

/// A whole answer around one message.
fn completion(message: Value, finish: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "gpt-test-2026",
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120 },
    })
}

fn words(text: &str) -> Value {
    completion(json!({ "role": "assistant", "content": text }), "stop")
}

/// A tool as the house writes them.
struct Look;

/// Looks up stock.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LookArgs {
    /// Stock keeping unit.
    #[expect(dead_code, reason = "only its schema matters here")]
    sku: String,
    /// How many shops to ask.
    #[expect(dead_code, reason = "only its schema matters here")]
    #[schemars(range(min = 1, max = 9))]
    shops: Option<u8>,
}

impl Tool for Look {
    type Args = LookArgs;
    type Output = ();
    const NAME: &'static str = "look";
    const DESCRIPTION: &'static str = "Says what is in stock.\n";
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = &[Phase::Gather];

    async fn call(&self, _: &ToolContext, _: LookArgs) -> Result<(), ToolError> {
        Ok(())
    }
}
