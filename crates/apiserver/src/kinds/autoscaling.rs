//! Kinds of `autoscaling`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/autoscaling`.

use serde_json::{Value, json};

use super::defaults::Default;
use super::tree::{Fields, child, child_of, fill, is_empty};

/// The function of a type of v2.
pub(super) fn default_of(name: &str) -> Option<Default> {
    (name == "HorizontalPodAutoscaler").then_some(autoscaler as Default)
}

/// The function of a type of v1.
pub(super) fn default_of_v1(name: &str) -> Option<Default> {
    (name == "HorizontalPodAutoscaler")
        .then_some(|autoscaler| fill(child(autoscaler, "spec"), "minReplicas", 1))
}

fn autoscaler(autoscaler: &mut Fields) {
    let spec = child(autoscaler, "spec");
    fill(spec, "minReplicas", 1);
    if is_empty(spec.get("metrics")) {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        spec.insert("metrics".to_owned(), json!([metric]));
    }
    if let Some(behavior) = child_of(spec, "behavior") {
        let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
        let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
        let up = child(behavior, "scaleUp");
        fill(up, "stabilizationWindowSeconds", 0);
        rules(up, json!([pods, percent]));
        rules(child(behavior, "scaleDown"), json!([percent]));
    }
}

fn rules(rules: &mut Fields, policies: Value) {
    fill(rules, "selectPolicy", "Max");
    fill(rules, "policies", policies);
}
