//! Defaults of the kinds without a group, and of the Pod's parts in other groups.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/core/v1/defaults.go`.

use serde_json::{Map, Value, json};

use super::super::defaults::Default;
use super::super::image::is_latest;
use super::super::tree::{
    Fields, at, child, child_of, fill, fill_zero, is_empty, is_nil, is_zero, items, text,
};

/// The mode of files in a volume, 0644.
const FILE_MODE: i32 = 420;

/// The function of a type.
pub(crate) fn default_of(name: &str) -> Option<Default> {
    Some(match name {
        "ReplicationController" => replication_controller,
        "Volume" => volume,
        "Container" | "EphemeralContainer" => container,
        "Service" => service,
        "Pod" => pod,
        "PodStatus" => pod_status,
        "PodSpec" => pod_spec,
        "Probe" => probe,
        "SecretVolumeSource"
        | "ConfigMapVolumeSource"
        | "DownwardAPIVolumeSource"
        | "ProjectedVolumeSource" => |source| fill(source, "defaultMode", FILE_MODE),
        "Secret" => |secret| fill_zero(secret, "type", "Opaque"),
        "ServiceAccountTokenProjection" => |token| fill(token, "expirationSeconds", 3600),
        "PersistentVolume" => persistent_volume,
        "PersistentVolumeClaim" => |claim| fill_zero(child(claim, "status"), "phase", "Pending"),
        "PersistentVolumeClaimSpec" => |spec| fill(spec, "volumeMode", "Filesystem"),
        "Endpoints" => endpoints,
        "HTTPGetAction" => |get| {
            fill_zero(get, "path", "/");
            fill_zero(get, "scheme", "HTTP");
        },
        "Namespace" => namespace,
        "NamespaceStatus" => |status| fill_zero(status, "phase", "Active"),
        "NodeStatus" => node_status,
        "ObjectFieldSelector" => |field| fill_zero(field, "apiVersion", "v1"),
        "LimitRangeItem" => limit_range_item,
        "HostPathVolumeSource" => |path| fill(path, "type", ""),
        _ => return None,
    })
}

fn replication_controller(controller: &mut Fields) {
    let labels = at(controller, &["spec", "template", "metadata", "labels"]).cloned();
    let Some(labels) = labels else { return };
    let spec = child(controller, "spec");
    if is_empty(spec.get("selector")) {
        spec.insert("selector".to_owned(), labels.clone());
    }
    let meta = child(controller, "metadata");
    if is_empty(meta.get("labels")) {
        meta.insert("labels".to_owned(), labels);
    }
}

fn volume(volume: &mut Fields) {
    if volume.iter().all(|(key, value)| key == "name" || value.is_null()) {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    if let Some(image) = child_of(volume, "image") {
        let policy = pull_policy(text(image, "reference"));
        fill_zero(image, "pullPolicy", policy);
    }
}

fn pull_policy(image: &str) -> &'static str {
    if is_latest(image) { "Always" } else { "IfNotPresent" }
}

fn container(container: &mut Fields) {
    let policy = pull_policy(text(container, "image"));
    fill_zero(container, "imagePullPolicy", policy);
    fill_zero(container, "terminationMessagePath", "/dev/termination-log");
    fill_zero(container, "terminationMessagePolicy", "File");
}

fn service(service: &mut Fields) {
    let spec = child(service, "spec");
    fill_zero(spec, "sessionAffinity", "None");
    match text(spec, "sessionAffinity") {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP"
            if at(spec, &["sessionAffinityConfig", "clientIP", "timeoutSeconds"]).is_none() =>
        {
            let config = json!({"clientIP": {"timeoutSeconds": 10_800}});
            spec.insert("sessionAffinityConfig".to_owned(), config);
        }
        _ => {}
    }
    fill_zero(spec, "type", "ClusterIP");
    for port in items(spec, "ports") {
        fill_zero(port, "protocol", "TCP");
        if is_zero(port.get("targetPort")) {
            let number = port.get("port").cloned().unwrap_or_else(|| 0.into());
            port.insert("targetPort".to_owned(), number);
        }
    }
    let kind = text(spec, "type").to_owned();
    let external = matches!(kind.as_str(), "LoadBalancer" | "NodePort")
        || (kind == "ClusterIP" && !is_empty(spec.get("externalIPs")));
    if external {
        fill_zero(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer" | "ClusterIP") {
        fill(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        fill(spec, "allocateLoadBalancerNodePorts", true);
        if let Some(balancer) =
            child_of(service, "status").and_then(|status| child_of(status, "loadBalancer"))
        {
            for ingress in items(balancer, "ingress") {
                if !text(ingress, "ip").is_empty() {
                    fill(ingress, "ipMode", "VIP");
                }
            }
        }
    }
}

fn pod(pod: &mut Fields) {
    let spec = child(pod, "spec");
    if spec.get("terminationGracePeriodSeconds").and_then(Value::as_i64).is_some_and(|s| s < 0) {
        spec.insert("terminationGracePeriodSeconds".to_owned(), 1.into());
    }
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            requests_from_limits(container);
        }
    }
    fill(spec, "enableServiceLinks", true);
    if spec.get("hostNetwork") == Some(&Value::Bool(true)) {
        for list in ["containers", "initContainers"] {
            for container in items(spec, list) {
                for port in items(container, "ports") {
                    let number = port.get("containerPort").cloned().unwrap_or_else(|| 0.into());
                    fill_zero(port, "hostPort", number);
                }
            }
        }
    }
}

