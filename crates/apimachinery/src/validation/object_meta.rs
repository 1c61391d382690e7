//! The metadata of objects. Go: `objectmeta.go` of `k8s.io/apimachinery/pkg/api/validation`.
//!
//! ```
//! use pintle_apimachinery::ObjectMeta;
//! use pintle_apimachinery::validation::{
//!     FieldPath, name_is_dns_subdomain, validate_object_meta, validate_object_meta_update,
//! };
//!
//! let path = FieldPath::new("metadata");
//! let meta = ObjectMeta { name: "web".into(), namespace: "team-a".into(), ..Default::default() };
//! assert!(validate_object_meta(&path, &meta, true, name_is_dns_subdomain).is_empty());
//!
//! let mut renamed = meta.clone();
//! renamed.name = "other".into();
//! renamed.resource_version = "7".into();
//! assert_eq!(
//!     validate_object_meta_update(&path, &renamed, &meta).to_string(),
//!     r#"metadata.name: Invalid value: "other": field is immutable"#,
//! );
//! ```

use std::collections::BTreeSet;

use super::meta::validate_managed_fields;
use super::names::{NameRule, label_key, name_is_dns_label, validate_annotations, validate_labels};
use super::value::go_json_string;
use super::{BadValue, FieldError, FieldErrors, FieldPath};
use crate::parse_error::quote;
use crate::{GroupVersion, ObjectMeta, OwnerReference, Str, Time};

/// What an update must not change says this. Go: `FieldImmutableErrorMsg`.
pub const FIELD_IMMUTABLE: &str = "field is immutable";

const NAME_REQUIRED: &str = "name or generateName is required";
const ORPHAN_DEPENDENTS: &str = "orphan";
const DELETE_DEPENDENTS: &str = "foregroundDeletion";

/// Validates the metadata of a new object, whose name has been generated if it had none. Go:
/// `ValidateObjectMeta`.
pub fn validate_object_meta(
    path: &FieldPath,
    meta: &ObjectMeta,
    namespaced: bool,
    name_rule: NameRule,
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    let mut check = |field: &str, name: &Str, prefix: bool| {
        let problems = name_rule(name, prefix).into_iter();
        errors
            .extend(problems.map(|problem| FieldError::invalid(path.child(field), name, problem)));
    };
    if !meta.generate_name.is_empty() {
        check("generateName", &meta.generate_name, true);
    }
    if meta.name.is_empty() {
        errors.push(FieldError::required(path.child("name"), NAME_REQUIRED));
    } else {
        check("name", &meta.name, false);
    }
    errors.extend(validate_common(path, meta, namespaced));
    errors
}

/// As [`validate_object_meta`] with a rule that gives errors, not texts. `generateName` is not looked at.
/// Go: `ValidateObjectMetaWithOpts`.
pub fn validate_object_meta_with(
    path: &FieldPath,
    meta: &ObjectMeta,
    namespaced: bool,
    name_rule: impl FnOnce(&FieldPath, &str) -> FieldErrors,
) -> FieldErrors {
    let field = path.child("name");
    let mut errors = FieldErrors::default();
    if meta.name.is_empty() {
        if !meta.generate_name.is_empty() {
            let prefix = quote(&meta.generate_name);
            let text = format!("generateName was specified ({prefix}), but no name was generated");
            errors.push(FieldError::internal(&field, text));
        }
        errors.push(FieldError::required(&field, NAME_REQUIRED));
    } else {
        errors.extend(name_rule(&field, &meta.name));
    }
    errors.extend(validate_common(path, meta, namespaced));
    errors
}

