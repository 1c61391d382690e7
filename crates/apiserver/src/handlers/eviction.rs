//! Pods evicted as far as their disruption budget allows: the subresource `eviction`.
//!
//! Go counterpart: `EvictionREST` in `pkg/registry/core/pod/storage/eviction.go`. Nobody computes
//! budgets here: their status is what somebody wrote into it.

use pintle_apimachinery::{LabelSelector, labels};
use serde_json::{Map, Value, json};

use super::delete::DeleteOptions;
use super::options::WriteOptions;
use super::{Answer, Reply, Request};
use crate::core::Entry;
use crate::kinds::tree::child;
use crate::object::{Object, at, metadata, text};
use crate::status::{ApiError, ApiResult, Cause, Target};
use crate::storage::{Compare, Op, Range, Storage, Txn};

/// So many evictions that no controller has seen yet are too many.
const MAX_DISRUPTED: usize = 2_000;
const GROUP: &str = "policy";
const VIOLATES: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

impl Request<'_> {
    /// Evicts the Pod of the request.
    pub(crate) fn evict(&self, eviction: &Object, options: WriteOptions) -> ApiResult<Answer> {
        let name = self.info.name.as_str();
        if text(metadata(eviction), "name") != name {
            return Err(ApiError::bad_request(
                "name in URL does not match name in Eviction object",
            ));
        }
        let wanted = eviction.get("deleteOptions").filter(|wanted| !wanted.is_null());
        let mut wanted = match wanted {
            Some(wanted) => {
                let mut wanted = wanted.clone();
                if let Value::Object(wanted) = &mut wanted {
                    // Its kind is known from where it stands.
                    wanted.retain(|key, _| key != "kind" && key != "apiVersion");
                }
                self.delete_options(wanted.to_string().as_bytes(), "application/json")?
            }
            None => DeleteOptions::default(),
        };
        wanted.dry_run |= options.dry_run;
        let mut spent = false;
        loop {
            match self.evict_once(name, &wanted, &mut spent) {
                // Somebody else wrote the Pod or its budget in between.
                Err(error) if error.code() == 409 && wanted.version.is_none() => {
                    let again = self.read(name)?;
                    if wanted.uid.as_ref().is_some_and(|uid| *uid != again.value.summary.uid) {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    let status = json!({
                        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                        "code": 201,
                    });
                    return Ok(Reply::Value(201, status).into());
                }
            }
        }
    }

    fn evict_once(&self, name: &str, wanted: &DeleteOptions, spent: &mut bool) -> ApiResult<()> {
        let entry = self.read(name)?;
        let pod = entry.value.object(None);
        let phase = at(&pod, "status.phase").and_then(Value::as_str).unwrap_or_default();
        let counts =
            !entry.value.summary.deleting && !matches!(phase, "Succeeded" | "Failed" | "Pending");
        if counts && !*spent {
            self.spend(&entry, &pod, wanted.dry_run)?;
            *spent = true;
        }
        self.check_preconditions(&entry, wanted)?;
        let mut wanted = wanted.clone();
        if !wanted.dry_run {
            let told = self.tell(&entry, pod)?;
            if wanted.version.is_some() {
                wanted.version = Some(told.to_string());
            }
        }
        self.delete_named(name, &wanted).map(drop)
    }

    /// Says in the Pod's status why it is going to go, and answers its new version.
    fn tell(&self, entry: &Entry, mut pod: Object) -> ApiResult<u64> {
        let conditions = child(&mut pod, "status").entry("conditions").or_insert_with(|| json!([]));
        if let Value::Array(conditions) = conditions {
            conditions.retain(|condition| condition["type"] != "DisruptionTarget");
            conditions.push(json!({
                "type": "DisruptionTarget", "status": "True", "lastProbeTime": null,
                "lastTransitionTime": self.core.now(), "reason": "EvictionByEvictionAPI",
                "message": "Eviction API: evicting",
            }));
        }
        let stored = self.encode(pod)?;
        self.replace(entry, stored)
    }

    /// Writes a new version of an object that nobody else has written since; answers its version.
    fn replace(
        &self,
        entry: &Entry,
        stored: std::sync::Arc<crate::object::Stored>,
    ) -> ApiResult<u64> {
        let key = entry.key.to_string();
        let compare = vec![Compare::ModRevision(key.clone(), entry.mod_revision)];
        let written = self.core.store.txn(Txn {
            compare,
            success: vec![Op::Put(key, stored)],
            failure: vec![],
        });
        let version = written.kvs.into_iter().next().flatten().map(|entry| entry.mod_revision);
        let name = entry.value.summary.name.as_str();
        match version {
            Some(version) if written.succeeded => Ok(version),
            _ => Err(ApiError::modified(self.resource.target(name))),
        }
    }

    /// Takes one disruption off the Pod's budget, if it has one.
    fn spend(&self, entry: &Entry, pod: &Object, dry_run: bool) -> ApiResult<()> {
        let range = Range::prefix(&format!("/registry/poddisruptionbudgets/{}/", self.namespace()));
        let budgets = self.core.store.range(&range, None, 0);
        let budgets = budgets.map(|found| found.kvs).unwrap_or_default();
        let labels = entry.value.summary.labels.as_slice();
        let mut own = budgets.iter().filter_map(|budget| {
            let object = budget.value.object(None);
            let selector = at(&object, "spec.selector").cloned();
            let selector = selector.and_then(|it| serde_json::from_value::<LabelSelector>(it).ok());
            let selector = labels::Selector::from_label_selector(selector.as_ref()).ok()?;
            selector.matches(labels).then_some((budget, object))
        });
        let Some((budget, mut object)) = own.next() else { return Ok(()) };
        if own.next().is_some() {
            return Err(ApiError::unknown(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource \
                 does not support.",
            ));
        }
        let name = budget.value.summary.name.clone();
        let number = |path: &str| at(&object, path).and_then(Value::as_i64).unwrap_or(0);
        let (healthy, needed) = (number("status.currentHealthy"), number("status.desiredHealthy"));
        if !is_ready(pod) {
            let policy = at(&object, "spec.unhealthyPodEvictionPolicy").and_then(Value::as_str);
            if policy == Some("AlwaysAllow") || (healthy >= needed && needed > 0) {
                return Ok(());
            }
        }
        let cause =
            |message: String| Cause { reason: "DisruptionBudget", message, field: String::new() };
        if number("status.observedGeneration") < number("metadata.generation") {
            let processed =
                format!("The disruption budget {name} is still being processed by the server.");
            return Err(ApiError::too_many_requests(VIOLATES, 10, cause(processed)));
        }
        let allowed = number("status.disruptionsAllowed");
        let target = Target { group: GROUP, resource: "poddisruptionbudget", name: &name };
        let currently =
            format!("The disruption budget {name} does not allow evicting pods currently");
        if allowed < 0 {
            let why = "pdb disruptions allowed is negative";
            let cause = cause(format!("{currently}: {why}"));
            return Err(ApiError::forbidden(target, why).caused_by(cause));
        }
        let disrupted = at(&object, "status.disruptedPods").and_then(Value::as_object);
        if disrupted.is_some_and(|pods| pods.len() > MAX_DISRUPTED) {
            let why =
                "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
            let cause = cause(format!(
                "{currently}: too many pending evictions not confirmed by PDB controller"
            ));
            return Err(ApiError::forbidden(target, why).caused_by(cause));
        }
        if allowed == 0 {
            let message = refusal(&object, &name, &currently, healthy, needed);
            return Err(ApiError::too_many_requests(VIOLATES, 0, cause(message)));
        }
        if dry_run {
            return Ok(());
        }
        let status = child(&mut object, "status");
        status.insert("disruptionsAllowed".to_owned(), (allowed - 1).into());
        if allowed == 1 {
            used_up(status, &self.core.now());
        }
        let pods = child(status, "disruptedPods");
        pods.insert(self.info.name.clone(), self.core.now().into());
        let table = self.core.registry.table();
        let resource = table
            .find(GROUP, "v1", "poddisruptionbudgets")
            .ok_or_else(ApiError::no_such_resource)?;
        let budgets = Request { resource, ..*self };
        let stored = budgets.encode(object)?;
        budgets.replace(budget, stored).map(drop)
    }
}

