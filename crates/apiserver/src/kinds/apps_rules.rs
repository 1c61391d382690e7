//! Validation of the kinds of `apps`, and of ReplicationControllers.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/apps/validation`.

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, dns1123_label, percent, validate_annotations,
};
use serde_json::{Value, json};

use pintle_apimachinery::labels::Selector;

use super::check::{Node, same};
use super::core::pod::template;
use super::core::storage::claim_spec;
use super::tree::Fields;

const MISMATCH: &str = "`selector` does not match template `labels`";

/// Whether a selector, if it is well formed, matches labels. None selects nothing.
pub(super) fn matches(selector: &Node<'_>, labels: &Node<'_>) -> Option<bool> {
    let Some(selector) = selector.label_selector() else { return Some(false) };
    let selector = Selector::from_label_selector(Some(&selector)).ok()?;
    let entries = labels.entries();
    let pairs: Vec<(&str, &str)> =
        entries.iter().map(|(key, value)| (*key, value.text())).collect();
    Some(selector.matches(pairs.as_slice()))
}

/// The selector of a workload, which selects something.
fn selector(spec: &Node<'_>, kind: &str, e: &mut FieldErrors) {
    let selector = spec.get("selector");
    if !selector.is_set() {
        e.push(selector.required(""));
        return;
    }
    selector.selector(e);
    if selector.get("matchLabels").is_empty() && selector.get("matchExpressions").is_empty() {
        let detail = format!("empty selector is invalid for {kind}");
        e.push(FieldError::invalid(selector.path(), selector.selector_shown(), detail));
    }
}

/// A template whose labels the selector matches.
fn selected(spec: &Node<'_>, e: &mut FieldErrors) -> bool {
    let (selector, template) = (spec.get("selector"), spec.get("template"));
    let labels = template.get("metadata").get("labels");
    match matches(&selector, &labels) {
        None => return false,
        Some(true) => {}
        Some(false) => {
            let bad = if labels.is_set() { labels.bad() } else { BadValue::NULL };
            e.push(FieldError::invalid(labels.path(), bad, MISMATCH));
        }
    }
    true
}

/// Pods of workloads run for ever.
fn always(template: &Node<'_>, kind: &str, e: &mut FieldErrors) {
    let spec = template.get("spec");
    spec.get("restartPolicy").supported(e, &["Always"]);
    if spec.get("activeDeadlineSeconds").is_set() {
        let detail = format!("activeDeadlineSeconds in {kind} is not Supported");
        e.push(spec.get("activeDeadlineSeconds").forbidden(detail));
    }
}

fn replicas(spec: &Node<'_>, e: &mut FieldErrors) {
    let (selector, template_node) = (spec.get("selector"), spec.get("template"));
    if selected(spec, e) {
        template(&template_node, e);
        always(&template_node, "ReplicaSet", e);
    } else {
        e.push(FieldError::invalid(
            selector.path(),
            selector.selector_shown(),
            "invalid label selector",
        ));
    }
}

/// A number or a percentage, not negative.
pub(super) fn int_or_percent(value: &Node<'_>, e: &mut FieldErrors) {
    match value.value() {
        Value::String(_) => value.rule(e, percent),
        _ => value.nonnegative(e),
    }
}

fn percentage(value: &Node<'_>) -> Option<i64> {
    let text = value.value().as_str()?;
    if percent(text).is_empty() { text.strip_suffix('%')?.parse().ok() } else { None }
}

fn amount(value: &Node<'_>) -> i64 {
    percentage(value).unwrap_or_else(|| value.text().parse().unwrap_or_else(|_| value.int()))
}

pub(super) fn at_most_all(value: &Node<'_>, e: &mut FieldErrors) {
    if percentage(value).is_some_and(|value| value > 100) {
        e.push(value.invalid("must not be greater than 100%"));
    }
}

/// The rules of a Deployment.
pub(super) fn deployment(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    spec.get("replicas").nonnegative(&mut e);
    selector(&spec, "deployment", &mut e);
    replicas(&spec, &mut e);
    deployment_strategy(&spec.get("strategy"), &mut e);
    let (ready, deadline) = (spec.get("minReadySeconds"), spec.get("progressDeadlineSeconds"));
    ready.nonnegative(&mut e);
    if spec.get("revisionHistoryLimit").is_set() {
        spec.get("revisionHistoryLimit").nonnegative(&mut e);
    }
    if deadline.is_set() {
        deadline.nonnegative(&mut e);
        if deadline.int() <= ready.int() {
            e.push(deadline.invalid("must be greater than minReadySeconds"));
        }
    }
    immutable(&spec, old, &["selector"], &mut e);
    e
}

