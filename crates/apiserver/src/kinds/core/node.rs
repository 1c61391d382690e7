//! Validation of Nodes, and what their writes reset.
//!
//! Go counterpart: `ValidateNode` and `ValidateNodeUpdate` in
//! `k8s.io/kubernetes/pkg/apis/core/validation`, and the strategy of Nodes.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, FieldPath, config_map_key, dns1123_subdomain, label_value,
    name_is_dns_label, valid_cidr_for_legacy_field, validate_label_name,
};
use serde_json::Value;

use super::super::check::{Node, struct_shown};
use super::super::tree::{Fields, at, child, text};
use super::resources::amount;

/// Fields behind gates that are off, or no longer used, are taken off unless they are in use.
pub(crate) fn prepare(new: &mut Fields, old: Option<&Fields>) {
    sync_ranges(new);
    for (part, field) in [("spec", "configSource"), ("status", "config")] {
        let used = old.is_some_and(|old| at(old, &[part, field]).is_some());
        if !used && let Some(Value::Object(part)) = new.get_mut(part) {
            part.shift_remove(field);
        }
    }
    let used = old.is_some_and(|old| at(old, &["spec", "podPreemptionPolicy"]).is_some());
    if !used {
        child(new, "spec").shift_remove("podPreemptionPolicy");
    }
}

/// The same for an update of the status.
pub(crate) fn prepare_status(new: &mut Fields, old: &Fields) {
    if at(old, &["status", "config"]).is_none()
        && let Some(Value::Object(status)) = new.get_mut("status")
    {
        status.shift_remove("config");
    }
}

/// The single range of addresses is the first of the list.
fn sync_ranges(node: &mut Fields) {
    let spec = child(node, "spec");
    let single = text(spec, "podCIDR").to_owned();
    match spec.get_mut("podCIDRs") {
        Some(Value::Array(list)) if !list.is_empty() => {
            if !single.is_empty() && list[0] != single {
                *list = vec![single.into()];
            }
            let first = list[0].clone();
            spec.insert("podCIDR".to_owned(), first);
        }
        _ if !single.is_empty() => {
            spec.insert("podCIDRs".to_owned(), serde_json::json!([single]));
        }
        _ => {}
    }
}

/// The rules of a Node.
pub(crate) fn node(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    annotations(new, &mut e);
    let path = FieldPath::new("metadata");
    taints(&spec.get("taints").at(path.child("taints")), &mut e);
    resources(new, &mut e);
    let info = Node::of(new, "status").get("nodeInfo");
    let capacity = info.get("swap").get("capacity");
    if capacity.some_int().is_some_and(|capacity| capacity <= 0) {
        let capacity = capacity.at(path.child("nodeSwapStatus").child("capacity"));
        e.push(capacity.invalid_int("must be greater than 0"));
    }
    declared(new, &mut e);
    ranges(&spec.get("podCIDRs"), &mut e);
    if let Some(old) = old {
        e.extend(update(new, old));
    }
    e
}

/// The rules of an update of a Node's status, and the second half of those of any update.
pub(crate) fn update(new: &Fields, old: &Fields) -> FieldErrors {
    const RANGE: &str = "node updates may not change podCIDR except from \"\" to valid";
    let mut e = FieldErrors::default();
    annotations(new, &mut e);
    resources(new, &mut e);
    declared(new, &mut e);
    let mut seen = BTreeSet::new();
    for address in Node::of(new, "status").get("addresses").items() {
        let own = (address.get("type").text(), address.get("address").text());
        if !seen.insert(own) {
            let shown = struct_shown(&[
                ("Type", BadValue::named(own.0)),
                ("Address", BadValue::named(own.1)),
            ]);
            e.push(FieldError::duplicate(address.path(), shown));
        }
    }
    let (spec, before) = (Node::of(new, "spec"), Node::of(old, "spec"));
    let (now, then) = (spec.get("podCIDRs"), before.get("podCIDRs"));
    if !then.is_empty() {
        if then.len() != now.len() {
            e.push(now.forbidden(RANGE));
        } else {
            for _ in then.texts().iter().zip(now.texts()).filter(|(old, new)| *old != new) {
                e.push(now.forbidden(RANGE));
            }
        }
    }
    let (provider, old_provider) = (spec.get("providerID"), before.get("providerID"));
    let fixed = |detail: &str| FieldError::invalid(provider.path(), BadValue::NULL, detail);
    if !old_provider.is_empty() && provider.is_empty() {
        e.push(fixed("field cannot be cleared once set"));
    } else if !old_provider.is_empty() && provider.text() != old_provider.text() {
        e.push(fixed("field cannot be modified once set"));
    }
    let source = spec.get("configSource");
    if source.is_set() {
        let map = source.get("configMap");
        if map.is_set() {
            for (key, detail) in [
                ("uid", "uid must not be set in spec"),
                ("resourceVersion", "resourceVersion must not be set in spec"),
            ] {
                if !map.get(key).is_empty() {
                    e.push(map.get(key).forbidden(detail));
                }
            }
            config_map(&map, &mut e);
        } else {
            e.push(source_missing(&source));
        }
    }
    let config = Node::of(new, "status").get("config");
    for part in ["assigned", "active", "lastKnownGood"] {
        let source = config.get(part);
        if !source.is_set() {
            continue;
        }
        let map = source.get("configMap");
        if map.is_set() {
            map.get("uid").given(&mut e);
            map.get("resourceVersion").given(&mut e);
            config_map(&map, &mut e);
        } else {
            e.push(source_missing(&source));
        }
    }
    taints(&spec.get("taints").at(FieldPath::new("metadata").child("taints")), &mut e);
    let external = spec.get("externalID");
    if external.text() != before.get("externalID").text() {
        e.push(external.forbidden("may not be updated"));
    }
    e
}

