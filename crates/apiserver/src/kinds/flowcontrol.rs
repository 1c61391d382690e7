//! Kinds of `flowcontrol.apiserver.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/flowcontrol`.

use super::defaults::Default;
use super::tree::{fill, fill_zero};

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    Some(match name {
        "FlowSchemaSpec" => |spec| fill_zero(spec, "matchingPrecedence", 1000),
        "ExemptPriorityLevelConfiguration" => |level| {
            fill(level, "nominalConcurrencyShares", 0);
            fill(level, "lendablePercent", 0);
        },
        "LimitedPriorityLevelConfiguration" => |level| {
            fill(level, "nominalConcurrencyShares", 30);
            fill(level, "lendablePercent", 0);
        },
        "QueuingConfiguration" => |queuing| {
            fill_zero(queuing, "handSize", 8);
            fill_zero(queuing, "queues", 64);
            fill_zero(queuing, "queueLengthLimit", 50);
        },
        _ => return None,
    })
}
