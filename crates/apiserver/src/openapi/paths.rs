//! What can be done at each path: the operations of a resource, from its verbs.
//!
//! Go counterpart: `APIInstaller.registerResourceHandlers` of
//! `k8s.io/apiserver/pkg/endpoints/installer.go`, and apiextensions-apiserver's OpenAPI builder.

use std::collections::BTreeMap;

use super::definitions::{self, META};
use crate::registry::{Resource, Subresource};

/// One operation of a path.
#[derive(Clone, Debug, Default)]
pub(super) struct Operation {
    /// `get`, `put`, ...
    pub(super) method: &'static str,
    /// `x-kubernetes-action`; empty for what is about no resource.
    pub(super) action: &'static str,
    pub(super) id: String,
    pub(super) tag: String,
    /// Group, version and kind.
    pub(super) kind: [String; 3],
    pub(super) consumes: &'static [&'static str],
    pub(super) produces: &'static [&'static str],
    /// Names of parameters, as in [`parameter`].
    pub(super) parameters: Vec<&'static str>,
    pub(super) body: Body,
    /// What is answered: the definition, a text, or nothing of a kind.
    pub(super) answer: Answer,
    pub(super) codes: &'static [u16],
}

/// What is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Body {
    #[default]
    None,
    /// A definition, required.
    Object(String),
    Patch,
    /// DeleteOptions, which may be left out.
    Options,
}

/// What is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Answer {
    #[default]
    Text,
    Definition(String),
}

/// Operations by path.
pub(super) type Paths = BTreeMap<String, Vec<Operation>>;

pub(super) const ANY: &[&str] = &["*/*"];
pub(super) const BUILTIN: &[&str] =
    &["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const STREAMS: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
];
const LOG: &[&str] =
    &["text/plain", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const CUSTOM: &[&str] = &["application/json", "application/yaml"];
const PATCHES: &[&str] = &[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];
const CUSTOM_PATCHES: &[&str] = &[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
];

const LIST: &[&str] = &[
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "shardSelector",
    "timeoutSeconds",
    "watch",
];
const WRITE: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
const PATCH: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];
const DELETE: &[&str] = &[
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
];
const DELETE_MANY: &[&str] = &[
    "continue",
    "dryRun",
    "fieldSelector",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "labelSelector",
    "limit",
    "orphanDependents",
    "propagationPolicy",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "shardSelector",
    "timeoutSeconds",
];

/// Where a parameter is and its type, by name.
pub(super) fn parameter(name: &str) -> (&'static str, &'static str) {
    match name {
        "name" | "namespace" | "{path}" => ("path", "string"),
        "allowWatchBookmarks"
        | "follow"
        | "force"
        | "ignoreStoreReadErrorWithClusterBreakingPotential"
        | "insecureSkipTLSVerifyBackend"
        | "orphanDependents"
        | "previous"
        | "sendInitialEvents"
        | "stderr"
        | "stdin"
        | "stdout"
        | "timestamps"
        | "tty"
        | "watch" => ("query", "boolean"),
        "gracePeriodSeconds" | "limit" | "limitBytes" | "ports" | "sinceSeconds" | "tailLines"
        | "timeoutSeconds" => ("query", "integer"),
        _ => ("query", "string"),
    }
}

/// Parameters of subresources that hand a connection on, and of logs.
fn own_parameters(subresource: &str) -> &'static [&'static str] {
    match subresource {
        "attach" => &["container", "stderr", "stdin", "stdout", "tty"],
        "exec" => &["command", "container", "stderr", "stdin", "stdout", "tty"],
        "portforward" => &["ports"],
        "proxy" => &["path"],
        "log" => &[
            "container",
            "follow",
            "insecureSkipTLSVerifyBackend",
            "limitBytes",
            "previous",
            "sinceSeconds",
            "stream",
            "tailLines",
            "timestamps",
        ],
        _ => &[],
    }
}

