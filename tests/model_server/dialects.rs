//! The same run in every way of asking: both interfaces, with tools and with documents, whole and streamed.
//!
//! The server reads the conversation back from the request alone, and thinks with the rules of the offline model.

use std::collections::HashMap;
use std::sync::Arc;

use agent::{Message, RawCall, ToolCall};
use kit::CallId;
use mailwright::model::openai::{Api, OpenAi, Profile, ToolMode};
use mailwright::runs::{Observer, Rest};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::runs::{
    PERSONAL, Shop, Switches, Thinking, is_strict, keeps_the_invariants, one_good_mail, read_messages, text,
};
use super::{completion, profile};

#[derive(Clone, Copy, Debug)]
struct Dialect {
    api: Api,
    mode: ToolMode,
    stream: bool,
}

impl Dialect {
    fn all() -> impl Iterator<Item = Self> {
        [Api::Chat, Api::Responses].into_iter().flat_map(|api| {
            [ToolMode::Native, ToolMode::JsonSchema]
                .into_iter()
                .flat_map(move |mode| [false, true].map(|stream| Self { api, mode, stream }))
        })
    }

    fn path(self) -> &'static str {
        match self.api {
            Api::Chat => "/v1/chat/completions",
            Api::Responses => "/v1/responses",
        }
    }

    /// The names of the tools on offer.
    fn tools(self, body: &Value) -> Vec<String> {
        let names = |list: &Value, name: fn(&Value) -> &Value| {
            list.as_array().unwrap().iter().map(|tool| text(name(tool))).collect()
        };
        match (self.mode, self.api) {
            (ToolMode::Native, Api::Chat) => names(&body["tools"], |tool| &tool["function"]["name"]),
            (ToolMode::Native, Api::Responses) => names(&body["tools"], |tool| &tool["name"]),
            (ToolMode::JsonSchema, _) => {
                names(&self.schema(body)["properties"]["action"]["anyOf"], |tool| &tool["properties"]["tool"]["const"])
            }
        }
    }

    fn schema(self, body: &Value) -> &Value {
        match self.api {
            Api::Chat => &body["response_format"]["json_schema"]["schema"],
            Api::Responses => &body["text"]["format"]["schema"],
        }
    }

    fn messages(self, body: &Value) -> Vec<Message> {
        match (self.mode, self.api) {
            (ToolMode::Native, Api::Chat) => read_messages(body),
            (ToolMode::Native, Api::Responses) => read_items(&body["input"]),
            (ToolMode::JsonSchema, Api::Chat) => read_documents(&body["messages"]),
            (ToolMode::JsonSchema, Api::Responses) => read_documents(&body["input"]),
        }
    }

    /// What holds for every request.
    fn check(self, body: &Value) {
        if let (ToolMode::Native, Api::Chat, false) = (self.mode, self.api, self.stream) {
            keeps_the_invariants(body);
        }
        let all = body.to_string();
        for personal in PERSONAL {
            assert!(!all.contains(personal), "a model would read {personal}");
        }
        assert_eq!(body["stream"], self.stream);
        match self.mode {
            ToolMode::JsonSchema => {
                is_strict(self.schema(body), &json!("document"));
                assert_eq!((body.get("tools"), body.get("tool_choice")), (None, None));
            }
            ToolMode::Native => {
                assert_eq!(body["tool_choice"], "required");
                for tool in body["tools"].as_array().unwrap() {
                    let tool = tool.get("function").unwrap_or(tool);
                    assert_eq!(tool["strict"], true, "{tool}");
                    is_strict(&tool["parameters"], &tool["name"]);
                }
            }
        }
    }

    fn answer(self, turn: usize, calls: &[RawCall]) -> ResponseTemplate {
        let id = |n: usize| format!("call_{turn}_{n}");
        let document = |call: &RawCall| {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
            json!({ "action": { "tool": call.name, "arguments": arguments } }).to_string()
        };
        match (self.api, self.mode) {
            (Api::Chat, ToolMode::Native) => {
                let function = |(n, call): (usize, &RawCall)| json!({ "index": n, "id": id(n), "type": "function", "function": { "name": call.name, "arguments": call.arguments } });
                let calls: Vec<Value> = calls.iter().enumerate().map(function).collect();
                self.chat(&json!({ "role": "assistant", "content": null, "tool_calls": calls }), "tool_calls")
            }
            (Api::Chat, ToolMode::JsonSchema) => self.chat(&json!({ "role": "assistant", "content": document(&calls[0]) }), "stop"),
            (Api::Responses, ToolMode::Native) => {
                let item = |(n, call): (usize, &RawCall)| json!({ "type": "function_call", "id": format!("fc_{n}"), "call_id": id(n), "name": call.name, "arguments": call.arguments, "status": "completed" });
                self.responses(&calls.iter().enumerate().map(item).collect())
            }
            (Api::Responses, ToolMode::JsonSchema) => self.responses(&vec![
                json!({ "type": "reasoning", "summary": [] }),
                json!({ "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": document(&calls[0]), "annotations": [] }] }),
            ]),
        }
    }

    fn chat(self, message: &Value, finish: &str) -> ResponseTemplate {
        if !self.stream {
            return ResponseTemplate::new(200).set_body_json(completion(message.clone(), finish));
        }
        let chunk = |delta: &Value, finish: Value| {
            format!(
                "data: {}\n\n",
                json!({ "model": "gpt-test-2026", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
            )
        };
        let events = [chunk(message, Value::Null), chunk(&json!({}), json!(finish)), "data: [DONE]\n\n".to_owned()];
        ResponseTemplate::new(200).set_body_raw(events.concat(), "text/event-stream")
    }

    fn responses(self, output: &Vec<Value>) -> ResponseTemplate {
        let whole = json!({ "status": "completed", "model": "gpt-test-2026", "output": output, "usage": { "input_tokens": 100, "output_tokens": 20 } });
        if !self.stream {
            return ResponseTemplate::new(200).set_body_json(whole);
        }
        let last = json!({ "type": "response.completed", "response": whole });
        ResponseTemplate::new(200)
            .set_body_raw(format!("event: response.completed\ndata: {last}\n\n"), "text/event-stream")
    }
}

/// Items of Responses, back as a conversation.
fn read_items(items: &Value) -> Vec<Message> {
    let mut names: HashMap<String, String> = HashMap::new();
    let mut messages: Vec<Message> = Vec::new();
    for item in items.as_array().unwrap() {
        match item["type"].as_str().unwrap() {
            "message" => messages.push(said(item)),
            "function_call" => {
                let id = text(&item["call_id"]);
                assert!(names.insert(id.clone(), text(&item["name"])).is_none(), "an id comes twice: {id}");
                let call = ToolCall {
                    id: CallId::new(id).unwrap(),
                    name: text(&item["name"]),
                    arguments: text(&item["arguments"]),
                };
                match messages.last_mut() {
                    Some(Message::Assistant { calls, .. }) => calls.push(call),
                    _ => messages.push(Message::Assistant { text: None, calls: vec![call] }),
                }
            }
            "function_call_output" => {
                let id = text(&item["call_id"]);
                // Taken away: an answer that comes twice is an answer to no call.
                let name = names.remove(&id).unwrap_or_else(|| panic!("an answer to no call: {id}"));
                messages.push(Message::Tool { call: CallId::new(id).unwrap(), name, content: text(&item["output"]) });
            }
            other => panic!("no such item: {other}"),
        }
    }
    assert!(names.is_empty(), "calls without an answer: {names:?}");
    messages
}

fn said(message: &Value) -> Message {
    match message["role"].as_str().unwrap() {
        "system" | "developer" => Message::System { text: text(&message["content"]) },
        "user" => Message::User { text: text(&message["content"]) },
        "assistant" => Message::Assistant { text: Some(text(&message["content"])), calls: Vec::new() },
        other => panic!("no such role: {other}"),
    }
}

/// A conversation without tool roles, back as one with calls. Speakers must alternate.
fn read_documents(spoken: &Value) -> Vec<Message> {
    let spoken = spoken.as_array().unwrap();
    let roles: Vec<&str> = spoken.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert!(roles.windows(2).all(|pair| pair[0] != pair[1]), "{roles:?}");
    let mut messages = Vec::new();
    let mut open: Option<(CallId, String)> = None;
    for (n, message) in spoken.iter().enumerate() {
        let document = message["role"] == "assistant";
        if let Some(call) =
            document.then(|| serde_json::from_str::<Value>(message["content"].as_str().unwrap()).ok()).flatten()
        {
            assert!(open.is_none(), "a call before the last one was answered");
            let (id, name) = (CallId::new(format!("read_{n}")).unwrap(), text(&call["action"]["tool"]));
            open = Some((id.clone(), name.clone()));
            let arguments = call["action"]["arguments"].to_string();
            messages.push(Message::Assistant { text: None, calls: vec![ToolCall { id, name, arguments }] });
            continue;
        }
        let content = text(&message["content"]);
        match open.take() {
            None => messages.push(said(message)),
            Some((call, name)) => {
                let answer = content
                    .strip_prefix(&format!("Answer of {name}:\n"))
                    .unwrap_or_else(|| panic!("no answer of {name}: {content}"));
                let (answer, note) =
                    answer.split_once("\n\n").map_or((answer, None), |(answer, note)| (answer, Some(note)));
                messages.push(Message::Tool { call, name, content: answer.to_owned() });
                messages.extend(note.map(|note| Message::User { text: note.to_owned() }));
            }
        }
    }
    messages
}

struct Server {
    dialect: Dialect,
    thinking: Thinking,
}

impl Respond for Server {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().unwrap();
        self.dialect.check(&body);
        let messages = self.dialect.messages(&body);
        let turn = messages.iter().filter(|message| matches!(message, Message::Assistant { .. })).count();
        let reply = self.thinking.think(&messages, self.dialect.tools(&body));
        self.dialect.answer(turn, &reply.calls)
    }
}

