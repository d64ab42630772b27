//! The discount ladder and its limits.
