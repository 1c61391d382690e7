//! Default values in schemas: they have no field that is dropped, and would be valid themselves.
//!
//! Go counterpart: `ValidateDefaults` of
//! `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting`.

use pintle_apimachinery::validation::{FieldError, FieldPath};
use serde_json::{Map, Value, json};

use super::{flag, members};
use crate::registry::schema;
use crate::registry::schema_check;

/// A step from an object to a value in it.
#[derive(Clone)]
enum Step {
    Field(String),
    Element,
}

/// What a default stands in.
#[derive(Clone)]
struct Around<'a> {
    /// The schema of the object whose kind, version and metadata are known.
    object: &'a Value,
    steps: Vec<Step>,
    /// Whether this is part of the object's kind, version or metadata.
    metadata: bool,
}

/// Checks every default of a schema of a whole object.
pub(super) fn check(schema: &Value, path: &FieldPath) -> Vec<FieldError> {
    let mut root = schema.clone();
    root["x-kubernetes-embedded-resource"] = true.into();
    let mut errors = Vec::new();
    let around = Around { object: &root, steps: Vec::new(), metadata: false };
    walk(&root, path, around, &mut errors);
    errors
}

fn walk<'a>(
    schema: &'a Value,
    path: &FieldPath,
    mut around: Around<'a>,
    errors: &mut Vec<FieldError>,
) {
    let embedded = flag(schema, "x-kubernetes-embedded-resource");
    if embedded {
        around = Around { object: schema, steps: Vec::new(), metadata: false };
    }
    if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
        let path = path.child("default");
        if around.metadata {
            in_metadata(schema, default, &path, &around, errors);
        } else {
            plain(schema, default, &path, errors);
        }
    }
    if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
        let mut around = around.clone();
        around.steps.push(Step::Element);
        walk(items, &path.child("items"), around, errors);
    }
    for (name, property) in members(schema, "properties") {
        let mut around = around.clone();
        around.steps.push(Step::Field(name.to_owned()));
        around.metadata |= embedded && matches!(name, "metadata" | "apiVersion" | "kind");
        walk(property, &path.child("properties").key(name), around, errors);
    }
}

fn plain(schema: &Value, default: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let mut pruned = default.clone();
    schema::prune(schema, &mut pruned);
    let mut value = default.clone();
    let coerced = schema::coerce(schema, &mut value, path);
    if pruned != *default {
        // Go shows what has become of it.
        errors.push(FieldError::invalid(path, &value, "must not have unknown fields"));
    }
    if let Err(error) = coerced {
        errors.push(error);
        return;
    }
    let embedded = schema_check::embedded(schema, &value, path, false);
    errors.extend(match embedded.is_empty() {
        true => schema_check::value(schema, &value, path),
        false => embedded,
    });
}

/// A default within metadata must make valid metadata.
fn in_metadata(
    schema: &Value,
    default: &Value,
    path: &FieldPath,
    around: &Around<'_>,
    errors: &mut Vec<FieldError>,
) {
    let mut object = around.steps.iter().rev().fold(default.clone(), |value, step| match step {
        Step::Field(name) => Value::Object(Map::from_iter([(name.clone(), value)])),
        Step::Element => json!([value]),
    });
    if let Value::Object(members) = &mut object {
        for (key, value) in [("kind", "Validation"), ("apiVersion", "validation/v1")] {
            members.entry(key).or_insert_with(|| value.into());
        }
    }
    let nil = FieldPath::nil();
    let found = match schema::coerce(around.object, &mut object, &nil) {
        Err(error) => vec![error],
        Ok(()) => schema_check::embedded(around.object, &object, &nil, false),
    };
    let mut texts: Vec<String> = Vec::new();
    for error in &found {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let detail = match texts.as_slice() {
        [] => {
            errors.extend(schema_check::value(schema, default, path));
            return;
        }
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let detail = format!("must result in valid metadata: {detail}");
    errors.push(FieldError::invalid(path, default, detail));
}
