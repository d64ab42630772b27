//! Whole runs with the model behind HTTP: from a webhook to the mail.
//!
//! The server knows only what the request says. It thinks with the rules of the offline model and writes its answers as
//! sloppily as real servers do. A wrong request shows at once: it could not be answered.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use agent::{Input, Message, ModelReply, ModelRequest, Outcome, Step, ToolCall, ToolChoice};
use esp::Outbox;
use jiff::ToSpan as _;
use kit::message::SendState;
use kit::{BoxFuture, CallId, Principal, Role, RunId, Timestamp};
use mail_parser::MessageParser;
use mailwright::approvals::Assent;
use mailwright::clock::{Clock, SetClock};
use mailwright::model::ChatModel;
use mailwright::model::offline::OfflineModel;
use mailwright::model::openai::OpenAi;
use mailwright::runs::{Observer, Rest};
use mailwright::sample::{SAMPLE_NOW, SampleSpec};
use mailwright::sample_shop;
use mailwright::spend::Caps;
use mailwright::store::Store;
use mailwright::tenant::{Parts, Tenant};
use serde_json::{Value, json};
use shop::{Delivery, Source};
use tempfile::TempDir;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::{completion, profile, words};

/// A phone number planted into the webhook.
const PHONE: &str = "+353 85 015 5012";
/// What is the customer's own and no model may read: Ada's name, address, street, phone, platform ids, and her way back.
pub(super) const PERSONAL: [&str; 11] = [
    "Aoife",
    "aoife",
    "Brennan",
    "brennan",
    "example.com",
    "Heron Row",
    "H91",
    PHONE,
    "7301440000101",
    "74ff1948550dc51c97b7a3be70b13ee2",
    "2872b32795c0bc5a17b0b415",
];

/// The sample shop in a folder of its own, with this server's model first.
pub(super) struct Shop {
    folder: TempDir,
    pub(super) tenant: Arc<Tenant>,
    clock: Arc<SetClock>,
}

impl Shop {
    pub(super) async fn open(model: OpenAi) -> Self {
        Self::capped(model, Caps::default()).await
    }

    pub(super) async fn capped(model: OpenAi, caps: Caps) -> Self {
        let clock = Arc::new(SetClock::at(SAMPLE_NOW));
        Self::by_the_clock(model, caps, clock.clone(), clock).await
    }

    /// `clock` moves the time; what the shop is told of it is up to `shown`.
    async fn by_the_clock(model: OpenAi, caps: Caps, clock: Arc<SetClock>, shown: Arc<dyn Clock>) -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let spec = SampleSpec { customers: 0, ..SampleSpec::default() };
        let id = sample_shop::set_up(&store, &spec, SAMPLE_NOW, &|_, _| {}).await.unwrap();
        let esp = Arc::new(Outbox::open(folder.path().join("outbox")).unwrap());
        let parts = Parts { caps, ..Parts::new(shown, esp, vec![Arc::new(model)]) };
        let tenant = Arc::new(Tenant::open(&store, &id, parts).await.unwrap());
        Self { folder, tenant, clock }
    }

    /// Takes in Ada's abandoned checkout and drives its run to the mail, approving on the way.
    pub(super) async fn sell_boots(&self, observer: Arc<dyn Observer>) -> Rest {
        let body = sample_shop::webhook("shopify-checkouts-update-ada")
            .unwrap()
            .replace("\"phone\": null", &format!("\"phone\": \"{PHONE}\""));
        assert!(body.contains(PHONE));
        let delivery = Delivery {
            source: Source::Shopify,
            topic: "checkouts/update",
            body: body.as_bytes(),
            event_id: None,
            triggered_at: Some(SAMPLE_NOW),
            received_at: SAMPLE_NOW,
        };
        let intake = self.tenant.take_in(&delivery).await.unwrap();
        let [admitted] = intake.runs.as_slice() else { panic!("{intake:?}") };
        self.clock.set(admitted.due.max(SAMPLE_NOW));
        let driver = self.tenant.driver(observer);
        let rest = driver.drive(&admitted.run).await.unwrap();
        let Rest::Approval { approval, .. } = rest else { return rest };
        let you = Principal::User { name: "you".to_owned(), role: Role::Approver };
        let seen = self.tenant.look(&approval).await.unwrap().seen;
        let assent = Assent { seen, typed_count: None };
        let signed = self.tenant.approve(&approval, &you, &assent).await.unwrap();
        self.clock.set(signed.recallable_until.unwrap());
        driver.drive(&admitted.run).await.unwrap()
    }

    fn mails(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        eml(self.folder.path(), &mut found);
        found
    }
}

