//! The end of namespaces: Pods go first, then everything else, then the namespace.
//!
//! Go counterpart: `pkg/controller/namespace/deletion`. What remains is told in conditions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Steps;
use super::act::{Target, objects};
use crate::core::Core;
use crate::handlers::delete::Propagation;
use crate::handlers::write::Part;
use crate::object::{Object, at};
use crate::status::ApiResult;

const FINALIZER: &str = "kubernetes";
const PODS: &str = "/registry/pods/";

/// What is still in a namespace.
#[derive(Default)]
struct Remaining {
    /// Numbers of objects, by `plural.group`.
    objects: BTreeMap<String, usize>,
    /// Numbers of objects that have a finalizer.
    finalizers: BTreeMap<String, usize>,
}

/// Deletes what is in a namespace and tells what stays; when nothing does, the namespace goes.
///
/// # Cancel safety
/// What was deleted stays so; it can be done again.
pub(super) async fn end(core: &Core, name: &str, steps: &mut Steps) -> ApiResult<()> {
    let Some(entry) = core.store.get(&format!("{}{name}", super::NAMESPACES)) else {
        return Ok(());
    };
    let ours = |object: &Object| finalizers(object).any(|finalizer| finalizer == FINALIZER);
    if !entry.value.summary.deleting || !ours(&entry.value.object(None)) {
        return Ok(());
    }
    let table = core.registry.table();
    let Some(resource) = table.find("", "v1", "namespaces") else { return Ok(()) };
    let namespace = Target::of(core, resource, &entry.value);
    // Nothing that Pods lean on goes before them.
    if clear(core, PODS, name, steps).await > 0 {
        return tell(&namespace, &Remaining::default());
    }
    let mut remaining = Remaining::default();
    let mut prefixes: Vec<(&str, String)> = Vec::new();
    for resource in table.all().filter(|r| r.namespaced && !r.converts()) {
        let kept = ["delete", "list"].iter().all(|verb| resource.verbs.iter().any(|v| v == verb));
        if kept && !prefixes.iter().any(|(prefix, _)| *prefix == resource.prefix) {
            let plural = format!("{}.{}", resource.plural, resource.group);
            prefixes.push((&resource.prefix, plural));
        }
    }
    for (prefix, plural) in prefixes {
        if clear(core, prefix, name, steps).await == 0 {
            continue;
        }
        let left = objects(core, &format!("{prefix}{name}/"));
        remaining.objects.insert(plural, left.len());
        for finalizer in left.iter().flat_map(|entry| &entry.value.summary.finalizers) {
            *remaining.finalizers.entry(finalizer.clone()).or_default() += 1;
        }
    }
    tell(&namespace, &remaining)?;
    if !remaining.objects.is_empty() {
        return Ok(());
    }
    let finished = namespace.update(Part::Finalize, &|object| {
        let left: Vec<Value> =
            finalizers(object).filter(|name| *name != FINALIZER).map(Value::from).collect();
        let spec = if left.is_empty() { json!({}) } else { json!({ "finalizers": left }) };
        object.insert("spec".to_owned(), spec);
    });
    finished.map(drop)
}

fn finalizers(namespace: &Object) -> impl Iterator<Item = &str> {
    let list = at(namespace, "spec.finalizers").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// Deletes the objects of one kind, and answers how many stay.
async fn clear(core: &Core, prefix: &str, namespace: &str, steps: &mut Steps) -> usize {
    let prefix = format!("{prefix}{namespace}/");
    let found = objects(core, &prefix);
    if found.is_empty() {
        return 0;
    }
    for entry in found {
        steps.step().await;
        if !entry.value.summary.deleting
            && let Some(resource) = core.registry.table().by_key(&entry.key)
        {
            // Somebody else may have been faster.
            let _ = Target::of(core, &resource, &entry.value).delete(Propagation::Background);
        }
    }
    objects(core, &prefix).len()
}

/// Writes the conditions, if they are others than before.
fn tell(namespace: &Target<'_>, remaining: &Remaining) -> ApiResult<()> {
    let now = namespace.core.now();
    let wanted = conditions(remaining);
    let tell = namespace.update(Part::Status, &|object| {
        let status = object.entry("status").or_insert_with(|| json!({}));
        if !status["conditions"].is_array() {
            status["conditions"] = json!([]);
        }
        let Some(old) = status["conditions"].as_array_mut() else { return };
        for (kind, state, reason, message) in &wanted {
            let state = if *state { "True" } else { "False" };
            let mut fresh = json!({
                "type": kind, "status": state, "lastTransitionTime": now,
                "reason": reason, "message": message,
            });
            match old.iter_mut().find(|condition| condition["type"] == *kind) {
                Some(old) => {
                    if old["status"] == state {
                        fresh["lastTransitionTime"] = old["lastTransitionTime"].take();
                    }
                    *old = fresh;
                }
                None => old.push(fresh),
            }
        }
    });
    tell.map(drop)
}

type Condition = (&'static str, bool, &'static str, String);

fn conditions(remaining: &Remaining) -> [Condition; 5] {
    let told = |counts: &BTreeMap<String, usize>, word: &str| {
        let counts = counts.iter().map(|(name, n)| format!("{name} {word} {n} resource instances"));
        counts.collect::<Vec<_>>().join(", ")
    };
    let some = "SomeResourcesRemain";
    let content = match remaining.objects.is_empty() {
        true => (false, "ContentRemoved", "All content successfully removed".to_owned()),
        false => {
            let told = told(&remaining.objects, "has");
            (true, some, format!("Some resources are remaining: {told}"))
        }
    };
    let finalizers = match remaining.finalizers.is_empty() {
        true => {
            let text = "All content-preserving finalizers finished";
            (false, "ContentHasNoFinalizers", text.to_owned())
        }
        false => {
            let told = told(&remaining.finalizers, "in");
            let text = format!("Some content in the namespace has finalizers remaining: {told}");
            (true, "SomeFinalizersRemain", text)
        }
    };
    [
        (
            "NamespaceDeletionDiscoveryFailure",
            false,
            "ResourcesDiscovered",
            "All resources successfully discovered".to_owned(),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed".to_owned(),
        ),
        (
            "NamespaceDeletionContentFailure",
            false,
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization".to_owned(),
        ),
        ("NamespaceContentRemaining", content.0, content.1, content.2),
        ("NamespaceFinalizersRemaining", finalizers.0, finalizers.1, finalizers.2),
    ]
}
