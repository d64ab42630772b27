//! The agent run as a pure state machine.
//!
//! [`Machine`] is a fold over journaled [`Input`]s. Given what happened so far it answers one question, "what next?",
//! with a [`Step`]: call the model, run these tools, wait for a decision, deliver, or done. It does no I/O, reads no clock and
//! spawns nothing; a driver performs the step and feeds the answer back. The same inputs always lead to the same state.
//!
//! Everything a model may answer is a normal input: no call, broken arguments, unknown tools, duplicate ids, a cut-off
//! or refused answer, contradiction, endless repetition. Each is answered with a bounded re-ask, and each bound ends in an
//! [`Outcome`].
//!
//! Where to look: `transcript` and `step` hold the vocabulary, `model` the trait behind which models stand, `machine/reply` what is made of a model's answer,
//! `machine/turn` how its calls are run, `machine/phases` drafts, decisions and hand-overs, `machine/talk` conversations about a brief, `machine/bounds` what a run may
//! use up, `machine/prompts` every word the machine itself says to a model.

mod limits;
mod machine;
mod model;
mod step;
mod transcript;

pub use limits::{Limits, Spent};
pub use machine::{DECIDE_NO_SEND, MACHINE_VERSION, Machine, Mismatch, PlannedTool, RestoreError, RunPlan};
pub use model::{ChatModel, ModelError, NO_CONNECTION, Quote, ReplySink};
pub use step::{ApprovalDecision, HumanReason, Input, ModelFault, Outcome, Step, ToolAnswer, TurnEnd};
pub use transcript::{FinishReason, Message, ModelReply, ModelRequest, RawCall, ToolCall, ToolChoice, Usage};
