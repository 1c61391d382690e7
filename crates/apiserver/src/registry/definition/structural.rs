//! Structural schemas: what a schema must say so that every field has one type, outside of
//! `allOf`, `anyOf`, `oneOf` and `not`.
//!
//! Go counterpart: `NewStructural` and `ValidateStructural` of
//! `k8s.io/apiextensions-apiserver/pkg/apiserver/schema`.

use pintle_apimachinery::validation::{FieldError, FieldPath};
use serde_json::{Value, json};

use super::{flag, list, members, text};
use crate::registry::go_regexp;

/// Where in a schema a part of it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// What a structural schema cannot have at all, so that none can be made of it.
///
/// # Errors
/// The first such part.
pub(super) fn representable(schema: &Value) -> Result<(), String> {
    for (key, shown) in [
        ("id", "id"),
        ("$schema", "schema"),
        ("$ref", "$ref"),
        ("patternProperties", "patternProperties"),
        ("dependencies", "dependencies"),
        ("additionalItems", "additionalItems"),
        ("definitions", "definitions"),
    ] {
        if schema.get(key).is_some_and(|value| !value.is_null()) {
            return Err(format!("OpenAPIV3Schema '{shown}' is not supported"));
        }
    }
    if let Some(not) = schema.get("not") {
        representable(not)?;
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        list(schema, key).iter().try_for_each(representable)?;
    }
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
        let text =
            "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
        return Err(text.to_owned());
    }
    match schema.get("items") {
        Some(Value::Array(_)) => {
            return Err("OpenAPIV3Schema 'items' must be a schema, but is an array".to_owned());
        }
        Some(items) => representable(items)?,
        None => {}
    }
    members(schema, "properties").into_iter().try_for_each(|(_, schema)| representable(schema))?;
    match schema.get("additionalProperties") {
        Some(additional @ Value::Object(_)) => representable(additional),
        _ => Ok(()),
    }
}

/// What keeps a schema from being structural, in the order of the texts.
pub(super) fn violations(schema: &Value, path: &FieldPath) -> Vec<FieldError> {
    let mut errors = Vec::new();
    invariants(schema, Level::Root, path, &mut errors);
    complete(schema, Some(schema), path, path, &mut errors);
    errors.sort_by_cached_key(ToString::to_string);
    errors
}

fn invariants(schema: &Value, level: Level, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let kind = text(schema, "type");
    let free = flag(schema, "x-kubernetes-preserve-unknown-fields");
    let embedded = flag(schema, "x-kubernetes-embedded-resource");
    let either = flag(schema, "x-kubernetes-int-or-string");
    match schema.get("items") {
        Some(items) => invariants(items, Level::Item, &path.child("items"), errors),
        None if kind == "array" => {
            errors.push(FieldError::required(path.child("items"), "must be specified"));
        }
        None => {}
    }
    let properties = path.child("properties");
    for (name, property) in members(schema, "properties") {
        invariants(property, Level::Field, &properties.key(name), errors);
    }
    if let Some(additional) = schema.get("additionalProperties") {
        let path = path.child("additionalProperties");
        if level == Level::Root {
            errors.push(FieldError::forbidden(&path, "must not be used at the root"));
        }
        if additional.is_object() {
            invariants(additional, Level::Field, &path, errors);
        }
    }
    for (wrong, key) in [
        (free, "x-kubernetes-preserve-unknown-fields"),
        (embedded, "x-kubernetes-embedded-resource"),
    ] {
        if either && wrong {
            let detail = "must be false if x-kubernetes-int-or-string is true";
            errors.push(FieldError::invalid(path.child(key), true, detail));
        }
    }
    let pattern = json!([{"type": "integer"}, {"type": "string"}]);
    let any = schema.get("anyOf") == Some(&pattern);
    let first = list(schema, "allOf").first().and_then(|first| first.get("anyOf"));
    values(schema, any, first == Some(&pattern), path, errors);

    let type_path = path.child("type");
    if embedded && kind != "object" {
        let detail = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(match kind {
            "" => FieldError::required(type_path, detail),
            kind => FieldError::invalid(type_path, kind, detail),
        });
    } else if kind.is_empty() && !either && !free {
        let whose = match level {
            Level::Root => "at the root",
            Level::Item => "for specified array items",
            Level::Field => "for specified object fields",
        };
        errors.push(FieldError::required(type_path, format!("must not be empty {whose}")));
    }
    if embedded && schema.get("additionalProperties").is_some() {
        let detail = "must not be used if x-kubernetes-embedded-resource is set";
        errors.push(FieldError::forbidden(path.child("additionalProperties"), detail));
    }
    if level == Level::Root && !kind.is_empty() && kind != "object" {
        let detail = "must be object at the root";
        errors.push(FieldError::invalid(path.child("type"), kind, detail));
    }
    let resource = level == Level::Root || embedded;
    let known = schema.get("properties");
    for key in ["kind", "apiVersion"] {
        let own = known.and_then(|known| known.get(key)).filter(|_| resource);
        if let Some(kind) = own.map(|own| text(own, "type")).filter(|kind| *kind != "string") {
            let path = properties.key(key).child("type");
            errors.push(FieldError::invalid(path, kind, "must be string"));
        }
    }
    if let Some(metadata) = known.and_then(|known| known.get("metadata")) {
        of_metadata(metadata, resource, level, &properties.key("metadata"), errors);
    }
    if embedded && !free && members(schema, "properties").is_empty() {
        let detail = "must not be empty if x-kubernetes-embedded-resource is true without \
                      x-kubernetes-preserve-unknown-fields";
        errors.push(FieldError::required(properties, detail));
    }
}

