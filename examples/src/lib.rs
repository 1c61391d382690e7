//! What the runnable examples are made of, so that tests can run the same code.
pub mod sample_controller;
