//! The thread-safe store of a cache. Go: `cache.Store`, `cache.Indexer`, `cache.ThreadSafeStore`.

use crate::index::{AnyIndex, Bucket, Index, IndexTable, add_to, remove_from};
use crate::table::Table;
use hashbrown::HashMap;
use pintle_apimachinery::{Codec, Error, Object, ObjectKey, Str};
use rapidhash::fast::RandomState;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

/// Objects by key, with indexes; clones are handles to one store.
///
/// Every read is a snapshot taken under a lock that is held only while pointers are copied, so it
/// may be called anywhere, also from async code, and what it gives never changes afterwards.
/// An informer has a store of its own and shows it through a [`Lister`](crate::Lister); use this
/// type for caches that you fill yourself.
///
/// # Example: a store with an index
/// ```
/// use pintle_apimachinery::{ObjectKey, PartialObjectMetadata};
/// use pintle_informer::Store;
///
/// let store = Store::<PartialObjectMetadata>::new();
/// let by_team = store.index("team", |object| object.metadata.labels.get("team").cloned())?;
/// let mut web = PartialObjectMetadata::default();
/// web.metadata.name = "web".into();
/// web.metadata.labels.insert("team".into(), "a".into());
/// store.insert(web);
/// assert_eq!(by_team.get("a").len(), 1);
/// assert!(store.get(&ObjectKey::cluster("web")).is_some());
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub struct Store<T>(Arc<RwLock<Inner<T>>>);

pub(crate) struct Inner<T> {
    pub(crate) table: Table<T>,
    /// By namespace; objects without one are not in it.
    namespaces: HashMap<Str, Bucket, RandomState>,
    pub(crate) indexes: Vec<Box<dyn AnyIndex<T>>>,
    resource_version: Str,
}

impl<T> Clone for Store<T> {
    fn clone(&self) -> Self {
        Store(self.0.clone())
    }
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Store(Arc::new(RwLock::new(Inner {
            table: Table::default(),
            namespaces: HashMap::default(),
            indexes: Vec::new(),
            resource_version: Str::default(),
        })))
    }
}

impl<T: Object + Codec> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read(|inner| {
            f.debug_struct("Store")
                .field("len", &inner.table.len())
                .field("resource_version", &inner.resource_version)
                .finish_non_exhaustive()
        })
    }
}

