//! All integration tests in one binary: one link instead of many.

mod architecture;
mod binary;
mod crash;
mod metamorphic;
mod model_context;
mod model_server;
mod world;
