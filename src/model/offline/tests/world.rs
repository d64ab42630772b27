//! A small world of tools: answers calls as the real tools would, and checks every call against the real schema.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use agent::{Message, ModelReply, ModelRequest, ToolCall, ToolChoice};
use kit::CallId;
use serde_json::{Value, json};

use crate::model::offline::{OfflineModel, Patterns};

pub(super) const EN: &str = include_str!("../../../../prompts/offline/en.toml");
pub(super) const DE: &str = include_str!("../../../../prompts/offline/de.toml");

pub(super) fn model() -> OfflineModel {
    static MODEL: LazyLock<OfflineModel> = LazyLock::new(|| {
        let files = [("de.toml".to_owned(), DE.to_owned()), ("en.toml".to_owned(), EN.to_owned())];
        let files: Vec<_> = files.iter().map(|(path, text)| (path, text)).collect();
        OfflineModel::new(Arc::new(Patterns::parse(&files).unwrap()))
    });
    MODEL.clone()
}

/// The checked-in schema of every tool the model may call.
static SCHEMAS: LazyLock<BTreeMap<&str, Value>> = LazyLock::new(|| {
    [
        ("lookup_profile", include_str!("../../../../tools/profile/lookup_profile.schema.json")),
        ("get_products", include_str!("../../../../tools/catalog/get_products.schema.json")),
        ("explore_graph", include_str!("../../../../tools/graph/explore_graph.schema.json")),
        ("quote_offer", include_str!("../../../../tools/offers/quote_offer.schema.json")),
        ("propose_message", include_str!("../../../../tools/content/propose_message.schema.json")),
        ("request_approval", include_str!("../../../../tools/approval/request_approval.schema.json")),
        ("queue_send", include_str!("../../../../tools/esp/queue_send.schema.json")),
        ("decide_no_send", include_str!("../../../../tools/approval/decide_no_send.schema.json")),
    ]
    .into_iter()
    .map(|(name, schema)| (name, serde_json::from_str(schema).unwrap()))
    .collect()
});

pub(super) const GATHER: &[&str] =
    &["decide_no_send", "explore_graph", "get_products", "lookup_profile", "search_catalog"];
pub(super) const COMPOSE: &[&str] =
    &["decide_no_send", "explore_graph", "get_products", "propose_message", "quote_offer", "search_catalog"];
pub(super) const CLEAR: &[&str] = &["decide_no_send", "propose_message", "request_approval"];
pub(super) const DELIVER: &[&str] = &["decide_no_send", "propose_message", "queue_send"];

/// Asks once and checks that the answer is one valid move: calls of tools on offer, with arguments they take, several only
/// when all of them look things up.
pub(super) fn ask(messages: &[Message], offer: &[&str]) -> ModelReply {
    let tools = offer.iter().map(|name| (*name).to_owned()).collect();
    let request = ModelRequest { messages, tools, tool_choice: ToolChoice::Required, form: None };
    let reply = model().reply(&request);
    assert_eq!(reply.model, "offline");
    assert_eq!(reply.usage, agent::Usage::default());
    assert!(!reply.calls.is_empty() || !offer.contains(&"decide_no_send"), "{reply:?}");
    let reads = ["lookup_profile", "get_products", "explore_graph"];
    let all_read = reply.calls.iter().all(|call| reads.contains(&call.name.as_str()));
    assert!(reply.calls.len() <= 1 || all_read, "{reply:?}");
    for call in &reply.calls {
        assert!(offer.contains(&call.name.as_str()), "{} is not on offer", call.name);
        let schema = &SCHEMAS[call.name.as_str()];
        kit::tool::validate::arguments::<Value>(schema, &call.arguments).map_err(|e| format!("{call:?}: {e}")).unwrap();
    }
    reply
}

/// A product view as tools show it. Its fact id is made of its number and of the call that shows it.
pub(super) fn product(number: u32, call: u32) -> Value {
    json!({
        "fact": format!("f{call}{number:02}"), "product": format!("P-{number}"), "title": format!("Kestrel Kettle {}", letter(number)),
        "category": if number == 1 { "kitchen/kettles" } else { "kitchen/care" }, "price": "€49.00", "stock": "in_stock",
        "highlights": ["The spout pours without a drip"], "care": "Rinse it with vinegar now and then.",
    })
}

fn letter(number: u32) -> char {
    char::from_u32('A' as u32 + number).unwrap()
}

/// The object with these fields set; null removes one.
pub(super) fn with(mut value: Value, fields: Value) -> Value {
    for (key, field) in fields.as_object().unwrap() {
        match field {
            Value::Null => value.as_object_mut().unwrap().remove(key),
            field => value.as_object_mut().unwrap().insert(key.clone(), field.clone()),
        };
    }
    value
}

