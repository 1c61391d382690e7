//! The multi-version log in memory.
//!
//! Go counterpart: etcd's `mvcc.store` with its key index and `watchableStore`. One lock guards
//! the whole structure, so that reading a snapshot and subscribing to what follows is one step.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::watch::{Watcher, Watchers};
use super::{
    Compare, Event, KeyValue, Op, Range, RangeResponse, Revision, Storage, StorageError, Txn,
    TxnResponse,
};

/// How much history is kept before the oldest part is compacted away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits<V> {
    /// Number of events.
    pub(crate) events: usize,
    /// Bytes held only by history, by `weight`.
    pub(crate) bytes: usize,
    /// Bytes of one value.
    pub(crate) weight: fn(&V) -> usize,
}

/// What a range counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    All,
    /// What is answered; the rest is not looked at.
    Page,
}

/// The versions of one key that can still be read, oldest first. `None` marks a deletion.
type Versions<V> = Vec<(Revision, Option<Arc<KeyValue<V>>>)>;

/// The log in memory: cheap to share, every method takes its one lock for a short time.
pub(crate) struct Mvcc<V> {
    shared: Arc<Shared<V>>,
}

/// What the store and its watchers share.
pub(super) struct Shared<V> {
    state: Mutex<State<V>>,
}

pub(super) struct State<V> {
    pub(super) revision: Revision,
    pub(super) compacted: Revision,
    keys: BTreeMap<Arc<str>, Versions<V>>,
    pub(super) log: VecDeque<Arc<Event<V>>>,
    /// Sequence number of the first event in `log`.
    pub(super) first: u64,
    /// Bytes of superseded values that `log` keeps.
    log_bytes: usize,
    limits: Limits<V>,
    pub(super) watchers: Watchers,
}

impl<V> Shared<V> {
    /// A poisoned lock is used on: every change leaves the state consistent before it can panic.
    pub(super) fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Clone for Mvcc<V> {
    fn clone(&self) -> Self {
        Mvcc { shared: Arc::clone(&self.shared) }
    }
}

impl<V: Send + Sync> Mvcc<V> {
    pub(crate) fn new(limits: Limits<V>) -> Self {
        let state = State {
            revision: 1,
            compacted: 0,
            keys: BTreeMap::new(),
            log: VecDeque::new(),
            first: 0,
            log_bytes: 0,
            limits,
            watchers: Watchers::default(),
        };
        Mvcc { shared: Arc::new(Shared { state: Mutex::new(state) }) }
    }

    /// Takes over what another store had at a revision. What that store forgot is forgotten here.
    pub(crate) fn restore(&self, entries: Vec<KeyValue<V>>, revision: Revision) {
        let mut state = self.shared.lock();
        for entry in entries {
            let (key, at) = (Arc::clone(&entry.key), entry.mod_revision);
            state.keys.insert(key, vec![(at, Some(Arc::new(entry)))]);
        }
        state.revision = state.revision.max(revision);
        state.compacted = state.revision;
    }

    /// The newest version of one key.
    pub(crate) fn get(&self, key: &str) -> Option<Arc<KeyValue<V>>> {
        self.shared.lock().latest(key)
    }

