//! Kinds of `admissionregistration.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/admissionregistration`.

use serde_json::json;

use super::defaults::Default;
use super::tree::{Fields, fill};

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    Some(match name {
        "ValidatingWebhook" => webhook,
        "MutatingWebhook" => |hook| {
            webhook(hook);
            fill(hook, "reinvocationPolicy", "Never");
        },
        // An embedded Rule, of which it is the inlined part.
        "Rule" => |rule| fill(rule, "scope", "*"),
        "ServiceReference" => |service| fill(service, "port", 443),
        "ValidatingAdmissionPolicySpec" | "MutatingAdmissionPolicySpec" => {
            |spec| fill(spec, "failurePolicy", "Fail")
        }
        "MatchResources" => matching,
        _ => return None,
    })
}

fn webhook(hook: &mut Fields) {
    fill(hook, "failurePolicy", "Fail");
    matching(hook);
    fill(hook, "timeoutSeconds", 10);
}

fn matching(resources: &mut Fields) {
    fill(resources, "matchPolicy", "Equivalent");
    fill(resources, "namespaceSelector", json!({}));
    fill(resources, "objectSelector", json!({}));
}
