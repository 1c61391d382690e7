//! Informers through their public interface, against sources whose every answer a test decides.
//!
//! Time is tokio's paused clock: it jumps to the next timer when nothing else can run, so that no
//! test sleeps and every delay can be measured exactly.

mod factory;
mod faults;
mod guarantees;
mod informer;
mod support;
