//! Typed indexes of a store. Go: `cache.IndexFunc`, `cache.Indexers`, `cache.storeIndex`.

use crate::store::Store;
use crate::table::{Slot, Table};
use hashbrown::{HashMap, HashSet};
use pintle_apimachinery::{Codec, Object, ObjectKey};
use rapidhash::fast::RandomState;
use std::any::Any;
use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

/// Looks objects up by a value that a function takes from each; a cheap handle.
///
/// Made by [`SharedInformer::index`](crate::SharedInformer::index) or [`Store::index`]. It is kept
/// up to date with the store: whoever sees an object in the store sees it in the index.
pub struct Index<T, V> {
    store: Store<T>,
    at: usize,
    of: PhantomData<fn() -> V>,
}

impl<T, V> Clone for Index<T, V> {
    fn clone(&self) -> Self {
        Index { store: self.store.clone(), at: self.at, of: PhantomData }
    }
}

impl<T, V> fmt::Debug for Index<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("at", &self.at).finish_non_exhaustive()
    }
}

impl<T: Object + Codec, V: Hash + Eq + Send + Sync + 'static> Index<T, V> {
    pub(crate) fn new(store: Store<T>, at: usize) -> Self {
        Index { store, at, of: PhantomData }
    }

    fn read<R>(&self, f: impl FnOnce(&Table<T>, &IndexTable<T, V>) -> R) -> R {
        self.store.read(|inner| {
            let table = inner.indexes[self.at].as_any().downcast_ref();
            f(&inner.table, table.expect("an index keeps its place and type"))
        })
    }

    /// The objects that have this value, in no particular order: a snapshot. Go: `ByIndex`.
    pub fn get<Q>(&self, value: &Q) -> Vec<Arc<T>>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.read(|table, index| match index.buckets.get(value) {
            Some(bucket) => bucket.objects(table),
            None => Vec::new(),
        })
    }

    /// How many objects have this value.
    pub fn count<Q>(&self, value: &Q) -> usize
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.read(|_, index| index.buckets.get(value).map_or(0, Bucket::len))
    }

    /// The keys of the objects that have this value. Go: `IndexKeys`.
    pub fn keys<Q>(&self, value: &Q) -> Vec<ObjectKey>
    where
        V: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get(value).iter().map(|object| object.key()).collect()
    }

    /// Every value that some object has, in no particular order. Go: `ListIndexFuncValues`.
    pub fn values(&self) -> Vec<V>
    where
        V: Clone,
    {
        self.read(|_, index| index.buckets.keys().cloned().collect())
    }
}

/// The slots of the objects that share a value.
pub(crate) enum Bucket {
    Few(Vec<Slot>),
    Many(HashSet<Slot, RandomState>),
}

/// From this size on, removing from a list costs more than hashing.
const MANY: usize = 64;

impl Bucket {
    pub(crate) fn new(slot: Slot) -> Self {
        Bucket::Few(vec![slot])
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Bucket::Few(slots) => slots.len(),
            Bucket::Many(slots) => slots.len(),
        }
    }

    /// The slot is not in it.
    pub(crate) fn add(&mut self, slot: Slot) {
        match self {
            Bucket::Few(slots) if slots.len() < MANY => slots.push(slot),
            Bucket::Few(slots) => {
                *self = Bucket::Many(slots.drain(..).chain([slot]).collect());
            }
            Bucket::Many(slots) => {
                slots.insert(slot);
            }
        }
    }

    /// Whether it is empty now.
    pub(crate) fn remove(&mut self, slot: Slot) -> bool {
        match self {
            Bucket::Few(slots) => {
                if let Some(at) = slots.iter().position(|&s| s == slot) {
                    slots.swap_remove(at);
                }
                slots.is_empty()
            }
            Bucket::Many(slots) => {
                slots.remove(&slot);
                slots.is_empty()
            }
        }
    }

    pub(crate) fn objects<T: Object>(&self, table: &Table<T>) -> Vec<Arc<T>> {
        let mut objects = Vec::with_capacity(self.len());
        match self {
            Bucket::Few(slots) => {
                objects.extend(slots.iter().filter_map(|&s| table.at(s).cloned()))
            }
            Bucket::Many(slots) => {
                objects.extend(slots.iter().filter_map(|&s| table.at(s).cloned()))
            }
        }
        objects
    }
}