impl<T: Object + Codec> Store<T> {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn read<R>(&self, f: impl FnOnce(&Inner<T>) -> R) -> R {
        f(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The object with this key.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<T>> {
        self.get_named(&key.namespace, &key.name)
    }

    /// Looks at the object with this key without keeping it, which is cheaper than
    /// [`get`](Self::get). `look` runs under the store's lock: it must be short, and must not
    /// use the store.
    pub fn with<R>(&self, key: &ObjectKey, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.read(|inner| inner.table.get(&key.namespace, &key.name).map(|object| look(object)))
    }

    pub(crate) fn get_named(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        self.read(|inner| inner.table.get(namespace, name).cloned())
    }

    /// Every object, in no particular order.
    pub fn list(&self) -> Vec<Arc<T>> {
        self.read(|inner| {
            let mut objects = Vec::with_capacity(inner.table.len());
            objects.extend(inner.table.iter().map(|(_, object)| object.clone()));
            objects
        })
    }

    /// Every object of a namespace, in no particular order.
    pub fn list_namespace(&self, namespace: &str) -> Vec<Arc<T>> {
        self.read(|inner| match inner.namespaces.get(namespace) {
            Some(bucket) => bucket.objects(&inner.table),
            None => Vec::new(),
        })
    }

    /// The namespaces that have objects here, in no particular order.
    pub fn namespaces(&self) -> Vec<Str> {
        self.read(|inner| inner.namespaces.keys().cloned().collect())
    }

    /// The key of every object, in no particular order.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.read(|inner| inner.table.iter().map(|(_, object)| object.key()).collect())
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.read(|inner| inner.table.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The resource version that the objects as a whole have reached; empty until the first
    /// [`replace`](Self::replace). Go: `LastStoreSyncResourceVersion`.
    pub fn resource_version(&self) -> Str {
        self.read(|inner| inner.resource_version.clone())
    }

    /// Adds an index: the values that `values` gives for an object, any number of them, find it.
    /// May be called at any time; objects that are there already are indexed now. Go:
    /// `AddIndexers`.
    ///
    /// `values` must always give the same for the same object, and is called under the store's
    /// lock: it must not use the store.
    ///
    /// # Errors
    /// There is an index of that name; see [`find_index`](Self::find_index).
    pub fn index<V, I>(
        &self,
        name: &str,
        values: impl Fn(&T) -> I + Send + Sync + 'static,
    ) -> Result<Index<T, V>, Error>
    where
        V: Hash + Eq + Send + Sync + 'static,
        I: IntoIterator<Item = V>,
    {
        let extract = Box::new(move |object: &T, out: &mut Vec<V>| out.extend(values(object)));
        let mut index = IndexTable::new(name.to_owned(), extract);
        self.write(|inner| {
            if inner.indexes.iter().any(|other| other.name() == name) {
                return Err(Error::invalid(format!(
                    "there is an index {name:?} already: choose another name, or use find_index"
                )));
            }
            for (slot, object) in inner.table.iter() {
                index.insert(slot, object);
            }
            inner.indexes.push(Box::new(index));
            Ok(Index::new(self.clone(), inner.indexes.len() - 1))
        })
    }

    /// The index of this name, if there is one with values of type `V`.
    pub fn find_index<V: Hash + Eq + Send + Sync + 'static>(
        &self,
        name: &str,
    ) -> Option<Index<T, V>> {
        self.read(|inner| {
            let at = inner.indexes.iter().position(|index| index.name() == name)?;
            inner.indexes[at].as_any().downcast_ref::<IndexTable<T, V>>()?;
            Some(Index::new(self.clone(), at))
        })
    }

    fn write<R>(&self, f: impl FnOnce(&mut Inner<T>) -> R) -> R {
        f(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts an object in, in place of the one with its key, which is given back. Whatever the new
    /// one has in common with the old one is shared, so that changes cost little memory.
    pub fn insert(&self, mut object: T) -> Option<Arc<T>> {
        let meta = object.metadata();
        if let Some(old) = self.get_named(&meta.namespace, &meta.name) {
            object.reuse(&old);
        }
        self.transaction(|tx| tx.insert(Arc::new(object)))
    }

    /// Takes the object with this key out.
    pub fn remove(&self, key: &ObjectKey) -> Option<Arc<T>> {
        self.transaction(|tx| tx.remove(key))
    }

    /// Makes these objects the only ones, at once.
    pub fn replace(&self, objects: impl IntoIterator<Item = T>, resource_version: impl Into<Str>) {
        let mut new = Table::default();
        for mut object in objects {
            let meta = object.metadata();
            if let Some(old) = self.get_named(&meta.namespace, &meta.name) {
                object.reuse(&old);
            }
            new.insert(Arc::new(object));
        }
        let resource_version = resource_version.into();
        // What is replaced is dropped after the lock is free.
        let _old = self.transaction(|tx| {
            let mut old = tx.remove_absent(&new);
            old.extend(new.into_objects().filter_map(|object| tx.insert(object)));
            tx.set_resource_version(resource_version);
            old
        });
    }

    /// Makes several changes that readers see at once or not at all.
    ///
    /// The store's lock is held while `changes` runs: prepare the objects before, and do not use
    /// the store itself inside.
    ///
    /// # Example: move a label's owner in one go
    /// ```
    /// use pintle_apimachinery::{ObjectKey, PartialObjectMetadata};
    /// use pintle_informer::Store;
    /// use std::sync::Arc;
    ///
    /// let store = Store::<PartialObjectMetadata>::new();
    /// let mut b = PartialObjectMetadata::default();
    /// b.metadata.name = "b".into();
    /// store.transaction(|tx| {
    ///     tx.remove(&ObjectKey::cluster("a"));
    ///     tx.insert(Arc::new(b));
    ///     tx.set_resource_version("7".into());
    /// });
    /// assert_eq!((store.len(), store.resource_version().as_str()), (1, "7"));
    /// ```
    pub fn transaction<R>(&self, changes: impl FnOnce(&mut Transaction<'_, T>) -> R) -> R {
        self.write(|inner| changes(&mut Transaction(inner)))
    }
}

/// Changes of a [`Store`] that are seen together; see [`Store::transaction`].
pub struct Transaction<'a, T>(&'a mut Inner<T>);

impl<T> fmt::Debug for Transaction<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl<T: Object + Codec> Transaction<'_, T> {
    /// The object with this key.
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<T>> {
        self.0.table.get(&key.namespace, &key.name)
    }

    /// Puts an object in, and gives back the one it replaces. The object is taken as it is; see
    /// [`Codec::reuse`] for making it share with the old one.
    pub fn insert(&mut self, object: Arc<T>) -> Option<Arc<T>> {
        let Inner { table, namespaces, indexes, .. } = &mut *self.0;
        let (slot, old) = table.insert(object);
        let new = table.at(slot).expect("just put there");
        match &old {
            Some(old) => {
                for index in indexes {
                    index.update(slot, old, new);
                }
            }
            None => {
                let namespace = &new.metadata().namespace;
                if let Some(bucket) = namespaces.get_mut(namespace) {
                    bucket.add(slot);
                } else if !namespace.is_empty() {
                    add_to(namespaces, namespace.clone(), slot);
                }
                for index in indexes {
                    index.insert(slot, new);
                }
            }
        }
        old
    }

    /// Takes the object with this key out.
    pub fn remove(&mut self, key: &ObjectKey) -> Option<Arc<T>> {
        self.remove_named(&key.namespace, &key.name)
    }

    pub(crate) fn remove_named(&mut self, namespace: &str, name: &str) -> Option<Arc<T>> {
        let (slot, old) = self.0.table.remove(namespace, name)?;
        remove_from(&mut self.0.namespaces, namespace, slot);
        for index in &mut self.0.indexes {
            index.remove(slot, &old);
        }
        Some(old)
    }

    /// Takes out what has no counterpart in `new`.
    pub(crate) fn remove_absent(&mut self, new: &Table<T>) -> Vec<Arc<T>> {
        let absent: Vec<ObjectKey> = (self.0.table.iter())
            .filter(|(_, object)| new.find(object.namespace(), object.name()).is_none())
            .map(|(_, object)| object.key())
            .collect();
        absent.iter().filter_map(|key| self.remove(key)).collect()
    }

    /// Says which resource version the objects as a whole have reached now.
    pub fn set_resource_version(&mut self, resource_version: Str) {
        self.0.resource_version = resource_version;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{labelled, object};
    use pintle_apimachinery::PartialObjectMetadata as Meta;

    fn by_label(store: &Store<Meta>) -> Index<Meta, Str> {
        store.index("app", |m| m.metadata.labels.get("app").cloned()).unwrap()
    }

    fn names(objects: &[Arc<Meta>]) -> Vec<String> {
        let mut names: Vec<_> = objects.iter().map(|o| o.name().to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn indexes_follow_insert_update_and_remove() {
        let store = Store::new();
        store.insert(labelled("ns", "early", 1, "web"));
        let apps = by_label(&store);
        assert_eq!(names(&apps.get("web")), ["early"], "indexed though it was there before");
        store.insert(labelled("ns", "late", 2, "web"));
        store.insert(labelled("ns", "early", 3, "db"));
        assert_eq!(names(&apps.get("web")), ["late"]);
        assert_eq!(names(&apps.get("db")), ["early"]);
        assert_eq!(apps.get("db")[0].resource_version(), "3");
        store.remove(&ObjectKey::new("ns", "late"));
        assert_eq!(apps.values(), ["db"], "a value without objects is forgotten");
        store.insert(object("ns", "early", 4));
        assert_eq!((apps.count("db"), apps.values().len()), (0, 0));
    }

    #[test]
    fn an_index_may_give_several_values_and_any_type() {
        let store = Store::<Meta>::new();
        let letters =
            store.index("letters", |m| m.metadata.name.chars().collect::<Vec<_>>()).unwrap();
        store.insert(object("", "anna", 1));
        store.insert(object("", "nil", 1));
        assert_eq!(names(&letters.get(&'n')), ["anna", "nil"]);
        assert_eq!(letters.count(&'a'), 1, "a value given twice counts once");
        store.remove(&ObjectKey::cluster("anna"));
        assert_eq!(letters.keys(&'n'), [ObjectKey::cluster("nil")]);
        assert_eq!(letters.count(&'a'), 0);
    }

    #[test]
    fn an_index_name_is_taken_once() {
        let store = Store::<Meta>::new();
        by_label(&store);
        let error = store.index("app", |m| [m.metadata.name.clone()]).unwrap_err();
        assert!(error.is_invalid_argument(), "{error}");
        assert!(store.find_index::<Str>("app").is_some());
        assert!(store.find_index::<u8>("app").is_none(), "values have another type");
        assert!(store.find_index::<Str>("node").is_none());
    }

    #[test]
    fn a_large_bucket_is_an_index_like_a_small_one() {
        let store = Store::new();
        let apps = by_label(&store);
        for i in 0..500 {
            store.insert(labelled("ns", &format!("o{i}"), 1, "web"));
        }
        assert_eq!(apps.get("web").len(), 500);
        assert_eq!(store.list_namespace("ns").len(), 500);
        for i in 0..499 {
            store.remove(&ObjectKey::new("ns", format!("o{i}")));
        }
        assert_eq!(names(&apps.get("web")), ["o499"]);
        assert_eq!(names(&store.list_namespace("ns")), ["o499"]);
    }

    #[test]
    fn replace_is_whole_and_keeps_the_namespace_index() {
        let store = Store::new();
        let apps = by_label(&store);
        store.insert(labelled("a", "x", 1, "web"));
        store.insert(labelled("a", "y", 1, "web"));
        store.replace([labelled("a", "y", 2, "db"), labelled("b", "z", 2, "web")], "9");
        assert_eq!(store.resource_version(), "9");
        assert_eq!(names(&store.list()), ["y", "z"]);
        assert_eq!(names(&apps.get("web")), ["z"]);
        assert_eq!(names(&store.list_namespace("a")), ["y"]);
        let mut namespaces = store.namespaces();
        namespaces.sort();
        assert_eq!(namespaces, ["a", "b"]);
    }

    #[test]
    fn an_update_shares_what_did_not_change() {
        let store = Store::new();
        let long = "a-label-value-too-long-to-be-inline";
        store.insert(labelled("ns", "a-name-of-some-length", 1, long));
        let old = store.insert(labelled("ns", "a-name-of-some-length", 2, long)).unwrap();
        let new = store.get(&old.key()).unwrap();
        assert_eq!(new.resource_version(), "2");
        assert!(new.metadata.name.ptr_eq(&old.metadata.name));
        assert!(new.metadata.labels["app"].ptr_eq(&old.metadata.labels["app"]));
    }

    #[test]
    fn readers_never_see_half_a_transaction() {
        let store = Store::<Meta>::new();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for i in 1..2000 {
                    let objects = ["a", "b", "c"].map(|name| Arc::new(object("ns", name, i)));
                    store.transaction(|tx| objects.map(|object| tx.insert(object)));
                }
            });
            while !writer.is_finished() {
                let seen = store.list();
                assert!(seen.is_empty() || seen.len() == 3);
                assert!(
                    seen.windows(2).all(|w| w[0].resource_version() == w[1].resource_version())
                );
            }
        });
    }
}
