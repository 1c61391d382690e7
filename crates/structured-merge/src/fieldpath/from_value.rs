//! The fields of a value whose type is not known. Go: `fieldpath.SetFromValue`.
use super::{PathElement, Set};
use crate::MAX_DEPTH;
use pintle_apimachinery::{Error, Str};
use serde_json::Value;

/// Names that are taken for keys when an element of a list has them.
const KEYS: [&str; 3] = ["key", "id", "name"];

/// Every leaf of a value. Elements of lists go by `key`, `id` and `name` when they have them as
/// scalars, else by index. Go: `SetFromValue`.
///
/// # Errors
/// The value nests too deep.
///
/// ```
/// use serde_json::json;
/// let set = pintle_structured_merge::set_from_value(&json!({"a": [{"name": "x", "b": 1}], "c": [2]}))?;
/// assert_eq!(set.to_string(), ".a[name=\"x\"].b\n.a[name=\"x\"].name\n.c[0]");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn set_from_value(value: &Value) -> Result<Set, Error> {
    let mut set = Set::new();
    walk(value, &mut set, 0)?;
    Ok(set)
}

/// Whether the value is a leaf.
fn walk(value: &Value, set: &mut Set, depth: usize) -> Result<bool, Error> {
    if depth > MAX_DEPTH {
        return Err(crate::too_deep());
    }
    let mut child = |element: PathElement, v: &Value| -> Result<(), Error> {
        let mut below = Set::new();
        if walk(v, &mut below, depth + 1)? {
            set.insert_member(element);
        } else if !below.is_empty() {
            set.add_child(element, below);
        }
        Ok(())
    };
    match value {
        Value::Array(a) => {
            for (i, v) in a.iter().enumerate() {
                child(element(i, v), v)?;
            }
            Ok(false)
        }
        Value::Object(o) => {
            for (k, v) in o {
                child(PathElement::Field(Str::from(k.as_str())), v)?;
            }
            Ok(false)
        }
        _ => Ok(true),
    }
}

fn element(index: usize, item: &Value) -> PathElement {
    let scalar = |v: &Value| v.is_number() || v.is_string() || v.is_boolean();
    let keys: Vec<(&str, Value)> = KEYS
        .into_iter()
        .filter_map(|k| item.get(k).filter(|v| scalar(v)).map(|v| (k, v.clone())))
        .collect();
    if keys.is_empty() { PathElement::Index(index as i64) } else { PathElement::key(keys) }
}
