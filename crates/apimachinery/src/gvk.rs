//! Names of API groups, versions, kinds, resources and objects.
//! Go: `k8s.io/apimachinery/pkg/runtime/schema`; [`ObjectKey`] is `types.NamespacedName` together with
//! client-go's `cache.SplitMetaNamespaceKey`.
//!
//! ```
//! use pintle_apimachinery::{GroupVersion, GroupVersionKind, ObjectKey};
//!
//! const DEPLOYMENT: GroupVersionKind = GroupVersionKind::from_static("apps", "v1", "Deployment");
//! assert_eq!(DEPLOYMENT.to_string(), "apps/v1, Kind=Deployment");
//! assert_eq!(DEPLOYMENT.api_version(), "apps/v1");
//! assert_eq!("v1".parse::<GroupVersion>()?.api_path(), "/api/v1");
//! assert_eq!("team-a/web".parse::<ObjectKey>()?, ObjectKey::new("team-a", "web"));
//! # Ok::<(), pintle_apimachinery::ParseError>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::Str;
use crate::parse_error::{ParseError, quote};

/// The text of a group, version, kind or resource: usually static, else owned.
type Name = Cow<'static, str>;

/// The version that stands for the hub of conversions inside a server. Go: `runtime.APIVersionInternal`.
pub const INTERNAL_VERSION: &str = "__internal";

macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$field_doc:meta])* $field:ident),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type {
            $($(#[$field_doc])* pub $field: Cow<'static, str>,)+
        }

        impl $type {
            /// From static or owned text.
            pub fn new($($field: impl Into<Cow<'static, str>>),+) -> Self {
                $type { $($field: $field.into()),+ }
            }

            /// From static text, in a constant.
            pub const fn from_static($($field: &'static str),+) -> Self {
                $type { $($field: Cow::Borrowed($field)),+ }
            }

            /// Whether every part is empty. Go: `Empty`.
            pub fn is_empty(&self) -> bool {
                $(self.$field.is_empty())&&+
            }
        }
    };
}

names! {
    /// Identifies a kind: `apps/v1, Kind=Deployment`.
    GroupVersionKind {
        /// The API group; empty for the core group.
        group,
        /// The version within the group, such as `v1`.
        version,
        /// The kind, such as `Pod`.
        kind
    }
}

names! {
    /// Identifies a resource: `apps/v1, Resource=deployments`.
    GroupVersionResource {
        /// The API group; empty for the core group.
        group,
        /// The version within the group, such as `v1`.
        version,
        /// The resource in plural as in paths, such as `pods`.
        resource
    }
}

names! {
    /// A group and a version: `apps/v1`, or `v1` for the core group.
    GroupVersion {
        /// The API group; empty for the core group.
        group,
        /// The version within the group.
        version
    }
}

names! {
    /// A kind without a version: `Deployment.apps`.
    GroupKind {
        /// The API group; empty for the core group.
        group,
        /// The kind.
        kind
    }
}

names! {
    /// A resource without a version: `deployments.apps`.
    GroupResource {
        /// The API group; empty for the core group.
        group,
        /// The resource in plural.
        resource
    }
}

impl GroupVersionKind {
    /// The kind of an object that says `apiVersion` and `kind`. An `apiVersion` that is not a group version
    /// gives a kind without group and version. Go: `FromAPIVersionAndKind`.
    pub fn from_api_version_and_kind(
        api_version: &str,
        kind: impl Into<Cow<'static, str>>,
    ) -> Self {
        GroupVersion::parse(api_version).unwrap_or_default().with_kind(kind)
    }

    /// What an object of this kind says as `apiVersion`: `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> Cow<'_, str> {
        api_version(&self.group, &self.version)
    }

    /// What an object of this kind says as `apiVersion` and `kind`; two empty texts if this is empty.
    /// Go: `ToAPIVersionAndKind`.
    pub fn to_api_version_and_kind(&self) -> (Cow<'_, str>, &str) {
        (self.api_version(), &self.kind)
    }

    /// Without the version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }

    /// Without the kind.
    pub fn group_version(&self) -> GroupVersion {
        GroupVersion { group: self.group.clone(), version: self.version.clone() }
    }

    /// The resource of this name in the same group and version.
    pub fn with_resource(&self, resource: impl Into<Cow<'static, str>>) -> GroupVersionResource {
        self.group_version().with_resource(resource)
    }
}

impl GroupVersionResource {
    /// What an object of this resource says as `apiVersion`.
    pub fn api_version(&self) -> Cow<'_, str> {
        api_version(&self.group, &self.version)
    }

    /// Without the version.
    pub fn group_resource(&self) -> GroupResource {
        GroupResource { group: self.group.clone(), resource: self.resource.clone() }
    }

    /// Without the resource.
    pub fn group_version(&self) -> GroupVersion {
        GroupVersion { group: self.group.clone(), version: self.version.clone() }
    }

    /// The kind of this name in the same group and version.
    pub fn with_kind(&self, kind: impl Into<Cow<'static, str>>) -> GroupVersionKind {
        self.group_version().with_kind(kind)
    }
}

