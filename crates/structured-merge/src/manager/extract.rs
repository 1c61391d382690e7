//! What a manager applied, taken out of an object again. Go: `managedfields.ExtractInto`.
use super::managed::{APPLY, Entry, entries};
use super::object;
use crate::{ParseableType, Set};
use pintle_apimachinery::Error;
use serde_json::{Map, Value};

/// The fields of `object` that `manager` owns by applying; `None` when it owns none.
///
/// Change what comes out and apply it: that keeps everything else the manager owns.
/// `subresource` is that of the applies, `""` for the object itself. As in Go, the name is not
/// among the fields; [`extract_apply_configuration`] adds it.
///
/// # Errors
/// The object is not of the type, or its `managedFields` cannot be read.
///
/// ```
/// use pintle_structured_merge::{ParseableType, extract};
/// use serde_json::json;
/// let object = json!({
///     "apiVersion": "v1", "kind": "Foo", "metadata": {"name": "one", "managedFields": [
///         {"manager": "me", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
///          "fieldsV1": {"f:spec": {"f:a": {}}}},
///     ]},
///     "spec": {"a": 1, "b": 2},
/// });
/// let mine = extract(&object, &ParseableType::deduced(), "me", "")?;
/// assert_eq!(mine, Some(json!({"spec": {"a": 1}, "kind": "Foo", "apiVersion": "v1"})));
/// assert_eq!(extract(&object, &ParseableType::deduced(), "you", "")?, None);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn extract(
    object: &Value,
    ty: &ParseableType,
    manager: &str,
    subresource: &str,
) -> Result<Option<Value>, Error> {
    let typed = ty.typed(object.clone()).map_err(|e| e.context("error converting obj to typed"))?;
    let Some(entry) = find(&entries(object).unwrap_or_default(), manager, subresource) else {
        return Ok(None);
    };
    let set =
        entry.map_err(|e| Error::decode(format!("error marshalling FieldsV1 to JSON: {e}")))?;
    let mut value =
        std::sync::Arc::unwrap_or_clone(typed.extract_items(&set.leaves()).into_value());
    let Value::Object(fields) = &mut value else {
        return Err(Error::other(format!(
            "unable to convert managed fields for {manager} to unstructured, expected map, got {}",
            crate::json::go_type(&value)
        )));
    };
    let gvk = object::gvk(object);
    if !fields.contains_key("kind") && !gvk.kind.is_empty() {
        fields.insert("kind".into(), gvk.kind.as_ref().into());
        fields.insert("apiVersion".into(), gvk.api_version().into());
    }
    Ok(Some(value))
}

/// The same with kind, version, name and namespace, ready to apply again; without fields when the
/// manager owns none. Go: the generated `ExtractDeployment` and the like.
///
/// # Errors
/// As [`extract`].
pub fn extract_apply_configuration(
    object: &Value,
    ty: &ParseableType,
    manager: &str,
    subresource: &str,
) -> Result<Value, Error> {
    let found = extract(object, ty, manager, subresource)?;
    let mut value = found.unwrap_or_else(|| Value::Object(Map::new()));
    for key in ["apiVersion", "kind"] {
        if let (Some(v), Value::Object(o)) = (object.get(key), &mut value) {
            o.insert(key.into(), v.clone());
        }
    }
    for key in ["name", "namespace"] {
        let v = object.get("metadata").and_then(|m| m.get(key));
        if let Some(v) = v.filter(|v| v.as_str().is_some_and(|s| !s.is_empty())) {
            object::set_meta(&mut value, key, Some(v.clone()));
        }
    }
    Ok(value)
}

fn find(entries: &[Entry], manager: &str, subresource: &str) -> Option<Result<Set, String>> {
    let entry = entries.iter().find(|e| {
        e.id.manager == manager && e.id.operation == APPLY && e.id.subresource == subresource
    });
    entry.map(Entry::set)
}
