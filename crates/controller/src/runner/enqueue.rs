//! From an event to keys. Go counterparts: controller-runtime's `pkg/handler`
//! (`EnqueueRequestForObject`, `EnqueueRequestForOwner`, `EnqueueRequestsFromMapFunc`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pintle_apimachinery::{GroupVersionKind, Object, ObjectKey};
use pintle_client_traits::{Source, SourceEvent, SourceHandler};

use super::worker::panic_message;
use crate::queue::{AddOptions, LOW_PRIORITY, WorkQueue};

/// A source, and what its events mean.
pub(super) struct Watch {
    pub(super) source: Box<dyn Source>,
    pub(super) map: Map,
}

pub(super) type KeysOf = Arc<dyn Fn(&dyn Object) -> Vec<ObjectKey> + Send + Sync>;

pub(super) enum Map {
    /// The object's own key.
    Itself,
    /// The key of the owner that controls the object.
    Owner,
    /// Whatever the user says.
    Keys(KeysOf),
}

/// The kind that `owns` looks for.
#[derive(Clone, Debug)]
pub(super) struct OwnerKind {
    pub(super) kind: GroupVersionKind,
    pub(super) namespaced: bool,
}

impl OwnerKind {
    /// The key of the object's controlling owner if it is of this kind, in whatever version.
    fn key(&self, object: &dyn Object) -> Option<ObjectKey> {
        let owner = object.controller_of()?;
        let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
        if group != self.kind.group || owner.kind != *self.kind.kind {
            return None;
        }
        let name = owner.name.clone();
        Some(if self.namespaced {
            ObjectKey::new(object.metadata().namespace.clone(), name)
        } else {
            ObjectKey::cluster(name)
        })
    }
}

/// The handler that feeds a queue.
pub(super) fn handler(
    map: Map,
    owner: Option<OwnerKind>,
    queue: WorkQueue<ObjectKey>,
    controller: String,
) -> SourceHandler {
    match map {
        Map::Itself => Box::new(move |event| add(&queue, &event, event.key())),
        Map::Owner => Box::new(move |event| {
            let Some(owner) = &owner else { return };
            let now = owner.key(event.object());
            if let SourceEvent::Updated { old, .. } = event
                && let Some(before) = owner.key(old)
                && Some(&before) != now.as_ref()
            {
                add(&queue, &event, before);
            }
            if let Some(now) = now {
                add(&queue, &event, now);
            }
        }),
        Map::Keys(keys) => Box::new(move |event| {
            // The user's code must not take the informer down with it.
            let named = catch_unwind(AssertUnwindSafe(|| {
                let mut named = match event {
                    SourceEvent::Updated { old, .. } => keys(old),
                    _ => Vec::new(),
                };
                named.extend(keys(event.object()));
                named
            }));
            match named {
                Ok(named) => named.into_iter().for_each(|key| add(&queue, &event, key)),
                Err(panic) => tracing::error!(
                    controller,
                    object = %event.key(),
                    panic = panic_message(&*panic),
                    "the mapping of an event to keys panicked; the event is passed over"
                ),
            }
        }),
    }
}

fn add(queue: &WorkQueue<ObjectKey>, event: &SourceEvent<'_>, key: ObjectKey) {
    if event.is_in_initial_list() || event.is_unchanged() {
        queue.add_with(key, AddOptions::priority(LOW_PRIORITY));
    } else {
        queue.add(key);
    }
}
