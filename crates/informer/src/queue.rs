//! What the reflector has seen and the store does not show yet, in order. Go: `cache.RealFIFO`.
//!
//! Pure: no clock, no lock. Unlike DeltaFIFO it never merges: events leave in the order in which
//! they came, over all keys. A replace is one event, so that the whole list is stored at once.
//! Go ends a batch at the second event of a key, because its store transactions cannot hold two;
//! ours can.

use crate::table::Table;
use pintle_apimachinery::Str;
use std::collections::VecDeque;
use std::sync::Arc;

/// One event on its way to the store.
pub(crate) enum Delta<T> {
    /// An object was added or modified.
    Upsert { object: Arc<T>, resource_version: Option<Str> },
    /// An object was deleted.
    Delete { object: Arc<T>, resource_version: Option<Str> },
    /// The stream has reached a resource version.
    Bookmark { resource_version: Option<Str> },
    /// These objects are all there are.
    Replace { objects: Table<T>, resource_version: Str },
}

/// What is stored and told in one go.
pub(crate) enum Batch<T> {
    /// A [`Delta::Replace`].
    Replace { objects: Table<T>, resource_version: Str },
    /// Anything else, in order.
    Changes(Vec<Delta<T>>),
}

pub(crate) struct EventQueue<T>(VecDeque<Delta<T>>);

/// Events in a batch at most, so that readers of the store wait for no more.
pub(crate) const MAX_BATCH: usize = 1000;

impl<T> EventQueue<T> {
    pub(crate) fn new() -> Self {
        EventQueue(VecDeque::new())
    }

    pub(crate) fn push(&mut self, delta: Delta<T>) {
        self.0.push_back(delta);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes the longest run of changes from the front, or one replace.
    pub(crate) fn pop(&mut self) -> Option<Batch<T>> {
        if let Some(Delta::Replace { .. }) = self.0.front() {
            let Some(Delta::Replace { objects, resource_version }) = self.0.pop_front() else {
                return None;
            };
            return Some(Batch::Replace { objects, resource_version });
        }
        let limit = self.0.len().min(MAX_BATCH);
        let changes = self.0.iter().take(limit);
        let run = changes.take_while(|delta| !matches!(delta, Delta::Replace { .. })).count();
        (run > 0).then(|| Batch::Changes(self.0.drain(..run).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::object;
    use pintle_apimachinery::{Object, PartialObjectMetadata};

    fn upsert(name: &str, version: u64) -> Delta<PartialObjectMetadata> {
        let object = Arc::new(object("ns", name, version));
        Delta::Upsert { object, resource_version: None }
    }

    #[test]
    fn events_leave_in_order_and_a_replace_leaves_alone() {
        let mut queue = EventQueue::new();
        queue.push(upsert("b", 1));
        queue.push(upsert("a", 2));
        queue.push(upsert("b", 3));
        queue.push(Delta::Replace { objects: Table::default(), resource_version: "4".into() });
        queue.push(Delta::Bookmark { resource_version: Some("5".into()) });
        let Some(Batch::Changes(changes)) = queue.pop() else { panic!("not changes") };
        let seen: Vec<_> = (changes.iter())
            .map(|delta| match delta {
                Delta::Upsert { object, .. } => (object.name(), object.resource_version()),
                _ => panic!("not an upsert"),
            })
            .collect();
        assert_eq!(seen, [("b", "1"), ("a", "2"), ("b", "3")]);
        assert!(
            matches!(queue.pop(), Some(Batch::Replace { resource_version, .. }) if resource_version == "4")
        );
        assert!(matches!(queue.pop(), Some(Batch::Changes(c)) if c.len() == 1));
        assert!(queue.pop().is_none());
    }

    #[test]
    fn a_batch_has_an_end() {
        let mut queue = EventQueue::new();
        for i in 0..MAX_BATCH + 1 {
            queue.push(upsert("a", i as u64));
        }
        assert!(matches!(queue.pop(), Some(Batch::Changes(c)) if c.len() == MAX_BATCH));
        assert_eq!(queue.len(), 1);
    }
}
