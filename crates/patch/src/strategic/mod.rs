//! Strategic merge patch: a merge that knows how each list of a type merges. Go:
//! `k8s.io/apimachinery/pkg/util/strategicpatch`.
//!
//! Objects merge, null removes a member. A list merges element by element if its
//! [`FieldMeta`]'s strategy is `merge`, objects by their merge key; otherwise it is replaced. Members
//! with a `$` say more:
//!
//! | directive | where | what it does |
//! |---|---|---|
//! | `$patch: replace` | in an object | the object is replaced |
//! | | as an element | the list is replaced by the other elements |
//! | `$patch: delete` | in an object | the object becomes empty |
//! | | in an element with a merge key | the element is removed |
//! | `$deleteFromPrimitiveList/x` | beside `x` | these scalars are removed from the list `x` |
//! | `$setElementOrder/x` | beside `x` | the order of the merged list `x` |
//! | `$retainKeys` | in an object | members not named are removed |
//!
//! # Example
//! ```
//! use pintle_api::core_v1::Pod;
//! use pintle_patch::strategic;
//! use serde_json::json;
//!
//! let mut pod = Pod::default();
//! pod.metadata.finalizers = ["example.io/a".into(), "example.io/b".into()].into_iter().collect();
//! let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.io/a"]}});
//! let pod = strategic::apply_to(&pod, patch)?;
//! assert_eq!(pod.metadata.finalizers[..], ["example.io/b"]);
//! # Ok::<(), pintle_apimachinery::Error>(())
//! ```

mod apply;
mod conflict;
mod diff;
mod list;
mod openapi;
mod openapi_v2;
mod schema;
mod text;
mod types;

pub use openapi::OpenApiSchema;
pub use openapi_v2::OpenApiV2Schema;
pub use schema::{FieldMeta, PatchSchema};
pub use types::TypeSchema;

use pintle_apimachinery::reflect::Described;
use pintle_apimachinery::{Codec, Error};
use serde_json::{Map, Value};

use self::apply::{Target, merge_object};
use self::diff::{DiffOptions, diff_objects, sort_compared};
use crate::depth::check_object as check_depth;
use crate::error::{Reason, fail};
use crate::precondition::{self, Precondition};
use crate::typed;

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_PREFIX: &str = "$deleteFromPrimitiveList";
const ORDER_PREFIX: &str = "$setElementOrder";

const EVERYTHING: DiffOptions =
    DiffOptions { order: true, changes: true, deletions: true, retain_keys: false };

/// Applies a patch to an object. Go: `StrategicMergeMapPatch`,
/// `StrategicMergeMapPatchUsingLookupPatchMeta`.
///
/// ```
/// use pintle_api::core_v1::Pod;
/// use pintle_patch::{TypeSchema, strategic};
/// use serde_json::{Value, json};
///
/// let object = |value: Value| value.as_object().cloned().unwrap_or_default();
/// let pod = object(json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b"}]}}));
/// let patch = object(json!({"spec": {"containers": [
///     {"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}]}}));
/// let patched = strategic::apply(pod, patch, TypeSchema::of::<Pod>())?;
/// assert_eq!(patched["spec"]["containers"], json!([{"name": "a", "image": "2"}]));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// # Errors
/// [`Reason::Malformed`]: a directive is malformed, or something is nested deeper than
/// [`MAX_DEPTH`](crate::MAX_DEPTH). [`Reason::NotApplicable`]: a list of lists is to be merged.
/// [`Reason::Unsuitable`]: an element lacks its merge key, a directive is not known, or the schema
/// has no such field where one is needed.
pub fn apply(
    mut original: Map<String, Value>,
    patch: Map<String, Value>,
    schema: impl PatchSchema,
) -> Result<Map<String, Value>, Error> {
    check_depth(&original)?;
    check_depth(&patch)?;
    merge_object(&mut original, patch, schema, Target::Object)?;
    Ok(original)
}

