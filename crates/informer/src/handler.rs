//! What is called when a cache changes. Go: `cache.ResourceEventHandler`,
//! `ResourceEventHandlerDetailedFuncs`, `DeletedFinalStateUnknown`.

use pintle_apimachinery::{Object, ObjectKey};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// What is left of a deleted object.
#[derive(Debug)]
pub struct Tombstone<T> {
    /// The last state known.
    pub object: Arc<T>,
    /// Whether the delete itself was missed, so that the object may have changed between `object`
    /// and its end. Go: `DeletedFinalStateUnknown`.
    pub final_state_unknown: bool,
}

impl<T> Clone for Tombstone<T> {
    fn clone(&self) -> Self {
        Tombstone { object: self.object.clone(), ..*self }
    }
}

impl<T: Object> Tombstone<T> {
    /// The key of the object that was.
    pub fn key(&self) -> ObjectKey {
        self.object.key()
    }
}

/// Is called for every change of a cache, in order, one call at a time.
///
/// Each handler has a queue and a task of its own: while a call waits, later events wait with it,
/// but neither the cache nor other handlers do. A call that blocks its thread without awaiting
/// blocks a thread of the runtime, as everywhere in async code. A call that panics is reported and
/// its event lost; the next event is handled.
///
/// When a call runs, the cache and its indexes show that event or a later one.
///
/// # Example: a handler that awaits
/// ```
/// use pintle_apimachinery::{Object, PartialObjectMetadata};
/// use pintle_informer::Handler;
/// use std::sync::Arc;
///
/// struct Names(tokio::sync::mpsc::Sender<String>);
///
/// impl Handler<PartialObjectMetadata> for Names {
///     async fn on_add(&mut self, object: Arc<PartialObjectMetadata>, _is_in_initial_list: bool) {
///         let _ = self.0.send(object.name().to_owned()).await;
///     }
/// }
/// ```
pub trait Handler<T: Object>: Send + 'static {
    /// The object is new to this handler. `is_in_initial_list` says that it was there already when
    /// the handler was added, or came with the cache's first list.
    fn on_add(
        &mut self,
        object: Arc<T>,
        is_in_initial_list: bool,
    ) -> impl Future<Output = ()> + Send {
        let _ = (object, is_in_initial_list);
        std::future::ready(())
    }

    /// The object changed. After an outage one call may stand for many changes, even for a delete
    /// and a new object of the same name: compare UIDs where that matters. In a resync both are
    /// the same.
    fn on_update(&mut self, old: Arc<T>, new: Arc<T>) -> impl Future<Output = ()> + Send {
        let _ = (old, new);
        std::future::ready(())
    }

    /// The object is gone.
    fn on_delete(&mut self, tombstone: Tombstone<T>) -> impl Future<Output = ()> + Send {
        let _ = tombstone;
        std::future::ready(())
    }

    /// How often to be told again of every object in the cache, by
    /// [`on_update`](Self::on_update); at least a second. `None`, the default, for never. The
    /// server is not asked. A handler that has not returned yet gets no resync meanwhile.
    fn resync_period(&self) -> Option<Duration> {
        None
    }
}

type OnAdd<T> = Box<dyn FnMut(Arc<T>, bool) + Send>;
type OnUpdate<T> = Box<dyn FnMut(Arc<T>, Arc<T>) + Send>;

/// A [`Handler`] of closures. Go: `ResourceEventHandlerDetailedFuncs`.
///
/// # Example: two of the three
/// ```
/// use pintle_apimachinery::{Object, PartialObjectMetadata};
/// use pintle_informer::HandlerFuncs;
///
/// let _handler = HandlerFuncs::<PartialObjectMetadata>::new()
///     .on_add(|object, _is_in_initial_list| println!("+ {}", object.name()))
///     .on_delete(|tombstone| println!("- {}", tombstone.key()));
/// ```
#[must_use]
pub struct HandlerFuncs<T> {
    add: Option<OnAdd<T>>,
    update: Option<OnUpdate<T>>,
    delete: Option<Box<dyn FnMut(Tombstone<T>) + Send>>,
    resync_period: Option<Duration>,
}

impl<T> Default for HandlerFuncs<T> {
    fn default() -> Self {
        HandlerFuncs { add: None, update: None, delete: None, resync_period: None }
    }
}

impl<T> fmt::Debug for HandlerFuncs<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerFuncs")
            .field("add", &self.add.is_some())
            .field("update", &self.update.is_some())
            .field("delete", &self.delete.is_some())
            .field("resync_period", &self.resync_period)
            .finish()
    }
}

impl<T> HandlerFuncs<T> {
    /// A handler that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// See [`Handler::on_add`].
    pub fn on_add(mut self, call: impl FnMut(Arc<T>, bool) + Send + 'static) -> Self {
        self.add = Some(Box::new(call));
        self
    }

    /// See [`Handler::on_update`].
    pub fn on_update(mut self, call: impl FnMut(Arc<T>, Arc<T>) + Send + 'static) -> Self {
        self.update = Some(Box::new(call));
        self
    }

    /// See [`Handler::on_delete`].
    pub fn on_delete(mut self, call: impl FnMut(Tombstone<T>) + Send + 'static) -> Self {
        self.delete = Some(Box::new(call));
        self
    }

    /// See [`Handler::resync_period`].
    pub fn resync_period(mut self, period: Duration) -> Self {
        self.resync_period = Some(period);
        self
    }
}

impl<T: Object> Handler<T> for HandlerFuncs<T> {
    fn on_add(
        &mut self,
        object: Arc<T>,
        is_in_initial_list: bool,
    ) -> impl Future<Output = ()> + Send {
        if let Some(call) = &mut self.add {
            call(object, is_in_initial_list);
        }
        std::future::ready(())
    }

    fn on_update(&mut self, old: Arc<T>, new: Arc<T>) -> impl Future<Output = ()> + Send {
        if let Some(call) = &mut self.update {
            call(old, new);
        }
        std::future::ready(())
    }

    fn on_delete(&mut self, tombstone: Tombstone<T>) -> impl Future<Output = ()> + Send {
        if let Some(call) = &mut self.delete {
            call(tombstone);
        }
        std::future::ready(())
    }

    fn resync_period(&self) -> Option<Duration> {
        self.resync_period
    }
}
