//! Garbage collection by owner references.
//!
//! Go counterpart: `pkg/controller/garbagecollector`. Of its graph only the edges are kept here:
//! who names which UID as an owner. Whether an owner is there is looked up in the store, where
//! Kubernetes asks the API server.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::act::Target;
use crate::core::{Core, Entry};
use crate::handlers::delete::{FOREGROUND, ORPHAN, Propagation};
use crate::object::{Owner, Stored, Summary};
use crate::registry::{Resource, Table};
use crate::status::ApiResult;

/// Who is owned by whom.
#[derive(Default)]
pub(super) struct Graph {
    /// By the UID of the owner.
    dependents: HashMap<String, Dependents>,
    /// Keys of objects that go after their dependents, by UID.
    waiting: HashMap<String, Arc<str>>,
    /// Keys of objects with an owner of a kind that nobody serves.
    unresolved: BTreeSet<Arc<str>>,
}

#[derive(Default)]
struct Dependents {
    keys: BTreeSet<Arc<str>>,
    /// The owner was seen to go, whatever the references say of its kind and name.
    gone: bool,
}

/// What becomes of an owner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// There, and staying or being deleted in the background.
    Solid,
    /// Not there.
    Dangling,
    /// Being deleted after its dependents.
    Waiting,
}

fn has(summary: &Summary, finalizer: &str) -> bool {
    summary.finalizers.iter().any(|other| other == finalizer)
}

/// Being deleted after its dependents.
fn waits(summary: &Summary) -> bool {
    summary.deleting && has(summary, FOREGROUND)
}

impl Graph {
    /// Notes a change, and whose keys are to be looked at.
    pub(super) fn change(
        &mut self,
        key: &Arc<str>,
        old: Option<&Arc<Stored>>,
        new: Option<&Arc<Stored>>,
        queue: &mut BTreeSet<Arc<str>>,
    ) {
        let none: &[Owner] = &[];
        let old_owners = old.map_or(none, |old| &old.summary.owners);
        let new_owners = new.map_or(none, |new| &new.summary.owners);
        let changed = old_owners != new_owners;
        if changed || new.is_none() {
            for owner in old_owners {
                if let Some(dependents) = self.dependents.get_mut(&owner.uid) {
                    dependents.keys.remove(key);
                    if dependents.keys.is_empty() {
                        self.dependents.remove(&owner.uid);
                    }
                }
            }
            for owner in new_owners {
                let dependents = self.dependents.entry(owner.uid.clone()).or_default();
                dependents.keys.insert(Arc::clone(key));
            }
            if new_owners.is_empty() {
                self.unresolved.remove(key);
            } else {
                queue.insert(Arc::clone(key));
            }
            // An owner may wait for this object to go, or to let it go.
            queue.extend(old_owners.iter().filter_map(|o| self.waiting.get(&o.uid)).cloned());
        }
        let Some(new) = new else {
            let Some(old) = old else { return };
            self.waiting.remove(&old.summary.uid);
            if let Some(dependents) = self.dependents.get_mut(&old.summary.uid) {
                dependents.gone = true;
                queue.extend(dependents.keys.iter().cloned());
            }
            return;
        };
        let summary = &new.summary;
        if !summary.deleting {
            return;
        }
        if has(summary, FOREGROUND) || has(summary, ORPHAN) {
            queue.insert(Arc::clone(key));
        }
        if !waits(summary) {
            self.waiting.remove(&summary.uid);
        } else if self.waiting.insert(summary.uid.clone(), Arc::clone(key)).is_none() {
            let dependents = self.dependents.get(&summary.uid);
            queue.extend(dependents.into_iter().flat_map(|d| d.keys.iter().cloned()));
        }
    }