/// Applies the text of a patch to the text of an object. Go: `StrategicMergePatch`,
/// `StrategicMergePatchUsingLookupPatchMeta`.
///
/// It does what [`apply`] does and costs a fraction where the patch is small: what the patch does
/// not speak of is checked and copied as it stands. `null` is an object without members.
///
/// ```
/// use pintle_api::core_v1::Pod;
/// use pintle_patch::{TypeSchema, strategic};
///
/// let pod = r#"{"spec":{"containers":[{"name":"a","image":"1"}],"nodeName":"n"}}"#;
/// let patch = r#"{"spec":{"containers":[{"name":"a","image":"2"}]}}"#;
/// let patched = strategic::apply_text(pod, patch, TypeSchema::of::<Pod>())?;
/// assert_eq!(
///     patched,
///     r#"{"spec":{"containers":[{"name":"a","image":"2"}],"nodeName":"n"}}"#,
/// );
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// # Errors
/// As [`apply`]; [`Reason::Malformed`] when one of the two is not the JSON text of an object.
pub fn apply_text(original: &str, patch: &str, schema: impl PatchSchema) -> Result<String, Error> {
    let mut out = Vec::with_capacity(original.len() + patch.len());
    text::apply(original, patch, schema, &mut out)?;
    String::from_utf8(out).map_err(|e| Error::encode(format!("not UTF-8: {e}")))
}

/// The patched form of a typed object. Go: `StrategicMergePatch`.
///
/// # Errors
/// As [`apply`]; the patch is not an object; the result is not of the type.
pub fn apply_to<T: Codec + Described>(object: &T, patch: Value) -> Result<T, Error> {
    let Value::Object(patch) = patch else {
        return Err(fail(Reason::Malformed, "invalid JSON document"));
    };
    let patched = apply(typed::to_object(object)?, patch, TypeSchema::of::<T>())?;
    typed::from_value(&Value::Object(patched))
}

