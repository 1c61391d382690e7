//! Kinds of `apps`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/apps`.

use serde_json::{Value, json};

use super::defaults::Default;
use super::tree::{Fields, child, child_of, fill, fill_zero, text};

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    Some(match name {
        "Deployment" => deployment,
        "DaemonSet" => daemon_set,
        "StatefulSet" => stateful_set,
        "ReplicaSet" => |set| fill(child(set, "spec"), "replicas", 1),
        _ => return None,
    })
}

fn deployment(deployment: &mut Fields) {
    let spec = child(deployment, "spec");
    fill(spec, "replicas", 1);
    let strategy = child(spec, "strategy");
    fill_zero(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        fill(rolling, "maxUnavailable", "25%");
        fill(rolling, "maxSurge", "25%");
    }
    fill(spec, "revisionHistoryLimit", 10);
    fill(spec, "progressDeadlineSeconds", 600);
}

fn daemon_set(set: &mut Fields) {
    let spec = child(set, "spec");
    let strategy = child(spec, "updateStrategy");
    fill_zero(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        fill(rolling, "maxUnavailable", 1);
        fill(rolling, "maxSurge", 0);
    }
    fill(spec, "revisionHistoryLimit", 10);
}

fn stateful_set(set: &mut Fields) {
    let spec = child(set, "spec");
    fill_zero(spec, "podManagementPolicy", "OrderedReady");
    let strategy = child(spec, "updateStrategy");
    if text(strategy, "type").is_empty() {
        strategy.insert("type".to_owned(), "RollingUpdate".into());
        fill(strategy, "rollingUpdate", json!({}));
    }
    if text(strategy, "type") == "RollingUpdate"
        && let Some(rolling) = child_of(strategy, "rollingUpdate")
    {
        fill(rolling, "partition", 0);
        fill(rolling, "maxUnavailable", 1);
    }
    fill(spec, "persistentVolumeClaimRetentionPolicy", Value::Object(Fields::new()));
    let policy = child(spec, "persistentVolumeClaimRetentionPolicy");
    fill_zero(policy, "whenDeleted", "Retain");
    fill_zero(policy, "whenScaled", "Retain");
    fill(spec, "replicas", 1);
    fill(spec, "revisionHistoryLimit", 10);
}
