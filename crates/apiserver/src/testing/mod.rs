//! A kit for tests: a server with content, with faults, and with time in the test's hands.
//!
//! - [`ApiServer::load`] fills a server from manifests.
//! - [`ApiServer::faults`] has it answer as servers in trouble do: [`Fault`] says how and whom,
//!   [`Faults`] has what concerns the whole server.
//! - [`Clock`] is a clock that stands until the test moves it, with
//!   [`Builder::manual_clock`](crate::Builder::manual_clock).
//! - [`ApiServer::settled`] waits until the server's controllers have nothing left to do.
//!
//! Nothing here is needed to serve: it is for tests of clients and controllers. Go: envtest's
//! `InstallCRDs`, and what tests there put between a client and the server by hand.
//!
//! # Example: manifests, a fault, and time
//! ```
//! use std::time::Duration;
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::{BodyExt, Full};
//! use pintle_apiserver::ApiServer;
//! use pintle_apiserver::testing::{Clock, Fault};
//! use tower_service::Service;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let clock = Clock::new();
//! let server = ApiServer::builder().manual_clock(&clock).start().await?;
//!
//! // Definitions are created first and namespaces next, wherever they stand.
//! let made = server.load("
//! apiVersion: example.com/v1
//! kind: Greeting
//! metadata: {name: one, namespace: salon}
//! ---
//! apiVersion: v1
//! kind: Namespace
//! metadata: {name: salon}
//! ---
//! apiVersion: apiextensions.k8s.io/v1
//! kind: CustomResourceDefinition
//! metadata: {name: greetings.example.com}
//! spec:
//!   group: example.com
//!   scope: Namespaced
//!   names: {plural: greetings, kind: Greeting}
//!   versions:
//!   - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
//! ").await?;
//! assert_eq!(made.len(), 3);
//!
//! // The next list of Greetings is refused, and only that.
//! let get = |path: &str| Request::get(path).body(Full::<Bytes>::default()).expect("a request");
//! let path = "/apis/example.com/v1/namespaces/salon/greetings";
//! let busy = server.faults().inject(Fault::too_many_requests(5).verb("list").times(1));
//! let Ok(refused) = server.service().call(get(path)).await;
//! assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"5".parse()?));
//! let Ok(fine) = server.service().call(get(path)).await;
//! assert_eq!((fine.status().as_u16(), busy.hits()), (200, 1));
//!
//! // A watch for a minute ends when a minute has passed, which it does when the test says so.
//! let path = format!("{path}?watch=true&resourceVersion=0&timeoutSeconds=60");
//! let Ok(watch) = server.service().call(get(&path)).await;
//! let mut events = watch.into_body();
//! assert!(events.frame().await.is_some(), "the Greeting there is");
//! clock.advance(Duration::from_secs(60));
//! assert!(events.frame().await.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod clock;
mod faults;
mod inject;
mod manifests;

pub use self::clock::Clock;
pub(crate) use self::clock::ClockTimer;
pub use self::faults::Faults;
pub(crate) use self::inject::Board;
pub use self::inject::{Fault, Injected};

#[cfg(doc)]
use crate::ApiServer;
