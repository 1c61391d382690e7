//! Validation of Events, in the form they are stored in: that of the legacy group.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/core/validation/events.go`. What is sent to
//! `events.k8s.io` is held to more than what is sent to the legacy group.

use pintle_apimachinery::validation::{
    BadValue, FIELD_IMMUTABLE, FieldError, FieldErrors, FieldPath, label_key,
};

use super::super::check::{Node, same, struct_shown};
use super::super::tree::Fields;

const MOST: usize = 128;
const NOTE: usize = 1024;

/// The rules of an Event of the legacy group.
pub(crate) fn event(new: &Fields, _: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    legacy(new, "reportingComponent", &mut e);
    e
}

/// The rules of an Event of `events.k8s.io`.
pub(crate) fn new_event(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    legacy(new, "reportingController", &mut e);
    match old {
        None => strict(new, &mut e),
        Some(old) => update(new, old, &mut e),
    }
    e
}

fn legacy(new: &Fields, controller: &str, e: &mut FieldErrors) {
    let own = Node::of(new, "metadata").get("namespace").text();
    let namespace = Node::of(new, "involvedObject").get("namespace");
    let other = "does not match event.namespace";
    if !Node::of(new, "eventTime").is_set() {
        let fits = match namespace.text() {
            "" => matches!(own, "" | "default"),
            namespace => namespace == own,
        };
        if !fits {
            e.push(namespace.invalid(other));
        }
        return;
    }
    if namespace.is_empty() && !matches!(own, "default" | "kube-system") {
        e.push(namespace.invalid(other));
    }
    let reporting = Node::of(new, "reportingComponent").at(FieldPath::new(controller));
    reporting.given(e);
    reporting.rule(e, label_key);
    let long = |node: &Node<'_>, most: usize, e: &mut FieldErrors| {
        if node.len() > most {
            let detail = format!("can have at most {most} characters");
            e.push(FieldError::invalid(node.path(), "", detail));
        }
    };
    for field in ["reportingInstance", "action", "reason"] {
        let node = Node::of(new, field);
        node.given(e);
        long(&node, MOST, e);
    }
    long(&Node::of(new, "message"), NOTE, e);
}

fn series(new: &Fields, e: &mut FieldErrors) {
    let series = Node::of(new, "series");
    if series.is_set() {
        let wrong = |field: &str| FieldPath::new(format!("series.{field}"));
        if series.get("count").int() < 2 {
            e.push(FieldError::invalid(wrong("count"), "", "should be at least 2"));
        }
        if !series.get("lastObservedTime").is_set() {
            e.push(FieldError::required(wrong("lastObservedTime"), ""));
        }
    }
}

fn strict(new: &Fields, e: &mut FieldErrors) {
    series(new, e);
    let of = |field: &str| Node::of(new, field);
    if !of("eventTime").is_set() {
        e.push(of("eventTime").required(""));
    }
    let kind = of("type");
    if !matches!(kind.text(), "Normal" | "Warning") {
        let detail = format!("has invalid value: {}", kind.text());
        e.push(FieldError::invalid(kind.path(), "", detail));
    }
    let source = of("source");
    let set = [
        ("firstTimestamp", of("firstTimestamp").is_set()),
        ("lastTimestamp", of("lastTimestamp").is_set()),
        ("count", of("count").int() != 0),
        ("source", !source.get("component").is_empty() || !source.get("host").is_empty()),
    ];
    for (field, _) in set.into_iter().filter(|(_, set)| *set) {
        e.push(FieldError::invalid(field, "", "needs to be unset"));
    }
}

/// An object as messages show it, by the names of Go's fields.
fn reference(node: &Node<'_>) -> BadValue {
    let fields = [
        ("Kind", "kind"),
        ("Namespace", "namespace"),
        ("Name", "name"),
        ("UID", "uid"),
        ("APIVersion", "apiVersion"),
        ("ResourceVersion", "resourceVersion"),
        ("FieldPath", "fieldPath"),
    ];
    let shown: Vec<_> =
        fields.map(|(shown, name)| (shown, BadValue::named(node.get(name).text()))).into();
    struct_shown(&shown)
}

fn update(new: &Fields, old: &Fields, e: &mut FieldErrors) {
    let pair = |field: &str| (Node::of(new, field), Node::of(old, field));
    let changed = |field: &str| {
        let (new, old) = pair(field);
        !same(new.value(), old.value())
    };
    if changed("series") {
        series(new, e);
    }
    for (field, path) in [
        ("involvedObject", "involvedObject"),
        ("reason", "reason"),
        ("message", "message"),
        ("source", "source"),
        ("firstTimestamp", "firstTimestamp"),
        ("lastTimestamp", "lastTimestamp"),
        ("count", "count"),
        ("type", "type"),
        ("eventTime", "eventTime"),
        ("action", "action"),
        ("related", "related"),
        ("reportingComponent", "reportingController"),
        ("reportingInstance", "reportingInstance"),
    ] {
        let (node, before) = pair(field);
        let differs = match field {
            "count" => node.int() != before.int(),
            "involvedObject" | "related" | "source" => {
                !same(node.value(), before.value()) || node.is_set() != before.is_set()
            }
            "firstTimestamp" | "lastTimestamp" | "eventTime" => changed(field),
            _ => node.text() != before.text(),
        };
        if !differs {
            continue;
        }
        let shown = match field {
            "involvedObject" => reference(&node),
            "related" if node.is_set() => reference(&node),
            "source" => struct_shown(&[
                ("Component", BadValue::named(node.get("component").text())),
                ("Host", BadValue::named(node.get("host").text())),
            ]),
            "count" => BadValue::from(node.int()),
            "firstTimestamp" | "lastTimestamp" | "eventTime" | "related" => {
                if node.is_set() {
                    node.bad()
                } else {
                    BadValue::NULL
                }
            }
            _ => BadValue::from(node.text()),
        };
        e.push(FieldError::invalid(path, shown, FIELD_IMMUTABLE));
    }
}
