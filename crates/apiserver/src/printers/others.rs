//! Cells of the kinds of other groups.

use std::collections::BTreeSet;

use pintle_apimachinery::Duration;
use pintle_apimachinery::util::human_duration;
use serde_json::Value;

use super::Clock;
use super::cells::{self, condition, count, first_few, get, int, items, map, or, text, texts};
use super::core::amount;
use crate::object::{Object, metadata};

pub(super) fn role(object: &Object, _: &Clock) -> Value {
    format!("{}/{}", text(object, "roleRef.kind"), text(object, "roleRef.name")).into()
}

fn subjects(object: &Object, kind: &str) -> Value {
    let of_kind = items(object, "subjects").filter(|subject| text(subject, "kind") == kind);
    let names = of_kind.map(|subject| match (kind, text(subject, "namespace")) {
        ("ServiceAccount", namespace) if !namespace.is_empty() => {
            format!("{namespace}/{}", text(subject, "name"))
        }
        _ => text(subject, "name").to_owned(),
    });
    names.collect::<Vec<_>>().join(", ").into()
}

pub(super) fn users(object: &Object, _: &Clock) -> Value {
    subjects(object, "User")
}

pub(super) fn groups(object: &Object, _: &Clock) -> Value {
    subjects(object, "Group")
}

pub(super) fn accounts(object: &Object, _: &Clock) -> Value {
    subjects(object, "ServiceAccount")
}

pub(super) fn param_kind(object: &Object, _: &Clock) -> Value {
    match get(object, "spec.paramKind").and_then(Value::as_object) {
        Some(kind) => format!("{}/{}", text(kind, "apiVersion"), text(kind, "kind")).into(),
        None => "<unset>".into(),
    }
}

pub(super) fn param_ref(object: &Object, _: &Clock) -> Value {
    let Some(reference) = get(object, "spec.paramRef").and_then(Value::as_object) else {
        return "<unset>".into();
    };
    match (text(reference, "namespace"), text(reference, "name")) {
        ("", "") if get(reference, "selector").is_some() => go_selector(reference).into(),
        (_, "") => "<unset>".into(),
        ("", name) => format!("*/{name}").into(),
        (namespace, name) => format!("{namespace}/{name}").into(),
    }
}

/// A selector as Go prints the struct.
fn go_selector(reference: &Object) -> String {
    let labels = map(reference, "selector.matchLabels");
    let mut pairs: Vec<String> = labels
        .map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort();
    let rules = items(reference, "selector.matchExpressions").map(|rule| {
        let values = texts(rule, "values").join(" ");
        let (key, operator) = (text(rule, "key"), text(rule, "operator"));
        format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{values}],}},")
    });
    let rules: String = rules.collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{}}},MatchExpressions:\
         []LabelSelectorRequirement{{{rules}}},}}",
        pairs.concat()
    )
}

pub(super) fn hosts(object: &Object, _: &Clock) -> Value {
    const MOST: usize = 3;
    let mut list = Vec::new();
    let mut more = false;
    for rule in items(object, "spec.rules") {
        more |= list.len() == MOST;
        let host = text(rule, "host");
        if !more && !host.is_empty() {
            list.push(host);
        }
    }
    match (list.is_empty(), more) {
        (true, _) => "*".into(),
        (false, false) => list.join(",").into(),
        (false, true) => {
            let beside = count(object, "spec.rules") - MOST;
            format!("{} + {beside} more...", list.join(",")).into()
        }
    }
}

pub(super) fn ingress_ports(object: &Object, _: &Clock) -> Value {
    if count(object, "spec.tls") > 0 { "80, 443".into() } else { "80".into() }
}

pub(super) fn ingress_class(object: &Object, _: &Clock) -> Value {
    let default = map(object, "metadata.annotations").any(|(key, value)| {
        key == "ingressclass.kubernetes.io/is-default-class" && value == "true"
    });
    let name = text(metadata(object), "name");
    if default { format!("{name} (default)").into() } else { name.into() }
}

pub(super) fn parameters(object: &Object, _: &Clock) -> Value {
    let Some(of) = get(object, "spec.parameters").and_then(Value::as_object) else {
        return "<none>".into();
    };
    let (kind, name) = (text(of, "kind"), text(of, "name"));
    match get(of, "apiGroup").and_then(Value::as_str) {
        Some(group) => format!("{kind}.{group}/{name}").into(),
        None => format!("{kind}/{name}").into(),
    }
}

pub(super) fn pod_selector(object: &Object, _: &Clock) -> Value {
    cells::selector_or_none(object, "spec.podSelector")
}

pub(super) fn cidrs(object: &Object, _: &Clock) -> Value {
    texts(object, "spec.cidrs").join(",").into()
}

