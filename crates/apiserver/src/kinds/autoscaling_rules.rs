//! Validation of HorizontalPodAutoscalers, in the form of v2, in which they are stored.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/autoscaling/validation`.

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, dns1123_label, path_segment_name, validate_nonnegative,
};

use super::check::Node;
use super::core::resources::container_name;
use super::tree::Fields;

const WINDOW: i64 = 3600;
const PERIOD: i64 = 1800;
/// The sources of a metric by their types, in the order they are looked at.
const SOURCES: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];
const TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];

/// How a reference's API version is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ApiVersion {
    Any,
    EmptyGroup,
    Group,
}

/// The rules of an autoscaler.
pub(super) fn autoscaler(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let (mut e, mut last) = (FieldErrors::default(), FieldErrors::default());
    let spec = Node::of(new, "spec");
    let before = old.map(|old| Node::of(old, "spec"));
    let (min, max, target) =
        (spec.get("minReplicas"), spec.get("maxReplicas"), spec.get("scaleTargetRef"));
    if min.int() < 0 {
        last.push(min.invalid_int("must be greater than or equal to 0"));
    }
    if max.int() == 0 {
        last.push(max.required(""));
    } else if max.int() < 0 {
        last.push(max.invalid_int("must be greater than or equal to 1"));
    }
    if min.some_int().is_some_and(|min| max.int() < min) {
        e.push(max.invalid_int("must be greater than or equal to `minReplicas`"));
    }
    let same = |before: &Node<'_>| {
        let before = before.get("scaleTargetRef");
        ["apiVersion", "kind"].iter().all(|key| before.get(key).text() == target.get(key).text())
    };
    let how = match &before {
        Some(before) if same(before) => ApiVersion::Any,
        _ if target.get("kind").text() == "ReplicationController" => ApiVersion::EmptyGroup,
        _ => ApiVersion::Group,
    };
    reference(&target, how, &mut e);
    let objects = |spec: &Node<'_>| {
        spec.get("metrics").items().any(|metric| {
            let object = metric.get("object");
            metric.get("type").text() == "Object"
                && object.is_set()
                && api_version(
                    object.get("describedObject").get("apiVersion").text(),
                    ApiVersion::EmptyGroup,
                )
                .is_some()
        })
    };
    let how =
        if before.as_ref().is_some_and(objects) { ApiVersion::Any } else { ApiVersion::EmptyGroup };
    let metrics = spec.get("metrics");
    metrics.items().for_each(|one| metric(&one, how, &mut e));
    let scales = metrics.items().any(|m| matches!(m.get("type").text(), "Object" | "External"));
    if min.some_int() == Some(0) && !scales {
        let detail = "must specify at least one Object or External metric to support scaling to zero replicas";
        e.push(metrics.forbidden(detail));
    }
    for direction in ["scaleUp", "scaleDown"] {
        scaling_rules(&spec.get("behavior").get(direction), &mut e);
    }
    e.extend(last);
    e
}

/// What is wrong with an API version.
fn api_version(text: &str, how: ApiVersion) -> Option<String> {
    let slashes = text.matches('/').count();
    match how {
        ApiVersion::Any => None,
        _ if slashes > 1 => Some(format!("unexpected GroupVersion string: {text}")),
        ApiVersion::Group if slashes == 0 || text.starts_with('/') => {
            Some("apiVersion must specify API group".to_owned())
        }
        _ => None,
    }
}

fn reference(reference: &Node<'_>, how: ApiVersion, e: &mut FieldErrors) {
    for field in ["kind", "name"] {
        reference.get(field).required_rule(e, path_segment_name);
    }
    let version = reference.get("apiVersion");
    if let Some(problem) = api_version(version.text(), how) {
        e.push(version.invalid(problem));
    }
}

fn scaling_rules(rules: &Node<'_>, e: &mut FieldErrors) {
    if !rules.is_set() {
        return;
    }
    let window = rules.get("stabilizationWindowSeconds");
    if window.int() < 0 {
        e.push(window.invalid_int("must be greater than or equal to zero"));
    }
    if window.int() > WINDOW {
        e.push(window.invalid_int(format!("must be less than or equal to {WINDOW}")));
    }
    let select = rules.get("selectPolicy");
    if select.is_set() {
        select.supported(e, &["Disabled", "Max", "Min"]);
    }
    let policies = rules.get("policies");
    if policies.is_empty() {
        e.push(policies.required("must specify at least one Policy"));
    }
    for policy in policies.items() {
        policy.get("type").supported(e, &["Percent", "Pods"]);
        for field in ["value", "periodSeconds"] {
            let number = policy.get(field);
            if number.int() <= 0 {
                e.push(number.invalid_int("must be greater than zero"));
            }
        }
        let period = policy.get("periodSeconds");
        if period.int() > PERIOD {
            e.push(period.invalid_int(format!("must be less than or equal to {PERIOD}")));
        }
    }
    let tolerance = rules.get("tolerance");
    if tolerance.is_set() && tolerance.quantity().sign() < 0 {
        let shown = tolerance.quantity();
        let detail = "must be greater than or equal to 0";
        e.push(FieldError::invalid(tolerance.path(), shown.as_str(), detail));
    }
}