/// Says in the status of a budget that nothing is left.
fn used_up(status: &mut Map<String, Value>, now: &str) {
    let generation = status.get("observedGeneration").cloned();
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    let Value::Array(conditions) = conditions else { return };
    let mut condition = json!({
        "type": "DisruptionAllowed", "status": "False", "lastTransitionTime": now,
        "reason": "InsufficientPods", "message": "",
    });
    if let Some(generation) = generation {
        condition["observedGeneration"] = generation;
    }
    match conditions.iter_mut().find(|old| old["type"] == "DisruptionAllowed") {
        Some(old) => {
            if old["status"] == "False" {
                condition["lastTransitionTime"] = old["lastTransitionTime"].clone();
            }
            *old = condition;
        }
        None => conditions.push(condition),
    }
}

/// Why a budget that has nothing left allows nothing.
fn refusal(budget: &Object, name: &str, currently: &str, healthy: i64, needed: i64) -> String {
    let none = Vec::new();
    let conditions = at(budget, "status.conditions").and_then(Value::as_array).unwrap_or(&none);
    let empty = Map::new();
    let condition = conditions
        .iter()
        .filter_map(Value::as_object)
        .find(|condition| text(condition, "type") == "DisruptionAllowed")
        .filter(|condition| text(condition, "status") == "False")
        .unwrap_or(&empty);
    let (reason, message) = (text(condition, "reason"), text(condition, "message"));
    if !message.is_empty() && reason == "SyncFailed" {
        format!("{currently} because it failed sync: {message}")
    } else if healthy <= needed {
        format!(
            "The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
        )
    } else if !message.is_empty() {
        format!("{currently} ({reason}): {message}")
    } else {
        currently.to_owned()
    }
}

/// Whether a Pod says that it is ready.
fn is_ready(pod: &Object) -> bool {
    let conditions = at(pod, "status.conditions").and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
