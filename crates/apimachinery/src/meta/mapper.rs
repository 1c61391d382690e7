//! Which resource a kind is, and the other way round: the trait and its errors. Go: `RESTMapper` and
//! the error types of `k8s.io/apimachinery/pkg/api/meta`.

use std::fmt;
use std::sync::Arc;

use crate::parse_error::quote;
use crate::{
    Error, GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource,
};

/// Whether objects live in namespaces. Go: `RESTScope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestScope {
    /// They do. Go: `RESTScopeNamespace`.
    Namespace,
    /// They belong to the cluster as a whole. Go: `RESTScopeRoot`.
    Root,
}

/// How a kind is served. Go: `RESTMapping`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestMapping {
    /// The resource in plural, as in paths.
    pub resource: GroupVersionResource,
    /// The kind. Go: `GroupVersionKind`.
    pub kind: GroupVersionKind,
    /// Whether objects live in namespaces.
    pub scope: RestScope,
}

/// Knows kinds and resources. Resources are asked for as people name them: in plural or singular,
/// group and version left empty if they do not matter.
///
/// A kind or resource that is not known is an error that [`Error::is_no_match`] recognises; where one
/// is wanted and there are several, [`Error::is_ambiguous`]. Go: `RESTMapper`, whose
/// `ResettableRESTMapper` is [`reset`](Self::reset) here.
pub trait RestMapper: fmt::Debug + Send + Sync {
    /// The one kind of a resource.
    ///
    /// # Errors
    /// There is none, or there are several.
    fn kind_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionKind, Error>;

    /// All kinds of a resource, the preferred first.
    ///
    /// # Errors
    /// There is none.
    fn kinds_for(&self, resource: &GroupVersionResource) -> Result<Vec<GroupVersionKind>, Error>;

    /// The one resource of this name, in full.
    ///
    /// # Errors
    /// There is none, or there are several.
    fn resource_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionResource, Error>;

    /// All resources of this name, in full, the preferred first.
    ///
    /// # Errors
    /// There is none.
    fn resources_for(
        &self,
        resource: &GroupVersionResource,
    ) -> Result<Vec<GroupVersionResource>, Error>;

    /// How a kind is served, in the first of these versions that there is; without versions, in the
    /// preferred one.
    ///
    /// # Errors
    /// The kind is not served so, or in several ways of which none is preferred.
    fn rest_mapping(&self, kind: &GroupKind, versions: &[&str]) -> Result<RestMapping, Error>;

    /// All ways in which a kind is served.
    ///
    /// # Errors
    /// The kind is not served so.
    fn rest_mappings(&self, kind: &GroupKind, versions: &[&str])
    -> Result<Vec<RestMapping>, Error>;

    /// The singular of the name of a resource. Go: `ResourceSingularizer`.
    ///
    /// # Errors
    /// There is no such resource, or it has several singular names.
    fn singular_of(&self, resource: &str) -> Result<String, Error>;

    /// Forgets what was learnt, so that it is asked for anew.
    fn reset(&self) {}
}

macro_rules! through_pointers {
    ($($pointer:ident)+) => {$(
        impl<M: RestMapper + ?Sized> RestMapper for $pointer<M> {
            fn kind_for(&self, resource: &GroupVersionResource) -> Result<GroupVersionKind, Error> {
                (**self).kind_for(resource)
            }
            fn kinds_for(
                &self,
                resource: &GroupVersionResource,
            ) -> Result<Vec<GroupVersionKind>, Error> {
                (**self).kinds_for(resource)
            }
            fn resource_for(
                &self,
                resource: &GroupVersionResource,
            ) -> Result<GroupVersionResource, Error> {
                (**self).resource_for(resource)
            }
            fn resources_for(
                &self,
                resource: &GroupVersionResource,
            ) -> Result<Vec<GroupVersionResource>, Error> {
                (**self).resources_for(resource)
            }
            fn rest_mapping(
                &self,
                kind: &GroupKind,
                versions: &[&str],
            ) -> Result<RestMapping, Error> {
                (**self).rest_mapping(kind, versions)
            }
            fn rest_mappings(
                &self,
                kind: &GroupKind,
                versions: &[&str],
            ) -> Result<Vec<RestMapping>, Error> {
                (**self).rest_mappings(kind, versions)
            }
            fn singular_of(&self, resource: &str) -> Result<String, Error> {
                (**self).singular_of(resource)
            }
            fn reset(&self) {
                (**self).reset();
            }
        }
    )+};
}
through_pointers!(Box Arc);

impl Error {
    /// A mapper knows no such resource: `no matches for apps/v1, Resource=pods`.
    /// Go: `NoResourceMatchError`.
    pub fn no_resource_match(resource: &GroupVersionResource) -> Error {
        Error::no_match(format!("no matches for {resource}"))
    }

