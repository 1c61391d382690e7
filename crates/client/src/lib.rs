//! Under construction.
mod auth;
mod config;
mod error;
mod path;
mod proxy;
#[cfg(test)]
mod testing;
pub use config::*;
pub use proxy::{Proxy, ProxyServer};
pub use pintle_apimachinery::Error;
