//! Updates of the status of Jobs.
//!
//! Go counterpart: `ValidateJobUpdateStatus` in `k8s.io/kubernetes/pkg/apis/batch/validation`, and
//! which of its rules the Job's strategy asks for: those about what has changed.

use std::collections::BTreeSet;

use pintle_apimachinery::Time;
use pintle_apimachinery::validation::{BadValue, FieldError, FieldErrors, validate_nonnegative};

use super::check::{Node, same, struct_shown};
use super::tree::Fields;
use crate::status::quote;

/// A status, and what can be said of it.
struct Status<'a> {
    node: Node<'a>,
    complete: bool,
    failed: bool,
    failure_target: bool,
    success: bool,
}

impl<'a> Status<'a> {
    fn of(job: &'a Fields) -> Status<'a> {
        let node = Node::of(job, "status");
        let is = |kind: &str| holds(&node, kind, "True");
        let (complete, failed) = (is("Complete"), is("Failed"));
        let (failure_target, success) = (is("FailureTarget"), is("SuccessCriteriaMet"));
        Status { node, complete, failed, failure_target, success }
    }

    fn finished(&self) -> bool {
        self.complete || self.failed
    }

    fn get(&self, name: &str) -> Node<'a> {
        self.node.get(name)
    }
}

/// Whether a condition has this value.
fn holds(status: &Node<'_>, kind: &str, value: &str) -> bool {
    let conditions = status.get("conditions");
    conditions.items().any(|c| c.get("type").text() == kind && c.get("status").text() == value)
}

/// An error of a rule that shows no value.
fn bare(field: &Node<'_>, detail: &str) -> FieldError {
    FieldError { bad_value: None, ..FieldError::invalid(field.path(), "", detail) }
}

fn time(node: &Node<'_>) -> Option<Time> {
    serde_json::from_value(node.value().clone()).ok()
}

/// The rules of an update of a Job's status.
pub(super) fn job(new: &Fields, old: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    let (status, before) = (Status::of(new), Status::of(old));
    let changed = |field: &str| !same(status.get(field).value(), before.get(field).value());
    let finished_changed = status.finished() != before.finished();
    let complete_changed = status.complete != before.complete;
    counts(&status, &mut e);
    let conditions = status.get("conditions");
    let (completion, start) = (status.get("completionTime"), status.get("startTime"));
    if (complete_changed || status.failed != before.failed) && status.complete && status.failed {
        e.push(bare(&conditions, "cannot set Complete=True and Failed=true conditions"));
    }
    if (complete_changed || status.failure_target != before.failure_target)
        && status.complete
        && status.failure_target
    {
        e.push(bare(&conditions, "cannot set Complete=True and FailureTarget=true conditions"));
    }
    if complete_changed || changed("completionTime") {
        if completion.is_set() && !status.complete {
            let detail = "cannot set completionTime when there is no Complete=True condition";
            e.push(completion.invalid(detail));
        }
        if !completion.is_set() && status.complete {
            e.push(completion.required("completionTime is required for Complete jobs"));
        }
    }
    if (changed("startTime") || changed("completionTime"))
        && let (Some(from), Some(to)) = (time(&start), time(&completion))
        && to < from
    {
        e.push(completion.invalid("must be equal to or after `startTime`"));
    }
    if (status.failed != before.failed || changed("failedIndexes"))
        && status.failed
        && !status.failure_target
    {
        let detail = "cannot set Failed=True condition without the FailureTarget=true condition";
        e.push(bare(&conditions, detail));
    }
    if (complete_changed || status.success != before.success) && status.complete && !status.success
    {
        let detail =
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
        e.push(bare(&conditions, detail));
    }
    let active = status.get("active");
    if (finished_changed || changed("active")) && active.int() > 0 && status.finished() {
        e.push(active.invalid_int("active>0 is invalid for finished job"));
    }
    let nothing_to_do = spec.get("suspend").flag() && spec.get("completions").some_int() == Some(0);
    if (finished_changed || changed("startTime"))
        && !nothing_to_do
        && !start.is_set()
        && status.finished()
    {
        e.push(start.required("startTime is required for finished job"));
    }
    let uncounted = status.get("uncountedTerminatedPods");
    if (finished_changed || changed("uncountedTerminatedPods"))
        && status.finished()
        && uncounted.get("succeeded").len() + uncounted.get("failed").len() > 0
    {
        let list = |name: &str| {
            let list = uncounted.get(name);
            if list.is_set() { list.bad() } else { BadValue::NULL }
        };
        let shown = struct_shown(&[("Succeeded", list("succeeded")), ("Failed", list("failed"))]);
        let detail = "must be empty for finished job";
        e.push(FieldError::invalid(uncounted.path(), shown, detail));
    }
    indexes(&spec, &status, &changed, &mut e);
    let (ready, ending) = (status.get("ready"), status.get("terminating"));
    if (finished_changed || changed("terminating")) && ending.int() > 0 && status.finished() {
        e.push(ending.invalid_int("terminating>0 is invalid for finished job"));
    }
    if (changed("ready") || changed("active")) && ready.is_set() && ready.int() > active.int() {
        e.push(ready.invalid_int("cannot set more ready pods than active"));
    }
    if status.success && status.failed {
        e.push(bare(&conditions, "cannot set SuccessCriteriaMet=True and Failed=true conditions"));
    }
    if status.success && status.failure_target {
        let detail = "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions";
        e.push(bare(&conditions, detail));
    }
    if spec.get("successPolicy").is_set() && !status.success && status.complete {
        let detail = "cannot set Complete=True for Job with SuccessPolicy unless \
                      SuccessCriteriaMet=True";
        e.push(bare(&conditions, detail));
    }
    transitions(&spec, &status, &before, &mut e);
    e
}

