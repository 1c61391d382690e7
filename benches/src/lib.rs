//! What the benchmarks share: realistic objects, and readings of the process.
pub mod pods;
pub mod usage;
