//! What a schema may say at all, and what its parts must say together.
//!
//! Go counterpart: `ValidateCustomResourceDefinitionOpenAPISchema` of
//! `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation`. Rules in CEL are looked at
//! for their form and not compiled.

use pintle_apimachinery::validation::{BadValue, FieldError, FieldPath};
use serde_json::Value;

use super::paths::find;
use super::{flag, list, members, shown, structural, text};

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
/// Reasons that a rule may give.
const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Where in a schema defaults are not allowed, and whether this is about the metadata of an object.
#[derive(Clone, Debug, Default)]
struct Place {
    /// Why no default may stand here.
    no_default: Option<String>,
    metadata: bool,
}

/// Checks a schema and everything below it.
pub(super) fn check(schema: &Value, path: &FieldPath) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(schema, path, &Place::default(), true, &mut errors);
    errors
}

fn walk(schema: &Value, path: &FieldPath, place: &Place, root: bool, errors: &mut Vec<FieldError>) {
    supported(schema, path, place, errors);
    if flag(schema, "uniqueItems") {
        let detail = "uniqueItems cannot be set to true since the runtime complexity becomes \
                      quadratic";
        errors.push(FieldError::forbidden(path.child("uniqueItems"), detail));
    }
    if let Some(additional) = schema.get("additionalProperties") {
        let path = path.child("additionalProperties");
        if !members(schema, "properties").is_empty() && *additional != Value::Bool(true) {
            let detail = "additionalProperties and properties are mutual exclusive";
            errors.push(FieldError::forbidden(&path, detail));
        }
        let mut place = place.clone();
        if place.metadata {
            let why = "inside additionalProperties applying to object metadata";
            place.no_default = Some(why.to_owned());
        }
        if additional.is_object() {
            walk(additional, &path, &place, false, errors);
        }
    }
    for (name, property) in members(schema, "properties") {
        let mut place = place.clone();
        if (root || flag(schema, "x-kubernetes-embedded-resource"))
            && matches!(name, "metadata" | "kind" | "apiVersion")
        {
            place.metadata = true;
            if root {
                place.no_default = Some(format!("in top-level {name}"));
            }
        }
        walk(property, &path.child("properties").key(name), &place, false, errors);
    }
    if let Some(not) = schema.get("not") {
        walk(not, &path.child("not"), place, false, errors);
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for (index, branch) in list(schema, key).iter().enumerate() {
            walk(branch, &path.child(key).index(index), place, false, errors);
        }
    }
    for (name, definition) in members(schema, "definitions") {
        walk(definition, &path.child("definitions").key(name), place, false, errors);
    }
    match schema.get("items") {
        Some(Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &path.child("items").index(index), place, false, errors);
            }
        }
        Some(items) => walk(items, &path.child("items"), place, false, errors),
        None => {}
    }
    for (name, dependency) in members(schema, "dependencies") {
        if dependency.is_object() {
            walk(dependency, &path.child("dependencies").key(name), place, false, errors);
        }
    }
    extensions(schema, path, errors);
    rules(schema, path, errors);
}

/// What OpenAPI has and definitions may not say.
fn supported(schema: &Value, path: &FieldPath, place: &Place, errors: &mut Vec<FieldError>) {
    let kind = text(schema, "type");
    if !kind.is_empty() && !TYPES.contains(&kind) {
        errors.push(FieldError::not_supported(path.child("type"), kind, &TYPES));
    }
    if let Some(why) = &place.no_default
        && schema.get("default").is_some()
    {
        errors.push(FieldError::forbidden(path.child("default"), format!("must not be set {why}")));
    }
    for key in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"]
    {
        if schema.get(key).is_some_and(|value| !value.is_null()) {
            errors.push(FieldError::forbidden(path.child(key), format!("{key} is not supported")));
        }
    }
    if kind == "null" {
        let detail = "type cannot be set to null, use nullable as an alternative";
        errors.push(FieldError::forbidden(path.child("type"), detail));
    }
    if schema.get("items").is_some_and(Value::is_array) {
        let detail = "items must be a schema object and not an array";
        errors.push(FieldError::forbidden(path.child("items"), detail));
    }
    if place.metadata && flag(schema, "x-kubernetes-embedded-resource") {
        let path = path.child("x-kubernetes-embedded-resource");
        errors.push(FieldError::forbidden(path, "must not be used inside of resource meta"));
    }
}

