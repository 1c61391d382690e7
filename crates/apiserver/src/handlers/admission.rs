//! What the admission plugins that are on by default add to objects.
//!
//! Go counterpart: `Priority`, `DefaultTolerationSeconds`, `DefaultStorageClass`,
//! `DefaultIngressClass`, `StorageObjectInUseProtection` and `TaintNodesByCondition` in
//! `k8s.io/kubernetes/plugin/pkg/admission`.

use serde_json::{Value, json};

use super::Request;
use crate::kinds::tree::{child, fill, is_nil, text as member};
use crate::object::{Object, at, metadata, metadata_mut, text};
use crate::registry::name_of;
use crate::status::{ApiError, ApiResult};
use crate::storage::{Range, Storage};

/// Priorities of the classes that every server has.
const SYSTEM: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// A volume or claim stays as long as it is in use.
fn protect(object: &mut Object, finalizer: &str) {
    let finalizers =
        metadata_mut(object).entry("finalizers").or_insert_with(|| Value::Array(Vec::new()));
    if finalizers.is_null() {
        *finalizers = Value::Array(Vec::new());
    }
    if let Value::Array(finalizers) = finalizers
        && !finalizers.iter().any(|other| other == finalizer)
    {
        finalizers.push(finalizer.into());
    }
}

