//! Informers: caches of what an API server holds, kept up to date by watching.
//!
//! A [`SharedInformer`] fills a cache from a `ListerWatcher`, follows its changes through every
//! failure of server and network, and tells [`Handler`]s of them. A [`Lister`] reads the cache, an
//! [`Index`] finds objects in it by any value, an [`InformerFactory`] hands out one informer for
//! each kind. [`Store`] is the cache alone, for those who fill it themselves.
//!
//! | Go (`k8s.io/client-go`) | here |
//! |---|---|
//! | `tools/cache.SharedIndexInformer` | [`SharedInformer`], [`InformerOptions`] |
//! | `tools/cache.ResourceEventHandler` and its registration | [`Handler`], [`HandlerFuncs`], [`Registration`] |
//! | `tools/cache.Store`, `Indexer`, index functions | [`Store`], [`Transaction`], [`Index`] |
//! | `tools/cache.DeletedFinalStateUnknown` | [`Tombstone`] |
//! | `tools/cache.Reflector`, `RealFIFO` | inside |
//! | `informers.SharedInformerFactory` | [`InformerFactory`] |
//! | `listers` | [`Lister`], [`NamespaceLister`] |
//!
//! It knows no client and no HTTP: where objects come from is behind
//! [`ListerWatcher`](pintle_client_traits::ListerWatcher). It has no work queue and runs no
//! reconcilers, it does not notice when somebody changes a cached object (nobody can), and a
//! resync never asks the server.
//!
//! What may be relied upon: the states of an object are seen in the server's order, and may be
//! skipped but never repeated or turned back; every object that a handler was told of and that
//! goes away is told as deleted, once, however the delete came to be known; when a call runs, the
//! cache shows its event or a later one.
//!
//! # Example: a cache of your own
//! ```
//! use pintle_apimachinery::{ListMeta, Object, ObjectKey, ObjectList, PartialObjectMetadata};
//! use pintle_client_traits::FakeSource;
//! use pintle_informer::{InformerOptions, SharedInformer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), pintle_apimachinery::Error> {
//! let server = FakeSource::<PartialObjectMetadata>::new();
//! let mut web = PartialObjectMetadata::default();
//! web.metadata.namespace = "team-a".into();
//! web.metadata.name = "web".into();
//! server.push_list(Ok(ObjectList { items: vec![web], ..Default::default() }));
//!
//! let informer =
//!     SharedInformer::with_options(server, InformerOptions::new().watch_list(false));
//! let lister = informer.lister();
//! informer.start();
//! informer.synced().await?;
//! assert!(lister.get(&ObjectKey::new("team-a", "web")).is_some());
//! assert_eq!(lister.namespace("team-a").list()[0].name(), "web");
//! # Ok(())
//! # }
//! ```

mod backoff;
mod engine;
mod factory;
mod handler;
mod hub;
mod index;
mod informer;
mod lister;
mod metrics;
#[cfg(test)]
mod model_tests;
mod queue;
mod reflector;
mod registration;
mod run;
mod store;
mod table;
#[cfg(test)]
mod testing;

pub use factory::InformerFactory;
pub use handler::{Handler, HandlerFuncs, Tombstone};
pub use index::Index;
pub use informer::{InformerOptions, SharedInformer};
pub use lister::{Lister, NamespaceLister};
pub use registration::Registration;
pub use store::{Store, Transaction};
