//! What holds whatever models, tools and people answer.

use std::collections::BTreeSet;

use kit::message::Hold;
use kit::tool::{Disposition, Effect};
use mailwright_agent::{
    ApprovalDecision, DECIDE_NO_SEND, FinishReason, Input, Limits, Machine, ModelFault, ModelReply, Outcome, RawCall,
    RunPlan, Step, ToolAnswer, ToolCall, Usage,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::support::{approval_id, asked, assert_request, at, draft, drafted, no_send, plan, raw, sent};

/// Decisions of a random world, read one by one; shrinks towards the first option of each.
#[derive(Debug)]
struct Tape {
    numbers: Vec<u32>,
    position: usize,
    time: i64,
    mood: Mood,
}

/// What kind of model answers.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// Calls what is on offer.
    Obedient,
    /// Calls anything.
    Wild,
    /// Calls the same thing over and over.
    Stuck,
}

impl Tape {
    fn pick(&mut self, options: usize) -> usize {
        let number = self.numbers[self.position % self.numbers.len()];
        self.position += 1;
        // A tape that is read again must not repeat itself for ever.
        (number as usize).wrapping_add(self.position / self.numbers.len()) % options
    }

    fn one<T: Clone>(&mut self, options: &[T]) -> T {
        options[self.pick(options.len())].clone()
    }

    fn chance(&mut self, in_hundred: usize) -> bool {
        self.pick(100) < in_hundred
    }

