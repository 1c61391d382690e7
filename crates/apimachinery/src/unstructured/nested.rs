//! Values deep inside JSON objects, by path. Go: `unstructured.NestedString` and its siblings.
//!
//! A path is a list of member names, so names may have dots in them. What is not there is `None`;
//! what is of another type is an error in Go's words.
use crate::Error;
use serde_json::{Map, Value};

/// The value at a path. Go: `NestedFieldNoCopy`.
///
/// # Errors
/// Something on the way is not an object.
///
/// ```
/// use pintle_apimachinery::{nested_field, nested_i64, nested_string};
/// let v = serde_json::json!({"spec": {"a.b": "x", "n": 5}});
/// let o = v.as_object().unwrap();
/// assert_eq!(nested_string(o, &["spec", "a.b"])?, Some("x"));
/// assert_eq!(nested_i64(o, &["spec", "none"])?, None);
/// let e = nested_string(o, &["spec", "n"]).unwrap_err();
/// assert_eq!(e.to_string(), ".spec.n accessor error: 5 is of the type int64, expected string");
/// let e = nested_field(o, &["spec", "n", "deeper"]).unwrap_err();
/// assert_eq!(
///     e.to_string(),
///     ".spec.n.deeper accessor error: 5 is of the type int64, expected map[string]interface{}"
/// );
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn nested_field<'a>(
    object: &'a Map<String, Value>,
    path: &[&str],
) -> Result<Option<&'a Value>, Error> {
    let Some((first, rest)) = path.split_first() else { return Ok(None) };
    let mut at = match object.get(*first) {
        Some(v) => v,
        None => return Ok(None),
    };
    for (i, step) in rest.iter().enumerate() {
        at = match at {
            Value::Object(o) => match o.get(*step) {
                Some(v) => v,
                None => return Ok(None),
            },
            Value::Null => return Ok(None),
            other => return Err(wrong(&path[..i + 2], other, "map[string]interface{}")),
        };
    }
    Ok(Some(at))
}

/// Go's name of a value's type.
fn type_name(v: &Value) -> &'static str {
    match v {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn wrong(path: &[&str], v: &Value, expected: &str) -> Error {
    // Go prints the value; a scalar will do, as the rest may be long or secret.
    let shown = match v {
        Value::Array(_) => "the list".to_owned(),
        Value::Object(_) => "the object".to_owned(),
        Value::Null => "<nil>".to_owned(),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    };
    let path = path.join(".");
    Error::invalid(format!(
        ".{path} accessor error: {shown} is of the type {}, expected {expected}",
        type_name(v)
    ))
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident $type:ty, $expected:literal, $get:expr;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// The value, or something on the way, is of another type.
        pub fn $name<'a>(
            object: &'a Map<String, Value>,
            path: &[&str],
        ) -> Result<Option<$type>, Error> {
            let get: fn(&'a Value) -> Option<$type> = $get;
            match nested_field(object, path)? {
                None => Ok(None),
                Some(v) => get(v).map(Some).ok_or_else(|| wrong(path, v, $expected)),
            }
        }
    )* };
}
accessors! {
    /// The string at a path. Go: `NestedString`.
    nested_string &'a str, "string", Value::as_str;
    /// The boolean at a path. Go: `NestedBool`.
    nested_bool bool, "bool", Value::as_bool;
    /// The whole number at a path. Go: `NestedInt64`.
    nested_i64 i64, "int64", |v| v.as_i64().filter(|_| !v.is_f64());
    /// The floating-point number at a path; a whole number is none. Go: `NestedFloat64`.
    nested_f64 f64, "float64", |v| v.as_f64().filter(|_| v.is_f64());
    /// The list at a path. Go: `NestedSlice`.
    nested_list &'a [Value], "[]interface{}", |v| v.as_array().map(Vec::as_slice);
    /// The object at a path. Go: `NestedMap`.
    nested_map &'a Map<String, Value>, "map[string]interface{}", Value::as_object;
}

/// The number at a path, whole or not. Go: `NestedNumberAsFloat64`.
///
/// # Errors
/// The value, or something on the way, is of another type; or a whole number is too large for an
/// `f64` to hold exactly.
pub fn nested_number(object: &Map<String, Value>, path: &[&str]) -> Result<Option<f64>, Error> {
    let Some(v) = nested_field(object, path)? else { return Ok(None) };
    match v.as_i64() {
        Some(i) if (i as f64) as i64 != i => Err(Error::invalid(format!(
            ".{} accessor error: int64 value {i} cannot be represented as float64 without loss of precision",
            path.join(".")
        ))),
        _ => v.as_f64().map(Some).ok_or_else(|| wrong(path, v, "float64 or int64")),
    }
}

/// The list of strings at a path. Go: `NestedStringSlice`.
///
/// # Errors
/// The value, something on the way or an element is of another type.
pub fn nested_string_list<'a>(
    object: &'a Map<String, Value>,
    path: &[&str],
) -> Result<Option<Vec<&'a str>>, Error> {
    let Some(list) = nested_list(object, path)? else { return Ok(None) };
    let text = |v: &'a Value| {
        v.as_str().ok_or_else(|| {
            Error::invalid(format!(
                ".{} accessor error: contains non-string value in the slice: {v} is of the type {}, expected string",
                path.join("."),
                type_name(v)
            ))
        })
    };
    list.iter().map(text).collect::<Result<_, _>>().map(Some)
}

/// The strings by name at a path, such as labels. Go: `NestedStringMap`.
///
/// # Errors
/// The value, something on the way or an entry is of another type.
pub fn nested_string_map<'a>(
    object: &'a Map<String, Value>,
    path: &[&str],
) -> Result<Option<Vec<(&'a str, &'a str)>>, Error> {
    let Some(map) = nested_map(object, path)? else { return Ok(None) };
    let entry = |(key, v): (&'a String, &'a Value)| match v.as_str() {
        Some(s) => Ok((key.as_str(), s)),
        None => Err(Error::invalid(format!(
            ".{} accessor error: contains non-string value in the map under key {key:?}: {v} is of the type {}, expected string",
            path.join("."),
            type_name(v)
        ))),
    };
    map.iter().map(entry).collect::<Result<_, _>>().map(Some)
}

/// Sets the value at a path, making objects on the way. Go: `SetNestedField`.
///
/// # Errors
/// Something on the way is not an object, or the path is empty.
pub fn set_nested_field(
    object: &mut Map<String, Value>,
    value: impl Into<Value>,
    path: &[&str],
) -> Result<(), Error> {
    let Some((last, above)) = path.split_last() else {
        return Err(Error::invalid("the path names no field"));
    };
    let mut at = object;
    for (i, step) in above.iter().enumerate() {
        at = match at.entry(*step).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(o) => o,
            other => {
                return Err(Error::invalid(format!(
                    "value cannot be set because .{} is not a map[string]interface{{}}: it is of the type {}",
                    path[..=i].join("."),
                    type_name(other)
                )));
            }
        };
    }
    at.insert((*last).to_owned(), value.into());
    Ok(())
}

/// Removes the value at a path, when there is one. Go: `RemoveNestedField`.
pub fn remove_nested_field(object: &mut Map<String, Value>, path: &[&str]) -> Option<Value> {
    let (last, above) = path.split_last()?;
    let mut at = object;
    for step in above {
        at = at.get_mut(*step)?.as_object_mut()?;
    }
    at.shift_remove(*last)
}
