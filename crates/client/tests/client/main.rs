//! The client against a server in process that answers what each test says.

mod fake;
mod negotiation;
mod network;
mod reading;
mod robustness;
mod server;
mod verbs;