    fn reply(&mut self, offered: &[String]) -> ModelReply {
        use FinishReason::{Length, Other, Refused, Stop, ToolCalls};
        let usage = Usage {
            input_tokens: self.pick(3_000) as u64,
            output_tokens: 10,
            cost_micros: self.pick(3_000) as u64,
            ..Usage::default()
        };
        let (calls, finish) = match self.mood {
            Mood::Obedient => ((0..1 + self.pick(2)).map(|_| self.sensible_call(offered)).collect(), ToolCalls),
            Mood::Wild => {
                let calls = self.one(&[0, 1, 1, 1, 2, 3, 5, 9, 40]);
                let finish = self.one(&[ToolCalls, ToolCalls, ToolCalls, Stop, Stop, Other, Length, Refused]);
                ((0..calls).map(|_| self.wild_call()).collect(), finish)
            }
            Mood::Stuck => (vec![raw("x", "search_catalog", r#"{"query":"tent"}"#)], ToolCalls),
        };
        let text = self.one(&[None, Some(" "), Some("Words.")]).map(str::to_owned);
        ModelReply { text, calls, finish, usage, model: "random".to_owned() }
    }

    fn sensible_call(&mut self, offered: &[String]) -> RawCall {
        let name = if offered.is_empty() { "search_catalog".to_owned() } else { self.one(offered) };
        // Giving up at once would end most runs before they begin.
        let name = if name == DECIDE_NO_SEND && self.chance(80) { self.one(offered) } else { name };
        raw("call", &name, &format!("[{}]", self.position))
    }

    fn wild_call(&mut self) -> RawCall {
        let id = self.one(&["", "same", "call_1_1", "call_2_1", "x"]);
        let name = self.one(&[
            "lookup_profile",
            "search_catalog",
            "get_products",
            "quote_offer",
            "propose_message",
            "request_approval",
            "queue_send",
            DECIDE_NO_SEND,
            "send mail",
            "",
        ]);
        let arguments = self.one(&["{}", r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, "{", "", "[[[null]]]"]);
        raw(id, name, arguments)
    }

    fn hold(&mut self) -> Hold {
        self.one(&[
            Hold::Withdrawn,
            Hold::RulesChanged,
            Hold::FactsChanged { what: vec!["the price".to_owned()] },
            Hold::ApprovalVoid { why: "gone".to_owned() },
            Hold::Quiet { until: at(5) },
            Hold::Killed { scope: "shop".to_owned() },
        ])
    }

    /// Mostly what a tool of that name does, now and then anything.
    fn answer(&mut self, call: &ToolCall) -> ToolAnswer {
        if self.chance(20) {
            return ToolAnswer::error(call, "wrong");
        }
        let name = if self.chance(5) { "anything" } else { call.name.as_str() };
        let disposition = match name {
            "propose_message" if self.chance(30) => None,
            "propose_message" if self.chance(50) => Some(drafted("cleared", &[])),
            "propose_message" => Some(drafted("to be cleared", &["vip"])),
            "request_approval" => Some(asked("a1")),
            "queue_send" if self.chance(50) => Some(Disposition::Held { hold: self.hold() }),
            "queue_send" => Some(Disposition::Queued { state: sent() }),
            DECIDE_NO_SEND => Some(Disposition::NoSend(no_send("random"))),
            "anything" => {
                let hold = self.hold();
                Some(self.one(&[asked("a1"), drafted("out of the blue", &["vip"]), Disposition::Held { hold }]))
            }
            _ => None,
        };
        ToolAnswer { disposition, ..ToolAnswer::ok(call, "{}") }
    }

    fn decision(&mut self) -> ApprovalDecision {
        let reject = |revise| ApprovalDecision::Rejected { reason: "no".to_owned(), revise };
        match self.pick(12) {
            0..4 => ApprovalDecision::Approved,
            4..8 => reject(true),
            8 => reject(false),
            9 => ApprovalDecision::Expired,
            _ => ApprovalDecision::Edited {
                approval: approval_id("a1"),
                expires_at: at(9),
                draft: Box::new(draft("edited")),
            },
        }
    }

    /// What the world answers to a machine.
    fn answer_to(&mut self, machine: &Machine) -> Option<Input> {
        let offered = machine.request().map(|request| request.tools).unwrap_or_default();
        self.input(&machine.next(), &offered)
    }

    /// What the world answers to a step; nothing when the run is over.
    fn input(&mut self, step: &Step, offered: &[String]) -> Option<Input> {
        self.time += self.pick(4) as i64;
        let at = at(self.time);
        Some(match step {
            // Runs for customers never come here; tests/machine/talk.rs has conversations of its own.
            Step::Done(_) | Step::AwaitMarketer { .. } => return None,
            Step::CallModel if self.chance(3) => {
                Input::ModelFailed { fault: ModelFault { why: "down".to_owned(), transient: self.chance(80) }, at }
            }
            Step::CallModel => Input::Model { reply: self.reply(offered), at },
            Step::RunTools { calls } => {
                Input::Tools { answers: calls.iter().map(|(_, call)| self.answer(call)).collect(), at }
            }
            Step::AwaitApproval { approval, .. } => {
                Input::Approval { approval: approval.clone(), decision: self.decision(), at }
            }
            Step::Deliver { .. } if self.chance(70) => Input::Delivery { result: Err(self.hold()), at },
            Step::Deliver { .. } => Input::Delivery { result: Ok(sent()), at },
            Step::AwaitRelease { .. } => Input::Released { at },
            Step::SwitchModel { .. } if self.chance(20) => Input::NoMoreModels { at },
            Step::SwitchModel { .. } => Input::SwitchedModel { profile: "next".to_owned(), at },
        })
    }
}

fn any_tape() -> impl Strategy<Value = Tape> {
    let mood = prop_oneof![4 => Just(Mood::Obedient), 3 => Just(Mood::Wild), 1 => Just(Mood::Stuck)];
    let numbers = prop::collection::vec(any::<u32>(), 50..400);
    (numbers, mood).prop_map(|(numbers, mood)| Tape { numbers, position: 0, time: 0, mood })
}

fn any_plan() -> impl Strategy<Value = RunPlan> {
    let tight = (0..20_u32, 0..20_u32, 0..20_000_u64, 0..20_000_u64, 0..40_u32, 0..5_u32, 0..5_u32).prop_map(
        |(turns, tool_calls, tokens, cost_micros, seconds, identical_calls, reasks)| Limits {
            turns,
            tool_calls,
            tokens,
            cost_micros,
            seconds,
            identical_calls,
            reasks,
        },
    );
    prop_oneof![Just(Limits::default()), tight].prop_map(|limits| RunPlan { limits, ..plan() })
}

/// Far more than the bounds of any plan allow; edits by people are the only thing without a bound.
const MAX_INPUTS: usize = 2_000;

fn check_step(machine: &Machine, plan: &RunPlan, last_reply: Option<&ModelReply>) {
    assert_request(machine);
    let spent = machine.spent();
    assert!(spent.turns <= plan.limits.turns && spent.tool_calls <= plan.limits.tool_calls);
    match machine.next() {
        Step::Deliver { approval } => {
            assert!(machine.draft().is_some());
            assert!(machine.needs_approval().is_empty() || approval.is_some());
        }
        Step::RunTools { calls } => check_batch(plan, &calls, last_reply.unwrap()),
        Step::Done(Outcome::Held { hold }) => assert_eq!(hold.release(), kit::message::Release::Never),
        Step::AwaitMarketer { .. } => panic!("a run for a customer waits for a marketer"),
        Step::CallModel
        | Step::AwaitApproval { .. }
        | Step::AwaitRelease { .. }
        | Step::SwitchModel { .. }
        | Step::Done(Outcome::Delivered { .. } | Outcome::NoSend(_) | Outcome::Written { .. } | Outcome::Parked(_)) => {
        }
    }
}

/// Only tools of the plan run, what changes something runs alone, and never beside a decision to send nothing.
fn check_batch(plan: &RunPlan, calls: &[(u32, ToolCall)], reply: &ModelReply) {
    assert!((1..=8).contains(&calls.len()));
    let effect = |name: &str| plan.tools.iter().find(|tool| tool.name == name).unwrap().effect;
    let decided = reply.calls.iter().any(|call| call.name == DECIDE_NO_SEND);
    for (_, call) in calls {
        if effect(&call.name) == Effect::Read {
            continue;
        }
        assert_eq!(calls.len(), 1);
        assert!(!decided || call.name == DECIDE_NO_SEND, "{} ran beside {DECIDE_NO_SEND}", call.name);
    }
}

/// The properties below say something only if random runs get everywhere.
#[test]
fn random_runs_come_to_every_end() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut ends = BTreeSet::new();
    for _ in 0..4_000 {
        let (plan, mut tape) = (any_plan(), any_tape()).new_tree(&mut runner).unwrap().current();
        let mut machine = Machine::new(plan);
        while let Some(input) = tape.answer_to(&machine) {
            machine.apply(input).unwrap();
        }
        ends.insert(match machine.outcome().unwrap() {
            Outcome::Delivered { .. } => "delivered".to_owned(),
            Outcome::Written { .. } => "written".to_owned(),
            Outcome::NoSend(why) => format!("no send: {}", why.code),
            Outcome::Held { hold } => format!("held: {}", hold.code()),
            Outcome::Parked(why) => format!("parked: {}", why.code),
        });
    }
    let ends: Vec<_> = ends.iter().map(String::as_str).collect();
    assert_eq!(
        ends,
        [
            "delivered",
            "held: approval_void",
            "held: facts_changed",
            "held: rules_changed",
            "held: withdrawn",
            "no send: approval_expired",
            "no send: random",
            "no send: rejected",
            "parked: cost",
            "parked: fatal",
            "parked: loop",
            "parked: model_failed",
            "parked: reasks",
            "parked: refused",
            "parked: seconds",
            "parked: tokens",
            "parked: tool_calls",
            "parked: turns",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_and_is_in_order_at_every_step(plan in any_plan(), mut tape in any_tape()) {
        let mut machine = Machine::new(plan.clone());
        let mut last_reply = None;
        let mut inputs = 0;
        check_step(&machine, &plan, None);
        while let Some(input) = tape.answer_to(&machine) {
            inputs += 1;
            prop_assert!(inputs < MAX_INPUTS, "the run does not end: {:?}", machine.next());
            if let Input::Model { reply, .. } = &input {
                last_reply = Some(reply.clone());
            }
            machine.apply(input).unwrap();
            check_step(&machine, &plan, last_reply.as_ref());
        }
        prop_assert!(machine.outcome().is_some());
    }

    #[test]
    fn a_run_restored_at_any_point_goes_on_as_if_never_stored(plan in any_plan(), mut tape in any_tape(), stop in 0..40_usize) {
        let mut machine = Machine::new(plan.clone());
        let mut journal = Vec::new();
        let mut restored: Option<Machine> = None;
        while let Some(input) = tape.answer_to(&machine) {
            if journal.len() == stop {
                let stored = serde_json::to_string(&machine).unwrap();
                restored = Some(Machine::restore(&stored).unwrap());
            }
            // The journal holds inputs as JSON; what is read back must lead to the same state.
            let row = serde_json::to_string(&input).unwrap();
            machine.apply(input).unwrap();
            if let Some(restored) = &mut restored {
                restored.apply(serde_json::from_str(&row).unwrap()).unwrap();
                prop_assert_eq!(&*restored, &machine);
            }
            journal.push(row);
        }
        let mut folded = Machine::new(plan);
        for row in &journal {
            folded.apply(serde_json::from_str(row).unwrap()).unwrap();
        }
        prop_assert_eq!(folded, machine);
    }

    #[test]
    fn inputs_out_of_turn_never_harm(plan in any_plan(), mut tape in any_tape(), order in prop::collection::vec(0..7_usize, 1..60)) {
        let call = ToolCall { id: kit::CallId::new("x").unwrap(), name: "x".to_owned(), arguments: String::new() };
        let steps = [
            Step::CallModel,
            Step::RunTools { calls: vec![(1, call)] },
            Step::AwaitApproval { approval: approval_id("a1"), until: at(1) },
            Step::Deliver { approval: None },
            Step::AwaitRelease { at: None, hold: Hold::RulesChanged },
            Step::SwitchModel { why: mailwright_agent::HumanReason { code: String::new(), text: String::new() } },
        ];
        let mut machine = Machine::new(plan);
        for index in order {
            let step = steps.get(index).cloned().unwrap_or_else(|| machine.next());
            let Some(input) = tape.input(&step, &[]) else { break };
            let before = machine.clone();
            if machine.apply(input).is_err() {
                prop_assert_eq!(&machine, &before);
            }
            assert_request(&machine);
        }
    }
}
