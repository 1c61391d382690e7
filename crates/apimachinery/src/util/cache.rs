//! Caches whose values are forgotten after a time, or when there are too many.
//! Go: `Expiring` and `LRUExpireCache` of `k8s.io/apimachinery/pkg/util/cache`, `k8s.io/utils/lru`.
//!
//! The caches of the ecosystem (`lru`, `quick_cache`, `moka`) lack either expiry or a clock that is
//! given, and bring unsafe code or threads; this is two maps of the standard library. A cache has
//! no lock of its own: put it behind the one that its user has.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

/// A map whose entries each expire after a time of their own.
/// Go: `cache.Expiring`.
///
/// ```
/// use pintle_apimachinery::util::ExpiringCache;
/// use std::time::Duration;
///
/// let s = Duration::from_secs;
/// let mut tokens = ExpiringCache::new();
/// tokens.set("jane", 17, s(10), s(100)); // now it is 100 s; kept for 10 s
/// assert_eq!(tokens.get(&"jane", s(109)), Some(&17));
/// assert_eq!(tokens.get(&"jane", s(110)), None);
/// ```
#[derive(Clone, Debug)]
pub struct ExpiringCache<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Keys by when they expire; the number tells equal times apart.
    by_expiry: BTreeMap<(Duration, u64), K>,
    number: u64,
    allow_expired: bool,
}

#[derive(Clone, Debug)]
struct Entry<V> {
    value: V,
    expiry: (Duration, u64),
}

impl<K, V> Default for ExpiringCache<K, V> {
    fn default() -> Self {
        ExpiringCache {
            entries: HashMap::new(),
            by_expiry: BTreeMap::new(),
            number: 0,
            allow_expired: false,
        }
    }
}

impl<K: Clone + Eq + Hash, V> ExpiringCache<K, V> {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Values that have expired are given until they are cleared away: for keys that only ever have
    /// one value. Go: `AllowExpiredGet`.
    #[must_use]
    pub fn allow_expired(mut self) -> Self {
        self.allow_expired = true;
        self
    }

    /// The value of a key, if it has not expired.
    pub fn get(&self, key: &K, now: Duration) -> Option<&V> {
        let entry = self.entries.get(key)?;
        (self.allow_expired || now < entry.expiry.0).then_some(&entry.value)
    }

    /// Sets the value of a key for a time from now, and clears away what has expired before. A time
    /// of zero is kept, and not given, until the next call.
    pub fn set(&mut self, key: K, value: V, keep: Duration, now: Duration) {
        self.delete(&key);
        while let Some(first) = self.by_expiry.first_entry().filter(|e| e.key().0 <= now) {
            self.entries.remove(&first.remove());
        }
        self.number += 1;
        let expiry = (now.saturating_add(keep), self.number);
        self.by_expiry.insert(expiry, key.clone());
        self.entries.insert(key, Entry { value, expiry });
    }

    /// Removes a key and gives its value, expired or not.
    pub fn delete(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.by_expiry.remove(&entry.expiry);
        Some(entry.value)
    }

    /// How many entries there are, those that have expired and were not yet cleared away too.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A map of limited size, which forgets what was used longest ago. Go: `lru.Cache` of `k8s.io/utils`.
///
/// ```
/// use pintle_apimachinery::util::LruCache;
/// let mut cache = LruCache::new(2);
/// cache.insert("a", 1);
/// cache.insert("b", 2);
/// cache.get(&"a");
/// assert_eq!(cache.insert("c", 3), Some(("b", 2)));
/// ```
#[derive(Clone, Debug)]
pub struct LruCache<K, V> {
    capacity: usize,
    tick: u64,
    values: HashMap<K, (u64, V)>,
    by_use: BTreeMap<u64, K>,
}

impl<K: Clone + Eq + Hash, V> LruCache<K, V> {
    /// Holds at most `capacity` values, and at least one.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        LruCache { capacity, tick: 0, values: HashMap::new(), by_use: BTreeMap::new() }
    }

