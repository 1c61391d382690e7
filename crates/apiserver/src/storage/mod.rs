//! Storage: one multi-version log with one global revision, in the shape etcd gives it.
//!
//! Go counterpart: `go.etcd.io/etcd/server/v3/storage/mvcc` and the interface that
//! `k8s.io/apiserver/pkg/storage/etcd3` uses of it. [`Storage`] is that shape (transaction with
//! compares, range at a revision, watch from a revision, compaction); [`Mvcc`] is the log in
//! memory. It is synchronous and knows neither time nor an async runtime: a watcher is polled
//! with a [`std::task::Context`] and wakes its task when a matching event is committed.

mod mvcc;
mod watch;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod threads;

use std::fmt;
use std::sync::Arc;

pub(crate) use self::mvcc::{Limits, Mvcc};
pub(crate) use self::watch::{Batch, Watcher};

/// A point in the store's one history. The first write has revision 2, as in etcd.
pub(crate) type Revision = u64;

/// One version of one key.
#[derive(Debug)]
pub(crate) struct KeyValue<V> {
    pub(crate) key: Arc<str>,
    /// Revision of the write that created the key (after its last deletion).
    pub(crate) create_revision: Revision,
    /// Revision of the write that made this version.
    pub(crate) mod_revision: Revision,
    /// 1 for the creating write, one more for each later write.
    pub(crate) version: u64,
    pub(crate) value: V,
}

/// One change, as the log keeps it and watchers see it.
#[derive(Debug)]
pub(crate) struct Event<V> {
    pub(crate) revision: Revision,
    pub(crate) key: Arc<str>,
    /// The new version; `None` for a deletion.
    pub(crate) kv: Option<Arc<KeyValue<V>>>,
    /// The version before this change.
    pub(crate) prev: Option<Arc<KeyValue<V>>>,
}

/// A half-open interval of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: String,
    /// Exclusive; `None` means no end.
    pub(crate) end: Option<String>,
}

impl Range {
    /// Every key.
    pub(crate) fn all() -> Self {
        Range { start: String::new(), end: None }
    }

    /// Keys that begin with `prefix`.
    pub(crate) fn prefix(prefix: &str) -> Self {
        // Keys are UTF-8 and hold no character above '~' right after a prefix that ends in '/',
        // but the general successor is as easy: the next character after the last one.
        let mut end = prefix.to_owned();
        while let Some(last) = end.pop() {
            let next = match last as u32 {
                0xD7FF => char::from_u32(0xE000),
                c => char::from_u32(c + 1),
            };
            if let Some(next) = next {
                end.push(next);
                return Range { start: prefix.to_owned(), end: Some(end) };
            }
        }
        Range { start: prefix.to_owned(), end: None }
    }

    /// Exactly `key`.
    #[cfg(test)]
    pub(crate) fn key(key: &str) -> Self {
        Range { start: key.to_owned(), end: Some(format!("{key}\0")) }
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        key >= self.start.as_str() && self.end.as_deref().is_none_or(|end| key < end)
    }
}

/// What a transaction asks of one key before it decides.
#[derive(Clone, Debug)]
pub(crate) enum Compare {
    /// The key's `mod_revision` is this (0: the key does not exist).
    ModRevision(String, Revision),
}

/// One operation of a transaction.
#[derive(Clone, Debug)]
pub(crate) enum Op<V> {
    Put(String, V),
    Delete(String),
    #[cfg_attr(not(test), expect(dead_code, reason = "part of the shape"))]
    Get(String),
}

/// If every compare holds, `success` is done, otherwise `failure`.
#[derive(Clone, Debug)]
pub(crate) struct Txn<V> {
    pub(crate) compare: Vec<Compare>,
    pub(crate) success: Vec<Op<V>>,
    pub(crate) failure: Vec<Op<V>>,
}

/// The answer to a transaction: one entry for each operation done. A `Put` answers the version it
/// wrote, a `Delete` the version it removed, a `Get` the version there is.
#[derive(Debug)]
pub(crate) struct TxnResponse<V> {
    pub(crate) revision: Revision,
    pub(crate) succeeded: bool,
    pub(crate) kvs: Vec<Option<Arc<KeyValue<V>>>>,
}

/// The answer to a range.
#[derive(Debug)]
pub(crate) struct RangeResponse<V> {
    /// The revision the range was read at.
    pub(crate) revision: Revision,
    pub(crate) kvs: Vec<Arc<KeyValue<V>>>,
    /// Whether `limit` cut the answer.
    pub(crate) more: bool,
    /// How many keys the range holds at that revision, ignoring `limit`; of a page, how many it has.
    pub(crate) count: usize,
}

/// Why the store cannot answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StorageError {
    /// The revision was compacted away; the oldest that can still be read is given.
    Compacted { oldest: Revision },
    /// The revision has not happened yet; the current one is given.
    Future { current: Revision },
    /// The watcher was cancelled by the store.
    Cancelled,
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageError::Compacted { oldest } => {
                write!(f, "required revision has been compacted (oldest is {oldest})")
            }
            StorageError::Future { current } => {
                write!(f, "required revision is a future revision (current is {current})")
            }
            StorageError::Cancelled => f.write_str("watch cancelled by the store"),
        }
    }
}

impl std::error::Error for StorageError {}

/// A store with etcd's guarantees: every write has its own place in one order, a range is read at
/// one revision, and a watch from a revision misses nothing after it.
pub(crate) trait Storage<V>: Send + Sync {
    /// The revision of the newest write.
    fn revision(&self) -> Revision;

    /// The newest revision that was compacted away as a starting point for watches.
    fn compacted(&self) -> Revision;

    /// Runs a transaction. All its writes share one revision; without writes the revision stays.
    fn txn(&self, txn: Txn<V>) -> TxnResponse<V>;

    /// Reads a range at `revision` (`None`: the current one), at most `limit` keys (0: all).
    ///
    /// # Errors
    /// [`StorageError::Compacted`] and [`StorageError::Future`].
    fn range(
        &self,
        range: &Range,
        revision: Option<Revision>,
        limit: usize,
    ) -> Result<RangeResponse<V>, StorageError>;

    /// As [`Storage::range`] with a limit, without counting what lies behind the page.
    ///
    /// # Errors
    /// As [`Storage::range`].
    fn page(
        &self,
        range: &Range,
        revision: Revision,
        limit: usize,
    ) -> Result<RangeResponse<V>, StorageError>;

    /// Watches a range; the first event delivered has at least revision `start`, which may lie in
    /// the future.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] when events from `start` on are no longer all there.
    fn watch(&self, range: Range, start: Revision) -> Result<Watcher<V>, StorageError>;

    /// Reads a range at the current revision, or the first `limit` keys of it (0: all), and watches
    /// the whole of it from the next revision on, in one step.
    fn range_and_watch(&self, range: Range, limit: usize) -> (RangeResponse<V>, Watcher<V>);

    /// Forgets history up to `revision`: it stays readable, what is older does not.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] when that was done before, [`StorageError::Future`].
    fn compact(&self, revision: Revision) -> Result<(), StorageError>;
}