/// Nothing is scheduled to a new node before it says that it is ready.
fn not_ready(spec: &mut Object) {
    let taint = json!({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"});
    let taints = spec.entry("taints").or_insert_with(|| Value::Array(Vec::new()));
    if taints.is_null() {
        *taints = Value::Array(Vec::new());
    }
    if let Value::Array(taints) = taints
        && !taints.iter().any(|t| t["key"] == taint["key"] && t["effect"] == taint["effect"])
    {
        taints.push(taint);
    }
}

impl Request<'_> {
    /// Adds what a create, or an update of `old`, leaves to the server.
    pub(crate) fn admit(&self, object: &mut Object, old: Option<&Object>) -> ApiResult<()> {
        let plugins = &self.core.settings.plugins;
        match (self.resource.group.as_str(), self.resource.plural.as_str()) {
            ("", "pods") => {
                if plugins.has("Priority") {
                    self.priority(object, old)?;
                }
                if plugins.has("DefaultTolerationSeconds") {
                    tolerations(child(object, "spec"));
                }
            }
            ("", "nodes") if old.is_none() && plugins.has("TaintNodesByCondition") => {
                not_ready(child(object, "spec"));
            }
            ("storage.k8s.io", "volumeattributesclasses")
                if old.is_none() && plugins.has("StorageObjectInUseProtection") =>
            {
                protect(object, "kubernetes.io/vac-protection");
            }
            ("", "persistentvolumes" | "persistentvolumeclaims") if old.is_none() => {
                if plugins.has("StorageObjectInUseProtection") {
                    let claim = self.resource.plural == "persistentvolumeclaims";
                    let short = if claim { "pvc" } else { "pv" };
                    protect(object, &format!("kubernetes.io/{short}-protection"));
                }
                if self.resource.plural == "persistentvolumes"
                    || !plugins.has("DefaultStorageClass")
                {
                    return Ok(());
                }
                let beta = "volume.beta.kubernetes.io/storage-class";
                let chosen = at(object, "spec.storageClassName").is_some()
                    || annotation(object, beta).is_some();
                let class = "storageclass.kubernetes.io/is-default-class";
                if let Some(class) = self.default_class("storageclasses", class)
                    && !chosen
                {
                    fill(child(object, "spec"), "storageClassName", class);
                }
            }
            ("networking.k8s.io", "ingresses")
                if old.is_none() && plugins.has("DefaultIngressClass") =>
            {
                let chosen = at(object, "spec.ingressClassName").is_some()
                    || annotation(object, "kubernetes.io/ingress.class").is_some();
                let class = "ingressclass.kubernetes.io/is-default-class";
                if let Some(class) = self.default_class("ingressclasses", class)
                    && !chosen
                {
                    fill(child(object, "spec"), "ingressClassName", class);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn all(&self, plural: &str) -> Vec<Object> {
        let range = Range::prefix(&format!("/registry/{plural}/"));
        let found = self.core.store.range(&range, None, 0);
        let found = found.map(|found| found.kvs).unwrap_or_default();
        found.iter().map(|entry| entry.value.object(None)).collect()
    }

    /// The newest class that is marked as the default, by name where several are as new.
    fn default_class(&self, plural: &str, mark: &str) -> Option<String> {
        let mut marked: Vec<Object> = self.all(plural);
        marked.retain(|class| annotation(class, mark) == Some("true"));
        let created = |class: &Object| text(metadata(class), "creationTimestamp").to_owned();
        marked.sort_by(|a, b| created(b).cmp(&created(a)).then_with(|| name_of(a).cmp(name_of(b))));
        marked.first().map(|class| name_of(class).to_owned())
    }

    fn priority(&self, pod: &mut Object, old: Option<&Object>) -> ApiResult<()> {
        let name = name_of(pod).to_owned();
        let spec = child(pod, "spec");
        if let Some(old) = old {
            for key in ["priority", "preemptionPolicy"] {
                if let Some(value) = at(old, &format!("spec.{key}")) {
                    fill(spec, key, value.clone());
                }
            }
            return Ok(());
        }
        let class = member(spec, "priorityClassName").to_owned();
        let classes = self.all("priorityclasses");
        let mut policy = Value::from("PreemptLowerPriority");
        let mut of = |class: &Object| {
            if let Some(own) = class.get("preemptionPolicy") {
                policy = own.clone();
            }
            class.get("value").and_then(Value::as_i64).unwrap_or(0)
        };
        let forbidden = |why: String| Err(ApiError::forbidden(self.resource.target(&name), &why));
        let value = if class.is_empty() {
            let global = classes.iter().filter(|c| c.get("globalDefault") == Some(&true.into()));
            match global.min_by_key(|c| c.get("value").and_then(Value::as_i64)) {
                Some(class) => {
                    spec.insert("priorityClassName".to_owned(), name_of(class).into());
                    of(class)
                }
                None => 0,
            }
        } else if let Some((_, value)) = SYSTEM.iter().find(|(system, _)| *system == class) {
            *value
        } else {
            match classes.iter().find(|known| name_of(known) == class) {
                Some(class) => of(class),
                None => {
                    return forbidden(format!("no PriorityClass with name {class} was found"));
                }
            }
        };
        match spec.get("priority").and_then(Value::as_i64) {
            Some(given) if given != value => {
                return forbidden(format!(
                    "the integer value of priority ({given}) must not be provided in pod spec; \
                     priority admission controller computed {value} from the given PriorityClass \
                     name"
                ));
            }
            _ => fill(spec, "priority", value),
        }
        let given = spec.get("preemptionPolicy").cloned().filter(|value| !value.is_null());
        if let Some(given) = given.filter(|given| *given != policy) {
            let (given, policy) =
                (given.as_str().unwrap_or_default(), policy.as_str().unwrap_or_default());
            return forbidden(format!(
                "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; \
                 priority admission controller computed {policy} from the given PriorityClass name"
            ));
        }
        fill(spec, "preemptionPolicy", policy);
        Ok(())
    }
}

fn annotation<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    metadata(object).get("annotations")?.get(key)?.as_str()
}

/// A Pod stays five minutes on a node that is gone, unless it says otherwise.
fn tolerations(spec: &mut Object) {
    if is_nil(spec.get("tolerations")) {
        spec.insert("tolerations".to_owned(), json!([]));
    }
    let Some(Value::Array(list)) = spec.get_mut("tolerations") else { return };
    let missing: Vec<&str> = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
        .into_iter()
        .filter(|taint| {
            !list.iter().any(|toleration| {
                let is = |key: &str, wanted: &[&str]| {
                    wanted.contains(&toleration[key].as_str().unwrap_or_default())
                };
                is("key", &[taint, ""]) && is("effect", &["NoExecute", ""])
            })
        })
        .collect();
    for taint in missing {
        list.push(json!({
            "key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerations_are_added_once() {
        let mut spec = Object::new();
        tolerations(&mut spec);
        assert_eq!(spec["tolerations"].as_array().map(Vec::len), Some(2));
        let before = spec.clone();
        tolerations(&mut spec);
        assert_eq!(spec, before);
        let mut spec = Object::new();
        spec.insert("tolerations".to_owned(), json!([{"operator": "Exists"}]));
        tolerations(&mut spec);
        assert_eq!(spec["tolerations"].as_array().map(Vec::len), Some(1));
    }
}