fn metric(metric: &Node<'_>, how: ApiVersion, e: &mut FieldErrors) {
    let kind = metric.get("type");
    if kind.is_empty() {
        e.push(kind.required("must specify a metric source type"));
    }
    kind.supported(e, &TYPES);
    let present: Vec<&str> = SOURCES
        .iter()
        .map(|(_, field)| *field)
        .filter(|field| metric.get(field).is_set())
        .collect();
    if let Some(first) = present.first() {
        source(first, &metric.get(first), how, e);
    }
    let expected = SOURCES.iter().find(|(name, _)| *name == kind.text()).map(|(_, field)| *field);
    match expected {
        Some(field) if !metric.get(field).is_set() => {
            let detail = "must populate information for the given metric source";
            e.push(metric.get(field).required(detail));
        }
        Some(_) => {}
        None => kind.supported(e, &TYPES),
    }
    if present.len() != 1 {
        for field in present.into_iter().filter(|field| Some(*field) != expected) {
            let detail = "must populate the given metric source only";
            e.push(metric.get(field).forbidden(detail));
        }
    }
}

fn source(kind: &str, source: &Node<'_>, how: ApiVersion, e: &mut FieldErrors) {
    let goal = source.get("target");
    let (value, average, utilization) =
        (goal.get("value"), goal.get("averageValue"), goal.get("averageUtilization"));
    match kind {
        "object" => {
            reference(&source.get("describedObject"), how, e);
            identifier(&source.get("metric"), e);
            target(&goal, e);
            if !value.is_set() && !average.is_set() {
                e.push(average.required("must set either a target value or averageValue"));
            }
        }
        "external" => {
            identifier(&source.get("metric"), e);
            target(&goal, e);
            if !value.is_set() && !average.is_set() {
                let detail = "must set either a target value for metric or a per-pod target";
                e.push(average.required(detail));
            }
            if value.is_set() && average.is_set() {
                let detail = "may not set both a target value for metric and a per-pod target";
                e.push(value.forbidden(detail));
            }
        }
        "pods" => {
            identifier(&source.get("metric"), e);
            target(&goal, e);
            if !average.is_set() {
                e.push(average.required("must specify a positive target averageValue"));
            }
        }
        _ => {
            let name = source.get("name");
            if name.is_empty() {
                e.push(name.required("must specify a resource name"));
            } else if kind == "containerResource" {
                container_name(&name, name.text(), e);
            }
            if kind == "containerResource" {
                let container = source.get("container");
                if container.is_empty() {
                    e.push(container.required("must specify a container"));
                } else {
                    container.rule(e, dns1123_label);
                }
            }
            target(&goal, e);
            if !utilization.is_set() && !average.is_set() {
                let detail = "must set either a target raw value or a target utilization";
                e.push(utilization.required(detail));
            }
            if utilization.is_set() && average.is_set() {
                let detail = "may not set both a target raw value and a target utilization";
                e.push(average.forbidden(detail));
            }
        }
    }
}

fn identifier(metric: &Node<'_>, e: &mut FieldErrors) {
    let name = metric.get("name");
    if name.is_empty() {
        e.push(name.required("must specify a metric name"));
    } else {
        name.rule(e, path_segment_name);
    }
}

fn target(target: &Node<'_>, e: &mut FieldErrors) {
    let kind = target.get("type");
    if kind.is_empty() {
        e.push(kind.required("must specify a metric target type"));
    }
    if !matches!(kind.text(), "Utilization" | "Value" | "AverageValue") {
        let shown = BadValue::named(kind.text());
        let detail = "must be either Utilization, Value, or AverageValue";
        e.push(FieldError::invalid(kind.path(), shown, detail));
    }
    for field in ["value", "averageValue"] {
        let amount = target.get(field);
        if amount.is_set() && amount.quantity().sign() != 1 {
            let shown = amount.quantity();
            e.push(FieldError::invalid(amount.path(), shown.as_str(), "must be positive"));
        }
    }
    let utilization = target.get("averageUtilization");
    if utilization.some_int().is_some_and(|utilization| utilization < 1) {
        e.push(utilization.invalid_int("must be greater than 0"));
    }
}

/// The rules of an update of an autoscaler's status.
pub(super) fn autoscaler_status(new: &Fields, _: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let status = Node::of(new, "status");
    for condition in status.get("conditions").items() {
        let seen = condition.get("observedGeneration");
        e.extend(validate_nonnegative(seen.path(), seen.int()));
    }
    status.get("currentReplicas").nonnegative(&mut e);
    status.get("desiredReplicas").nonnegative(&mut e);
    e
}