/// The first letter in upper case.
fn title(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A group's part of tags: `rbac.authorization.k8s.io` is `rbacAuthorization`.
fn group_tag(group: &str) -> String {
    let group = group.strip_suffix(".k8s.io").unwrap_or(group);
    let mut parts = group.split(['.', '-']);
    let first = match parts.next().unwrap_or_default() {
        "" => "core",
        first => first,
    };
    parts.fold(first.to_owned(), |out, part| out + &title(part))
}

/// `/api/v1`, `/apis/apps/v1`.
pub(super) fn base(group: &str, version: &str) -> String {
    match group {
        "" => format!("/api/{version}"),
        group => format!("/apis/{group}/{version}"),
    }
}

/// The operations of one resource.
struct Builder<'a> {
    resource: &'a Resource,
    custom: bool,
    tag: String,
    /// Group and version as they are in identifiers: `AppsV1`.
    home: String,
    paths: &'a mut Paths,
}

/// Adds what can be done with a resource.
pub(super) fn add(resource: &Resource, paths: &mut Paths) {
    let tag = group_tag(&resource.group);
    let home = title(&tag) + &title(&resource.version);
    let tag = format!("{tag}_{}", resource.version);
    Builder { resource, custom: resource.custom.is_some(), tag, home, paths }.build();
}

/// The path that tells the resources of a group and version, or the versions of a group.
pub(super) fn add_discovery(group: &str, version: Option<&str>, paths: &mut Paths) {
    let tag = group_tag(group);
    let (path, id, tag, kind) = match (group, version) {
        ("", None) => ("/api/".to_owned(), "getCoreAPIVersions".to_owned(), tag, "APIVersions"),
        (group, None) => {
            let id = format!("get{}APIGroup", title(&tag));
            (format!("/apis/{group}/"), id, tag, "APIGroup")
        }
        (group, Some(version)) => {
            let id = format!("get{}{}APIResources", title(&tag), title(version));
            (base(group, version) + "/", id, format!("{tag}_{version}"), "APIResourceList")
        }
    };
    add_plain(&path, &id, &tag, BUILTIN, Answer::Definition(format!("{META}{kind}")), paths);
}

/// A path that is about no resource.
pub(super) fn add_plain(
    path: &str,
    id: &str,
    tag: &str,
    media: &'static [&'static str],
    answer: Answer,
    paths: &mut Paths,
) {
    let consumes = if matches!(answer, Answer::Text) { &[][..] } else { media };
    paths.insert(
        path.to_owned(),
        vec![Operation {
            method: "get",
            id: id.to_owned(),
            tag: tag.to_owned(),
            consumes,
            produces: media,
            answer,
            codes: &[200],
            ..Operation::default()
        }],
    );
}

