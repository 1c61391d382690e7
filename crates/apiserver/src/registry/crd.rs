//! Custom resources from their definitions: what a CRD serves, and the conditions it goes through.
//!
//! Go counterpart: apiextensions-apiserver's `crdHandler`, naming and establishing controllers.
//! Conversion between versions is `None` only: another head on the same fields. Webhooks are not
//! called: requests to versions that they would have to convert are answered with an error.

use std::sync::Arc;

use pintle_apimachinery::validation::{FieldError, FieldErrors, FieldPath};
use serde_json::{Value, json};

use super::definition::{approval_of, is_protected, structural_violations};
use super::{Resource, Schema, Subresource, behaviour};
use crate::object::{Object, at, metadata, strings, text};

/// Keeps a CRD until its objects are gone.
pub(crate) const CLEANUP_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// What only custom resources have.
#[derive(Clone, Debug)]
pub(crate) struct CustomResource {
    pub(crate) schema: Option<Arc<Schema>>,
    /// The schema of the version that objects are stored in.
    pub(crate) stored: Option<Arc<Schema>>,
    /// Whether objects are stored in this version.
    pub(crate) is_stored: bool,
    /// Whether a webhook would have to convert what is stored in another version.
    pub(crate) by_webhook: bool,
    /// The definition, with every version of the kind.
    pub(crate) definition: Arc<Value>,
    /// Unknown fields are kept at every level (`spec.preserveUnknownFields`).
    pub(crate) preserve_unknown: bool,
    /// Fields that some version may be selected by: how selectors name each, which is in no way
    /// where this version does not offer it, and its dotted path.
    pub(crate) selectable: Vec<(String, String)>,
    /// Where the kind has its replicas, when it has the scale subresource.
    pub(crate) scale: Option<ScalePaths>,
    /// The CRD is being deleted: nothing new may be created.
    pub(crate) terminating: bool,
}

/// Dotted paths of a custom resource's replicas and selector.
#[derive(Clone, Debug)]
pub(crate) struct ScalePaths {
    pub(crate) spec_replicas: String,
    pub(crate) status_replicas: String,
    pub(crate) label_selector: String,
}

/// The resources a CRD serves: one for each served version, once its names are accepted.
pub(crate) fn custom_resources(crd: &Object) -> Vec<Resource> {
    let is_true = |kind: &str| condition(crd, kind).is_some_and(|c| c == "True");
    if !is_true("Established") {
        return Vec::new();
    }
    let group = at(crd, "spec.group").and_then(Value::as_str).unwrap_or_default();
    let namespaced = at(crd, "spec.scope").and_then(Value::as_str) == Some("Namespaced");
    let Some(Value::Object(names)) = at(crd, "status.acceptedNames") else { return Vec::new() };
    let plural = text(names, "plural");
    let kind = text(names, "kind");
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let terminating = metadata(crd).contains_key("deletionTimestamp");
    let definition = Arc::new(Value::Object(crd.clone()));
    let versions = at(crd, "spec.versions").and_then(Value::as_array);
    let all = || versions.into_iter().flatten();
    let schema_of = |version: &Value| {
        let schema = version.pointer("/schema/openAPIV3Schema")?;
        Some(Arc::new(Schema::new(schema.clone())))
    };
    let stored = all().find(|v| v.get("storage") == Some(&true.into())).and_then(schema_of);
    let fields_of = |version: &Value| -> Vec<String> {
        let fields = version.get("selectableFields").and_then(Value::as_array);
        let paths =
            fields.into_iter().flatten().filter_map(|field| field.get("jsonPath")?.as_str());
        paths.map(|path| path.trim_start_matches('.').to_owned()).collect()
    };
    let mut paths: Vec<String> = all().flat_map(fields_of).collect();
    paths.sort();
    paths.dedup();
    let served = all().filter(|v| v.get("served") == Some(&true.into()));
    served
        .map(|version| {
            let verbs =
                ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
            let name = version.get("name").and_then(Value::as_str).unwrap_or_default();
            let mut subresources = Vec::new();
            let mut subresource = |sub: &str, group: &str, version: &str, kind: &str| {
                subresources.push(Subresource {
                    name: sub.to_owned(),
                    group: group.to_owned(),
                    version: version.to_owned(),
                    kind: kind.to_owned(),
                    verbs: owned(vec!["get", "patch", "update"]),
                });
            };
            if version.pointer("/subresources/status").is_some() {
                subresource("status", "", "", kind);
            }
            if version.pointer("/subresources/scale").is_some() {
                subresource("scale", "autoscaling", "v1", "Scale");
            }
            let scale = version.pointer("/subresources/scale").map(|scale| {
                let path = |key: &str| {
                    let path = scale.get(key).and_then(Value::as_str).unwrap_or_default();
                    path.trim_start_matches('.').to_owned()
                };
                ScalePaths {
                    spec_replicas: path("specReplicasPath"),
                    status_replicas: path("statusReplicasPath"),
                    label_selector: path("labelSelectorPath"),
                }
            });
            let own = fields_of(version);
            let selectable = paths
                .iter()
                .map(|path| {
                    let hidden = if own.contains(path) { "" } else { "\0" };
                    (format!("{path}{hidden}"), path.clone())
                })
                .collect();
            let is_stored = version.get("storage") == Some(&true.into());
            Resource {
                group: group.to_owned(),
                version: name.to_owned(),
                plural: plural.to_owned(),
                singular: text(names, "singular").to_owned(),
                kind: kind.to_owned(),
                list_kind: text(names, "listKind").to_owned(),
                namespaced,
                verbs: owned(verbs.to_vec()),
                short_names: owned(strings(names, "shortNames")),
                categories: owned(strings(names, "categories")),
                subresources,
                prefix: format!("/registry/{group}/{plural}/"),
                behaviour: behaviour::CUSTOM,
                custom: Some(CustomResource {
                    schema: if is_stored { stored.clone() } else { schema_of(version) },
                    stored: stored.clone(),
                    is_stored,
                    by_webhook: at(crd, "spec.conversion.strategy") == Some(&"Webhook".into()),
                    definition: Arc::clone(&definition),
                    preserve_unknown: at(crd, "spec.preserveUnknownFields") == Some(&true.into()),
                    selectable,
                    scale,
                    terminating,
                }),
                managers: Default::default(),
            }
        })
        .collect()
}

