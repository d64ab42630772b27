//! The machine driven through its public door, without I/O.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod bounds;
mod delivery;
mod drafts;
mod mismatch;
mod odd_answers;
mod parallel;
mod properties;
mod stored;
mod support;
mod switching;
mod talk;
mod usual;