    /// Ends every watch: each watcher answers with `why`, after the events it already had.
    pub(crate) fn cancel_watchers(&self, why: StorageError) {
        let woken = {
            let mut state = self.shared.lock();
            state.watchers.cancel_all(why);
            state.watchers.take_woken()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// How many watchers there are, but for the server's own.
    pub(crate) fn watcher_count(&self) -> usize {
        self.shared.lock().watchers.len()
    }
}

impl<V: Send + Sync> Storage<V> for Mvcc<V> {
    fn revision(&self) -> Revision {
        self.shared.lock().revision
    }

    fn compacted(&self) -> Revision {
        self.shared.lock().compacted
    }

    fn txn(&self, txn: Txn<V>) -> TxnResponse<V> {
        let (response, woken) = {
            let mut state = self.shared.lock();
            (state.txn(txn), state.watchers.take_woken())
        };
        woken.into_iter().for_each(Waker::wake);
        response
    }

    fn range(
        &self,
        range: &Range,
        revision: Option<Revision>,
        limit: usize,
    ) -> Result<RangeResponse<V>, StorageError> {
        self.shared.lock().range(range, revision, limit)
    }

    fn page(
        &self,
        range: &Range,
        revision: Revision,
        limit: usize,
    ) -> Result<RangeResponse<V>, StorageError> {
        let state = self.shared.lock();
        state.readable(revision)?;
        Ok(state.range_at(range, revision, limit, Count::Page))
    }

    fn watch(&self, range: Range, start: Revision) -> Result<Watcher<V>, StorageError> {
        let mut state = self.shared.lock();
        if start <= state.compacted {
            return Err(StorageError::Compacted { oldest: state.compacted });
        }
        let index = state.log.partition_point(|event| event.revision < start);
        let cursor = state.first + index as u64;
        let pending = state.log.range(index..).any(|event| range.contains(&event.key));
        let id = state.watchers.add(range, cursor, start, pending);
        Ok(Watcher::new(Arc::clone(&self.shared), id))
    }

    fn range_and_watch(&self, range: Range, limit: usize) -> (RangeResponse<V>, Watcher<V>) {
        let mut state = self.shared.lock();
        let response = state.range_at(&range, state.revision, limit, Count::Page);
        let cursor = state.first + state.log.len() as u64;
        let start = state.revision + 1;
        let id = state.watchers.add(range, cursor, start, false);
        (response, Watcher::new(Arc::clone(&self.shared), id))
    }

    fn compact(&self, revision: Revision) -> Result<(), StorageError> {
        let mut state = self.shared.lock();
        if revision <= state.compacted {
            return Err(StorageError::Compacted { oldest: state.compacted });
        }
        if revision > state.revision {
            return Err(StorageError::Future { current: state.revision });
        }
        state.compact(revision);
        Ok(())
    }
}

impl<V> State<V> {
    fn latest(&self, key: &str) -> Option<Arc<KeyValue<V>>> {
        self.keys.get(key)?.last()?.1.clone()
    }

    fn holds(&self, compare: &Compare) -> bool {
        match compare {
            Compare::ModRevision(key, revision) => {
                self.latest(key).map_or(0, |kv| kv.mod_revision) == *revision
            }
        }
    }

    fn txn(&mut self, txn: Txn<V>) -> TxnResponse<V> {
        let succeeded = txn.compare.iter().all(|compare| self.holds(compare));
        let ops = if succeeded { txn.success } else { txn.failure };
        let revision = self.revision + 1;
        let before = self.log.len();
        let mut kvs = Vec::with_capacity(ops.len());
        for op in ops {
            kvs.push(match op {
                Op::Get(key) => self.latest(&key),
                Op::Put(key, value) => Some(self.put(&key, value, revision)),
                Op::Delete(key) => self.delete(&key, revision),
            });
        }
        if self.log.len() > before {
            self.revision = revision;
            self.enforce_limits();
        }
        TxnResponse { revision: self.revision, succeeded, kvs }
    }

    fn put(&mut self, key: &str, value: V, revision: Revision) -> Arc<KeyValue<V>> {
        let shared_key = match self.keys.get_key_value(key) {
            Some((key, _)) => Arc::clone(key),
            None => Arc::from(key),
        };
        let versions = self.keys.entry(Arc::clone(&shared_key)).or_default();
        let prev = versions.last().and_then(|(_, kv)| kv.clone());
        let kv = Arc::new(KeyValue {
            key: Arc::clone(&shared_key),
            create_revision: prev.as_ref().map_or(revision, |prev| prev.create_revision),
            mod_revision: revision,
            version: prev.as_ref().map_or(1, |prev| prev.version + 1),
            value,
        });
        versions.push((revision, Some(Arc::clone(&kv))));
        self.append(Event { revision, key: shared_key, kv: Some(Arc::clone(&kv)), prev });
        kv
    }

    fn delete(&mut self, key: &str, revision: Revision) -> Option<Arc<KeyValue<V>>> {
        let prev = self.latest(key)?;
        let versions = self.keys.get_mut(key)?;
        versions.push((revision, None));
        let key = Arc::clone(&prev.key);
        self.append(Event { revision, key, kv: None, prev: Some(Arc::clone(&prev)) });
        Some(prev)
    }

    fn append(&mut self, event: Event<V>) {
        self.log_bytes += event.prev.as_ref().map_or(0, |kv| (self.limits.weight)(&kv.value));
        self.watchers.notify(&event.key, event.revision);
        self.log.push_back(Arc::new(event));
    }

    fn range(
        &self,
        range: &Range,
        revision: Option<Revision>,
        limit: usize,
    ) -> Result<RangeResponse<V>, StorageError> {
        let revision = revision.unwrap_or(self.revision);
        self.readable(revision)?;
        Ok(self.range_at(range, revision, limit, Count::All))
    }

    fn readable(&self, revision: Revision) -> Result<(), StorageError> {
        if revision > self.revision {
            return Err(StorageError::Future { current: self.revision });
        }
        if revision < self.compacted {
            return Err(StorageError::Compacted { oldest: self.compacted });
        }
        Ok(())
    }

    fn range_at(
        &self,
        range: &Range,
        revision: Revision,
        limit: usize,
        counted: Count,
    ) -> RangeResponse<V> {
        let mut kvs = Vec::new();
        let mut count = 0;
        if range.end.as_deref().is_none_or(|end| range.start.as_str() <= end) {
            let end = match &range.end {
                Some(end) => Bound::Excluded(end.as_str()),
                None => Bound::Unbounded,
            };
            let start = Bound::Included(range.start.as_str());
            for versions in self.keys.range::<str, _>((start, end)).map(|(_, versions)| versions) {
                let newest = versions.iter().rev().find(|(at, _)| *at <= revision);
                if let Some((_, Some(kv))) = newest {
                    count += 1;
                    if limit == 0 || kvs.len() < limit {
                        kvs.push(Arc::clone(kv));
                    } else if counted == Count::Page {
                        break;
                    }
                }
            }
        }
        let more = count > kvs.len();
        let count = if counted == Count::Page { kvs.len() } else { count };
        RangeResponse { revision, more, kvs, count }
    }

    fn enforce_limits(&mut self) {
        let over_events = self.log.len() > self.limits.events;
        let over_bytes = self.log_bytes > self.limits.bytes;
        if !over_events && !over_bytes {
            return;
        }
        // A quarter goes at once, so that the cost is spread over many writes; the newest event
        // always stays.
        let drop = (self.log.len() / 4).max(1).min(self.log.len().saturating_sub(1));
        if drop > 0 {
            let revision = self.log[drop - 1].revision;
            if revision > self.compacted && revision < self.revision {
                self.compact(revision);
            }
        }
    }

    fn compact(&mut self, revision: Revision) {
        self.compacted = revision;
        // Watchers with nothing to read move to the end first: they lose nothing.
        let end = self.first + self.log.len() as u64;
        self.watchers.advance_idle(end);
        while self.log.front().is_some_and(|event| event.revision <= revision) {
            let Some(event) = self.log.pop_front() else { break };
            self.first += 1;
            let weight = event.prev.as_ref().map_or(0, |kv| (self.limits.weight)(&kv.value));
            self.log_bytes = self.log_bytes.saturating_sub(weight);
            // Each superseded version was superseded by an event; so pruning the keys of the
            // dropped events prunes everything there is to prune.
            if let Some(versions) = self.keys.get_mut(&event.key) {
                let newest = versions.iter().rposition(|(at, _)| *at <= revision);
                if let Some(newest) = newest {
                    let deleted = versions[newest].1.is_none();
                    versions.drain(..newest + usize::from(deleted));
                    if versions.is_empty() {
                        self.keys.remove(&event.key);
                    }
                }
            }
        }
    }
}
