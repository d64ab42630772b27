//! What a run is pinned to from its first step.

use jiff::Timestamp;
use kit::tool::{Effect, Phase, ToolSpec};
use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::transcript::Message;

/// The tool that ends a run without a message. Beside a call that would change something it wins: of two contradicting
/// calls the cautious one counts.
pub const DECIDE_NO_SEND: &str = "decide_no_send";

/// Everything a run is pinned to. It is stored with the run, so that a new release does not change a run under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPlan {
    /// Standing instructions to the model.
    pub system: String,
    /// The task.
    pub task: String,
    /// The tools of the release.
    pub tools: Vec<PlannedTool>,
    /// What the run may use up.
    pub limits: Limits,
    /// Tools whose good answer ends gathering: [`Phase::Gather`] becomes [`Phase::Compose`].
    pub gather_done_by: Vec<String>,
    /// The phase to start in. [`Phase::Brief`] makes the run a conversation: it waits for a marketer, `task` says what the
    /// shop is like, and `limits` hold for each turn.
    pub start: Phase,
    /// When the run started; its working time counts from here.
    pub started_at: Timestamp,
}

/// What the machine knows of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTool {
    /// The name.
    pub name: String,
    /// What a call does.
    pub effect: Effect,
    /// When it is on offer.
    pub phases: Vec<Phase>,
}

impl From<&ToolSpec> for PlannedTool {
    fn from(spec: &ToolSpec) -> Self {
        Self { name: spec.name.to_owned(), effect: spec.effect, phases: spec.phases.to_vec() }
    }
}

impl RunPlan {
    /// The same plan with its tools by name: the order in which a model sees them must not depend on their source.
    pub(super) fn in_order(mut self) -> Self {
        self.tools.sort_by(|a, b| a.name.cmp(&b.name));
        self
    }

    /// How every conversation of the run begins.
    pub(super) fn opening(&self) -> Vec<Message> {
        vec![Message::System { text: self.system.clone() }, Message::User { text: self.task.clone() }]
    }

    /// What stands at the head of every turn of a conversation: the instructions, and what the shop is like.
    pub(super) fn standing(&self) -> String {
        format!("{}\n\n{}", self.system, self.task)
    }

    /// A tool by name.
    pub(super) fn tool(&self, name: &str) -> Option<&PlannedTool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// The tools on offer in a phase, by name.
    pub(super) fn offered(&self, phase: Phase) -> impl Iterator<Item = &PlannedTool> {
        self.tools.iter().filter(move |tool| tool.phases.contains(&phase))
    }

    /// Names of the tools on offer, for a sentence to the model.
    pub(super) fn offer(&self, phase: Phase) -> String {
        join(self.offered(phase))
    }

    /// Names of the tools that bring the run forward, for the last turn; all on offer when there is none.
    pub(super) fn closing_offer(&self, phase: Phase) -> String {
        let closing = join(self.offered(phase).filter(|tool| tool.effect != Effect::Read));
        if closing.is_empty() { self.offer(phase) } else { closing }
    }
}

fn join<'a>(tools: impl Iterator<Item = &'a PlannedTool>) -> String {
    tools.map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ")
}
