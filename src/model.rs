//! Chat models behind one trait.
//!
//! [`openai`] speaks Chat Completions to any server that does; [`offline`] is a rule-based model that needs no server.
//! Only this module knows a wire format of models. The trait itself stands beside the machine whose questions it answers.

pub mod offline;
pub mod openai;

pub use agent::{ChatModel, ModelError};
