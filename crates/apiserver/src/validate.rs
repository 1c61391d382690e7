//! Metadata, checked as Kubernetes checks it: the rules of apimachinery, and those that the core API adds.
//!
//! Go counterpart: `k8s.io/apimachinery/pkg/api/validation`, `k8s.io/kubernetes/pkg/apis/core/validation`.

use pintle_apimachinery::ObjectMeta;
use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldPath, label_key, name_is_dns_label, name_is_dns_subdomain,
    name_is_path_segment, path_segment_name, validate_object_meta, validate_object_meta_update,
};
use serde_json::{Map, Value};

use crate::kinds;
use crate::object::Object;
use crate::registry::{NameRule, Resource, validate_custom};

/// What is wrong with an object that is created, or updated over an old one; `status` says that it
/// is an update of the status.
pub(crate) fn object(
    resource: &Resource,
    object: &Object,
    old: Option<&Object>,
    status: bool,
) -> Vec<FieldError> {
    let meta = crate::object::metadata(object);
    let own = match (&resource.custom, old) {
        (Some(custom), old) => validate_custom(custom, object, old, status).into_iter().collect(),
        (None, Some(old)) if status => kinds::validate_status(resource, object, old),
        (None, old) => kinds::validate(resource, object, old),
    };
    let Some(old) = old else {
        // Strategies that leave the metadata to what comes after them are asked first.
        let own_first = matches!(
            (resource.group.as_str(), resource.plural.as_str()),
            ("", "events") | ("policy", "poddisruptionbudgets")
        );
        if own_first && !own.is_empty() {
            return own.into_iter().collect();
        }
        if (resource.group.as_str(), resource.plural.as_str()) == ("", "replicationcontrollers") {
            // Its name is declared in the schema, which is asked last.
            let meta = match typed(meta) {
                Ok(meta) => meta,
                Err(errors) => return errors,
            };
            let all = general(&meta, resource, name_is_path_segment);
            let names = ["metadata.name", "metadata.generateName"];
            let is_name = |error: &FieldError| names.contains(&error.field.as_str());
            let mut errors: Vec<FieldError> =
                all.iter().filter(|error| !is_name(error)).cloned().collect();
            errors.extend(finalizers(&meta, resource));
            errors.extend(own);
            let path = FieldPath::new("metadata").child("name");
            let problems = name_is_dns_subdomain(&meta.name, false).into_iter();
            errors.extend(
                problems.map(|text| FieldError::invalid(path.clone(), meta.name.as_str(), text)),
            );
            return if errors.is_empty() { all } else { errors };
        }
        let mut errors = metadata(meta, resource);
        errors.extend(own);
        return errors;
    };
    let (new_meta, old_meta) = match (typed(meta), typed(crate::object::metadata(old))) {
        (Ok(new), Ok(old)) => (new, old),
        (Err(errors), _) | (_, Err(errors)) => return errors,
    };
    let path = FieldPath::new("metadata");
    let own_kind = (resource.group.as_str(), resource.plural.as_str());
    let whole = if status { own_kind == WHOLE_STATUS } else { WHOLE.contains(&own_kind) };
    let is_first = !status && WHOLE_FIRST.contains(&own_kind);
    let mut new_meta = new_meta;
    if new_meta.resource_version.is_empty() {
        // Whether an update may do without is decided elsewhere.
        new_meta.resource_version = old_meta.resource_version.clone();
    }
    let mut changes = validate_object_meta_update(&path, &new_meta, &old_meta);
    if own_kind != UNCHANGING {
        changes.extend(finalizers(&new_meta, resource));
    }
    if !status {
        changes.extend(kinds::validate_first(resource, object, old));
    }
    let mut all = general(&new_meta, resource, name_is_path_segment);
    if !is_first {
        all.extend(changes.clone());
    }
    if whole || is_first {
        all.extend(general(&new_meta, resource, function(resource.behaviour.names)));
        all.extend(finalizers(&new_meta, resource));
    }
    all.extend(own);
    if is_first {
        all.extend(changes);
    }
    let mut errors: Vec<FieldError> = Vec::new();
    for error in all {
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    errors
}

/// Kinds whose updates look at the whole metadata and not at what changed alone.
const WHOLE: &[(&str, &str)] = &[
    ("", "configmaps"),
    ("", "endpoints"),
    ("", "limitranges"),
    ("", "persistentvolumeclaims"),
    ("", "pods"),
    ("", "secrets"),
    ("", "serviceaccounts"),
    ("", "services"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("apps", "controllerrevisions"),
    ("discovery.k8s.io", "endpointslices"),
    ("networking.k8s.io", "ingressclasses"),
    ("networking.k8s.io", "ingresses"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "csistoragecapacities"),
    ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "volumeattachments"),
    ("storage.k8s.io", "volumeattributesclasses"),
];

/// Kinds whose updates look at the new object as a whole before they look at what has changed.
const WHOLE_FIRST: &[(&str, &str)] =
    &[("", "namespaces"), ("", "nodes"), ("", "persistentvolumes")];

/// One of the first whose updates look at no changes at all.
const UNCHANGING: (&str, &str) = ("", "limitranges");

/// Those of them whose updates of the status do so, too.
const WHOLE_STATUS: (&str, &str) = ("storage.k8s.io", "volumeattachments");

/// What is wrong with a name, or with the beginning of one.
type Rule = fn(&str, bool) -> Vec<String>;

fn function(rule: NameRule) -> Rule {
    match rule {
        NameRule::Subdomain => name_is_dns_subdomain,
        NameRule::Label => name_is_dns_label,
        NameRule::PathSegment => name_is_path_segment,
        NameRule::WholeSegment => |name, _| path_segment_name(name),
    }
}

fn typed(meta: &Map<String, Value>) -> Result<ObjectMeta, Vec<FieldError>> {
    serde_json::from_value(Value::Object(meta.clone()))
        .map_err(|e| vec![FieldError::invalid("metadata", BadValue::NULL, e.to_string())])
}

/// Checks the metadata of a new object.
fn metadata(meta: &Map<String, Value>, resource: &Resource) -> Vec<FieldError> {
    match typed(meta) {
        Ok(meta) => {
            let rule = function(resource.behaviour.names);
            let mut errors = general(&meta, resource, rule);
            errors.extend(finalizers(&meta, resource));
            errors
        }
        Err(errors) => errors,
    }
}

/// What holds for the metadata of every API.
fn general(meta: &ObjectMeta, resource: &Resource, rule: Rule) -> Vec<FieldError> {
    let path = FieldPath::new("metadata");
    validate_object_meta(&path, meta, resource.namespaced, rule).into_iter().collect()
}

/// Groups whose validation is apimachinery's own, without what the core API adds.
const PLAIN: [&str; 6] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "policy",
];