pub(super) fn parent(object: &Object, _: &Clock) -> Value {
    let Some(of) = get(object, "spec.parentRef").and_then(Value::as_object) else {
        return "<none>".into();
    };
    let mut out = match text(of, "group") {
        "" => text(of, "resource").to_lowercase(),
        group => format!("{}.{group}", text(of, "resource")).to_lowercase(),
    };
    for part in [text(of, "namespace"), text(of, "name")] {
        if !part.is_empty() {
            out = out + "/" + part;
        }
    }
    out.into()
}

pub(super) fn requested_duration(object: &Object, _: &Clock) -> Value {
    match get(object, "spec.expirationSeconds").and_then(Value::as_i64) {
        Some(seconds) => human_duration(Duration::from_secs(seconds)).into(),
        None => "<none>".into(),
    }
}

pub(super) fn signing_status(object: &Object, _: &Clock) -> Value {
    let has = |kind: &str| condition(object, kind).is_some();
    let mut status = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (false, true) => "Approved",
        (false, false) => "Pending",
    }
    .to_owned();
    if has("Failed") {
        status += ",Failed";
    }
    if !text(object, "status.certificate").is_empty() {
        status += ",Issued";
    }
    status.into()
}

pub(super) fn certificate_state(object: &Object, _: &Clock) -> Value {
    let states = items(object, "status.conditions").map(|condition| text(condition, "type"));
    states
        .filter(|kind| matches!(*kind, "Issued" | "Denied" | "Failed"))
        .last()
        .unwrap_or("Pending")
        .into()
}

pub(super) fn unverified(object: &Object, _: &Clock) -> Value {
    cells::labels(object, "spec.unverifiedUserAnnotations").into()
}

pub(super) fn scale_target(object: &Object, _: &Clock) -> Value {
    let of = |key: &str| text(object, &format!("spec.scaleTargetRef.{key}"));
    format!("{}/{}", of("kind"), of("name")).into()
}

/// What an autoscaler looks at: the value there is, and the one that is wanted.
pub(super) fn metrics(object: &Object, _: &Clock) -> Value {
    const MOST: usize = 2;
    let statuses: Vec<&Object> = items(object, "status.currentMetrics").collect();
    let list: Vec<String> = items(object, "spec.metrics")
        .enumerate()
        .map(|(index, spec)| metric(spec, statuses.get(index).copied()))
        .collect();
    match list.len() {
        0 => "<none>".into(),
        len if len > MOST => format!("{} + {} more...", list[..MOST].join(", "), len - MOST).into(),
        _ => list.join(", ").into(),
    }
}

fn metric(spec: &Object, status: Option<&Object>) -> String {
    let (field, resource) = match text(spec, "type") {
        "External" => ("external", false),
        "Pods" => ("pods", false),
        "Object" => ("object", false),
        "Resource" => ("resource", true),
        "ContainerResource" => ("containerResource", true),
        _ => return "<unknown type>".to_owned(),
    };
    let current = |key: &str, needed: bool| {
        let unknown = || "<unknown>".to_owned();
        let Some(status) = status.filter(|status| get(status, field).is_some()) else {
            return unknown();
        };
        let path = format!("{field}.current.{key}");
        match get(status, &path) {
            Some(value) => cells::shown(value),
            None if needed => unknown(),
            None => "0".to_owned(),
        }
    };
    let target = |key: &str| format!("{field}.target.{key}");
    let average = get(spec, &target("averageValue")).map(cells::shown);
    if resource {
        let name = text(spec, &format!("{field}.name"));
        if let Some(average) = average {
            return format!("{name}: {}/{average}", current("averageValue", false));
        }
        let percent = |value: String| match value.as_str() {
            "<unknown>" => value,
            number => format!("{number}%"),
        };
        let wanted = get(spec, &target("averageUtilization"))
            .map_or_else(|| "<auto>".to_owned(), |value| format!("{value}%"));
        return format!("{name}: {}/{wanted}", percent(current("averageUtilization", true)));
    }
    match (field, average) {
        ("pods", _) => {
            let wanted = amount(spec, &target("averageValue"));
            format!("{}/{wanted}", current("averageValue", false))
        }
        (_, Some(average)) => format!("{}/{average} (avg)", current("averageValue", true)),
        (_, None) => format!("{}/{}", current("value", false), amount(spec, &target("value"))),
    }
}

pub(super) fn versions(object: &Object, _: &Clock) -> Value {
    let is = |version: &Object, key: &str| version.get(key) == Some(&Value::Bool(true));
    let served = items(object, "spec.versions").filter(|version| is(version, "served"));
    let names: BTreeSet<String> = served
        .map(|version| {
            let stored = if is(version, "storage") { "(storage)" } else { "" };
            format!("{}{stored}", text(version, "name"))
        })
        .collect();
    names.into_iter().collect::<Vec<_>>().join(",").into()
}

pub(super) fn short_names(object: &Object, _: &Clock) -> Value {
    texts(object, "spec.names.shortNames").join(",").into()
}

pub(super) fn established(object: &Object, _: &Clock) -> Value {
    condition(object, "Established").is_some_and(|c| text(c, "status") == "True").into()
}

