//! Merging a patch into an object, or into another patch. Go: `mergeMap` and what it calls.

use std::collections::HashMap;

use pintle_apimachinery::Error;
use serde_json::Value;

use super::list::{
    By, Object, Places, SHORT, bad_type, dedup, element_kind, find_keyed, in_order, keyed,
    no_merge_key, partition,
};
use super::schema::PatchSchema;
use super::{DELETE_PREFIX, ORDER_PREFIX, PATCH, RETAIN_KEYS};
use crate::error::{Reason, fail};
use crate::go::{Kind, print_list, print_object, print_s};

/// What the patch is merged into. Go: `MergeOptions`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// An object: directives are carried out, nulls remove. Go: `MergeParallelList` and
    /// `IgnoreUnmatchedNulls` are set.
    Object,
    /// Another patch: directives and nulls are kept.
    Patch,
}

/// Go: `mergepatch.ErrBadPatchType`.
fn bad_directive(directive: &Value, patch: &Object) -> Error {
    let message =
        format!("unknown patch type: {} in map: {}", print_s(directive), print_object(patch));
    fail(Reason::Unsuitable, message)
}

fn malformed(what: &str) -> Error {
    fail(Reason::Malformed, format!("invalid patch format of {what}"))
}

/// Merges `patch` into `original`, which is half merged after an error.
pub(super) fn merge_object<S: PatchSchema>(
    original: &mut Object,
    mut patch: Object,
    schema: S,
    target: Target,
) -> Result<(), Error> {
    match patch.get(PATCH) {
        None => {}
        Some(directive) if directive == "replace" => {
            patch.shift_remove(PATCH);
            *original = patch;
            return Ok(());
        }
        Some(directive) if directive == "delete" => {
            original.clear();
            return Ok(());
        }
        Some(other) => return Err(bad_directive(other, &patch)),
    }
    retain_keys(original, &mut patch, target)?;
    ordered_lists(original, &mut patch, schema, target)?;
    // Go takes the members in any order. Where it matters, what is deleted goes before what is
    // added.
    if patch.keys().any(|key| key.starts_with(DELETE_PREFIX)) {
        let (deletes, others): (Object, Object) =
            patch.into_iter().partition(|(key, _)| key.starts_with(DELETE_PREFIX));
        for (key, value) in deletes {
            delete_list(original, key, value, schema, target)?;
        }
        patch = others;
    }
    patch.into_iter().try_for_each(|(key, value)| {
        merge_member(original, key, value, schema, target, Member::Plain)
    })
}

/// Whether a member is a value or the value of `$deleteFromPrimitiveList`.
#[derive(Clone, Copy, PartialEq)]
enum Member {
    Plain,
    DeleteList,
}

fn delete_list<S: PatchSchema>(
    original: &mut Object,
    key: String,
    value: Value,
    schema: S,
    target: Target,
) -> Result<(), Error> {
    if target == Target::Patch {
        original.insert(key, value);
        return Ok(());
    }
    match list_of_directive(&key, DELETE_PREFIX) {
        None => Err(malformed("primitive list")),
        Some("") => merge_member(original, key, value, schema, target, Member::DeleteList),
        Some(list) => {
            let list = list.to_owned();
            merge_member(original, list, value, schema, target, Member::DeleteList)
        }
    }
}

/// The list that a directive is for. Go: `extractKey`.
fn list_of_directive<'k>(directive: &'k str, prefix: &str) -> Option<&'k str> {
    directive.strip_prefix(prefix)?.strip_prefix('/')
}

fn merge_member<S: PatchSchema>(
    original: &mut Object,
    key: String,
    value: Value,
    schema: S,
    target: Target,
    member: Member,
) -> Result<(), Error> {
    if value.is_null() {
        original.shift_remove(&key);
        if target == Target::Patch && member == Member::Plain {
            original.insert(key, Value::Null);
        }
        return Ok(());
    }
    let old = original.get_mut(&key);
    match (old, value) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            let (inner, meta) = schema.object(&key)?;
            if meta.strategy()?.replace {
                *old = new;
                return Ok(());
            }
            merge_object(old, new, inner, target)
        }
        (Some(Value::Array(old)), Value::Array(new)) => {
            let (inner, meta) = schema.list(&key)?;
            if !meta.strategy()?.merge && member == Member::Plain {
                *old = new;
                return Ok(());
            }
            let merged =
                merge_list(std::mem::take(old), new, inner, &meta.merge_key, target, member)?;
            *old = merged;
            Ok(())
        }
        (Some(old), value) if Kind::of(old) == Kind::of(&value) => {
            *old = value;
            Ok(())
        }
        (_, _) if member == Member::DeleteList => Ok(()),
        (old, mut value) => {
            if target == Target::Object {
                discard_nulls(&mut value);
            }
            match (old, without_directives(&mut value)) {
                (Some(old), true) => *old = value,
                (None, true) => {
                    original.insert(key, value);
                }
                (_, false) => {
                    original.shift_remove(&key);
                }
            }
            Ok(())
        }
    }
}

