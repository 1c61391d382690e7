//! Every resource the server serves: built-ins from data, custom resources from their CRDs.
//!
//! Go counterpart: the REST storages of `k8s.io/kubernetes/pkg/registry` and of
//! apiextensions-apiserver. There is one handler for all of them; what differs by kind is the
//! table in `behaviour.rs` and the small functions in `kinds.rs` that it names.

mod behaviour;
mod crd;
mod custom_rules;
mod definition;
mod go_mail;
mod go_regexp;
mod go_url;
mod kinds;
mod schema;
mod schema_check;
mod schema_formats;
mod schema_lists;
mod schema_values;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

pub(crate) use self::behaviour::{Behaviour, NameRule};
pub(crate) use self::crd::{
    CLEANUP_FINALIZER, CustomResource, custom_resources, deletion_in_progress, mark_terminating,
    naming, next_status,
};
pub(crate) use self::custom_rules::{finalizer_warnings, validate_custom};
pub(crate) use self::definition::{
    definition_warnings, validate_definition, validate_definition_status,
};
pub(crate) use self::kinds::merge_string_data;
pub(crate) use self::schema::Schema;

use crate::generated::resources::RESOURCES;
use crate::managed::Managers;
use crate::object::{Head, Object, Stored, at, metadata, text};
use crate::status::Target;
use crate::storage::Revision;

/// A built-in resource, as the generated table has it.
pub(crate) struct BuiltinResource {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespaced: bool,
    pub(crate) verbs: &'static [&'static str],
    pub(crate) short_names: &'static [&'static str],
    pub(crate) categories: &'static [&'static str],
    pub(crate) subresources: &'static [BuiltinSubresource],
}

/// A subresource of a built-in resource. Group and version are empty where they are the
/// resource's own.
pub(crate) struct BuiltinSubresource {
    pub(crate) name: &'static str,
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) verbs: &'static [&'static str],
}

/// One resource at one group and version.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) namespaced: bool,
    pub(crate) verbs: Vec<String>,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) subresources: Vec<Subresource>,
    /// Keys of its objects begin with this; ends in `/`.
    pub(crate) prefix: String,
    pub(crate) behaviour: Behaviour,
    /// Set for custom resources.
    pub(crate) custom: Option<CustomResource>,
    pub(crate) managers: Managers,
}

#[derive(Clone, Debug)]
pub(crate) struct Subresource {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) verbs: Vec<String>,
}

impl Resource {
    fn builtin(builtin: &BuiltinResource) -> Resource {
        let owned = |list: &[&str]| list.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        Resource {
            group: builtin.group.to_owned(),
            version: builtin.version.to_owned(),
            plural: builtin.plural.to_owned(),
            singular: builtin.singular.to_owned(),
            kind: builtin.kind.to_owned(),
            list_kind: format!("{}List", builtin.kind),
            namespaced: builtin.namespaced,
            verbs: owned(builtin.verbs),
            short_names: owned(builtin.short_names),
            categories: owned(builtin.categories),
            subresources: builtin
                .subresources
                .iter()
                .map(|sub| Subresource {
                    name: sub.name.to_owned(),
                    group: sub.group.to_owned(),
                    version: sub.version.to_owned(),
                    kind: sub.kind.to_owned(),
                    verbs: owned(sub.verbs),
                })
                .collect(),
            prefix: match (builtin.group, builtin.plural) {
                ("", "services") => "/registry/services/specs/".to_owned(),
                ("", "endpoints") => "/registry/services/endpoints/".to_owned(),
                (_, plural) => format!("/registry/{plural}/"),
            },
            behaviour: behaviour::of(builtin.group, builtin.version, builtin.plural),
            custom: None,
            managers: Managers::default(),
        }
    }

