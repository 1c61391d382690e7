//! Names and metadata, checked as Kubernetes checks them.
//!
//! Go counterpart: `k8s.io/apimachinery/pkg/api/validation`.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{
    dns1035_label, dns1123_label, dns1123_subdomain, label_key, label_value, mask_trailing_dash,
    path_segment_name, path_segment_prefix,
};
use serde_json::{Map, Value};

use crate::object::{strings, text};
use crate::registry::NameRule;
use crate::status::FieldError;

const IMMUTABLE: &str = "field is immutable";

/// What is wrong with a name under a rule; with `prefix` it is what a generated name begins with.
pub(crate) fn name(rule: NameRule, name: &str, prefix: bool) -> Vec<String> {
    let masked = if prefix { mask_trailing_dash(name) } else { name.into() };
    match rule {
        NameRule::Subdomain => dns1123_subdomain(&masked),
        NameRule::Label => dns1123_label(&masked),
        NameRule::Label1035 => dns1035_label(&masked),
        NameRule::PathSegment if prefix => path_segment_prefix(name),
        NameRule::PathSegment => path_segment_name(name),
    }
}

/// Checks the metadata of a new or changed object.
pub(crate) fn metadata(meta: &Map<String, Value>, rule: NameRule) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let generate = text(meta, "generateName");
    for problem in if generate.is_empty() { vec![] } else { name(rule, generate, true) } {
        errors.push(FieldError::invalid("metadata.generateName", &generate.into(), &problem));
    }
    let own = text(meta, "name");
    if own.is_empty() {
        errors.push(FieldError::required("metadata.name", "name or generateName is required"));
    } else {
        for problem in name(rule, own, false) {
            errors.push(FieldError::invalid("metadata.name", &own.into(), &problem));
        }
    }
    if let Some(Value::Object(labels)) = meta.get("labels") {
        for (key, value) in labels {
            let field = "metadata.labels";
            for problem in label_key(key) {
                errors.push(FieldError::invalid(field, &key.as_str().into(), &problem));
            }
            for problem in label_value(value.as_str().unwrap_or_default()) {
                errors.push(FieldError::invalid(field, value, &problem));
            }
        }
    }
    if let Some(Value::Object(annotations)) = meta.get("annotations") {
        let mut size = 0;
        for (key, value) in annotations {
            size += key.len() + value.as_str().map_or(0, str::len);
            for problem in label_key(&key.to_lowercase()) {
                errors.push(FieldError::invalid(
                    "metadata.annotations",
                    &key.as_str().into(),
                    &problem,
                ));
            }
        }
        if size > 256 << 10 {
            errors.push(FieldError::too_long("metadata.annotations", 256 << 10));
        }
    }
    errors.extend(owner_references(meta));
    for (index, finalizer) in strings(meta, "finalizers").into_iter().enumerate() {
        let field = format!("metadata.finalizers[{index}]");
        let shown = Value::from(finalizer);
        for problem in label_key(finalizer) {
            errors.push(FieldError::invalid("metadata.finalizers", &shown, &problem));
        }
        let standard = ["kubernetes", "orphan", "foregroundDeletion"];
        if !finalizer.contains('/') && !finalizer.contains('.') && !standard.contains(&finalizer) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(&field, &shown, detail));
        }
    }
    errors
}

fn owner_references(meta: &Map<String, Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let Some(Value::Array(owners)) = meta.get("ownerReferences") else { return errors };
    let mut controller: Option<String> = None;
    for (index, owner) in owners.iter().filter_map(Value::as_object).enumerate() {
        let field = |name: &str| format!("metadata.ownerReferences[{index}].{name}");
        for key in ["apiVersion", "kind", "name", "uid"] {
            if text(owner, key).is_empty() {
                errors.push(FieldError::required(field(key), "must not be empty"));
            }
        }
        if owner.get("controller") == Some(&Value::Bool(true)) {
            let this = format!("{}/{}", text(owner, "kind"), text(owner, "name"));
            match &controller {
                None => controller = Some(this),
                Some(first) => errors.push(FieldError::invalid(
                    "metadata.ownerReferences",
                    &Value::Array(owners.clone()),
                    &format!(
                        "Only one reference can have Controller set to true. Found \"true\" in \
                         references for {first} and {this}"
                    ),
                )),
            }
        }
    }
    errors
}

/// Checks that an update leaves alone what it must.
pub(crate) fn metadata_update(
    new: &Map<String, Value>,
    old: &Map<String, Value>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if old.contains_key("deletionTimestamp") {
        let before = strings(old, "finalizers");
        let added: BTreeSet<&str> = strings(new, "finalizers")
            .into_iter()
            .filter(|finalizer| !before.contains(finalizer))
            .collect();
        if !added.is_empty() {
            let list: Vec<String> = added.into_iter().map(crate::status::quote).collect();
            errors.push(FieldError::forbidden(
                "metadata.finalizers",
                &format!(
                    "no new finalizers can be added if the object is being deleted, found new \
                     finalizers []string{{{}}}",
                    list.join(", ")
                ),
            ));
        }
    }
    for key in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        let null = Value::Null;
        let value = new.get(key).unwrap_or(&null);
        if value != old.get(key).unwrap_or(&null) {
            errors.push(FieldError::invalid(format!("metadata.{key}"), value, IMMUTABLE));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: NameRule, text: &str, valid: bool) {
        assert_eq!(name(rule, text, false).is_empty(), valid, "{rule:?} {text}");
    }

    #[test]
    fn names() {
        for (text, subdomain, label, label1035) in [
            ("a", true, true, true),
            ("a-b.c", true, false, false),
            ("0a", true, true, false),
            ("A", false, false, false),
            ("-a", false, false, false),
            ("a..b", false, false, false),
            ("", false, false, false),
            ("a_b", false, false, false),
        ] {
            check(NameRule::Subdomain, text, subdomain);
            check(NameRule::Label, text, label);
            check(NameRule::Label1035, text, label1035);
        }
        check(NameRule::PathSegment, "system:node", true);
        check(NameRule::PathSegment, "..", false);
        check(NameRule::PathSegment, "a/b", false);
        assert!(name(NameRule::Subdomain, "web-", true).is_empty());
    }
}