/// Removes members that are null. Go: `discardNullValuesFromPatch`.
fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => map.retain(|_, value| {
            discard_nulls(value);
            !value.is_null()
        }),
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// Removes objects with a `$patch` directive; whether anything is left. Go: `removeDirectives`.
fn without_directives(value: &mut Value) -> bool {
    match value {
        Value::Object(map) => {
            if map.contains_key(PATCH) {
                return false;
            }
            map.retain(|_, value| without_directives(value));
        }
        Value::Array(items) => items.retain_mut(without_directives),
        _ => {}
    }
    true
}

/// `$retainKeys`: of the original only the members named stay. Go: `applyRetainKeysDirective`.
fn retain_keys(original: &mut Object, patch: &mut Object, target: Target) -> Result<(), Error> {
    let Some(keys) = patch.shift_remove(RETAIN_KEYS) else { return Ok(()) };
    if target == Target::Patch {
        match original.get(RETAIN_KEYS) {
            None => {
                original.insert(RETAIN_KEYS.to_owned(), keys);
            }
            Some(theirs) if *theirs == keys => {}
            Some(theirs) => {
                let message = format!(
                    "{} and {} are not deep equal: this may happen when calculating the 3-way \
                     diff patch",
                    crate::go_print(theirs),
                    crate::go_print(&keys)
                );
                return Err(fail(Reason::Unsuitable, message));
            }
        }
        return Ok(());
    }
    let Value::Array(keys) = keys else { return Err(malformed("retainKeys")) };
    let named = |key: &str| keys.iter().any(|name| name == key);
    let directive = |key: &str| key.starts_with(DELETE_PREFIX) || key.starts_with(ORDER_PREFIX);
    if patch.iter().any(|(key, value)| !value.is_null() && !directive(key) && !named(key)) {
        return Err(malformed("retainKeys"));
    }
    original.retain(|key, _| named(key));
    Ok(())
}

/// `$setElementOrder/x`: merges the list `x` and puts it in the order given. The list is taken
/// from the patch, so that it is not merged again. Go: `mergePatchIntoOriginal`.
fn ordered_lists<S: PatchSchema>(
    original: &mut Object,
    patch: &mut Object,
    schema: S,
    target: Target,
) -> Result<(), Error> {
    let directives: Vec<String> =
        patch.keys().filter(|key| key.starts_with(ORDER_PREFIX)).cloned().collect();
    for directive in directives {
        let Some(order) = patch.shift_remove(&directive) else { continue };
        if target == Target::Patch {
            match original.get(&directive) {
                Some(theirs) if *theirs != order => return Err(malformed("setElementOrder list")),
                Some(_) => {}
                None => {
                    original.insert(directive.clone(), order.clone());
                }
            }
        }
        let Value::Array(order) = order else { return Err(bad_type(Kind::List, &order)) };
        let Some(key) = list_of_directive(&directive, ORDER_PREFIX) else {
            return Err(malformed("setElementOrder list"));
        };
        let theirs = original.get(key).map(list).transpose()?;
        let ours = patch.get(key).map(list).transpose()?;
        let (inner, meta) = schema.list(key)?;
        let merges = meta.strategy()?.merge;
        let by = &*meta.merge_key;
        check_order(ours.unwrap_or_default(), &order, by)?;
        if theirs.is_none() && ours.is_none() {
            continue;
        }
        let kind = element_kind(&[theirs.unwrap_or_default(), ours.unwrap_or_default()]);
        let server_order = match (theirs, ours) {
            (Some(theirs), Some(ours)) if merges => seen_by_go(theirs, ours, by),
            (Some(theirs), _) if !by.is_empty() => {
                theirs.iter().map(|item| key_only(item, by)).collect()
            }
            (theirs, _) => theirs.unwrap_or_default().to_vec(),
        };
        let theirs = original.get_mut(key).and_then(Value::as_array_mut).map(std::mem::take);
        let merged = match (theirs, patch.shift_remove(key)) {
            (Some(theirs), Some(Value::Array(ours))) if merges => {
                merge_list(theirs, ours, inner, by, target, Member::Plain)?
            }
            (Some(_), Some(Value::Array(ours))) => ours,
            (None, Some(Value::Array(mut ours))) => {
                ours.retain_mut(without_directives);
                ours
            }
            (theirs, _) => theirs.unwrap_or_default(),
        };
        let (patched, server) = partition(merged, &order, by)?;
        let merged = in_order(patched, server, &order, &server_order, By::of(kind?, by))?;
        original.insert(key.to_owned(), Value::Array(merged));
    }
    Ok(())
}