/// What the tools answer.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) task: String,
    pub(super) profile: Value,
    /// Answers of `explore_graph` by question.
    pub(super) graph: BTreeMap<&'static str, Value>,
    pub(super) quote: Value,
    /// Answers of `propose_message`, first to last; the last one is repeated.
    pub(super) verdicts: Vec<Value>,
    /// What a person says about the first draft, and then approves the second.
    pub(super) rejection: Option<&'static str>,
    /// Fields that `get_products` shows otherwise, by product.
    pub(super) changed: BTreeMap<&'static str, Value>,
}

/// What happened.
pub(super) struct Run {
    /// Tools and arguments, turn by turn.
    pub(super) turns: Vec<Vec<(String, Value)>>,
    pub(super) messages: Vec<Message>,
}

impl Run {
    /// Tool names, turn by turn; for the graph the question.
    pub(super) fn names(&self) -> Vec<Vec<&str>> {
        let name = |(name, arguments): &'_ (String, Value)| -> &str {
            let question = arguments["question"]
                .as_str()
                .map(|q| ["recommend", "neighbours", "substitutes", "guides"].into_iter().find(|k| *k == q).unwrap());
            question.unwrap_or_else(|| {
                [
                    "lookup_profile",
                    "get_products",
                    "quote_offer",
                    "propose_message",
                    "request_approval",
                    "queue_send",
                    "decide_no_send",
                ]
                .into_iter()
                .find(|k| k == name)
                .unwrap()
            })
        };
        self.turns.iter().map(|turn| turn.iter().map(name).collect()).collect()
    }

    pub(super) fn proposals(&self) -> Vec<&Value> {
        self.turns
            .iter()
            .flatten()
            .filter(|(name, _)| name == "propose_message")
            .map(|(_, arguments)| arguments)
            .collect()
    }

    pub(super) fn last(&self) -> (&str, &Value) {
        let (name, arguments) = self.turns.last().unwrap().last().unwrap();
        (name, arguments)
    }

    /// The code and reason of a run that ended without a message.
    pub(super) fn no_send(&self) -> (&str, &str) {
        let (name, arguments) = self.last();
        assert_eq!(name, "decide_no_send", "{:#?}", self.turns);
        (arguments["code"].as_str().unwrap(), arguments["reason"].as_str().unwrap())
    }
}

pub(super) fn ok() -> Value {
    json!({"status": "ok", "draft": "9f2c41d07ab3", "next": "call queue_send with draft 9f2c41d07ab3"})
}

pub(super) fn needs_approval() -> Value {
    json!({"status": "needs_approval", "draft": "9f2c41d07ab3", "reasons": ["win-back flow: a person looks at every message"], "next": "call request_approval"})
}

pub(super) fn blocked(place: &str) -> Value {
    let finding = json!({"severity": "block", "place": place, "excerpt": "x", "why": "long subjects are cut off", "mend": "shorten it"});
    let warning = json!({"severity": "warn", "place": "preheader", "why": "hard to read", "mend": "shorter words"});
    json!({"status": "blocked", "findings": [finding, warning], "next": "not recorded"})
}

impl World {
    /// A cart with one product, a guide and an accessory.
    pub(super) fn cart(language: &str) -> Self {
        let accessory = with(
            product(2, 30),
            json!({"because": "goes with Kestrel Kettle B: keeps the spout free of scale", "path": "P-1 -accessory-> P-2"}),
        );
        let guide = json!({"fact": "f401", "title": "Kettles, and hard water", "summary": "What scale does.", "path": "P-1 <-explains- hard-water"});
        Self {
            task: format!(
                "Flow: abandoned-checkout\nLanguage: {language}\nOccasion: cart:c1\nProducts of this run: P-1\nGoal: orders\n\n# Abandoned checkout\n\nA cart was left."
            ),
            profile: json!({
                "has_first_name": true, "language": language, "stage": "first_time",
                "reasons": [{"text": "Began to order kettles and did not finish.", "source": "cart"}],
                "angles": ["cart_reminder", "reassurance"], "cart": {"fact": "f101"},
                "candidates": [with(product(1, 1), json!({"role": "in_cart", "fact": "f102"}))],
            }),
            graph: BTreeMap::from([
                ("recommend", json!({"items": [accessory]})),
                ("guides", json!({"guides": [guide]})),
                ("substitutes", json!({"note": "nothing in stock can stand in"})),
                ("neighbours", json!({"items": [accessory]})),
            ]),
            quote: json!({"answer": "none", "reason": "Not now.", "permitted": [], "next": "Write without."}),
            verdicts: vec![ok()],
            rejection: None,
            changed: BTreeMap::new(),
        }
    }

