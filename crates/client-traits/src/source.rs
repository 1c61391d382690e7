//! Where a controller hears of changes: the seam between informers and the controller runner.
//! Go counterparts: the handler side of `cache.SharedIndexInformer`
//! (`AddEventHandler`, `ResourceEventHandlerRegistration`) and controller-runtime's
//! `source.SyncingSource`.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use pintle_apimachinery::{Error, GroupVersionKind, Object, ObjectKey};

/// One change of one object.
///
/// Go counterpart: the three methods of `cache.ResourceEventHandlerDetailedFuncs`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SourceEvent<'a> {
    /// The object is new to this subscriber.
    Added {
        /// The object.
        object: &'a dyn Object,
        /// Whether it was there when the subscription began, or came with the first list.
        is_in_initial_list: bool,
    },
    /// The object changed, or is told again unchanged (resync).
    Updated {
        /// What the subscriber was told last.
        old: &'a dyn Object,
        /// What it is now.
        new: &'a dyn Object,
    },
    /// The object is gone.
    Deleted {
        /// The last state known.
        object: &'a dyn Object,
        /// Whether the delete itself was missed, so that the object may have changed in between
        /// (Go: `DeletedFinalStateUnknown`).
        final_state_unknown: bool,
    },
}

impl<'a> SourceEvent<'a> {
    /// The newest state known: new, or last before the delete.
    pub fn object(&self) -> &'a dyn Object {
        match *self {
            SourceEvent::Added { object, .. } | SourceEvent::Deleted { object, .. } => object,
            SourceEvent::Updated { new, .. } => new,
        }
    }

    /// The object's key.
    pub fn key(&self) -> ObjectKey {
        self.object().key()
    }

    /// Whether an add comes from the initial list.
    pub fn is_in_initial_list(&self) -> bool {
        matches!(self, SourceEvent::Added { is_in_initial_list: true, .. })
    }

    /// Whether an update tells the same resource version again.
    pub fn is_unchanged(&self) -> bool {
        match self {
            SourceEvent::Updated { old, new } => old.resource_version() == new.resource_version(),
            _ => false,
        }
    }
}

/// What a subscriber is called with. It must be quick and must not block: it holds up the later
/// events of its own subscription.
pub type SourceHandler = Box<dyn Fn(SourceEvent<'_>) + Send + Sync>;

/// Tells of the changes of all objects of one kind, or of those in one namespace.
pub trait Source: Send + Sync {
    /// The kind of the objects.
    fn kind(&self) -> GroupVersionKind;

    /// Whether objects of the kind live in namespaces.
    fn is_namespaced(&self) -> bool;

    /// Calls the handler for every object there is and then for every change, in order, never from
    /// two threads at once for one object, until the subscription is dropped. Does not block, and
    /// does not wait for the first list.
    ///
    /// # Errors
    /// The source has been stopped.
    fn subscribe(&self, handler: SourceHandler) -> Result<Box<dyn Subscription>, Error>;

    /// Begins to look for changes, unless that has begun: controllers start the sources they
    /// watch. By default there is nothing to start.
    fn start(&self) {}
}

/// A handler's registration. Dropping it ends the calls; one that has begun may still run to its
/// end.
pub trait Subscription: Send + Sync {
    /// Whether the handler has been called, and has returned, for everything that was in the first
    /// list (Go: `HasSynced`).
    fn is_synced(&self) -> bool;

    /// Waits until [`Subscription::is_synced`]. Never completes if that never happens.
    ///
    /// # Cancel safety
    /// May be dropped and asked for again.
    fn synced(&self) -> BoxFuture<'static, ()>;
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn kind(&self) -> GroupVersionKind {
        (**self).kind()
    }

    fn is_namespaced(&self) -> bool {
        (**self).is_namespaced()
    }

    fn subscribe(&self, handler: SourceHandler) -> Result<Box<dyn Subscription>, Error> {
        (**self).subscribe(handler)
    }

    fn start(&self) {
        (**self).start();
    }
}
