//! A cache of one kind, shared by all who need it. Go: `cache.SharedIndexInformer`.

use crate::engine::Engine;
use crate::handler::{Handler, Tombstone};
use crate::hub::{Hub, Sync};
use crate::index::Index;
use crate::lister::Lister;
use crate::metrics::Instruments;
use crate::reflector::{Reflector, ReflectorConfig, Transform};
use crate::registration::{self, Registration};
use crate::run::{OnError, run};
use crate::store::Store;
use futures_util::FutureExt;
use pintle_apimachinery::{
    Codec, Error, GroupVersionKind, GroupVersionResource, Object, Resource, Scope, Str,
};
use pintle_client_traits::{
    ListerWatcher, MetricsProvider, Source, SourceEvent, SourceHandler, Subscription,
};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How an informer works; the defaults are client-go's.
#[must_use]
pub struct InformerOptions<T> {
    watch_list: bool,
    page_size: i64,
    min_watch_timeout: Duration,
    transform: Option<Transform<T>>,
    on_error: Option<OnError>,
    metrics: Instruments,
}

impl<T> Default for InformerOptions<T> {
    fn default() -> Self {
        InformerOptions {
            watch_list: true,
            page_size: 500,
            min_watch_timeout: Duration::from_secs(300),
            transform: None,
            on_error: None,
            metrics: Instruments::default(),
        }
    }
}

impl<T> fmt::Debug for InformerOptions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InformerOptions")
            .field("watch_list", &self.watch_list)
            .field("page_size", &self.page_size)
            .field("min_watch_timeout", &self.min_watch_timeout)
            .field("transform", &self.transform.is_some())
            .finish_non_exhaustive()
    }
}

impl<T> InformerOptions<T> {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to ask for the first objects in the watch itself (`sendInitialEvents`), which
    /// spares the server's memory; on by default. Servers that refuse are listed from.
    pub fn watch_list(mut self, on: bool) -> Self {
        self.watch_list = on;
        self
    }

    /// Objects in a page of a list; 500 by default, 0 for no pages. Go: `WatchListPageSize`.
    pub fn page_size(mut self, objects: u32) -> Self {
        self.page_size = i64::from(objects);
        self
    }

    /// How long a watch is kept open: this long up to twice as long, by chance; 5 minutes by
    /// default.
    pub fn min_watch_timeout(mut self, timeout: Duration) -> Self {
        self.min_watch_timeout = timeout;
        self
    }

    /// Changes every object before it is stored, once for each version that the server sends, for
    /// example to drop what is not needed. It must leave name, namespace, UID and resource version
    /// alone.
    pub fn transform(
        mut self,
        change: impl Fn(&mut T) + Send + std::marker::Sync + 'static,
    ) -> Self {
        self.transform = Some(Arc::new(change));
        self
    }

    /// Is called with every error that the informer gets over by itself: lists and watches that
    /// failed and will be tried again. By default they are logged. It must be quick. Go:
    /// `SetWatchErrorHandler`.
    pub fn on_error(mut self, call: impl Fn(&Error) + Send + std::marker::Sync + 'static) -> Self {
        self.on_error = Some(Arc::new(call));
        self
    }

    /// Counts into client-go's `informer_queued_items`, `informer_processing_latency_seconds` and
    /// `informer_store_resource_version`, labelled with `name` and the resource.
    pub fn metrics(
        mut self,
        provider: &dyn MetricsProvider,
        name: &str,
        resource: &GroupVersionResource,
    ) -> Self {
        self.metrics = Instruments::new(provider, name, resource);
        self
    }
}

