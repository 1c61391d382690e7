//! Cells of Pods. Go counterpart: `printPod`.

use serde_json::{Value, json};

use super::Clock;
use super::cells::{count, get, int, items, text};
use crate::object::{Object, metadata};

/// What is worked out of a Pod's containers.
struct Summary {
    reason: String,
    restarts: i64,
    last_restart: String,
    ready: usize,
    total: usize,
}

/// Whether an init container runs beside the others.
fn is_restartable(pod: &Object, name: &str) -> bool {
    items(pod, "spec.initContainers")
        .any(|c| text(c, "name") == name && text(c, "restartPolicy") == "Always")
}

fn holds(pod: &Object, kind: &str) -> bool {
    items(pod, "status.conditions")
        .any(|condition| text(condition, "type") == kind && text(condition, "status") == "True")
}

/// The later of two times; times of equal form sort as texts.
fn later(old: &mut String, new: &str) {
    if new > old.as_str() {
        new.clone_into(old);
    }
}

/// Why a container ended.
fn ended(container: &Object, prefix: &str) -> String {
    let state = |key: &str| format!("state.terminated.{key}");
    match (text(container, &state("reason")), int(container, &state("signal"))) {
        ("", 0) => format!("{prefix}ExitCode:{}", int(container, &state("exitCode"))),
        ("", signal) => format!("{prefix}Signal:{signal}"),
        (reason, _) => format!("{prefix}{reason}"),
    }
}

fn summary(pod: &Object) -> Summary {
    let phase = text(pod, "status.phase");
    let mut out = Summary {
        reason: super::cells::or(text(pod, "status.reason"), phase).to_owned(),
        restarts: 0,
        last_restart: String::new(),
        ready: 0,
        total: count(pod, "spec.containers"),
    };
    if items(pod, "status.conditions").any(|condition| {
        text(condition, "type") == "PodScheduled" && text(condition, "reason") == "SchedulingGated"
    }) {
        "SchedulingGated".clone_into(&mut out.reason);
    }
    let restartable = |c: &&Object| text(c, "restartPolicy") == "Always";
    out.total += items(pod, "spec.initContainers").filter(restartable).count();
    let (initializing, beside) = init_containers(pod, &mut out);
    if !initializing || holds(pod, "Initialized") {
        (out.restarts, out.last_restart) = beside;
        containers(pod, &mut out);
    }
    if metadata(pod).contains_key("deletionTimestamp") {
        if text(pod, "status.reason") == "NodeLost" {
            "Unknown".clone_into(&mut out.reason);
        } else if !matches!(phase, "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut out.reason);
        }
    }
    out
}

/// Goes through the init containers until one is not done; tells whether there is such a one, and
/// the restarts of those that run beside the others.
fn init_containers(pod: &Object, out: &mut Summary) -> (bool, (i64, String)) {
    let mut beside = (0, String::new());
    let all = count(pod, "spec.initContainers");
    for (index, container) in items(pod, "status.initContainerStatuses").enumerate() {
        let restarts = int(container, "restartCount");
        let finished = text(container, "lastState.terminated.finishedAt");
        out.restarts += restarts;
        later(&mut out.last_restart, finished);
        let restartable = is_restartable(pod, text(container, "name"));
        if restartable {
            beside.0 += restarts;
            later(&mut beside.1, finished);
        }
        let terminated = get(container, "state.terminated").is_some();
        if terminated && int(container, "state.terminated.exitCode") == 0 {
            continue;
        }
        if restartable && get(container, "started") == Some(&Value::Bool(true)) {
            if get(container, "ready") == Some(&Value::Bool(true)) {
                out.ready += 1;
            }
            continue;
        }
        out.reason = match text(container, "state.waiting.reason") {
            _ if terminated => ended(container, "Init:"),
            "" | "PodInitializing" => format!("Init:{index}/{all}"),
            reason => format!("Init:{reason}"),
        };
        return (true, beside);
    }
    (false, beside)
}

fn containers(pod: &Object, out: &mut Summary) {
    let (mut running, mut error) = (false, String::new());
    let all: Vec<&Object> = items(pod, "status.containerStatuses").collect();
    for container in all.into_iter().rev() {
        out.restarts += int(container, "restartCount");
        later(&mut out.last_restart, text(container, "lastState.terminated.finishedAt"));
        let waiting = text(container, "state.waiting.reason");
        if !waiting.is_empty() {
            waiting.clone_into(&mut out.reason);
        } else if get(container, "state.terminated").is_some() {
            out.reason = ended(container, "");
            if int(container, "state.terminated.exitCode") != 0 {
                error.clone_from(&out.reason);
            }
        } else if get(container, "ready") == Some(&Value::Bool(true))
            && get(container, "state.running").is_some()
        {
            running = true;
            out.ready += 1;
        }
    }
    // One container still running makes the Pod a running one.
    if out.reason == "Completed" {
        if running && holds(pod, "Ready") {
            "Running".clone_into(&mut out.reason);
        } else if !error.is_empty() {
            out.reason = error;
        } else if running {
            "NotReady".clone_into(&mut out.reason);
        }
    }
}

