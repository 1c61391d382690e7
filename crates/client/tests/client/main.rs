//! The client against a server in process that answers what each test says.

mod fake;
mod negotiation;
mod reading;
mod robustness;
mod verbs;
