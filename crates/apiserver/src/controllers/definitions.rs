//! The end of definitions of custom resources: their objects go first.
//!
//! Go counterpart: `pkg/controller/finalizer` of apiextensions-apiserver.

use std::sync::Arc;

use serde_json::Value;

use super::Steps;
use super::act::{Target, objects};
use crate::core::Core;
use crate::handlers::delete::Propagation;
use crate::handlers::write::Part;
use crate::object::{Object, at};
use crate::registry::{CLEANUP_FINALIZER, deletion_in_progress};
use crate::status::ApiResult;

/// Deletes the objects of a definition; when they are gone, the definition goes.
///
/// # Cancel safety
/// What was deleted stays so; it can be done again.
pub(super) async fn end(core: &Core, key: &Arc<str>, steps: &mut Steps) -> ApiResult<()> {
    let Some(entry) = core.store.get(key) else { return Ok(()) };
    let summary = &entry.value.summary;
    let table = core.registry.table();
    let Some(resource) = table.by_key(key) else { return Ok(()) };
    if !summary.deleting || !summary.finalizers.iter().any(|name| name == CLEANUP_FINALIZER) {
        return Ok(());
    }
    let definition = entry.value.object(None);
    let crd = Target { agent: "kube-apiserver", ..Target::of(core, &resource, &entry.value) };
    if let Some(prefix) = prefix(&definition) {
        let now = core.now();
        if !objects(core, &prefix).is_empty() {
            crd.update(Part::Status, &|object| deletion_in_progress(object, &now))?;
        }
        for object in objects(core, &prefix) {
            steps.step().await;
            if !object.value.summary.deleting
                && let Some(resource) = core.registry.table().by_key(&object.key)
            {
                // Somebody else may have been faster.
                let _ = Target::of(core, &resource, &object.value).delete(Propagation::Background);
            }
        }
        if !objects(core, &prefix).is_empty() {
            return Ok(());
        }
    }
    crd.drop_finalizer(CLEANUP_FINALIZER)
}

/// What the keys of a definition's objects begin with; `None` when it never had a name.
fn prefix(definition: &Object) -> Option<String> {
    let group = at(definition, "spec.group").and_then(Value::as_str)?;
    let plural = at(definition, "status.acceptedNames.plural").and_then(Value::as_str)?;
    (!plural.is_empty()).then(|| format!("/registry/{group}/{plural}/"))
}
