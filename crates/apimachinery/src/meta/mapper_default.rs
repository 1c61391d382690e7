//! A mapper that is told what there is. Go: `DefaultRESTMapper`.

use std::collections::BTreeMap;

use super::mapper::{RestMapper, RestMapping, RestScope, Wanted, guess_resource, looked_for};
use crate::{
    Error, GroupKind, GroupVersion, GroupVersionKind, GroupVersionResource, INTERNAL_VERSION,
};

/// Knows the kinds that were added to it, and prefers versions in the order that it was given.
///
/// Go gives results of versions that are not in that order at random; here they follow, in
/// alphabetical order.
///
/// ```
/// use pintle_apimachinery::meta::{DefaultRestMapper, RestMapper, RestScope};
/// use pintle_apimachinery::{GroupKind, GroupVersion, GroupVersionKind, GroupVersionResource};
///
/// let mut mapper = DefaultRestMapper::new([GroupVersion::new("apps", "v1")]);
/// mapper.add(GroupVersionKind::new("apps", "v1", "Deployment"), RestScope::Namespace);
/// let mapping = mapper.rest_mapping(&GroupKind::new("apps", "Deployment"), &[])?;
/// assert_eq!(mapping.resource.to_string(), "apps/v1, Resource=deployments");
/// let kind = mapper.kind_for(&GroupVersionResource::new("", "", "deployment"))?;
/// assert_eq!(kind.kind, "Deployment");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct DefaultRestMapper {
    preferred: Vec<GroupVersion>,
    /// By plural and by singular.
    kinds: BTreeMap<GroupVersionResource, GroupVersionKind>,
    resources: BTreeMap<GroupVersionKind, (GroupVersionResource, RestScope)>,
    /// By plural.
    singular: BTreeMap<GroupVersionResource, GroupVersionResource>,
}

impl DefaultRestMapper {
    /// Knows nothing yet. The versions are those in which a kind is looked for when none is asked
    /// for, the best first.
    pub fn new(preferred: impl IntoIterator<Item = GroupVersion>) -> Self {
        DefaultRestMapper { preferred: preferred.into_iter().collect(), ..Self::default() }
    }

    /// Adds a kind whose resource is called as one would [guess](guess_resource).
    pub fn add(&mut self, kind: GroupVersionKind, scope: RestScope) {
        let (plural, singular) = guess_resource(&kind);
        self.add_specific(kind, plural, singular, scope);
    }

    /// Adds a kind and the names of its resource. Of several kinds with one resource, the last is
    /// its kind. Go: `AddSpecific`.
    pub fn add_specific(
        &mut self,
        kind: GroupVersionKind,
        plural: GroupVersionResource,
        singular: GroupVersionResource,
        scope: RestScope,
    ) {
        self.kinds.insert(singular.clone(), kind.clone());
        self.kinds.insert(plural.clone(), kind.clone());
        self.resources.insert(kind, (plural.clone(), scope));
        self.singular.insert(plural, singular);
    }

    /// By preference, then by name.
    fn sort<T: Clone, K: Ord>(
        &self,
        found: &mut [T],
        group_version: impl Fn(&T) -> GroupVersion,
        name: impl Fn(&T) -> K,
    ) {
        found.sort_by_cached_key(|item| {
            let of = group_version(item);
            let rank = self.preferred.iter().rposition(|preferred| *preferred == of);
            (rank.unwrap_or(usize::MAX), of, name(item))
        });
    }

    /// The plurals for which this holds of the plural or the singular: twice, as in Go, where they
    /// are the same.
    fn plurals(&self, holds: impl Fn(&GroupVersionResource) -> bool) -> Vec<GroupVersionResource> {
        let mut found = Vec::new();
        for (plural, singular) in &self.singular {
            let times = usize::from(holds(singular)) + usize::from(holds(plural));
            found.extend(std::iter::repeat_n(plural, times).cloned());
        }
        found
    }
}

impl RestMapper for DefaultRestMapper {
    fn kind_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionKind, Error> {
        let mut kinds = self.kinds_for(resource)?;
        if kinds.len() > 1 {
            return Err(Error::ambiguous_resource(resource, &[], &kinds));
        }
        Ok(kinds.remove(0))
    }

