//! Pods bound to nodes: the subresource `binding`, and the resource `bindings`.
//!
//! Go counterpart: `BindingREST` in `pkg/registry/core/pod/storage/storage.go`. A binding goes past
//! the rules for updates of Pods: nothing but it may set a node.

use pintle_apimachinery::validation::FieldError;
use serde_json::{Map, Value, json};

use super::options::WriteOptions;
use super::{Answer, Reply, Request};
use crate::kinds::tree::child;
use crate::object::{Object, at, metadata, metadata_mut, text};
use crate::status::{ApiError, ApiResult, Target};
use crate::storage::{Compare, Op, Storage, Txn};

impl Request<'_> {
    /// Binds the Pod of this name as a Binding wants it.
    pub(crate) fn bind(
        &self,
        name: &str,
        binding: &Object,
        options: WriteOptions,
    ) -> ApiResult<Answer> {
        let target = |plural| Target { group: "", resource: plural, name };
        let meta = metadata(binding);
        let given = text(meta, "namespace");
        if !given.is_empty() && given != self.namespace() {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the \
                 request",
            ));
        }
        if text(meta, "name") != name {
            return Err(ApiError::bad_request("name in URL does not match name in Binding object"));
        }
        let node = check(binding)?;
        let table = self.core.registry.table();
        let pods = table.find("", "v1", "pods").ok_or_else(ApiError::no_such_resource)?;
        let pods = Request { resource: pods, ..*self };
        let key = pods.resource.key(self.namespace(), name);
        loop {
            let entry =
                self.core.store.get(&key).ok_or_else(|| ApiError::not_found(target("pods")))?;
            let mut pod = entry.value.object(Some(entry.mod_revision));
            let (uid, version) = (text(meta, "uid"), text(meta, "resourceVersion"));
            for (wanted, is, what) in [
                (uid, text(metadata(&pod), "uid"), "UID"),
                (version, text(metadata(&pod), "resourceVersion"), "ResourceVersion"),
            ] {
                if !wanted.is_empty() && wanted != is {
                    let why = format!(
                        "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, \
                         AdditionalErrorMsg: Precondition failed: {what} in precondition: \
                         {wanted}, {what} in object meta: {is}",
                        key.trim_start_matches("/registry")
                    );
                    return Err(ApiError::conflict(target("pods"), &why));
                }
            }
            let assigned = at(&pod, "spec.nodeName").and_then(Value::as_str).unwrap_or_default();
            let gated = at(&pod, "spec.schedulingGates").and_then(Value::as_array);
            let refused = if metadata(&pod).contains_key("deletionTimestamp") {
                Some(format!("pod {name} is being deleted, cannot be assigned to a host"))
            } else if !assigned.is_empty() {
                let assigned = crate::status::quote(assigned);
                Some(format!("pod {name} is already assigned to node {assigned}"))
            } else if gated.is_some_and(|gates| !gates.is_empty()) {
                Some(format!("pod {name} has non-empty .spec.schedulingGates"))
            } else {
                None
            };
            if let Some(why) = refused {
                return Err(ApiError::conflict(target("pods/binding"), &why));
            }
            child(&mut pod, "spec").insert("nodeName".to_owned(), node.as_str().into());
            if self.core.settings.plugins.has("PodTopologyLabels") {
                let places = self.topology(&node);
                if !places.is_empty() {
                    child(metadata_mut(&mut pod), "labels").extend(places);
                }
            }
            for key in ["annotations", "labels"] {
                if let Some(Value::Object(added)) = meta.get(key) {
                    child(metadata_mut(&mut pod), key).extend(added.clone());
                }
            }
            scheduled(child(&mut pod, "status"), &self.core.now());
            metadata_mut(&mut pod).remove("resourceVersion");
            let stored = pods.encode(pod)?;
            let compare = vec![Compare::ModRevision(key.clone(), entry.mod_revision)];
            let success = vec![Op::Put(key.clone(), stored)];
            let written = options.dry_run
                || self.core.store.txn(Txn { compare, success, failure: vec![] }).succeeded;
            if written {
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                    "code": 201,
                });
                return Ok(Reply::Value(201, status).into());
            }
        }
    }
}

/// The node a binding names.
fn check(binding: &Object) -> ApiResult<String> {
    let empty = Map::new();
    let to = binding.get("target").and_then(Value::as_object).unwrap_or(&empty);
    let (kind, node) = (text(to, "kind"), text(to, "name"));
    let mut errors = Vec::new();
    if !kind.is_empty() && kind != "Node" {
        errors.push(FieldError::not_supported("target.kind", kind, &["Node", "<empty>"]));
    }
    if node.is_empty() {
        errors.push(FieldError::required("target.name", ""));
    } else if matches!(kind, "" | "Node") {
        let problems = pintle_apimachinery::validation::dns1123_subdomain(node);
        let wrong = |problem| FieldError::invalid("target.name", node, problem);
        errors.extend(problems.into_iter().map(wrong));
    }
    if errors.is_empty() {
        return Ok(node.to_owned());
    }
    let errors: pintle_apimachinery::validation::FieldErrors = errors.into_iter().collect();
    Err(ApiError::unknown(errors.to_string()))
}

/// Says in a status that the Pod is scheduled.
fn scheduled(status: &mut Map<String, Value>, now: &str) {
    status.remove("nominatedNodeName");
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    let Value::Array(conditions) = conditions else { return };
    let condition = json!({
        "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
    });
    match conditions.iter_mut().find(|condition| condition["type"] == "PodScheduled") {
        Some(old) if old["status"] == "True" => {}
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}