/// Keeps a cache of the objects that a [`ListerWatcher`] gives, and tells handlers what changes;
/// clones are handles to one informer.
///
/// It does nothing until it is [started](Self::start), and then gets over every failure of the
/// server or the network by itself. It stops when [shut down](Self::shutdown) or when the last
/// handle is dropped; [listers](Lister), [indexes](Index) and [registrations](Registration) are no
/// such handles, and keep showing what was there last.
///
/// # Example: list, watch, handle, look up
/// ```
/// use pintle_apimachinery::{Bookmark, Object, PartialObjectMetadata, WatchEvent};
/// use pintle_client_traits::FakeSource;
/// use pintle_informer::{HandlerFuncs, SharedInformer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pintle_apimachinery::Error> {
/// let server = FakeSource::<PartialObjectMetadata>::new();
/// let informer = SharedInformer::new(server.clone());
/// let by_app = informer.index("app", |object| object.metadata.labels.get("app").cloned())?;
/// let print = HandlerFuncs::<PartialObjectMetadata>::new()
///     .on_add(|object, _is_in_initial_list| println!("{} is there", object.name()));
/// let handler = informer.add_handler(print)?;
/// informer.start();
///
/// let watch = server.push_watch(); // what the server answers
/// let mut web = PartialObjectMetadata::default();
/// web.metadata.name = "web".into();
/// web.metadata.labels.insert("app".into(), "shop".into());
/// watch.send(WatchEvent::Added(web));
/// watch.send(WatchEvent::Bookmark(Bookmark {
///     resource_version: "7".into(),
///     initial_events_end: true,
/// }));
///
/// informer.synced().await?; // in the cache
/// handler.synced().await?; // and told
/// assert_eq!(by_app.get("shop")[0].name(), "web");
/// assert_eq!(informer.lister().list().len(), 1);
/// informer.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct SharedInformer<T: Object + Codec>(Arc<Inner<T>>);

struct Inner<T: Object + Codec> {
    hub: Arc<Hub<T>>,
    source: Arc<dyn ListerWatcher<T>>,
    on_error: OnError,
    /// Until the start.
    engine: Mutex<Option<Engine<T>>>,
    /// Tasks end when it says so or is gone; they hold receivers until then.
    stop: watch::Sender<bool>,
}

impl<T: Object + Codec> Clone for SharedInformer<T> {
    fn clone(&self) -> Self {
        SharedInformer(self.0.clone())
    }
}

impl<T: Object + Codec> fmt::Debug for SharedInformer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedInformer")
            .field("store", self.0.hub.store())
            .field("is_synced", &self.is_synced())
            .finish_non_exhaustive()
    }
}

impl<T: Object + Codec> Drop for Inner<T> {
    fn drop(&mut self) {
        self.hub.stop();
    }
}

impl<T: Object + Codec> SharedInformer<T> {
    /// An informer with client-go's settings.
    #[must_use]
    pub fn new(source: impl ListerWatcher<T> + 'static) -> Self {
        Self::with_options(source, InformerOptions::default())
    }

    /// An informer with settings of your own.
    #[must_use]
    pub fn with_options(
        source: impl ListerWatcher<T> + 'static,
        options: InformerOptions<T>,
    ) -> Self {
        let store = Store::new();
        let hub = Arc::new(Hub::new(store.clone(), options.metrics));
        let config = ReflectorConfig {
            watch_list: options.watch_list,
            page_size: options.page_size,
            min_watch_timeout: options.min_watch_timeout,
        };
        let reflector = Reflector::new(config, store, options.transform, random());
        let engine = Engine::new(reflector, hub.clone());
        SharedInformer(Arc::new(Inner {
            hub,
            source: Arc::new(source),
            on_error: options.on_error.unwrap_or_else(|| Arc::new(log::<T>)),
            engine: Mutex::new(Some(engine)),
            stop: watch::Sender::new(false),
        }))
    }

