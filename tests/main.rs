//! All integration tests in one binary: one link instead of many.

mod architecture;
mod bad_input;
mod binary;
mod campaign;
mod command_line;
mod crash;
mod metamorphic;
mod model_context;
mod model_server;
mod world;