impl CustomResource {
    /// Brings an object into the form in which it is stored: what the stored version does not know
    /// is dropped, and what it has as defaults is filled in.
    pub(crate) fn store(&self, object: &mut Object) {
        if !self.is_stored
            && let Some(stored) = &self.stored
        {
            if !self.preserve_unknown {
                stored.prune(object);
            }
            stored.default(object);
        }
    }

    /// Which schema an object that is stored now is of.
    pub(crate) fn stored_id(&self) -> u64 {
        self.stored.as_ref().map_or(0, |schema| schema.id())
    }

    /// Whether objects that were stored under a schema are read as they are.
    pub(crate) fn reads_plainly(&self, schema: u64) -> bool {
        self.is_stored && schema == self.stored_id()
    }

    /// Makes of a stored object what this version reads: as the version in which it is stored has
    /// it now, without what this one does not know.
    pub(crate) fn read(&self, object: &mut Object, schema: u64) {
        if let Some(stored) = self.stored.as_ref().filter(|stored| stored.id() != schema) {
            if !self.preserve_unknown {
                stored.prune(object);
            }
            stored.default(object);
        }
        if !self.is_stored
            && !self.preserve_unknown
            && let Some(schema) = &self.schema
        {
            schema.prune(object);
        }
    }
}

pub(super) fn condition<'a>(crd: &'a Object, kind: &str) -> Option<&'a str> {
    let conditions = at(crd, "status.conditions")?.as_array()?;
    let found = conditions.iter().find(|c| c.get("type").is_some_and(|t| t == kind))?;
    found.get("status")?.as_str()
}

/// The next step of a CRD's life, or `None` when there is none: accepted names, then established,
/// as two updates a client can watch, and what its schemas and its group have to be told of.
pub(crate) fn next_status(crd: &Object, naming: Naming, now: &str) -> Option<Value> {
    let mut status = at(crd, "status").cloned().unwrap_or_else(|| json!({}));
    let before = status.clone();
    let accepted = condition(crd, "NamesAccepted");
    status["acceptedNames"] = Value::Object(naming.accepted);
    let mut set = |kind: &str, value: &str, reason: &str, message: &str| {
        set_condition(&mut status, kind, value, reason, message, now);
    };
    let established = condition(crd, "Established");
    match naming.conflict {
        Some((reason, message)) => {
            set("NamesAccepted", "False", reason, &message);
            if established.is_none() {
                set("Established", "False", "NotAccepted", "not all names are accepted");
            }
        }
        None => {
            set("NamesAccepted", "True", "NoConflicts", "no conflicts found");
            let text = "the initial names have been accepted";
            match (accepted, established) {
                (_, Some("True")) => {}
                (Some("True"), Some(_)) => {
                    set("Established", "True", "InitialNamesAccepted", text);
                }
                _ => set("Established", "False", "Installing", text),
            }
        }
    }
    if is_protected(at(crd, "spec.group").and_then(Value::as_str).unwrap_or_default()) {
        let (value, reason, message) = approval_of(crd);
        set("KubernetesAPIApprovalPolicyConformant", value, reason, &message);
    }
    let violations = violations(crd);
    if violations.is_empty() {
        if let Some(Value::Array(conditions)) = status.get_mut("conditions") {
            conditions.retain(|condition| condition["type"] != "NonStructuralSchema");
        }
    } else {
        set("NonStructuralSchema", "True", "Violations", &violations);
    }
    (status != before).then_some(status)
}