async fn run(dialect: Dialect, observer: Arc<dyn Observer>) -> (Shop, Rest, usize) {
    let server = MockServer::start().await;
    let respond = Server { dialect, thinking: Thinking(Thinking::model()) };
    Mock::given(method("POST")).and(path(dialect.path())).respond_with(respond).mount(&server).await;
    let Dialect { api, mode: tool_mode, stream } = dialect;
    let profile = Profile { api, tool_mode, stream, ..profile(&format!("{}/v1", server.uri())) };
    let shop = Shop::open(OpenAi::new(profile).unwrap()).await;
    let rest = shop.sell_boots(observer).await;
    let asked = server.received_requests().await.unwrap().len();
    (shop, rest, asked)
}

/// A small server under `tool_choice: required`: no call, but a fenced block with the call in it.
struct Fencing(Thinking);

impl Respond for Fencing {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().unwrap();
        let dialect = Dialect { api: Api::Chat, mode: ToolMode::Native, stream: false };
        let reply = self.0.think(&dialect.messages(&body), dialect.tools(&body));
        let RawCall { name, arguments, .. } = &reply.calls[0];
        let fenced = format!("I will call a tool.\n```json\n{{\"name\": \"{name}\", \"arguments\": {arguments}}}\n```");
        dialect.chat(&json!({ "role": "assistant", "content": fenced }), "stop")
    }
}

#[tokio::test]
async fn a_server_that_writes_calls_into_fences_is_understood_only_when_leniency_was_asked_for() {
    for (lenient, switched) in [(true, Vec::<String>::new()), (false, vec!["offline".to_owned()])] {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(Fencing(Thinking(Thinking::model()))).mount(&server).await;
        let shop = Shop::open(OpenAi::new(Profile { lenient, ..profile(&server.uri()) }).unwrap()).await;
        let switches = Arc::new(Switches::default());
        let rest = shop.sell_boots(switches.clone()).await;
        // Not understood, it is asked again a few times; then the offline model writes.
        one_good_mail(&shop, &rest);
        assert_eq!(*switches.0.lock().unwrap(), switched);
    }
}

#[tokio::test]
async fn every_way_of_asking_ends_in_the_same_mail() {
    for dialect in Dialect::all() {
        let switches = Arc::new(Switches::default());
        let (shop, rest, asked) = run(dialect, switches.clone()).await;
        one_good_mail(&shop, &rest);
        assert_eq!(*switches.0.lock().unwrap(), Vec::<String>::new(), "{dialect:?}");
        // A document holds one call: what would be two calls in one answer are two answers.
        assert!((3..=16).contains(&asked), "{dialect:?}: {asked}");
    }
}