impl GroupVersion {
    /// Reads `group/version` or `version`. Empty text and `/` give the empty group version.
    /// Go: `ParseGroupVersion`.
    ///
    /// # Errors
    /// `unexpected GroupVersion string: ...` if there is more than one slash.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text == "/" {
            return Ok(Self::default());
        }
        let (group, version) = text.split_once('/').unwrap_or(("", text));
        if version.contains('/') {
            return Err(ParseError::new(format!("unexpected GroupVersion string: {text}")));
        }
        Ok(GroupVersion { group: name(group), version: name(version) })
    }

    /// The path that its resources are under: `/api/v1` for the core group, else `/apis/group/version`.
    pub fn api_path(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }

    /// The kind of this name.
    pub fn with_kind(&self, kind: impl Into<Cow<'static, str>>) -> GroupVersionKind {
        GroupVersionKind {
            group: self.group.clone(),
            version: self.version.clone(),
            kind: kind.into(),
        }
    }

    /// The resource of this name.
    pub fn with_resource(&self, resource: impl Into<Cow<'static, str>>) -> GroupVersionResource {
        GroupVersionResource {
            group: self.group.clone(),
            version: self.version.clone(),
            resource: resource.into(),
        }
    }

    /// The preferred one of several kinds: the one of this group and version, else the first of this group,
    /// taken to this version. Go: `KindForGroupVersionKinds`.
    pub fn kind_for(&self, kinds: &[GroupVersionKind]) -> Option<GroupVersionKind> {
        let same_group = |kind: &&GroupVersionKind| kind.group == self.group;
        let exact = kinds.iter().filter(same_group).find(|kind| kind.version == self.version);
        exact
            .cloned()
            .or_else(|| kinds.iter().find(same_group).map(|kind| self.with_kind(kind.kind.clone())))
    }

    /// The preferred one of several kinds, by several group versions: each names its own preference, and of
    /// these the first that is among the kinds wins, else the first.
    /// Go: `GroupVersions.KindForGroupVersionKinds`.
    pub fn best_kind_for(
        versions: &[GroupVersion],
        kinds: &[GroupVersionKind],
    ) -> Option<GroupVersionKind> {
        let mut targets = versions.iter().filter_map(|version| version.kind_for(kinds));
        let first = targets.next()?;
        if kinds.contains(&first) {
            return Some(first);
        }
        Some(targets.find(|target| kinds.contains(target)).unwrap_or(first))
    }
}

impl GroupKind {
    /// Reads `Kind.group`, or a kind alone. Go: `ParseGroupKind`.
    pub fn parse(text: &str) -> Self {
        let (kind, group) = text.split_once('.').unwrap_or((text, ""));
        GroupKind { group: name(group), kind: name(kind) }
    }