pub(super) fn ready(pod: &Object, _: &Clock) -> Value {
    let Summary { ready, total, .. } = summary(pod);
    format!("{ready}/{total}").into()
}

pub(super) fn status(pod: &Object, _: &Clock) -> Value {
    summary(pod).reason.into()
}

pub(super) fn restarts(pod: &Object, clock: &Clock) -> Value {
    let Summary { restarts, last_restart, .. } = summary(pod);
    if restarts != 0 && !last_restart.is_empty() {
        return format!("{restarts} ({} ago)", clock.since(&last_restart)).into();
    }
    restarts.to_string().into()
}

pub(super) fn ip(pod: &Object, _: &Clock) -> Value {
    let first = items(pod, "status.podIPs").next().map_or("", |address| text(address, "ip"));
    super::cells::or(first, "<none>").into()
}

pub(super) fn gates(pod: &Object, _: &Clock) -> Value {
    let all = count(pod, "spec.readinessGates");
    if all == 0 {
        return "<none>".into();
    }
    let open = items(pod, "spec.readinessGates").filter(|gate| {
        let kind = text(gate, "conditionType");
        let found = items(pod, "status.conditions").find(|c| text(c, "type") == kind);
        found.is_some_and(|condition| text(condition, "status") == "True")
    });
    format!("{}/{all}", open.count()).into()
}

/// A Pod that is over says so beside its cells.
pub(super) fn conditions(pod: &Object) -> Option<Value> {
    let (reason, message) = match text(pod, "status.phase") {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!([
        {"type": "Completed", "status": "True", "reason": reason, "message": message},
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_apimachinery::Time;

    #[track_caller]
    fn check(pod: Value, expect: [&str; 3]) {
        let Value::Object(pod) = pod else { panic!("not an object") };
        let clock = Clock { now: Time::parse("2026-01-01T01:00:00Z").expect("a time") };
        let got = [ready(&pod, &clock), status(&pod, &clock), restarts(&pod, &clock)];
        assert_eq!(got.map(|cell| cell.as_str().expect("a text").to_owned()), expect);
    }

    fn pod(init: Value, containers: Value, conditions: Value) -> Value {
        json!({
            "metadata": {"name": "p"},
            "spec": {
                "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}],
                "containers": [{"name": "a"}, {"name": "b"}],
            },
            "status": {
                "phase": "Running", "initContainerStatuses": init,
                "containerStatuses": containers, "conditions": conditions,
            },
        })
    }

    #[test]
    fn status_follows_the_containers() {
        let done = json!({"name": "i", "state": {"terminated": {"exitCode": 0}}});
        let beside = json!({"name": "s", "started": true, "ready": true, "restartCount": 2});
        let running = |name: &str| json!({"name": name, "ready": true, "state": {"running": {}}});
        check(
            json!({"spec": {"containers": [{}]}, "status": {"phase": "Pending"}}),
            ["0/1", "Pending", "0"],
        );
        check(
            pod(json!([done, beside]), json!([running("a"), running("b")]), json!([])),
            ["3/3", "Running", "2"],
        );
        check(
            pod(json!([{"name": "i", "state": {"running": {}}}]), json!([]), json!([])),
            ["0/3", "Init:0/2", "0"],
        );
        let failed = json!([{"name": "i", "state": {"terminated": {"exitCode": 3}}}]);
        check(pod(failed, json!([]), json!([])), ["0/3", "Init:ExitCode:3", "0"]);
        let crashed = json!({
            "name": "a", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"finishedAt": "2026-01-01T00:58:00Z"}},
        });
        check(
            pod(json!([done]), json!([crashed, running("b")]), json!([])),
            ["1/3", "CrashLoopBackOff", "4 (2m ago)"],
        );
        let completed = json!({"name": "a", "state": {"terminated": {"reason": "Completed"}}});
        check(
            pod(json!([done]), json!([completed, running("b")]), json!([])),
            ["1/3", "NotReady", "0"],
        );
    }
}