fn counts(status: &Status<'_>, e: &mut FieldErrors) {
    for field in ["active", "succeeded", "failed", "ready", "terminating"] {
        let count = status.get(field);
        e.extend(validate_nonnegative(count.path(), count.int()));
    }
    let mut seen = BTreeSet::new();
    for list in ["succeeded", "failed"] {
        for uid in status.get("uncountedTerminatedPods").get(list).items() {
            if uid.is_empty() {
                e.push(uid.invalid("must not be empty"));
            } else if !seen.insert(uid.text()) {
                let shown = BadValue::named(uid.text());
                e.push(FieldError::duplicate(uid.path(), shown));
            }
        }
    }
}

fn indexes(
    spec: &Node<'_>,
    status: &Status<'_>,
    changed: &dyn Fn(&str) -> bool,
    e: &mut FieldErrors,
) {
    let completions = spec.get("completions").some_int();
    let (completed, failed) = (status.get("completedIndexes"), status.get("failedIndexes"));
    let per_index = spec.get("backoffLimitPerIndex").is_set();
    if changed("completedIndexes")
        && let Some(completions) = completions
        && let Err(problem) = check(completed.text(), completions)
    {
        e.push(completed.invalid(format!("error parsing completedIndexes: {problem}")));
    }
    if changed("failedIndexes")
        && per_index
        && failed.is_set()
        && let Some(completions) = completions
        && let Err(problem) = check(failed.text(), completions)
    {
        e.push(failed.invalid(format!("error parsing failedIndexes: {problem}")));
    }
    if changed("completedIndexes")
        && !completed.is_empty()
        && spec.get("completionMode").text() != "Indexed"
    {
        let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
        e.push(completed.invalid(detail));
    }
    if changed("failedIndexes") && !per_index && failed.is_set() {
        let detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        e.push(failed.invalid(detail));
    }
    if (changed("failedIndexes") || changed("completedIndexes"))
        && failed.is_set()
        && let Some(completions) = completions
        && let Some(index) = overlap(completed.text(), failed.text(), completions)
    {
        let detail = format!("failedIndexes and completedIndexes overlap at index: {index}");
        e.push(failed.invalid(detail));
    }
}

