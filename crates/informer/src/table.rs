//! Objects by key, without locks. Go: the map inside `cache.threadSafeMap`.
//!
//! The objects lie in numbered slots; the hash table and the indexes hold slot numbers of four
//! bytes. There are no keys beside the objects: namespace and name are compared in their metadata.

use hashbrown::HashTable;
use pintle_apimachinery::{Object, ObjectMeta};
use rapidhash::fast::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// The place of an object in a [`Table`]. It stays the same until the object is removed.
pub(crate) type Slot = u32;

pub(crate) struct Table<T> {
    slots: Vec<Option<Arc<T>>>,
    free: Vec<Slot>,
    by_key: HashTable<Slot>,
    hasher: RandomState,
}

fn hash(hasher: &RandomState, namespace: &str, name: &str) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(name.as_bytes());
    state.write(namespace.as_bytes());
    state.finish()
}

fn is(meta: &ObjectMeta, namespace: &str, name: &str) -> bool {
    meta.name.as_str() == name && meta.namespace.as_str() == namespace
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table {
            slots: Vec::new(),
            free: Vec::new(),
            by_key: HashTable::new(),
            hasher: RandomState::default(),
        }
    }
}

impl<T: Object> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(crate) fn at(&self, slot: Slot) -> Option<&Arc<T>> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(crate) fn find(&self, namespace: &str, name: &str) -> Option<Slot> {
        let hash = hash(&self.hasher, namespace, name);
        let slots = &self.slots;
        self.by_key
            .find(hash, |&slot| match &slots[slot as usize] {
                Some(object) => is(object.metadata(), namespace, name),
                None => false,
            })
            .copied()
    }

    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<&Arc<T>> {
        self.at(self.find(namespace, name)?)
    }

    /// Puts an object in, and gives back its slot and what was there under its key.
    pub(crate) fn insert(&mut self, object: Arc<T>) -> (Slot, Option<Arc<T>>) {
        let Table { slots, free, by_key, hasher } = self;
        let meta = object.metadata();
        let (namespace, name) = (meta.namespace.as_str(), meta.name.as_str());
        let entry = by_key.entry(
            hash(hasher, namespace, name),
            |&slot| match &slots[slot as usize] {
                Some(object) => is(object.metadata(), namespace, name),
                None => false,
            },
            |&slot| match &slots[slot as usize] {
                Some(object) => hash(hasher, object.namespace(), object.name()),
                None => 0,
            },
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => {
                let slot = *entry.get();
                (slot, slots[slot as usize].replace(object))
            }
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let slot = free.pop().unwrap_or(slots.len() as Slot);
                entry.insert(slot);
                match slots.get_mut(slot as usize) {
                    Some(place) => *place = Some(object),
                    None => slots.push(Some(object)),
                }
                (slot, None)
            }
        }
    }

    pub(crate) fn remove(&mut self, namespace: &str, name: &str) -> Option<(Slot, Arc<T>)> {
        let hash = hash(&self.hasher, namespace, name);
        let slots = &mut self.slots;
        let entry = self
            .by_key
            .find_entry(hash, |&slot| match &slots[slot as usize] {
                Some(object) => is(object.metadata(), namespace, name),
                None => false,
            })
            .ok()?;
        let (slot, _) = entry.remove();
        let object = slots[slot as usize].take()?;
        self.free.push(slot);
        Some((slot, object))
    }

    /// Every object, in the order of slots: the order of insertion until something is removed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &Arc<T>)> {
        let numbered = self.slots.iter().enumerate();
        numbered.filter_map(|(slot, object)| Some((slot as Slot, object.as_ref()?)))
    }

    pub(crate) fn into_objects(self) -> impl Iterator<Item = Arc<T>> {
        self.slots.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::object;

    #[test]
    fn slots_are_kept_reused_and_found_again() {
        let mut table = Table::default();
        let (a, none) = table.insert(Arc::new(object("ns", "a", 1)));
        assert!(none.is_none());
        let (b, _) = table.insert(Arc::new(object("ns", "b", 2)));
        let (again, old) = table.insert(Arc::new(object("ns", "a", 3)));
        assert_eq!((again, old.unwrap().resource_version()), (a, "1"));
        assert_eq!(table.remove("ns", "b").unwrap().0, b);
        assert!(table.remove("ns", "b").is_none());
        assert_eq!(table.insert(Arc::new(object("other", "b", 4))).0, b);
        assert!(table.get("ns", "b").is_none());
        assert_eq!(table.get("other", "b").unwrap().resource_version(), "4");
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn boundaries_between_namespace_and_name_count() {
        let mut table = Table::default();
        for i in 0..1000 {
            table.insert(Arc::new(object(&"n".repeat(i), "n", 1)));
        }
        assert_eq!(table.len(), 1000);
        for i in 0..1000 {
            assert_eq!(table.get(&"n".repeat(i), "n").unwrap().namespace().len(), i);
        }
        assert!(table.get("n", "nn").is_none());
        assert_eq!(table.iter().count(), 1000);
    }
}
