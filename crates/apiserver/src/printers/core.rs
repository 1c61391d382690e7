//! Cells of Services, endpoints, nodes and the other kinds of the legacy group.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Clock;
use super::cells::{self, count, first_few, get, int, items, map, or, quantity, text, texts};
use crate::object::Object;

pub(super) fn template_containers(object: &Object, _: &Clock) -> Value {
    cells::containers(object, "template.spec.containers", "name")
}

pub(super) fn template_images(object: &Object, _: &Clock) -> Value {
    cells::containers(object, "template.spec.containers", "image")
}

pub(super) fn template_labels(object: &Object, _: &Clock) -> Value {
    cells::labels(object, "template.metadata.labels").into()
}

pub(super) fn selector_labels(object: &Object, _: &Clock) -> Value {
    cells::labels(object, "spec.selector").into()
}

pub(super) fn data(object: &Object, _: &Clock) -> Value {
    (count(object, "data") + count(object, "binaryData")).into()
}

pub(super) fn cluster_ip(object: &Object, _: &Clock) -> Value {
    texts(object, "spec.clusterIPs").first().copied().unwrap_or("<none>").into()
}

/// Addresses of a load balancer, sorted.
pub(super) fn balancer(object: &Object, _: &Clock) -> Value {
    let addresses: BTreeSet<&str> = items(object, "status.loadBalancer.ingress")
        .map(|ingress| or(text(ingress, "ip"), text(ingress, "hostname")))
        .filter(|address| !address.is_empty())
        .collect();
    addresses.into_iter().collect::<Vec<_>>().join(",").into()
}

pub(super) fn external_ip(object: &Object, clock: &Clock) -> Value {
    let own = texts(object, "spec.externalIPs");
    match text(object, "spec.type") {
        "ClusterIP" | "NodePort" => or(&own.join(","), "<none>").into(),
        "LoadBalancer" => {
            let balancer = balancer(object, clock);
            let given = balancer.as_str().into_iter().filter(|text| !text.is_empty());
            let all: Vec<&str> = given.chain(own).collect();
            or(&all.join(","), "<pending>").into()
        }
        "ExternalName" => text(object, "spec.externalName").into(),
        _ => "<unknown>".into(),
    }
}

pub(super) fn ports(object: &Object, _: &Clock) -> Value {
    let ports: Vec<String> = items(object, "spec.ports")
        .map(|port| {
            let (number, protocol) = (int(port, "port"), text(port, "protocol"));
            match int(port, "nodePort") {
                node @ 1.. => format!("{number}:{node}/{protocol}"),
                _ => format!("{number}/{protocol}"),
            }
        })
        .collect();
    or(&ports.join(","), "<none>").into()
}

pub(super) fn endpoints(object: &Object, _: &Clock) -> Value {
    if count(object, "subsets") == 0 {
        return "<none>".into();
    }
    let mut all = Vec::new();
    for subset in items(object, "subsets") {
        let addresses = || items(subset, "addresses").map(|address| text(address, "ip"));
        if count(subset, "ports") == 0 {
            all.extend(addresses().map(str::to_owned));
        }
        for port in items(subset, "ports") {
            all.extend(addresses().map(|ip| match ip.contains(':') {
                true => format!("[{ip}]:{}", int(port, "port")),
                false => format!("{ip}:{}", int(port, "port")),
            }));
        }
    }
    first_few(&all, 3).into()
}

pub(super) fn node_status(object: &Object, _: &Clock) -> Value {
    // Of several conditions of one type the last counts.
    let ready = items(object, "status.conditions").filter(|c| text(c, "type") == "Ready").last();
    let mut status = match ready.map(|condition| text(condition, "status")) {
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if get(object, "spec.unschedulable") == Some(&Value::Bool(true)) {
        status += ",SchedulingDisabled";
    }
    status.into()
}

pub(super) fn node_roles(object: &Object, _: &Clock) -> Value {
    let roles: BTreeSet<&str> = map(object, "metadata.labels")
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    or(&roles.into_iter().collect::<Vec<_>>().join(","), "<none>").into()
}

fn address<'a>(object: &'a Object, kind: &str) -> &'a str {
    let found = items(object, "status.addresses").find(|address| text(address, "type") == kind);
    found.map_or("<none>", |address| text(address, "address"))
}

pub(super) fn internal_ip(object: &Object, _: &Clock) -> Value {
    address(object, "InternalIP").into()
}

pub(super) fn node_external_ip(object: &Object, _: &Clock) -> Value {
    address(object, "ExternalIP").into()
}

pub(super) fn os_image(object: &Object, _: &Clock) -> Value {
    or(text(object, "status.nodeInfo.osImage"), "<unknown>").into()
}

pub(super) fn kernel(object: &Object, _: &Clock) -> Value {
    let kernel = or(text(object, "status.nodeInfo.kernelVersion"), "<unknown>");
    match text(object, "status.nodeInfo.architecture") {
        "" => kernel.into(),
        architecture => format!("{kernel} ({architecture})").into(),
    }
}

pub(super) fn runtime(object: &Object, _: &Clock) -> Value {
    or(text(object, "status.nodeInfo.containerRuntimeVersion"), "<unknown>").into()
}

fn healthy(object: &Object) -> Option<&Object> {
    items(object, "conditions").find(|condition| text(condition, "type") == "Healthy")
}

pub(super) fn component_status(object: &Object, _: &Clock) -> Value {
    match healthy(object).map(|condition| text(condition, "status")) {
        Some("True") => "Healthy".into(),
        Some(_) => "Unhealthy".into(),
        None => "Unknown".into(),
    }
}

pub(super) fn component_message(object: &Object, _: &Clock) -> Value {
    healthy(object).map_or("", |condition| text(condition, "message")).into()
}

pub(super) fn component_error(object: &Object, _: &Clock) -> Value {
    healthy(object).map_or("", |condition| text(condition, "error")).into()
}

/// What is used of what there is, of limits or of all else.
fn quota(object: &Object, limits: bool) -> Value {
    let mut names: Vec<&String> = map(object, "status.hard").map(|(name, _)| name).collect();
    names.sort();
    let used = get(object, "status.used").and_then(Value::as_object);
    let hard = get(object, "status.hard").and_then(Value::as_object);
    let of = |place: Option<&Object>, name: &str| {
        place.and_then(|place| place.get(name)).map_or_else(|| "0".to_owned(), cells::shown)
    };
    let lines: Vec<String> = names
        .into_iter()
        .filter(|name| name.starts_with("limits.") == limits)
        .map(|name| format!("{name}: {}/{}", of(used, name), of(hard, name)))
        .collect();
    lines.join(", ").into()
}

pub(super) fn quota_requests(object: &Object, _: &Clock) -> Value {
    quota(object, false)
}

pub(super) fn quota_limits(object: &Object, _: &Clock) -> Value {
    quota(object, true)
}

/// The quantity of a metric's target or value.
pub(super) fn amount(object: &Object, path: &str) -> String {
    quantity(object, path)
}
