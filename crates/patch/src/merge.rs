//! JSON merge patch (RFC 7386). Go: `MergePatch`, `MergeMergePatches` and `CreateMergePatch` of
//! `gopkg.in/evanphx/json-patch.v4`, and `k8s.io/apimachinery/pkg/util/jsonmergepatch`.
//!
//! A patch is a partial document: null removes a member, objects merge, anything else replaces.
//!
//! # Example
//! ```
//! use pintle_patch::merge;
//! use serde_json::json;
//!
//! let (old, new) = (json!({"a": 1, "b": {"c": 2, "d": 3}}), json!({"b": {"c": 2, "d": 4}}));
//! let patch = merge::diff(&old, &new)?;
//! assert_eq!(patch, json!({"b": {"d": 4}, "a": null}));
//! assert_eq!(merge::apply(old, patch)?, new);
//! # Ok::<(), pintle_apimachinery::Error>(())
//! ```

use pintle_apimachinery::{Codec, Error, yaml};
use serde_json::{Map, Value};

use crate::depth::check as check_depth;
use crate::error::{Reason, fail};
use crate::go::{Kind, json_kind};
use crate::precondition::{self, Precondition};
use crate::typed;

/// Applies a patch. Go: `jsonpatch.MergePatch`.
///
/// Nulls inside what is added are removed too, but not inside a list that takes the place of an
/// object, as in Go. A document that is no object gives way to the patch.
///
/// # Errors
/// [`Reason::Malformed`]: the document is null, the patch is neither an object nor (for a document
/// that is no object, or in place of one) a list, or one of them is nested deeper than
/// [`MAX_DEPTH`](crate::MAX_DEPTH).
pub fn apply(document: Value, patch: Value) -> Result<Value, Error> {
    merge(document, patch, Nulls::Remove)
}

/// The patched form of a typed object, or of an
/// [`Unstructured`](pintle_apimachinery::Unstructured) one.
///
/// ```
/// use pintle_api::core_v1::Pod;
/// use pintle_patch::merge;
/// use serde_json::json;
///
/// let pod = merge::apply_to(&Pod::default(), json!({"spec": {"nodeName": "one"}}))?;
/// assert_eq!(pod.spec.node_name, "one");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// # Errors
/// As [`apply`], or the result is not of the type.
pub fn apply_to<T: Codec>(object: &T, patch: Value) -> Result<T, Error> {
    typed::from_value(&apply(typed::to_value(object)?, patch)?)
}

/// One patch that does what two do in succession. Go: `jsonpatch.MergeMergePatches`.
///
/// ```
/// use pintle_patch::merge;
/// use serde_json::json;
///
/// let both = merge::merge_patches(json!({"a": 1}), json!({"a": null, "b": 2}))?;
/// assert_eq!(both, json!({"a": null, "b": 2}));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// # Errors
/// As [`apply`].
pub fn merge_patches(first: Value, second: Value) -> Result<Value, Error> {
    merge(first, second, Nulls::Keep)
}

#[derive(Clone, Copy, PartialEq)]
enum Nulls {
    Remove,
    Keep,
}

fn bad_document() -> Error {
    fail(Reason::Malformed, "Invalid JSON Document")
}

fn bad_patch() -> Error {
    fail(Reason::Malformed, "Invalid JSON Patch")
}

fn merge(document: Value, patch: Value, nulls: Nulls) -> Result<Value, Error> {
    check_depth(&document)?;
    check_depth(&patch)?;
    match (document, patch) {
        (Value::Null, _) => Err(bad_document()),
        (_, Value::Null) => Err(bad_patch()),
        (Value::Object(mut document), Value::Object(patch)) => {
            merge_objects(&mut document, patch, nulls);
            Ok(Value::Object(document))
        }
        (_, mut patch @ (Value::Object(_) | Value::Array(_))) => {
            if nulls == Nulls::Remove || patch.is_array() {
                prune(&mut patch);
            }
            Ok(patch)
        }
        _ => Err(bad_patch()),
    }
}