pub(super) fn api_service(object: &Object, _: &Clock) -> Value {
    match get(object, "spec.service").and_then(Value::as_object) {
        Some(of) => format!("{}/{}", text(of, "namespace"), text(of, "name")).into(),
        None => "Local".into(),
    }
}

pub(super) fn available(object: &Object, _: &Clock) -> Value {
    let Some(condition) = condition(object, "Available") else { return "Unknown".into() };
    match (text(condition, "status"), text(condition, "reason")) {
        (status @ "True", _) | (status, "") => status.into(),
        (status, reason) => format!("{status} ({reason})").into(),
    }
}

pub(super) fn slice_ports(object: &Object, _: &Clock) -> Value {
    let ports = items(object, "ports").map(|port| match get(port, "port") {
        Some(number) => number.to_string(),
        None => get(port, "name").map_or_else(|| "*".to_owned(), cells::shown),
    });
    or(&first_few(&ports.collect::<Vec<_>>(), 3), "<unset>").into()
}

pub(super) fn slice_endpoints(object: &Object, _: &Clock) -> Value {
    let addresses = items(object, "endpoints").flat_map(|endpoint| texts(endpoint, "addresses"));
    let addresses: Vec<String> = addresses.map(str::to_owned).collect();
    or(&first_few(&addresses, 3), "<unset>").into()
}

pub(super) fn claim_state(object: &Object, _: &Clock) -> Value {
    let deleted = metadata(object).contains_key("deletionTimestamp");
    let allocated = get(object, "status.allocation").is_some();
    let states = [
        (deleted, "deleted"),
        (!deleted && !allocated, "pending"),
        (allocated, "allocated"),
        (allocated && count(object, "status.reservedFor") > 0, "reserved"),
    ];
    let states = states.into_iter().filter(|(holds, _)| *holds).map(|(_, state)| state);
    states.collect::<Vec<_>>().join(",").into()
}

pub(super) fn taint_added(object: &Object, clock: &Clock) -> Value {
    match text(object, "spec.taint.timeAdded") {
        "" => "".into(),
        then => clock.since(then).into(),
    }
}

pub(super) fn dangling(object: &Object, _: &Clock) -> Value {
    condition(object, "Dangling").map_or("?", |condition| text(condition, "status")).into()
}

fn limited(object: &Object, path: &str) -> Value {
    let within = match path.contains("queuing") {
        true => "spec.limited.limitResponse.queuing",
        false => "spec.limited",
    };
    match get(object, within) {
        Some(_) => int(object, path).into(),
        None => "<none>".into(),
    }
}

pub(super) fn shares(object: &Object, _: &Clock) -> Value {
    limited(object, "spec.limited.nominalConcurrencyShares")
}

pub(super) fn queues(object: &Object, _: &Clock) -> Value {
    limited(object, "spec.limited.limitResponse.queuing.queues")
}

pub(super) fn hand_size(object: &Object, _: &Clock) -> Value {
    limited(object, "spec.limited.limitResponse.queuing.handSize")
}

pub(super) fn queue_length(object: &Object, _: &Clock) -> Value {
    limited(object, "spec.limited.limitResponse.queuing.queueLengthLimit")
}

pub(super) fn migrated(object: &Object, _: &Clock) -> Value {
    match (text(object, "spec.resource.resource"), text(object, "spec.resource.group")) {
        (resource, "") => resource.into(),
        (resource, group) => format!("{resource}.{group}").into(),
    }
}

pub(super) fn migration(object: &Object, _: &Clock) -> Value {
    let holding =
        items(object, "status.conditions").filter(|condition| text(condition, "status") == "True");
    let kinds = holding.map(|condition| text(condition, "type"));
    let known = kinds.filter(|kind| matches!(*kind, "Running" | "Failed" | "Succeeded"));
    known.last().unwrap_or("Unknown").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_apimachinery::Time;
    use serde_json::json;

    #[test]
    fn what_an_autoscaler_looks_at() {
        let autoscaler = json!({
            "spec": {"metrics": [
                {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}},
                {"type": "Pods", "pods": {"target": {"averageValue": "10"}}},
                {"type": "External", "external": {"target": {"value": "5"}}},
            ]},
            "status": {"currentMetrics": [
                {"type": "Resource", "resource": {"current": {"averageUtilization": 50}}},
            ]},
        });
        let Value::Object(object) = autoscaler else { panic!("not an object") };
        let clock = Clock { now: Time::parse("2026-01-01T00:00:00Z").expect("a time") };
        let expect = "cpu: 50%/80%, <unknown>/10 + 1 more...";
        assert_eq!(metrics(&object, &clock), json!(expect));
    }

    #[test]
    fn selectors_as_go_prints_them() {
        let reference = json!({"selector": {"matchLabels": {"a": "b"}}});
        let Value::Object(reference) = reference else { panic!("not an object") };
        assert_eq!(
            go_selector(&reference),
            "&LabelSelector{MatchLabels:map[string]string{a: b,},\
             MatchExpressions:[]LabelSelectorRequirement{},}"
        );
    }
}
