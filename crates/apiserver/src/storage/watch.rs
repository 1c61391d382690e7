//! Watchers: cursors into the log with a waker each.
//!
//! Go counterpart: etcd's `watchableStore` and the cacher's `cacheWatcher`. A watcher owns no
//! queue: it is a position in the shared log, so that a slow reader costs nothing but history.
//! Committing an event looks up the watchers of the prefixes of its key only, so that thousands of
//! watchers of other resources are not touched.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::mvcc::Shared;
use super::{Event, Range, Revision, StorageError};

/// One watch of a range. Dropping it ends it.
pub(crate) struct Watcher<V> {
    shared: Arc<Shared<V>>,
    id: u64,
}

/// Events in order, and the revision up to which the watcher has now seen everything.
#[derive(Debug)]
pub(crate) struct Batch<V> {
    pub(crate) events: Vec<Arc<Event<V>>>,
    /// Only for tests and progress: everything at or before it has been delivered.
    #[cfg_attr(not(test), expect(dead_code, reason = "part of the shape"))]
    pub(crate) revision: Revision,
}

impl<V> Watcher<V> {
    pub(super) fn new(shared: Arc<Shared<V>>, id: u64) -> Self {
        Watcher { shared, id }
    }

    /// Makes it one of the server's own: [`super::Mvcc::cancel_watchers`] leaves it alone, and
    /// [`super::Mvcc::watcher_count`] does not count it.
    pub(crate) fn own(self) -> Self {
        if let Some(state) = self.shared.lock().watchers.map.get_mut(&self.id) {
            state.own = true;
        }
        self
    }

    /// At most `max` events that are there now; registers the task's waker when there are none.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] when unread events were compacted away, and
    /// what [`super::Mvcc::cancel_watchers`] was given.
    pub(crate) fn poll_events(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
    ) -> Poll<Result<Batch<V>, StorageError>> {
        match self.read(max, Some(cx.waker())) {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }

    /// As [`Watcher::poll_events`], without a task: `None` when nothing is there.
    #[cfg(test)]
    pub(crate) fn try_events(&mut self, max: usize) -> Option<Result<Batch<V>, StorageError>> {
        self.read(max, None)
    }

    /// The revision up to which everything that matches has been delivered.
    pub(crate) fn revision(&self) -> Revision {
        let state = self.shared.lock();
        match state.watchers.map.get(&self.id) {
            Some(watcher) if watcher.pending => {
                match watcher
                    .cursor
                    .checked_sub(state.first)
                    .and_then(|i| state.log.get(i as usize))
                {
                    Some(event) => event.revision - 1,
                    None => state.compacted.min(watcher.start.saturating_sub(1)),
                }
            }
            Some(watcher) => state.revision.max(watcher.start.saturating_sub(1)),
            None => state.revision,
        }
    }

    fn read(
        &mut self,
        max: usize,
        waker: Option<&Waker>,
    ) -> Option<Result<Batch<V>, StorageError>> {
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        let watcher = state.watchers.map.get_mut(&self.id)?;
        if !watcher.pending {
            if let Some(why) = watcher.cancelled {
                return Some(Err(why));
            }
            let same =
                |waker| watcher.waker.as_ref().is_some_and(|old: &Waker| old.will_wake(waker));
            if let Some(waker) = waker
                && !same(waker)
            {
                let old = watcher.waker.replace(waker.clone());
                drop(guard);
                drop(old);
            }
            return None;
        }
        if watcher.cursor < state.first {
            return Some(Err(StorageError::Compacted { oldest: state.compacted }));
        }
        let mut events = Vec::new();
        let mut index = (watcher.cursor - state.first) as usize;
        while let Some(event) = state.log.get(index) {
            if event.revision >= watcher.start && watcher.range.contains(&event.key) {
                if events.len() == max {
                    break;
                }
                events.push(Arc::clone(event));
            }
            // What does not match is passed over, so that it cannot expire the watcher.
            index += 1;
        }
        watcher.cursor = state.first + index as u64;
        let end = index == state.log.len();
        watcher.pending = !end;
        let revision = match state.log.get(index) {
            _ if end => state.revision,
            Some(next) => next.revision - 1,
            None => state.revision,
        };
        if events.is_empty() && !watcher.pending {
            // Only events before the start of the watch were there.
            drop(guard);
            return self.read(max, waker);
        }
        Some(Ok(Batch { events, revision }))
    }
}

impl<V> Drop for Watcher<V> {
    fn drop(&mut self) {
        // The waker goes after the lock: it may be the last owner of another watcher's task.
        let removed = self.shared.lock().watchers.remove(self.id);
        drop(removed);
    }
}

/// Every watcher of a store, found by the prefix it watches.
#[derive(Default)]
pub(super) struct Watchers {
    map: HashMap<u64, State>,
    /// Watchers of a prefix that ends in `/`, by that prefix.
    prefixes: HashMap<String, Vec<u64>>,
    /// Watchers of any other range.
    others: Vec<u64>,
    next: u64,
    /// Taken from watchers that were marked; woken once the lock is released.
    woken: Vec<Waker>,
}

struct State {
    range: Range,
    /// Sequence number of the next event to look at.
    cursor: u64,
    /// Events before this revision are not wanted.
    start: Revision,
    /// A matching event lies at or after the cursor.
    pending: bool,
    cancelled: Option<StorageError>,
    /// The server's own: not counted, and not ended with those of clients.
    own: bool,
    waker: Option<Waker>,
}

impl Watchers {
    /// Watchers that are not the server's own.
    pub(super) fn len(&self) -> usize {
        self.map.values().filter(|state| !state.own).count()
    }

