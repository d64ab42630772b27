//! Around any model: every request is looked at before the model sees it, and what broke a rule is kept.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent::{ChatModel, Message, ModelError, ModelReply, ModelRequest, ToolChoice};
use kit::BoxFuture;
use kit::tool::ToolSpec;
use serde_json::Value;

/// A rule of the wire that a request broke.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    /// A call has no answer, or more than one, or an answer has no call.
    Unpaired(String),
    /// Two calls share an id.
    SharedId(String),
    /// The tools described are not the tools on offer.
    OtherTools(String),
    /// A tool's arguments are not described strictly.
    LooseSchema(String),
    /// A value that no model may see stands in the request. Never the value itself.
    Secret {
        /// Its name, as it was planted.
        name: String,
        /// Whose words hold it: `system`, `user`, `assistant` or the tool's name.
        place: String,
    },
    /// The conversation does not begin with our instructions.
    NoInstructions,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unpaired(id) => write!(f, "call {id} is not answered exactly once"),
            Self::SharedId(id) => write!(f, "two calls share the id {id}"),
            Self::OtherTools(name) => {
                write!(f, "tool {name} is on offer without a description, or the other way round")
            }
            Self::LooseSchema(name) => write!(f, "the arguments of {name} are not described strictly"),
            Self::Secret { name, place } => write!(f, "{name} stands in the words of {place}"),
            Self::NoInstructions => f.write_str("the conversation does not begin with the instructions"),
        }
    }
}

/// A request as it was asked, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The conversation.
    pub messages: Vec<Message>,
    /// The tools on offer.
    pub tools: Vec<String>,
    /// Whether one had to be called.
    pub tool_choice: ToolChoice,
}

impl Asked {
    /// True when these words stand anywhere in the conversation, in any letter case.
    pub fn says(&self, words: &str) -> bool {
        let lower = words.to_lowercase();
        self.messages.iter().any(|message| texts(message).any(|text| text.to_lowercase().contains(&lower)))
    }

    /// Names of the tools that were called, in order.
    pub fn called(&self) -> Vec<&str> {
        let calls = self
            .messages
            .iter()
            .filter_map(|m| if let Message::Assistant { calls, .. } = m { Some(calls) } else { None });
        calls.flatten().map(|call| call.name.as_str()).collect()
    }
}

/// A model whose requests are looked at.
pub struct Captured {
    inner: Arc<dyn ChatModel>,
    keep: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    secrets: Vec<(String, String)>,
    asked: Vec<Asked>,
    replies: Vec<ModelReply>,
    calls: u64,
    violations: BTreeSet<Violation>,
    strict: BTreeSet<&'static str>,
}

impl Captured {
    /// Looks at every request of this model, and keeps them all.
    pub fn keeping(inner: Arc<dyn ChatModel>) -> Self {
        Self { inner, keep: true, state: Mutex::default() }
    }

    /// Looks at every request of this model and keeps only what broke a rule: for thousands of cases.
    pub fn checking(inner: Arc<dyn ChatModel>) -> Self {
        Self { inner, keep: false, state: Mutex::default() }
    }

    /// Values that no request may hold, each with the name under which it is reported. Those planted before are forgotten.
    pub fn plant(&self, secrets: impl IntoIterator<Item = (String, String)>) {
        let long_enough = |(_, value): &(String, String)| value.chars().count() > 3;
        self.state().secrets = secrets.into_iter().filter(long_enough).collect();
    }

    /// Every request kept so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Every answer kept so far.
    pub fn replies(&self) -> Vec<ModelReply> {
        self.state().replies.clone()
    }

