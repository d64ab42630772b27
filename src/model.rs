//! Chat models behind one trait.
//!
//! [`openai`] speaks Chat Completions or Responses to any server that does; [`offline`] is a rule-based model that needs no
//! server. [`prices`] says what a model costs. Only this module knows a wire format of models. The trait itself stands
//! beside the machine whose questions it answers.

pub mod offline;
pub mod openai;
pub mod prices;

pub use agent::{ChatModel, ModelError, Quote, ReplySink};
