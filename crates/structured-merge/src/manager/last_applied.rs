//! The annotation of client-side apply, for `kubectl`, which comes from there.
//! Go: `lastappliedmanager.go`, `lastappliedupdater.go` and `lastapplied.go`.
use super::object;
use super::types::VersionConverter;
use crate::json::standard_json;
use crate::{Conflicts, Set};
use pintle_apimachinery::GroupVersion;
use serde_json::Value;
use std::sync::Arc;

/// The annotation in which client-side apply keeps what it applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The manager for which the annotation counts.
pub(super) const KUBECTL: &str = "kubectl";
/// Most bytes that annotations may have.
const MAX_ANNOTATIONS: usize = 256 << 10;

fn last_applied(object: &Value) -> Option<String> {
    object::annotations(object)?.remove(LAST_APPLIED).filter(|v| !v.is_empty())
}

/// Brings the annotation up to date with what was applied, if there is one.
pub(super) fn refresh(object: &mut Value, patch: &Value) {
    if last_applied(object).is_none() {
        return;
    }
    let mut config = patch.clone();
    let mut annotations = object::annotations(&config);
    if let Some(all) = &mut annotations {
        all.remove(LAST_APPLIED);
    }
    object::set_annotations(&mut config, annotations);
    let text = standard_json(&config) + "\n";

    let mut all = object::annotations(object).unwrap_or_default();
    all.insert(LAST_APPLIED.into(), text);
    if all.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > MAX_ANNOTATIONS {
        all.remove(LAST_APPLIED);
    }
    object::set_annotations(object, Some(all));
}

/// The conflicts that are left when client-side apply owns what it applied and nobody changed
/// since; `None` when there is no annotation that can be used.
pub(super) fn not_allowed(
    conflicts: &Conflicts,
    live: &Arc<Value>,
    converter: &VersionConverter,
    version: &GroupVersion,
) -> Option<Conflicts> {
    let allowed = allowed(live, converter, version)?;
    let left = conflicts.0.iter().filter(|c| !allowed.has(&c.path)).cloned().collect();
    Some(Conflicts(left))
}

fn allowed(live: &Arc<Value>, converter: &VersionConverter, version: &GroupVersion) -> Option<Set> {
    let text = last_applied(live)?;
    let live = converter.typed(converter.versioned(live, version).ok()?, false).ok()?;
    let last: Value = serde_json::from_str(&text).ok()?;
    last.get("kind").and_then(Value::as_str).filter(|k| !k.is_empty())?;
    if last.get("apiVersion").and_then(Value::as_str) != Some(&version.to_string()) {
        return None;
    }
    let last = converter.typed(Arc::new(last), false).ok()?;
    let set = last.to_field_set().ok()?;
    let comparison = last.compare(&live).ok()?;
    // What is different now is not client-side apply's any more.
    Some(
        set.difference(&comparison.modified)
            .difference(&comparison.added)
            .difference(&comparison.removed),
    )
}
