//! Short names and categories of resources, as a server's discovery has them.
//! Go: `NewShortcutExpander` and `NewDiscoveryCategoryExpander` of `k8s.io/client-go/restmapper`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::mapper::{RestMapper, RestMapping};
use super::mapper_discovery::GroupResources;
use crate::parse_error::quote;
use crate::{Error, GroupKind, GroupResource, GroupVersionKind, GroupVersionResource};

/// What people type for resources: short names such as `deploy`, categories such as `all`.
/// Go: what `shortcutExpander` and `discoveryCategoryExpander` learn.
///
/// ```
/// use pintle_apimachinery::GroupVersionResource;
/// use pintle_apimachinery::meta::{GroupResources, Shortcuts};
/// use pintle_apimachinery::meta_v1::{APIGroup, APIResource, GroupVersionForDiscovery};
///
/// let v1 = GroupVersionForDiscovery { group_version: "apps/v1".into(), version: "v1".into() };
/// let deployments = APIResource {
///     name: "deployments".into(),
///     short_names: ["deploy".into()].into(),
///     categories: ["all".into()].into(),
///     ..Default::default()
/// };
/// let apps = GroupResources {
///     group: APIGroup { name: "apps".into(), versions: [v1].into(), ..Default::default() },
///     resources: [("v1".into(), [deployments].into())].into(),
/// };
/// let shortcuts = Shortcuts::new(&[apps]);
/// let found = shortcuts.expand(&GroupVersionResource::new("", "", "deploy"));
/// assert_eq!(found.resource.group_resource().to_string(), "deployments.apps");
/// assert!(found.warnings.is_empty());
/// assert_eq!(shortcuts.category("all")[0].to_string(), "deployments.apps");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Shortcuts {
    /// Full names, plural and singular.
    names: Vec<GroupResource>,
    /// Each short name, and the resource in plural, in the server's order.
    short: Vec<(GroupResource, GroupResource)>,
    categories: BTreeMap<String, Vec<GroupResource>>,
}

/// What a name stands for. Go has no type for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpandedResource {
    /// The resource by its full name; what was asked for if it is no short name.
    pub resource: GroupVersionResource,
    /// Other resources that have the short name too, each as a sentence for the person who typed it.
    pub warnings: Vec<String>,
}

impl Shortcuts {
    /// Those of everything that a server serves. Groups come in the server's order, which says who
    /// is preferred.
    pub fn new(groups: &[GroupResources]) -> Self {
        let mut known = Shortcuts::default();
        for GroupResources { group, resources } in groups {
            let of = |resource: &str| GroupResource {
                group: group.name.to_string().into(),
                resource: resource.to_owned().into(),
            };
            let versions = group.versions.iter().filter_map(|v| resources.get(&v.version));
            for resource in versions.flat_map(|all| all.iter()) {
                known.names.extend([of(&resource.name), of(&resource.singular_name)]);
                let short = resource.short_names.iter();
                known.short.extend(short.map(|short| (of(short), of(&resource.name))));
                for category in &*resource.categories {
                    let members = known.categories.entry(category.to_string()).or_default();
                    members.push(of(&resource.name));
                }
            }
        }
        known
    }

    /// The resource that a name stands for. A full name stands for itself. A short name is that of
    /// the first resource that has it, in the group if one is given; of a group of which only the
    /// beginning is given (`autoscal`) if there is none of that very name.
    ///
    /// As in Go, the resource of a short name has no version, but for one that was found by the
    /// beginning of its group.
    pub fn expand(&self, resource: &GroupVersionResource) -> ExpandedResource {
        let anywhere = resource.group.is_empty();
        let in_group = |of: &GroupResource| anywhere || of.group == resource.group;
        let as_it_is = ExpandedResource { resource: resource.clone(), warnings: Vec::new() };
        if self.names.iter().any(|full| in_group(full) && full.resource == resource.resource) {
            return as_it_is;
        }
        let named = || self.short.iter().filter(|(short, _)| short.resource == resource.resource);
        let mut found = named().filter(|(short, _)| in_group(short)).map(|(_, full)| full);
        if let Some(first) = found.next() {
            let mut others: Vec<&GroupResource> = Vec::new();
            for other in found.filter(|full| *full != first) {
                if !others.contains(&other) {
                    others.push(other);
                }
            }
            let name = quote(&resource.resource);
            let warn = |other: &GroupResource| {
                format!("short name {name} could also match lower priority resource {other}")
            };
            return ExpandedResource {
                resource: first.with_version(""),
                warnings: others.into_iter().map(warn).collect(),
            };
        }
        let begins = |of: &GroupResource| of.group.starts_with(&*resource.group);
        match named().find(|(short, _)| !anywhere && begins(short)) {
            Some((_, full)) => ExpandedResource {
                resource: full.with_version(resource.version.clone()),
                warnings: Vec::new(),
            },
            None => as_it_is,
        }
    }

