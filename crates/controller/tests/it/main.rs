//! The crate as its users see it. One binary; a module for each part.

mod queue;
mod record;
mod runner;
mod stopping;
mod support;