fn eml(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            eml(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            found.push(path);
        }
    }
}

/// Exactly one mail, to Ada, about the boots she left.
pub(super) fn one_good_mail(shop: &Shop, rest: &Rest) {
    assert!(matches!(rest, Rest::Done(Outcome::Delivered { state: SendState::Sent { .. } })), "{rest:?}");
    let mails = shop.mails();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    let bytes = std::fs::read(mail).unwrap();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let to: Vec<_> = mail.to().unwrap().iter().map(|a| a.address().unwrap().to_owned()).collect();
    assert_eq!(to, ["aoife.brennan@example.com"]);
    let text = mail.body_text(0).unwrap();
    assert!(text.contains("Clare Mid Hiking Boot") && !text.contains("{{"), "{text}");
    assert!(mail.header("List-Unsubscribe").is_some());
}

/// Answers a request by the rules of the offline model.
pub(crate) struct Thinking(pub(crate) OfflineModel);

impl Thinking {
    pub(crate) fn model() -> OfflineModel {
        let release =
            mailwright::release::Release::read(kit::Digest::of_bytes(b""), &mailwright::release::defaults()).unwrap();
        OfflineModel::new(release.offline)
    }

    fn reply(&self, body: &Value) -> ModelReply {
        let tools = body["tools"].as_array().unwrap().iter().map(|tool| text(&tool["function"]["name"])).collect();
        self.think(&read_messages(body), tools)
    }

    pub(super) fn think(&self, messages: &[Message], tools: Vec<String>) -> ModelReply {
        let request = ModelRequest { messages, tools, tool_choice: ToolChoice::Required, form: None };
        let mut answer = pin!(self.0.complete(&request, &[]));
        match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(reply) => reply.unwrap(),
            Poll::Pending => panic!("the offline model waits for nobody"),
        }
    }
}

impl Respond for Thinking {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().unwrap();
        let turn = body["messages"].as_array().unwrap().iter().filter(|message| message["role"] == "assistant").count();
        let calls: Vec<Value> =
            self.reply(&body).calls.iter().enumerate().map(|(n, call)| sloppy(turn, n, call)).collect();
        let mut answer = completion(json!({ "role": "assistant", "content": null, "tool_calls": calls }), "tool_calls");
        answer["service_tier"] = json!("default-2027");
        ResponseTemplate::new(200).set_body_json(answer)
    }
}