fn requests_from_limits(container: &mut Fields) {
    let Some(resources) = child_of(container, "resources") else { return };
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else { return };
    let requests = child(resources, "requests");
    for (name, amount) in limits {
        requests.entry(name).or_insert(amount);
    }
}

fn pod_status(status: &mut Fields) {
    let ip = text(status, "podIP").to_owned();
    let first = status
        .get("podIPs")
        .and_then(Value::as_array)
        .and_then(|ips| ips.first())
        .map(|first| first.get("ip").and_then(Value::as_str).unwrap_or_default().to_owned());
    match first {
        None if !ip.is_empty() => {
            status.insert("podIPs".to_owned(), json!([{"ip": ip}]));
        }
        Some(first) if ip.is_empty() && !first.is_empty() => {
            status.insert("podIP".to_owned(), first.into());
        }
        Some(first) if first != ip => {
            status.insert("podIPs".to_owned(), json!([{"ip": ip}]));
        }
        _ => {}
    }
}

fn pod_spec(spec: &mut Fields) {
    if text(spec, "serviceAccountName").is_empty() {
        let old = text(spec, "serviceAccount").to_owned();
        if !old.is_empty() {
            spec.insert("serviceAccountName".to_owned(), old.into());
        }
    }
    match text(spec, "serviceAccountName").to_owned() {
        name if name.is_empty() => spec.remove("serviceAccount"),
        name => spec.insert("serviceAccount".to_owned(), name.into()),
    };
    fill_zero(spec, "dnsPolicy", "ClusterFirst");
    fill_zero(spec, "restartPolicy", "Always");
    fill(spec, "securityContext", json!({}));
    fill(spec, "terminationGracePeriodSeconds", 30);
    fill_zero(spec, "schedulerName", "default-scheduler");
}

fn probe(probe: &mut Fields) {
    fill_zero(probe, "timeoutSeconds", 1);
    fill_zero(probe, "periodSeconds", 10);
    fill_zero(probe, "successThreshold", 1);
    fill_zero(probe, "failureThreshold", 3);
}

fn persistent_volume(volume: &mut Fields) {
    fill_zero(child(volume, "status"), "phase", "Pending");
    let spec = child(volume, "spec");
    fill_zero(spec, "persistentVolumeReclaimPolicy", "Retain");
    fill(spec, "volumeMode", "Filesystem");
}

fn endpoints(endpoints: &mut Fields) {
    for subset in items(endpoints, "subsets") {
        for port in items(subset, "ports") {
            fill_zero(port, "protocol", "TCP");
        }
    }
}

fn namespace(namespace: &mut Fields) {
    let meta = child(namespace, "metadata");
    let name = text(meta, "name").to_owned();
    if !name.is_empty() {
        child(meta, "labels").insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}

fn node_status(status: &mut Fields) {
    if is_nil(status.get("allocatable"))
        && let Some(capacity) = status.get("capacity").cloned()
    {
        status.insert("allocatable".to_owned(), capacity);
    }
}

fn limit_range_item(item: &mut Fields) {
    if text(item, "type") != "Container" {
        return;
    }
    let amounts = |item: &Fields, key: &str| match item.get(key) {
        Some(Value::Object(map)) => map.clone(),
        _ => Map::new(),
    };
    let mut limits = amounts(item, "default");
    for (name, amount) in amounts(item, "max") {
        limits.entry(name).or_insert(amount);
    }
    let mut requests = amounts(item, "defaultRequest");
    for (name, amount) in limits.clone().into_iter().chain(amounts(item, "min")) {
        requests.entry(name).or_insert(amount);
    }
    for (key, map) in [("default", limits), ("defaultRequest", requests)] {
        if !map.is_empty() {
            item.insert(key.to_owned(), Value::Object(map));
        }
    }
}
