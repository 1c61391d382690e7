//! The API server through its service, with no socket.

mod client;
mod controllers;
mod crds;
mod crud;
mod delete;
mod errors;
mod http;
mod list;
mod managed;
mod patch;
mod protobuf;
mod reviews;
mod subresources;
mod testing;
mod tls;
mod tokens;
mod watch;
