//! The world outside of an engine: a scripted model, tools and a provider that count what they did, fail on demand, or take
//! an effect and never answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use agent::{
    ChatModel, FinishReason, Limits, Message, ModelError, ModelReply, ModelRequest, PlannedTool, RawCall, RunPlan,
    Usage,
};
use kit::message::{Channel, CheckReport, Confidence, Draft, DraftRecord, Envelope, Hold, RiskReason, SendState};
use kit::tool::{Disposition, Effect, NoSend, Phase, Registry, Tool, ToolContext, ToolError, ToolSpec};
use kit::{ApprovalId, BoxFuture, Digest, FactBook, FlowId, Language, RunId, StoreError, Timestamp};
use mailwright::clock::{Clock as _, SetClock};
use mailwright::runs::{Deliverer, Planner, Seed};
use mailwright::store::{NewApproval, ShopStore};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::binary::MORNING;

/// How long a person has to decide.
pub(super) const PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Everything in a run's story that has an effect, in its order.
pub(super) const EFFECTS: [&str; 8] =
    ["model 1", "look a", "look b", "model 2", "draft", "model 3", "ask", "hand over"];

/// Shared by every process of a test: what happened in the world stays happened.
#[derive(Clone)]
pub(super) struct Outside {
    pub(super) clock: Arc<SetClock>,
    world: Arc<World>,
    /// Model calls that a run may make: another number stands for another program.
    turns: u32,
}

#[derive(Default)]
struct World {
    done: Mutex<BTreeMap<String, u32>>,
    hangs: Mutex<Option<&'static str>>,
    hanging: Notify,
    let_go: Notify,
    breaks: Mutex<BTreeMap<&'static str, u32>>,
    bytes: Mutex<usize>,
}

impl Outside {
    pub(super) fn new() -> Self {
        Self { clock: Arc::new(SetClock::at(now())), world: Arc::default(), turns: Limits::default().turns }
    }

    /// The same world with another program in it, to which journals of this one make no sense.
    pub(super) fn other_program(&self) -> Self {
        Self { turns: 1, ..self.clone() }
    }

    /// The next time this effect is asked for it happens, and nobody is told.
    pub(super) fn hang_after(&self, effect: &'static str) {
        *self.world.hangs.lock().unwrap() = Some(effect);
    }

    /// Whoever hangs is answered after all.
    pub(super) fn let_go(&self) {
        self.world.let_go.notify_one();
    }

    /// The next so many times this effect happens and its connection breaks before the answer.
    pub(super) fn break_after(&self, effect: &'static str, times: u32) {
        self.world.breaks.lock().unwrap().insert(effect, times);
    }

    /// What the first tool answers is this large from now on.
    pub(super) fn answer_with_bytes(&self, bytes: usize) {
        *self.world.bytes.lock().unwrap() = bytes;
    }

    /// How often each effect happened.
    pub(super) fn effects(&self) -> BTreeMap<String, u32> {
        self.world.done.lock().unwrap().clone()
    }

    /// Returns once something hangs.
    pub(super) async fn hanging(&self) {
        self.world.hanging.notified().await;
    }

    pub(super) fn model(&self) -> Arc<dyn ChatModel> {
        Arc::new(self.clone())
    }

    pub(super) fn planner(&self) -> Arc<dyn Planner> {
        Arc::new(self.clone())
    }

    pub(super) fn deliverer(&self) -> Arc<dyn Deliverer> {
        Arc::new(self.clone())
    }

    /// The tools; approvals are kept in this store.
    pub(super) fn registry(&self, store: &ShopStore) -> Registry {
        let registry = Registry::new().with(Look(self.clone())).unwrap().with(Write(self.clone())).unwrap();
        registry.with(Ask { outside: self.clone(), store: store.clone() }).unwrap()
    }

    /// Notes an effect, then fails or hangs as a test wants it.
    async fn effect(&self, name: &str) -> Result<(), String> {
        *self.world.done.lock().unwrap().entry(name.to_owned()).or_insert(0) += 1;
        let hangs = {
            let mut hangs = self.world.hangs.lock().unwrap();
            hangs.take_if(|effect| *effect == name).is_some()
        };
        if hangs {
            self.world.hanging.notify_one();
            self.world.let_go.notified().await;
        }
        match self.world.breaks.lock().unwrap().get_mut(name) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err("the connection broke".to_owned())
            }
            Some(_) | None => Ok(()),
        }
    }
}

pub(super) fn now() -> Timestamp {
    MORNING.parse().unwrap()
}

/// The request that a run makes.
pub(super) fn approval(run: &RunId) -> ApprovalId {
    ApprovalId::from_digest("apr", &Digest::of_bytes(run.as_str().as_bytes()))
}

impl ChatModel for Outside {
    fn profile(&self) -> &str {
        "scripted"
    }

    /// Knows its turn from the question alone, so that it says the same to every process.
    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        _: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        Box::pin(async move {
            let turn = 1 + request.messages.iter().filter(|m| matches!(m, Message::Assistant { .. })).count();
            self.effect(&format!("model {turn}")).await.map_err(ModelError::Connect)?;
            let calls = match turn {
                1 => vec![("look", serde_json::json!({"at": "a"})), ("look", serde_json::json!({"at": "b"}))],
                2 => vec![("write", serde_json::json!({}))],
                _ => vec![("ask", serde_json::json!({}))],
            };
            let calls = calls.into_iter().enumerate().map(|(n, (name, arguments))| RawCall {
                id: format!("call_{turn}_{n}"),
                name: name.to_owned(),
                arguments: arguments.to_string(),
            });
            Ok(ModelReply {
                text: None,
                calls: calls.collect(),
                finish: FinishReason::ToolCalls,
                usage: Usage::default(),
                model: "scripted".to_owned(),
            })
        })
    }
}

