//! The offline model through its one door: transcripts in, calls out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod copy;
mod decisions;
mod files;
mod paths;
mod properties;
mod world;
