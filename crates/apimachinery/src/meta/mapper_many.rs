//! Mappers made of mappers. Go: `MultiRESTMapper`, `FirstHitRESTMapper`, `PriorityRESTMapper`.

use super::mapper::{RestMapper, RestMapping};
use crate::util::Aggregate;
use crate::{Error, GroupKind, GroupVersionKind, GroupVersionResource};

/// In a pattern of a [`PriorityRestMapper`]: whatever stands here. Go: `AnyGroup`, `AnyVersion`,
/// `AnyResource`, `AnyKind`.
pub const ANY: &str = "*";

/// Asks several mappers, and takes what they know together. Go: `MultiRESTMapper`.
///
/// ```
/// use pintle_apimachinery::meta::*;
/// use pintle_apimachinery::{GroupVersion, GroupVersionKind, GroupVersionResource};
/// let knows = |version: &'static str| {
///     let mut mapper = DefaultRestMapper::new([GroupVersion::new("apps", version)]);
///     mapper.add(GroupVersionKind::new("apps", version, "Deployment"), RestScope::Namespace);
///     mapper
/// };
/// let both = MultiRestMapper(vec![knows("v1"), knows("v1beta1")]);
/// let deployments = GroupVersionResource::new("", "", "deployments");
/// assert_eq!(both.kinds_for(&deployments)?.len(), 2);
/// assert!(both.kind_for(&deployments).unwrap_err().is_ambiguous());
/// // The first that knows it, or the one that is preferred:
/// let first = FirstHitRestMapper(both.clone());
/// assert_eq!(first.kind_for(&deployments)?.version, "v1");
/// let kinds = vec![GroupVersionKind::new("apps", "v1beta1", ANY)];
/// let preferring = PriorityRestMapper { delegate: both, resources: Vec::new(), kinds };
/// assert_eq!(preferring.kind_for(&deployments)?.version, "v1beta1");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MultiRestMapper<M = Box<dyn RestMapper>>(pub Vec<M>);

/// What all mappers find, each thing once. A mapper that knows nothing is passed over; any other
/// error is the answer.
fn union<M, T: PartialEq>(
    mappers: &[M],
    resource: &GroupVersionResource,
    find: impl Fn(&M) -> Result<Vec<T>, Error>,
) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    for mapper in mappers {
        match find(mapper) {
            Ok(found) => {
                for item in found {
                    if !all.contains(&item) {
                        all.push(item);
                    }
                }
            }
            Err(error) if error.is_no_match() => {}
            Err(error) => return Err(error),
        }
    }
    if all.is_empty() { Err(Error::no_resource_match(resource)) } else { Ok(all) }
}

impl<M: RestMapper> RestMapper for MultiRestMapper<M> {
    fn kind_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionKind, Error> {
        let mut kinds = self.kinds_for(resource)?;
        if kinds.len() > 1 {
            return Err(Error::ambiguous_resource(resource, &[], &kinds));
        }
        Ok(kinds.remove(0))
    }

    fn kinds_for(&self, resource: &GroupVersionResource) -> Result<Vec<GroupVersionKind>, Error> {
        union(&self.0, resource, |mapper| mapper.kinds_for(resource))
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
        union(&self.0, resource, |mapper| mapper.resources_for(resource))
    }

    /// The one mapping there is; errors of other mappers do not matter then.
    fn rest_mapping(&self, kind: &GroupKind, versions: &[&str]) -> Result<RestMapping, Error> {
        let asked = self.0.iter().map(|mapper| mapper.rest_mapping(kind, versions));
        let (mut found, errors) = Aggregate::partition(asked);
        if found.len() > 1 {
            let kinds: Vec<GroupVersionKind> = found.into_iter().map(|m| m.kind).collect();
            return Err(Error::ambiguous_kind(&kind.with_version(""), &[], &kinds));
        }
        match found.pop() {
            Some(only) => Ok(only),
            None => {
                errors.filter_out(Error::is_no_match).into_result()?;
                Err(Error::no_kind_match(kind, versions))
            }
        }
    }

    fn rest_mappings(
        &self,
        kind: &GroupKind,
        versions: &[&str],
    ) -> Result<Vec<RestMapping>, Error> {
        let asked = self.0.iter().map(|mapper| mapper.rest_mappings(kind, versions));
        let (found, errors) = Aggregate::partition(asked);
        errors.filter_out(Error::is_no_match).into_result()?;
        let found: Vec<RestMapping> = found.into_iter().flatten().collect();
        if found.is_empty() { Err(Error::no_kind_match(kind, versions)) } else { Ok(found) }
    }

    /// The first answer, or the last error; of no mappers the empty text.
    fn singular_of(&self, resource: &str) -> Result<String, Error> {
        let mut answer = Ok(String::new());
        for mapper in &self.0 {
            answer = mapper.singular_of(resource);
            if answer.is_ok() {
                break;
            }
        }
        answer
    }

    fn reset(&self) {
        self.0.iter().for_each(RestMapper::reset);
    }
}

/// Asks several mappers, and takes the first answer where one is wanted; where all are, it is a
/// [`MultiRestMapper`]. Of no mappers nothing is known, where Go gives an empty answer.
/// Go: `FirstHitRESTMapper`.
#[derive(Clone, Debug, Default)]
pub struct FirstHitRestMapper<M = Box<dyn RestMapper>>(pub MultiRestMapper<M>);

impl<M> FirstHitRestMapper<M> {
    fn first<T>(
        &self,
        nothing: impl FnOnce() -> Error,
        ask: impl Fn(&M) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut errors = Aggregate::new();
        for mapper in &self.0.0 {
            match ask(mapper) {
                Ok(answer) => return Ok(answer),
                Err(error) => errors.push(error),
            }
        }
        if errors.errors().iter().all(Error::is_no_match) {
            // They all say the same.
            return Err(errors.into_iter().next().unwrap_or_else(nothing));
        }
        Err(errors.into())
    }
}