/// As servers write them: ids that come again or not at all, arguments as text or as the object itself.
fn sloppy(turn: usize, n: usize, call: &agent::RawCall) -> Value {
    let object: Value = serde_json::from_str(&call.arguments).unwrap();
    let arguments = if turn.is_multiple_of(2) { json!(call.arguments) } else { object };
    let mut written =
        json!({ "id": "call_0", "type": "function", "function": { "name": call.name, "arguments": arguments } });
    if n % 2 == 1 {
        written.as_object_mut().unwrap().remove("id");
    }
    written
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The conversation, back from the wire.
pub(super) fn read_messages(body: &Value) -> Vec<Message> {
    let mut names: HashMap<String, String> = HashMap::new();
    let mut read = |message: &Value| match message["role"].as_str().unwrap() {
        "system" => Message::System { text: text(&message["content"]) },
        "user" => Message::User { text: text(&message["content"]) },
        "assistant" => {
            let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
            let calls = calls.iter().map(|call| ToolCall {
                id: CallId::new(text(&call["id"])).unwrap(),
                name: text(&call["function"]["name"]),
                arguments: text(&call["function"]["arguments"]),
            });
            let calls: Vec<_> = calls.collect();
            names.extend(calls.iter().map(|call| (call.id.to_string(), call.name.clone())));
            Message::Assistant { text: message["content"].as_str().map(str::to_owned), calls }
        }
        "tool" => {
            let id = text(&message["tool_call_id"]);
            let name = names.get(&id).unwrap_or_else(|| panic!("an answer to no call: {id}")).clone();
            Message::Tool { call: CallId::new(id).unwrap(), name, content: text(&message["content"]) }
        }
        other => panic!("no such role: {other}"),
    };
    body["messages"].as_array().unwrap().iter().map(&mut read).collect()
}

/// What holds for every request to a model, whatever the run is about.
pub(super) fn keeps_the_invariants(body: &Value) {
    let all = body.to_string();
    for personal in PERSONAL {
        let place = all.find(personal).map(|at| all[..at].chars().rev().take(120).collect::<Vec<_>>());
        let before: String = place.iter().flatten().rev().collect();
        assert!(!all.contains(personal), "a model would read {personal}, after: {before}");
    }
    assert_eq!(body["tool_choice"], "required");
    assert_eq!(body["stream"], false);
    for tool in body["tools"].as_array().unwrap() {
        assert_eq!((&tool["type"], &tool["function"]["strict"]), (&json!("function"), &json!(true)), "{tool}");
        is_strict(&tool["function"]["parameters"], &tool["function"]["name"]);
    }
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages[0]["role"], "system");
    let mut ids = std::collections::HashSet::new();
    let mut open: Vec<String> = Vec::new();
    for message in messages {
        match message["role"].as_str().unwrap() {
            "assistant" => {
                assert_eq!(open, Vec::<String>::new(), "calls without an answer");
                open = message["tool_calls"].as_array().into_iter().flatten().map(|call| text(&call["id"])).collect();
                assert!(open.iter().all(|id| !id.is_empty() && ids.insert(id.clone())), "an id comes twice: {open:?}");
            }
            // Answers in the order of their calls: nothing demands it, everything reads better.
            "tool" => assert_eq!(text(&message["tool_call_id"]), open.remove(0)),
            _ => assert_eq!(open, Vec::<String>::new(), "somebody speaks before every call is answered"),
        }
    }
    assert_eq!(open, Vec::<String>::new(), "calls without an answer");
}

/// Every object closed, every property required, no reference.
pub(super) fn is_strict(schema: &Value, tool: &Value) {
    match schema {
        Value::Object(map) => {
            assert!(!map.contains_key("$ref") && !map.contains_key("oneOf"), "{tool}: {schema}");
            if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                assert_eq!(map["additionalProperties"], false, "{tool}: {schema}");
                let required: Vec<&str> =
                    map["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                assert_eq!(required, properties.keys().map(String::as_str).collect::<Vec<_>>(), "{tool}");
            }
            map.values().for_each(|inner| is_strict(inner, tool));
        }
        Value::Array(items) => items.iter().for_each(|inner| is_strict(inner, tool)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Keeps which profiles were switched to.
#[derive(Default)]
pub(super) struct Switches(pub(super) Mutex<Vec<String>>);

impl Observer for Switches {
    fn step(&self, _: &RunId, _: &Step, input: &Input) {
        if let Input::SwitchedModel { profile, .. } = input {
            self.0.lock().unwrap().push(profile.clone());
        }
    }
}

async fn served_by(respond: impl Respond + 'static) -> (MockServer, Shop) {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/v1/chat/completions")).respond_with(respond).mount(&server).await;
    let shop = Shop::open(OpenAi::new(profile(&format!("{}/v1", server.uri()))).unwrap()).await;
    (server, shop)
}

#[tokio::test]
async fn a_run_goes_from_the_webhook_to_the_mail() {
    let (server, shop) = served_by(Thinking(Thinking::model())).await;
    let switches = Arc::new(Switches::default());
    let rest = shop.sell_boots(switches.clone()).await;
    one_good_mail(&shop, &rest);
    assert_eq!(*switches.0.lock().unwrap(), Vec::<String>::new());
    let requests = server.received_requests().await.unwrap();
    assert!((3..=12).contains(&requests.len()), "{}", requests.len());
    requests.iter().for_each(|request| keeps_the_invariants(&request.body_json().unwrap()));
}

/// A clock that somebody sets: what it shows moves, and nothing has passed.
struct Moved(Arc<SetClock>);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn steady(&self) -> Duration {
        Duration::ZERO
    }

    fn wait(&self, until: Timestamp) -> BoxFuture<'_, ()> {
        self.0.wait(until)
    }
}

/// Sets the clock an hour forward before each answer.
struct Leaping(Thinking, Arc<SetClock>);

impl Respond for Leaping {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        self.1.set(self.1.now() + 1.hour());
        self.0.respond(request)
    }
}

