//! Kinds of `policy`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/policy`.

use pintle_apimachinery::validation::{BadValue, FieldError, FieldErrors, validate_conditions};
use serde_json::Value;

use super::apps_rules::{at_most_all, int_or_percent};
use super::check::{Node, same, struct_shown};
use super::tree::{Fields, child, child_of};

/// A label that conversions from v1beta1 leave in selectors.
const INTERNAL: &str = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";

/// Takes the label of old conversions off a selector that says more than everything or nothing.
pub(super) fn strip(budget: &mut Fields, old: Option<&Fields>) {
    let selector = Node::of(budget, "spec").get("selector");
    if old.is_some_and(|old| same(Node::of(old, "spec").get("selector").value(), selector.value()))
    {
        return;
    }
    let expressions = selector.get("matchExpressions");
    let only = |operator: &str| {
        selector.get("matchLabels").is_empty()
            && expressions.len() == 1
            && expressions.items().all(|one| {
                one.get("key").text() == INTERNAL && one.get("operator").text() == operator
            })
    };
    if only("Exists") || only("DoesNotExist") {
        return;
    }
    let Some(selector) = child_of(child(budget, "spec"), "selector") else { return };
    if let Some(labels) = child_of(selector, "matchLabels") {
        labels.shift_remove(INTERNAL);
    }
    if let Some(Value::Array(list)) = selector.get_mut("matchExpressions") {
        list.retain(|one| one["key"] != INTERNAL);
    }
}

/// The rules of a PodDisruptionBudget.
pub(super) fn budget(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    let (min, max) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
    if min.is_set() && max.is_set() {
        let shown = |node: &Node<'_>| match node.value() {
            Value::Null => BadValue::NULL,
            Value::String(text) => BadValue::named(text),
            value => BadValue::from(value),
        };
        let selector = spec.get("selector");
        let shown = struct_shown(&[
            ("MinAvailable", shown(&min)),
            (
                "Selector",
                if selector.is_set() { selector.selector_shown() } else { BadValue::NULL },
            ),
            ("MaxUnavailable", shown(&max)),
            ("UnhealthyPodEvictionPolicy", shown(&spec.get("unhealthyPodEvictionPolicy"))),
        ]);
        let detail = "minAvailable and maxUnavailable cannot be both set";
        e.push(FieldError::invalid(spec.path(), shown, detail));
    }
    for amount in [min, max].iter().filter(|amount| amount.is_set()) {
        int_or_percent(amount, &mut e);
        at_most_all(amount, &mut e);
    }
    let before = old.map(|old| Node::of(old, "spec").get("selector"));
    spec.get("selector").selector_over(&mut e, before.as_ref());
    let policy = spec.get("unhealthyPodEvictionPolicy");
    if policy.is_set() {
        policy.supported(&mut e, &["AlwaysAllow", "IfHealthyBudget"]);
    }
    e
}

/// The rules of an update of a budget's status.
pub(super) fn budget_status(new: &Fields, _: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let status = Node::of(new, "status");
    let conditions = status.get("conditions");
    let typed = serde_json::from_value::<Vec<_>>(conditions.value().clone()).unwrap_or_default();
    e.extend(validate_conditions(conditions.path(), &typed));
    for field in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
        status.get(field).nonnegative(&mut e);
    }
    e
}