    /// A mapper knows no such kind in these versions, or, if there are none, in any.
    /// Go: `NoKindMatchError`.
    pub fn no_kind_match(kind: &GroupKind, versions: &[&str]) -> Error {
        let version = |v: &&str| GroupVersion::new(kind.group.clone(), (*v).to_owned()).to_string();
        let mut searched: Vec<String> = versions.iter().map(version).collect();
        searched.sort_unstable();
        searched.dedup();
        let searched: Vec<String> = searched.iter().map(|v| quote(v).to_string()).collect();
        let name = quote(&kind.kind);
        Error::no_match(match &*searched {
            [] => format!("no matches for kind {name} in group {}", quote(&kind.group)),
            [one] => format!("no matches for kind {name} in version {one}"),
            several => format!("no matches for kind {name} in versions [{}]", several.join(" ")),
        })
    }

    /// A mapper knows several such resources, or several kinds of a resource.
    /// Go: `AmbiguousResourceError`.
    pub fn ambiguous_resource(
        resource: &GroupVersionResource,
        resources: &[GroupVersionResource],
        kinds: &[GroupVersionKind],
    ) -> Error {
        several(resource, resources, kinds)
    }

    /// A mapper knows several ways in which a kind is served. Go: `AmbiguousKindError`.
    pub fn ambiguous_kind(
        kind: &GroupVersionKind,
        resources: &[GroupVersionResource],
        kinds: &[GroupVersionKind],
    ) -> Error {
        several(kind, resources, kinds)
    }
}

fn several(
    of: &dyn fmt::Display,
    resources: &[GroupVersionResource],
    kinds: &[GroupVersionKind],
) -> Error {
    let (r, k) = (go_list(resources), go_list(kinds));
    Error::ambiguous(match (resources.is_empty(), kinds.is_empty()) {
        (false, false) => format!("{of} matches multiple resources {r} and kinds {k}"),
        (true, false) => format!("{of} matches multiple kinds {k}"),
        (false, true) => format!("{of} matches multiple resources {r}"),
        (true, true) => format!("{of} matches multiple resources or kinds"),
    })
}

/// A list as Go's `%v` shows it.
fn go_list<T: fmt::Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    format!("[{}]", items.join(" "))
}

/// A guess at what the resource of a kind is called, in plural and in singular; wrong for some
/// kinds. Go: `UnsafeGuessKindToResource`.
///
/// ```
/// use pintle_apimachinery::{GroupVersionKind, meta::guess_resource};
/// let plural = |kind| guess_resource(&GroupVersionKind::from_static("", "v1", kind)).0.resource;
/// assert_eq!(["Pod", "Ingress", "NetworkPolicy", "Endpoints"].map(plural), ["pods", "ingresses", "networkpolicies", "endpoints"]);
/// ```
pub fn guess_resource(kind: &GroupVersionKind) -> (GroupVersionResource, GroupVersionResource) {
    if kind.kind.is_empty() {
        return Default::default();
    }
    let singular = kind.kind.to_lowercase();
    let plural = if singular.ends_with("endpoints") {
        singular.clone()
    } else if singular.ends_with('s') {
        format!("{singular}es")
    } else if let Some(stem) = singular.strip_suffix('y') {
        format!("{stem}ies")
    } else {
        format!("{singular}s")
    };
    (kind.with_resource(plural), kind.with_resource(singular))
}

/// A resource as it is looked for: in lower case, and of no version if of the internal one.
pub(super) fn looked_for(resource: &GroupVersionResource) -> GroupVersionResource {
    let mut resource = resource.clone();
    if resource.resource.chars().any(char::is_uppercase) {
        resource.resource = resource.resource.to_lowercase().into();
    }
    if resource.version == crate::INTERNAL_VERSION {
        resource.version = "".into();
    }
    resource
}

/// Which resources are meant by one that is partly given. Exact groups come before those that only
/// begin so: `storageclasses.storage` is `storageclasses.storage.k8s.io`.
pub(super) enum Wanted<'a> {
    Exact(&'a GroupVersionResource),
    Group(GroupResource),
    Version(&'a GroupVersionResource),
    Any(&'a GroupVersionResource),
}

impl<'a> Wanted<'a> {
    pub(super) fn new(resource: &'a GroupVersionResource) -> Result<Self, Error> {
        if resource.resource.is_empty() {
            return Err(Error::invalid(format!("a resource must be present, got: {resource}")));
        }
        Ok(match (resource.group.is_empty(), resource.version.is_empty()) {
            (false, false) => Wanted::Exact(resource),
            (false, true) => Wanted::Group(resource.group_resource()),
            (true, false) => Wanted::Version(resource),
            (true, true) => Wanted::Any(resource),
        })
    }
}