impl Planner for Outside {
    fn plan<'a>(&'a self, _: Digest, _: &'a Seed, started_at: Timestamp) -> BoxFuture<'a, Result<RunPlan, String>> {
        let always = [Phase::Compose, Phase::Clear].to_vec();
        let tool = |name: &str, effect| PlannedTool { name: name.to_owned(), effect, phases: always.clone() };
        let plan = RunPlan {
            system: "You write for a shop.".to_owned(),
            task: "A cart was left.".to_owned(),
            tools: vec![tool("look", Effect::Read), tool("write", Effect::Propose), tool("ask", Effect::Propose)],
            limits: Limits { turns: self.turns, ..Limits::default() },
            gather_done_by: Vec::new(),
            start: Phase::Compose,
            started_at,
        };
        Box::pin(std::future::ready(Ok(plan)))
    }
}

impl Deliverer for Outside {
    fn deliver<'a>(
        &'a self,
        run: &'a RunId,
        _: &'a Seed,
        _: &'a DraftRecord,
        _: Option<&'a ApprovalId>,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Result<SendState, Hold>, StoreError>> {
        Box::pin(async move {
            self.effect("hand over").await.map_err(StoreError::Unavailable)?;
            // By its key the provider knows a message that it has: the second answer is the first.
            Ok(Ok(SendState::Sent { provider_id: run.to_string(), at: now() }))
        })
    }

    fn lifted<'a>(&'a self, _: &'a Seed, _: &'a Hold, _: Timestamp) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(std::future::ready(Ok(true)))
    }

    fn admissible<'a>(&'a self, _: &'a Seed, _: Timestamp) -> BoxFuture<'a, Result<Option<NoSend>, StoreError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

struct Look(Outside);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Place {
    at: String,
}

#[derive(Serialize)]
struct Seen {
    seen: String,
}

impl Tool for Look {
    type Args = Place;
    type Output = Seen;
    const NAME: &'static str = "look";
    const DESCRIPTION: &'static str = "Looks.";
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = &[Phase::Compose, Phase::Clear];

    async fn call(&self, _: &ToolContext, args: Place) -> Result<Seen, ToolError> {
        self.0.effect(&format!("look {}", args.at)).await.map_err(ToolError::Retry)?;
        let bytes = *self.0.world.bytes.lock().unwrap();
        Ok(Seen { seen: "🙂\"\\\n".chars().cycle().take(bytes / 2).collect() })
    }
}

struct Write(Outside);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Serialize)]
struct Done {
    done: bool,
}

impl Tool for Write {
    type Args = Nothing;
    type Output = Done;
    const NAME: &'static str = "write";
    const DESCRIPTION: &'static str = "Writes.";
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Compose, Phase::Clear];

    async fn call(&self, cx: &ToolContext, _: Nothing) -> Result<Done, ToolError> {
        self.0.effect("draft").await.map_err(ToolError::Retry)?;
        let needs_approval = vec!["a new flow".to_owned()];
        cx.dispose(Disposition::Drafted { draft: Box::new(draft()), needs_approval });
        Ok(Done { done: true })
    }
}

fn draft() -> DraftRecord {
    let draft = Draft {
        channel: Channel::Email,
        language: Language::EN,
        angle: "reminder".to_owned(),
        subjects: vec!["Still thinking it over?".to_owned()],
        preheader: "Your cart is where you left it".to_owned(),
        blocks: Vec::new(),
        confidence: Confidence::High,
    };
    let content = draft.content_hash(&FactBook::new()).unwrap();
    let report =
        CheckReport { content, rules_version: Digest::of_bytes(b"rules"), findings: Vec::new(), checked_at: now() };
    DraftRecord { draft, facts: FactBook::new(), report, authors: BTreeSet::from(["agent".to_owned()]) }
}

struct Ask {
    outside: Outside,
    store: ShopStore,
}

impl Tool for Ask {
    type Args = Nothing;
    type Output = Done;
    const NAME: &'static str = "ask";
    const DESCRIPTION: &'static str = "Asks a person.";
    const EFFECT: Effect = Effect::Propose;
    const PHASES: &'static [Phase] = &[Phase::Compose, Phase::Clear];

    async fn call(&self, cx: &ToolContext, _: Nothing) -> Result<Done, ToolError> {
        let (id, at, draft) = (approval(&cx.run), self.outside.clock.now(), draft());
        let terms = Envelope {
            shop: self.store.id().clone(),
            flow: FlowId::new("abandoned-checkout").unwrap(),
            channel: Channel::Email,
            content: draft.report.content,
            audience: Digest::of_bytes(b"audience"),
            offer: None,
            not_after: at + PATIENCE,
            rules: Digest::of_bytes(b"rules"),
            release: Digest::of_bytes(b"release"),
        };
        let reasons: Vec<RiskReason> = Vec::new();
        let (run, expires_at) = (cx.run.clone(), at + PATIENCE);
        let new = NewApproval { id, run, terms, draft, summary: "a reminder".to_owned(), reasons, expires_at };
        let opened = self.store.open_approval(new, at).await;
        self.outside.effect("ask").await.map_err(ToolError::Retry)?;
        let (approval, expires_at) = opened.map_err(|e| ToolError::Retry(e.to_string()))?;
        cx.dispose(Disposition::AwaitApproval { approval, expires_at });
        Ok(Done { done: true })
    }
}
