//! Where a cache gets its objects from (Go: `cache.ListerWatcher`, `watch.Interface`).

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use pintle_apimachinery::{Error, Known, ListOptions, ObjectList, WatchEvent};
use std::sync::Arc;

/// The events of one watch, in the server's order.
///
/// It ends when the server closes the watch, which is ordinary. An `Err` for which
/// [`is_decode`](Error::is_decode) holds may be about one event only, which is left out, and more
/// may follow; any other says that the connection broke, and nothing follows it. Dropping the
/// stream ends the watch.
pub type WatchStream<T> = BoxStream<'static, Result<WatchEvent<T>, Error>>;

/// Lists and watches the objects of one kind, in one scope.
///
/// The scope (all namespaces, one namespace, a selector) belongs to the implementation; the options
/// say from which resource version and how. An implementation sends the options as they are: pages,
/// resource versions and bookmarks are for the caller to ask for. It neither caches nor restarts.
pub trait ListerWatcher<T>: Send + Sync {
    /// Lists the objects; one page of them when the options have a limit.
    ///
    /// # Errors
    /// What the server answered, or why it could not be reached.
    ///
    /// # Cancel safety
    /// Dropping the future gives the request up; it has no effect.
    fn list(&self, options: ListOptions) -> BoxFuture<'_, Result<ObjectList<T>, Error>>;

    /// Opens a watch. The future resolves when the server has accepted it; with
    /// `send_initial_events` the objects there are come first, then a bookmark that says so.
    ///
    /// # Errors
    /// What the server answered, or why it could not be reached. A server may also accept a watch
    /// and say in its first event that the resource version has expired.
    ///
    /// # Cancel safety
    /// Dropping the future gives the request up; it has no effect.
    fn watch(&self, options: ListOptions) -> BoxFuture<'_, Result<WatchStream<T>, Error>>;

    /// As [`watch`](Self::watch), for a caller that keeps the objects: `known` finds what it has,
    /// so that the events of an implementation that makes use of it cost little more than what
    /// changed. `known` is called while events are read; it must be quick.
    ///
    /// # Errors
    /// As [`watch`](Self::watch).
    ///
    /// # Cancel safety
    /// As [`watch`](Self::watch).
    fn watch_known(
        &self,
        options: ListOptions,
        known: Known<T>,
    ) -> BoxFuture<'_, Result<WatchStream<T>, Error>> {
        drop(known);
        self.watch(options)
    }
}

impl<T, L: ListerWatcher<T> + ?Sized> ListerWatcher<T> for Arc<L> {
    fn list(&self, options: ListOptions) -> BoxFuture<'_, Result<ObjectList<T>, Error>> {
        (**self).list(options)
    }

    fn watch(&self, options: ListOptions) -> BoxFuture<'_, Result<WatchStream<T>, Error>> {
        (**self).watch(options)
    }

    fn watch_known(
        &self,
        options: ListOptions,
        known: Known<T>,
    ) -> BoxFuture<'_, Result<WatchStream<T>, Error>> {
        (**self).watch_known(options, known)
    }
}

impl<T, L: ListerWatcher<T> + ?Sized> ListerWatcher<T> for Box<L> {
    fn list(&self, options: ListOptions) -> BoxFuture<'_, Result<ObjectList<T>, Error>> {
        (**self).list(options)
    }

    fn watch(&self, options: ListOptions) -> BoxFuture<'_, Result<WatchStream<T>, Error>> {
        (**self).watch(options)
    }

    fn watch_known(
        &self,
        options: ListOptions,
        known: Known<T>,
    ) -> BoxFuture<'_, Result<WatchStream<T>, Error>> {
        (**self).watch_known(options, known)
    }
}
