//! What kinds reset or compute: small pure functions that the table of `behaviour.rs` names.
//!
//! Go counterpart: `PrepareForCreate`, `PrepareForUpdate` and the conversions of each kind.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::object::{Object, at, metadata, metadata_mut, text};

fn child<'a>(object: &'a mut Object, key: &str) -> &'a mut Map<String, Value> {
    let value = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

fn set_default(map: &mut Map<String, Value>, key: &str, value: Value) {
    if map.get(key).is_none_or(Value::is_null) {
        map.insert(key.to_owned(), value);
    }
}

/// A new Pod is pending, whatever was sent.
pub(super) fn create_pod(pod: &mut Object) {
    let class = qos_class(pod);
    pod.insert("status".to_owned(), json!({"phase": "Pending", "qosClass": class}));
}

/// Guaranteed when every container has equal requests and limits for CPU and memory, BestEffort
/// when none has any, Burstable otherwise.
fn qos_class(pod: &Object) -> &'static str {
    let containers = ["containers", "initContainers"].into_iter().flat_map(|key| {
        at(pod, "spec")
            .and_then(|spec| spec.get(key))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    });
    let (mut any, mut guaranteed, mut count) = (false, true, 0);
    for container in containers {
        count += 1;
        let quantity = |kind: &str, name: &str| {
            container.pointer(&format!("/resources/{kind}/{name}")).map(Value::to_string)
        };
        for name in ["cpu", "memory"] {
            let (request, limit) = (quantity("requests", name), quantity("limits", name));
            any |= request.is_some() || limit.is_some();
            // A request that is left out is the limit.
            guaranteed &= limit.is_some() && (request.is_none() || request == limit);
        }
    }
    match (any, guaranteed && count > 0) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// What the server serves itself is available as soon as it is there.
pub(super) fn create_api_service(service: &mut Object) {
    service.insert("status".to_owned(), json!({}));
    if at(service, "spec.service").is_some() {
        return;
    }
    let now = metadata(service).get("creationTimestamp").cloned().unwrap_or_default();
    let condition = json!({
        "type": "Available", "status": "True", "lastTransitionTime": now, "reason": "Local",
        "message": "Local APIServices are always available",
    });
    service.insert("status".to_owned(), json!({"conditions": [condition]}));
}

/// The Pod's address may be given in the list of addresses only.
pub(super) fn pod_fields(pod: &Object, values: &mut [String]) {
    let first =
        at(pod, "status").and_then(|status| status.pointer("/podIPs/0/ip")).and_then(Value::as_str);
    if let (Some(first), Some(value)) = (first, values.get_mut(6)) {
        *value = first.to_owned();
    }
}

/// The source of an event that has none is its reporting component.
pub(super) fn event_fields(_: &Object, values: &mut [String]) {
    if let [.., reporting, source, _] = values
        && source.is_empty()
    {
        *source = reporting.clone();
    }
}

/// A new namespace is active, finalized by Kubernetes, and labelled with its name.
pub(super) fn create_namespace(namespace: &mut Object) {
    let name = text(metadata(namespace), "name").to_owned();
    let labels = child(metadata_mut(namespace), "labels");
    labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    let spec = child(namespace, "spec");
    let finalizers = match spec.remove("finalizers") {
        Some(Value::Array(mut finalizers)) => {
            if !finalizers.iter().any(|finalizer| finalizer == "kubernetes") {
                finalizers.push("kubernetes".into());
            }
            finalizers
        }
        _ => vec!["kubernetes".into()],
    };
    spec.insert("finalizers".to_owned(), finalizers.into());
    namespace.insert("status".to_owned(), json!({"phase": "Active"}));
}

/// Finalizers of a namespace's spec change through its `finalize` subresource only.
pub(super) fn update_namespace(namespace: &mut Object, old: &Object) {
    let finalizers = at(old, "spec.finalizers").cloned();
    let spec = child(namespace, "spec");
    match finalizers {
        Some(finalizers) => spec.insert("finalizers".to_owned(), finalizers),
        None => spec.remove("finalizers"),
    };
    label_namespace(namespace, old);
}

/// The label with the name is there whatever an update says.
pub(super) fn label_namespace(namespace: &mut Object, old: &Object) {
    let name = text(metadata(old), "name").to_owned();
    let labels = child(metadata_mut(namespace), "labels");
    labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
}

/// `stringData` is written into `data`.
pub(crate) fn merge_string_data(secret: &mut Object) {
    if let Some(Value::Object(strings)) = secret.remove("stringData") {
        let data = child(secret, "data");
        for (key, value) in strings {
            data.insert(key, STANDARD.encode(value.as_str().unwrap_or_default()).into());
        }
    }
}

