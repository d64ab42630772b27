//! Reports of one decision: for the terminal, for CI (JUnit) and for people who read mail (HTML).

pub mod html;
pub mod junit;
pub mod text;
