//! Reading a cache. Go: the generated listers over `cache.Indexer`
//! (`k8s.io/client-go/listers`).

use crate::store::Store;
use pintle_apimachinery::labels::Selector;
use pintle_apimachinery::{Codec, Object, ObjectKey, Str};
use std::fmt;
use std::sync::Arc;

/// Reads an informer's cache; a cheap handle. What it gives is shared with the cache and never
/// changes: clone an object to change it.
///
/// # Example: by key, by label, by namespace
/// ```
/// use pintle_apimachinery::{ObjectKey, PartialObjectMetadata};
/// use pintle_client_traits::FakeSource;
/// use pintle_informer::SharedInformer;
///
/// let informer = SharedInformer::new(FakeSource::<PartialObjectMetadata>::new());
/// let lister = informer.lister();
/// assert!(lister.get(&ObjectKey::new("team-a", "web")).is_none());
/// assert!(lister.select(&"app=web".parse()?).is_empty());
/// assert!(lister.namespace("team-a").list().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Lister<T>(Store<T>);

impl<T> Clone for Lister<T> {
    fn clone(&self) -> Self {
        Lister(self.0.clone())
    }
}

impl<T: Object + Codec> fmt::Debug for Lister<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lister").field(&self.0).finish()
    }
}

impl<T: Object + Codec> Lister<T> {
    /// Reads this store.
    pub fn new(store: &Store<T>) -> Self {
        Lister(store.clone())
    }

    /// The object with this key.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<T>> {
        self.0.get(key)
    }

    /// Looks at the object with this key; see [`Store::with`].
    pub fn with<R>(&self, key: &ObjectKey, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.with(key, look)
    }

    /// Every object, in no particular order.
    pub fn list(&self) -> Vec<Arc<T>> {
        self.0.list()
    }

    /// The objects whose labels match, in no particular order.
    pub fn select(&self, selector: &Selector) -> Vec<Arc<T>> {
        matching(self.0.list(), selector)
    }

    /// Reads one namespace.
    pub fn namespace(&self, namespace: impl Into<Str>) -> NamespaceLister<T> {
        NamespaceLister { store: self.0.clone(), namespace: namespace.into() }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The resource version that the cache has reached; empty before the first list.
    pub fn resource_version(&self) -> Str {
        self.0.resource_version()
    }
}

/// Reads one namespace of an informer's cache; see [`Lister::namespace`].
pub struct NamespaceLister<T> {
    store: Store<T>,
    namespace: Str,
}

impl<T> Clone for NamespaceLister<T> {
    fn clone(&self) -> Self {
        NamespaceLister { store: self.store.clone(), namespace: self.namespace.clone() }
    }
}

impl<T> fmt::Debug for NamespaceLister<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamespaceLister")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl<T: Object + Codec> NamespaceLister<T> {
    /// The object with this name.
    pub fn get(&self, name: &str) -> Option<Arc<T>> {
        self.store.get_named(&self.namespace, name)
    }

    /// Every object of the namespace, in no particular order.
    pub fn list(&self) -> Vec<Arc<T>> {
        self.store.list_namespace(&self.namespace)
    }

    /// The objects of the namespace whose labels match, in no particular order.
    pub fn select(&self, selector: &Selector) -> Vec<Arc<T>> {
        matching(self.list(), selector)
    }
}

fn matching<T: Object>(mut objects: Vec<Arc<T>>, selector: &Selector) -> Vec<Arc<T>> {
    if !selector.is_empty() {
        objects.retain(|object| selector.matches(&object.metadata().labels));
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::labelled;

    #[test]
    fn selects_by_label_in_all_and_in_one_namespace() {
        let store = Store::new();
        for (namespace, name, app) in [("a", "x", "web"), ("a", "y", "db"), ("b", "x", "web")] {
            store.insert(labelled(namespace, name, 1, app));
        }
        let lister = Lister::new(&store);
        let web: Selector = "app in (web)".parse().unwrap();
        assert_eq!(lister.select(&web).len(), 2);
        assert_eq!(lister.select(&Selector::default()).len(), 3);
        let in_a = lister.namespace("a");
        assert_eq!((in_a.list().len(), in_a.select(&web).len()), (2, 1));
        assert_eq!(in_a.select(&web)[0].key(), ObjectKey::new("a", "x"));
        assert!(in_a.get("y").is_some() && lister.namespace("b").get("y").is_none());
    }
}
