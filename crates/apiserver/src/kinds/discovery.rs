//! Kinds of `discovery.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/discovery`.

use super::defaults::Default;
use super::tree::fill;

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    (name == "EndpointPort").then_some(|port| {
        fill(port, "name", "");
        fill(port, "protocol", "TCP");
    })
}
