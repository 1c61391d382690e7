//! Kinds of `scheduling.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/scheduling`.

use super::defaults::Default;
use super::tree::fill;

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    (name == "PriorityClass")
        .then_some(|class| fill(class, "preemptionPolicy", "PreemptLowerPriority"))
}