    /// An order that was fulfilled.
    pub(super) fn order(language: &str) -> Self {
        let mut world = Self::cart(language);
        world.task = world.task.replace("abandoned-checkout", "post-purchase").replace("cart:c1", "order:o1");
        world.profile["angles"] = json!(["care", "accessory"]);
        world.profile["candidates"][0]["role"] = json!("ordered");
        world.profile.as_object_mut().unwrap().remove("cart");
        world
    }

    /// An order that was cancelled because the shop had run out, of somebody who had bought before.
    pub(super) fn cancelled(language: &str, reason: &str) -> Self {
        let mut world = Self::cart(language);
        world.task = world.task.replace("abandoned-checkout", "win-back").replace("cart:c1", "month:2026-03");
        world.profile =
            with(world.profile, json!({"angles": ["comeback", "new_arrivals"], "stage": "active", "cart": null}));
        world.profile["reasons"] = json!([{"text": reason, "source": "cancellations"}]);
        let known = with(product(5, 1), json!({"role": "favourite"}));
        world.profile["candidates"].as_array_mut().unwrap().push(known);
        let next = with(
            product(6, 30),
            json!({"because": "the next step after Kestrel Kettle Q", "path": "P-16 -next-> P-6"}),
        );
        world.graph.get_mut("recommend").unwrap()["items"].as_array_mut().unwrap().push(next);
        world
    }

    /// Runs to the end, as the machine would: reads, drafts, decisions of people, hand-overs.
    pub(super) fn run(&self) -> Run {
        let mut run = Run { turns: Vec::new(), messages: self.opening() };
        let (mut offer, mut verdicts) = (GATHER, self.verdicts.iter());
        let mut rejection = self.rejection;
        for turn in 0..16 {
            let reply = ask(&run.messages, offer);
            let mut calls = Vec::new();
            let mut answers = Vec::new();
            for call in &reply.calls {
                let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
                let id = CallId::new(call.id.as_str()).unwrap();
                let answer = match call.name.as_str() {
                    "propose_message" => verdicts.next().or(self.verdicts.last()).unwrap().clone(),
                    name => self.answer(name, &arguments, turn),
                };
                let content = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
                offer = match (call.name.as_str(), answer["status"].as_str()) {
                    ("lookup_profile", _) => COMPOSE,
                    ("propose_message", Some("ok")) => DELIVER,
                    ("propose_message", Some("needs_approval")) => CLEAR,
                    (_, _) => offer,
                };
                calls.push(ToolCall { id: id.clone(), name: call.name.clone(), arguments: call.arguments.clone() });
                answers.push(Message::Tool { call: id, name: call.name.clone(), content });
            }
            run.turns.push(
                reply.calls.iter().map(|c| (c.name.clone(), serde_json::from_str(&c.arguments).unwrap())).collect(),
            );
            run.messages.push(Message::Assistant { text: reply.text, calls });
            run.messages.extend(answers);
            match run.last().0 {
                "decide_no_send" | "queue_send" => return run,
                "request_approval" => match rejection.take() {
                    Some(words) => {
                        run.messages.push(Message::User { text: words.to_owned() });
                        offer = COMPOSE;
                    }
                    None => return run,
                },
                _ => {}
            }
        }
        panic!("the run does not end: {:#?}", run.names());
    }

    pub(super) fn opening(&self) -> Vec<Message> {
        vec![Message::System { text: "You write.".to_owned() }, Message::User { text: self.task.clone() }]
    }

    fn answer(&self, name: &str, arguments: &Value, turn: u32) -> Value {
        match name {
            "lookup_profile" => self.profile.clone(),
            "quote_offer" => self.quote.clone(),
            "explore_graph" => self.graph[arguments["question"].as_str().unwrap()].clone(),
            "get_products" => {
                let show = |id: &Value| {
                    let id = id.as_str().unwrap();
                    let number = id.strip_prefix("P-").and_then(|n| n.parse().ok()).filter(|n: &u32| *n < 20)?;
                    let candidates = self.profile.get("candidates").and_then(Value::as_array).into_iter().flatten();
                    let known = candidates.into_iter().find(|c| c["product"] == id && c["fact"].is_string()).cloned();
                    let seen = known.unwrap_or_else(|| product(number, 1));
                    let seen = with(seen, json!({"role": null, "fact": format!("f{}{number:02}", 50 + turn)}));
                    Some(with(seen, self.changed.get(id).cloned().unwrap_or_else(|| json!({}))))
                };
                json!({"products": arguments["products"].as_array().unwrap().iter().filter_map(show).collect::<Vec<_>>()})
            }
            "queue_send" => json!({"status": "sent", "words": "the provider has it; this run is done"}),
            "request_approval" => {
                json!({"approval": "apr-1", "expires_at": "2026-06-17T12:00:00Z", "next": "the run waits"})
            }
            "decide_no_send" => json!({"outcome": "no_send"}),
            other => panic!("{other} is not part of this world"),
        }
    }
}
