//! A scripted driver: says what the model and the tools answer, and checks every request on the way.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan};
use kit::message::{Block, Channel, CheckReport, Confidence, Draft, DraftRecord, Hold, SendState};
use kit::tool::{Disposition, Effect, NoSend, Phase};
use kit::{ApprovalId, CallId, Digest, FactBook, FactKind, FactMint, FactValue, Language};
use mailwright_agent::{
    ApprovalDecision, FinishReason, HumanReason, Input, Limits, Machine, Message, Mismatch, ModelFault, ModelReply,
    Outcome, PlannedTool, RawCall, RunPlan, Step, ToolAnswer, ToolCall, Usage,
};

/// Seconds after the start of every test run.
pub(crate) fn at(seconds: i64) -> Timestamp {
    "2026-07-01T12:00:00Z".parse::<Timestamp>().unwrap() + seconds.seconds()
}

pub(crate) fn plan() -> RunPlan {
    use Effect::{Act, Propose, Read};
    use Phase::{Clear, Compose, Deliver, Gather};
    let tool =
        |name: &str, effect, phases: &[Phase]| PlannedTool { name: name.to_owned(), effect, phases: phases.to_vec() };
    RunPlan {
        system: "You write for a shop.".to_owned(),
        task: "A cart was left behind.".to_owned(),
        tools: vec![
            tool("queue_send", Act, &[Deliver]),
            tool("request_approval", Act, &[Clear]),
            tool("propose_message", Propose, &[Compose, Clear, Deliver]),
            tool("quote_offer", Propose, &[Compose]),
            tool("search_catalog", Read, &[Gather, Compose]),
            tool("get_products", Read, &[Gather, Compose]),
            tool("lookup_profile", Read, &[Gather]),
            tool("decide_no_send", Propose, &[Gather, Compose, Clear, Deliver]),
        ],
        limits: Limits::default(),
        gather_done_by: vec!["lookup_profile".to_owned()],
        start: Phase::Gather,
        started_at: at(0),
    }
}

pub(crate) fn plan_with(change: impl FnOnce(&mut Limits)) -> RunPlan {
    let mut plan = plan();
    change(&mut plan.limits);
    plan
}

pub(crate) fn draft(angle: &str) -> DraftRecord {
    let draft = Draft {
        channel: Channel::Email,
        language: Language::EN,
        angle: angle.to_owned(),
        subjects: vec!["Still thinking it over?".to_owned()],
        preheader: "Your cart is where you left it".to_owned(),
        blocks: vec![Block::Paragraph { text: "It waits for you.".to_owned() }],
        confidence: Confidence::High,
    };
    let content = draft.content_hash(&FactBook::new()).unwrap();
    let report =
        CheckReport { content, rules_version: Digest::of_bytes(b"rules"), findings: Vec::new(), checked_at: at(0) };
    DraftRecord { draft, facts: FactBook::new(), report, authors: BTreeSet::from(["agent".to_owned()]) }
}

pub(crate) fn drafted(angle: &str, needs_approval: &[&str]) -> Disposition {
    let needs_approval = needs_approval.iter().map(|&reason| reason.to_owned()).collect();
    Disposition::Drafted { draft: Box::new(draft(angle)), needs_approval }
}

pub(crate) fn asked(approval: &str) -> Disposition {
    Disposition::AwaitApproval { approval: approval_id(approval), expires_at: at(100_000) }
}

pub(crate) fn no_send(code: &str) -> NoSend {
    NoSend { code: code.to_owned(), reason: "because".to_owned() }
}

pub(crate) fn sent() -> SendState {
    SendState::Sent { provider_id: "1.eml".to_owned(), at: at(50) }
}

pub(crate) fn approval_id(id: &str) -> ApprovalId {
    ApprovalId::new(id).unwrap()
}

pub(crate) fn call_id(id: &str) -> CallId {
    CallId::new(id).unwrap()
}

pub(crate) fn parked(code: &str, text: &str) -> Step {
    Step::Done(Outcome::Parked(HumanReason { code: code.to_owned(), text: text.to_owned() }))
}

