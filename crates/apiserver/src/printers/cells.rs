//! What many cells are made of.

use serde_json::{Map, Value};

use crate::object::{Object, at};

/// The value at a dotted path; nothing when it is null.
pub(super) fn get<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    at(object, path).filter(|value| !value.is_null())
}

/// The text at a path; empty when there is none.
pub(super) fn text<'a>(object: &'a Object, path: &str) -> &'a str {
    get(object, path).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn int(object: &Object, path: &str) -> i64 {
    get(object, path).and_then(Value::as_i64).unwrap_or_default()
}

pub(super) fn count(object: &Object, path: &str) -> usize {
    match get(object, path) {
        Some(Value::Object(map)) => map.len(),
        Some(Value::Array(items)) => items.len(),
        _ => 0,
    }
}

/// The objects of a list.
pub(super) fn items<'a>(object: &'a Object, path: &str) -> impl Iterator<Item = &'a Object> {
    let list = get(object, path).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object)
}

/// The texts of a list.
pub(super) fn texts<'a>(object: &'a Object, path: &str) -> Vec<&'a str> {
    let list = get(object, path).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The text, or another for none.
pub(super) fn or<'a>(text: &'a str, none: &'a str) -> &'a str {
    if text.is_empty() { none } else { text }
}

/// A value as Go's `String()` of a quantity or of an integer or text has it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The quantity at a path; 0 when there is none.
pub(super) fn quantity(object: &Object, path: &str) -> String {
    get(object, path).map_or_else(|| "0".to_owned(), shown)
}

/// The status of a condition.
pub(super) fn condition<'a>(object: &'a Object, kind: &str) -> Option<&'a Object> {
    items(object, "status.conditions").find(|condition| text(condition, "type") == kind)
}

/// Names and images of containers at a path.
pub(super) fn containers(object: &Object, path: &str, field: &str) -> Value {
    let all: Vec<&str> = items(object, path).map(|container| text(container, field)).collect();
    all.join(",").into()
}

/// Labels in a line. Go: `labels.FormatLabels`.
pub(super) fn labels(object: &Object, path: &str) -> String {
    let mut pairs: Vec<String> = match get(object, path) {
        Some(Value::Object(map)) => map
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect(),
        _ => Vec::new(),
    };
    pairs.sort();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// A label selector in a line; empty when it takes everything or nothing.
pub(super) fn selector(object: &Object, path: &str) -> String {
    let Some(selector) = get(object, path).and_then(Value::as_object) else { return String::new() };
    let mut parts: Vec<(String, String)> = Vec::new();
    if let Some(Value::Object(labels)) = selector.get("matchLabels") {
        for (key, value) in labels {
            parts.push((key.clone(), format!("{key}={}", value.as_str().unwrap_or_default())));
        }
    }
    for rule in items(selector, "matchExpressions") {
        let key = text(rule, "key");
        let mut values = texts(rule, "values");
        values.sort_unstable();
        let values = values.join(",");
        let part = match text(rule, "operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return "<error>".to_owned(),
        };
        parts.push((key.to_owned(), part));
    }
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(",")
}

/// The same with a word for none. Go: `metav1.FormatLabelSelector`.
pub(super) fn selector_or_none(object: &Object, path: &str) -> Value {
    or(&selector(object, path), "<none>").into()
}

/// The first few of a list, and how many there are beside.
pub(super) fn first_few(list: &[String], most: usize) -> String {
    if list.len() > most {
        return format!("{} + {} more...", list[..most].join(","), list.len() - most);
    }
    list.join(",")
}

/// A reference by group and kind, and name. Go: `formatResourceName`.
pub(super) fn kind_and_name(api_version: &str, kind: &str, name: &str) -> String {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    match (kind, group) {
        ("", "") => name.to_owned(),
        (kind, "") => format!("{}/{name}", kind.to_lowercase()),
        (kind, group) => format!("{}/{name}", format!("{kind}.{group}").to_lowercase()),
    }
}

/// A map that stands at a path, or an empty one.
pub(super) fn map<'a>(
    object: &'a Object,
    path: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let map: Option<&Map<String, Value>> = get(object, path).and_then(Value::as_object);
    map.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn selectors() {
        let pod = object(json!({"s": {
            "matchLabels": {"b": "1", "a": "2"},
            "matchExpressions": [
                {"key": "c", "operator": "In", "values": ["y", "x"]},
                {"key": "aa", "operator": "DoesNotExist"},
            ],
        }}));
        assert_eq!(selector(&pod, "s"), "a=2,!aa,b=1,c in (x,y)");
        assert_eq!(selector_or_none(&pod, "t"), json!("<none>"));
    }

    #[test]
    fn lists_end_somewhere() {
        let list = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(first_few(&list, 3), "a,b,c + 1 more...");
        assert_eq!(first_few(&list[..3], 3), "a,b,c");
    }
}
