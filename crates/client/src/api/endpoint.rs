//! Where a kind is served: paths, formats, scope (Go: the path half of `rest.Request`).

use crate::Error;
use crate::error::invalid;
use crate::path::{push_segment, segment_fault};
use pintle_apimachinery::{Codec, GroupVersionKind, Resource, Scope};

/// A kind as a server serves it, for kinds that are known only at run time; see
/// [`Client::dynamic`](crate::Client::dynamic).
///
/// ```
/// use pintle_client::ApiResource;
///
/// let foos = ApiResource::namespaced("samplecontroller.k8s.io", "v1alpha1", "Foo", "foos");
/// assert_eq!(foos.api_version(), "samplecontroller.k8s.io/v1alpha1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiResource {
    /// API group; empty for the core group.
    pub group: String,
    /// Version in the group.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Name in paths: plural, lower case.
    pub plural: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
}

impl ApiResource {
    /// A kind whose objects live in namespaces.
    pub fn namespaced(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        ApiResource {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            namespaced: true,
        }
    }

    /// A kind whose objects belong to the cluster.
    pub fn cluster_scoped(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        ApiResource { namespaced: false, ..Self::namespaced(group, version, kind, plural) }
    }

    /// What there is of a type known at compile time.
    #[must_use]
    pub fn of<T: Resource>() -> Self {
        let namespaced = <T::Scope as Scope>::NAMESPACED;
        ApiResource { namespaced, ..Self::namespaced(T::GROUP, T::VERSION, T::KIND, T::PLURAL) }
    }

    /// `group/version`, or just the version in the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Group, version and kind.
    #[must_use]
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::new(self.group.clone(), self.version.clone(), self.kind.clone())
    }
}

/// A resource with what requests need of it at hand.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) resource: ApiResource,
    pub(crate) group_version: String,
    /// `/api/v1` or `/apis/group/version`.
    prefix: String,
    /// Whether objects may be sent as protobuf.
    pub(crate) protobuf: bool,
}

impl Endpoint {
    /// Of a type, whose names are known to be good.
    pub(crate) fn of<T: Resource>() -> Self {
        let resource = ApiResource::of::<T>();
        let group_version = resource.api_version();
        let root = if T::GROUP.is_empty() { "/api" } else { "/apis" };
        Endpoint {
            prefix: format!("{root}/{group_version}"),
            resource,
            group_version,
            protobuf: T::PROTOBUF,
        }
    }

    pub(crate) fn new<T: Codec>(resource: ApiResource) -> Result<Self, Error> {
        let mut prefix = String::from(if resource.group.is_empty() { "/api" } else { "/apis" });
        let parts: [(&str, &str); 3] = [
            ("API group", &resource.group),
            ("API version", &resource.version),
            ("resource", &resource.plural),
        ];
        for (what, part) in parts {
            if what == "API group" && part.is_empty() {
                continue;
            }
            if let Some(fault) = segment_fault(what, part) {
                return Err(invalid(fault));
            }
            if what != "resource" {
                prefix.push('/');
                push_segment(&mut prefix, part);
            }
        }
        let group_version = resource.api_version();
        Ok(Endpoint { resource, group_version, prefix, protobuf: T::PROTOBUF })
    }

    /// The path of all objects: in a namespace, or everywhere when it is empty.
    pub(crate) fn collection(&self, namespace: &str) -> Result<String, Error> {
        let mut path = self.prefix.clone();
        if !namespace.is_empty() {
            let kind = &self.resource.kind;
            if !self.resource.namespaced {
                return Err(invalid(format!("{kind} is not namespaced")));
            }
            if let Some(fault) = segment_fault("namespace", namespace) {
                return Err(invalid(fault));
            }
            path.push_str("/namespaces/");
            push_segment(&mut path, namespace);
        }
        path.push('/');
        push_segment(&mut path, &self.resource.plural);
        Ok(path)
    }

    /// The path to create objects at.
    pub(crate) fn home(&self, namespace: &str) -> Result<String, Error> {
        if self.resource.namespaced && namespace.is_empty() {
            let kind = &self.resource.kind;
            return Err(invalid(format!(
                "{kind} is namespaced: name the namespace, with Client::namespaced, \
                 Api::in_namespace or the object's metadata.namespace"
            )));
        }
        self.collection(namespace)
    }

    /// The path of one object, or of a subresource of it (empty: none).
    pub(crate) fn object(
        &self,
        namespace: &str,
        name: &str,
        subresource: &str,
    ) -> Result<String, Error> {
        let mut path = self.home(namespace)?;
        if let Some(fault) = segment_fault("name", name) {
            return Err(invalid(format!("{}: {fault}", self.resource.kind)));
        }
        path.push('/');
        push_segment(&mut path, name);
        // A subresource may have further parts: `proxy/metrics`.
        for part in subresource.split('/').filter(|_| !subresource.is_empty()) {
            if let Some(fault) = segment_fault("subresource", part) {
                return Err(invalid(fault));
            }
            path.push('/');
            push_segment(&mut path, part);
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_apimachinery::Unstructured;

    #[track_caller]
    fn check(resource: &ApiResource, parts: (&str, &str, &str), expect: Result<&str, &str>) {
        let endpoint = Endpoint::new::<Unstructured>(resource.clone()).unwrap();
        let (namespace, name, subresource) = parts;
        let found = endpoint.object(namespace, name, subresource).map_err(|e| e.to_string());
        match (&found, expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(found), Err(expect)) => assert!(found.contains(expect), "{found}"),
            _ => panic!("got {found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn paths() {
        let pods = ApiResource::namespaced("", "v1", "Pod", "pods");
        let nodes = ApiResource::cluster_scoped("", "v1", "Node", "nodes");
        let roles = ApiResource::cluster_scoped(
            "rbac.authorization.k8s.io",
            "v1",
            "ClusterRole",
            "clusterroles",
        );
        check(&pods, ("a", "x", ""), Ok("/api/v1/namespaces/a/pods/x"));
        check(&pods, ("a", "x", "status"), Ok("/api/v1/namespaces/a/pods/x/status"));
        check(&pods, ("a", "x", "proxy/m"), Ok("/api/v1/namespaces/a/pods/x/proxy/m"));
        check(&nodes, ("", "n", ""), Ok("/api/v1/nodes/n"));
        check(
            &roles,
            ("", "system:node", ""),
            Ok("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node"),
        );
        check(&pods, ("", "x", ""), Err("Pod is namespaced: name the namespace"));
        check(&nodes, ("a", "x", ""), Err("Node is not namespaced"));
        for bad in ["", ".", "..", "a/b", "a%b"] {
            check(&pods, ("a", bad, ""), Err("Pod: name "));
            check(&nodes, ("", bad, ""), Err("Node: name "));
        }
        check(&pods, ("..", "x", ""), Err("namespace may not be"));
        check(&pods, ("a", "x", "a//b"), Err("subresource may not be empty"));
        check(&pods, ("a", "x", "../y"), Err("subresource may not be \"..\""));
        let bad = ApiResource::namespaced("a/b", "v1", "Foo", "foos");
        assert!(Endpoint::new::<Unstructured>(bad).unwrap_err().to_string().contains("API group"));
    }
}
