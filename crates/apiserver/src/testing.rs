//! For tests: what goes wrong with real servers, on demand.

use std::sync::Arc;

use pintle_apimachinery::Error;

use crate::core::Core;
use crate::storage::Storage;

/// Faults of a running server. Clones act on the same server.
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

    /// Ends every watch that is open now, as a server that restarts does: the stream ends without
    /// an event. New watches are accepted.
    pub fn drop_watches(&self) {
        self.core.store.cancel_watchers();
    }

    /// How many watches are open, those of the server's own controllers included.
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