    /// Notes that the key is used now; it must be there.
    fn touch(&mut self, key: &K) {
        self.tick += 1;
        if let Some((last, _)) = self.values.get_mut(key)
            && let Some(key) = self.by_use.remove(last)
        {
            *last = self.tick;
            self.by_use.insert(self.tick, key);
        }
    }

    /// The value of a key, which is now the one used last.
    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        self.touch(key);
        self.values.get_mut(key).map(|(_, value)| value)
    }

    /// The value of a key, without using it.
    pub fn peek(&self, key: &K) -> Option<&V> {
        self.values.get(key).map(|(_, value)| value)
    }

    /// The value of a key, made if it is not there; it is now the one used last.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        if self.values.contains_key(&key) {
            self.touch(&key);
        } else {
            self.make_room();
            self.tick += 1;
            self.by_use.insert(self.tick, key.clone());
        }
        let tick = self.tick;
        &mut self.values.entry(key).or_insert_with(|| (tick, make())).1
    }

    /// Sets the value of a key, which is now the one used last. Gives what had to go for it.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        if let Some(old) = self.get(&key) {
            *old = value;
            return None;
        }
        let gone = self.make_room();
        self.tick += 1;
        self.by_use.insert(self.tick, key.clone());
        self.values.insert(key, (self.tick, value));
        gone
    }

    fn make_room(&mut self) -> Option<(K, V)> {
        if self.values.len() < self.capacity {
            return None;
        }
        let (_, oldest) = self.by_use.pop_first()?;
        let (_, value) = self.values.remove(&oldest)?;
        Some((oldest, value))
    }

    /// Removes a key and gives its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (tick, value) = self.values.remove(key)?;
        self.by_use.remove(&tick);
        Some(value)
    }

    /// Removes all keys that this says are to go. Go: `RemoveAll`.
    pub fn remove_all(&mut self, mut goes: impl FnMut(&K) -> bool) {
        self.by_use.retain(|_, key| {
            let stays = !goes(key);
            if !stays {
                self.values.remove(key);
            }
            stays
        });
    }

    /// The keys, that used longest ago first.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.by_use.values()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// An [`LruCache`] whose values also expire. Go: `LRUExpireCache`.
///
/// ```
/// use pintle_apimachinery::util::LruExpireCache;
/// use std::time::Duration;
///
/// let s = Duration::from_secs;
/// let mut cache = LruExpireCache::new(1_000);
/// cache.add("jane", true, s(10), s(0));
/// assert_eq!(cache.get(&"jane", s(10)), Some(&true));
/// assert_eq!(cache.get(&"jane", s(11)), None);
/// ```
#[derive(Clone, Debug)]
pub struct LruExpireCache<K, V>(LruCache<K, (V, Duration)>);

impl<K: Clone + Eq + Hash, V> LruExpireCache<K, V> {
    /// Holds at most `capacity` values, and at least one.
    pub fn new(capacity: usize) -> Self {
        LruExpireCache(LruCache::new(capacity))
    }

    /// Sets the value of a key for a time from now; it is now the one used last.
    pub fn add(&mut self, key: K, value: V, keep: Duration, now: Duration) {
        self.0.insert(key, (value, now.saturating_add(keep)));
    }

    /// The value of a key, which is now the one used last; one that has expired is removed. A value
    /// is still given at the moment it expires, unlike in [`ExpiringCache`]: both are Go's.
    pub fn get(&mut self, key: &K, now: Duration) -> Option<&V> {
        let (_, expiry) = self.0.peek(key)?;
        if now > *expiry {
            self.0.remove(key);
            return None;
        }
        self.0.get(key).map(|(value, _)| &*value)
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &K) {
        self.0.remove(key);
    }

    /// Removes all keys that this says are to go.
    pub fn remove_all(&mut self, goes: impl FnMut(&K) -> bool) {
        self.0.remove_all(goes);
    }

    /// The keys that have not expired, that used longest ago first.
    pub fn keys(&self, now: Duration) -> impl Iterator<Item = &K> {
        self.0.keys().filter(move |key| self.0.peek(key).is_some_and(|(_, expiry)| now <= *expiry))
    }
}
