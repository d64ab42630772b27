//! Requests about a person's data.