    /// The resources of a category, one for each version that has it; none of one that is not
    /// known. Go: `CategoryExpander.Expand`.
    pub fn category(&self, name: &str) -> &[GroupResource] {
        self.categories.get(name).map_or(&[], Vec::as_slice)
    }
}

type Warn = dyn Fn(&str) + Send + Sync;

/// Takes short names where it is asked for resources, and asks another mapper by the full ones.
/// Kinds have no short names. Go: `NewShortcutExpander`.
///
/// ```
/// use pintle_apimachinery::GroupVersionResource;
/// use pintle_apimachinery::meta::{DefaultRestMapper, RestMapper, ShortcutRestMapper, Shortcuts};
///
/// let mapper = ShortcutRestMapper::new(DefaultRestMapper::default(), Shortcuts::default())
///     .on_warning(|text| eprintln!("Warning: {text}"));
/// assert!(mapper.kind_for(&GroupVersionResource::new("", "", "po")).unwrap_err().is_no_match());
/// ```
#[derive(Clone)]
pub struct ShortcutRestMapper<M = Box<dyn RestMapper>> {
    delegate: M,
    shortcuts: Shortcuts,
    warn: Option<Arc<Warn>>,
}

impl<M: fmt::Debug> fmt::Debug for ShortcutRestMapper<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ShortcutRestMapper");
        shown.field("delegate", &self.delegate).field("shortcuts", &self.shortcuts);
        shown.finish_non_exhaustive()
    }
}

impl<M> ShortcutRestMapper<M> {
    /// Asks `delegate`.
    pub fn new(delegate: M, shortcuts: Shortcuts) -> Self {
        ShortcutRestMapper { delegate, shortcuts, warn: None }
    }

    /// Has `warn` called with each warning of [`Shortcuts::expand`].
    #[must_use]
    pub fn on_warning(mut self, warn: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.warn = Some(Arc::new(warn));
        self
    }

    fn full(&self, resource: &GroupVersionResource) -> GroupVersionResource {
        let ExpandedResource { resource, warnings } = self.shortcuts.expand(resource);
        if let Some(warn) = &self.warn {
            warnings.iter().for_each(|text| warn(text));
        }
        resource
    }
}

impl<M: RestMapper> RestMapper for ShortcutRestMapper<M> {
    fn kind_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionKind, Error> {
        self.delegate.kind_for(&self.full(resource))
    }

    fn kinds_for(&self, resource: &GroupVersionResource) -> Result<Vec<GroupVersionKind>, Error> {
        self.delegate.kinds_for(&self.full(resource))
    }

    fn resource_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionResource, Error> {
        self.delegate.resource_for(&self.full(resource))
    }

    fn resources_for(
        &self,
        resource: &GroupVersionResource,
    ) -> Result<Vec<GroupVersionResource>, Error> {
        self.delegate.resources_for(&self.full(resource))
    }

    fn rest_mapping(&self, kind: &GroupKind, versions: &[&str]) -> Result<RestMapping, Error> {
        self.delegate.rest_mapping(kind, versions)
    }

    fn rest_mappings(
        &self,
        kind: &GroupKind,
        versions: &[&str],
    ) -> Result<Vec<RestMapping>, Error> {
        self.delegate.rest_mappings(kind, versions)
    }

    fn singular_of(&self, resource: &str) -> Result<String, Error> {
        let full = self.full(&GroupVersionResource::new("", "", resource.to_owned()));
        self.delegate.singular_of(&full.resource)
    }

    fn reset(&self) {
        self.delegate.reset();
    }
}
