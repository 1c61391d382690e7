//! Events that are too old.
//!
//! Go counterpart: the time to live with which `pkg/registry/core/event` stores them, and etcd's
//! leases.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::storage::{Compare, Op, Revision, Storage, Txn};
use crate::timers::Moment;

const EVENTS: &str = "/registry/events/";

/// When which Event goes.
#[derive(Default)]
pub(super) struct Expiry {
    due: BTreeSet<(Moment, Arc<str>, Revision)>,
}

impl Expiry {
    /// Notes a write of an Event, which gives it its whole time again.
    pub(super) fn written(
        &mut self,
        key: &Arc<str>,
        revision: Revision,
        now: Moment,
        ttl: Duration,
    ) {
        if key.starts_with(EVENTS) && !ttl.is_zero() {
            self.due.insert((now.saturating_add(ttl), Arc::clone(key), revision));
        }
    }

    /// When there is something to do next.
    pub(super) fn next(&self) -> Option<Moment> {
        self.due.first().map(|(moment, ..)| *moment)
    }

    /// Deletes the Events whose time is over, unless they were written again.
    pub(super) fn expire(&mut self, core: &Core) {
        let now = core.timers.now();
        while self.next().is_some_and(|moment| moment <= now) {
            let Some((_, key, revision)) = self.due.pop_first() else { return };
            let key = key.to_string();
            core.store.txn(Txn {
                compare: vec![Compare::ModRevision(key.clone(), revision)],
                success: vec![Op::Delete(key)],
                failure: vec![],
            });
        }
    }
}
