//! All integration tests in one binary: one link instead of many.

mod architecture;
mod bad_input;
mod binary;
mod briefs;
mod campaign;
mod command_line;
mod config;
mod crash;
mod engine;
mod eval;
mod metamorphic;
mod model_context;
mod model_server;
mod planted;
mod postgres;
mod server;
mod spend;
mod store;
mod world;
