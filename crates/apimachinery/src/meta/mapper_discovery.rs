//! A mapper of what a server says it serves. Go: `NewDiscoveryRESTMapper` of
//! `k8s.io/client-go/restmapper`.

use std::collections::BTreeMap;

use super::mapper::{RestScope, guess_resource};
use super::mapper_default::DefaultRestMapper;
use super::mapper_many::{ANY, MultiRestMapper, PriorityRestMapper};
use crate::meta_v1::{APIGroup, APIResource};
use crate::{GroupVersion, GroupVersionKind, GroupVersionResource, List, Str};

/// An API group and what there is in its versions. Go: `APIGroupResources`.
#[derive(Clone, Debug, Default)]
pub struct GroupResources {
    /// The group with its versions, the preferred one named.
    pub group: APIGroup,
    /// The resources of each version. A version that is not here could not be asked, and is left
    /// out.
    pub resources: BTreeMap<Str, List<APIResource>>,
}

/// What [`discovery_rest_mapper`] makes.
pub type DiscoveryRestMapper = PriorityRestMapper<MultiRestMapper<DefaultRestMapper>>;

/// A mapper of these groups. Where several know a name, groups come in the order given and their
/// preferred version first; before all of them comes `v1`.
///
/// ```
/// use pintle_apimachinery::meta::{GroupResources, RestMapper, discovery_rest_mapper};
/// use pintle_apimachinery::meta_v1::{APIGroup, APIResource, GroupVersionForDiscovery};
/// use pintle_apimachinery::GroupVersionResource;
///
/// let v1 = GroupVersionForDiscovery { group_version: "apps/v1".into(), version: "v1".into() };
/// let apps = GroupResources {
///     group: APIGroup {
///         name: "apps".into(),
///         versions: [v1.clone()].into(),
///         preferred_version: v1,
///         ..Default::default()
///     },
///     resources: [("v1".into(), [APIResource {
///         name: "deployments".into(),
///         singular_name: "deployment".into(),
///         kind: "Deployment".into(),
///         namespaced: true,
///         ..Default::default()
///     }].into())].into(),
/// };
/// let mapper = discovery_rest_mapper(&[apps]);
/// let kind = mapper.kind_for(&GroupVersionResource::new("", "", "deployments"))?;
/// assert_eq!(kind.to_string(), "apps/v1, Kind=Deployment");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn discovery_rest_mapper(groups: &[GroupResources]) -> DiscoveryRestMapper {
    let mut mapper = PriorityRestMapper {
        delegate: MultiRestMapper(Vec::new()),
        resources: Vec::new(),
        kinds: Vec::new(),
    };
    let prefer = |mapper: &mut DiscoveryRestMapper, group: &str, version: &str| {
        let (group, version) = (group.to_owned(), version.to_owned());
        mapper.resources.push(GroupVersionResource::new(group.clone(), version.clone(), ANY));
        mapper.kinds.push(GroupVersionKind::new(group, version, ANY));
    };
    prefer(&mut mapper, "", "v1");
    for GroupResources { group, resources } in groups {
        let preferred = &group.preferred_version.version;
        if !preferred.is_empty() && resources.contains_key(preferred) {
            prefer(&mut mapper, &group.name, preferred);
        }
        for version in &group.versions {
            let Some(resources) = resources.get(&version.version) else { continue };
            if version.version != *preferred {
                prefer(&mut mapper, &group.name, &version.version);
            }
            let of = GroupVersion::new(group.name.to_string(), version.version.to_string());
            mapper.delegate.0.push(of_version(of, resources));
        }
    }
    for GroupResources { group, .. } in groups {
        prefer(&mut mapper, &group.name, ANY);
    }
    mapper
}

fn of_version(version: GroupVersion, resources: &[APIResource]) -> DefaultRestMapper {
    let mut mapper = DefaultRestMapper::new([version.clone()]);
    // What has a slash is a subresource.
    for resource in resources.iter().filter(|resource| !resource.name.contains('/')) {
        let scope = if resource.namespaced { RestScope::Namespace } else { RestScope::Root };
        let kind = version.with_kind(resource.kind.to_string());
        let plural = version.with_resource(resource.name.to_string());
        let singular = if resource.singular_name.is_empty() {
            guess_resource(&kind).1
        } else {
            version.with_resource(resource.singular_name.to_string())
        };
        let lower = version.with_kind(resource.kind.to_lowercase());
        mapper.add_specific(lower, plural.clone(), singular.clone(), scope);
        mapper.add_specific(kind, plural, singular, scope);
        // A guess that no server knows, but that Go makes too.
        mapper.add(version.with_kind(format!("{}List", resource.kind)), scope);
    }
    mapper.add(version.with_kind("List"), RestScope::Root);
    mapper
}
