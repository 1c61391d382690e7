//! Kubernetes' client machinery for Rust: objects, clients, informers, controllers, and an API
//! server to test them with.
//!
//! | feature | gives |
//! |---|---|
//! | always | objects, kinds, codecs, selectors, quantities: [`Object`], [`Resource`], [`ObjectList`], [`Error`]; the types of the core group in [`api`] |
//! | `client` (default) | [`Client`], [`Config`], [`Api`] |
//! | `clientset` (default) | [`Clientset`]: `clientset.core_v1().pods("ns")` |
//! | `informer` (default) | [`InformerFactory`], [`SharedInformer`], [`Lister`], [`Index`] |
//! | `controller` (default) | [`Controller`], [`WorkQueue`], [`EventRecorder`] |
//! | `derive` (default) | `derive(CustomResource)`, `derive(DeepCopy)` |
//! | `apiserver` | `ApiServer`, in the test's own process; with `client`, `testing`: a controller's test without a cluster and without a sleep |
//! | `patch` | module `patch`: making, applying and merging JSON, merge and strategic merge patches |
//! | `structured-merge` | module `structured_merge`: field sets, merging, `managedFields` and conflicts as the server has them |
//! | `apps`, `batch`, `networking`, ... | a group's types; `served` for all that servers offer by default, `all` for every version |
//!
//! Each type has one path here, and lives in a crate of its own, which a library that needs only a
//! part may depend on instead. There is no code here but `testing`, which brings a client and the
//! API server together.
//!
//! # Example: a kind of one's own
#![cfg_attr(all(feature = "derive", feature = "client"), doc = "```")]
#![cfg_attr(not(all(feature = "derive", feature = "client")), doc = "```ignore")]
//! use pintle::{Api, CustomResource, Object};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
//! #[resource(group = "samplecontroller.k8s.io", version = "v1alpha1", namespaced)]
//! pub struct FooSpec {
//!     pub replicas: i32,
//! }
//!
//! /// Everything that is generic over resources takes a `Foo`.
//! async fn grow(foos: &Api<Foo>) -> Result<Foo, pintle::Error> {
//!     let mut foo = foos.get("one").await?;
//!     foo.spec.replicas += 1;
//!     foos.update(&foo).await
//! }
//!
//! assert_eq!(Foo::new("one", FooSpec { replicas: 1 }).name(), "one");
//! assert_eq!(Foo::crd_json()?["metadata"]["name"], "foos.samplecontroller.k8s.io");
//! # Ok::<(), pintle::Error>(())
//! ```

pub use pintle_apimachinery::*;

/// The types of Kubernetes' API, a module per group and version: `api::core_v1::Pod`.
pub use pintle_api as api;

#[cfg(feature = "derive")]
pub use pintle_macros::{CustomResource, DeepCopy};

#[cfg(feature = "client")]
pub use pintle_client::{
    Api, ApiListerWatcher, ApiResource, Client, Config, Credentials, Deletion, Impersonate,
    Kubeconfig, LoadOptions, LogOptions, Patch, ServerVersion, WarningHandler, retry_on_conflict,
};
/// The parts of a client and of its configuration.
#[cfg(feature = "client")]
pub mod client {
    pub use pintle_client::{
        Body, BoxError, Call, Cluster, Context, Exec, Identity, Interactive, Pem, Proxy,
        ProxyServer, Repeat, Request, Response, Secret, Tls, Transport, UnknownField, User, Watch,
    };
}

#[cfg(any(feature = "client", feature = "informer", feature = "controller"))]
pub use pintle_client_traits::{
    Counter, FakeRequest, FakeSource, FakeWatch, Gauge, Histogram, InformerScope, Labels,
    ListerWatcher, MetricDesc, MetricsProvider, ObjectClient, Registry, Source, SourceEvent,
    SourceHandler, Sources, Subscription, WatchStream,
};

#[cfg(feature = "clientset")]
pub use pintle_clientset::Clientset;
/// What the methods of [`Clientset`] return: typed clients of one group and version.
#[cfg(feature = "clientset")]
pub mod clientset {
    pub use pintle_clientset::*;
}

#[cfg(feature = "informer")]
pub use pintle_informer::{
    Handler, HandlerFuncs, Index, InformerFactory, InformerOptions, Lister, NamespaceLister,
    Registration, SharedInformer, Store, Tombstone, Transaction,
};

#[cfg(feature = "controller")]
pub use pintle_controller::{
    Action, AddOptions, AtMost, BoxError, Controller, CorrelatorOptions, Drained, EventRecorder,
    EventSink, EventType, ExponentialBackoff, FastSlow, Get, Item, LOW_PRIORITY, ManualSource,
    MaxOf, QueueOptions, RateLimiter, RecorderOptions, Run, TerminalError, TokenBucket, WorkQueue,
    default_rate_limiter, shutdown_signal, terminal,
};

/// What server-side apply does, as functions: field sets, structured merge, managed fields.
#[cfg(feature = "structured-merge")]
pub mod structured_merge {
    pub use pintle_structured_merge::*;
}

/// Patches as functions of documents. A client's `Patch` is the body of a request instead.
#[cfg(feature = "patch")]
pub mod patch {
    pub use pintle_patch::*;
}

#[cfg(feature = "apiserver")]
pub use pintle_apiserver::ApiServer;
/// The parts of the embedded API server.
#[cfg(feature = "apiserver")]
pub mod apiserver {
    pub use pintle_apiserver::{Body, Builder, Controllers, Service, User};
}

#[cfg(all(feature = "apiserver", feature = "client"))]
pub mod testing;

// The README's program compiles.
#[cfg(all(
    doctest,
    feature = "controller",
    feature = "client",
    feature = "informer",
    feature = "derive"
))]
#[doc = include_str!("../../../README.md")]
struct Readme;
