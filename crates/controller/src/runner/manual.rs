//! A source fed by hand. Go counterpart: controller-runtime's `source.Channel`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_core::future::BoxFuture;
use pintle_apimachinery::{Error, GroupVersionKind, Object};
use pintle_client_traits::{Source, SourceEvent, SourceHandler, Subscription};
use tokio::sync::watch;

/// A source that tells what it is told: for events from outside the cluster, and for tests.
///
/// It keeps no objects, so a subscriber hears of nothing that came before it subscribed. Handlers
/// run on the caller's thread. Clones are handles of the same source.
///
/// Go counterpart: controller-runtime's `source.Channel`.
#[derive(Clone)]
pub struct ManualSource {
    shared: Arc<Shared>,
}

struct Shared {
    kind: GroupVersionKind,
    namespaced: bool,
    /// Called in the order of subscription. A subscription that was dropped is swept out.
    handlers: Mutex<Vec<Weak<SourceHandler>>>,
    synced: watch::Sender<bool>,
}

impl ManualSource {
    /// A source of objects that live in namespaces, not synced yet.
    pub fn namespaced(kind: GroupVersionKind) -> Self {
        Self::new(kind, true)
    }

    /// A source of objects of the cluster as a whole, not synced yet.
    pub fn cluster_scoped(kind: GroupVersionKind) -> Self {
        Self::new(kind, false)
    }

    fn new(kind: GroupVersionKind, namespaced: bool) -> Self {
        let synced = watch::Sender::new(false);
        ManualSource {
            shared: Arc::new(Shared { kind, namespaced, handlers: Mutex::default(), synced }),
        }
    }

    /// Tells all subscribers of the event.
    pub fn send(&self, event: SourceEvent<'_>) {
        for handler in self.handlers() {
            handler(event);
        }
    }

    /// Tells of a new object, which does not come from the initial list.
    pub fn added(&self, object: &dyn Object) {
        self.send(SourceEvent::Added { object, is_in_initial_list: false });
    }

    /// From now on everyone is synced.
    pub fn synced(&self) {
        self.shared.synced.send_replace(true);
    }

    /// How many subscriptions there are.
    pub fn subscribers(&self) -> usize {
        self.handlers().len()
    }

    /// No lock is held when they are called: a handler may subscribe.
    fn handlers(&self) -> Vec<Arc<SourceHandler>> {
        let mut handlers = self.shared.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        handlers.retain(|handler| handler.strong_count() > 0);
        handlers.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Source for ManualSource {
    fn kind(&self) -> GroupVersionKind {
        self.shared.kind.clone()
    }

    fn is_namespaced(&self) -> bool {
        self.shared.namespaced
    }

    fn subscribe(&self, handler: SourceHandler) -> Result<Box<dyn Subscription>, Error> {
        let handler = Arc::new(handler);
        let mut handlers = self.shared.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        handlers.push(Arc::downgrade(&handler));
        Ok(Box::new(ManualSubscription {
            _handler: handler,
            synced: self.shared.synced.subscribe(),
        }))
    }
}

impl fmt::Debug for ManualSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualSource")
            .field("kind", &self.shared.kind.to_string())
            .field("subscribers", &self.subscribers())
            .finish_non_exhaustive()
    }
}

struct ManualSubscription {
    _handler: Arc<SourceHandler>,
    synced: watch::Receiver<bool>,
}

impl Subscription for ManualSubscription {
    fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    fn synced(&self) -> BoxFuture<'static, ()> {
        let mut synced = self.synced.clone();
        Box::pin(async move {
            if synced.wait_for(|synced| *synced).await.is_err() {
                std::future::pending::<()>().await; // the source is gone: it never syncs
            }
        })
    }
}