fn merge_objects(document: &mut Map<String, Value>, patch: Map<String, Value>, nulls: Nulls) {
    for (key, mut value) in patch {
        if value.is_null() && nulls == Nulls::Remove {
            document.shift_remove(&key);
            continue;
        }
        match (document.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge_objects(old, new, nulls),
            (Some(old @ Value::Object(_)), new) => *old = new,
            (Some(old), new) => {
                let added = old.is_null() && nulls == Nulls::Keep;
                *old = new;
                if !added {
                    prune(old);
                }
            }
            (None, new) => {
                value = new;
                if nulls == Nulls::Remove {
                    prune(&mut value);
                }
                document.insert(key, value);
            }
        }
    }
}

/// Removes members that are null, in lists too; null elements of lists stay.
fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => map.retain(|_, value| {
            prune(value);
            !value.is_null()
        }),
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

/// The patch that makes `modified` of `original`. Go: `jsonpatch.CreateMergePatch`.
///
/// Two lists of the same length give a list of patches. A null inside `modified` becomes a
/// removal: merge patches cannot say more.
///
/// # Errors
/// [`Reason::Malformed`]: one is a list and the other is not, the lists differ in length, there
/// is something else than objects (null stands for an empty one), or one is nested deeper than
/// [`MAX_DEPTH`](crate::MAX_DEPTH).
pub fn diff(original: &Value, modified: &Value) -> Result<Value, Error> {
    check_depth(original)?;
    check_depth(modified)?;
    match (original, modified) {
        (Value::Array(original), Value::Array(modified)) => {
            let object_patch = |(original, modified)| Ok(diff_values(original, modified)?.into());
            let documents = original.iter().zip(modified);
            let patches = documents.map(object_patch).collect::<Result<Vec<Value>, Error>>()?;
            if original.len() != modified.len() {
                return Err(bad_document());
            }
            Ok(patches.into())
        }
        (Value::Array(_), _) | (_, Value::Array(_)) => {
            Err(fail(Reason::Malformed, "Mismatched JSON Documents"))
        }
        (original, modified) => Ok(diff_values(original, modified)?.into()),
    }
}

/// The patch between two typed objects, or [`Unstructured`](pintle_apimachinery::Unstructured)
/// ones.
///
/// # Errors
/// An object cannot be written as JSON.
pub fn diff_of<T: Codec>(original: &T, modified: &T) -> Result<Value, Error> {
    diff(&typed::to_value(original)?, &typed::to_value(modified)?)
}

fn diff_values(original: &Value, modified: &Value) -> Result<Map<String, Value>, Error> {
    fn members(value: &Value) -> Result<Option<&Map<String, Value>>, Error> {
        match value {
            Value::Object(map) => Ok(Some(map)),
            Value::Null => Ok(None),
            _ => Err(bad_document()),
        }
    }
    let none = Map::new();
    let original = members(original)?.unwrap_or(&none);
    Ok(diff_objects(original, members(modified)?.unwrap_or(&none)))
}

fn diff_objects(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
) -> Map<String, Value> {
    let mut patch = Map::new();
    for (key, new) in modified {
        match (original.get(key), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let inner = diff_objects(old, new);
                if !inner.is_empty() {
                    patch.insert(key.clone(), inner.into());
                }
            }
            (Some(old), new) if same(old, new) => {}
            (_, new) => {
                patch.insert(key.clone(), new.clone());
            }
        }
    }
    let removed = original.keys().filter(|key| !modified.contains_key(*key));
    patch.extend(removed.map(|key| (key.clone(), Value::Null)));
    patch
}