fn transitions(spec: &Node<'_>, status: &Status<'_>, before: &Status<'_>, e: &mut FieldErrors) {
    let conditions = status.get("conditions");
    for kind in ["Failed", "Complete", "FailureTarget"] {
        if holds(&before.node, kind, "True") && !holds(&status.node, kind, "True") {
            e.push(bare(
                &conditions,
                &format!("cannot disable the terminal {kind}=True condition"),
            ));
        }
    }
    let failed = status.get("failed");
    if failed.int() < before.get("failed").int() {
        e.push(failed.invalid_int("cannot decrease the failed counter"));
    }
    let succeeded = status.get("succeeded");
    let scales = spec.get("completionMode").text() == "Indexed"
        && spec.peek("completions") == spec.peek("parallelism");
    if !scales && succeeded.int() < before.get("succeeded").int() {
        e.push(succeeded.invalid_int("cannot decrease the succeeded counter"));
    }
    let (completion, was) = (status.get("completionTime"), before.get("completionTime"));
    if completion.is_set() && was.is_set() && completion.value() != was.value() {
        e.push(completion.invalid("field is immutable"));
    }
    let (start, was) = (status.get("startTime"), before.get("startTime"));
    let resumes =
        holds(&before.node, "Suspended", "True") && holds(&status.node, "Suspended", "False");
    if was.is_set() && start.value() != was.value() && !resumes && !spec.get("suspend").flag() {
        let shown = if start.is_set() { start.bad() } else { BadValue::NULL };
        let detail = "field is immutable for unsuspended job once set";
        e.push(FieldError::invalid(start.path(), shown, detail));
    }
    if before.success && !status.success {
        e.push(bare(&conditions, "cannot disable the SuccessCriteriaMet=True condition"));
    }
    if before.complete && !before.success && status.success {
        let detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true \
                      conditions";
        e.push(bare(&conditions, detail));
    }
}

/// The first and the last index of `3` or `3-5`.
fn interval(text: &str, completions: i64) -> Result<(i64, i64), String> {
    let limits: Vec<&str> = text.split('-').collect();
    if limits.len() > 2 {
        return Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two \
             parts separated by '-'",
            quote(text)
        ));
    }
    let number = |text: &str| {
        let number = text.parse::<i64>();
        let number = number
            .map_err(|_| format!("cannot convert string to integer for index: {}", quote(text)))?;
        if number >= completions {
            return Err(format!("too large index: {}", quote(text)));
        }
        Ok(number)
    };
    let first = number(limits[0])?;
    let Some(last) = limits.get(1) else { return Ok((first, first)) };
    let last = number(last)?;
    if first >= last {
        return Err(format!("non-increasing order, previous: {first}, current: {last}"));
    }
    Ok((first, last))
}

/// Checks indexes such as `1,3-5,7`.
pub(super) fn check(text: &str, completions: i64) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let mut last: Option<i64> = None;
    for text in text.split(',') {
        let (from, to) = interval(text, completions)?;
        if let Some(last) = last.filter(|last| *last >= from) {
            return Err(format!("non-increasing order, previous: {last}, current: {from}"));
        }
        last = Some(to);
    }
    Ok(())
}

/// The first index that is in both, where they are well formed.
fn overlap(completed: &str, failed: &str, completions: i64) -> Option<i64> {
    if completed.is_empty() || failed.is_empty() {
        return None;
    }
    let list = |text: &str| -> Vec<(i64, i64)> {
        text.split(',').filter_map(|text| interval(text, completions).ok()).collect()
    };
    let (completed, failed) = (list(completed), list(failed));
    let (mut a, mut b) = (completed.iter().peekable(), failed.iter().peekable());
    while let (Some((from, to)), Some((first, last))) = (a.peek(), b.peek()) {
        if from <= last && first <= to {
            return Some(*from.max(first));
        }
        if from <= first {
            a.next();
        } else {
            b.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_overlap() {
        assert_eq!(overlap("0-3,7", "5,7-8", 10), Some(7));
        assert_eq!(overlap("0-3,x,7", "4-6", 10), None);
    }

    #[test]
    fn indexes_ascend() {
        assert!(check("1,3-5,7", 8).is_ok());
        assert_eq!(check("3,3", 8).unwrap_err(), "non-increasing order, previous: 3, current: 3");
        assert_eq!(check("8", 8).unwrap_err(), "too large index: \"8\"");
    }
}
