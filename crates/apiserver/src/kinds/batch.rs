//! Kinds of `batch`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/batch`.

use super::defaults::Default;
use super::tree::{Fields, at, child, fill, fill_zero, is_empty, is_nil};

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    Some(match name {
        "Job" => job,
        "CronJob" => cron_job,
        "PodFailurePolicyOnPodConditionsPattern" => |pattern| fill_zero(pattern, "status", "True"),
        _ => return None,
    })
}

fn job(job: &mut Fields) {
    let spec = child(job, "spec");
    if is_nil(spec.get("parallelism")) && is_nil(spec.get("completions")) {
        fill(spec, "completions", 1);
    }
    fill(spec, "parallelism", 1);
    let limit = if is_nil(spec.get("backoffLimitPerIndex")) { 6 } else { i32::MAX };
    fill(spec, "backoffLimit", limit);
    fill(spec, "completionMode", "NonIndexed");
    fill(spec, "suspend", false);
    let policy =
        if is_nil(spec.get("podFailurePolicy")) { "TerminatingOrFailed" } else { "Failed" };
    fill(spec, "podReplacementPolicy", policy);
    fill(spec, "manualSelector", false);
    let labels = at(spec, &["template", "metadata", "labels"]).cloned();
    let meta = child(job, "metadata");
    if let Some(labels) = labels
        && is_empty(meta.get("labels"))
    {
        meta.insert("labels".to_owned(), labels);
    }
}

fn cron_job(job: &mut Fields) {
    let spec = child(job, "spec");
    fill_zero(spec, "concurrencyPolicy", "Allow");
    fill(spec, "suspend", false);
    fill(spec, "successfulJobsHistoryLimit", 3);
    fill(spec, "failedJobsHistoryLimit", 1);
}