fn immutable(spec: &Node<'_>, old: Option<&Fields>, fields: &[&str], e: &mut FieldErrors) {
    if let Some(old) = old {
        let before = Node::of(old, "spec");
        for field in fields {
            spec.get(field).immutable(e, &before.get(field));
        }
    }
}

/// A strategy as messages show it: of Go's internal types, which have no JSON names.
fn strategy_shown(strategy: &Node<'_>) -> BadValue {
    let rolling = strategy.get("rollingUpdate");
    let shown = if rolling.is_set() {
        json!({"MaxUnavailable": rolling.peek("maxUnavailable"), "MaxSurge": rolling.peek("maxSurge")})
    } else {
        Value::Null
    };
    let mut text = format!(
        "{{\"Type\":{},\"RollingUpdate\":",
        BadValue::named(strategy.get("type").text()).as_str()
    );
    match &shown {
        Value::Null => text += "null",
        shown => {
            let value = |key: &str| BadValue::from(&shown[key]).as_str().to_owned();
            let (unavailable, surge) = (value("MaxUnavailable"), value("MaxSurge"));
            text += &format!("{{\"MaxUnavailable\":{unavailable},\"MaxSurge\":{surge}}}");
        }
    }
    BadValue::json(text + "}")
}

fn deployment_strategy(strategy: &Node<'_>, e: &mut FieldErrors) {
    let rolling = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "Recreate" => {
            if rolling.is_set() {
                let detail = "may not be specified when strategy `type` is 'Recreate'";
                e.push(rolling.forbidden(detail));
            }
        }
        "RollingUpdate" => {
            let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            int_or_percent(&unavailable, e);
            int_or_percent(&surge, e);
            if amount(&unavailable) == 0 && amount(&surge) == 0 {
                e.push(unavailable.invalid("may not be 0 when `maxSurge` is 0"));
            }
            at_most_all(&unavailable, e);
        }
        _ => e.push(FieldError::not_supported(
            strategy.path(),
            strategy_shown(strategy),
            &["Recreate", "RollingUpdate"],
        )),
    }
}

/// The rules of a ReplicaSet.
pub(super) fn replica_set(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    spec.get("replicas").nonnegative(&mut e);
    spec.get("minReadySeconds").nonnegative(&mut e);
    selector(&spec, "deployment", &mut e);
    replicas(&spec, &mut e);
    immutable(&spec, old, &["selector"], &mut e);
    e
}

/// The rules of a ReplicationController.
pub(super) fn replication_controller(new: &Fields, _: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    // What the schema says comes after all else.
    let declared = |e: &mut FieldErrors| {
        spec.get("replicas").nonnegative(e);
        spec.get("minReadySeconds").nonnegative(e);
    };
    let selector = spec.get("selector");
    selector.given(&mut e);
    let template_node = spec.get("template");
    if !template_node.is_set() {
        e.push(template_node.required(""));
        declared(&mut e);
        return e;
    }
    let labels = template_node.get("metadata").get("labels");
    let matched = selector.entries().iter().all(|(key, value)| labels.peek(key) == value.value());
    if !matched {
        let bad = if labels.is_set() { labels.bad() } else { BadValue::NULL };
        e.push(FieldError::invalid(labels.path(), bad, MISMATCH));
    }
    template(&template_node, &mut e);
    always(&template_node, "ReplicationController", &mut e);
    declared(&mut e);
    e
}