pub(crate) fn raw(id: &str, name: &str, arguments: &str) -> RawCall {
    RawCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

pub(crate) fn reply(text: Option<&str>, calls: Vec<RawCall>, finish: FinishReason) -> ModelReply {
    let usage = Usage { input_tokens: 900, output_tokens: 100, cost_micros: 50, ..Usage::default() };
    ModelReply { text: text.map(str::to_owned), calls, finish, usage, model: "m".to_owned() }
}

/// One run under test.
pub(crate) struct Run {
    pub(crate) machine: Machine,
    pub(crate) now: Timestamp,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self::of(plan())
    }

    pub(crate) fn of(plan: RunPlan) -> Self {
        let now = plan.started_at;
        let run = Self { machine: Machine::new(plan), now };
        run.check();
        run
    }

    /// A run whose profile was looked up: compose.
    pub(crate) fn composing() -> Self {
        let mut run = Self::new();
        run.gather();
        run
    }

    /// A run with a draft that policy clears.
    pub(crate) fn delivering() -> Self {
        let mut run = Self::composing();
        run.propose("first", &[]);
        run
    }

    /// A run that waits for the decision about approval `a1`.
    pub(crate) fn awaiting() -> Self {
        let mut run = Self::composing();
        run.propose("first", &["vip: spends a lot"]);
        run.request_approval("a1");
        run
    }

    pub(crate) fn gather(&mut self) {
        self.calls(&[("lookup", "lookup_profile", "{}")]);
        self.answer_with("lookup", r#"{"first_name":true}"#, None);
    }

    pub(crate) fn propose(&mut self, angle: &str, needs_approval: &[&str]) {
        let id = self.call("propose_message", &format!(r#"{{"angle":"{angle}"}}"#));
        self.answer_with(&id, r#"{"passed":true}"#, Some(drafted(angle, needs_approval)));
    }

    pub(crate) fn request_approval(&mut self, approval: &str) {
        let id = self.call("request_approval", "{}");
        self.answer_with(&id, r#"{"asked":true}"#, Some(asked(approval)));
    }

    /// One call under an id of our own; returns the id.
    pub(crate) fn call(&mut self, name: &str, arguments: &str) -> String {
        let id = format!("c{}", self.machine.spent().turns + 1);
        self.calls(&[(&id, name, arguments)]);
        id
    }

    pub(crate) fn calls(&mut self, calls: &[(&str, &str, &str)]) {
        let calls = calls.iter().map(|(id, name, arguments)| raw(id, name, arguments)).collect();
        self.model(reply(None, calls, FinishReason::ToolCalls));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.model(reply(Some(text), Vec::new(), FinishReason::Stop));
    }

    pub(crate) fn model(&mut self, reply: ModelReply) {
        let at = self.later(1);
        self.apply(Input::Model { reply, at });
    }

    pub(crate) fn model_fails(&mut self, transient: bool) {
        let at = self.later(1);
        let fault = ModelFault { why: "503 for two minutes".to_owned(), transient };
        self.apply(Input::ModelFailed { fault, at });
    }

    /// Answers the one call of the step.
    pub(crate) fn answer_with(&mut self, id: &str, content: &str, disposition: Option<Disposition>) {
        let call = self.running().into_iter().find(|call| call.id.as_str() == id).expect("the call runs");
        self.answers(vec![ToolAnswer { disposition, ..ToolAnswer::ok(&call, content) }]);
    }

    /// Answers every call of the step well.
    pub(crate) fn answer_all(&mut self) {
        let answers = self.running().iter().map(|call| ToolAnswer::ok(call, "{}")).collect();
        self.answers(answers);
    }

    /// Answers every call of the step with an error.
    pub(crate) fn fail_all(&mut self) {
        let answers = self.running().iter().map(|call| ToolAnswer::error(call, "wrong arguments")).collect();
        self.answers(answers);
    }

    pub(crate) fn answers(&mut self, answers: Vec<ToolAnswer>) {
        let at = self.later(1);
        self.apply(Input::Tools { answers, at });
    }

    pub(crate) fn decide(&mut self, approval: &str, decision: ApprovalDecision) {
        let at = self.later(1);
        self.apply(Input::Approval { approval: approval_id(approval), decision, at });
    }

    pub(crate) fn reject(&mut self, approval: &str, reason: &str, revise: bool) {
        self.decide(approval, ApprovalDecision::Rejected { reason: reason.to_owned(), revise });
    }

    pub(crate) fn delivery(&mut self, result: Result<SendState, Hold>) {
        let at = self.later(1);
        self.apply(Input::Delivery { result, at });
    }

    pub(crate) fn released(&mut self) {
        let at = self.later(1);
        self.apply(Input::Released { at });
    }

    pub(crate) fn switch(&mut self, profile: &str) {
        let at = self.later(1);
        self.apply(Input::SwitchedModel { profile: profile.to_owned(), at });
    }

    pub(crate) fn no_more_models(&mut self) {
        let at = self.later(1);
        self.apply(Input::NoMoreModels { at });
    }

    pub(crate) fn apply(&mut self, input: Input) {
        self.machine.apply(input).unwrap();
        self.check();
    }

    /// Feeds an input that must not fit, and shows that nothing has changed.
    pub(crate) fn refuses(&mut self, input: Input) -> Mismatch {
        let before = self.machine.clone();
        let mismatch = self.machine.apply(input).unwrap_err();
        assert_eq!(self.machine, before);
        mismatch
    }

    pub(crate) fn next(&self) -> Step {
        self.machine.next()
    }

    /// The calls under way.
    pub(crate) fn running(&self) -> Vec<ToolCall> {
        match self.next() {
            Step::RunTools { calls } => calls.into_iter().map(|(_, call)| call).collect(),
            other => panic!("no tools are running: {other:?}"),
        }
    }

    /// Names of the calls under way.
    pub(crate) fn running_names(&self) -> Vec<String> {
        self.running().into_iter().map(|call| call.name).collect()
    }

    /// Names of the tools on offer.
    pub(crate) fn offered(&self) -> Vec<String> {
        self.machine.request().expect("the model is asked").tools
    }

    /// The whole conversation, a line a message.
    pub(crate) fn said(&self) -> Vec<String> {
        self.machine.transcript().iter().map(line).collect()
    }

    /// The last `n` lines of it.
    pub(crate) fn last_said(&self, n: usize) -> Vec<String> {
        let mut said = self.said();
        said.split_off(said.len() - n)
    }

    pub(crate) fn later(&mut self, seconds: i64) -> Timestamp {
        self.now += seconds.seconds();
        self.now
    }

    fn check(&self) {
        assert_request(&self.machine);
        let stored = serde_json::to_string(&self.machine).unwrap();
        assert_eq!(Machine::restore(&stored).unwrap(), self.machine);
    }
}

fn line(message: &Message) -> String {
    match message {
        Message::System { text } => format!("system: {text}"),
        Message::User { text } => format!("user: {text}"),
        Message::Assistant { text, calls } => {
            let calls: Vec<_> = calls.iter().map(|c| format!("{}={}({})", c.id, c.name, c.arguments)).collect();
            format!("assistant: {}[{}]", text.as_deref().unwrap_or_default(), calls.join(" "))
        }
        Message::Tool { call, name, content } => format!("tool {call}={name}: {content}"),
    }
}

/// A request exists exactly when the model is to be asked, and every one is fit to be sent.
pub(crate) fn assert_request(machine: &Machine) {
    assert_eq!(machine.next(), machine.next());
    let Some(request) = machine.request() else {
        assert_ne!(machine.next(), Step::CallModel);
        return;
    };
    assert_eq!(machine.next(), Step::CallModel);
    assert!(request.tools.is_sorted(), "{:?}", request.tools);
    assert_well_formed(request.messages);
}

/// Each call is answered exactly once, in order and directly after the message that made it; roles are such that every
/// server takes them.
pub(crate) fn assert_well_formed(messages: &[Message]) {
    let mut ids = BTreeSet::new();
    let mut open: Vec<(CallId, String)> = Vec::new();
    let mut former = "";
    for (index, message) in messages.iter().enumerate() {
        let role = match message {
            Message::System { .. } => "system",
            Message::User { .. } => "user",
            Message::Assistant { text, calls } => {
                assert!(open.is_empty(), "calls without an answer: {open:?}");
                assert!(text.is_some() || !calls.is_empty(), "an empty message of the model");
                open = calls.iter().map(|call| (call.id.clone(), call.name.clone())).collect();
                assert!(calls.iter().all(|call| ids.insert(call.id.clone())), "an id came twice: {calls:?}");
                assert!(calls.iter().all(|call| is_wire_name(&call.name)), "a name no server takes: {calls:?}");
                "assistant"
            }
            Message::Tool { call, name, .. } => {
                assert!(!open.is_empty(), "an answer to nothing: {call}");
                assert_eq!(open.remove(0), (call.clone(), name.clone()));
                "tool"
            }
        };
        assert!(role == "tool" || open.is_empty() || role == "assistant", "calls without an answer: {open:?}");
        assert_eq!(role == "system", index == 0);
        assert!(index != 1 || role == "user");
        assert!(role != "user" || former != "user", "two notes in a row");
        former = role;
    }
    assert!(open.is_empty(), "calls without an answer: {open:?}");
    assert!(matches!(former, "user" | "tool"), "the model would answer itself");
}

fn is_wire_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// A fact as the call with this ordinal mints it.
pub(crate) fn fact(ordinal: u32, product: &str) -> kit::Fact {
    let mut mint = FactMint::for_call(ordinal);
    mint.mint(FactKind::Product, product, "catalog", at(0), [("title", FactValue::text("Tent"))]).unwrap();
    mint.into_facts().remove(0)
}
