//! Updates of the status of the kinds of `apps`, and of ReplicationControllers.
//!
//! Go counterpart: the `Validate...StatusUpdate` functions of `k8s.io/kubernetes/pkg/apis/apps/validation`.

use pintle_apimachinery::validation::FieldErrors;

use super::check::Node;
use super::tree::Fields;

fn nonnegative(status: &Node<'_>, fields: &[&str], e: &mut FieldErrors) {
    for field in fields {
        status.get(field).nonnegative(e);
    }
}

/// Of no kind of replicas there are more than of all.
fn parts(status: &Node<'_>, fields: &[&str], ready: &str, e: &mut FieldErrors) {
    let all = status.get("replicas").int();
    for field in fields {
        let part = status.get(field);
        if part.int() > all {
            e.push(part.invalid_int("cannot be greater than status.replicas"));
        }
    }
    let available = status.get("availableReplicas");
    if available.int() > status.get("readyReplicas").int() {
        e.push(available.invalid_int(format!("cannot be greater than {ready}")));
    }
}

fn collisions(new: &Fields, old: &Fields, e: &mut FieldErrors) {
    let count = |object| Node::of(object, "status").get("collisionCount");
    let (new, old) = (count(new), count(old));
    if old.some_int().is_some_and(|old| new.some_int().is_none_or(|new| new < old)) {
        e.push(new.invalid_int("cannot be decremented"));
    }
}

/// The status of a DaemonSet.
pub(super) fn daemon_set(new: &Fields, old: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let fields = [
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ];
    nonnegative(&Node::of(new, "status"), &fields, &mut e);
    collisions(new, old, &mut e);
    e
}

/// The status of a Deployment.
pub(super) fn deployment(new: &Fields, old: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let status = Node::of(new, "status");
    let fields = [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    ];
    nonnegative(&status, &fields, &mut e);
    let fields = ["updatedReplicas", "readyReplicas", "availableReplicas"];
    parts(&status, &fields, "readyReplicas", &mut e);
    collisions(new, old, &mut e);
    e
}

/// The status of a ReplicaSet or ReplicationController.
pub(super) fn replica_set(new: &Fields, _: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let status = Node::of(new, "status");
    let fields = [
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "observedGeneration",
        "terminatingReplicas",
    ];
    nonnegative(&status, &fields, &mut e);
    let fields = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
    parts(&status, &fields, "readyReplicas", &mut e);
    e
}

/// The status of a StatefulSet.
pub(super) fn stateful_set(new: &Fields, old: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let status = Node::of(new, "status");
    let fields = [
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "observedGeneration",
        "collisionCount",
    ];
    nonnegative(&status, &fields, &mut e);
    let fields = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
    parts(&status, &fields, "status.readyReplicas", &mut e);
    collisions(new, old, &mut e);
    e
}