/// What keeps the schemas of a definition from being structural; none where they are.
fn violations(crd: &Object) -> String {
    let mut errors = Vec::new();
    if at(crd, "spec.preserveUnknownFields") == Some(&true.into()) {
        errors.push(FieldError::invalid("spec.preserveUnknownFields", true, "must be false"));
    }
    let versions = at(crd, "spec.versions").and_then(Value::as_array);
    for (index, version) in versions.into_iter().flatten().enumerate() {
        if let Some(schema) = version.pointer("/schema/openAPIV3Schema") {
            let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
            errors.extend(structural_violations(schema, &FieldPath::new(path)));
        }
    }
    let errors: FieldErrors = errors.into_iter().collect();
    if errors.is_empty() { String::new() } else { errors.to_string() }
}

fn set_condition(
    status: &mut Value,
    kind: &str,
    value: &str,
    reason: &str,
    message: &str,
    now: &str,
) {
    let fresh = json!({
        "type": kind, "status": value, "lastTransitionTime": now,
        "reason": reason, "message": message,
    });
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let Value::Array(conditions) = &mut status["conditions"] else { return };
    match conditions.iter_mut().find(|condition| condition["type"] == kind) {
        Some(old) => {
            let same = ["status", "reason", "message"].iter().all(|key| old[*key] == fresh[*key]);
            if !same {
                let since = old["lastTransitionTime"].clone();
                let moved = old["status"] != value;
                *old = fresh;
                if !moved {
                    old["lastTransitionTime"] = since;
                }
            }
        }
        None => conditions.push(fresh),
    }
}

/// The names a CRD may have, and why it may not have all it wants.
pub(crate) struct Naming {
    accepted: Object,
    conflict: Option<(&'static str, String)>,
}

/// Compares the names a CRD wants with those that others of its group have. Each that is free is
/// accepted, whatever becomes of the rest; of several conflicts the last is told.
pub(crate) fn naming<'a>(crd: &Object, others: impl Iterator<Item = &'a Object>) -> Naming {
    let empty = Object::new();
    let names = at(crd, "spec.names").and_then(Value::as_object).unwrap_or(&empty);
    let group = at(crd, "spec.group");
    let (mut plain, mut kinds) = (Vec::new(), Vec::new());
    for other in others {
        let same = metadata(other).get("name") == metadata(crd).get("name");
        if at(other, "spec.group") != group || same {
            continue;
        }
        let Some(Value::Object(taken)) = at(other, "status.acceptedNames") else { continue };
        plain.extend([text(taken, "plural"), text(taken, "singular")]);
        plain.extend(strings(taken, "shortNames"));
        kinds.extend([text(taken, "kind"), text(taken, "listKind")]);
    }
    let before = at(crd, "status.acceptedNames").and_then(Value::as_object);
    let mut naming = Naming { accepted: before.cloned().unwrap_or_default(), conflict: None };
    for (key, reason, taken) in [
        ("plural", "PluralConflict", &plain),
        ("singular", "SingularConflict", &plain),
        ("shortNames", "ShortNamesConflict", &plain),
        ("kind", "KindConflict", &kinds),
        ("listKind", "ListKindConflict", &kinds),
    ] {
        let wanted = match key {
            "shortNames" => strings(names, key),
            key => vec![text(names, key)],
        };
        let in_use: Vec<String> = wanted
            .into_iter()
            .filter(|name| !name.is_empty() && taken.contains(name))
            .map(|name| format!("{} is already in use", crate::status::quote(name)))
            .collect();
        match in_use.as_slice() {
            [] => {
                match names.get(key) {
                    Some(value) => naming.accepted.insert(key.to_owned(), value.clone()),
                    None => naming.accepted.shift_remove(key),
                };
            }
            [one] => naming.conflict = Some((reason, one.clone())),
            many => naming.conflict = Some((reason, format!("[{}]", many.join(", ")))),
        }
    }
    match names.get("categories") {
        Some(value) => naming.accepted.insert("categories".to_owned(), value.clone()),
        None => naming.accepted.shift_remove("categories"),
    };
    naming
}

/// A CRD that is asked to go: it stays until its objects are gone.
pub(crate) fn mark_terminating(crd: &mut Object, now: &str) {
    let mut status = crd.remove("status").unwrap_or_else(|| json!({}));
    set_condition(
        &mut status,
        "Terminating",
        "True",
        "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        now,
    );
    crd.insert("status".to_owned(), status);
}

/// A CRD whose objects are being deleted.
pub(crate) fn deletion_in_progress(crd: &mut Object, now: &str) {
    let mut status = crd.remove("status").unwrap_or_else(|| json!({}));
    let text = "CustomResource deletion is in progress";
    set_condition(&mut status, "Terminating", "True", "InstanceDeletionInProgress", text, now);
    crd.insert("status".to_owned(), status);
}
