//! The explainable customer profile.
