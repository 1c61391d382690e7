//! Small helpers that change objects held as JSON trees, with Go's idea of what is not set.

use serde_json::{Map, Value};

/// The members of an object.
pub(crate) type Fields = Map<String, Value>;

/// Whether a value is Go's zero value of a scalar or a nil: absent, null, `""`, 0 or false.
pub(crate) fn is_zero(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

/// Whether a list or map is empty or missing.
pub(crate) fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(members)) => members.is_empty(),
        Some(_) => false,
    }
}

/// Whether a pointer is nil.
pub(crate) fn is_nil(value: Option<&Value>) -> bool {
    matches!(value, None | Some(Value::Null))
}

/// Sets a field that is nil.
pub(crate) fn fill(fields: &mut Fields, key: &str, value: impl Into<Value>) {
    if is_nil(fields.get(key)) {
        fields.insert(key.to_owned(), value.into());
    }
}

/// Sets a field that has the zero value.
pub(crate) fn fill_zero(fields: &mut Fields, key: &str, value: impl Into<Value>) {
    if is_zero(fields.get(key)) {
        fields.insert(key.to_owned(), value.into());
    }
}

/// The object in a field, made when there is none.
pub(crate) fn child<'a>(fields: &'a mut Fields, key: &str) -> &'a mut Fields {
    let value = fields.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

/// The object in a field, if there is one.
pub(crate) fn child_of<'a>(fields: &'a mut Fields, key: &str) -> Option<&'a mut Fields> {
    fields.get_mut(key).and_then(Value::as_object_mut)
}

/// The objects in a list.
pub(crate) fn items<'a>(
    fields: &'a mut Fields,
    key: &str,
) -> impl Iterator<Item = &'a mut Fields> + use<'a> {
    let list = fields.get_mut(key).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// The text in a field; anything else reads as empty.
pub(crate) fn text<'a>(fields: &'a Fields, key: &str) -> &'a str {
    fields.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The value at a path of names.
pub(crate) fn at<'a>(fields: &'a Fields, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let mut value = fields.get(*first)?;
    for name in rest {
        value = value.as_object()?.get(*name)?;
    }
    Some(value).filter(|value| !value.is_null())
}