    /// Objects whose owners could not be looked up.
    pub(super) fn take_unresolved(&mut self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut self.unresolved)
    }

    /// Does with one object what its owners, its dependents and its finalizers ask for.
    pub(super) fn review(&mut self, core: &Core, key: &Arc<str>) -> ApiResult<()> {
        let Some(entry) = core.store.get(key) else { return Ok(()) };
        let table = core.registry.table();
        let Some(resource) = table.by_key(key) else { return Ok(()) };
        let summary = &entry.value.summary;
        let target = Target::of(core, &resource, &entry.value);
        if summary.deleting {
            if has(summary, ORPHAN) {
                return self.orphan(core, &table, &target);
            }
            if waits(summary) && !self.is_blocked(core, summary) {
                return target.drop_finalizer(FOREGROUND);
            }
            return Ok(());
        }
        let mut states = Vec::with_capacity(summary.owners.len());
        for owner in &summary.owners {
            let Some(state) = self.state(core, &table, owner, &summary.namespace) else {
                // Nobody can say whether that owner is there, so nothing is done.
                self.unresolved.insert(Arc::clone(key));
                return Ok(());
            };
            states.push((owner.uid.as_str(), state));
        }
        let lost = states.iter().filter(|(_, state)| *state != State::Solid);
        let lost: Vec<&str> = lost.map(|(uid, _)| *uid).collect();
        if lost.is_empty() {
            return Ok(());
        }
        if lost.len() < states.len() {
            return target.drop_owners(&lost);
        }
        let waiting = states.iter().any(|(_, state)| *state == State::Waiting);
        if waiting && self.dependents.contains_key(&summary.uid) {
            let circle = self.of(core, &summary.uid).any(|other| waits(&other.value.summary));
            if circle {
                // Each would wait for the other.
                target.unblock_owners()?;
            }
            return target.delete(Propagation::Foreground).map(drop);
        }
        let propagation = if has(summary, ORPHAN) {
            Propagation::Orphan
        } else if has(summary, FOREGROUND) {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        target.delete(propagation).map(drop)
    }

    /// The objects that name an owner, as they are now.
    fn of<'a>(&'a self, core: &'a Core, uid: &str) -> impl Iterator<Item = Entry> + 'a {
        let keys = self.dependents.get(uid).into_iter().flat_map(|d| &d.keys);
        keys.filter_map(|key| core.store.get(key))
    }

    /// Whether a dependent keeps its owner from going.
    fn is_blocked(&self, core: &Core, owner: &Summary) -> bool {
        self.of(core, &owner.uid).any(|dependent| {
            let owners = &dependent.value.summary.owners;
            owners.iter().any(|other| other.uid == owner.uid && other.blocks)
        })
    }

    /// Dependents lose this owner, then the finalizer goes.
    fn orphan(&self, core: &Core, table: &Table, owner: &Target<'_>) -> ApiResult<()> {
        for dependent in self.of(core, owner.uid) {
            let Some(resource) = table.by_key(&dependent.key) else { continue };
            let dropped = Target::of(core, &resource, &dependent.value).drop_owners(&[owner.uid]);
            dropped.or_else(|error| if error.is_not_found() { Ok(()) } else { Err(error) })?;
        }
        owner.drop_finalizer(ORPHAN)
    }

    /// What becomes of an owner; `None` when nobody can say.
    fn state(&self, core: &Core, table: &Table, owner: &Owner, namespace: &str) -> Option<State> {
        if self.dependents.get(&owner.uid).is_some_and(|dependents| dependents.gone) {
            return Some(State::Dangling);
        }
        let resource = kind_of(table, owner)?;
        if resource.namespaced && namespace.is_empty() {
            // An owner in a namespace, of an object in none.
            return None;
        }
        // A namespaced owner is looked for beside the object, and nowhere else.
        let entry = core.store.get(&resource.key(namespace, &owner.name));
        Some(match entry {
            Some(entry) if entry.value.summary.uid != owner.uid => State::Dangling,
            Some(entry) if waits(&entry.value.summary) => State::Waiting,
            Some(_) => State::Solid,
            None => State::Dangling,
        })
    }
}

/// The resource of an owner, if its kind is served in its version.
fn kind_of<'a>(table: &'a Table, owner: &Owner) -> Option<&'a Arc<Resource>> {
    let (group, version) = owner.api_version.split_once('/').unwrap_or(("", &owner.api_version));
    let version = table.group(group)?.versions.iter().find(|v| v.version == version)?;
    version.resources.iter().find(|resource| resource.kind == owner.kind)
}