fn validate_common(path: &FieldPath, meta: &ObjectMeta, namespaced: bool) -> FieldErrors {
    let mut errors = FieldErrors::default();
    let namespace = || path.child("namespace");
    match (namespaced, meta.namespace.is_empty()) {
        (true, true) => errors.push(FieldError::required(namespace(), "")),
        (true, false) => {
            let problems = name_is_dns_label(&meta.namespace, false).into_iter();
            errors.extend(
                problems.map(|text| FieldError::invalid(namespace(), &meta.namespace, text)),
            );
        }
        (false, false) => {
            errors.push(FieldError::forbidden(namespace(), "not allowed on this type"));
        }
        (false, true) => {}
    }
    errors.extend(validate_nonnegative(&path.child("generation"), meta.generation).covered());
    errors.extend(validate_maps(path, meta));
    errors.extend(validate_finalizers(&path.child("finalizers"), &meta.finalizers));
    errors.extend(validate_managed_fields(&path.child("managedFields"), &meta.managed_fields));
    errors
}

/// Labels, annotations and owner references.
fn validate_maps(path: &FieldPath, meta: &ObjectMeta) -> FieldErrors {
    let pairs = |(key, value)| (Str::as_str(key), Str::as_str(value));
    let mut errors = validate_labels(&path.child("labels"), meta.labels.iter().map(pairs));
    let annotations = meta.annotations.iter().map(pairs);
    errors.extend(validate_annotations(&path.child("annotations"), annotations));
    errors
        .extend(validate_owner_references(&path.child("ownerReferences"), &meta.owner_references));
    errors
}

/// Validates the metadata of a changed object against what it was. Go: `ValidateObjectMetaUpdate`.
pub fn validate_object_meta_update(
    path: &FieldPath,
    new: &ObjectMeta,
    old: &ObjectMeta,
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    if old.deletion_timestamp.is_some() {
        let path = path.child("finalizers");
        errors.extend(validate_no_new_finalizers(&path, &new.finalizers, &old.finalizers));
    }
    if new.resource_version.is_empty() {
        let detail = "must be specified for an update";
        errors.push(FieldError::invalid(path.child("resourceVersion"), "", detail));
    }
    let generation = path.child("generation");
    errors.extend(validate_nonnegative(&generation, new.generation).covered());
    if new.generation < old.generation {
        let detail = "must not be decremented";
        errors.push(FieldError::invalid(&generation, new.generation, detail));
    }
    let mut immutable = |changed: bool, field: &str, value: BadValue| {
        if changed {
            let error = FieldError::invalid(path.child(field), value, FIELD_IMMUTABLE);
            let named = matches!(field, "name" | "namespace");
            errors.push(if named { error } else { error.with_origin("immutable").covered() });
        }
    };
    immutable(new.name != old.name, "name", (&new.name).into());
    immutable(new.namespace != old.namespace, "namespace", (&new.namespace).into());
    immutable(new.uid != old.uid, "uid", BadValue::named(&new.uid));
    let created = new.creation_timestamp != old.creation_timestamp;
    immutable(created, "creationTimestamp", time(Some(new.creation_timestamp)));
    let deleted = new.deletion_timestamp != old.deletion_timestamp;
    immutable(deleted, "deletionTimestamp", time(new.deletion_timestamp));
    let grace = new.deletion_grace_period_seconds;
    let changed = grace != old.deletion_grace_period_seconds;
    immutable(changed, "deletionGracePeriodSeconds", grace.map_or(BadValue::NULL, BadValue::from));

    errors.extend(validate_maps(path, new));
    errors.extend(validate_managed_fields(&path.child("managedFields"), &new.managed_fields));
    errors
}

fn time(time: Option<Time>) -> BadValue {
    match time.filter(|time| !time.is_zero()) {
        Some(time) => BadValue::json(format!("\"{time}\"")),
        None => BadValue::NULL,
    }
}

/// Validates that a number is at least 0. Go: `ValidateNonnegativeField`.
pub fn validate_nonnegative(path: &FieldPath, value: i64) -> FieldErrors {
    let detail = "must be greater than or equal to 0";
    let error = || FieldError::invalid(path, value, detail).with_origin("minimum");
    (value < 0).then(error).into_iter().collect()
}