impl Builder<'_> {
    fn build(&mut self) {
        let resource = self.resource;
        let plural = resource.plural.as_str();
        let base = base(&resource.group, &resource.version);
        let (scope, place) = match resource.namespaced {
            true => ("Namespaced", "/namespaces/{namespace}"),
            false => ("", ""),
        };
        let kind = &resource.kind;
        let has = |verb: &str| resource.verbs.iter().any(|v| v == verb);
        let list = self.definition(&resource.list_kind);
        if resource.namespaced && has("list") {
            let path = format!("{base}/{plural}");
            let id = format!("list{}{kind}ForAllNamespaces", self.home);
            self.read(path, "list", id, LIST, list.clone());
        }
        let root = format!("{base}{place}/{plural}");
        if has("list") {
            let id = format!("list{}{scope}{kind}", self.home);
            self.read(root.clone(), "list", id, LIST, list);
        }
        let own = self.definition(kind);
        if has("create") {
            let id = format!("create{}{scope}{kind}", self.home);
            self.write(root.clone(), "post", id, own.clone(), &[200, 201, 202]);
        }
        if has("deletecollection") {
            let id = format!("delete{}Collection{scope}{kind}", self.home);
            let status = Answer::Definition(format!("{META}Status"));
            let mut operation = self.operation("delete", "deletecollection", id, status, &[200]);
            if self.custom {
                operation.parameters.extend(LIST);
            } else {
                operation.parameters.extend(DELETE_MANY);
                operation.body = Body::Options;
            }
            self.push(root.clone(), operation);
        }
        let named = root + "/{name}";
        self.object(&named, scope, "", &resource.verbs.clone(), &own, None);
        if has("watch") && !self.custom {
            let event = Answer::Definition(format!("{META}WatchEvent"));
            let mut watch = |path: String, action, id: String| {
                let mut operation = self.operation("get", action, id, event.clone(), &[200]);
                operation.parameters.extend(LIST);
                operation.produces = STREAMS;
                self.push(path, operation);
            };
            let home = title(&group_tag(&resource.group)) + &title(&resource.version);
            if resource.namespaced {
                let id = format!("watch{home}{kind}ListForAllNamespaces");
                watch(format!("{base}/watch/{plural}"), "watchlist", id);
            }
            let path = format!("{base}/watch{place}/{plural}");
            watch(path.clone(), "watchlist", format!("watch{home}{scope}{kind}List"));
            watch(path + "/{name}", "watch", format!("watch{home}{scope}{kind}"));
        }
        for sub in &resource.subresources {
            self.subresource(&named, scope, sub);
        }
    }

    fn subresource(&mut self, named: &str, scope: &str, sub: &Subresource) {
        let resource = self.resource;
        let path = format!("{named}/{}", sub.name);
        let (group, version) = match sub.version.as_str() {
            "" => (resource.group.as_str(), resource.version.as_str()),
            version => (sub.group.as_str(), version),
        };
        let kind = match self.custom {
            true => None,
            false => Some([group.to_owned(), version.to_owned(), sub.kind.clone()]),
        };
        if sub.kind.ends_with("Options") {
            for (path, with) in [(path.clone(), ""), (format!("{path}/{{path}}"), "WithPath")] {
                if with.is_empty() || sub.name == "proxy" {
                    self.connect(&path, scope, sub, kind.clone().unwrap_or_default(), with);
                }
            }
            return;
        }
        let definition = match definitions::of_kind(group, version, &sub.kind) {
            Some(name) => name.to_owned(),
            None => self.definition(&sub.kind),
        };
        if sub.name == "log" {
            let id = format!("read{}{scope}{}Log", self.home, resource.kind);
            let mut operation = self.operation("get", "get", id, Answer::Text, &[200]);
            operation.produces = LOG;
            operation.parameters.extend(own_parameters("log"));
            self.push(path, operation);
            return;
        }
        self.object(&path, scope, &title(&sub.name), &sub.verbs, &definition, kind);
    }

    /// Operations on one object or a subresource of it.
    fn object(
        &mut self,
        path: &str,
        scope: &str,
        suffix: &str,
        verbs: &[String],
        definition: &str,
        kind: Option<[String; 3]>,
    ) {
        let has = |verb: &str| verbs.iter().any(|v| v == verb);
        let id = |verb: &str, builder: &Self| {
            format!("{verb}{}{scope}{}{suffix}", builder.home, builder.resource.kind)
        };
        let before = self.paths.get(path).map_or(0, Vec::len);
        if has("get") {
            let parameters = if self.custom { &["resourceVersion"][..] } else { &[] };
            self.read(path.to_owned(), "get", id("read", self), parameters, definition.to_owned());
        }
        if has("update") {
            let id = id("replace", self);
            self.write(path.to_owned(), "put", id, definition.to_owned(), &[200, 201]);
        }
        if has("create") && !suffix.is_empty() {
            let id = id("create", self);
            self.write(path.to_owned(), "post", id, definition.to_owned(), &[200, 201, 202]);
        }
        if has("delete") {
            // A namespace comes back as well, but nobody says so.
            let returns = self.resource.behaviour.returns_deleted
                && (!self.custom && self.resource.plural != "namespaces");
            let answer = match returns {
                true => definition.to_owned(),
                false => format!("{META}Status"),
            };
            let answer = Answer::Definition(answer);
            let id = id("delete", self);
            let mut operation = self.operation("delete", "delete", id, answer, &[200, 202]);
            operation.body = Body::Options;
            operation.parameters.extend(DELETE);
            self.push(path.to_owned(), operation);
        }
        if has("patch") {
            let codes = if self.custom { &[200][..] } else { &[200, 201] };
            let answer = Answer::Definition(definition.to_owned());
            let mut operation = self.operation("patch", "patch", id("patch", self), answer, codes);
            operation.consumes = if self.custom { CUSTOM_PATCHES } else { PATCHES };
            operation.body = Body::Patch;
            operation.parameters.extend(PATCH);
            self.push(path.to_owned(), operation);
        }
        if let (Some(kind), Some(operations)) = (kind, self.paths.get_mut(path)) {
            for operation in operations.iter_mut().skip(before) {
                operation.kind.clone_from(&kind);
            }
        }
    }

    fn connect(
        &mut self,
        path: &str,
        scope: &str,
        sub: &Subresource,
        kind: [String; 3],
        with: &str,
    ) {
        let methods: &[&str] = match sub.name.as_str() {
            "proxy" => &["get", "put", "post", "delete", "options", "head", "patch"],
            _ => &["get", "post"],
        };
        for method in methods {
            let (home, own, sub_title) = (&self.home, &self.resource.kind, title(&sub.name));
            let id = format!("connect{home}{}{scope}{own}{sub_title}{with}", title(method));
            let mut operation = self.operation(method, "connect", id, Answer::Text, &[200]);
            operation.produces = ANY;
            // Neither of these is offered by what hands a connection on.
            operation.parameters.retain(|name| *name != "pretty");
            operation.parameters.extend(own_parameters(&sub.name));
            if !with.is_empty() {
                operation.parameters.push("{path}");
            }
            operation.kind.clone_from(&kind);
            self.push(path.to_owned(), operation);
        }
    }

    /// The definition of a kind of the resource's group and version.
    fn definition(&self, kind: &str) -> String {
        let (group, version) = (&self.resource.group, &self.resource.version);
        if !self.custom
            && let Some(name) = definitions::of_kind(group, version, kind)
        {
            return name.to_owned();
        }
        super::custom::definition_name(group, version, kind)
    }

    fn read(
        &mut self,
        path: String,
        action: &'static str,
        id: String,
        parameters: &[&'static str],
        definition: String,
    ) {
        let answer = Answer::Definition(definition);
        let mut operation = self.operation("get", action, id, answer, &[200]);
        operation.parameters.extend(parameters);
        if action == "list" && !self.custom {
            operation.produces = STREAMS;
        }
        self.push(path, operation);
    }

    fn write(
        &mut self,
        path: String,
        method: &'static str,
        id: String,
        definition: String,
        codes: &'static [u16],
    ) {
        let answer = Answer::Definition(definition.clone());
        let mut operation = self.operation(method, method, id, answer, codes);
        operation.parameters.extend(WRITE);
        operation.body = Body::Object(definition);
        self.push(path, operation);
    }

    fn operation(
        &self,
        method: &'static str,
        action: &'static str,
        id: String,
        answer: Answer,
        codes: &'static [u16],
    ) -> Operation {
        let Resource { group, version, kind, .. } = self.resource;
        Operation {
            method,
            action,
            id,
            tag: self.tag.clone(),
            kind: [group.clone(), version.clone(), kind.clone()],
            consumes: if self.custom { CUSTOM } else { ANY },
            produces: if self.custom { CUSTOM } else { BUILTIN },
            parameters: vec!["pretty"],
            body: Body::None,
            answer,
            codes,
        }
    }

    fn push(&mut self, path: String, mut operation: Operation) {
        if path.contains("{namespace}") {
            operation.parameters.push("namespace");
        }
        if path.contains("{name}") {
            operation.parameters.push("name");
        }
        operation.parameters.sort_unstable_by_key(|name| name.trim_matches(['{', '}']));
        self.paths.entry(path).or_default().push(operation);
    }
}