    /// The kind in this version.
    pub fn with_version(&self, version: impl Into<Cow<'static, str>>) -> GroupVersionKind {
        GroupVersionKind {
            group: self.group.clone(),
            version: version.into(),
            kind: self.kind.clone(),
        }
    }
}

impl GroupResource {
    /// Reads `resource.group`, or a resource alone. Go: `ParseGroupResource`.
    pub fn parse(text: &str) -> Self {
        let (resource, group) = text.split_once('.').unwrap_or((text, ""));
        GroupResource { group: name(group), resource: name(resource) }
    }

    /// The resource in this version.
    pub fn with_version(&self, version: impl Into<Cow<'static, str>>) -> GroupVersionResource {
        GroupVersionResource {
            group: self.group.clone(),
            version: version.into(),
            resource: self.resource.clone(),
        }
    }
}

/// Reads what a person types for a kind, `Kind.group` or `Kind.version.group`, in both ways: the second only
/// with two dots or more. Whoever knows the groups decides which was meant. Go: `ParseKindArg`.
///
/// ```
/// use pintle_apimachinery::parse_kind_arg;
/// let (versioned, plain) = parse_kind_arg("Deployment.v1.apps");
/// assert_eq!(versioned.unwrap().to_string(), "apps/v1, Kind=Deployment");
/// assert_eq!(plain.to_string(), "Deployment.v1.apps");
/// ```
pub fn parse_kind_arg(text: &str) -> (Option<GroupVersionKind>, GroupKind) {
    let versioned =
        three_parts(text).map(|[kind, version, group]| GroupVersionKind { group, version, kind });
    (versioned, GroupKind::parse(text))
}

/// Reads what a person types for a resource, `resource.group` or `resource.version.group`, in both ways: the
/// second only with two dots or more. Go: `ParseResourceArg`.
///
/// ```
/// use pintle_apimachinery::parse_resource_arg;
/// let (versioned, plain) = parse_resource_arg("pods");
/// assert_eq!((versioned, plain.to_string()), (None, "pods".to_owned()));
/// ```
pub fn parse_resource_arg(text: &str) -> (Option<GroupVersionResource>, GroupResource) {
    let versioned = three_parts(text).map(|[resource, version, group]| GroupVersionResource {
        group,
        version,
        resource,
    });
    (versioned, GroupResource::parse(text))
}

fn three_parts(text: &str) -> Option<[Name; 3]> {
    let (first, rest) = text.split_once('.')?;
    let (second, third) = rest.split_once('.')?;
    Some([name(first), name(second), name(third)])
}

fn name(text: &str) -> Name {
    // The commonest names cost nothing.
    match text {
        "" => Cow::Borrowed(""),
        "v1" => Cow::Borrowed("v1"),
        "apps" => Cow::Borrowed("apps"),
        _ => Cow::Owned(text.to_owned()),
    }
}

fn api_version<'a>(group: &str, version: &'a str) -> Cow<'a, str> {
    if group.is_empty() { Cow::Borrowed(version) } else { Cow::Owned(format!("{group}/{version}")) }
}

impl fmt::Display for GroupVersionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Kind={}", self.group, self.version, self.kind)
    }
}

impl fmt::Display for GroupVersionResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Resource={}", self.group, self.version, self.resource)
    }
}

impl fmt::Display for GroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.version)
        } else {
            write!(f, "{}/{}", self.group, self.version)
        }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.kind)
        } else {
            write!(f, "{}.{}", self.kind, self.group)
        }
    }
}

impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.resource)
        } else {
            write!(f, "{}.{}", self.resource, self.group)
        }
    }
}

impl FromStr for GroupVersion {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        GroupVersion::parse(text)
    }
}

/// Names one object of a resource: `namespace/name`, where cluster-scoped objects have an empty namespace.
/// Go: `types.NamespacedName`, controller-runtime's `client.ObjectKey`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// The namespace; empty for cluster-scoped objects.
    pub namespace: Str,
    /// The name.
    pub name: Str,
}

