//! A conversation about a brief: turns of a marketer, each with calls and at last an answer in words.
//!
//! A plan that starts in [`Phase::Brief`] is a conversation. It differs from a run for a customer in three ways: words without a
//! call end a turn instead of being thrown away; bounds hold for a turn, not for the whole; and what ends a turn badly
//! gives the word back to the marketer instead of parking the run.
//!
//! Nothing depends on what a model remembers: every turn begins with the brief as code keeps it, and old turns shrink to the
//! words that were said.

use std::sync::Arc;

use kit::FactBook;
use kit::campaign::{Brief, BriefChoice, BriefContext, Question};
use kit::tool::Phase;
use serde::{Deserialize, Serialize};

use super::{Machine, Mismatch, Stage, prompts, stored};
use crate::step::{HumanReason, Outcome, TurnEnd};
use crate::transcript::{Message, ToolCall};

/// Turns of the marketer in one conversation. Far beyond any brief; it only keeps a script from talking for ever.
const MAX_TURNS: u32 = 200;
/// Past turns that keep their calls and answers.
const RECENT: usize = 2;
/// Past turns that keep their words. Older ones are in the brief or nowhere.
const REMEMBERED: usize = 8;
/// Characters of an answer that an old turn keeps.
const OLD_ANSWER: usize = 300;

/// The conversation, beside the run's own state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Talk {
    /// The marketer's turn under way or last ended, from 1; 0 before the first.
    turn: u32,
    #[serde(with = "stored::shared")]
    brief: Arc<Brief>,
    /// What the marketer said in this turn.
    said: String,
    /// The date of this turn, as the shop's zone has it.
    today: String,
    /// What the marketer did to the brief without words before this turn, as it is told in it.
    told: Vec<String>,
    /// The same since, for the next turn.
    notes: Vec<String>,
    asked: Vec<Question>,
    /// Briefs to choose from, until one is chosen or the brief goes on without.
    choices: Vec<BriefChoice>,
    past: Vec<PastTurn>,
}

/// A turn that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PastTurn {
    turn: u32,
    said: String,
    answer: String,
    /// Calls and their answers, while the turn is recent.
    calls: Vec<Message>,
}

impl Talk {
    /// The turn as the model reads it: date, brief, what happened to it, the marketer's words.
    fn task(&self) -> String {
        prompts::turn(self.turn, &self.today, &kit::campaign::words::restate(&self.brief), &self.told, &self.said)
    }

    /// How the conversation of this turn begins, after the standing instructions.
    fn opening(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for past in &self.past {
            messages.push(Message::User { text: prompts::past_turn(past.turn, &past.said) });
            messages.extend(past.calls.iter().cloned());
            messages.push(Message::Assistant { text: Some(past.answer.clone()), calls: Vec::new() });
        }
        messages.push(Message::User { text: self.task() });
        messages
    }

    /// Files the turn that is over, and lets old ones shrink.
    fn file(&mut self, messages: Vec<Message>, answer: String) {
        if self.turn == 0 {
            return;
        }
        let calls = messages.into_iter().filter(keeps_calls).collect();
        self.past.push(PastTurn { turn: self.turn, said: std::mem::take(&mut self.said), answer, calls });
        let len = self.past.len();
        self.past.drain(..len.saturating_sub(REMEMBERED));
        let old = self.past.len().saturating_sub(RECENT);
        for past in self.past.iter_mut().take(old) {
            past.calls.clear();
            if past.answer.chars().count() > OLD_ANSWER {
                past.answer = past.answer.chars().take(OLD_ANSWER).chain("…".chars()).collect();
            }
        }
    }
}

/// Calls and their answers, without notes of our own and without words between calls.
fn keeps_calls(message: &Message) -> bool {
    match message {
        Message::Assistant { calls, .. } => !calls.is_empty(),
        Message::Tool { .. } => true,
        Message::System { .. } | Message::User { .. } => false,
    }
}

impl Machine {
    /// The beginning of a conversation, or nothing for a run of another kind.
    pub(super) fn talk_of(start: Phase) -> Option<Box<Talk>> {
        (start == Phase::Brief).then(Box::default)
    }

    /// What a tool may know of the conversation; nothing in a run that is none.
    pub fn talk(&self) -> Option<BriefContext> {
        self.talk.as_ref().map(|talk| BriefContext {
            brief: talk.brief.clone(),
            turn: talk.turn,
            said: talk.said.clone(),
            answered_before: talk.past.last().map(|past| past.answer.clone()).unwrap_or_default(),
            asked: talk.asked.clone(),
        })
    }

    /// Briefs that the marketer may choose from now.
    pub fn choices(&self) -> &[BriefChoice] {
        self.talk.as_ref().map_or(&[], |talk| &talk.choices)
    }