    /// How often the model was asked since the last [`Captured::drain`].
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// What broke a rule so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.state().violations.iter().cloned().collect()
    }

    /// Takes what broke a rule out of it, with the number of calls; begins anew.
    pub fn drain(&self) -> (u64, Vec<Violation>) {
        let mut state = self.state();
        state.asked.clear();
        state.replies.clear();
        (std::mem::take(&mut state.calls), std::mem::take(&mut state.violations).into_iter().collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, request: &ModelRequest<'_>, tools: &[&ToolSpec]) {
        let mut state = self.state();
        let State { secrets, violations, strict, .. } = &mut *state;
        pairs(request.messages, violations);
        described(request, tools, violations);
        for tool in tools {
            // A tool's description does not change while the program runs.
            if strict.insert(tool.name) && !is_strict(&tool.parameters) {
                violations.insert(Violation::LooseSchema(tool.name.to_owned()));
            }
        }
        if !matches!(request.messages.first(), Some(Message::System { .. })) {
            violations.insert(Violation::NoInstructions);
        }
        for message in request.messages {
            for (name, value) in secrets.iter() {
                if texts(message).any(|text| text.contains(value.as_str())) {
                    let place = place(message).to_owned();
                    violations.insert(Violation::Secret { name: name.clone(), place });
                }
            }
        }
        state.calls += 1;
        if self.keep {
            state.asked.push(Asked {
                messages: request.messages.to_vec(),
                tools: request.tools.clone(),
                tool_choice: request.tool_choice,
            });
        }
    }
}

impl ChatModel for Captured {
    fn profile(&self) -> &str {
        self.inner.profile()
    }

    fn reads_prompts(&self) -> bool {
        self.inner.reads_prompts()
    }

    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        tools: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        self.look(request, tools);
        Box::pin(async move {
            let answer = self.inner.complete(request, tools).await;
            if let (true, Ok(reply)) = (self.keep, &answer) {
                self.state().replies.push(reply.clone());
            }
            answer
        })
    }
}

/// All texts of a message.
fn texts(message: &Message) -> impl Iterator<Item = &str> {
    let (text, calls) = match message {
        Message::System { text } | Message::User { text } => (Some(text), None),
        Message::Assistant { text, calls } => (text.as_ref(), Some(calls)),
        Message::Tool { content, .. } => (Some(content), None),
    };
    text.into_iter().map(String::as_str).chain(calls.into_iter().flatten().map(|call| call.arguments.as_str()))
}

fn place(message: &Message) -> &str {
    match message {
        Message::System { .. } => "system",
        Message::User { .. } => "user",
        Message::Assistant { .. } => "assistant",
        Message::Tool { name, .. } => name,
    }
}

/// Every call is answered once, after it was made and before anything else is said.
fn pairs(messages: &[Message], violations: &mut BTreeSet<Violation>) {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let close = |open: &mut BTreeSet<&str>| {
        let left = std::mem::take(open);
        left.into_iter().map(|id| Violation::Unpaired(id.to_owned())).collect::<Vec<_>>()
    };
    for message in messages {
        match message {
            Message::Tool { call, .. } => {
                if !open.remove(call.as_str()) {
                    violations.insert(Violation::Unpaired(call.to_string()));
                }
            }
            Message::Assistant { calls, .. } => {
                violations.extend(close(&mut open));
                for call in calls {
                    if !known.insert(call.id.as_str()) {
                        violations.insert(Violation::SharedId(call.id.to_string()));
                    }
                    open.insert(call.id.as_str());
                }
            }
            Message::System { .. } | Message::User { .. } => violations.extend(close(&mut open)),
        }
    }
    violations.extend(close(&mut open));
}

fn described(request: &ModelRequest<'_>, tools: &[&ToolSpec], violations: &mut BTreeSet<Violation>) {
    let offered: BTreeSet<&str> = request.tools.iter().map(String::as_str).collect();
    let described: BTreeSet<&str> = tools.iter().map(|tool| tool.name).collect();
    for name in offered.symmetric_difference(&described) {
        violations.insert(Violation::OtherTools((*name).to_owned()));
    }
}

/// Strict, as servers mean it: every object closed, and all of its properties required.
fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            let is_object = map.get("type").is_some_and(|kind| match kind {
                Value::String(kind) => kind == "object",
                Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
                _ => false,
            });
            let closed = map.get("additionalProperties") == Some(&Value::Bool(false));
            let properties: BTreeSet<&str> = map
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(|p| p.keys())
                .map(String::as_str)
                .collect();
            let required: BTreeSet<&str> =
                map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            (!is_object || (closed && properties == required)) && map.values().all(is_strict)
        }
        Value::Array(items) => items.iter().all(is_strict),
        _ => true,
    }
}