/// The rules of a DaemonSet.
pub(super) fn daemon_set(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    immutable(&spec, old, &["selector"], &mut e);
    let selector = spec.get("selector");
    selector.selector(&mut e);
    selected(&spec, &mut e);
    if selector.is_set()
        && selector.get("matchLabels").is_empty()
        && selector.get("matchExpressions").is_empty()
    {
        let detail = "empty selector is invalid for daemonset";
        e.push(FieldError::invalid(selector.path(), selector.selector_shown(), detail));
    }
    template(&spec.get("template"), &mut e);
    always(&spec.get("template"), "DaemonSet", &mut e);
    spec.get("minReadySeconds").nonnegative(&mut e);
    let strategy = spec.get("updateStrategy");
    match strategy.get("type").text() {
        "OnDelete" => {}
        "RollingUpdate" => {
            let rolling = strategy.get("rollingUpdate");
            let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            int_or_percent(&unavailable, &mut e);
            int_or_percent(&surge, &mut e);
            at_most_all(&unavailable, &mut e);
            at_most_all(&surge, &mut e);
            match (amount(&unavailable) != 0, amount(&surge) != 0) {
                (true, true) => {
                    e.push(surge.invalid("may not be set when maxUnavailable is non-zero"));
                }
                (false, false) => e.push(unavailable.required("cannot be 0 when maxSurge is 0")),
                _ => {}
            }
        }
        _ => e.push(FieldError::not_supported(
            strategy.path(),
            strategy_shown(&strategy),
            &["RollingUpdate", "OnDelete"],
        )),
    }
    if spec.get("revisionHistoryLimit").is_set() {
        spec.get("revisionHistoryLimit").nonnegative(&mut e);
    }
    e
}

/// The rules of a StatefulSet.
pub(super) fn stateful_set(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    let policy = spec.get("podManagementPolicy");
    match policy.text() {
        "" => e.push(policy.required("")),
        "OrderedReady" | "Parallel" => {}
        _ => e.push(policy.invalid("must be 'OrderedReady' or 'Parallel'")),
    }
    stateful_strategy(&spec.get("updateStrategy"), &mut e);
    let retention = spec.get("persistentVolumeClaimRetentionPolicy");
    if retention.is_set() {
        retention.get("whenDeleted").supported(&mut e, &["Retain", "Delete"]);
        retention.get("whenScaled").supported(&mut e, &["Retain", "Delete"]);
    }
    for claim in spec.get("volumeClaimTemplates").items() {
        claim_spec(&claim.get("spec"), &mut e);
    }
    spec.get("replicas").nonnegative(&mut e);
    spec.get("minReadySeconds").nonnegative(&mut e);
    if spec.get("ordinals").is_set() {
        let start = spec.get("ordinals").get("start");
        start.at(spec.path().child("ordinals.start")).nonnegative(&mut e);
    }
    if !spec.get("serviceName").is_empty() {
        spec.get("serviceName").rule(&mut e, dns1123_label);
    }
    selector(&spec, "statefulset", &mut e);
    if matches(&spec.get("selector"), &spec.get("template").get("metadata").get("labels")).is_none()
    {
        let selector = spec.get("selector");
        e.push(FieldError::invalid(selector.path(), selector.selector_shown(), ""));
    } else {
        selected(&spec, &mut e);
        let with = with_claims(&spec);
        template(&Node::new(&with, spec.get("template").path().clone()), &mut e);
        again(&spec.get("template"), &mut e);
    }
    always(&spec.get("template"), "StatefulSet", &mut e);
    if old.is_some() {
        let fields = ["selector", "volumeClaimTemplates", "serviceName", "podManagementPolicy"];
        stateful_immutable(&spec, old, &fields, &mut e);
    }
    e
}

/// Claims show as Go's internal type, which is too much to tell; the rest as values.
fn stateful_immutable(spec: &Node<'_>, old: Option<&Fields>, fields: &[&str], e: &mut FieldErrors) {
    let Some(old) = old else { return };
    let before = Node::of(old, "spec");
    for field in fields {
        let (new, old) = (spec.get(field), before.get(field));
        if !same(new.value(), old.value()) {
            e.push(new.invalid("field is immutable"));
        }
    }
}

/// The template with the volumes that its claims will be.
fn with_claims(spec: &Node<'_>) -> Value {
    let mut template = spec.get("template").value().clone();
    let names: Vec<Value> = spec
        .get("volumeClaimTemplates")
        .items()
        .map(|claim| claim.get("metadata").get("name").value().clone())
        .collect();
    let mut volumes: Vec<Value> = Vec::new();
    for name in &names {
        let volume = json!({"name": name, "persistentVolumeClaim": {"claimName": name}});
        if !volumes.contains(&volume) {
            volumes.push(volume);
        }
    }
    if let Some(pod) = template.get_mut("spec").and_then(Value::as_object_mut) {
        pod.remove("subdomain");
        pod.remove("hostname");
        if !names.is_empty() {
            let own = pod.get("volumes").and_then(Value::as_array).cloned().unwrap_or_default();
            volumes.extend(own.into_iter().filter(|volume| !names.contains(&volume["name"])));
            pod.insert("volumes".to_owned(), volumes.into());
        }
    }
    template
}

