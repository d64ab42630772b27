//! Conversations about a brief: turns of a marketer, words as answers, bounds by the turn, a memory that is code's.

use std::path::PathBuf;

use kit::campaign::{Brief, Changes, Constraint, Question, Rule};
use kit::tool::{Disposition, Effect, Phase};
use mailwright_agent::{
    FinishReason, Input, Limits, Machine, Message, Mismatch, ModelFault, Outcome, PlannedTool, RunPlan, Step,
    ToolAnswer, ToolChoice, TurnEnd,
};
use proptest::prelude::*;

use crate::support::{at, fact, raw, reply};

fn plan() -> RunPlan {
    let tool = |name: &str, effect| PlannedTool { name: name.to_owned(), effect, phases: vec![Phase::Brief] };
    RunPlan {
        system: "You brief campaigns.".to_owned(),
        task: "The shop writes en and de.".to_owned(),
        tools: vec![
            tool("update_brief", Effect::Propose),
            tool("ask_marketer", Effect::Propose),
            tool("search_catalog", Effect::Read),
        ],
        limits: Limits { turns: 4, ..Limits::default() },
        gather_done_by: vec!["lookup_profile".to_owned()],
        start: Phase::Brief,
        started_at: at(0),
    }
}

struct Talk {
    machine: Machine,
    seconds: i64,
}

impl Talk {
    fn new() -> Self {
        Self { machine: Machine::new(plan()), seconds: 0 }
    }

    fn apply(&mut self, input: Input) {
        self.machine.apply(input).unwrap();
        // The stored form keeps everything, at every step.
        let stored = serde_json::to_string(&self.machine).unwrap();
        assert_eq!(Machine::restore(&stored).unwrap(), self.machine);
    }

    fn later(&mut self) -> kit::Timestamp {
        self.seconds += 1;
        at(self.seconds)
    }

    fn say(&mut self, text: &str) {
        let at = self.later();
        self.apply(Input::Marketer { text: text.to_owned(), today: "Wed 1 Jul 2026".to_owned(), at });
    }

    fn calls(&mut self, calls: &[(&str, &str, &str)]) {
        let at = self.later();
        let calls = calls.iter().map(|(id, name, arguments)| raw(id, name, arguments)).collect();
        self.apply(Input::Model { reply: reply(None, calls, FinishReason::ToolCalls), at });
    }

    fn words(&mut self, text: &str) {
        let at = self.later();
        self.apply(Input::Model { reply: reply(Some(text), Vec::new(), FinishReason::Stop), at });
    }

    /// Answers every call of the step, the first with this change.
    fn answer(&mut self, disposition: Option<Disposition>) {
        let Step::RunTools { calls } = self.machine.next() else { panic!("{:?}", self.machine.next()) };
        let mut answers: Vec<ToolAnswer> = calls.iter().map(|(_, call)| ToolAnswer::ok(call, "{}")).collect();
        answers[0].disposition = disposition;
        let at = self.later();
        self.apply(Input::Tools { answers, at });
    }

