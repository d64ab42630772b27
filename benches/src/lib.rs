//! What the benchmarks share.
//!
//! Each binary measures ours beside a floor, which does the same work with nothing around it, in the same run on the
//! same data: on a busy machine the ratio means something, an absolute figure does not. Times are CPU times. A table is
//! for people; the last line is one JSON object.
//!
//! * [`meter`]: CPU time and memory.
//! * [`rulebook`]: content rules by the hundred.
//! * [`random`]: seeded random numbers and Zipf's law.
//! * [`stats`]: percentiles and ratios.

pub mod meter;
pub mod random;
pub mod rulebook;
pub mod stats;
