//! The rules of custom resources beside those of their metadata: the schema, and where the scale
//! subresource finds its numbers.
//!
//! Go counterpart: `customResourceValidator` and the strategies of
//! `k8s.io/apiextensions-apiserver/pkg/registry/customresource`.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{FieldError, FieldPath, label_key};
use serde_json::Value;

use super::CustomResource;
use crate::object::{Object, metadata, strings};
use crate::status::quote;

/// What is wrong with an object that is created, or written over an old one; of an update of the
/// status, with the status alone.
pub(crate) fn validate_custom(
    custom: &CustomResource,
    object: &Object,
    old: Option<&Object>,
    status: bool,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let schema = custom.schema.as_deref();
    if let Some(schema) = schema {
        errors.extend(match old {
            Some(old) if status => schema.status(object, old),
            old => schema.values(object, old),
        });
    }
    if let Some(scale) = &custom.scale {
        let status_path = format!(".{}", scale.status_replicas);
        if !status {
            replicas(object, &format!(".{}", scale.spec_replicas), &mut errors);
        }
        replicas(object, &status_path, &mut errors);
        selector(object, &scale.label_selector, &mut errors);
    }
    if let Some(schema) = schema {
        if !status {
            errors.extend(schema.embedded_heads(object));
        }
        errors.extend(schema.lists(object, old));
    }
    errors
}

fn replicas(object: &Object, path: &str, errors: &mut Vec<FieldError>) {
    let (value, detail) = match number(object, path) {
        Err(error) => (0, error),
        Ok(number) if number < 0 => (number, "should be a non-negative integer".to_owned()),
        Ok(number) if number > i64::from(i32::MAX) => {
            (number, format!("should be less than or equal to {}", i32::MAX))
        }
        Ok(_) => return,
    };
    errors.push(FieldError::invalid(FieldPath::new(path), value, detail));
}

fn selector(object: &Object, path: &str, errors: &mut Vec<FieldError>) {
    let path = format!(".{path}");
    let detail = match nested(object, &path) {
        Err(error) => error,
        Ok(None | Some(Value::String(_))) => return,
        Ok(Some(other)) => wrong_type(&path, other, "string"),
    };
    errors.push(FieldError::invalid(FieldPath::new(path), "", detail));
}

/// The whole number at a path; 0 where there is none.
///
/// # Errors
/// Something else is there, in Go's words.
pub(crate) fn number(object: &Object, path: &str) -> Result<i64, String> {
    match nested(object, path)? {
        None => Ok(0),
        Some(value) => value.as_i64().ok_or_else(|| wrong_type(path, value, "int64")),
    }
}

/// The value at a path with a dot before each name. Go: `NestedFieldNoCopy`.
fn nested<'a>(object: &'a Object, path: &str) -> Result<Option<&'a Value>, String> {
    let mut names = path.trim_start_matches('.').split('.');
    let first = names.next().unwrap_or_default();
    let Some(mut value) = object.get(first) else { return Ok(None) };
    let mut here = format!(".{first}");
    for name in names {
        here = format!("{here}.{name}");
        match value {
            Value::Null => return Ok(None),
            Value::Object(members) => match members.get(name) {
                Some(inner) => value = inner,
                None => return Ok(None),
            },
            other => return Err(wrong_type(&here, other, "map[string]interface{}")),
        }
    }
    Ok(Some(value))
}

fn wrong_type(path: &str, value: &Value, expected: &str) -> String {
    let actual = match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.as_i64().is_some() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    format!("{path} accessor error: {} is of the type {actual}, expected {expected}", shown(value))
}

/// As Go's `%v` shows a value.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            let members: Vec<String> =
                members.into_iter().map(|(key, value)| format!("{key}:{}", shown(value))).collect();
            format!("map[{}]", members.join(" "))
        }
        other => pintle_apimachinery::validation::BadValue::from(other).as_str().to_owned(),
    }
}

/// What is told of finalizers that an object has newly.
pub(crate) fn finalizer_warnings(object: &Object, old: Option<&Object>) -> Vec<String> {
    let of = |object| -> BTreeSet<String> {
        strings(metadata(object), "finalizers").into_iter().map(str::to_owned).collect()
    };
    let before = old.map(of).unwrap_or_default();
    let mut warnings = Vec::new();
    for name in of(object).difference(&before) {
        let shown = format!("metadata.finalizers: {}", quote(name));
        warnings.extend(label_key(name).into_iter().map(|problem| format!("{shown}: {problem}")));
        if name.contains('/')
            || matches!(name.as_str(), "orphan" | "foregroundDeletion" | "kubernetes")
        {
            continue;
        }
        let path = if name.contains('.') { "including a path (/) " } else { "" };
        warnings.push(format!(
            "{shown}: prefer a domain-qualified finalizer name {path}to avoid accidental conflicts \
             with other finalizer writers"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(object) => object,
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn numbers_are_found_on_their_path() {
        let foo = object(json!({"spec": {"n": 3, "s": "x", "m": {"b": 1, "a": [1, true]}}}));
        assert_eq!(number(&foo, ".spec.n"), Ok(3));
        assert_eq!(number(&foo, ".spec.x.y"), Ok(0));
        let wrong = ".spec.s accessor error: x is of the type string, expected int64";
        assert_eq!(number(&foo, ".spec.s"), Err(wrong.to_owned()));
        let wrong = ".spec.s.y accessor error: x is of the type string, expected \
                     map[string]interface{}";
        assert_eq!(number(&foo, ".spec.s.y"), Err(wrong.to_owned()));
        let wrong = ".spec.m accessor error: map[a:[1 true] b:1] is of the type \
                     map[string]interface {}, expected int64";
        assert_eq!(number(&foo, ".spec.m"), Err(wrong.to_owned()));
    }

    #[test]
    fn finalizers_without_a_domain_are_warned_of() {
        let of = |list: Value| object(json!({"metadata": {"finalizers": list}}));
        let told = finalizer_warnings(&of(json!(["a", "b.c", "d.e/f", "orphan"])), None);
        assert_eq!(told.len(), 2);
        assert!(told[1].contains("including a path (/)"), "{told:?}");
        assert!(finalizer_warnings(&of(json!(["a"])), Some(&of(json!(["a"])))).is_empty());
    }
}