    /// One update of the brief by a call.
    fn update(&mut self, change: impl FnOnce(&mut Brief)) {
        let n = self.machine.spent().turns;
        self.calls(&[(&format!("u{n}"), "update_brief", &format!(r#"{{"n":{n}}}"#))]);
        let mut brief = Brief::clone(&self.machine.talk().unwrap().brief);
        brief.version += 1;
        change(&mut brief);
        self.answer(Some(Disposition::Briefed { brief: Box::new(brief) }));
    }

    fn last_user(&self) -> String {
        let found = self.machine.transcript().iter().rev().find_map(|m| match m {
            Message::User { text } => Some(text.clone()),
            _ => None,
        });
        found.unwrap()
    }
}

fn constraint(id: u32, quote: &str, turn: u32) -> Constraint {
    Constraint { id, quote: quote.to_owned(), rule: Rule::Vip, turn, taken_back: None }
}

fn question() -> Question {
    Question { text: "VIPs: excluded?".to_owned(), changes: Changes::Audience, options: vec!["yes".to_owned()] }
}

#[test]
fn a_conversation_waits_for_words_and_words_end_its_turn() {
    let mut talk = Talk::new();
    assert_eq!(talk.machine.next(), Step::AwaitMarketer { ended: TurnEnd::Begun });
    assert_eq!(talk.machine.request(), None);
    talk.say("backpacks");
    let request = talk.machine.request().unwrap();
    assert_eq!(request.tool_choice, ToolChoice::Auto);
    assert_eq!(request.tools, ["ask_marketer", "search_catalog", "update_brief"]);
    assert_eq!(
        request.messages,
        [
            Message::System { text: "You brief campaigns.\n\nThe shop writes en and de.".to_owned() },
            Message::User {
                text: "Today is Wed 1 Jul 2026.\n\n# The brief as it stands\n\nVersion 0.\nVIPs: not said\noffer: not decided\nholdout: 0 %\nlegal class: marketing\n\n# Turn 1: the marketer writes\n\nbackpacks".to_owned()
            },
        ]
    );
    talk.words("For whom?");
    assert_eq!(talk.machine.next(), Step::AwaitMarketer { ended: TurnEnd::Answered });
    assert_eq!(talk.machine.answer().as_deref(), Some("For whom?"));
}

#[test]
fn an_empty_answer_is_none_and_a_model_that_has_no_words_gives_the_word_back() {
    let mut talk = Talk::new();
    talk.say("backpacks");
    for _ in 0..3 {
        talk.words("  ");
        assert_eq!(talk.machine.next(), Step::CallModel);
    }
    let at = talk.later();
    talk.apply(Input::Model { reply: reply(None, Vec::new(), FinishReason::Stop), at });
    assert!(
        matches!(talk.machine.next(), Step::AwaitMarketer { ended: TurnEnd::Failed { reason } } if reason.code == "turns")
    );
    talk.say("again");
    talk.words("Yes?");
    assert_eq!(talk.machine.next(), Step::AwaitMarketer { ended: TurnEnd::Answered });
}

#[test]
fn the_brief_is_told_anew_every_turn_and_old_turns_shrink_to_words() {
    let mut talk = Talk::new();
    for turn in 1..=30 {
        talk.say(&format!("words {turn}"));
        if turn == 1 {
            talk.update(|brief| brief.constraints.push(constraint(1, "nothing for VIP", 1)));
        } else {
            talk.calls(&[(&format!("s{turn}"), "search_catalog", &format!(r#"{{"query":"{turn}"}}"#))]);
            talk.answer(None);
        }
        talk.words(&format!("answer {turn}"));
    }
    talk.say("now write");
    assert!(talk.last_user().contains("C1 (turn 1): \"nothing for VIP\" [VIPs]"), "{}", talk.last_user());
    let messages = talk.machine.transcript();
    let told: Vec<&str> = messages
        .iter()
        .map(|m| match m {
            Message::System { .. } => "system",
            Message::User { .. } => "user",
            Message::Assistant { calls, .. } if calls.is_empty() => "words",
            Message::Assistant { .. } => "calls",
            Message::Tool { .. } => "tool",
        })
        .collect();
    let old = ["user", "words"].repeat(6);
    let recent = ["user", "calls", "tool", "words"].repeat(2);
    assert_eq!(told, [vec!["system"], old, recent, vec!["user"]].concat());
    assert_eq!(messages[1], Message::User { text: "# Turn 23: the marketer wrote\n\nwords 23".to_owned() });
}

#[test]
fn questions_and_choices_end_the_turn_and_calls_after_them_are_not_run() {
    let mut talk = Talk::new();
    talk.say("nothing for VIP");
    talk.calls(&[("a", "ask_marketer", "{}"), ("u", "update_brief", "{}")]);
    talk.answer(Some(Disposition::Asked { questions: vec![question()] }));
    assert_eq!(talk.machine.next(), Step::AwaitMarketer { ended: TurnEnd::Asked });
    assert_eq!(talk.machine.answer().as_deref(), Some("1. VIPs: excluded? (yes)"));
    assert_eq!(talk.machine.talk().unwrap().asked, [question()]);
    assert!(
        matches!(talk.machine.transcript().last(), Some(Message::Tool { content, .. }) if content.contains("not run"))
    );
    talk.say("yes");
    assert_eq!(talk.machine.talk().unwrap().answered_before, "1. VIPs: excluded? (yes)");
}

#[test]
fn bounds_hold_for_a_turn_and_give_the_word_back() {
    let mut talk = Talk::new();
    for turn in 1..=3 {
        talk.say("go on");
        for n in 0..4 {
            assert_eq!(talk.machine.next(), Step::CallModel, "turn {turn}, call {n}");
            talk.update(|_| {});
        }
        let Step::AwaitMarketer { ended: TurnEnd::Failed { reason } } = talk.machine.next() else {
            panic!("{:?}", talk.machine.next())
        };
        assert_eq!((reason.code.as_str(), reason.text.as_str()), ("turns", "the turn has used 4 of 4 model calls"));
    }
    assert_eq!(talk.machine.spent().turns, 12);
}

#[test]
fn a_stop_answers_what_was_open_and_the_next_turn_goes_on() {
    let mut talk = Talk::new();
    talk.say("backpacks");
    talk.calls(&[("s", "search_catalog", "{}"), ("u", "update_brief", "{}")]);
    let at = talk.later();
    talk.apply(Input::Stopped { at });
    assert_eq!(talk.machine.next(), Step::AwaitMarketer { ended: TurnEnd::Stopped });
    let open: Vec<&Message> = talk.machine.transcript().iter().rev().take(2).collect();
    assert!(open.iter().all(|m| matches!(m, Message::Tool { content, .. } if content.contains("stopped"))), "{open:?}");
    let late = talk.later();
    let refused = talk.machine.apply(Input::Stopped { at: late }).unwrap_err();
    assert_eq!(refused.to_string(), "the run waits for the marketer; it got word that the marketer stopped the turn");
    talk.say("only daypacks");
    assert!(
        talk.machine
            .transcript()
            .iter()
            .any(|m| matches!(m, Message::Assistant { text: Some(text), .. } if text.contains("stopped this turn")))
    );
}

#[test]
fn an_edit_is_taken_once_told_in_the_next_turn_and_refused_when_it_is_of_another_version() {
    let mut talk = Talk::new();
    let edited = |version| Brief { version, title: Some("Autumn".to_owned()), ..Brief::default() };
    let edit = |brief: Brief, at| Input::BriefEdited {
        brief: Box::new(brief),
        note: "They chose brief 1.".to_owned(),
        restores: None,
        at,
    };
    let now = talk.later();
    talk.apply(edit(edited(1), now));
    assert_eq!(talk.machine.apply(edit(edited(1), now)), Err(Mismatch::Version { expected: 2, got: 1 }));
    talk.say("good");
    assert!(talk.last_user().contains("title: Autumn"), "{}", talk.last_user());
    assert!(talk.last_user().contains("They chose brief 1."), "{}", talk.last_user());
    talk.words("Noted.");
    talk.say("next");
    assert!(!talk.last_user().contains("They chose brief 1."), "{}", talk.last_user());
}

#[test]
fn another_model_goes_on_within_the_turn_and_the_first_is_asked_again_in_the_next() {
    let mut talk = Talk::new();
    talk.say("backpacks");
    talk.calls(&[("s", "search_catalog", "{}")]);
    talk.answer(None);
    let fault = ModelFault { why: "503".to_owned(), transient: true };
    let now = talk.later();
    talk.apply(Input::ModelFailed { fault: fault.clone(), at: now });
    assert!(matches!(talk.machine.next(), Step::SwitchModel { .. }));
    talk.apply(Input::SwitchedModel { profile: "offline".to_owned(), at: now });
    assert_eq!(talk.machine.profile(), Some("offline"));
    assert!(talk.machine.transcript().iter().any(|m| matches!(m, Message::Tool { .. })), "what was read is kept");
    assert!(talk.last_user().ends_with("backpacks"));
    talk.apply(Input::ModelFailed { fault, at: now });
    talk.apply(Input::NoMoreModels { at: now });
    assert!(
        matches!(talk.machine.next(), Step::AwaitMarketer { ended: TurnEnd::Failed { reason } } if reason.code == "model_failed")
    );
    talk.say("try again");
    assert_eq!(talk.machine.profile(), None);
}

#[test]
fn only_a_fault_of_our_own_ends_a_conversation() {
    let mut talk = Talk::new();
    talk.say("backpacks");
    let now = talk.later();
    talk.apply(Input::Fatal { why: "the store is gone".to_owned(), at: now });
    assert!(matches!(talk.machine.next(), Step::Done(Outcome::Parked(reason)) if reason.code == "fatal"));
}

#[test]
fn facts_of_a_turn_are_of_that_turn_and_their_names_are_never_used_twice() {
    let mut talk = Talk::new();
    for turn in 1..=2_u32 {
        talk.say("packs");
        talk.calls(&[(&format!("s{turn}"), "search_catalog", "{}")]);
        let Step::RunTools { calls } = talk.machine.next() else { panic!() };
        assert_eq!(calls[0].0, turn, "call numbers go on over turns");
        let answer = ToolAnswer { facts: vec![fact(calls[0].0, "p1")], ..ToolAnswer::ok(&calls[0].1, "{}") };
        let now = talk.later();
        talk.apply(Input::Tools { answers: vec![answer], at: now });
        assert_eq!(talk.machine.facts().iter().count(), 1);
        talk.words("Found.");
    }
}

fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/machine-v2.json")
}

/// Something in every field that a conversation can fill.
fn mid_talk() -> Talk {
    let mut talk = Talk::new();
    talk.say("backpacks, nothing for VIP");
    talk.update(|brief| brief.constraints.push(constraint(1, "nothing for VIP", 1)));
    talk.calls(&[("a", "ask_marketer", "{}")]);
    talk.answer(Some(Disposition::Asked { questions: vec![question()] }));
    let brief =
        Brief { version: 2, title: Some("Packs".to_owned()), ..Brief::clone(&talk.machine.talk().unwrap().brief) };
    let now = talk.later();
    talk.apply(Input::BriefEdited {
        brief: Box::new(brief),
        note: "They named it.".to_owned(),
        restores: None,
        at: now,
    });
    talk.say("excluded");
    talk.calls(&[("s", "search_catalog", "{}"), ("u", "update_brief", "{}")]);
    talk
}

/// A fixture is written once, when its version is new (`WRITE_FIXTURES=1`), and never changed afterwards.
#[test]
fn a_conversation_of_version_2_still_loads_and_goes_on() {
    if std::env::var_os("WRITE_FIXTURES").is_some() && !fixture().exists() {
        std::fs::write(fixture(), serde_json::to_string_pretty(&mid_talk().machine).unwrap() + "\n").unwrap();
    }
    let stored = std::fs::read_to_string(fixture()).unwrap();
    let machine = Machine::restore(&stored).unwrap();
    assert_eq!(machine.version(), 2);
    let kept = serde_json::to_value(&machine).unwrap();
    assert_eq!(kept, serde_json::from_str::<serde_json::Value>(&stored).unwrap(), "nothing is lost on the way");
    let mut talk = Talk { machine, seconds: 100 };
    talk.answer(None);
    talk.answer(None);
    talk.words("VIPs get none.");
    assert_eq!(talk.machine.next(), Step::AwaitMarketer { ended: TurnEnd::Answered });
}

proptest! {
    /// Whatever a model answers in a turn: the turn ends within its bounds, the word goes back, constraints stand.
    #[test]
    fn any_model_gives_the_word_back(choices in prop::collection::vec(0u8..7, 1..60)) {
        let mut talk = Talk::new();
        talk.say("nothing for VIP");
        talk.update(|brief| brief.constraints.push(constraint(1, "nothing for VIP", 1)));
        let mut wild = choices.into_iter().cycle();
        for turn in 2..6 {
            if !matches!(talk.machine.next(), Step::AwaitMarketer { .. }) {
                talk.words("done");
            }
            talk.say(&format!("turn {turn}"));
            for _ in 0..200 {
                let now = talk.later();
                match talk.machine.next() {
                    Step::AwaitMarketer { .. } => break,
                    Step::SwitchModel { .. } => talk.apply(Input::SwitchedModel { profile: "next".to_owned(), at: now }),
                    Step::RunTools { .. } => talk.answer(None),
                    Step::CallModel => {
                        let calls = vec![raw("x", "search_catalog", "{}"), raw("", "teleport", "{")];
                        let answer = match wild.next().unwrap() {
                            0 => reply(Some("words"), Vec::new(), FinishReason::Stop),
                            1 => reply(None, Vec::new(), FinishReason::Stop),
                            2 => reply(None, Vec::new(), FinishReason::Refused),
                            3 => reply(Some("cut"), Vec::new(), FinishReason::Length),
                            4 => reply(None, (0..40).map(|_| raw("f", "update_brief", "{}")).collect(), FinishReason::ToolCalls),
                            _ => reply(Some("and"), calls, FinishReason::ToolCalls),
                        };
                        talk.apply(Input::Model { reply: answer, at: now });
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            let given_back = matches!(talk.machine.next(), Step::AwaitMarketer { .. });
            prop_assert!(given_back);
            prop_assert_eq!(talk.machine.talk().unwrap().brief.standing().count(), 1);
        }
        prop_assert!(talk.machine.spent().turns <= 4 * 5 + 1);
    }
}