/// Equality that does not tell 1 from 1.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x == y || (x.is_f64() || y.is_f64()) && x.as_f64() == y.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// The patch that brings what changed from `original` to `modified` into `current`: additions and
/// changes are taken against `current`, removals against `original`, so that what others added
/// stays. Go: `jsonmergepatch.CreateThreeWayJSONMergePatch`.
///
/// A null document is an empty one.
///
/// ```
/// use pintle_patch::merge;
/// use serde_json::json;
///
/// let original = json!({"labels": {"a": "1", "b": "2"}});
/// let modified = json!({"labels": {"a": "2"}});
/// let current = json!({"labels": {"a": "1", "b": "2", "theirs": "x"}});
/// let patch = merge::three_way(&original, &modified, &current, &[])?;
/// assert_eq!(patch, json!({"labels": {"a": "2", "b": null}}));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// # Errors
/// [`Reason::Malformed`]: a document is not an object. [`Reason::Conflict`]: a member is changed
/// and removed at once. [`Reason::PreconditionFailed`]: a precondition does not hold for the
/// patch.
pub fn three_way(
    original: &Value,
    modified: &Value,
    current: &Value,
    preconditions: &[Precondition<'_>],
) -> Result<Value, Error> {
    let object = |patch: Value| match patch {
        Value::Object(map) => Ok(map),
        other => Err(fail(
            Reason::Malformed,
            format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                json_kind(&other)
            ),
        )),
    };
    let mut changes = object(diff(current, modified)?)?;
    without_nulls(&mut changes);
    let mut removals = object(diff(original, modified)?)?;
    only_nulls(&mut removals);
    if objects_conflict(&changes, &removals) {
        return Err(conflict(&changes, &removals));
    }
    merge_objects(&mut removals, changes, Nulls::Remove);
    precondition::check(&removals, preconditions)?;
    Ok(removals.into())
}

/// Keeps additions and changes. An object that is empty from the start is a value.
fn without_nulls(patch: &mut Map<String, Value>) {
    patch.retain(|_, value| match value {
        Value::Null => false,
        Value::Object(map) if !map.is_empty() => {
            without_nulls(map);
            !map.is_empty()
        }
        _ => true,
    });
}

/// Keeps removals.
fn only_nulls(patch: &mut Map<String, Value>) {
    patch.retain(|_, value| match value {
        Value::Null => true,
        Value::Object(map) => {
            only_nulls(map);
            !map.is_empty()
        }
        _ => false,
    });
}

/// Whether two patches give one member different values. Lists differ when any element does. Go:
/// `mergepatch.HasConflicts`.
///
/// ```
/// use pintle_patch::merge::have_conflicts;
/// use serde_json::json;
///
/// assert!(!have_conflicts(&json!({"a": 1}), &json!({"b": 2})));
/// assert!(have_conflicts(&json!({"a": {"b": 1}}), &json!({"a": {"b": 2}})));
/// ```
pub fn have_conflicts(left: &Value, right: &Value) -> bool {
    fn conflict(left: &Value, right: &Value, levels: usize) -> bool {
        if levels == 0 {
            return true;
        }
        match (left, right) {
            (Value::Object(left), Value::Object(right)) => left.iter().any(|(key, left)| {
                right.get(key).is_some_and(|right| conflict(left, right, levels - 1))
            }),
            (Value::Array(left), Value::Array(right)) => {
                left.len() != right.len()
                    || left.iter().zip(right).any(|(l, r)| conflict(l, r, levels - 1))
            }
            (left, right) => Kind::of(left) != Kind::of(right) || left != right,
        }
    }
    conflict(left, right, crate::MAX_DEPTH + 1)
}

fn objects_conflict(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    left.iter().any(|(key, left)| right.get(key).is_some_and(|right| have_conflicts(left, right)))
}

/// Go: `mergepatch.NewErrConflict`.
pub(crate) fn conflict(patch: &Map<String, Value>, changes: &Map<String, Value>) -> Error {
    let print = |object: &Map<String, Value>| yaml::to_string(&Value::Object(object.clone()));
    let message = format!(
        "patch:\n{}\nconflicts with changes made from original to current:\n{}\n",
        print(patch),
        print(changes)
    );
    fail(Reason::Conflict, message)
}
