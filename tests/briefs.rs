//! Briefing a campaign by talking, over the sample shop with few people: through the engine, with models that follow a script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod crash;
mod limits;
mod offline;
mod twelve_turns;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use agent::{FinishReason, Message, ModelReply, ModelRequest, RawCall, Usage};
use esp::Outbox;
use kit::tool::ToolSpec;
use kit::{BoxFuture, Principal, Role, ShopId};
use mailwright::briefs::Chat;
use mailwright::clock::SetClock;
use mailwright::model::{ChatModel, ModelError};
use mailwright::runs::{Observer, Silent};
use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::store::Store;
use mailwright::tenant::{Parts, Tenant};
use serde_json::{Value, json};

/// A Wednesday.
const NOW: &str = "2026-11-25T10:00:00Z";

/// One answer of a scripted model.
#[derive(Clone)]
enum Says {
    /// Words: they end the turn.
    Words(&'static str),
    /// One call.
    Call(&'static str, Value),
    /// Never anything.
    Hangs,
}

/// A model that follows a script, and writes down every request.
#[derive(Default)]
struct Script {
    lines: Mutex<VecDeque<Says>>,
    seen: Mutex<Vec<String>>,
}

impl Script {
    fn of(lines: impl IntoIterator<Item = Says>) -> Arc<Self> {
        Arc::new(Self { lines: Mutex::new(lines.into_iter().collect()), seen: Mutex::default() })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl ChatModel for Script {
    fn profile(&self) -> &str {
        "script"
    }

    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        _: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        self.seen.lock().unwrap().push(render(request));
        let mut lines = self.lines.lock().unwrap();
        let next = lines.pop_front().unwrap_or(Says::Words("The script has ended."));
        if let Says::Hangs = next {
            return Box::pin(std::future::pending());
        }
        drop(lines);
        let n = self.seen.lock().unwrap().len();
        let (text, calls, finish) = match next {
            Says::Words(text) => (Some(text.to_owned()), Vec::new(), FinishReason::Stop),
            Says::Call(name, arguments) => {
                let call = RawCall { id: format!("c{n}"), name: name.to_owned(), arguments: arguments.to_string() };
                (None, vec![call], FinishReason::ToolCalls)
            }
            Says::Hangs => unreachable!(),
        };
        let usage = Usage { input_tokens: 1_000, output_tokens: 100, cost_micros: 500, ..Usage::default() };
        Box::pin(std::future::ready(Ok(ModelReply { text, calls, finish, usage, model: "script".to_owned() })))
    }
}

fn render(request: &ModelRequest<'_>) -> String {
    let mut text = format!("tools on offer: {}\n", request.tools.join(", "));
    for message in request.messages {
        text += &match message {
            Message::System { .. } => "\n[system] …\n".to_owned(),
            Message::User { text } => format!("\n[user]\n{text}\n"),
            Message::Assistant { text, calls } => {
                let calls: String = calls.iter().map(|c| format!("  {} {}\n", c.name, c.arguments)).collect();
                format!("\n[assistant] {}\n{calls}", text.as_deref().unwrap_or_default())
            }
            Message::Tool { name, content, .. } => format!("\n[{name}]\n{content}\n"),
        };
    }
    text
}

/// A patch with everything else null.
fn update(patch: Value) -> Says {
    let mut all = json!({
        "title": null, "objective": null, "success": null, "failure": null, "include": null, "exclude": null,
        "vip": null, "offer": null, "products": null, "channels": null, "send": null, "holdout_percent": null,
        "angles": null, "tone": null, "languages": null, "legal": null, "rules": null, "take_back": null, "assume": null
    });
    for (key, value) in patch.as_object().unwrap() {
        all[key] = value.clone();
    }
    Says::Call("update_brief", all)
}

/// When it leaves, said in one word.
fn send(on: &str, at: Option<&str>) -> Value {
    json!({"on": on, "at": at, "zone": null, "last_day": null})
}

/// The sample shop with few people, in a folder of its own.
struct Shop {
    folder: tempfile::TempDir,
    store: Store,
    shop: ShopId,
}

impl Shop {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let spec = SampleSpec { customers: 120, now: NOW.parse().unwrap(), ..SampleSpec::default() };
        let shop = sample_shop::set_up(&store, &spec, NOW.parse().unwrap(), &|_, _| {}).await.unwrap();
        Self { folder, store, shop }
    }

    /// A process that has the shop open.
    async fn tenant(&self, models: Vec<Arc<dyn ChatModel>>) -> Arc<Tenant> {
        let outbox = Arc::new(Outbox::open(self.folder.path().join("outbox")).unwrap());
        let parts = Parts::new(Arc::new(SetClock::at(NOW.parse().unwrap())), outbox, models);
        Arc::new(Tenant::open(&self.store, &self.shop, parts).await.unwrap())
    }

    async fn chat(&self, script: &Arc<Script>) -> Chat {
        self.watched(script, Arc::new(Silent)).await
    }

    async fn watched(&self, script: &Arc<Script>, observer: Arc<dyn Observer>) -> Chat {
        let model: Arc<dyn ChatModel> = script.clone();
        Chat::new(self.tenant(vec![model]).await, observer)
    }
}

fn mia() -> Principal {
    Principal::User { name: "mia".to_owned(), role: Role::Marketer }
}

fn lapsed() -> Value {
    json!([{"is": "stage", "any": ["lapsed"]}])
}
