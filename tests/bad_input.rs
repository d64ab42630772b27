//! Input that cannot be used: the message names the place and what to do, and nothing is half-written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod bytes;
mod disk;
mod files;
mod locks;
mod releases;
mod serving;
mod webhooks;