impl ObjectKey {
    /// The key of an object in a namespace.
    pub fn new(namespace: impl Into<Str>, name: impl Into<Str>) -> Self {
        ObjectKey { namespace: namespace.into(), name: name.into() }
    }

    /// The key of a cluster-scoped object.
    pub fn cluster(name: impl Into<Str>) -> Self {
        ObjectKey { namespace: Str::default(), name: name.into() }
    }
}

/// `namespace/name`, or the name alone when there is no namespace, as informer keys are in Go
/// (`cache.MetaNamespaceKeyFunc`, `cache.ObjectName`). Go's `NamespacedName.String` keeps the slash.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(self.name.as_str())
        } else {
            write!(f, "{}/{}", self.namespace.as_str(), self.name.as_str())
        }
    }
}

impl FromStr for ObjectKey {
    type Err = ParseError;

    /// Reads `namespace/name` or a name alone. Go: `cache.SplitMetaNamespaceKey`.
    ///
    /// # Errors
    /// `unexpected key format: "..."` if there is more than one slash.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (namespace, name) = text.split_once('/').unwrap_or(("", text));
        if name.contains('/') {
            return Err(ParseError::new(format!("unexpected key format: {}", quote(text))));
        }
        Ok(ObjectKey::new(namespace, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Go: TestGroupVersionParse
    #[test]
    fn group_version() {
        #[track_caller]
        fn check(text: &str, expect: Result<(&'static str, &'static str), &str>) {
            let expect =
                expect.map(|(g, v)| GroupVersion::from_static(g, v)).map_err(str::to_owned);
            assert_eq!(text.parse::<GroupVersion>().map_err(|e| e.to_string()), expect);
        }
        check("", Ok(("", "")));
        check("/", Ok(("", "")));
        check("v1", Ok(("", "v1")));
        check("v2", Ok(("", "v2")));
        check("/v1", Ok(("", "v1")));
        check("v3/", Ok(("v3", "")));
        check("kube/v4", Ok(("kube", "v4")));
        check("apps/v1", Ok(("apps", "v1")));
        check("v5/test/", Err("unexpected GroupVersion string: v5/test/"));
        check("//", Err("unexpected GroupVersion string: //"));
        check("a/b/c", Err("unexpected GroupVersion string: a/b/c"));
    }

    #[test]
    fn shown_as_go_does() {
        assert_eq!(GroupVersion::new("", "v1").to_string(), "v1");
        assert_eq!(GroupVersion::new("apps", "v1").to_string(), "apps/v1");
        assert_eq!(GroupVersion::new("apps", "").to_string(), "apps/");
        assert_eq!(GroupVersionKind::new("", "v1", "Pod").to_string(), "/v1, Kind=Pod");
        assert_eq!(GroupVersionKind::default().to_string(), "/, Kind=");
        assert_eq!(
            GroupVersionResource::new("apps", "v1", "deployments").to_string(),
            "apps/v1, Resource=deployments"
        );
        assert_eq!(GroupKind::new("", "Pod").to_string(), "Pod");
        assert_eq!(GroupKind::new("apps", "Deployment").to_string(), "Deployment.apps");
        assert_eq!(GroupResource::new("apps", "deployments").to_string(), "deployments.apps");
        assert_eq!(GroupResource::new("", "pods").to_string(), "pods");
        assert_eq!(GroupVersion::new("batch", "v1").api_path(), "/apis/batch/v1");
    }

    #[test]
    fn api_version_and_kind() {
        let kind = GroupVersionKind::new("apps", "v1", "Deployment");
        assert_eq!(kind.to_api_version_and_kind(), ("apps/v1".into(), "Deployment"));
        assert_eq!(GroupVersionKind::from_api_version_and_kind("apps/v1", "Deployment"), kind);
        assert_eq!(GroupVersionKind::default().to_api_version_and_kind(), ("".into(), ""));
        assert_eq!(
            GroupVersionKind::from_api_version_and_kind("a/b/c", "Pod"),
            GroupVersionKind::from_static("", "", "Pod")
        );
        assert!(GroupVersionKind::default().is_empty() && !kind.is_empty());
    }

    // Go: TestParseGroupResource, TestParseResourceArg, TestParseKindArg
    #[test]
    fn arguments() {
        #[track_caller]
        fn check(
            text: &str,
            versioned: Option<(&'static str, &'static str, &'static str)>,
            plain: (&'static str, &'static str),
        ) {
            let (gvr, gr) = parse_resource_arg(text);
            assert_eq!(gvr, versioned.map(|(g, v, r)| GroupVersionResource::from_static(g, v, r)));
            assert_eq!(gr, GroupResource::from_static(plain.0, plain.1));
            let (gvk, gk) = parse_kind_arg(text);
            assert_eq!(gvk, versioned.map(|(g, v, k)| GroupVersionKind::from_static(g, v, k)));
            assert_eq!(gk, GroupKind::from_static(plain.0, plain.1));
        }
        check("", None, ("", ""));
        check("Pod", None, ("", "Pod"));
        check(".apps", None, ("apps", ""));
        check("Pod.", None, ("", "Pod"));
        check("Deployment.apps", None, ("apps", "Deployment"));
        check("a.b.c", Some(("c", "b", "a")), ("b.c", "a"));
        check("pods.v1.", Some(("", "v1", "pods")), ("v1.", "pods"));
        check("a.v1.b.c.d", Some(("b.c.d", "v1", "a")), ("v1.b.c.d", "a"));
        check("..", Some(("", "", "")), (".", ""));
    }

    // Go: TestKindForGroupVersionKinds
    #[test]
    fn preferred_kind() {
        #[track_caller]
        fn check(versions: &[(&'static str, &'static str)], kinds: &[&str], expect: Option<&str>) {
            let versions: Vec<_> =
                versions.iter().map(|(g, v)| GroupVersion::from_static(g, v)).collect();
            let kinds: Vec<_> = kinds
                .iter()
                .map(|k| k.split_once(':').unwrap())
                .map(|(v, k)| GroupVersionKind::from_api_version_and_kind(v, k.to_owned()))
                .collect();
            let found = GroupVersion::best_kind_for(&versions, &kinds)
                .map(|k| format!("{}:{}", k.api_version(), k.kind));
            assert_eq!(found.as_deref(), expect);
        }
        check(&[("a", "v1")], &["a/v2:K", "a/v1:K"], Some("a/v1:K"));
        check(&[("a", "v1")], &["a/v2:K"], Some("a/v1:K"));
        check(&[("a", "v1")], &["b/v1:K"], None);
        check(&[("a", "v3"), ("a", "v2")], &["a/v1:K", "a/v2:K"], Some("a/v2:K"));
        check(&[("a", "v4"), ("a", "v3")], &["a/v1:K", "a/v2:K"], Some("a/v4:K"));
        check(&[], &["a/v1:K"], None);
    }

    #[test]
    fn keys() {
        #[track_caller]
        fn check(text: &str, expect: Result<(&str, &str), &str>) {
            let key = text.parse::<ObjectKey>().map_err(|e| e.to_string());
            assert_eq!(key, expect.map(|(ns, n)| ObjectKey::new(ns, n)).map_err(str::to_owned));
            if let Ok(key) = key {
                assert_eq!(key.to_string(), text.strip_prefix('/').unwrap_or(text));
            }
        }
        check("web", Ok(("", "web")));
        check("team/web", Ok(("team", "web")));
        check("/web", Ok(("", "web")));
        check("team/", Ok(("team", "")));
        check("", Ok(("", "")));
        check("a/b/c", Err(r#"unexpected key format: "a/b/c""#));
        check("//", Err(r#"unexpected key format: "//""#));
        assert_eq!(ObjectKey::cluster("node"), ObjectKey::new("", "node"));
    }
}