impl<M: RestMapper> RestMapper for FirstHitRestMapper<M> {
    fn kind_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionKind, Error> {
        self.first(|| Error::no_resource_match(resource), |mapper| mapper.kind_for(resource))
    }

    fn kinds_for(&self, resource: &GroupVersionResource) -> Result<Vec<GroupVersionKind>, Error> {
        self.0.kinds_for(resource)
    }

    fn resource_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionResource, Error> {
        self.first(|| Error::no_resource_match(resource), |mapper| mapper.resource_for(resource))
    }

    fn resources_for(
        &self,
        resource: &GroupVersionResource,
    ) -> Result<Vec<GroupVersionResource>, Error> {
        self.0.resources_for(resource)
    }

    fn rest_mapping(&self, kind: &GroupKind, versions: &[&str]) -> Result<RestMapping, Error> {
        let nothing = || Error::no_kind_match(kind, versions);
        self.first(nothing, |mapper| mapper.rest_mapping(kind, versions))
    }

    fn rest_mappings(
        &self,
        kind: &GroupKind,
        versions: &[&str],
    ) -> Result<Vec<RestMapping>, Error> {
        self.0.rest_mappings(kind, versions)
    }

    fn singular_of(&self, resource: &str) -> Result<String, Error> {
        self.0.singular_of(resource)
    }

    fn reset(&self) {
        self.0.reset();
    }
}

/// Chooses among the answers of another mapper by patterns, in which [`ANY`] matches anything. Each
/// pattern narrows the answers down to those it matches, unless it matches none, until one is left.
/// Go: `PriorityRESTMapper`.
#[derive(Clone, Debug, Default)]
pub struct PriorityRestMapper<M = Box<dyn RestMapper>> {
    /// Who is asked.
    pub delegate: M,
    /// Patterns of resources.
    pub resources: Vec<GroupVersionResource>,
    /// Patterns of kinds. Where versions are asked for, they come before these.
    pub kinds: Vec<GroupVersionKind>,
}

/// The one that is left when each pattern narrows the rest down.
fn narrow<T: Clone, P>(
    all: &[T],
    patterns: impl IntoIterator<Item = P>,
    matches: impl Fn(&P, &T) -> bool,
) -> Option<T> {
    let mut rest: Vec<&T> = all.iter().collect();
    for pattern in patterns {
        if let [only] = &*rest {
            return Some((*only).clone());
        }
        let matched: Vec<&T> =
            rest.iter().copied().filter(|item| matches(&pattern, item)).collect();
        if !matched.is_empty() {
            rest = matched;
        }
    }
    match &*rest {
        [only] => Some((*only).clone()),
        _ => None,
    }
}

fn part_matches(pattern: &str, part: &str) -> bool {
    pattern == ANY || pattern == part
}

fn resource_matches(pattern: &GroupVersionResource, resource: &GroupVersionResource) -> bool {
    part_matches(&pattern.group, &resource.group)
        && part_matches(&pattern.version, &resource.version)
        && part_matches(&pattern.resource, &resource.resource)
}

fn kind_matches(pattern: &GroupVersionKind, kind: &GroupVersionKind) -> bool {
    part_matches(&pattern.group, &kind.group)
        && part_matches(&pattern.version, &kind.version)
        && part_matches(&pattern.kind, &kind.kind)
}

impl<M: RestMapper> RestMapper for PriorityRestMapper<M> {
    fn kind_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionKind, Error> {
        let kinds = self.delegate.kinds_for(resource)?;
        narrow(&kinds, &self.kinds, |pattern, kind| kind_matches(pattern, kind))
            .ok_or_else(|| Error::ambiguous_resource(resource, &[], &kinds))
    }

    fn kinds_for(&self, resource: &GroupVersionResource) -> Result<Vec<GroupVersionKind>, Error> {
        self.delegate.kinds_for(resource)
    }

    fn resource_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionResource, Error> {
        let resources = self.delegate.resources_for(resource)?;
        narrow(&resources, &self.resources, |pattern, r| resource_matches(pattern, r))
            .ok_or_else(|| Error::ambiguous_resource(resource, &resources, &[]))
    }

    fn resources_for(
        &self,
        resource: &GroupVersionResource,
    ) -> Result<Vec<GroupVersionResource>, Error> {
        self.delegate.resources_for(resource)
    }

    fn rest_mapping(&self, kind: &GroupKind, versions: &[&str]) -> Result<RestMapping, Error> {
        let mappings = self.delegate.rest_mappings(kind, versions)?;
        let asked = versions
            .iter()
            .map(|version| GroupVersionKind::new(kind.group.clone(), (*version).to_owned(), ANY));
        let patterns = asked.chain(self.kinds.iter().cloned());
        narrow(&mappings, patterns, |pattern, mapping| kind_matches(pattern, &mapping.kind))
            .ok_or_else(|| {
                let kinds: Vec<GroupVersionKind> = mappings.into_iter().map(|m| m.kind).collect();
                Error::ambiguous_kind(&kind.with_version(""), &[], &kinds)
            })
    }

    fn rest_mappings(
        &self,
        kind: &GroupKind,
        versions: &[&str],
    ) -> Result<Vec<RestMapping>, Error> {
        self.delegate.rest_mappings(kind, versions)
    }

    fn singular_of(&self, resource: &str) -> Result<String, Error> {
        self.delegate.singular_of(resource)
    }

    fn reset(&self) {
        self.delegate.reset();
    }
}