/// The extensions that Kubernetes has: free objects, kinds of lists and maps.
fn extensions(schema: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let kind = text(schema, "type");
    let own = |key: &str| schema.get(key).and_then(Value::as_str);
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
        let path = path.child("x-kubernetes-preserve-unknown-fields");
        errors.push(FieldError::invalid(path, false, "must be true or undefined"));
    }
    let of_type = |wanted: &str, key: &str| {
        let detail = format!("must be {wanted} if {key} is specified");
        match kind {
            "" => FieldError::required(path.child("type"), detail),
            kind => FieldError::invalid(path.child("type"), kind, detail),
        }
    };
    if let Some(map) = own("x-kubernetes-map-type") {
        if kind != "object" {
            errors.push(of_type("object", "x-kubernetes-map-type"));
        }
        if !matches!(map, "atomic" | "granular") {
            let path = path.child("x-kubernetes-map-type");
            errors.push(FieldError::not_supported(path, map, &["atomic", "granular"]));
        }
    }
    let keys = list(schema, "x-kubernetes-list-map-keys");
    let list_type = own("x-kubernetes-list-type");
    let list_path = path.child("x-kubernetes-list-type");
    if let Some(list_type) = list_type {
        if kind != "array" {
            errors.push(of_type("array", "x-kubernetes-list-type"));
        } else if list_type == "set"
            && let Some(items @ Value::Object(_)) = schema.get("items")
        {
            set_items(items, path, errors);
        }
        if !matches!(list_type, "atomic" | "set" | "map") {
            let known = ["atomic", "set", "map"];
            errors.push(FieldError::not_supported(&list_path, list_type, &known));
        }
    }
    if !keys.is_empty() && list_type != Some("map") {
        let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
        errors.push(match list_type {
            None => FieldError::required(list_path, detail),
            Some(other) => FieldError::invalid(list_path, other, detail),
        });
    }
    if list_type == Some("map") {
        list_map(schema, keys, path, errors);
    }
    if let Some(list_type @ ("map" | "set")) = list_type {
        keyed(schema, list_type, keys, path, errors);
    }
}

/// Elements of a set are compared as a whole.
fn set_items(items: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let own = |key: &str| items.get(key).and_then(Value::as_str);
    // The list's type is shown in both.
    let shown = own("x-kubernetes-list-type").map_or(BadValue::NULL, BadValue::named);
    let items_path = path.child("items");
    match text(items, "type") {
        "array" if own("x-kubernetes-list-type").is_some_and(|own| own != "atomic") => {
            let path = items_path.child("x-kubernetes-list-type");
            errors.push(FieldError::invalid(path, shown, detail));
        }
        "object" if own("x-kubernetes-map-type") != Some("atomic") => {
            let path = items_path.child("x-kubernetes-map-type");
            errors.push(FieldError::invalid(path, shown, detail));
        }
        _ => {}
    }
}

