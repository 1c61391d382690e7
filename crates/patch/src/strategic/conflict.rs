//! Whether two patches contradict each other. Go: `MergingMapsHaveConflicts`.

use std::collections::BTreeMap;

use pintle_apimachinery::Error;
use serde_json::Value;

use super::list::{Object, dedup, element_kind, sort_scalars};
use super::schema::{FieldMeta, PatchSchema};
use super::{PATCH, RETAIN_KEYS};
use crate::error::{Reason, fail};
use crate::go::{Kind, print_list, print_object, print_s};

/// Go: `mergingMapFieldsHaveConflicts`.
fn values_conflict<S: PatchSchema>(
    left: &Value,
    right: &Value,
    schema: Option<S>,
    meta: &FieldMeta,
) -> Result<bool, Error> {
    match (left, right, schema) {
        (Value::Object(left), Value::Object(right), Some(schema)) => {
            objects_conflict(left, right, schema, meta)
        }
        (Value::Array(left), Value::Array(right), Some(schema)) => {
            lists_conflict(left, right, schema, meta)
        }
        (left, right, _) => Ok(left != right),
    }
}

pub(super) fn objects_conflict<S: PatchSchema>(
    left: &Object,
    right: &Object,
    schema: S,
    meta: &FieldMeta,
) -> Result<bool, Error> {
    // A directive is about the whole object.
    if left.get(PATCH) != right.get(PATCH) {
        return Ok(true);
    }
    if meta.strategy()?.replace {
        return Ok(false);
    }
    for (key, left) in left {
        if key == PATCH || key == RETAIN_KEYS {
            continue;
        }
        let Some(right) = right.get(key) else { continue };
        let (inner, meta) = match left {
            Value::Array(_) => some(schema.list(key)?),
            Value::Object(_) => some(schema.object(key)?),
            _ => (None, FieldMeta::default()),
        };
        meta.strategy()?;
        if values_conflict(left, right, inner, &meta)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn some<S>((schema, meta): (S, FieldMeta)) -> (Option<S>, FieldMeta) {
    (Some(schema), meta)
}

/// Go: `slicesHaveConflicts`.
fn lists_conflict<S: PatchSchema>(
    left: &[Value],
    right: &[Value],
    schema: S,
    meta: &FieldMeta,
) -> Result<bool, Error> {
    let kind = element_kind(&[left, right])?;
    let none = FieldMeta::default();
    if meta.strategy()?.merge {
        // Scalars merge without conflicts.
        if kind != Kind::Object {
            return Ok(false);
        }
        let left = by_key(left, &meta.merge_key)?;
        let right = by_key(right, &meta.merge_key)?;
        for (key, left) in left {
            if let Some(right) = right.get(&key)
                && objects_conflict(left, right, schema, &none)?
            {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if left.len() != right.len() {
        return Ok(true);
    }
    if kind != Kind::Object {
        // As sets; Go sorts the lists themselves, and with them those in the patch.
        let set = |items: &[Value]| {
            let mut items = dedup(items.to_vec());
            sort_scalars(&mut items);
            items
        };
        return Ok(set(left) != set(right));
    }
    for (left, right) in left.iter().zip(right) {
        if values_conflict(left, right, Some(schema), &none)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Go: `sliceOfMapsToMapOfMaps`.
fn by_key<'v>(items: &'v [Value], key: &str) -> Result<BTreeMap<String, &'v Object>, Error> {
    let entry = |item: &'v Value| {
        let Value::Object(object) = item else {
            let message = format!("invalid element type in merging list:{}", print_list(items));
            return Err(fail(Reason::Unsuitable, message));
        };
        let Some(value) = object.get(key) else {
            let object = print_object(object);
            let message = format!("cannot find merge key `{key}` in merging list element:{object}");
            return Err(fail(Reason::Unsuitable, message));
        };
        Ok((print_s(value).into_owned(), object))
    };
    items.iter().map(entry).collect()
}
