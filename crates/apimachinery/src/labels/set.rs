//! What has labels, and a selector that borrows a set of labels. Go: `labels.Labels`, `labels.Set`,
//! `labels.ValidatedSetSelector`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::BuildHasher;

use super::Selector;
use crate::{Map, Str};

/// Something whose labels can be looked up.
pub trait Labels {
    /// The value of this label, if it is there. Go: `Lookup`.
    fn get(&self, key: &str) -> Option<&str>;

    /// The same for a key that is a [`Str`] already, which some can look up faster.
    #[inline]
    fn get_str(&self, key: &Str) -> Option<&str> {
        self.get(key.as_str())
    }

    /// Whether the label has one of these values; `None` if it is not there.
    #[inline]
    fn has_one_of(&self, key: &Str, values: &[Str]) -> Option<bool> {
        let value = self.get_str(key)?;
        Some(values.iter().any(|candidate| candidate.as_str() == value))
    }
}

/// Most objects have few labels, and most keys differ in their first word: a walk beats a search.
#[inline]
fn walk<'a>(labels: &'a Map<Str>, key: &Str) -> Option<&'a Str> {
    if labels.len() > 16 {
        return Map::get(labels, key.as_str());
    }
    Map::iter(labels).find(|(candidate, _)| *candidate == key).map(|(_, value)| value)
}

/// Labels that can be listed.
/// Go: `labels.Labels`.
pub trait LabelSet: Labels {
    /// All labels, in any order.
    fn iter(&self) -> impl Iterator<Item = (&str, &str)>;
}

impl Labels for Map<Str> {
    #[inline]
    fn get(&self, key: &str) -> Option<&str> {
        Map::get(self, key).map(Str::as_str)
    }

    #[inline]
    fn get_str(&self, key: &Str) -> Option<&str> {
        walk(self, key).map(Str::as_str)
    }

    #[inline]
    fn has_one_of(&self, key: &Str, values: &[Str]) -> Option<bool> {
        let value = walk(self, key)?;
        // Strings compare by their eight bytes first, which is all there is to short ones.
        Some(values.contains(value))
    }
}

impl LabelSet for Map<Str> {
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        Map::iter(self).map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<K: std::borrow::Borrow<str> + Ord, V: AsRef<str>> Labels for BTreeMap<K, V> {
    fn get(&self, key: &str) -> Option<&str> {
        BTreeMap::get(self, key).map(AsRef::as_ref)
    }
}

impl<K: std::borrow::Borrow<str> + Ord, V: AsRef<str>> LabelSet for BTreeMap<K, V> {
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        BTreeMap::iter(self).map(|(key, value)| (key.borrow(), value.as_ref()))
    }
}

impl<K: std::borrow::Borrow<str> + Eq + std::hash::Hash, V: AsRef<str>, S: BuildHasher> Labels
    for HashMap<K, V, S>
{
    fn get(&self, key: &str) -> Option<&str> {
        HashMap::get(self, key).map(AsRef::as_ref)
    }
}

impl<K: std::borrow::Borrow<str> + Eq + std::hash::Hash, V: AsRef<str>, S: BuildHasher> LabelSet
    for HashMap<K, V, S>
{
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        HashMap::iter(self).map(|(key, value)| (key.borrow(), value.as_ref()))
    }
}

/// Pairs; of equal keys the first counts.
impl<K: AsRef<str>, V: AsRef<str>> Labels for [(K, V)] {
    fn get(&self, key: &str) -> Option<&str> {
        self.as_ref().iter().find(|(k, _)| k.as_ref() == key).map(|(_, value)| value.as_ref())
    }
}

impl<K: AsRef<str>, V: AsRef<str>> LabelSet for [(K, V)] {
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        <[(K, V)]>::iter(self).map(|(key, value)| (key.as_ref(), value.as_ref()))
    }
}

/// Pairs; of equal keys the first counts.
impl<K: AsRef<str>, V: AsRef<str>, const N: usize> Labels for [(K, V); N] {
    fn get(&self, key: &str) -> Option<&str> {
        Labels::get(self.as_slice(), key)
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> LabelSet for [(K, V); N] {
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        LabelSet::iter(self.as_slice())
    }
}

/// Selects what has all of the labels of a set, without copying the set, as for the selector of a Service. An
/// empty set selects everything. Go: `labels.ValidatedSetSelector`.
///
/// ```
/// use pintle_apimachinery::labels::SetSelector;
///
/// let service = SetSelector(&[("app", "web")]);
/// assert!(service.matches(&[("app", "web"), ("pod-template-hash", "x")]));
/// assert_eq!(service.to_string(), "app=web");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SetSelector<'a, S>(pub &'a S);

impl<S: LabelSet> SetSelector<'_, S> {
    /// Whether these labels are selected. Allocates nothing.
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L) -> bool {
        self.0.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.0.iter().next().is_none()
    }

    /// The value that the label must have, if it is in the set.
    pub fn requires_exact_match(&self, key: &str) -> Option<&str> {
        self.0.get(key)
    }

    /// The same as an ordinary selector.
    pub fn to_selector(&self) -> Selector {
        Selector::from_set(self.0)
    }
}

impl<S: LabelSet> fmt::Display for SetSelector<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut labels: Vec<_> = self.0.iter().collect();
        labels.sort_unstable();
        for (i, (key, value)) in labels.into_iter().enumerate() {
            write!(f, "{}{key}={value}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}
