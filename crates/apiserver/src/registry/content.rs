//! What ConfigMaps and Secrets may hold.
//!
//! Go counterpart: `ValidateConfigMap`, `ValidateSecret` and their updates in
//! `k8s.io/kubernetes/pkg/apis/core/validation`.

use pintle_apimachinery::validation::config_map_key;
use pintle_apimachinery::validation::{BadValue, FIELD_IMMUTABLE, FieldError};
use serde_json::{Map, Value};

use crate::object::{Object, text};

/// Bytes of all values together.
const MOST: usize = 1 << 20;

const LOCKED: &str = "field is immutable when `immutable` is set";

fn map<'a>(object: &'a Object, field: &str) -> Option<&'a Map<String, Value>> {
    object.get(field).and_then(Value::as_object)
}

/// Checks the keys of one field and answers the bytes of its values.
fn check(object: &Object, field: &str, base64: bool, errors: &mut Vec<FieldError>) -> usize {
    let mut size = 0;
    for (key, value) in map(object, field).into_iter().flatten() {
        for problem in config_map_key(key) {
            let field = format!("{field}[{key}]");
            errors.push(FieldError::invalid(field, key, problem));
        }
        let text = value.as_str().unwrap_or_default();
        let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
        size += if base64 { (text.len() / 4 * 3).saturating_sub(padding) } else { text.len() };
    }
    size
}

/// What may not change once `immutable` is set.
fn locked(new: &Object, old: &Object, fields: &[&str], errors: &mut Vec<FieldError>) {
    let is_locked = |object: &Object| object.get("immutable") == Some(&Value::Bool(true));
    if !is_locked(old) {
        return;
    }
    if !is_locked(new) {
        errors.push(FieldError::forbidden("immutable", LOCKED));
    }
    let empty = Map::new();
    for field in fields {
        if map(new, field).unwrap_or(&empty) != map(old, field).unwrap_or(&empty) {
            errors.push(FieldError::forbidden(*field, LOCKED));
        }
    }
}

pub(super) fn config_map(new: &Object, old: Option<&Object>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(old) = old {
        locked(new, old, &["data", "binaryData"], &mut errors);
    }
    let mut size = check(new, "data", false, &mut errors);
    for key in map(new, "data").into_iter().flat_map(Map::keys) {
        if map(new, "binaryData").is_some_and(|binary| binary.contains_key(key)) {
            let field = format!("data[{key}]");
            let problem = "duplicate of key present in binaryData";
            errors.push(FieldError::invalid(field, key, problem));
        }
    }
    size += check(new, "binaryData", true, &mut errors);
    if size > MOST {
        errors.push(FieldError::too_long("[]", MOST));
    }
    errors
}

pub(super) fn secret(new: &Object, old: Option<&Object>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(old) = old {
        if text(new, "type") != text(old, "type") {
            let given = BadValue::named(text(new, "type"));
            errors.push(FieldError::invalid("type", given, FIELD_IMMUTABLE));
        }
        locked(new, old, &["data"], &mut errors);
    }
    if check(new, "data", true, &mut errors) > MOST {
        errors.push(FieldError::too_long("data", MOST));
    }
    errors
}
