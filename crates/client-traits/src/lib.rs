//! The seam between clients and what is built on them: informers and controllers use these traits,
//! clients (and tests) implement them.
//!
//! | Go | here |
//! |---|---|
//! | `cache.ListerWatcher`, `watch.Interface` | [`ListerWatcher`], [`WatchStream`] |
//! | typed client interfaces, `client.Client` | [`ObjectClient`] |
//! | `AddEventHandler`, `source.SyncingSource` | [`Source`], [`SourceEvent`], [`Subscription`] |
//! | `workqueue.MetricsProvider`, `tools/metrics` | [`MetricsProvider`], [`Registry`] |
//! | `framework.FakeControllerSource`, `watch.FakeWatcher` | [`FakeSource`], [`FakeWatch`] |
//! | `watch.Broadcaster`, `watch.Filter`, `watch.Recorder` | [`Broadcaster`], [`filter_watch`], [`record_watch`] |
//!
//! It knows no HTTP and no runtime, holds no state of a cluster, and retries nothing: an
//! implementation does what it is asked once and says what came of it.
//!
//! # Example: code that counts objects, whatever the source
//! ```
//! use pintle_apimachinery::{Error, ListOptions, ObjectList};
//! use pintle_client_traits::{FakeSource, ListerWatcher};
//!
//! async fn count<T>(source: &dyn ListerWatcher<T>) -> Result<usize, Error> {
//!     Ok(source.list(ListOptions::default()).await?.items.len())
//! }
//!
//! let source = FakeSource::<u8>::new();
//! source.push_list(Ok(ObjectList { items: vec![1, 2, 3], ..Default::default() }));
//! let counted = futures_util::FutureExt::now_or_never(count(&source)).expect("answered at once");
//! assert_eq!(counted?, 3);
//! # Ok::<(), Error>(())
//! ```

mod broadcaster;
mod fake;
mod lister_watcher;
mod metrics;
mod object_client;
mod registry;
mod source;
mod sources;
mod watch;

pub use broadcaster::{BroadcastWatch, Broadcaster, WhenFull};
pub use fake::{FakeRequest, FakeSource, FakeWatch};
pub use lister_watcher::{ListerWatcher, WatchStream};
pub use metrics::{Counter, Gauge, Histogram, Labels, MetricDesc, MetricsProvider};
pub use object_client::ObjectClient;
pub use registry::Registry;
pub use source::{Source, SourceEvent, SourceHandler, Subscription};
pub use sources::{InformerScope, Sources};
pub use watch::{RecordedEvents, filter_watch, record_watch};