fn list(value: &Value) -> Result<&[Value], Error> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| bad_type(Kind::List, value))
}

/// The elements of the patch must be named by the order, and in that order. Go:
/// `validatePatchWithSetOrderList`.
fn check_order(patch: &[Value], order: &[Value], by: &str) -> Result<(), Error> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let has_directive = |item: &Value| item.get(PATCH).is_some();
    if !by.is_empty()
        && let Some(item) = patch.iter().find(|item| !item.is_object())
    {
        return Err(bad_type(Kind::Object, item));
    }
    let deleted = |item: &Value| item.get(PATCH).is_some_and(|directive| directive == "delete");
    let kept = patch.iter().filter(|item| by.is_empty() || !deleted(item));
    let mut places = order.iter();
    let mut kept = kept.peekable();
    while let Some(item) = kept.peek().copied() {
        if has_directive(item) {
            // Looked at only while there are places left.
            if places.len() == 0 {
                break;
            }
            kept.next();
            continue;
        }
        let Some(place) = places.next() else { break };
        let equal = if by.is_empty() { item == place } else { same_key(item, place, by)? };
        if equal {
            kept.next();
        }
    }
    if kept.peek().is_none() {
        return Ok(());
    }
    let message = format!(
        "The order in patch list:\n{}\n doesn't match {ORDER_PREFIX} list:\n{}\n",
        print_list(patch),
        print_list(order)
    );
    Err(fail(Reason::Unsuitable, message))
}

/// Go: `mergeKeyValueEqual`.
pub(super) fn same_key(left: &Value, right: &Value, by: &str) -> Result<bool, Error> {
    if by.is_empty() {
        return Ok(left == right);
    }
    let objects = [left, right].map(|v| v.as_object().ok_or_else(|| bad_type(Kind::Object, v)));
    let [left, right] = objects;
    let (left, right) = (left?, right?);
    let left = left.get(by).ok_or_else(|| no_merge_key(left, by))?;
    let right = right.get(by).ok_or_else(|| no_merge_key(right, by))?;
    Ok(left == right)
}

/// The server's list as Go sees it when it puts the merged list in order: Go deletes from the
/// list in place and appends to what is left, so that elements which were added take the places
/// of those that were deleted.
fn seen_by_go(theirs: &[Value], ours: &[Value], by: &str) -> Vec<Value> {
    if by.is_empty() {
        return theirs.to_vec();
    }
    let mut seen: Vec<_> = theirs.iter().map(|item| key_only(item, by)).collect();
    let says =
        |item: &Value, what: &str| item.get(PATCH).is_some_and(|directive| directive == what);
    let deleted = ours.iter().filter(|item| says(item, "delete")).filter_map(|item| item.get(by));
    let places = Places::new(theirs.iter().map(|item| By::Key(by).id(item)));
    let mut alive = vec![true; theirs.len()];
    let (mut length, mut last) = (theirs.len(), theirs.len());
    for key in deleted {
        for place in places.all(key) {
            if !alive[place] || theirs[place].get(by).is_none() {
                continue;
            }
            // What is beyond the new length stays as it was: the last element at the time.
            while !alive[last - 1] {
                last -= 1;
            }
            length -= 1;
            seen[length] = key_only(&theirs[last - 1], by);
            alive[place] = false;
        }
    }
    let left = theirs.iter().zip(&alive).filter(|(_, alive)| **alive);
    for (place, (item, _)) in left.enumerate() {
        seen[place] = key_only(item, by);
    }
    if length == seen.len() || ours.iter().any(|item| says(item, "replace")) {
        return seen;
    }
    let plain = || ours.iter().filter(|item| item.get(PATCH).is_none());
    let added = Places::new(plain().map(|item| By::Key(by).id(item)));
    for (place, item) in plain().enumerate() {
        let id = By::Key(by).id(item);
        let there = places.all(id).any(|place| alive[place]) || added.first(id) < Some(place);
        if !there && length < seen.len() {
            seen[length] = key_only(item, by);
            length += 1;
        }
    }
    seen
}