/// What the core API adds: finalizers without a domain are those it knows.
fn finalizers(meta: &ObjectMeta, resource: &Resource) -> Vec<FieldError> {
    if resource.custom.is_some()
        || PLAIN.contains(&resource.group.as_str())
        || (resource.group.is_empty() && resource.plural == "events")
    {
        return Vec::new();
    }
    let path = FieldPath::new("metadata");
    let mut errors = Vec::new();
    for (index, finalizer) in meta.finalizers.iter().enumerate() {
        let standard = ["kubernetes", "orphan", "foregroundDeletion"];
        if !finalizer.contains('/') && !standard.contains(&finalizer.as_str()) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            let path = path.child("finalizers").index(index);
            errors.push(FieldError::invalid(path, finalizer, detail));
        }
    }
    errors
}

/// The finalizers that a namespace has in its spec.
pub(crate) fn spec_finalizers(namespace: &Map<String, Value>) -> Vec<FieldError> {
    let list = namespace.get("spec").and_then(|spec| spec.get("finalizers"));
    let list = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut errors = Vec::new();
    for (index, finalizer) in list.enumerate() {
        let path = FieldPath::new("spec").child("finalizers").index(index);
        for detail in label_key(finalizer) {
            errors.push(FieldError::invalid(path.clone(), finalizer, detail));
        }
        let standard = ["kubernetes", "orphan", "foregroundDeletion"];
        if !finalizer.contains('/') && !standard.contains(&finalizer) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(path, finalizer, detail));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: NameRule, text: &str, valid: bool) {
        assert_eq!(function(rule)(text, false).is_empty(), valid, "{rule:?} {text}");
    }

    #[test]
    fn names() {
        for (text, subdomain, label) in [
            ("a", true, true),
            ("a-b.c", true, false),
            ("0a", true, true),
            ("A", false, false),
            ("-a", false, false),
            ("a..b", false, false),
            ("", false, false),
            ("a_b", false, false),
        ] {
            check(NameRule::Subdomain, text, subdomain);
            check(NameRule::Label, text, label);
        }
        check(NameRule::PathSegment, "system:node", true);
        check(NameRule::PathSegment, "..", false);
        check(NameRule::PathSegment, "a/b", false);
        assert!(function(NameRule::Subdomain)("web-", true).is_empty());
    }
}