    /// `group/version`, or the version alone in the legacy group.
    pub(crate) fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }

    /// The version objects are stored in.
    pub(crate) fn storage_api_version(&self) -> String {
        self.behaviour.storage_version.map_or_else(|| self.api_version(), str::to_owned)
    }

    pub(crate) fn target<'a>(&'a self, name: &'a str) -> Target<'a> {
        Target { group: &self.group, resource: &self.plural, name }
    }

    pub(crate) fn key(&self, namespace: &str, name: &str) -> String {
        if self.namespaced {
            format!("{}{namespace}/{name}", self.prefix)
        } else {
            format!("{}{name}", self.prefix)
        }
    }

    pub(crate) fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| sub.name == name)
    }

    pub(crate) fn has_status(&self) -> bool {
        self.subresource("status").is_some()
    }

    /// What goes before the stored body in an answer.
    pub(crate) fn head(&self) -> Head {
        let version = format!("\"apiVersion\":\"{}\",", self.api_version());
        let kind = format!("\"kind\":\"{}\",", self.kind);
        if self.custom.is_some() {
            Head { first: version, second: kind }
        } else {
            Head { first: kind + &version, second: String::new() }
        }
    }

    /// Items of typed lists carry no kind; items of lists of custom resources do.
    pub(crate) fn item_head(&self) -> Head {
        if self.custom.is_some() { self.head() } else { Head::default() }
    }

    /// Labels that field selectors may name beside the name and namespace, with the path of each.
    pub(crate) fn selectable(&self) -> Vec<(&str, &str)> {
        match &self.custom {
            Some(custom) => custom
                .selectable
                .iter()
                .map(|(label, path)| (label.as_str(), path.as_str()))
                .collect(),
            None => self.behaviour.selectable.to_vec(),
        }
    }

    /// The values of [`Resource::selectable`] in an object of the storage version.
    pub(crate) fn field_values(&self, object: &Object) -> Vec<String> {
        let selectable = self.selectable();
        let values = selectable.iter().map(|(label, path)| match at(object, path) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            _ => match *label {
                "spec.hostNetwork" | "spec.unschedulable" => "false".to_owned(),
                "status.successful" | "status.replicas" => "0".to_owned(),
                _ => String::new(),
            },
        });
        let mut values: Vec<String> = values.collect();
        if let Some(finish) = self.behaviour.field_values {
            finish(object, &mut values);
        }
        values
    }

    /// A stored object as this version of a custom resource reads it; of other resources as it is.
    pub(crate) fn object(&self, stored: &Stored, version: Option<Revision>) -> Object {
        let mut object = stored.object(version);
        if let Some(custom) = &self.custom
            && !custom.reads_plainly(stored.schema)
        {
            custom.read(&mut object, stored.schema);
        }
        object
    }

    /// Turns an object of the storage version into this version.
    pub(crate) fn convert_from_storage(&self, object: &mut Object) {
        if let Some(convert) = self.behaviour.from_storage {
            convert(object);
        }
    }

    /// Turns an object of this version into the storage version.
    pub(crate) fn convert_to_storage(&self, object: &mut Object) {
        if let Some(convert) = self.behaviour.to_storage {
            convert(object);
        }
    }

    /// Whether stored bytes need more than another head to be an answer in this version.
    pub(crate) fn converts(&self) -> bool {
        self.behaviour.from_storage.is_some()
    }
}

/// `group/version`, or the version alone in the legacy group.
pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// All resources, in the order of discovery: one entry for each group, in it one for each version.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) groups: Vec<Group>,
    index: BTreeMap<String, Arc<Resource>>,
    /// One resource for each prefix of keys.
    prefixes: BTreeMap<String, Arc<Resource>>,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) versions: Vec<Version>,
}

#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) version: String,
    pub(crate) resources: Vec<Arc<Resource>>,
}

impl Table {
    fn add(&mut self, resource: Arc<Resource>) {
        let index = match self.groups.iter().position(|group| group.name == resource.group) {
            Some(index) => index,
            None => {
                self.groups.push(Group { name: resource.group.clone(), versions: Vec::new() });
                self.groups.len() - 1
            }
        };
        let versions = &mut self.groups[index].versions;
        let index = match versions.iter().position(|v| v.version == resource.version) {
            Some(index) => index,
            None => {
                let version = resource.version.clone();
                versions.push(Version { version, resources: Vec::new() });
                versions.len() - 1
            }
        };
        versions[index].resources.push(Arc::clone(&resource));
        if !resource.converts() {
            self.prefixes.entry(resource.prefix.clone()).or_insert_with(|| Arc::clone(&resource));
        }
        self.index
            .insert(index_key(&resource.group, &resource.version, &resource.plural), resource);
    }

    /// Every resource, once for each version.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.index.values()
    }

    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.index.get(&index_key(group, version, plural))
    }

    /// The resource whose objects have keys like this one: of several versions, one.
    pub(crate) fn by_key(&self, key: &str) -> Option<Arc<Resource>> {
        // `/registry/PLURAL/...` or `/registry/GROUP/PLURAL/...`: the shorter prefix first.
        let ends = key.match_indices('/').skip(2).take(2).map(|(at, _)| at + 1);
        ends.filter_map(|end| self.prefixes.get(&key[..end])).next().cloned()
    }
}

fn index_key(group: &str, version: &str, plural: &str) -> String {
    format!("{group}/{version}/{plural}")
}

/// Whether there is a version of a built-in group.
pub(crate) fn is_builtin(group: &str, version: &str) -> bool {
    RESOURCES.iter().any(|builtin| builtin.group == group && builtin.version == version)
}

