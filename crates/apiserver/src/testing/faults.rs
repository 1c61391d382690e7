//! What concerns a whole server: its watches and its history, and the faults that are in force.

use std::sync::Arc;

use pintle_apimachinery::Error;

use super::inject::{Fault, Injected};
use crate::core::Core;
use crate::storage::{Storage, StorageError};

/// Faults of a running server, of [`ApiServer::faults`](crate::ApiServer::faults). Clones act on
/// the same server.
#[derive(Clone)]
pub struct Faults {
    core: Arc<Core>,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults").finish_non_exhaustive()
    }
}

impl Faults {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Faults { core }
    }

    /// Has requests that match meet a fault from now on, as often as it says or until it is
    /// removed. Of several that match, each does its part; the first that refuses, answers.
    pub fn inject(&self, fault: Fault) -> Injected {
        self.core.faults.add(fault)
    }

    /// Removes every fault that was injected.
    pub fn clear(&self) {
        self.core.faults.clear();
    }

    /// Ends every watch that is open now, as a server that restarts does: the stream ends without
    /// an event. New watches are accepted.
    pub fn drop_watches(&self) {
        self.core.store.cancel_watchers(StorageError::Cancelled);
    }

    /// Ends every watch that is open now with the ERROR event of a watch that was too slow: 410
    /// Expired. New watches are accepted.
    pub fn expire_watches(&self) {
        let oldest = self.core.store.compacted();
        self.core.store.cancel_watchers(StorageError::Compacted { oldest });
    }

    /// How many watches of clients are open.
    pub fn watches(&self) -> usize {
        self.core.store.watcher_count()
    }

    /// Forgets all history before the current resource version, and answers that version. Watches
    /// and lists that ask for something older are answered with 410 from now on.
    ///
    /// # Errors
    /// Never for a server that has written since the last compaction; without a write since then
    /// there is nothing to compact, which is no error either.
    pub fn compact(&self) -> Result<u64, Error> {
        let revision = self.core.store.revision();
        if self.core.store.compacted() < revision {
            self.core
                .store
                .compact(revision)
                .map_err(|error| Error::other(format!("cannot compact: {error}")))?;
        }
        Ok(revision)
    }
}
