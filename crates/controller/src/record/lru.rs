//! A map that forgets what was used longest ago. Go counterpart: `k8s.io/utils/lru`.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use rapidhash::fast::RandomState;

#[derive(Debug)]
pub(super) struct Lru<K, V> {
    capacity: usize,
    tick: u64,
    values: HashMap<K, (u64, V), RandomState>,
    by_use: BTreeMap<u64, K>,
}

impl<K: Clone + Eq + Hash, V> Lru<K, V> {
    /// Holds at most `capacity` values, and at least one.
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Lru { capacity, tick: 0, values: HashMap::default(), by_use: BTreeMap::new() }
    }

    /// The value of the key, made if it is not there; now the one used last.
    pub(super) fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.tick += 1;
        let tick = self.tick;
        match self.values.get(&key) {
            Some((last, _)) => {
                self.by_use.remove(last);
            }
            None => {
                if self.values.len() >= self.capacity
                    && let Some((_, oldest)) = self.by_use.pop_first()
                {
                    self.values.remove(&oldest);
                }
            }
        }
        self.by_use.insert(tick, key.clone());
        let (last, value) = self.values.entry(key).or_insert_with(|| (tick, make()));
        *last = tick;
        value
    }

    /// Sets the value of the key, which is now the one used last.
    pub(super) fn insert(&mut self, key: K, value: V)
    where
        V: Default,
    {
        *self.get_or_insert_with(key, V::default) = value;
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.values.len(), self.by_use.len());
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_used_longest_ago_goes() {
        let mut lru = Lru::new(2);
        lru.insert("a", 1);
        lru.insert("b", 2);
        assert_eq!(*lru.get_or_insert_with("a", || 0), 1);
        lru.insert("c", 3); // b goes
        assert_eq!(*lru.get_or_insert_with("a", || 0), 1);
        assert_eq!(*lru.get_or_insert_with("c", || 0), 3);
        assert_eq!(*lru.get_or_insert_with("b", || 20), 20); // a goes
        lru.insert("b", 21);
        assert_eq!(*lru.get_or_insert_with("b", || 0), 21);
        assert_eq!(*lru.get_or_insert_with("a", || 10), 10);
        for i in 0..1000 {
            lru.insert(if i % 3 == 0 { "x" } else { "y" }, i);
        }
        assert_eq!(lru.len(), 2);
    }
}
