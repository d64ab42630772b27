//! What happens in a turn, as it happens: for a terminal, for a stream to a browser.

use std::sync::{Arc, Mutex, PoisonError};

use agent::{Input, Step};
use kit::RunId;
use kit::campaign::{Brief, Question};
use kit::tool::Disposition;
use serde::Serialize;

use crate::runs::Observer;

/// Something that happened in a turn.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ChatEvent {
    /// A piece of the answer while it is being written.
    Delta {
        /// The piece.
        text: String,
    },
    /// A tool answered.
    Tool {
        /// Its name.
        name: String,
        /// It refused.
        refused: bool,
        /// Why, when it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// The brief changed.
    Brief {
        /// Its version now.
        version: u32,
        /// What changed, field by field.
        changes: Vec<String>,
        /// What is missing.
        missing: Vec<String>,
    },
    /// The marketer is asked.
    Question {
        /// The questions.
        questions: Vec<Question>,
    },
    /// Briefs to choose from.
    Choices {
        /// Title and what sets it apart.
        choices: Vec<(String, String)>,
    },
    /// The answer in words.
    Answer {
        /// The words.
        text: String,
    },
    /// Another model goes on.
    Model {
        /// Its profile, or why the last one failed.
        text: String,
    },
}

/// Turns steps of a conversation into events.
pub struct Watcher {
    last: Mutex<Brief>,
    tell: Box<dyn Fn(ChatEvent) + Send + Sync>,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

impl Watcher {
    /// A watcher that tells of every event.
    pub fn new(tell: impl Fn(ChatEvent) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { last: Mutex::default(), tell: Box::new(tell) })
    }

    /// Changes are told against this brief from now on.
    pub fn knows(&self, brief: &Brief) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = brief.clone();
    }

    fn brief(&self, brief: &Brief) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = brief.diff(&last).into_iter().filter(|c| !c.field().is_computed()).map(|c| c.words()).collect();
        let missing = brief.gaps.iter().filter(|gap| gap.blocks).map(|gap| gap.text.clone()).collect();
        *last = brief.clone();
        drop(last);
        (self.tell)(ChatEvent::Brief { version: brief.version, changes, missing });
    }

    fn disposed(&self, disposition: &Disposition) {
        match disposition {
            Disposition::Briefed { brief } => self.brief(brief),
            Disposition::Asked { questions } => (self.tell)(ChatEvent::Question { questions: questions.clone() }),
            Disposition::Offered { choices } => {
                let told = choices.iter().map(|c| (c.brief.title.clone().unwrap_or_default(), c.why.clone()));
                (self.tell)(ChatEvent::Choices { choices: told.collect() });
            }
            Disposition::Drafted { .. }
            | Disposition::AwaitApproval { .. }
            | Disposition::Queued { .. }
            | Disposition::Held { .. }
            | Disposition::Written { .. }
            | Disposition::NoSend(_) => {}
        }
    }
}

impl Observer for Watcher {
    fn writes(&self, _: &RunId, delta: &str) {
        (self.tell)(ChatEvent::Delta { text: delta.to_owned() });
    }

    fn step(&self, _: &RunId, step: &Step, input: &Input) {
        match input {
            Input::Model { reply, .. } if reply.calls.is_empty() => {
                if let Some(text) = reply.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
                    (self.tell)(ChatEvent::Answer { text: text.to_owned() });
                }
            }
            Input::Tools { answers, .. } => {
                let Step::RunTools { calls } = step else { return };
                for ((_, call), answer) in calls.iter().zip(answers) {
                    let why = answer.is_error.then(|| answer.content.clone());
                    (self.tell)(ChatEvent::Tool { name: call.name.clone(), refused: answer.is_error, why });
                    if let Some(disposition) = &answer.disposition {
                        self.disposed(disposition);
                    }
                }
            }
            Input::BriefEdited { brief, .. } => self.brief(brief),
            Input::ModelFailed { fault, .. } => (self.tell)(ChatEvent::Model { text: fault.why.clone() }),
            Input::SwitchedModel { profile, .. } => {
                (self.tell)(ChatEvent::Model { text: format!("continued with {profile}") });
            }
            Input::Model { .. }
            | Input::Marketer { .. }
            | Input::Stopped { .. }
            | Input::Approval { .. }
            | Input::NoMoreModels { .. }
            | Input::Delivery { .. }
            | Input::Released { .. }
            | Input::Fatal { .. }
            | Input::Cancelled { .. } => {}
        }
    }
}
