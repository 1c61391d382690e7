//! [`Map`]: a small sorted map with string keys.
use super::{List, Str};

/// A copy-on-write map from strings, kept as a sorted list: labels, annotations, resource lists.
///
/// Eight bytes; a clone is a snapshot. As in Go, it is nil (the default) or has zero or more
/// entries. Lookups are binary searches; an insert in the middle moves what follows, which is the
/// right trade for the sizes API objects have.
///
/// ```
/// use pintle_apimachinery::{Map, Str};
/// let mut labels: Map<Str> = [("app", "web")].into();
/// labels.insert("tier".into(), "front".into());
/// assert_eq!(labels["app"], "web");
/// assert_eq!(labels.get("tier").unwrap(), "front");
/// assert_eq!(labels.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(), ["app", "tier"]);
/// ```
#[repr(transparent)]
pub struct Map<V>(List<Entry<V>>);

/// The layout that values known by description have too: the key, then the value.
#[repr(C)]
#[derive(Clone, PartialEq, Eq)]
pub struct Entry<V> {
    key: Str,
    value: V,
}

impl<V> Map<V> {
    /// The nil map.
    pub const fn new() -> Self {
        Map(List::new())
    }
    /// Whether the map is nil, not merely empty.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil()
    }
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.as_slice().len()
    }
    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.find(key).ok().map(|i| &self.0.as_slice()[i].value)
    }
    /// Whether `key` is present.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }
    /// Entries in key order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Str, &V)> + ExactSizeIterator {
        self.0.as_slice().iter().map(|e| (&e.key, &e.value))
    }
    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Str> + ExactSizeIterator {
        self.iter().map(|e| e.0)
    }
    /// Values in key order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.iter().map(|e| e.1)
    }
    /// Whether both share the same entries in memory.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
    fn find(&self, key: &str) -> Result<usize, usize> {
        let entries = self.0.as_slice();
        match entries.last() {
            None => Err(0),
            Some(last) if last.key.as_str() < key => Err(entries.len()),
            _ => entries.binary_search_by(|e| e.key.as_str().cmp(key)),
        }
    }
}

impl<V: Clone + 'static> Map<V> {
    /// Sets `key` and returns what it was.
    pub fn insert(&mut self, key: Str, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(i) => Some(std::mem::replace(&mut self.0[i].value, value)),
            Err(i) => {
                self.0.insert(i, Entry { key, value });
                None
            }
        }
    }
    /// Removes `key` and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        let at = self.find(key).ok()?;
        Some(self.0.remove(at).value)
    }
    /// The value of `key` for writing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let at = self.find(key).ok()?;
        Some(&mut self.0[at].value)
    }
    /// The value of `key` for writing, made by default when absent.
    pub fn entry(&mut self, key: Str) -> &mut V
    where
        V: Default,
    {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, Entry { key, value: V::default() });
                at
            }
        };
        &mut self.0[at].value
    }
    /// Values for writing, in key order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.make_mut().iter_mut().map(|e| &mut e.value)
    }
    /// Keeps the entries for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Str, &V) -> bool) {
        self.0.retain(|e| keep(&e.key, &e.value));
    }
    /// Removes all entries.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<V> Clone for Map<V> {
    #[inline]
    fn clone(&self) -> Self {
        Map(self.0.clone())
    }
}
impl<V> Default for Map<V> {
    #[inline]
    fn default() -> Self {
        Map(List::new())
    }
}
impl<V: PartialEq> PartialEq for Map<V> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<V: Eq> Eq for Map<V> {}
impl<V: std::fmt::Debug> std::fmt::Debug for Map<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
impl<V> std::ops::Index<&str> for Map<V> {
    type Output = V;
    /// # Panics
    /// When `key` is absent; use [`Map::get`] for keys that may be.
    fn index(&self, key: &str) -> &V {
        self.get(key).unwrap_or_else(|| panic!("no entry {key:?} in the map"))
    }
}
/// The order of keys, of equal ones only the last given. Compiled once, whatever the values are.
fn order(mut keys: Vec<(usize, Str)>) -> Vec<usize> {
    keys.sort_unstable_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
    keys.dedup_by(|a, b| a.1 == b.1);
    keys.into_iter().map(|(i, _)| i).collect()
}

impl<K: Into<Str>, V: Clone + 'static> FromIterator<(K, V)> for Map<V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(i: I) -> Self {
        let mut entries: Vec<Entry<V>> =
            i.into_iter().map(|(k, value)| Entry { key: k.into(), value }).collect();
        if !entries.is_sorted_by(|a, b| a.key < b.key) {
            let order = order(entries.iter().map(|e| e.key.clone()).enumerate().collect());
            let mut given: Vec<Option<Entry<V>>> = entries.into_iter().map(Some).collect();
            entries = order.into_iter().filter_map(|i| given[i].take()).collect();
        }
        Map(entries.into())
    }
}
impl<K: Into<Str>, W: Into<V>, V: Clone + 'static, const N: usize> From<[(K, W); N]> for Map<V> {
    fn from(entries: [(K, W); N]) -> Self {
        entries.into_iter().map(|(k, v)| (k, v.into())).collect()
    }
}
impl<K: Into<Str>, V: Clone + 'static> Extend<(K, V)> for Map<V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, i: I) {
        i.into_iter().for_each(|(k, v)| {
            self.insert(k.into(), v);
        });
    }
}
impl<V: Clone + 'static> IntoIterator for Map<V> {
    type Item = (Str, V);
    type IntoIter = std::iter::Map<super::IntoIter<Entry<V>>, fn(Entry<V>) -> (Str, V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|e| (e.key, e.value))
    }
}
impl<'a, V> IntoIterator for &'a Map<V> {
    type Item = (&'a Str, &'a V);
    type IntoIter =
        std::iter::Map<std::slice::Iter<'a, Entry<V>>, fn(&'a Entry<V>) -> (&'a Str, &'a V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.as_slice().iter().map(|e| (&e.key, &e.value))
    }
}
