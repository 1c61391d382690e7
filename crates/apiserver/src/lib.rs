//! An embedded Kubernetes API server for tests and local development.

mod auth;
mod body;
mod controllers;
mod core;
mod crds;
mod discovery;
mod encode;
mod generated;
mod handlers;
mod negotiate;
mod object;
mod patch;
mod registry;
mod request;
mod selector;
mod server;
mod service;
mod status;
mod storage;
mod testing;
mod typed;
mod validate;

pub use auth::User;
pub use body::Body;
pub use server::{ApiServer, Builder};
pub use service::Service;
pub use testing::Faults;
