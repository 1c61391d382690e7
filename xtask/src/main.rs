//! The project's commands. Under construction.
fn main() {}