    /// What the model answered last, in words; the questions when it asked some.
    pub fn answer(&self) -> Option<String> {
        let words = self.transcript.iter().rev().find_map(|message| match message {
            Message::Assistant { text: Some(text), calls } if calls.is_empty() => Some(text.clone()),
            Message::Assistant { .. } | Message::System { .. } | Message::User { .. } | Message::Tool { .. } => None,
        });
        match (&self.stage, &self.talk) {
            (Stage::AwaitMarketer { ended: TurnEnd::Answered }, Some(_)) => words,
            (Stage::AwaitMarketer { ended: TurnEnd::Asked }, Some(talk)) => Some(prompts::questions(&talk.asked)),
            _ => None,
        }
    }

    /// The marketer said something: a turn begins.
    pub(super) fn marketer_said(&mut self, text: String, today: String) {
        let answer = self.last_words();
        let opening = self.opening_len();
        let messages = self.transcript.split_off(opening.min(self.transcript.len()));
        let Some(talk) = self.talk.as_mut() else { return };
        talk.file(messages, answer);
        if talk.turn >= MAX_TURNS {
            let text = format!("the conversation has had {MAX_TURNS} turns: begin a new brief");
            return self.finish(Outcome::Parked(HumanReason { code: "turns".to_owned(), text }));
        }
        talk.turn += 1;
        talk.said = text;
        talk.today = today;
        talk.told = std::mem::take(&mut talk.notes);
        self.rounds.switches = 0;
        self.profile = None;
        self.facts = Arc::new(FactBook::default());
        self.learned.clear();
        self.transcript = self.opening();
        self.start_afresh(Phase::Brief);
        self.meter.begin_turn();
        self.ask();
    }

    /// The marketer changed the brief without words.
    pub(super) fn marketer_edited(&mut self, brief: Brief, note: String) -> Result<(), Mismatch> {
        let Some(talk) = self.talk.as_mut() else { return Err(self.unexpected("an edit of the brief")) };
        let expected = talk.brief.version.saturating_add(1);
        if brief.version != expected {
            return Err(Mismatch::Version { expected, got: brief.version });
        }
        talk.brief = Arc::new(brief);
        talk.notes.push(note);
        talk.choices.clear();
        Ok(())
    }

    /// The marketer wants the model to stop: what it had not done by now is not done.
    pub(super) fn stopped(&mut self) {
        if let Stage::RunTools { turn } = &self.stage {
            let calls: Vec<ToolCall> = turn.calls().cloned().collect();
            for call in &calls {
                self.answer_not_run(call, prompts::stopped());
            }
        }
        self.await_marketer(TurnEnd::Stopped);
    }

    pub(super) fn await_marketer(&mut self, ended: TurnEnd) {
        self.stage = Stage::AwaitMarketer { ended };
    }

    /// Takes the brief as a tool left it; false in a run that has none.
    pub(super) fn briefed(&mut self, brief: Brief) -> bool {
        let Some(talk) = self.talk.as_mut() else { return false };
        talk.brief = Arc::new(brief);
        talk.choices.clear();
        true
    }

    pub(super) fn asked(&mut self, questions: Vec<Question>) {
        match self.talk.as_mut() {
            Some(talk) => {
                talk.asked.extend(questions);
                self.await_marketer(TurnEnd::Asked);
            }
            None => self.park("fatal", "a tool asked the marketer in a run that has none".to_owned()),
        }
    }

    pub(super) fn offered_briefs(&mut self, choices: Vec<BriefChoice>) {
        match self.talk.as_mut() {
            Some(talk) => {
                talk.choices = choices;
                self.await_marketer(TurnEnd::Offered);
            }
            None => self.park("fatal", "a tool offered briefs in a run that has none".to_owned()),
        }
    }

    /// How every conversation with a model begins: of the run, or of this turn.
    pub(super) fn opening(&self) -> Vec<Message> {
        match &self.talk {
            None => self.plan.opening(),
            Some(talk) => {
                let mut messages = vec![Message::System { text: self.plan.standing() }];
                if talk.turn > 0 {
                    messages.extend(talk.opening());
                }
                messages
            }
        }
    }

    fn opening_len(&self) -> usize {
        self.opening().len()
    }

    /// How the turn that is over ended, for the model to read in later ones.
    fn last_words(&self) -> String {
        let Stage::AwaitMarketer { ended } = &self.stage else { return String::new() };
        match ended {
            TurnEnd::Begun => String::new(),
            TurnEnd::Answered | TurnEnd::Asked => self.answer().unwrap_or_default(),
            TurnEnd::Offered => prompts::offered(self.choices()),
            TurnEnd::Stopped => prompts::turn_stopped().to_owned(),
            TurnEnd::Failed { reason } => prompts::turn_failed(&reason.code),
        }
    }

    /// True when the machine may not end by itself: the word goes back to the marketer instead.
    pub(super) fn talks(&self) -> bool {
        self.talk.is_some()
    }
}