fn source_missing(source: &Node<'_>) -> FieldError {
    let shown = struct_shown(&[("ConfigMap", BadValue::NULL)]);
    let detail = "exactly one reference subfield must be non-nil";
    FieldError::invalid(source.path(), shown, detail)
}

fn config_map(map: &Node<'_>, e: &mut FieldErrors) {
    let (namespace, name, key) =
        (map.get("namespace"), map.get("name"), map.get("kubeletConfigKey"));
    if namespace.is_empty() {
        e.push(namespace.required(""));
    } else {
        namespace.name(e, name_is_dns_label);
    }
    name.required_rule(e, dns1123_subdomain);
    key.required_rule(e, config_map_key);
}

fn annotations(new: &Fields, e: &mut FieldErrors) {
    const TAINTS: &str = "scheduler.alpha.kubernetes.io/taints";
    let annotations = Node::of(new, "metadata").get("annotations");
    let given = annotations.get(TAINTS);
    if let Ok(list @ Value::Array(_)) = serde_json::from_str::<Value>(given.text()) {
        taints(&Node::new(&list, annotations.path().child(TAINTS)), e);
    }
}

/// Taints; also of a list in an annotation.
fn taints(list: &Node<'_>, e: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for taint in list.items() {
        let (key, value, effect) = (taint.get("key"), taint.get("value"), taint.get("effect"));
        e.extend(validate_label_name(key.path(), key.text()));
        let problems = label_value(value.text());
        if !problems.is_empty() {
            e.push(value.invalid(problems.join(";")));
        }
        if effect.is_empty() {
            e.push(effect.required(""));
        } else {
            effect.supported(e, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
        }
        if !seen.insert((effect.text(), key.text())) {
            let since = taint.get("timeAdded");
            let shown = struct_shown(&[
                ("Key", BadValue::named(key.text())),
                ("Value", BadValue::named(value.text())),
                ("Effect", BadValue::named(effect.text())),
                ("TimeAdded", if since.is_set() { since.bad() } else { BadValue::NULL }),
            ]);
            let mut error = FieldError::duplicate(taint.path(), shown);
            error.detail = "taints must be unique by key and effect pair".to_owned();
            e.push(error);
        }
    }
}

fn resources(new: &Fields, e: &mut FieldErrors) {
    let status = Node::of(new, "status");
    for list in [status.get("capacity"), status.get("allocatable")] {
        for (name, value) in list.entries() {
            amount(name, &value.at(list.path().child(name)), e);
        }
    }
}

fn ranges(list: &Node<'_>, e: &mut FieldErrors) {
    for range in list.items() {
        let known: &[&str] = &[];
        e.extend(valid_cidr_for_legacy_field(range.path(), range.text(), true, known));
    }
    if list.len() < 2 {
        return;
    }
    let texts = list.texts();
    let bad = texts.iter().enumerate().find(|(_, text)| !is_range(text));
    if let Some((i, bad)) = bad {
        let error = format!(
            "invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[{i}]: <nil> \
             (invalid CIDR address: {bad})"
        );
        e.push(FieldError::internal(list.path(), error));
    }
    let six = |text: &&str| text.contains(':');
    let dual = bad.is_none() && texts.iter().any(six) && !texts.iter().all(six);
    if !dual || texts.len() > 2 {
        e.push(list.invalid("may specify no more than one CIDR for each IP family"));
    }
}

fn is_range(text: &str) -> bool {
    super::super::networking_rules::range(text).is_some()
}

/// What a node says that it can do.
fn declared(new: &Fields, e: &mut FieldErrors) {
    const MOST: usize = 253;
    let list = Node::of(new, "status").get("declaredFeatures");
    let items: Vec<Node<'_>> = list.items().collect();
    for (i, feature) in items.iter().enumerate() {
        let name = feature.text();
        let quoted = crate::status::quote(name);
        if name.len() > MOST {
            let detail =
                format!("invalid feature name {quoted}: must be no more than {MOST} characters");
            e.push(feature.invalid(detail));
        } else if !is_feature(name) {
            e.push(feature.invalid(format!(
                "invalid feature name {quoted}: must start with an UpperCamelCase segment, with \
                 subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), \
                 and contain only alphanumeric characters and slashes"
            )));
        }
        if let Some(next) = items.get(i + 1) {
            if next.text() == name {
                e.push(next.duplicate());
            } else if name > next.text() {
                e.push(next.invalid("list must be sorted alphabetically"));
            }
        }
    }
}

fn is_feature(name: &str) -> bool {
    name.split('/').enumerate().all(|(i, segment)| {
        let begins = segment.chars().next().is_some_and(|c| match i {
            0 => c.is_ascii_uppercase(),
            _ => c.is_ascii_alphabetic(),
        });
        begins && segment.chars().all(|c| c.is_ascii_alphanumeric())
    })
}
