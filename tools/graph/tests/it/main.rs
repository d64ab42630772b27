//! The graph through its public doors.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod curated;
mod filters;
mod learned;
mod shop;
mod stories;
mod tool;