/// Validates owners: their four names are given, none is an Event, and at most one is the controller.
/// Go: `ValidateOwnerReferences`.
pub fn validate_owner_references(path: &FieldPath, owners: &[OwnerReference]) -> FieldErrors {
    let mut errors = FieldErrors::default();
    let mut controller: Option<String> = None;
    for (i, owner) in owners.iter().enumerate() {
        errors.extend(validate_owner_reference(&path.index(i), owner));
        if owner.controller != Some(true) {
            continue;
        }
        let this = format!("{}/{}", owner.kind, owner.name);
        match &controller {
            None => controller = Some(this),
            Some(first) => {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                );
                let shown: Vec<String> = owners.iter().map(owner_json).collect();
                let shown = BadValue::json(format!("[{}]", shown.join(",")));
                errors.push(FieldError::invalid(path, shown, detail));
            }
        }
    }
    errors
}

fn validate_owner_reference(path: &FieldPath, owner: &OwnerReference) -> FieldErrors {
    let mut errors = FieldErrors::default();
    let group_version = GroupVersion::parse(&owner.api_version).ok();
    let api_version = || path.child("apiVersion");
    if owner.api_version.is_empty() {
        errors.push(FieldError::required(api_version(), "must not be empty").covered());
    } else if group_version.as_ref().is_none_or(|gv| gv.version.is_empty()) {
        let detail = "must be <group>/<version> or <version>";
        errors.push(FieldError::invalid(api_version(), &owner.api_version, detail));
    }
    for (field, value) in [("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)] {
        if value.is_empty() {
            errors.push(FieldError::required(path.child(field), "must not be empty").covered());
        }
    }
    if owner.api_version == "v1" && owner.kind == "Event" {
        let detail = "/v1, Kind=Event is disallowed from being an owner";
        errors.push(FieldError::invalid(path, BadValue::json(owner_json(owner)), detail));
    }
    errors
}

/// As Go marshals it.
fn owner_json(owner: &OwnerReference) -> String {
    let mut out = String::from("{");
    for (name, value) in [
        ("apiVersion", &owner.api_version),
        ("kind", &owner.kind),
        ("name", &owner.name),
        ("uid", &owner.uid),
    ] {
        let comma = if out.len() > 1 { "," } else { "" };
        out.push_str(&format!("{comma}\"{name}\":{}", go_json_string(value)));
    }
    for (name, value) in
        [("controller", owner.controller), ("blockOwnerDeletion", owner.block_owner_deletion)]
    {
        if let Some(value) = value {
            out.push_str(&format!(",\"{name}\":{value}"));
        }
    }
    out.push('}');
    out
}

/// Validates the name of a finalizer: a label key. Go: `ValidateFinalizerName`.
pub fn validate_finalizer_name(path: &FieldPath, name: &str) -> FieldErrors {
    label_key(name).into_iter().map(|problem| FieldError::invalid(path, name, problem)).collect()
}

/// Validates finalizers: their names, and that dependents are not both kept and deleted. Go: `ValidateFinalizers`.
pub fn validate_finalizers(path: &FieldPath, finalizers: &[Str]) -> FieldErrors {
    let mut errors: FieldErrors =
        finalizers.iter().flat_map(|name| validate_finalizer_name(path, name)).collect();
    let has = |wanted: &str| finalizers.iter().any(|name| name == wanted);
    if has(ORPHAN_DEPENDENTS) && has(DELETE_DEPENDENTS) {
        let detail =
            format!("finalizer {ORPHAN_DEPENDENTS} and {DELETE_DEPENDENTS} cannot be both set");
        errors.push(FieldError::invalid(path, BadValue::list(finalizers), detail));
    }
    errors
}

/// Validates that an object that is being deleted gets no more finalizers. Go: `ValidateNoNewFinalizers`.
pub fn validate_no_new_finalizers(path: &FieldPath, new: &[Str], old: &[Str]) -> FieldErrors {
    let extra: BTreeSet<&Str> = new.iter().filter(|name| !old.contains(name)).collect();
    if extra.is_empty() {
        return FieldErrors::default();
    }
    let extra: Vec<String> = extra.into_iter().map(|name| quote(name).to_string()).collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        extra.join(", ")
    );
    FieldError::forbidden(path, detail).into()
}
