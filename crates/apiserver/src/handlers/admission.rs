//! What the admission plugins that are on by default add to objects, and refuse.
//!
//! Go counterpart: `k8s.io/kubernetes/plugin/pkg/admission`, in the order of `AllOrderedPlugins`.
//! What changes objects comes before validation, what only refuses after it. `NamespaceLifecycle`
//! is in `namespaces.rs`.

mod accounts;
mod limits;
mod runtime;

use pintle_apimachinery::Quantity;
use serde_json::{Value, json};

use super::Request;
use crate::kinds::tree::{child, fill, is_nil, text as member};
use crate::object::{Object, at, metadata, metadata_mut, text};
use crate::registry::name_of;
use crate::status::{ApiError, ApiResult};
use crate::storage::{Range, Storage};

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
    fn forbidden(&self, name: &str, why: &str) -> ApiError {
        ApiError::forbidden(self.resource.target(name), why)
    }

    /// Adds what a create, or an update of `old`, leaves to the server.
    pub(crate) fn admit(&self, object: &mut Object, old: Option<&Object>) -> ApiResult<()> {
        let plugins = &self.core.settings.plugins;
        match (self.resource.group.as_str(), self.resource.plural.as_str()) {
            ("", "pods") => {
                let new = old.is_none();
                if new && plugins.has("LimitRanger") {
                    self.default_resources(object);
                }
                if new && plugins.has("ServiceAccount") {
                    self.service_account(object)?;
                }
                if plugins.has("Priority") {
                    self.priority(object, old)?;
                }
                if plugins.has("DefaultTolerationSeconds") {
                    tolerations(child(object, "spec"));
                }
                if new && plugins.has("RuntimeClass") {
                    self.runtime_class(object)?;
                }
                if new && plugins.has("PodTopologyLabels") {
                    let node = at(object, "spec.nodeName").and_then(Value::as_str);
                    let labels = self.topology(node.unwrap_or_default());
                    if !labels.is_empty() {
                        child(metadata_mut(object), "labels").extend(labels);
                    }
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

    /// Refuses what is valid, but not wanted: a create, or an update of `old`.
    pub(crate) fn admit_valid(&self, object: &Object, old: Option<&Object>) -> ApiResult<()> {
        let plugins = &self.core.settings.plugins;
        match (self.resource.group.as_str(), self.resource.plural.as_str()) {
            ("", "pods") if old.is_none() => {
                if plugins.has("LimitRanger") {
                    self.within_limits(object)?;
                }
                if plugins.has("RuntimeClass") {
                    self.overhead(object)?;
                }
            }
            ("", "persistentvolumeclaims") => {
                let going = old.is_some_and(|old| metadata(old).contains_key("deletionTimestamp"));
                if plugins.has("LimitRanger") && !going {
                    self.within_limits(object)?;
                }
                if let Some(old) = old.filter(|_| plugins.has("PersistentVolumeClaimResize")) {
                    self.resize(object, old)?;
                }
            }
            ("scheduling.k8s.io", "priorityclasses") if plugins.has("Priority") => {
                if object.get("globalDefault") == Some(&true.into())
                    && let Some(other) = self.default_priority()
                    && (old.is_none() || name_of(&other) != name_of(object))
                {
                    let why = format!(
                        "PriorityClass {} is already marked as default. Only one default can exist",
                        name_of(&other)
                    );
                    return Err(self.forbidden(name_of(object), &why));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A claim may grow when it is bound, and its class lets it.
    fn resize(&self, claim: &Object, old: &Object) -> ApiResult<()> {
        let size = |claim: &Object| {
            let text = at(claim, "spec.resources.requests.storage").and_then(Value::as_str);
            text.and_then(|text| Quantity::parse(text).ok()).unwrap_or_default()
        };
        if size(claim) <= size(old) {
            return Ok(());
        }
        if at(old, "status.phase").and_then(Value::as_str) != Some("Bound") {
            let why = "Only bound persistent volume claims can be expanded";
            return Err(self.forbidden(name_of(claim), why));
        }
        let class = |claim: &Object| {
            let beta = annotation(claim, "volume.beta.kubernetes.io/storage-class");
            let own = || at(claim, "spec.storageClassName").and_then(Value::as_str);
            beta.or_else(own).unwrap_or_default().to_owned()
        };
        let own = class(claim);
        let grows = !own.is_empty() && own == class(old) && {
            let key = format!("/registry/storageclasses/{own}");
            self.core.store.get(&key).is_some_and(|entry| {
                entry.value.object(None).get("allowVolumeExpansion") == Some(&true.into())
            })
        };
        if grows {
            return Ok(());
        }
        let why = "only dynamically provisioned pvc can be resized and the storageclass that \
                   provisions the pvc must support resize";
        Err(self.forbidden(name_of(claim), why))
    }

    /// The labels of a node that say where it is, which its Pods have as well.
    pub(super) fn topology(&self, node: &str) -> serde_json::Map<String, Value> {
        let entry = match node {
            "" => None,
            node => self.core.store.get(&format!("/registry/nodes/{node}")),
        };
        let node = entry.map(|entry| entry.value.object(None));
        let labels = node.as_ref().and_then(|node| metadata(node).get("labels"));
        let zones = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];
        let value = |key: &str| Some((key.to_owned(), labels?.get(key)?.clone()));
        zones.into_iter().filter_map(value).collect()
    }

    /// The class of Pods that name none; the lowest, should there be several.
    fn default_priority(&self) -> Option<Object> {
        let mut all = self.all("priorityclasses");
        all.retain(|class| class.get("globalDefault") == Some(&true.into()));
        all.into_iter().min_by_key(|class| class.get("value").and_then(Value::as_i64))
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
        let mut policy = Value::from("PreemptLowerPriority");
        let mut of = |class: &Object| {
            if let Some(own) = class.get("preemptionPolicy") {
                policy = own.clone();
            }
            class.get("value").and_then(Value::as_i64).unwrap_or(0)
        };
        let forbidden = |why: String| Err(self.forbidden(&name, &why));
        let value = if class.is_empty() {
            match self.default_priority() {
                Some(class) => {
                    spec.insert("priorityClassName".to_owned(), name_of(&class).into());
                    of(&class)
                }
                None => 0,
            }
        } else {
            match self.core.store.get(&format!("/registry/priorityclasses/{class}")) {
                Some(entry) => of(&entry.value.object(None)),
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
