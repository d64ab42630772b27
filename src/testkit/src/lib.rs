//! What tests and evals put in place of the outside world: models of every temper, and a provider that keeps what it got.
//!
//! Depends on the traits alone (`agent::ChatModel`, `esp::Esp`), never on the orchestrator, so that both its tests and its
//! eval harness can use it.
//!
//! * [`models`]: scripted, obedient, hostile, failing, and those that always do one thing.
//! * [`Captured`]: around any model, asks every request whether it keeps the rules of the wire.
//! * [`RecordingEsp`]: an ESP that keeps the exact bytes, with faults.

mod capture;
mod esp_recording;
pub mod models;

pub use capture::{Asked, Captured, Violation};
pub use esp_recording::{Fault, RecordingEsp, Taken};
