//! Kinds of `coordination.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/coordination`.

use pintle_apimachinery::validation::{BadValue, FieldError, FieldErrors, label_key};

use super::check::Node;
use super::tree::{Fields, at, child};

/// Fields behind a gate that is off.
pub(super) fn prepare(lease: &mut Fields, old: Option<&Fields>) {
    for field in ["strategy", "preferredHolder"] {
        if old.is_none_or(|old| at(old, &["spec", field]).is_none()) {
            child(lease, "spec").shift_remove(field);
        }
    }
}

/// The rules of a Lease.
pub(super) fn lease(new: &Fields, _: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    let (duration, transitions) = (spec.get("leaseDurationSeconds"), spec.get("leaseTransitions"));
    if duration.some_int().is_some_and(|seconds| seconds <= 0) {
        e.push(duration.invalid_int("must be greater than 0"));
    }
    if transitions.int() < 0 {
        e.push(transitions.invalid_int("must be greater than or equal to 0"));
    }
    let (strategy, preferred) = (spec.get("strategy"), spec.get("preferredHolder"));
    if strategy.is_set() {
        let node = strategy.get("strategy").at(strategy.path().child("strategy"));
        let shown = BadValue::named(strategy.text());
        if strategy.text().contains('/') {
            let problems = label_key(strategy.text()).into_iter();
            e.extend(problems.map(|p| FieldError::invalid(node.path(), shown.clone(), p)));
        } else if strategy.text() != "OldestEmulationVersion" {
            e.push(FieldError::not_supported(node.path(), shown, &["OldestEmulationVersion"]));
        }
    }
    if !preferred.is_empty() && strategy.is_empty() {
        e.push(preferred.forbidden("may only be specified if `strategy` is defined"));
    }
    e
}