    pub(super) fn add(&mut self, range: Range, cursor: u64, start: Revision, pending: bool) -> u64 {
        let id = self.next;
        self.next += 1;
        if is_prefix(&range) {
            self.prefixes.entry(range.start.clone()).or_default().push(id);
        } else {
            self.others.push(id);
        }
        let state =
            State { range, cursor, start, pending, cancelled: None, own: false, waker: None };
        self.map.insert(id, state);
        id
    }

    fn remove(&mut self, id: u64) -> Option<State> {
        let state = self.map.remove(&id)?;
        if is_prefix(&state.range) {
            if let Some(ids) = self.prefixes.get_mut(&state.range.start) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    self.prefixes.remove(&state.range.start);
                }
            }
        } else {
            self.others.retain(|other| *other != id);
        }
        Some(state)
    }

    /// The tasks to wake, after the lock is released.
    pub(super) fn take_woken(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.woken)
    }

    /// Marks the watchers that want a change of `key` at `revision`.
    pub(super) fn notify(&mut self, key: &str, revision: Revision) {
        let Watchers { map, prefixes, others, woken, .. } = self;
        let mut mark = |id: &u64| {
            if let Some(state) = map.get_mut(id)
                && revision >= state.start
                && state.range.contains(key)
            {
                state.pending = true;
                woken.extend(state.waker.take());
            }
        };
        for (at, _) in key.match_indices('/') {
            if let Some(ids) = prefixes.get(&key[..=at]) {
                ids.iter().for_each(&mut mark);
            }
        }
        others.iter().for_each(&mut mark);
    }

    /// Moves watchers without a pending event to the end of the log.
    pub(super) fn advance_idle(&mut self, end: u64) {
        for state in self.map.values_mut().filter(|state| !state.pending) {
            state.cursor = end;
        }
    }

    pub(super) fn cancel_all(&mut self, why: StorageError) {
        for state in self.map.values_mut().filter(|state| !state.own) {
            state.cancelled = Some(why);
            self.woken.extend(state.waker.take());
        }
    }
}

fn is_prefix(range: &Range) -> bool {
    range.start.ends_with('/') && *range == Range::prefix(&range.start)
}