/// Labels and annotations of the template, which Go checks a second time.
fn again(template: &Node<'_>, e: &mut FieldErrors) {
    let meta = template.get("metadata");
    meta.get("labels").at(template.path().child("labels")).labels(e);
    let path = template.path().child("annotations");
    let entries = meta.get("annotations").entries();
    let pairs = entries.iter().map(|(key, value)| (*key, value.text()));
    e.extend(validate_annotations(&path, pairs));
}

fn stateful_strategy(strategy: &Node<'_>, e: &mut FieldErrors) {
    let rolling = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "" => e.push(strategy.required("")),
        "OnDelete" => {
            if rolling.is_set() {
                let detail = "only allowed for updateStrategy 'RollingUpdate'";
                e.push(FieldError::invalid(rolling.path(), stateful_shown(&rolling), detail));
            }
        }
        "RollingUpdate" => {
            if rolling.is_set() {
                rolling.get("partition").nonnegative(e);
                let most = rolling.get("maxUnavailable");
                if most.is_set() {
                    int_or_percent(&most, e);
                    if amount(&most) == 0 {
                        e.push(most.invalid("cannot be 0"));
                    }
                    at_most_all(&most, e);
                }
            }
        }
        kind => {
            let kind = BadValue::named(kind);
            let shown = BadValue::json(format!(
                "{{\"Type\":{},\"RollingUpdate\":{}}}",
                kind.as_str(),
                if rolling.is_set() {
                    stateful_shown(&rolling).as_str().to_owned()
                } else {
                    "null".to_owned()
                }
            ));
            let detail = "must be 'RollingUpdate' or 'OnDelete'";
            e.push(FieldError::invalid(strategy.path(), shown, detail));
        }
    }
}

fn stateful_shown(rolling: &Node<'_>) -> BadValue {
    let most = rolling.get("maxUnavailable");
    let most = if most.is_set() { most.bad().as_str().to_owned() } else { "null".to_owned() };
    let partition = rolling.get("partition").int();
    BadValue::json(format!("{{\"Partition\":{partition},\"MaxUnavailable\":{most}}}"))
}

/// The rules of a ControllerRevision.
pub(super) fn controller_revision(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let data = Node::of(new, "data");
    Node::of(new, "revision").nonnegative(&mut e);
    match old {
        None => match data.value() {
            Value::Null => e.push(data.required("data is mandatory")),
            Value::Object(_) => {}
            _ => e.push(data.required("data must be a valid JSON object")),
        },
        Some(old) => data.immutable(&mut e, &Node::of(old, "data")),
    }
    e
}

/// The number of a DaemonSet's template, which clients see as an annotation.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// An update of the status leaves the number as it is, whatever the annotation says.
pub(super) fn keep_count(set: &mut Fields, old: &Fields) {
    use super::tree::child;
    let before = Node::of(old, "metadata").get("annotations").peek(TEMPLATE_GENERATION);
    if !before.is_null() {
        let annotations = child(child(set, "metadata"), "annotations");
        annotations.insert(TEMPLATE_GENERATION.to_owned(), before.clone());
    }
}

/// Counts the changes of a DaemonSet's template.
pub(super) fn count_template(set: &mut Fields, old: Option<&Fields>) {
    use super::tree::child;
    let generation = match old {
        None => 1,
        Some(old) => {
            let annotations = Node::of(old, "metadata").get("annotations");
            let before = annotations.get(TEMPLATE_GENERATION).text().parse::<i64>().unwrap_or(0);
            let template = |set: &Fields| Node::of(set, "spec").get("template").value().clone();
            before + i64::from(!same(&template(set), &template(old)))
        }
    };
    let annotations = child(child(set, "metadata"), "annotations");
    annotations.insert(TEMPLATE_GENERATION.to_owned(), generation.to_string().into());
}
