//! Stores what the reflector gives and hands it to handlers. Go: `cache.sharedProcessor` and
//! `processDeltas`.
//!
//! One lock makes "store, then tell" a single step, so that a handler added meanwhile sees each
//! object once: in the replay or as an event. It is held only while pointers move.

use crate::handler::Tombstone;
use crate::metrics::Instruments;
use crate::queue::{Batch, Delta};
use crate::store::Store;
use crate::table::Table;
use pintle_apimachinery::{Codec, Error, Object, Str};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// One change for a handler.
pub(crate) enum Event<T> {
    Add(Arc<T>, bool),
    Update(Arc<T>, Arc<T>),
    Delete(Tombstone<T>),
}

/// What a handler's task gets.
pub(crate) enum Message<T> {
    /// Shared by all handlers.
    Events(Arc<Vec<Event<T>>>),
    /// All initial adds came before this.
    Synced,
}

/// How far something is on its way to being synced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sync {
    Pending,
    Done,
    /// Stopped before.
    Never,
}

pub(crate) struct Hub<T> {
    store: Store<T>,
    state: Mutex<State<T>>,
    synced: watch::Sender<Sync>,
    metrics: Instruments,
}

struct State<T> {
    listeners: Vec<Listener<T>>,
    next_id: u64,
    synced: bool,
    stopped: bool,
}

struct Listener<T> {
    id: u64,
    messages: mpsc::UnboundedSender<Message<T>>,
    cancelled: Arc<AtomicBool>,
}

/// The receiving end of a listener.
pub(crate) struct Inbox<T> {
    pub(crate) id: u64,
    pub(crate) messages: mpsc::UnboundedReceiver<Message<T>>,
    /// No call may begin any more.
    pub(crate) cancelled: Arc<AtomicBool>,
}

impl<T: Object + Codec> Hub<T> {
    pub(crate) fn new(store: Store<T>, metrics: Instruments) -> Self {
        Hub {
            store,
            state: Mutex::new(State {
                listeners: Vec::new(),
                next_id: 0,
                synced: false,
                stopped: false,
            }),
            synced: watch::Sender::new(Sync::Pending),
            metrics,
        }
    }

    pub(crate) fn store(&self) -> &Store<T> {
        &self.store
    }

    pub(crate) fn metrics(&self) -> &Instruments {
        &self.metrics
    }

    pub(crate) fn synced(&self) -> watch::Receiver<Sync> {
        self.synced.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a listener, which is told of everything in the store first.
    ///
    /// # Errors
    /// It is all over.
    pub(crate) fn add(&self) -> Result<Inbox<T>, Error> {
        let mut state = self.lock();
        if state.stopped {
            return Err(Error::other("the informer has been stopped: no handler can be added"));
        }
        let (sender, messages) = mpsc::unbounded_channel();
        let initial: Vec<_> =
            self.store.list().into_iter().map(|object| Event::Add(object, true)).collect();
        if !initial.is_empty() {
            let _ = sender.send(Message::Events(Arc::new(initial)));
        }
        if state.synced {
            let _ = sender.send(Message::Synced);
        }
        let id = state.next_id;
        state.next_id += 1;
        let cancelled = Arc::new(AtomicBool::new(false));
        state.listeners.push(Listener { id, messages: sender, cancelled: cancelled.clone() });
        Ok(Inbox { id, messages, cancelled })
    }

    /// Ends a listener: no event is taken from its inbox any more.
    pub(crate) fn remove(&self, id: u64) {
        let mut state = self.lock();
        if let Some(at) = state.listeners.iter().position(|listener| listener.id == id) {
            let listener = state.listeners.swap_remove(at);
            listener.cancelled.store(true, Ordering::Release);
        }
    }

    /// Tells one listener of everything again.
    pub(crate) fn resync(&self, id: u64) {
        let state = self.lock();
        let Some(listener) = state.listeners.iter().find(|listener| listener.id == id) else {
            return;
        };
        let objects = self.store.list().into_iter();
        let events: Vec<_> = objects.map(|object| Event::Update(object.clone(), object)).collect();
        if !events.is_empty() {
            let _ = listener.messages.send(Message::Events(Arc::new(events)));
        }
    }

    /// Ends everything.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        for listener in state.listeners.drain(..) {
            listener.cancelled.store(true, Ordering::Release);
        }
        self.synced.send_if_modified(|sync| {
            let pending = *sync == Sync::Pending;
            if pending {
                *sync = Sync::Never;
            }
            pending
        });
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Stores a batch, then tells of it.
    pub(crate) fn apply(&self, batch: Batch<T>) {
        let mut state = self.lock();
        match batch {
            Batch::Replace { objects, resource_version } => {
                self.metrics.reached(&resource_version);
                let events = self.replace(objects, resource_version, !state.synced);
                state.tell(events);
                if !state.synced {
                    state.synced = true;
                    for listener in &state.listeners {
                        let _ = listener.messages.send(Message::Synced);
                    }
                    self.synced.send_if_modified(|sync| {
                        *sync = Sync::Done;
                        true
                    });
                }
            }
            Batch::Changes(changes) => {
                let events = self.change(changes);
                state.tell(events);
            }
        }
    }

    /// Deletes come before adds and updates.
    fn replace(&self, objects: Table<T>, resource_version: Str, initial: bool) -> Vec<Event<T>> {
        self.store.transaction(|tx| {
            let deleted = tx.remove_absent(&objects).into_iter();
            let mut events: Vec<_> = deleted
                .map(|object| Event::Delete(Tombstone { object, final_state_unknown: true }))
                .collect();
            events.reserve(objects.len());
            for new in objects.into_objects() {
                match tx.insert(new.clone()) {
                    None => events.push(Event::Add(new, initial)),
                    // What the reflector found unchanged is no news.
                    Some(old) if Arc::ptr_eq(&old, &new) => {}
                    Some(old) => events.push(Event::Update(old, new)),
                }
            }
            tx.set_resource_version(resource_version);
            events
        })
    }

    fn change(&self, changes: Vec<Delta<T>>) -> Vec<Event<T>> {
        let mut events = Vec::with_capacity(changes.len());
        // Dropped when the store is free again.
        let mut garbage = Vec::new();
        let reached = self.store.transaction(|tx| {
            let mut reached = None;
            for delta in changes {
                let version = match delta {
                    Delta::Upsert { object, resource_version } => {
                        match tx.insert(object.clone()) {
                            None => events.push(Event::Add(object, false)),
                            Some(old) if Arc::ptr_eq(&old, &object) => {}
                            Some(old) => events.push(Event::Update(old, object)),
                        }
                        resource_version
                    }
                    Delta::Delete { object, resource_version } => {
                        if let Some(old) = tx.remove_named(object.namespace(), object.name()) {
                            garbage.push(old);
                            let tombstone = Tombstone { object, final_state_unknown: false };
                            events.push(Event::Delete(tombstone));
                        }
                        resource_version
                    }
                    Delta::Bookmark { resource_version } => resource_version,
                    // A replace is a batch of its own.
                    Delta::Replace { .. } => None,
                };
                reached = version.or(reached);
            }
            if let Some(version) = &reached {
                tx.set_resource_version(version.clone());
            }
            reached
        });
        if let Some(version) = &reached {
            self.metrics.reached(version);
        }
        events
    }
}

impl<T> State<T> {
    fn tell(&mut self, events: Vec<Event<T>>) {
        if events.is_empty() || self.listeners.is_empty() {
            return;
        }
        let events = Arc::new(events);
        self.listeners
            .retain(|listener| listener.messages.send(Message::Events(events.clone())).is_ok());
    }
}
