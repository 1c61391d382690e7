//! One informer for each kind and scope, for a whole program. Go:
//! `informers.SharedInformerFactory`, `dynamicinformer`.

use crate::informer::{InformerOptions, SharedInformer};
use futures_core::future::BoxFuture;
use pintle_apimachinery::{Error, Resource};
use pintle_client_traits::{InformerScope, Sources};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Gives everybody who asks for a kind the same informer; clones are handles to one factory.
///
/// # Example: two parts of a program share one watch
/// ```
/// use pintle_apimachinery::{PartialObjectMetadata, Resource};
/// use pintle_client_traits::{FakeSource, InformerScope, ListerWatcher, Sources};
/// use pintle_informer::InformerFactory;
/// use std::sync::Arc;
///
/// /// A client, as far as a factory knows it.
/// struct Server;
/// impl Sources for Server {
///     fn lister_watcher<T: Resource>(&self, _: &InformerScope) -> Arc<dyn ListerWatcher<T>> {
///         Arc::new(FakeSource::new())
///     }
/// }
///
/// fn one_part<T: Resource>(informers: &InformerFactory<Server>) {
///     let lister = informers.of::<T>().lister();
///     assert!(lister.is_empty());
/// }
/// fn another_part<T: Resource>(informers: &InformerFactory<Server>) {
///     let lister = informers.of::<T>().lister(); // of the same informer
///     assert!(lister.is_empty());
/// }
/// let informers = InformerFactory::new(Server);
/// ```
pub struct InformerFactory<S>(Arc<Inner<S>>);

struct Inner<S> {
    sources: S,
    scope: InformerScope,
    state: Mutex<State>,
}

struct State {
    informers: HashMap<(TypeId, InformerScope), Box<dyn AnyInformer>>,
    started: bool,
    stopped: bool,
}

trait AnyInformer: Send + Sync {
    fn start(&self);
    fn synced(&self) -> BoxFuture<'static, Result<(), Error>>;
    fn shutdown(&self) -> BoxFuture<'static, ()>;
    fn as_any(&self) -> &dyn Any;
}

impl<T: Resource> AnyInformer for SharedInformer<T> {
    fn start(&self) {
        self.start();
    }
    fn synced(&self) -> BoxFuture<'static, Result<(), Error>> {
        let synced = self.synced();
        Box::pin(async move { synced.await.map_err(|error| error.context(T::PLURAL)) })
    }
    fn shutdown(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.shutdown())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl<S> Clone for InformerFactory<S> {
    fn clone(&self) -> Self {
        InformerFactory(self.0.clone())
    }
}

impl<S> fmt::Debug for InformerFactory<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let informers = self.lock().informers.len();
        f.debug_struct("InformerFactory")
            .field("scope", &self.0.scope)
            .field("informers", &informers)
            .finish_non_exhaustive()
    }
}

impl<S> InformerFactory<S> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sources> InformerFactory<S> {
    /// Informers of all objects.
    #[must_use]
    pub fn new(sources: S) -> Self {
        Self::scoped(sources, InformerScope::all())
    }

    /// Informers of the objects in a scope. Go: `WithNamespace`, `WithTweakListOptions`.
    #[must_use]
    pub fn scoped(sources: S, scope: InformerScope) -> Self {
        let state = State { informers: HashMap::new(), started: false, stopped: false };
        InformerFactory(Arc::new(Inner { sources, scope, state: Mutex::new(state) }))
    }

    /// The informer of a kind. It starts with the factory; at once if that has been started.
    ///
    /// # Panics
    /// If the factory has been started and this is called outside of a tokio runtime.
    #[must_use]
    pub fn of<T: Resource>(&self) -> SharedInformer<T> {
        self.informer(self.0.scope.clone(), InformerOptions::default())
    }

    /// The informer of a kind in a scope. The options count when it is made; whoever asks for the
    /// same kind and scope later gets the same informer.
    ///
    /// # Panics
    /// As [`of`](Self::of).
    #[must_use]
    pub fn informer<T: Resource>(
        &self,
        scope: InformerScope,
        options: InformerOptions<T>,
    ) -> SharedInformer<T> {
        let key = (TypeId::of::<T>(), scope);
        let (informer, started) = {
            let mut state = self.lock();
            let there = state.informers.get(&key).and_then(|any| any.as_any().downcast_ref());
            if let Some(informer) = there {
                return SharedInformer::clone(informer);
            }
            let source = self.0.sources.lister_watcher::<T>(&key.1);
            let informer = SharedInformer::with_options(source, options);
            if state.stopped {
                // Stopped like the others.
                drop(informer.shutdown());
            }
            state.informers.insert(key, Box::new(informer.clone()));
            (informer, state.started)
        };
        if started {
            informer.start();
        }
        informer
    }

    /// Starts every informer that was asked for. May be called again.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(&self) {
        let mut state = self.lock();
        state.started = true;
        for informer in state.informers.values() {
            informer.start();
        }
    }

    /// Waits until every informer that was asked for has everything of its first list. Go:
    /// `WaitForCacheSync`.
    ///
    /// # Errors
    /// An informer was stopped before; the message names its resource.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub fn synced(&self) -> impl Future<Output = Result<(), Error>> + Send + use<S> {
        let waiting: Vec<_> = self.lock().informers.values().map(|i| i.synced()).collect();
        async move {
            for informer in waiting {
                informer.await?;
            }
            Ok(())
        }
    }

    /// Stops every informer, and waits until handlers that run have returned.
    ///
    /// # Cancel safety
    /// The informers stop even if the future is dropped; only the waiting ends.
    pub fn shutdown(&self) -> impl Future<Output = ()> + Send + use<S> {
        let waiting: Vec<_> = {
            let mut state = self.lock();
            state.stopped = true;
            state.informers.values().map(|informer| informer.shutdown()).collect()
        };
        async move {
            for informer in waiting {
                informer.await;
            }
        }
    }
}
