//! Requests for certificates: who asks for one, and who approves it.
//!
//! Go counterpart: `pkg/registry/certificates/certificates/strategy.go`.

use serde_json::{Value, json};

use crate::auth::User;
use crate::kinds::tree::child;
use crate::object::{Object, at, set_text};

/// Writes into a new request who made it, whatever it says of that itself.
pub(crate) fn requested_by(request: &mut Object, user: &User) {
    let spec = child(request, "spec");
    set_text(spec, "username", &user.name);
    set_text(spec, "uid", &user.uid);
    spec.insert("groups".to_owned(), user.groups.clone().into());
    spec.shift_remove("extra");
    if !user.extra.is_empty() {
        spec.insert("extra".to_owned(), json!(user.extra));
    }
}

/// What an approval makes of a request: only its conditions change, and know since when.
pub(crate) fn approved(old: &Object, new: &mut Object, now: &str) {
    let none = Vec::new();
    let before = at(old, "status.conditions").and_then(Value::as_array).unwrap_or(&none);
    let mut conditions =
        at(new, "status.conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    for condition in &mut conditions {
        let unset = |value: Option<&Value>| value.is_none_or(Value::is_null);
        if unset(condition.get("lastUpdateTime")) {
            condition["lastUpdateTime"] = now.into();
        }
        if unset(condition.get("lastTransitionTime")) {
            let same = |other: &&Value| {
                other["type"] == condition["type"] && other["status"] == condition["status"]
            };
            let since = before.iter().find(same).map(|other| &other["lastTransitionTime"]);
            let since = since.filter(|since| since.is_string()).cloned();
            condition["lastTransitionTime"] = since.unwrap_or_else(|| now.into());
        }
    }
    let mut status = old.get("status").and_then(Value::as_object).cloned().unwrap_or_default();
    match conditions.is_empty() {
        true => status.shift_remove("conditions"),
        false => status.insert("conditions".to_owned(), conditions.into()),
    };
    new.insert("status".to_owned(), Value::Object(status));
    match old.get("spec") {
        Some(spec) => new.insert("spec".to_owned(), spec.clone()),
        None => new.shift_remove("spec"),
    };
}
