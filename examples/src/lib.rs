//! What the runnable examples share: [`main_of`] gives each a server to run on, and
//! [`sample_controller`] is a whole controller, so that tests can run the same code.
//!
//! It is no library to depend on. The examples themselves are the numbered files beside `src`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), pintle::Error> {
//! pintle_examples::on_embedded(async |client, namespace| {
//!     let pods = client.namespaced::<pintle::api::core_v1::Pod>(namespace);
//!     assert!(pods.get("web").await.is_err_and(|e| e.is_not_found()));
//!     Ok(())
//! })
//! .await
//! # }
//! ```

mod server;

pub mod sample_controller;
pub use server::{main_of, on_embedded};
