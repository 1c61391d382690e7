//! Strategic merge patch: a merge that knows how each list of a built-in type merges.
//!
//! Go counterpart: `k8s.io/apimachinery/pkg/util/strategicpatch`. Strategies and merge keys are
//! the facts of the reflective descriptors. Known directives: `$patch` (replace, delete, merge),
//! `$setElementOrder/x`, `$deleteFromPrimitiveList/x`, `$retainKeys`.

use pintle_apimachinery::reflect::{Desc, Field};
use serde_json::{Map, Value};

use super::go_print;
use crate::typed::{field, message};

type Object = Map<String, Value>;
type Merged<T> = Result<T, String>;

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_PREFIX: &str = "$deleteFromPrimitiveList/";
const ORDER_PREFIX: &str = "$setElementOrder/";

/// Applies a patch to an object of the type `desc`.
///
/// # Errors
/// A directive is malformed, or a list of objects has no merge key where it needs one.
pub(crate) fn strategic_merge(
    original: Object,
    patch: Object,
    desc: Option<&'static Desc>,
) -> Merged<Object> {
    merge_map(original, patch, desc)
}

fn merge_map(
    mut original: Object,
    mut patch: Object,
    desc: Option<&'static Desc>,
) -> Merged<Object> {
    match patch.get(PATCH) {
        None => {}
        Some(directive) if directive == "replace" => {
            patch.shift_remove(PATCH);
            return Ok(patch);
        }
        Some(directive) if directive == "delete" => return Ok(Object::new()),
        Some(other) => return Err(bad_directive(other, &patch)),
    }
    retain_keys(&mut original, &mut patch)?;
    ordered_lists(&mut original, &mut patch, desc)?;
    for (key, value) in patch {
        let (key, delete_list) = match key.strip_prefix(DELETE_PREFIX) {
            Some(list) => (list.to_owned(), true),
            None => (key, false),
        };
        if value.is_null() {
            original.shift_remove(&key);
            continue;
        }
        let lookup = desc.and_then(|desc| field(desc, &key));
        let inner = lookup.and_then(|field| message(&field.ty));
        let merged = match (original.shift_remove_entry_in_place(&key), value) {
            (None, _) if delete_list => None,
            (None, value) => clean(value),
            (Some(Value::Object(old)), Value::Object(new)) => {
                if strategies(lookup).any(|strategy| strategy == "replace") {
                    Some(Value::Object(new))
                } else {
                    Some(Value::Object(merge_map(old, new, inner)?))
                }
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                if delete_list {
                    Some(Value::Array(without(old, &new)))
                } else if strategies(lookup).any(|strategy| strategy == "merge") {
                    Some(Value::Array(merge_list(old, new, merge_key(lookup), inner)?))
                } else {
                    Some(Value::Array(new))
                }
            }
            (Some(old), _) if delete_list => Some(old),
            (Some(_), value) => clean(value),
        };
        match merged {
            Some(value) => original.insert(key, value),
            None => original.shift_remove(&key),
        };
    }
    Ok(original)
}

/// Takes a value out and leaves null in its place, so that fields keep their order.
trait TakeInPlace {
    fn shift_remove_entry_in_place(&mut self, key: &str) -> Option<Value>;
}

impl TakeInPlace for Object {
    fn shift_remove_entry_in_place(&mut self, key: &str) -> Option<Value> {
        self.get_mut(key).map(Value::take)
    }
}

