//! Kinds of `networking.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/networking`.

use serde_json::json;

use super::defaults::Default;
use super::tree::{Fields, child, child_of, fill, is_empty};

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    Some(match name {
        "NetworkPolicyPort" => |port| fill(port, "protocol", "TCP"),
        "NetworkPolicy" => network_policy,
        "IngressClass" => |class| {
            if let Some(parameters) = child_of(child(class, "spec"), "parameters") {
                fill(parameters, "scope", "Cluster");
            }
        },
        _ => return None,
    })
}

fn network_policy(policy: &mut Fields) {
    let spec = child(policy, "spec");
    if is_empty(spec.get("policyTypes")) {
        let egress = !is_empty(spec.get("egress"));
        let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
        spec.insert("policyTypes".to_owned(), types);
    }
}
