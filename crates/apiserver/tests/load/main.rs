//! The API server under load and at its limits, over TLS as any client sees it.

mod http_client;
mod limits;
mod storm;
