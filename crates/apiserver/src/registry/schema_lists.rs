//! Lists that are sets or maps, and resources within resources.
//!
//! Go counterpart: `listtype` and `objectmeta` of
//! `k8s.io/apiextensions-apiserver/pkg/apiserver/schema`.

use pintle_apimachinery::ObjectMeta;
use pintle_apimachinery::validation::{
    FieldError, FieldPath, dns1035_label, path_segment_name, path_segment_prefix,
    validate_object_meta,
};
use serde_json::{Map, Value};

use super::schema::metadata_misfit;
use super::schema_check::{flag, list, text};

fn below(path: &FieldPath, name: &str) -> FieldPath {
    if path.is_nil() { FieldPath::new(name) } else { path.child(name) }
}

/// Elements that sets and maps have twice.
pub(super) fn lists(schema: &Value, value: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (key, value) in members {
                if let Some(of @ Value::Object(_)) = schema.get("additionalProperties") {
                    lists(of, value, &path.key(key), errors);
                }
                if let Some(of) = properties.and_then(|all| all.get(key)) {
                    lists(of, value, &below(path, key), errors);
                }
            }
        }
        Value::Array(items) => {
            twice(schema, items, path, errors);
            if let Some(of) = schema.get("items") {
                for (i, item) in items.iter().enumerate() {
                    lists(of, item, &path.index(i), errors);
                }
            }
        }
        _ => {}
    }
}

fn twice(schema: &Value, items: &[Value], path: &FieldPath, errors: &mut Vec<FieldError>) {
    let map = match text(schema, "x-kubernetes-list-type") {
        "set" => false,
        "map" => true,
        _ => return,
    };
    if map && let Some(i) = items.iter().position(|item| !item.is_object() && !item.is_null()) {
        let detail = "must be an object for an array of list-type map";
        errors.push(FieldError::invalid(path.index(i), &items[i], detail));
        return;
    }
    let keys = list(schema, "x-kubernetes-list-map-keys");
    let identity = |item: &Value| match map {
        false => item.clone(),
        true => {
            let keys = keys.iter().filter_map(Value::as_str);
            Value::Object(
                keys.filter_map(|key| Some((key.to_owned(), item.get(key)?.clone()))).collect(),
            )
        }
    };
    let mut seen: Vec<(Value, bool)> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let identity = identity(item);
        match seen.iter_mut().find(|(other, _)| *other == identity) {
            // Each is told once.
            Some((_, true)) => {}
            Some((_, told)) => {
                *told = true;
                errors.push(FieldError::duplicate(path.index(i), &identity));
            }
            None => seen.push((identity, false)),
        }
    }
}

/// Resources within an object have a kind, a version and metadata; the object itself has them
/// where it is `skipped`.
pub(super) fn embedded(
    schema: &Value,
    value: &Value,
    path: &FieldPath,
    skipped: bool,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match value {
        Value::Object(members) => {
            if !skipped && flag(schema, "x-kubernetes-embedded-resource") {
                head(members, path, &mut errors);
            }
            let properties = schema.get("properties").and_then(Value::as_object);
            for (key, value) in members {
                if let Some(of) = properties.and_then(|all| all.get(key)) {
                    errors.extend(embedded(of, value, &below(path, key), false));
                } else if let Some(of @ Value::Object(_)) = schema.get("additionalProperties") {
                    errors.extend(embedded(of, value, &path.key(key), false));
                }
            }
        }
        Value::Array(items) => {
            if let Some(of) = schema.get("items") {
                for (i, item) in items.iter().enumerate() {
                    errors.extend(embedded(of, item, &path.index(i), false));
                }
            }
        }
        _ => {}
    }
    errors
}

fn head(members: &Map<String, Value>, path: &FieldPath, errors: &mut Vec<FieldError>) {
    const EMPTY: &str = "must not be empty";
    for key in ["apiVersion", "kind"] {
        if !members.contains_key(key) {
            errors.push(FieldError::required(below(path, key), ""));
        }
    }
    for (key, value) in members {
        let path = below(path, key);
        match (key.as_str(), value) {
            ("apiVersion" | "kind", Value::String(text)) if text.is_empty() => {
                errors.push(FieldError::invalid(path, "", EMPTY));
            }
            ("apiVersion", Value::String(text)) if text != "/" && text.matches('/').count() > 1 => {
                let detail = format!("unexpected GroupVersion string: {text}");
                errors.push(FieldError::invalid(path, text, detail));
            }
            ("apiVersion", Value::String(_)) => {}
            ("kind", Value::String(text)) => {
                let problems = dns1035_label(&text.to_lowercase());
                if !problems.is_empty() {
                    let detail = format!(
                        "may have mixed case, but should otherwise match: {}",
                        problems.join(",")
                    );
                    errors.push(FieldError::invalid(path, text, detail));
                }
            }
            ("apiVersion" | "kind", other) => {
                errors.push(FieldError::invalid(path, other, "must be a string"));
            }
            ("metadata", value) => metadata(value, &path, errors),
            _ => {}
        }
    }
}

fn metadata(value: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let meta = match value {
        Value::Null => Ok(ObjectMeta::default()),
        value => serde_json::from_value::<ObjectMeta>(value.clone()),
    };
    let mut meta = match meta {
        Ok(meta) => meta,
        Err(error) => {
            let detail = metadata_misfit(value).unwrap_or_else(|| error.to_string());
            errors.push(FieldError::invalid(path, value, detail));
            return;
        }
    };
    if meta.name.is_empty() {
        // A name is not asked for.
        meta.name = "fakename".into();
    }
    let rule = |name: &str, prefix: bool| match prefix {
        true => path_segment_prefix(name),
        false => path_segment_name(name),
    };
    errors.extend(validate_object_meta(path, &meta, !meta.namespace.is_empty(), rule));
}