fn strategies(field: Option<&'static Field>) -> impl Iterator<Item = &'static str> {
    field.map_or("", |field| field.facts.patch_strategy).split(',')
}

fn merge_key(field: Option<&'static Field>) -> &'static str {
    field.map_or("", |field| field.facts.patch_key)
}

fn bad_directive(directive: &Value, patch: &Object) -> String {
    let patch = Value::Object(patch.clone());
    format!("unknown patch type: {} in map: {}", go_print(directive), go_print(&patch))
}

/// A new value without its directives and nulls; `None` when nothing is left of it.
fn clean(value: Value) -> Option<Value> {
    match value {
        Value::Object(mut map) => {
            match map.shift_remove(PATCH) {
                Some(directive) if directive == "delete" => return None,
                _ => {}
            }
            let kept = map.into_iter().filter(|(key, value)| {
                !value.is_null()
                    && key != RETAIN_KEYS
                    && !key.starts_with(DELETE_PREFIX)
                    && !key.starts_with(ORDER_PREFIX)
            });
            Some(Value::Object(
                kept.filter_map(|(key, value)| Some((key, clean(value)?))).collect(),
            ))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(clean).collect())),
        other => Some(other),
    }
}

/// `$retainKeys`: of the original only the named fields stay.
fn retain_keys(original: &mut Object, patch: &mut Object) -> Merged<()> {
    let Some(keys) = patch.shift_remove(RETAIN_KEYS) else { return Ok(()) };
    let malformed = || "invalid patch format of retainKeys".to_owned();
    let Value::Array(keys) = keys else { return Err(malformed()) };
    let named = |key: &str| keys.iter().any(|name| name == key);
    for (key, value) in patch.iter() {
        let directive = key.starts_with(DELETE_PREFIX) || key.starts_with(ORDER_PREFIX);
        if !value.is_null() && !directive && !named(key) {
            return Err(malformed());
        }
    }
    original.retain(|key, _| named(key));
    Ok(())
}

/// `$setElementOrder/x`: merges the list and puts it in the order given. The list is taken from
/// the patch, so that it is not merged again.
fn ordered_lists(
    original: &mut Object,
    patch: &mut Object,
    desc: Option<&'static Desc>,
) -> Merged<()> {
    let directives: Vec<String> =
        patch.keys().filter(|key| key.starts_with(ORDER_PREFIX)).cloned().collect();
    for directive in directives {
        let Some(Value::Array(order)) = patch.shift_remove(&directive) else {
            return Err(format!("invalid patch format of {directive}: a list is expected"));
        };
        let key = directive[ORDER_PREFIX.len()..].to_owned();
        let lookup = desc.and_then(|desc| field(desc, &key));
        let by = merge_key(lookup);
        let list = |value: Option<Value>| match value {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(format!("expected a list for {key}, got {other}")),
        };
        let old = list(original.get(&key).cloned())?;
        let new = list(patch.shift_remove(&key))?;
        check_order(new.as_deref().unwrap_or_default(), &order, by)?;
        let server = old.clone().unwrap_or_default();
        let merged = match (old, new) {
            (None, None) => continue,
            (Some(old), None) => old,
            (None, Some(new)) => new.into_iter().filter_map(clean).collect(),
            (Some(old), Some(new)) => {
                let inner = lookup.and_then(|field| message(&field.ty));
                if strategies(lookup).any(|strategy| strategy == "merge") {
                    merge_list(old, new, by, inner)?
                } else {
                    new
                }
            }
        };
        original.insert(key, Value::Array(in_order(merged, &order, &server, by)));
    }
    Ok(())
}

/// Elements of the patch must be named by the order, in that order.
fn check_order(patch: &[Value], order: &[Value], by: &str) -> Merged<()> {
    let mut places = order.iter();
    for item in patch.iter().filter(|item| item.get(PATCH).is_none()) {
        if !places.any(|place| same(place, item, by)) {
            return Err(format!(
                "The order in patch list:\n{}\n doesn't match {ORDER_PREFIX} list:\n{}\n",
                Value::Array(patch.to_vec()),
                Value::Array(order.to_vec())
            ));
        }
    }
    Ok(())
}

/// Whether two elements are one: equal scalars, or objects with the same merge key.
fn same(a: &Value, b: &Value, by: &str) -> bool {
    match (by, a, b) {
        ("", a, b) => a == b,
        (by, Value::Object(a), Value::Object(b)) => a.get(by).is_some_and(|a| Some(a) == b.get(by)),
        (_, a, b) => a == b,
    }
}

fn without(items: Vec<Value>, remove: &[Value]) -> Vec<Value> {
    items.into_iter().filter(|item| !remove.contains(item)).collect()
}

fn merge_list(
    original: Vec<Value>,
    patch: Vec<Value>,
    by: &str,
    desc: Option<&'static Desc>,
) -> Merged<Vec<Value>> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let objects = original.iter().chain(&patch).filter(|item| item.is_object()).count();
    if objects != 0 && objects != original.len() + patch.len() {
        return Err("list element types are not identical".to_owned());
    }
    if objects == 0 {
        let server = original.clone();
        let mut merged = Vec::new();
        for item in original.into_iter().chain(patch.iter().cloned()) {
            if !merged.contains(&item) {
                merged.push(item);
            }
        }
        return Ok(in_order(merged, &patch, &server, ""));
    }
    if by.is_empty() {
        let name = desc.map_or("a list", |desc| desc.name);
        return Err(format!("cannot merge lists without merge key for {name}"));
    }
    let (mut original, patch) = special_elements(original, patch, by)?;
    let server = original.clone();
    for item in &patch {
        let key = item.get(by).ok_or_else(|| no_merge_key(item, by))?;
        match original.iter_mut().find(|other| other.get(by) == Some(key)) {
            Some(found) => {
                if let (Value::Object(old), Value::Object(new)) = (found.take(), item.clone()) {
                    *found = Value::Object(merge_map(old, new, desc)?);
                }
            }
            None => original.extend(clean(item.clone())),
        }
    }
    Ok(in_order(original, &patch, &server, by))
}

fn no_merge_key(item: &Value, by: &str) -> String {
    format!("map: {item} does not contain declared merge key: {by}")
}

/// Elements with a `$patch` directive: deletes, and a replacement of the whole list.
fn special_elements(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    by: &str,
) -> Merged<(Vec<Value>, Vec<Value>)> {
    let (mut plain, mut replace) = (Vec::new(), false);
    for item in patch {
        match item.get(PATCH).and_then(Value::as_str) {
            None if item.get(PATCH).is_none() => plain.push(item),
            Some("delete") => {
                let key = item.get(by).ok_or_else(|| no_merge_key(&item, by))?;
                original.retain(|other| other.get(by) != Some(key));
            }
            Some("replace") => replace = true,
            Some("merge") => {
                return Err("merging lists cannot yet be specified in the patch".to_owned());
            }
            _ => {
                let directive = item.get(PATCH).cloned().unwrap_or_default();
                let map = item.as_object().cloned().unwrap_or_default();
                return Err(bad_directive(&directive, &map));
            }
        }
    }
    if replace { Ok((plain, Vec::new())) } else { Ok((original, plain)) }
}