pub(crate) fn add_to<V: Hash + Eq>(
    buckets: &mut HashMap<V, Bucket, RandomState>,
    value: V,
    slot: Slot,
) {
    match buckets.entry(value) {
        hashbrown::hash_map::Entry::Occupied(mut bucket) => bucket.get_mut().add(slot),
        hashbrown::hash_map::Entry::Vacant(place) => {
            place.insert(Bucket::new(slot));
        }
    }
}

pub(crate) fn remove_from<V: Borrow<Q> + Hash + Eq, Q: Hash + Eq + ?Sized>(
    buckets: &mut HashMap<V, Bucket, RandomState>,
    value: &Q,
    slot: Slot,
) {
    if let Some(bucket) = buckets.get_mut(value)
        && bucket.remove(slot)
    {
        buckets.remove(value);
    }
}

/// What the store needs of an index, whatever its values are.
pub(crate) trait AnyIndex<T>: Send + Sync {
    fn name(&self) -> &str;
    fn insert(&mut self, slot: Slot, object: &T);
    fn update(&mut self, slot: Slot, old: &T, new: &T);
    fn remove(&mut self, slot: Slot, object: &T);
    fn as_any(&self) -> &dyn Any;
}

/// Appends the values of an object.
pub(crate) type Extract<T, V> = Box<dyn Fn(&T, &mut Vec<V>) + Send + Sync>;

pub(crate) struct IndexTable<T, V> {
    name: String,
    extract: Extract<T, V>,
    buckets: HashMap<V, Bucket, RandomState>,
    /// Kept for their memory.
    before: Vec<V>,
    after: Vec<V>,
}

impl<T, V: Hash + Eq> IndexTable<T, V> {
    pub(crate) fn new(name: String, extract: Extract<T, V>) -> Self {
        let buckets = HashMap::default();
        IndexTable { name, extract, buckets, before: Vec::new(), after: Vec::new() }
    }
}

/// Calls the function, and drops values that it gives twice.
fn values<T, V: Eq>(extract: &Extract<T, V>, object: &T, out: &mut Vec<V>) {
    out.clear();
    extract(object, out);
    let mut at = 1;
    while at < out.len() {
        let (seen, rest) = out.split_at(at);
        if seen.contains(&rest[0]) {
            out.swap_remove(at);
        } else {
            at += 1;
        }
    }
}

impl<T: 'static, V: Hash + Eq + Send + Sync + 'static> AnyIndex<T> for IndexTable<T, V> {
    fn name(&self) -> &str {
        &self.name
    }

    fn insert(&mut self, slot: Slot, object: &T) {
        values(&self.extract, object, &mut self.after);
        for value in self.after.drain(..) {
            add_to(&mut self.buckets, value, slot);
        }
    }

    fn update(&mut self, slot: Slot, old: &T, new: &T) {
        values(&self.extract, old, &mut self.before);
        values(&self.extract, new, &mut self.after);
        if self.before != self.after {
            for value in &self.before {
                if !self.after.contains(value) {
                    remove_from(&mut self.buckets, value, slot);
                }
            }
            for value in self.after.drain(..) {
                if !self.before.contains(&value) {
                    add_to(&mut self.buckets, value, slot);
                }
            }
        }
        self.before.clear();
        self.after.clear();
    }

    fn remove(&mut self, slot: Slot, object: &T) {
        values(&self.extract, object, &mut self.before);
        for value in self.before.drain(..) {
            remove_from(&mut self.buckets, &value, slot);
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