fn list_map(schema: &Value, keys: &[Value], path: &FieldPath, errors: &mut Vec<FieldError>) {
    let keys_path = path.child("x-kubernetes-list-map-keys");
    if keys.is_empty() {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        errors.push(FieldError::required(&keys_path, detail));
    }
    let items_path = path.child("items");
    let Some(items) = schema.get("items") else {
        let detail = "must have a schema if x-kubernetes-list-type is map";
        errors.push(FieldError::required(items_path, detail));
        return;
    };
    if items.is_array() {
        let detail = "must only have a single schema if x-kubernetes-list-type is map";
        errors.push(FieldError::invalid(items_path, shown::items(items), detail));
        return;
    }
    let kind = text(items, "type");
    if kind != "object" {
        let detail = "must be object if parent array's x-kubernetes-list-type is map";
        errors.push(FieldError::invalid(items_path.child("type"), kind, detail));
        return;
    }
    let names: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
    for (index, name) in names.iter().enumerate() {
        match items.get("properties").and_then(|known| known.get(*name)) {
            Some(property) if matches!(text(property, "type"), "array" | "object") => {
                let path = items_path.child("properties").key(name).child("type");
                let detail =
                    "must be a scalar type if parent array's x-kubernetes-list-type is map";
                errors.push(FieldError::invalid(path, kind, detail));
            }
            Some(_) => {}
            None => {
                let detail = "entries must all be names of item properties";
                errors.push(FieldError::invalid(&keys_path, BadValue::list(&names), detail));
            }
        }
        if names[..index].contains(name) {
            let detail = "must not contain duplicate entries";
            errors.push(FieldError::invalid(&keys_path, BadValue::list(&names), detail));
        }
    }
}

/// Elements and keys of sets and maps are always there.
fn keyed(
    schema: &Value,
    list_type: &str,
    keys: &[Value],
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let Some(items @ Value::Object(_)) = schema.get("items") else { return };
    let items_path = path.child("items");
    if flag(items, "nullable") {
        let detail = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        errors.push(FieldError::forbidden(items_path.child("nullable"), detail));
    }
    if list_type != "map" {
        return;
    }
    let required = list(items, "required");
    for name in keys.iter().filter_map(Value::as_str) {
        let Some(property) = items.get("properties").and_then(|known| known.get(name)) else {
            continue;
        };
        let path = items_path.child("properties").key(name);
        if !required.iter().any(|other| other == name) && property.get("default").is_none() {
            let detail = "this property is in x-kubernetes-list-map-keys, so it must have a \
                          default or be a required property";
            errors.push(FieldError::required(path.child("default"), detail));
        }
        if flag(property, "nullable") {
            let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.push(FieldError::forbidden(path.child("nullable"), detail));
        }
    }
}

/// The form of rules in CEL.
fn rules(schema: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let broken = |text: &str| text.contains(['\n', '\r']);
    for (index, rule) in list(schema, "x-kubernetes-validations").iter().enumerate() {
        let path = path.child("x-kubernetes-validations").index(index);
        let message = text(rule, "message");
        let (own, told) = (text(rule, "rule").trim(), message.trim());
        if own.is_empty() {
            errors.push(FieldError::required(path.child("rule"), "rule is not specified"));
        } else if !message.is_empty() && told.is_empty() {
            let detail = "must be non-empty if specified";
            errors.push(FieldError::invalid(path.child("message"), message, detail));
        } else if broken(told) {
            let detail = "must not contain line breaks";
            errors.push(FieldError::invalid(path.child("message"), message, detail));
        } else if broken(own) && told.is_empty() {
            let detail = "message must be specified if rule contains line breaks";
            errors.push(FieldError::required(path.child("message"), detail));
        }
        let expression = text(rule, "messageExpression");
        if !expression.is_empty() && expression.trim().is_empty() {
            let detail = "messageExpression must be non-empty if specified";
            errors.push(FieldError::required(path.child("messageExpression"), detail));
        }
        if let Some(reason) = rule.get("reason").and_then(Value::as_str)
            && !REASONS.contains(&reason)
        {
            let shown = BadValue::named(reason);
            errors.push(FieldError::not_supported(path.child("reason"), shown, &REASONS));
        }
        let field = text(rule, "fieldPath");
        let path = path.child("fieldPath");
        if !field.is_empty() && field.trim().is_empty() {
            errors.push(FieldError::invalid(&path, field, "must be non-empty if specified"));
        }
        if broken(field) {
            errors.push(FieldError::invalid(&path, field, "must not contain line breaks"));
        }
        if !field.is_empty()
            && structural::representable(schema).is_ok()
            && find(field, schema, true).is_err()
        {
            errors.push(FieldError::invalid(&path, field, "must be a valid path"));
        }
    }
}
