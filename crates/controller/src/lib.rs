//! What a controller is made of, beside its informers: a work queue, a runner that calls one
//! function for each key, and a recorder of events.
//!
//! | here | Go |
//! |---|---|
//! | [`WorkQueue`], [`Item`], [`AddOptions`] | client-go `util/workqueue`, controller-runtime `priorityqueue` |
//! | [`RateLimiter`] and [`ExponentialBackoff`], [`TokenBucket`], [`FastSlow`], [`MaxOf`], [`AtMost`] | `workqueue` rate limiters |
//! | [`Controller`], [`Action`], [`terminal`] | controller-runtime `builder`, `controller`, `reconcile` |
//! | [`ManualSource`] | controller-runtime `source.Channel` |
//! | [`shutdown_signal`] | controller-runtime `signals.SetupSignalHandler` |
//! | [`EventRecorder`], [`EventSink`] | client-go `tools/record` |
//!
//! It does not list or watch: sources of events are a trait
//! ([`Source`](pintle_client_traits::Source)), which informers implement. It does not speak HTTP:
//! events are written through a trait, which clients implement. It elects no leader and serves no
//! metrics; it counts through [`MetricsProvider`](pintle_client_traits::MetricsProvider).
//!
//! Features: `signal` (on by default) is [`shutdown_signal`].
//!
//! # Example: reconcile until a failure is over
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), pintle_apimachinery::Error> {
//! use std::time::Duration;
//! use pintle_apimachinery::{GroupVersionKind, ObjectKey, PartialObjectMetadata};
//! use pintle_controller::{Action, Controller, ManualSource};
//! use tokio::time::{Instant, sleep};
//!
//! // In a program: `let foos = informers.of::<Foo>();`
//! let foos = ManualSource::namespaced(GroupVersionKind::from_static("example.org", "v1", "Foo"));
//! foos.synced();
//!
//! let start = Instant::now();
//! let controller = Controller::new("example")
//!     .watches(&foos)
//!     .run(move |key: ObjectKey| async move {
//!         if start.elapsed() < Duration::from_secs(1) {
//!             return Err(format!("{key}: not yet").into()); // tried again after 5, 10, 20 ... ms
//!         }
//!         println!("{key} is as it should be after {:?}", start.elapsed());
//!         Ok(Action::requeue_after(Duration::from_secs(600)))
//!     })
//!     .until(sleep(Duration::from_secs(10))); // in a program: shutdown_signal()
//!
//! let mut foo = PartialObjectMetadata::default();
//! foo.metadata.name = "one".into();
//! let events = async {
//!     tokio::task::yield_now().await;
//!     foos.added(&foo);
//! };
//! let (result, ()) = tokio::join!(controller, events);
//! result
//! # }
//! ```

mod queue;
mod record;
mod runner;

pub use queue::{
    AddOptions, AtMost, Drained, ExponentialBackoff, FastSlow, Get, Item, LOW_PRIORITY, MaxOf,
    QueueOptions, RateLimiter, TokenBucket, WorkQueue, default_rate_limiter,
};
pub use record::{CorrelatorOptions, EventRecorder, EventSink, EventType, RecorderOptions};
#[cfg(feature = "signal")]
pub use runner::shutdown_signal;
pub use runner::{Action, BoxError, Controller, ManualSource, Run, TerminalError, terminal};
