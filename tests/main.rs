//! All integration tests in one binary: one link instead of many.

mod architecture;
mod model_context;
mod model_server;
mod metamorphic;
mod world;