    fn kinds_for(&self, resource: &GroupVersionResource) -> Result<Vec<GroupVersionKind>, Error> {
        let wanted = looked_for(resource);
        let all = |holds: &dyn Fn(&GroupVersionResource) -> bool| -> Vec<GroupVersionKind> {
            let known = self.kinds.iter().filter(|(candidate, _)| holds(candidate));
            known.map(|(_, kind)| kind.clone()).collect()
        };
        let mut found = match Wanted::new(&wanted)? {
            Wanted::Exact(exact) => self.kinds.get(exact).cloned().into_iter().collect(),
            Wanted::Group(in_group) => {
                let exact = all(&|c| c.resource == in_group.resource && c.group == in_group.group);
                if exact.is_empty() {
                    all(&|c| {
                        c.resource == in_group.resource && c.group.starts_with(&*in_group.group)
                    })
                } else {
                    exact
                }
            }
            Wanted::Version(w) => all(&|c| c.version == w.version && c.resource == w.resource),
            Wanted::Any(w) => all(&|c| c.resource == w.resource),
        };
        if found.is_empty() {
            return Err(Error::no_resource_match(resource));
        }
        self.sort(&mut found, GroupVersionKind::group_version, |kind| kind.kind.clone());
        Ok(found)
    }

    fn resource_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionResource, Error> {
        let mut resources = self.resources_for(resource)?;
        if resources.len() > 1 {
            return Err(Error::ambiguous_resource(resource, &resources, &[]));
        }
        Ok(resources.remove(0))
    }

    fn resources_for(
        &self,
        resource: &GroupVersionResource,
    ) -> Result<Vec<GroupVersionResource>, Error> {
        let wanted = looked_for(resource);
        let mut found = match Wanted::new(&wanted)? {
            Wanted::Exact(exact) => {
                let mut known = self.singular.iter();
                let found = known.find(|(plural, singular)| *singular == exact || *plural == exact);
                found.map(|(plural, _)| plural.clone()).into_iter().collect()
            }
            Wanted::Group(in_group) => {
                let exact =
                    self.plurals(|c| c.resource == in_group.resource && c.group == in_group.group);
                if exact.is_empty() {
                    let begins = |group: &str| group.starts_with(&*in_group.group);
                    let mut found = self.plurals(|c| c.resource == in_group.resource);
                    found.retain(|plural| begins(&plural.group));
                    found
                } else {
                    exact
                }
            }
            Wanted::Version(w) => {
                self.plurals(|c| c.version == w.version && c.resource == w.resource)
            }
            Wanted::Any(w) => self.plurals(|c| c.resource == w.resource),
        };
        if found.is_empty() {
            return Err(Error::no_resource_match(&wanted));
        }
        self.sort(&mut found, GroupVersionResource::group_version, |r| r.resource.clone());
        Ok(found)
    }

    fn rest_mapping(&self, kind: &GroupKind, versions: &[&str]) -> Result<RestMapping, Error> {
        Ok(self.rest_mappings(kind, versions)?.remove(0))
    }

    fn rest_mappings(
        &self,
        kind: &GroupKind,
        versions: &[&str],
    ) -> Result<Vec<RestMapping>, Error> {
        let named: Vec<GroupVersionKind> = versions
            .iter()
            .filter(|version| !version.is_empty() && **version != INTERNAL_VERSION)
            .map(|version| kind.with_version((*version).to_owned()))
            .collect();
        let candidates: Vec<GroupVersionKind> = if named.is_empty() {
            let in_group = self.preferred.iter().filter(|preferred| preferred.group == kind.group);
            in_group.map(|preferred| preferred.with_kind(kind.kind.clone())).collect()
        } else {
            named.into_iter().find(|kind| self.resources.contains_key(kind)).into_iter().collect()
        };
        if candidates.is_empty() {
            return Err(Error::no_kind_match(kind, versions));
        }
        let mapping = |kind: GroupVersionKind| {
            let (resource, scope) = self.resources.get(&kind)?;
            Some(RestMapping { resource: resource.clone(), kind, scope: *scope })
        };
        let mappings: Vec<RestMapping> = candidates.into_iter().filter_map(mapping).collect();
        if mappings.is_empty() {
            let resource = GroupVersionResource::new(kind.group.clone(), "", kind.kind.clone());
            return Err(Error::no_resource_match(&resource));
        }
        Ok(mappings)
    }

    fn singular_of(&self, resource: &str) -> Result<String, Error> {
        let resources =
            self.resources_for(&GroupVersionResource::new("", "", resource.to_owned()))?;
        let mut singular = resources.iter().filter_map(|r| self.singular.get(r));
        let Some(first) = singular.next() else {
            let message = format!("no singular of resource {resource} has been defined");
            return Err(Error::invalid(message));
        };
        if singular.any(|other| other.resource != first.resource) {
            let all: Vec<String> = resources.iter().map(ToString::to_string).collect();
            return Err(Error::invalid(format!(
                "multiple possible singular resources ([{}]) found for {resource}",
                all.join(" ")
            )));
        }
        Ok(first.resource.to_string())
    }
}
