//! Who owns what: [`ManagedFields`].
use super::Set;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one manager owns, in the version in which it wrote. Go: `fieldpath.VersionedSet`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionedSet {
    /// The fields.
    pub set: Arc<Set>,
    /// API version whose fields these are, such as `apps/v1`.
    pub api_version: String,
    /// Whether they were applied, not updated.
    pub applied: bool,
}

impl VersionedSet {
    /// Fields of a version.
    pub fn new(set: impl Into<Arc<Set>>, api_version: impl Into<String>, applied: bool) -> Self {
        VersionedSet { set: set.into(), api_version: api_version.into(), applied }
    }
    /// The same with other fields.
    #[must_use]
    pub fn with(&self, set: Set) -> Self {
        VersionedSet::new(set, self.api_version.clone(), self.applied)
    }
}

/// What every manager owns. Go: `fieldpath.ManagedFields`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedFields(pub BTreeMap<String, VersionedSet>);

impl ManagedFields {
    /// Nobody owns anything.
    pub fn new() -> Self {
        ManagedFields::default()
    }
    /// What is in one and not in the other, by manager; where the versions differ, what `other`
    /// has. Go: `Difference`.
    #[must_use]
    pub fn difference(&self, other: &ManagedFields) -> ManagedFields {
        let mut out = BTreeMap::new();
        for (manager, left) in &self.0 {
            let found = match other.0.get(manager) {
                None => (!left.set.is_empty()).then(|| left.clone()),
                Some(right) if left.api_version != right.api_version => Some(right.clone()),
                Some(right) => {
                    let (l, r) = (&left.set, &right.set);
                    let set = l.difference(r).union(&r.difference(l));
                    (!set.is_empty())
                        .then(|| VersionedSet::new(set, right.api_version.clone(), false))
                }
            };
            out.extend(found.map(|f| (manager.clone(), f)));
        }
        for (manager, right) in &other.0 {
            if !self.0.contains_key(manager) && !right.set.is_empty() {
                out.insert(manager.clone(), right.clone());
            }
        }
        ManagedFields(out)
    }
}

impl FromIterator<(String, VersionedSet)> for ManagedFields {
    fn from_iter<I: IntoIterator<Item = (String, VersionedSet)>>(entries: I) -> Self {
        ManagedFields(entries.into_iter().collect())
    }
}