/// Of an object's metadata only names may be restricted.
fn of_metadata(
    schema: &Value,
    resource: bool,
    level: Level,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let kind = text(schema, "type");
    if resource && kind != "object" {
        errors.push(FieldError::invalid(path.child("type"), kind, "must be object"));
    }
    let names_only = members(schema, "properties")
        .iter()
        .all(|(name, _)| matches!(*name, "name" | "generateName"));
    let more = schema.as_object().into_iter().flatten().any(|(key, _)| match key.as_str() {
        "type" | "default" => false,
        "properties" => !names_only,
        _ => true,
    });
    if level == Level::Root && more {
        let detail = "must not specify anything other than name and generateName, but metadata is \
                      implicitly specified";
        errors.push(FieldError::forbidden(path, detail));
    }
}

/// What a schema says of values: where it branches, and its pattern.
fn values(
    schema: &Value,
    skip_any: bool,
    skip_first: bool,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    for key in ["anyOf", "allOf", "oneOf"] {
        if key == "anyOf" && skip_any {
            continue;
        }
        for (index, branch) in list(schema, key).iter().enumerate() {
            let skip = key == "allOf" && skip_first && index == 0;
            nested(branch, skip, &path.child(key).index(index), errors);
        }
    }
    if let Some(not) = schema.get("not") {
        nested(not, false, &path.child("not"), errors);
    }
    let pattern = text(schema, "pattern");
    if !pattern.is_empty()
        && let Err(error) = go_regexp::translate(pattern)
    {
        let detail = format!("must be a valid regular expression, but isn't: {error}");
        errors.push(FieldError::invalid(path.child("pattern"), pattern, detail));
    }
}

/// A branch may restrict values, and say nothing of their form.
fn nested(schema: &Value, skip_any: bool, path: &FieldPath, errors: &mut Vec<FieldError>) {
    values(schema, skip_any, false, path, errors);
    if let Some(items) = schema.get("items") {
        nested(items, false, &path.child("items"), errors);
    }
    for (name, property) in members(schema, "properties") {
        nested(property, false, &path.child("properties").key(name), errors);
    }
    let set = |key: &str| match schema.get(key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty() || key.ends_with("-type"),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    };
    for (key, what) in [
        ("type", "empty"),
        ("additionalProperties", "undefined"),
        ("default", "undefined"),
        ("title", "empty"),
        ("description", "empty"),
        ("nullable", "false"),
        ("x-kubernetes-preserve-unknown-fields", "false"),
        ("x-kubernetes-embedded-resource", "false"),
        ("x-kubernetes-int-or-string", "false"),
        ("x-kubernetes-list-map-keys", "empty"),
        ("x-kubernetes-list-type", "undefined"),
        ("x-kubernetes-map-type", "undefined"),
        ("x-kubernetes-validations", "empty"),
    ] {
        let here = match key {
            "default" => schema.get(key).is_some_and(|value| !value.is_null()),
            key => set(key),
        };
        if here {
            let detail = format!("must be {what} to be structural");
            errors.push(FieldError::forbidden(path.child(key), detail));
        }
    }
    if schema.get("properties").is_some_and(|known| known.get("metadata").is_some()) {
        let path = path.child("properties").key("metadata");
        errors.push(FieldError::forbidden(path, "must not be specified in a nested context"));
    }
}

/// What branches speak of must be there outside of them.
fn complete(
    branch: &Value,
    schema: Option<&Value>,
    path: &FieldPath,
    branch_path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    if let Some(not) = branch.get("not") {
        nested_complete(not, schema, path, &branch_path.child("not"), errors);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for (index, inner) in list(branch, key).iter().enumerate() {
            nested_complete(inner, schema, path, &branch_path.child(key).index(index), errors);
        }
    }
}

fn nested_complete(
    branch: &Value,
    schema: Option<&Value>,
    path: &FieldPath,
    branch_path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let Some(schema) = schema else {
        errors.push(FieldError::required(path, format!("because it is defined in {branch_path}")));
        return;
    };
    complete(branch, Some(schema), path, branch_path, errors);
    if let Some(items) = branch.get("items") {
        let (path, branch_path) = (path.child("items"), branch_path.child("items"));
        nested_complete(items, schema.get("items"), &path, &branch_path, errors);
    }
    for (name, property) in members(branch, "properties") {
        let path = path.child("properties").key(name);
        let branch_path = branch_path.child("properties").key(name);
        let known = schema.get("properties").and_then(|known| known.get(name));
        nested_complete(property, known, &path, &branch_path, errors);
    }
}