    /// Begins to fill the cache. Does nothing the second time, or after a shutdown.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(&self) {
        let engine = self.0.engine.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(engine) = engine
            && !self.0.hub.is_stopped()
        {
            let Inner { source, on_error, stop, .. } = &*self.0;
            let run = run(engine, source.clone(), stop.subscribe(), on_error.clone());
            tokio::spawn(run.boxed());
        }
    }

    /// Whether everything in the first list is in the cache. Go: `HasSynced`.
    pub fn is_synced(&self) -> bool {
        *self.0.hub.synced().borrow() == Sync::Done
    }

    /// Waits until [`is_synced`](Self::is_synced), for as long as the server needs: use a timeout
    /// or a shutdown to give up. Go: `cache.WaitForCacheSync`.
    ///
    /// # Errors
    /// The informer was stopped before.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub fn synced(&self) -> impl Future<Output = Result<(), Error>> + Send + use<T> {
        registration::synced(self.0.hub.synced(), "the informer was stopped before it had synced")
    }

    /// Adds a handler, at any time: it is first told of every object in the cache, then of every
    /// change after that.
    ///
    /// # Errors
    /// The informer has been stopped.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn add_handler(&self, handler: impl Handler<T>) -> Result<Registration, Error> {
        registration::spawn(&self.0.hub, handler, self.0.stop.subscribe())
    }

    /// Adds an index to the cache, at any time; see [`Store::index`].
    ///
    /// # Errors
    /// There is an index of that name; see [`find_index`](Self::find_index).
    pub fn index<V, I>(
        &self,
        name: &str,
        values: impl Fn(&T) -> I + Send + std::marker::Sync + 'static,
    ) -> Result<Index<T, V>, Error>
    where
        V: Hash + Eq + Send + std::marker::Sync + 'static,
        I: IntoIterator<Item = V>,
    {
        self.0.hub.store().index(name, values)
    }

    /// The index of this name, if somebody has added one with values of type `V`.
    pub fn find_index<V: Hash + Eq + Send + std::marker::Sync + 'static>(
        &self,
        name: &str,
    ) -> Option<Index<T, V>> {
        self.0.hub.store().find_index(name)
    }

    /// Reads the cache.
    pub fn lister(&self) -> Lister<T> {
        Lister::new(self.0.hub.store())
    }

    /// The resource version that the cache has reached; empty before the first list. Go:
    /// `LastSyncResourceVersion`.
    pub fn resource_version(&self) -> Str {
        self.0.hub.store().resource_version()
    }

    /// Stops watching and removes all handlers, then waits until calls that run have returned.
    /// What handlers were not told yet is dropped. The cache stays readable.
    ///
    /// # Cancel safety
    /// The informer stops even if the future is dropped; only the waiting ends.
    pub fn shutdown(&self) -> impl Future<Output = ()> + Send + use<T> {
        self.0.stop.send_replace(true);
        self.0.hub.stop();
        let inner = self.0.clone();
        async move { inner.stop.closed().await }
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.0.hub.is_stopped()
    }
}

fn log<T>(error: &Error) {
    let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
    tracing::warn!(kind, %error, "the informer tries again");
}

/// Numbers in 0..1, other ones in every process (xorshift).
fn random() -> Box<dyn FnMut() -> f64 + Send> {
    let mut state = std::collections::hash_map::RandomState::new().hash_one(1) | 1;
    Box::new(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    })
}

/// What controllers watch.
impl<T: Resource> Source for SharedInformer<T> {
    fn kind(&self) -> GroupVersionKind {
        T::gvk_of()
    }

    fn is_namespaced(&self) -> bool {
        T::Scope::NAMESPACED
    }

    fn subscribe(&self, handler: SourceHandler) -> Result<Box<dyn Subscription>, Error> {
        Ok(Box::new(self.add_handler(Subscriber(handler))?))
    }

    fn start(&self) {
        SharedInformer::start(self);
    }
}

struct Subscriber(SourceHandler);

impl<T: Object> Handler<T> for Subscriber {
    fn on_add(
        &mut self,
        object: Arc<T>,
        is_in_initial_list: bool,
    ) -> impl Future<Output = ()> + Send {
        (self.0)(SourceEvent::Added { object: &*object, is_in_initial_list });
        std::future::ready(())
    }

    fn on_update(&mut self, old: Arc<T>, new: Arc<T>) -> impl Future<Output = ()> + Send {
        (self.0)(SourceEvent::Updated { old: &*old, new: &*new });
        std::future::ready(())
    }

    fn on_delete(&mut self, tombstone: Tombstone<T>) -> impl Future<Output = ()> + Send {
        let Tombstone { object, final_state_unknown } = tombstone;
        (self.0)(SourceEvent::Deleted { object: &*object, final_state_unknown });
        std::future::ready(())
    }
}
