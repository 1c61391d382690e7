//! Objects as JSON values. Go: `unstructured.Unstructured`.
use pintle_apimachinery::{AnyKind, Codec, Decoder, Error, Format, GroupVersion, GroupVersionKind};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A typed object as the value that structured merge works on.
///
/// # Errors
/// The object cannot be written as JSON.
///
/// ```
/// use pintle_api::core_v1::Pod;
/// use pintle_structured_merge::{from_value, to_value};
/// let mut pod = Pod::default();
/// pod.spec.node_name = "node-1".into();
/// let value = to_value(&pod)?;
/// assert_eq!(value["spec"]["nodeName"], "node-1");
/// assert_eq!(from_value::<Pod>(&value)?, pod);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn to_value(object: &dyn AnyKind) -> Result<Value, Error> {
    let mut json = Vec::new();
    object.encode_any(Format::Json, &mut json)?;
    serde_json::from_slice(&json).map_err(|e| Error::decode(e.to_string()))
}

/// A value as a typed object.
///
/// # Errors
/// The value is not an object of that kind.
pub fn from_value<T: Codec>(value: &Value) -> Result<T, Error> {
    let json = serde_json::to_vec(value).map_err(|e| Error::encode(e.to_string()))?;
    T::decode(&json, Format::Json, &mut Decoder::new())
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Group and version; `None` when the object says none, or something else.
pub(super) fn group_version(object: &Value) -> Option<GroupVersion> {
    object.get("apiVersion").and_then(Value::as_str)?.parse().ok()
}

/// The kind; empty when the version cannot be read.
pub(super) fn gvk(object: &Value) -> GroupVersionKind {
    match text(object, "apiVersion").parse::<GroupVersion>() {
        Ok(gv) => gv.with_kind(text(object, "kind").to_owned()),
        Err(_) => GroupVersionKind::default(),
    }
}

/// The kind as Go prints it, with the slash even for the core group.
pub(super) fn gvk_text(gvk: &GroupVersionKind) -> String {
    format!("{}/{}, Kind={}", gvk.group, gvk.version, gvk.kind)
}

/// Namespace, name and kind for messages. Go: `objectGVKNN`.
pub(super) fn named(object: &Value) -> String {
    let meta = object.get("metadata").unwrap_or(&Value::Null);
    format!("{}/{}; {}", text(meta, "namespace"), text(meta, "name"), gvk_text(&gvk(object)))
}

pub(super) fn uid(object: &Value) -> &str {
    object.get("metadata").map_or("", |m| text(m, "uid"))
}

/// An object of which only the kind is known.
pub(super) fn empty(gvk: &GroupVersionKind) -> Value {
    let mut o = Map::new();
    o.insert("apiVersion".into(), gvk.api_version().into());
    o.insert("kind".into(), gvk.kind.as_ref().into());
    Value::Object(o)
}

/// The annotations; `None` when there are none or they are not all text. Null is no text.
pub(super) fn annotations(object: &Value) -> Option<BTreeMap<String, String>> {
    let all = object.get("metadata")?.get("annotations")?.as_object()?;
    let text =
        |v: &Value| if v.is_null() { Some(String::new()) } else { v.as_str().map(str::to_owned) };
    all.iter().map(|(k, v)| Some((k.clone(), text(v)?))).collect()
}

/// Sets a member of the metadata, or removes it.
pub(super) fn set_meta(object: &mut Value, key: &str, value: Option<Value>) {
    let Value::Object(o) = object else { return };
    match value {
        None => {
            if let Some(Value::Object(meta)) = o.get_mut("metadata") {
                meta.shift_remove(key);
            }
        }
        Some(v) => {
            if let Value::Object(meta) =
                o.entry("metadata").or_insert_with(|| Value::Object(Map::new()))
            {
                meta.insert(key.to_owned(), v);
            }
        }
    }
}

pub(super) fn set_annotations(object: &mut Value, all: Option<BTreeMap<String, String>>) {
    let all = all.map(|a| a.into_iter().map(|(k, v)| (k, Value::String(v))).collect());
    set_meta(object, "annotations", all.map(Value::Object));
}