/// `stringData` is written into `data`; the type defaults to Opaque.
pub(super) fn create_secret(secret: &mut Object) {
    merge_string_data(secret);
    set_default(secret, "type", "Opaque".into());
}

pub(super) fn update_secret(secret: &mut Object, old: &Object) {
    if text(secret, "type").is_empty()
        && let Some(kind) = old.get("type")
    {
        secret.insert("type".to_owned(), kind.clone());
    }
    create_secret(secret);
}

/// A new volume or claim is pending.
pub(super) fn create_volume(volume: &mut Object) {
    volume.insert("status".to_owned(), json!({"phase": "Pending"}));
}

/// Defaults of a CRD, and an empty status.
pub(super) fn create_crd(crd: &mut Object) {
    default_crd(crd);
    let stored: Vec<Value> = storage_version(crd).into_iter().map(Value::from).collect();
    crd.insert(
        "status".to_owned(),
        json!({
            "conditions": null,
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": stored,
        }),
    );
}

pub(super) fn update_crd(crd: &mut Object, _: &Object) {
    default_crd(crd);
    let Some(storage) = storage_version(crd) else { return };
    let status = child(crd, "status");
    let stored = status.entry("storedVersions").or_insert_with(|| json!([]));
    if let Value::Array(stored) = stored
        && !stored.iter().any(|version| *version == storage)
    {
        stored.push(storage.into());
    }
}

fn storage_version(crd: &Object) -> Option<String> {
    let versions = at(crd, "spec.versions")?.as_array()?;
    let storage = versions.iter().find(|version| version.get("storage") == Some(&true.into()))?;
    Some(storage.get("name")?.as_str()?.to_owned())
}

fn default_crd(crd: &mut Object) {
    let spec = child(crd, "spec");
    set_default(spec, "conversion", json!({"strategy": "None"}));
    let names = child(spec, "names");
    let kind = text(names, "kind").to_owned();
    if text(names, "singular").is_empty() && !kind.is_empty() {
        names.insert("singular".to_owned(), kind.to_lowercase().into());
    }
    if text(names, "listKind").is_empty() && !kind.is_empty() {
        names.insert("listKind".to_owned(), format!("{kind}List").into());
    }
}

/// Field names of an event in the legacy group and in `events.k8s.io`.
const EVENT_NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

pub(super) fn event_to_new(event: &mut Object) {
    rename(event, |name| EVENT_NAMES.iter().find(|(old, _)| *old == name).map(|(_, new)| *new));
}

pub(super) fn event_to_legacy(event: &mut Object) {
    rename(event, |name| EVENT_NAMES.iter().find(|(_, new)| *new == name).map(|(old, _)| *old));
}

fn rename(object: &mut Object, other: impl Fn(&str) -> Option<&'static str>) {
    let renamed = std::mem::take(object).into_iter().map(|(key, value)| match other(&key) {
        Some(name) => (name.to_owned(), value),
        None => (key, value),
    });
    *object = renamed.collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn string_data_overrides_data() {
        let mut secret = object(json!({"data": {"a": "eA=="}, "stringData": {"a": "y", "b": "z"}}));
        create_secret(&mut secret);
        assert_eq!(
            Value::Object(secret),
            json!({"data": {"a": "eQ==", "b": "eg=="}, "type": "Opaque"})
        );
    }

    #[test]
    fn events_convert_there_and_back() {
        let legacy = object(json!({
            "involvedObject": {"kind": "Pod"}, "reason": "r", "message": "m",
            "source": {"component": "c"}, "count": 2, "reportingComponent": "rc",
        }));
        let mut event = legacy.clone();
        event_to_new(&mut event);
        assert_eq!(event.get("note"), Some(&"m".into()));
        assert_eq!(event.get("reportingController"), Some(&"rc".into()));
        event_to_legacy(&mut event);
        assert_eq!(event, legacy);
    }

    #[test]
    fn quality_of_service() {
        let pod = |resources: Value| {
            let containers = json!([{"name": "c", "resources": resources}]);
            qos_class(&object(json!({"spec": {"containers": containers}})))
        };
        assert_eq!(pod(json!({})), "BestEffort");
        assert_eq!(pod(json!({"requests": {"cpu": "1"}})), "Burstable");
        assert_eq!(pod(json!({"limits": {"cpu": "1", "memory": "1Gi"}})), "Guaranteed");
    }
}