/// Puts elements that `order` names into that order, and the others among them where `server`
/// had them.
fn in_order(items: Vec<Value>, order: &[Value], server: &[Value], by: &str) -> Vec<Value> {
    let place = |list: &[Value], item: &Value| list.iter().position(|other| same(other, item, by));
    let (mut ordered, mut others): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|item| place(order, item).is_some());
    ordered.sort_by_key(|item| place(order, item));
    others.sort_by_key(|item| place(server, item).unwrap_or(usize::MAX));
    let mut merged = Vec::with_capacity(ordered.len() + others.len());
    let (mut ordered, mut others) = (ordered.into_iter().peekable(), others.into_iter().peekable());
    while let (Some(other), Some(item)) = (others.peek(), ordered.peek()) {
        let first = match (place(server, other), place(server, item)) {
            (Some(other), Some(item)) => other < item,
            _ => false,
        };
        merged.extend(if first { others.next() } else { ordered.next() });
    }
    merged.extend(ordered);
    merged.extend(others);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typed::Typed;
    use serde_json::json;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }

    #[track_caller]
    fn pod(original: Value, patch: Value, expect: Value) {
        let desc = Typed::new().desc("v1", "Pod");
        let merged = strategic_merge(object(original), object(patch), desc).expect("merges");
        assert_eq!(Value::Object(merged), expect);
    }

    #[test]
    fn containers_merge_by_name_and_ports_within() {
        pod(
            json!({"spec": {"containers": [
                {"name": "a", "image": "1", "ports": [{"containerPort": 80, "name": "w"}]},
                {"name": "b", "image": "1"}]}}),
            json!({"spec": {"containers": [
                {"name": "b", "image": "2"},
                {"name": "a", "ports": [{"containerPort": 443}]},
                {"name": "c", "image": "3", "env": null}]}}),
            json!({"spec": {"containers": [
                {"name": "b", "image": "2"},
                {"name": "a", "image": "1",
                 "ports": [{"containerPort": 443}, {"containerPort": 80, "name": "w"}]},
                {"name": "c", "image": "3"}]}}),
        );
    }

    #[test]
    fn directives() {
        pod(
            json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}}),
            json!({"spec": {
                "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
                "containers": [{"name": "b", "$patch": "delete"}, {"name": "a", "image": "x"}]}}),
            json!({"spec": {"containers": [{"name": "c"}, {"name": "a", "image": "x"}]}}),
        );
        pod(
            json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}),
            json!({"spec": {"containers": [{"name": "z"}, {"$patch": "replace"}]}}),
            json!({"spec": {"containers": [{"name": "z"}]}}),
        );
        pod(
            json!({"metadata": {"labels": {"a": "1", "b": "2"}}}),
            json!({"metadata": {"labels": {"$patch": "replace", "c": "3"}}}),
            json!({"metadata": {"labels": {"c": "3"}}}),
        );
        pod(
            json!({"metadata": {"finalizers": ["a/b", "c/d", "e/f"]}}),
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["c/d"]}}),
            json!({"metadata": {"finalizers": ["a/b", "e/f"]}}),
        );
        pod(
            json!({"metadata": {"finalizers": ["a/b"], "labels": {"x": "y"}}}),
            json!({"metadata": {"finalizers": ["c/d"], "labels": {"x": null, "q": "r"}}}),
            json!({"metadata": {"finalizers": ["c/d", "a/b"], "labels": {"q": "r"}}}),
        );
        pod(
            json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}),
            json!({"spec": {"volumes": [
                {"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]}}),
            json!({"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}}),
        );
    }

    #[test]
    fn atomic_lists_are_replaced() {
        pod(
            json!({"spec": {"containers": [{"name": "a", "args": ["1", "2"]}]}}),
            json!({"spec": {"containers": [{"name": "a", "args": ["3"]}]}}),
            json!({"spec": {"containers": [{"name": "a", "args": ["3"]}]}}),
        );
    }

    #[test]
    fn malformed_patches_are_errors() {
        let desc = Typed::new().desc("v1", "Pod");
        for patch in [
            json!({"spec": {"$patch": "nope"}}),
            json!({"spec": {"containers": [{"image": "x"}]}}),
            json!({"spec": {"$setElementOrder/containers": 5}}),
            json!({"spec": {"$retainKeys": 5}}),
            json!({"spec": {"containers": [{"$patch": "delete"}]}}),
        ] {
            let pod = object(json!({"spec": {"containers": [{"name": "a"}]}}));
            assert!(strategic_merge(pod, object(patch.clone()), desc).is_err(), "{patch}");
        }
    }
}
