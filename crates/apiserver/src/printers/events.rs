//! Cells of events, which are stored in the form of the legacy group.

use serde_json::Value;

use super::Clock;
use super::cells::{get, int, or, text};
use crate::object::Object;

pub(super) fn first_seen(object: &Object, clock: &Clock) -> Value {
    let then = or(text(object, "firstTimestamp"), text(object, "eventTime"));
    clock.since(then).into()
}

pub(super) fn last_seen(object: &Object, clock: &Clock) -> Value {
    if get(object, "series").is_some() {
        return clock.since(text(object, "series.lastObservedTime")).into();
    }
    match text(object, "lastTimestamp") {
        "" => first_seen(object, clock),
        then => clock.since(then).into(),
    }
}

pub(super) fn count(object: &Object, _: &Clock) -> Value {
    match get(object, "series") {
        Some(_) => int(object, "series.count"),
        None => int(object, "count").max(1),
    }
    .into()
}

pub(super) fn object(object: &Object, _: &Clock) -> Value {
    let kind = text(object, "involvedObject.kind").to_lowercase();
    match text(object, "involvedObject.name") {
        "" => kind.into(),
        name => format!("{kind}/{name}").into(),
    }
}

pub(super) fn source(object: &Object, _: &Clock) -> Value {
    let component = or(text(object, "source.component"), text(object, "reportingComponent"));
    match or(text(object, "source.host"), text(object, "reportingInstance")) {
        "" => component.into(),
        host => format!("{component}, {host}").into(),
    }
}

pub(super) fn message(object: &Object, _: &Clock) -> Value {
    text(object, "message").trim().into()
}
