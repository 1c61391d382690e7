//! Discovery: what is served, in the legacy form and the aggregated one.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/discovery` and its `aggregated` package.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::registry::{Group, Resource, Subresource, Table, Version, api_version};

/// `/api`.
pub(crate) fn api_versions(address: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    })
}

/// `/apis`.
pub(crate) fn groups(table: &Table) -> Value {
    let named = table.groups.iter().filter(|group| !group.name.is_empty());
    let groups: Vec<Value> = named.map(group_entry).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`.
pub(crate) fn group(group: &Group) -> Value {
    let mut value = Map::new();
    value.insert("kind".to_owned(), "APIGroup".into());
    value.insert("apiVersion".to_owned(), "v1".into());
    if let Value::Object(entry) = group_entry(group) {
        value.extend(entry);
    }
    Value::Object(value)
}

fn group_entry(group: &Group) -> Value {
    let versions: Vec<Value> = group
        .versions
        .iter()
        .map(|version| {
            json!({
                "groupVersion": api_version(&group.name, &version.version),
                "version": version.version,
            })
        })
        .collect();
    json!({
        "name": group.name,
        "versions": versions,
        "preferredVersion": versions.first(),
    })
}

/// `/api/v1` and `/apis/GROUP/VERSION`.
pub(crate) fn resources(group: &str, version: &Version) -> Value {
    let mut list = Vec::new();
    for resource in &version.resources {
        let mut entry = Map::new();
        entry.insert("name".to_owned(), resource.plural.as_str().into());
        entry.insert("singularName".to_owned(), resource.singular.as_str().into());
        entry.insert("namespaced".to_owned(), resource.namespaced.into());
        entry.insert("kind".to_owned(), resource.kind.as_str().into());
        entry.insert("verbs".to_owned(), resource.verbs.clone().into());
        names(&mut entry, resource);
        if resource.verbs.iter().any(|verb| verb == "watch") {
            entry.insert("storageVersionHash".to_owned(), storage_hash(resource).into());
        }
        list.push(Value::Object(entry));
        for sub in &resource.subresources {
            let mut entry = Map::new();
            let name = format!("{}/{}", resource.plural, sub.name);
            entry.insert("name".to_owned(), name.into());
            entry.insert("singularName".to_owned(), "".into());
            entry.insert("namespaced".to_owned(), resource.namespaced.into());
            if !sub.group.is_empty() {
                entry.insert("group".to_owned(), sub.group.as_str().into());
            }
            if !sub.version.is_empty() {
                entry.insert("version".to_owned(), sub.version.as_str().into());
            }
            entry.insert("kind".to_owned(), sub.kind.as_str().into());
            entry.insert("verbs".to_owned(), sub.verbs.clone().into());
            list.push(Value::Object(entry));
        }
    }
    let mut value = Map::new();
    value.insert("kind".to_owned(), "APIResourceList".into());
    if !group.is_empty() {
        // The legacy group leaves it out, in Kubernetes too.
        value.insert("apiVersion".to_owned(), "v1".into());
    }
    value.insert("groupVersion".to_owned(), api_version(group, &version.version).into());
    value.insert("resources".to_owned(), list.into());
    Value::Object(value)
}

/// Tells whether two servers, or one at two times, store a resource in the same version.
fn storage_hash(resource: &Resource) -> String {
    // Some are stored in a version that is older than the one served.
    let older = match (resource.group.as_str(), resource.plural.as_str()) {
        ("apiextensions.k8s.io", "customresourcedefinitions") => "v1beta1",
        ("certificates.k8s.io", "clustertrustbundles" | "podcertificaterequests") => "v1beta1",
        ("resource.k8s.io", "devicetaintrules") => "v1beta2",
        _ => "",
    };
    let stored = match &resource.custom {
        None if !older.is_empty() => format!("{}/{older}/{}", resource.group, resource.kind),
        Some(custom) => {
            let versions = custom.definition.pointer("/spec/versions").and_then(Value::as_array);
            let storage = versions.into_iter().flatten().find(|v| v["storage"] == true);
            let version = storage.and_then(|v| v["name"].as_str()).unwrap_or_default();
            format!("{}/{version}/{}", resource.group, resource.kind)
        }
        None => match resource.storage_api_version().split_once('/') {
            Some((group, version)) => format!("{group}/{version}/{}", resource.kind),
            None => format!("/{}/{}", resource.storage_api_version(), resource.kind),
        },
    };
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let Some(suite) = suite.tls13() else { return String::new() };
    let hash = suite.common.hash_provider.hash(stored.as_bytes());
    STANDARD.encode(hash.as_ref().get(..8).unwrap_or_default())
}

fn names(entry: &mut Map<String, Value>, resource: &Resource) {
    if !resource.short_names.is_empty() {
        entry.insert("shortNames".to_owned(), resource.short_names.clone().into());
    }
    if !resource.categories.is_empty() {
        entry.insert("categories".to_owned(), resource.categories.clone().into());
    }
}

/// `/api` and `/apis` in the aggregated form.
pub(crate) fn aggregated(table: &Table, legacy: bool) -> Value {
    let groups = table.groups.iter().filter(|group| group.name.is_empty() == legacy);
    let items: Vec<Value> = groups
        .map(|group| {
            let mut metadata = Map::new();
            if !group.name.is_empty() {
                metadata.insert("name".to_owned(), group.name.as_str().into());
            }
            let versions: Vec<Value> = group.versions.iter().map(aggregated_version).collect();
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    })
}

fn aggregated_version(version: &Version) -> Value {
    let resources: Vec<Value> = version
        .resources
        .iter()
        .map(|resource| {
            // Kinds of custom resources carry their group and version here, built-in ones do not.
            let (group, api) = match resource.custom {
                Some(_) => (resource.group.as_str(), resource.version.as_str()),
                None => ("", ""),
            };
            let mut entry = Map::new();
            entry.insert("resource".to_owned(), resource.plural.as_str().into());
            entry.insert(
                "responseKind".to_owned(),
                json!({"group": group, "version": api, "kind": resource.kind}),
            );
            let scope = if resource.namespaced { "Namespaced" } else { "Cluster" };
            entry.insert("scope".to_owned(), scope.into());
            entry.insert("singularResource".to_owned(), resource.singular.as_str().into());
            entry.insert("verbs".to_owned(), resource.verbs.clone().into());
            names(&mut entry, resource);
            if !resource.subresources.is_empty() {
                let subresources: Vec<Value> = resource
                    .subresources
                    .iter()
                    .map(|sub| aggregated_subresource(sub, group, api))
                    .collect();
                entry.insert("subresources".to_owned(), subresources.into());
            }
            Value::Object(entry)
        })
        .collect();
    json!({"version": version.version, "resources": resources, "freshness": "Current"})
}

fn aggregated_subresource(sub: &Subresource, group: &str, version: &str) -> Value {
    let (group, version) = match sub.version.as_str() {
        "" => (group, version),
        own => (sub.group.as_str(), own),
    };
    json!({
        "subresource": sub.name,
        "responseKind": {"group": group, "version": version, "kind": sub.kind},
        "verbs": sub.verbs,
    })
}

/// What the server says it is.
pub(crate) const GIT_VERSION: &str = concat!("v1.37.2+pintle-", env!("CARGO_PKG_VERSION"));

/// `/version`: the Kubernetes release whose API is served.
pub(crate) fn version() -> Value {
    json!({
        "major": "1",
        "minor": "37",
        "emulationMajor": "1",
        "emulationMinor": "37",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "36",
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": concat!("linux", "/", "amd64"),
    })
}

/// `/`: the paths there are.
pub(crate) fn paths(table: &Table) -> Value {
    let mut paths = vec!["/api".to_owned(), "/apis".to_owned(), "/apis/".to_owned()];
    for group in &table.groups {
        let base = match group.name.as_str() {
            "" => "/api".to_owned(),
            name => {
                paths.push(format!("/apis/{name}"));
                format!("/apis/{name}")
            }
        };
        paths.extend(group.versions.iter().map(|version| format!("{base}/{}", version.version)));
    }
    for what in ["healthz", "livez", "readyz"] {
        paths.push(format!("/{what}"));
        paths.extend(crate::health::checks(what).map(|check| format!("/{what}/{check}")));
    }
    let others = ["/.well-known/openid-configuration", "/metrics", "/openid/v1/jwks", "/version"];
    paths.extend(others.map(str::to_owned));
    paths.sort();
    json!({ "paths": paths })
}