/// The patch that makes `modified` of `original`. Go: `CreateTwoWayMergeMapPatch`.
///
/// ```
/// use pintle_api::core_v1::Pod;
/// use pintle_patch::{TypeSchema, strategic};
/// use serde_json::{Value, json};
///
/// let pod = |containers: Value| {
///     json!({"spec": {"containers": containers}}).as_object().cloned().unwrap_or_default()
/// };
/// let old = pod(json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]));
/// let new = pod(json!([{"name": "a", "image": "2"}]));
/// let patch = strategic::diff(&old, &new, TypeSchema::of::<Pod>(), &[])?;
/// assert_eq!(patch["spec"], json!({
///     "$setElementOrder/containers": [{"name": "a"}],
///     "containers": [{"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}],
/// }));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// The patch says nothing of a list of scalars that merges and whose only change is that it is in
/// alphabetical order now, as in Go.
///
/// # Errors
/// [`Reason::PreconditionFailed`]: a precondition does not hold for the patch. Others as
/// [`apply`].
pub fn diff(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    schema: impl PatchSchema,
    preconditions: &[Precondition<'_>],
) -> Result<Map<String, Value>, Error> {
    check_depth(original)?;
    check_depth(modified)?;
    let patch = diff_objects(original, modified, schema, EVERYTHING)?;
    precondition::check(&patch, preconditions)?;
    Ok(patch)
}

/// The patch between two typed objects. Go: `CreateTwoWayMergePatch`.
///
/// ```
/// use pintle_api::core_v1::Pod;
/// use pintle_patch::strategic;
/// use serde_json::json;
///
/// let old = Pod::default();
/// let mut new = old.clone();
/// new.spec.node_name = "one".into();
/// assert_eq!(strategic::diff_of(&old, &new)?, json!({"spec": {"nodeName": "one"}}));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// # Errors
/// As [`diff`].
pub fn diff_of<T: Codec + Described>(original: &T, modified: &T) -> Result<Value, Error> {
    let (original, modified) = (typed::to_object(original)?, typed::to_object(modified)?);
    Ok(Value::Object(diff(&original, &modified, TypeSchema::of::<T>(), &[])?))
}

/// The patch that brings what changed from `original` (as last applied) to `modified` into
/// `current` (the live object): additions and changes are taken against `current`, deletions
/// against `original`, so that what others added stays. Go: `CreateThreeWayMergePatch`.
///
/// Unless `overwrite`, it is an error when the patch changes what was changed from `original` to
/// `current` as well.
///
/// # Errors
/// [`Reason::Conflict`], [`Reason::PreconditionFailed`], and others as [`apply`].
pub fn three_way<S: PatchSchema>(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    current: &Map<String, Value>,
    schema: S,
    overwrite: bool,
    preconditions: &[Precondition<'_>],
) -> Result<Map<String, Value>, Error> {
    [original, modified, current].into_iter().try_for_each(check_depth)?;
    let changes = DiffOptions { deletions: false, ..EVERYTHING };
    let changes = diff_objects(current, modified, schema, changes)?;
    let deletions = DiffOptions { changes: false, ..EVERYTHING };
    let mut patch = diff_objects(original, modified, schema, deletions)?;
    merge_object(&mut patch, changes, schema, Target::Patch)?;
    precondition::check(&patch, preconditions)?;
    if !overwrite {
        let options = DiffOptions { order: false, ..EVERYTHING };
        let theirs = diff_objects(original, current, schema, options)?;
        if have_conflicts(&patch, &theirs, schema)? {
            let mut current = current.clone();
            sort_compared(&mut current, modified, schema);
            let theirs = diff_objects(original, &current, schema, options)?;
            return Err(crate::merge::conflict(&patch, &theirs));
        }
    }
    Ok(patch)
}

/// One patch that does what several do in succession. Go:
/// `MergeStrategicMergeMapPatchUsingLookupPatchMeta`.
///
/// ```
/// use pintle_api::core_v1::Pod;
/// use pintle_patch::{TypeSchema, strategic};
/// use serde_json::{Value, json};
///
/// let patch = |labels: Value| {
///     json!({"metadata": {"labels": labels}}).as_object().cloned().unwrap_or_default()
/// };
/// let patches = [patch(json!({"a": "1"})), patch(json!({"a": null, "b": "2"}))];
/// let both = strategic::merge_patches(patches, TypeSchema::of::<Pod>())?;
/// assert_eq!(both, patch(json!({"a": null, "b": "2"})));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// # Errors
/// As [`apply`].
pub fn merge_patches(
    patches: impl IntoIterator<Item = Map<String, Value>>,
    schema: impl PatchSchema,
) -> Result<Map<String, Value>, Error> {
    let mut merged = Map::new();
    for patch in patches {
        check_depth(&patch)?;
        merge_object(&mut merged, patch, schema, Target::Patch)?;
    }
    Ok(merged)
}

/// Whether two patches give one field different values. Lists of scalars are compared as sets.
/// Go: `MergingMapsHaveConflicts`.
///
/// ```
/// use pintle_api::core_v1::Pod;
/// use pintle_patch::{TypeSchema, strategic};
/// use serde_json::{Value, json};
///
/// let image = |name: &str, image: &str| {
///     let patch = json!({"spec": {"containers": [{"name": name, "image": image}]}});
///     patch.as_object().cloned().unwrap_or_default()
/// };
/// let pod = TypeSchema::of::<Pod>();
/// assert!(!strategic::have_conflicts(&image("a", "1"), &image("b", "2"), pod)?);
/// assert!(strategic::have_conflicts(&image("a", "1"), &image("a", "2"), pod)?);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// # Errors
/// [`Reason::Unsuitable`]: the schema has no such field, or an element lacks its merge key.
pub fn have_conflicts(
    left: &Map<String, Value>,
    right: &Map<String, Value>,
    schema: impl PatchSchema,
) -> Result<bool, Error> {
    check_depth(left)?;
    check_depth(right)?;
    conflict::objects_conflict(left, right, schema, &FieldMeta::default())
}