/// The table, replaced as a whole when a CRD changes.
pub(crate) struct Registry {
    builtin: Vec<Arc<Resource>>,
    table: RwLock<Arc<Table>>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        let builtin: Vec<_> =
            RESOURCES.iter().map(|builtin| Arc::new(Resource::builtin(builtin))).collect();
        let registry = Registry { builtin, table: RwLock::default() };
        registry.set_custom(Vec::new());
        registry
    }

    /// Serves these versions of built-in groups no more, or of these only some resources: group,
    /// version, and the resource or nothing.
    pub(crate) fn leave_out(&mut self, off: &[[String; 3]]) {
        self.builtin.retain(|builtin| {
            !off.iter().any(|[group, version, plural]| {
                *group == builtin.group
                    && *version == builtin.version
                    && (plural.is_empty() || *plural == builtin.plural)
            })
        });
        self.set_custom(Vec::new());
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves these custom resources, and no other.
    pub(crate) fn set_custom(&self, mut custom: Vec<Resource>) {
        custom.sort_by(|a, b| {
            let rank = |resource: &Resource| version_rank(&resource.version);
            (&a.group, rank(a), &a.plural).cmp(&(&b.group, rank(b), &b.plural))
        });
        let mut table = Table::default();
        for resource in &self.builtin {
            table.add(Arc::clone(resource));
        }
        for resource in custom {
            if table.find(&resource.group, &resource.version, &resource.plural).is_none() {
                table.add(Arc::new(resource));
            }
        }
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }
}

/// Sorts versions as Kubernetes does: `v10`, `v2`, `v1`, `v1beta1`, `v1alpha1`, then the rest.
fn version_rank(version: &str) -> (u8, i64, i64, String) {
    let parse = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let major: i64 = rest[..digits].parse().ok()?;
        let (stage, minor) = match &rest[digits..] {
            "" => (0, 0),
            pre => {
                let (stage, minor) = match (pre.strip_prefix("beta"), pre.strip_prefix("alpha")) {
                    (Some(minor), _) => (1, minor),
                    (_, Some(minor)) => (2, minor),
                    _ => return None,
                };
                (stage, minor.parse().ok()?)
            }
        };
        Some((stage, -major, -minor, String::new()))
    };
    parse().unwrap_or_else(|| (3, 0, 0, version.to_owned()))
}

/// Whether anything but metadata and, with `without_status`, status differs.
pub(crate) fn spec_changed(new: &Object, old: &Object, without_status: bool) -> bool {
    let counts = |key: &str| match key {
        "metadata" | "kind" | "apiVersion" => false,
        "status" => !without_status,
        _ => true,
    };
    let differs = |a: &Object, b: &Object| {
        a.iter().any(|(key, value)| counts(key) && b.get(key) != Some(value))
    };
    differs(new, old) || differs(old, new)
}

/// What is said of a resource that is served but deprecated.
pub(crate) fn deprecation(resource: &Resource) -> Option<String> {
    let Resource { group, version, plural, kind, .. } = resource;
    let here = (group.as_str(), version.as_str(), plural.as_str());
    let Some(custom) = &resource.custom else {
        return match here {
            ("", "v1", "componentstatuses") => {
                Some("v1 ComponentStatus is deprecated in v1.19+".to_owned())
            }
            ("", "v1", "endpoints") => Some(
                "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
                    .to_owned(),
            ),
            _ => None,
        };
    };
    let versions = custom.definition.pointer("/spec/versions").and_then(Value::as_array)?;
    let own = versions.iter().find(|v| v["name"] == version.as_str())?;
    if own.get("deprecated") != Some(&Value::Bool(true)) {
        return None;
    }
    if let Some(given) = own.get("deprecationWarning").and_then(Value::as_str) {
        return Some(given.to_owned());
    }
    let fit = |v: &&Value| v["served"] == true && v.get("deprecated") != Some(&Value::Bool(true));
    let names = versions.iter().filter(fit).filter_map(|v| v["name"].as_str());
    // A version that is more stable, or newer and as stable.
    let better = names
        .filter(|name| version_rank(name) < version_rank(version))
        .min_by_key(|name| version_rank(name));
    Some(match better {
        Some(better) => {
            format!("{group}/{version} {kind} is deprecated; use {group}/{better} {kind}")
        }
        None => format!("{group}/{version} {kind} is deprecated"),
    })
}

/// The name of an object.
pub(crate) fn name_of(object: &Object) -> &str {
    text(metadata(object), "name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_kubernetes_sorts_them() {
        let mut versions =
            ["v1alpha1", "foo", "v1", "v11beta2", "v2", "v10", "v1beta1", "v12alpha1", "v11beta10"];
        versions.sort_by_key(|version| version_rank(version));
        assert_eq!(
            versions,
            ["v10", "v2", "v1", "v11beta10", "v11beta2", "v1beta1", "v12alpha1", "v1alpha1", "foo"]
        );
    }

    #[test]
    fn keys_lead_back_to_resources() {
        let table = Registry::new().table();
        let events = table.by_key("/registry/events/default/a").expect("a resource");
        assert_eq!((events.group.as_str(), events.version.as_str()), ("", "v1"));
        let nodes = table.by_key("/registry/nodes/n").expect("a resource");
        assert_eq!(nodes.kind, "Node");
        assert!(table.by_key("/registry/nope/a").is_none());
    }
}
