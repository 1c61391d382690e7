//! What the benchmarks share: realistic objects, readings of the process, and the protocol
//! between a client under measurement and whoever measures it.
//!
//! `cargo xtask bench` runs everything here; each program can also be run by hand.
pub mod child;
pub mod load;
pub mod pods;
pub mod usage;
