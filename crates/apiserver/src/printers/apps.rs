//! Cells of workloads.

use pintle_apimachinery::util::human_duration;
use pintle_apimachinery::{Duration, Time};
use serde_json::Value;

use super::Clock;
use super::cells::{self, get, int, items, text};
use crate::object::{Object, metadata};

pub(super) fn ready(object: &Object, _: &Clock) -> Value {
    format!("{}/{}", int(object, "status.readyReplicas"), int(object, "spec.replicas")).into()
}

pub(super) fn containers(object: &Object, _: &Clock) -> Value {
    cells::containers(object, "spec.template.spec.containers", "name")
}

pub(super) fn images(object: &Object, _: &Clock) -> Value {
    cells::containers(object, "spec.template.spec.containers", "image")
}

pub(super) fn selector(object: &Object, _: &Clock) -> Value {
    cells::selector_or_none(object, "spec.selector")
}

pub(super) fn bare_selector(object: &Object, _: &Clock) -> Value {
    cells::selector(object, "spec.selector").into()
}

pub(super) fn node_selector(object: &Object, _: &Clock) -> Value {
    cells::labels(object, "spec.template.spec.nodeSelector").into()
}

pub(super) fn controller(object: &Object, _: &Clock) -> Value {
    let owner = items(object, "metadata.ownerReferences")
        .find(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    match owner {
        Some(owner) => {
            let of = |key| text(owner, key);
            cells::kind_and_name(of("apiVersion"), of("kind"), of("name")).into()
        }
        None => "<none>".into(),
    }
}

pub(super) fn job_status(object: &Object, _: &Clock) -> Value {
    let holds = |kind: &str| {
        cells::condition(object, kind).is_some_and(|condition| text(condition, "status") == "True")
    };
    let status = if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if metadata(object).contains_key("deletionTimestamp") {
        "Terminating"
    } else if holds("Suspended") {
        "Suspended"
    } else if holds("FailureTarget") {
        "FailureTarget"
    } else if holds("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    };
    status.into()
}

pub(super) fn completions(object: &Object, _: &Clock) -> Value {
    let succeeded = int(object, "status.succeeded");
    if let Some(wanted) = get(object, "spec.completions") {
        return format!("{succeeded}/{wanted}").into();
    }
    match int(object, "spec.parallelism") {
        many @ 2.. => format!("{succeeded}/1 of {many}").into(),
        _ => format!("{succeeded}/1").into(),
    }
}

pub(super) fn job_duration(object: &Object, clock: &Clock) -> Value {
    let Ok(start) = Time::parse(text(object, "status.startTime")) else { return "".into() };
    let end = Time::parse(text(object, "status.completionTime")).unwrap_or(clock.now);
    human_duration(Duration::from_secs(end.unix().saturating_sub(start.unix()))).into()
}

pub(super) fn suspend(object: &Object, _: &Clock) -> Value {
    // A text although the column says otherwise.
    match get(object, "spec.suspend") {
        Some(Value::Bool(true)) => "True",
        Some(_) => "False",
        None => "<unset>",
    }
    .into()
}

pub(super) fn last_schedule(object: &Object, clock: &Clock) -> Value {
    match text(object, "status.lastScheduleTime") {
        "" => "<none>".into(),
        then => clock.since(then).into(),
    }
}

pub(super) fn cron_containers(object: &Object, _: &Clock) -> Value {
    cells::containers(object, "spec.jobTemplate.spec.template.spec.containers", "name")
}

pub(super) fn cron_images(object: &Object, _: &Clock) -> Value {
    cells::containers(object, "spec.jobTemplate.spec.template.spec.containers", "image")
}

pub(super) fn cron_selector(object: &Object, _: &Clock) -> Value {
    cells::selector_or_none(object, "spec.jobTemplate.spec.selector")
}