#[tokio::test]
async fn a_clock_that_jumps_is_nobodys_working_time() {
    let clock = Arc::new(SetClock::at(SAMPLE_NOW));
    let server = MockServer::start().await;
    let leaping = Leaping(Thinking(Thinking::model()), clock.clone());
    Mock::given(method("POST")).and(path("/v1/chat/completions")).respond_with(leaping).mount(&server).await;
    let model = OpenAi::new(profile(&format!("{}/v1", server.uri()))).unwrap();
    let shop = Shop::by_the_clock(model, Caps::default(), clock.clone(), Arc::new(Moved(clock))).await;
    let steps = Arc::new(Switches::default());
    let rest = shop.sell_boots(steps.clone()).await;
    one_good_mail(&shop, &rest);
    assert_eq!(*steps.0.lock().unwrap(), Vec::<String>::new());
    // The journal with its jumps replays.
    let [run] = shop.tenant.store.runs(10).await.unwrap().try_into().unwrap();
    let rows = shop.tenant.store.journal(&run.id).await.unwrap();
    let jumps = rows.iter().filter(|row| row.step == "resume").count();
    assert_eq!(jumps, server.received_requests().await.unwrap().len());
    shop.tenant.driver(Arc::new(Switches::default())).machine(&run.id).await.unwrap();
}

/// Never an answer that could be used.
struct Garbage;

impl Respond for Garbage {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().unwrap();
        keeps_the_invariants(&body);
        let call = |name: &str, arguments: &str| {
            let call = json!({ "id": "x", "type": "function", "function": { "name": name, "arguments": arguments } });
            completion(json!({ "content": null, "tool_calls": [call.clone(), call] }), "tool_calls")
        };
        match body["messages"].as_array().unwrap().len() {
            2 => ResponseTemplate::new(200).set_body_json(call("rm -rf /", "\u{0}{{{")),
            n if n % 2 == 0 => ResponseTemplate::new(200).set_body_json(call("lookup_profile", "[1,2")),
            _ => ResponseTemplate::new(200).set_body_json(words("As a language model, I would rather talk.")),
        }
    }
}

#[tokio::test]
async fn when_the_server_answers_garbage_the_offline_model_stands_in() {
    let (server, shop) = served_by(Garbage).await;
    let switches = Arc::new(Switches::default());
    let rest = shop.sell_boots(switches.clone()).await;
    one_good_mail(&shop, &rest);
    assert_eq!(*switches.0.lock().unwrap(), ["offline"]);
    let asked = server.received_requests().await.unwrap().len();
    assert!((2..=8).contains(&asked), "{asked}");
}

#[tokio::test]
async fn when_the_server_refuses_the_key_the_offline_model_stands_in() {
    let (server, shop) = served_by(ResponseTemplate::new(401)).await;
    let switches = Arc::new(Switches::default());
    let rest = shop.sell_boots(switches.clone()).await;
    one_good_mail(&shop, &rest);
    assert_eq!(*switches.0.lock().unwrap(), ["offline"]);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}
