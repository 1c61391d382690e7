//! Preconditions of created patches. Go: `mergepatch.PreconditionFunc`.

use pintle_apimachinery::Error;
use serde_json::{Map, Value};

use crate::error::{Reason, fail};
use crate::go::print_object;

/// Looks at a patch that was made and says whether it may be used. Go:
/// `mergepatch.PreconditionFunc`.
pub type Precondition<'a> = &'a dyn Fn(&Map<String, Value>) -> bool;

/// Holds when the patch leaves the member `key` alone. Go: `mergepatch.RequireKeyUnchanged`.
///
/// ```
/// use pintle_patch::{Reason, merge, reason, require_key_unchanged};
/// use serde_json::json;
///
/// let kind = require_key_unchanged("kind");
/// let (old, new) = (json!({"kind": "Pod"}), json!({"kind": "Node"}));
/// let error = merge::three_way(&old, &new, &old, &[&kind]).unwrap_err();
/// assert_eq!(reason(&error), Some(Reason::PreconditionFailed));
/// ```
pub fn require_key_unchanged(key: &str) -> impl Fn(&Map<String, Value>) -> bool {
    move |patch| !patch.contains_key(key)
}

/// Holds when the patch leaves the member `key` of the metadata alone. Go:
/// `mergepatch.RequireMetadataKeyUnchanged`.
///
/// ```
/// use pintle_api::core_v1::Pod;
/// use pintle_patch::{TypeSchema, require_metadata_key_unchanged, strategic};
/// use serde_json::{Map, json};
///
/// let old: Map<_, _> = [("metadata".to_owned(), json!({"name": "a"}))].into_iter().collect();
/// let new: Map<_, _> = [("metadata".to_owned(), json!({"name": "b"}))].into_iter().collect();
/// let name = require_metadata_key_unchanged("name");
/// let error = strategic::diff(&old, &new, TypeSchema::of::<Pod>(), &[&name]).unwrap_err();
/// assert_eq!(error.to_string(), "precondition failed for: map[metadata:map[name:b]]");
/// ```
pub fn require_metadata_key_unchanged(key: &str) -> impl Fn(&Map<String, Value>) -> bool {
    move |patch| match patch.get("metadata") {
        Some(Value::Object(metadata)) => !metadata.contains_key(key),
        _ => true,
    }
}

/// # Errors
/// A precondition does not hold for `patch`.
pub(crate) fn check(
    patch: &Map<String, Value>,
    preconditions: &[Precondition<'_>],
) -> Result<(), Error> {
    if preconditions.iter().all(|holds| holds(patch)) {
        return Ok(());
    }
    let message = format!("precondition failed for: {}", print_object(patch));
    Err(fail(Reason::PreconditionFailed, message))
}