/// Go: `mergeSlice`.
fn merge_list<S: PatchSchema>(
    original: Vec<Value>,
    patch: Vec<Value>,
    schema: S,
    by: &str,
    target: Target,
    member: Member,
) -> Result<Vec<Value>, Error> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let kind = element_kind(&[&original, &patch])?;
    if kind != Kind::Object {
        if target == Target::Object && member == Member::DeleteList {
            return Ok(original.into_iter().filter(|item| !patch.contains(item)).collect());
        }
        let both = original.iter().chain(&patch).cloned().collect();
        let (patched, server) = partition(dedup(both), &patch, by)?;
        return in_order(patched, server, &patch, &original, By::of(kind, by));
    }
    if by.is_empty() {
        let message = format!("cannot merge lists without merge key for {}", schema.name());
        return Err(fail(Reason::Unsuitable, message));
    }
    let (mut merged, patch) = special_elements(original, patch, by)?;
    // Only the keys of both lists are needed for their order.
    let keys = |items: &[Value]| items.iter().map(|item| key_only(item, by)).collect::<Vec<_>>();
    let (server_order, patch_order) = (keys(&merged), keys(&patch));
    // Where strings are in a long list; what is found is looked at again, for merging may take
    // the key away.
    let long = merged.len() + patch.len() > SHORT;
    let mut places = HashMap::new();
    for (place, item) in merged.iter().enumerate().filter(|_| long) {
        if let Some(Value::String(text)) = item.get(by) {
            places.entry(text.clone()).or_insert(place);
        }
    }
    for item in patch {
        let key = keyed(&item, by)?.1;
        let found = match key {
            Value::String(text) if long => match places.get(text) {
                Some(place) if merged[*place].get(by) != Some(key) => find_keyed(&merged, by, key)?,
                None => {
                    places.insert(text.clone(), merged.len());
                    None
                }
                place => place.copied(),
            },
            key => find_keyed(&merged, by, key)?,
        };
        match found {
            Some(at) => {
                if let (Value::Object(old), Value::Object(new)) = (&mut merged[at], item) {
                    merge_object(old, new, schema, target)?;
                }
            }
            None => merged.push(item),
        }
    }
    let (patched, server) = partition(merged, &patch_order, by)?;
    in_order(patched, server, &patch_order, &server_order, By::Key(by))
}

/// An object with nothing but its merge key, which is all that is needed of an element for order;
/// one without it whole, for the error that it will be.
fn key_only(item: &Value, by: &str) -> Value {
    match item.get(by) {
        Some(key) => Value::Object([(by.to_owned(), key.clone())].into_iter().collect()),
        None => item.clone(),
    }
}

/// Carries out the directives of elements: deletes, and the replacement of the whole list. Go:
/// `mergeSliceWithSpecialElements`.
fn special_elements(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    by: &str,
) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let (mut plain, mut replace) = (Vec::with_capacity(patch.len()), false);
    let mut deleted = Vec::new();
    for item in patch {
        let Value::Object(element) = &item else { continue };
        match element.get(PATCH) {
            None => plain.push(item),
            Some(directive) if directive == "delete" => {
                let key = element.get(by).ok_or_else(|| no_merge_key(element, by))?;
                deleted.push(key.clone());
            }
            Some(directive) if directive == "replace" => replace = true,
            Some(directive) if directive == "merge" => {
                let message = "merging lists cannot yet be specified in the patch";
                return Err(fail(Reason::Unsuitable, message));
            }
            Some(other) => return Err(bad_directive(other, element)),
        }
    }
    if replace {
        return Ok((plain, Vec::new()));
    }
    let deleted = Places::new(deleted.iter());
    original.retain(|item| item.get(by).is_none_or(|key| deleted.first(key).is_none()));
    Ok((original, plain))
}
