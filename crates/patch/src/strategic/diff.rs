//! The patch between two objects. Go: `diffMaps` and what it calls.

use pintle_apimachinery::Error;
use serde_json::{Map, Value};

use super::apply::same_key;
use super::list::{By, Object, dedup, element_kind, keyed, no_list_of_lists, sort_scalars, sorted};
use super::schema::PatchSchema;
use super::{DELETE_PREFIX, ORDER_PREFIX, PATCH, RETAIN_KEYS};
use crate::error::{Reason, fail};
use crate::go::{Kind, text};

/// What goes into the patch. Go: `DiffOptions`.
#[derive(Clone, Copy)]
pub(super) struct DiffOptions {
    /// `$setElementOrder` for lists that merge.
    pub(super) order: bool,
    /// Changes and additions.
    pub(super) changes: bool,
    /// Deletions.
    pub(super) deletions: bool,
    /// `$retainKeys`, for this object; set where the schema asks for it.
    pub(super) retain_keys: bool,
}

pub(super) fn diff_objects<S: PatchSchema>(
    original: &Object,
    modified: &Object,
    schema: S,
    options: DiffOptions,
) -> Result<Object, Error> {
    let mut patch = Map::new();
    for (key, new) in modified {
        let Some(old) = original.get(key) else {
            if options.changes {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        };
        if key == PATCH {
            let (Value::String(old), Value::String(_)) = (old, new) else {
                let message = format!("invalid value for special key: {PATCH}");
                return Err(fail(Reason::Unsuitable, message));
            };
            if new != old {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        }
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                diff_member(key, old, new, &mut patch, schema, options)?;
            }
            (Value::Array(old), Value::Array(new)) => {
                diff_list_member(key, old, new, &mut patch, schema, options)?;
            }
            (old, new) if options.changes && old != new => {
                patch.insert(key.clone(), new.clone());
            }
            _ => {}
        }
    }
    if options.deletions {
        let removed = original.keys().filter(|key| !modified.contains_key(*key));
        patch.extend(removed.map(|key| (key.clone(), Value::Null)));
    }
    if options.retain_keys {
        let mut keys: Vec<&String> =
            modified.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key).collect();
        let cleared =
            original.iter().any(|(key, value)| !value.is_null() && !modified.contains_key(key));
        if !keys.is_empty() && (!patch.is_empty() || cleared) {
            keys.sort_unstable();
            let keys = keys.into_iter().map(|key| Value::from(key.as_str())).collect();
            patch.insert(RETAIN_KEYS.to_owned(), keys);
        }
    }
    Ok(patch)
}

/// Go: `handleMapDiff`.
fn diff_member<S: PatchSchema>(
    key: &str,
    old: &Object,
    new: &Object,
    patch: &mut Object,
    schema: S,
    options: DiffOptions,
) -> Result<(), Error> {
    let (inner, meta) = match schema.object(key) {
        // What is not known does not matter while it stays as it is.
        Err(_) if old == new => return Ok(()),
        found => found?,
    };
    let strategy = meta.strategy()?;
    if strategy.replace {
        if options.changes {
            patch.insert(key.to_owned(), Value::Object(new.clone()));
        }
        return Ok(());
    }
    let options = DiffOptions { retain_keys: strategy.retain_keys, ..options };
    let changes = diff_objects(old, new, inner, options)?;
    if !changes.is_empty() {
        patch.insert(key.to_owned(), Value::Object(changes));
    }
    Ok(())
}

/// Go: `handleSliceDiff`.
fn diff_list_member<S: PatchSchema>(
    key: &str,
    old: &[Value],
    new: &[Value],
    patch: &mut Object,
    schema: S,
    options: DiffOptions,
) -> Result<(), Error> {
    let (inner, meta) = match schema.list(key) {
        Err(_) if old == new => return Ok(()),
        found => found?,
    };
    let strategy = meta.strategy()?;
    if !strategy.merge {
        if options.changes && old != new {
            patch.insert(key.to_owned(), Value::Array(new.to_vec()));
        }
        return Ok(());
    }
    let options = DiffOptions { retain_keys: strategy.retain_keys, ..options };
    let lists = diff_lists(old, new, inner, &meta.merge_key, options)?;
    let mut put = |key: String, list: Vec<Value>| {
        if !list.is_empty() {
            patch.insert(key, Value::Array(list));
        }
    };
    put(format!("{ORDER_PREFIX}/{key}"), lists.order);
    put(key.to_owned(), lists.patch);
    put(format!("{DELETE_PREFIX}/{key}"), lists.delete);
    Ok(())
}

#[derive(Default)]
struct Lists {
    patch: Vec<Value>,
    delete: Vec<Value>,
    order: Vec<Value>,
}

/// Go: `diffLists`.
fn diff_lists<S: PatchSchema>(
    original: &[Value],
    modified: &[Value],
    schema: S,
    by: &str,
    options: DiffOptions,
) -> Result<Lists, Error> {
    if original.is_empty() {
        let patch = if options.changes { modified.to_vec() } else { Vec::new() };
        return Ok(Lists { patch, ..Lists::default() });
    }
    let kind = element_kind(&[original, modified])?;
    match kind {
        Kind::List => Err(no_list_of_lists()),
        Kind::Object => {
            let (patch, deleted) = diff_keyed(original, modified, schema, by, options)?;
            let mut patch = sorted(patch, modified, By::Key(by))?;
            let order_same = same_order(original, modified, by)?;
            patch.extend(deleted);
            let ordered = options.order
                && (options.changes && (!patch.is_empty() || !order_same)
                    || options.deletions && !patch.is_empty());
            let key_only = |item: &Value| {
                let key = item.get(by).cloned().unwrap_or_default();
                Value::Object([(by.to_owned(), key)].into_iter().collect())
            };
            let order = if ordered { modified.iter().map(key_only).collect() } else { Vec::new() };
            Ok(Lists { patch, order, ..Lists::default() })
        }
        _ => {
            let mut old = original.to_vec();
            sort_scalars(&mut old);
            let (added, delete) = diff_scalars(&old, modified, options);
            let patch = sorted(added, modified, By::Item)?;
            // As in Go, the comparison is with the sorted list.
            let ordered = options.order
                && (options.deletions && !delete.is_empty() || options.changes && old != modified);
            let order = if ordered { modified.to_vec() } else { Vec::new() };
            Ok(Lists { patch, delete, order })
        }
    }
}

/// Go: `isOrderSame`.
fn same_order(original: &[Value], modified: &[Value], by: &str) -> Result<bool, Error> {
    if original.len() != modified.len() {
        return Ok(false);
    }
    for (old, new) in original.iter().zip(modified) {
        if !same_key(old, new, by)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is added to a sorted list, and what is deleted from it. Go: `diffListsOfScalars`.
fn diff_scalars(
    old: &[Value],
    modified: &[Value],
    options: DiffOptions,
) -> (Vec<Value>, Vec<Value>) {
    let mut new = modified.to_vec();
    sort_scalars(&mut new);
    let (mut added, mut deleted) = (Vec::new(), Vec::new());
    let (mut old, mut new) = (old.iter().peekable(), new.into_iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => break,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(_), None) => std::cmp::Ordering::Less,
            (Some(old), Some(new)) => text(old).cmp(&text(new)),
        };
        if order.is_eq() {
            old.next();
            new.next();
        } else if order.is_lt() {
            deleted.extend(old.next().filter(|_| options.deletions).cloned());
        } else {
            added.extend(new.next().filter(|_| options.changes));
        }
    }
    (added, dedup(deleted))
}

/// An element and the text of its merge key.
type Keyed<'v> = (&'v Value, std::borrow::Cow<'v, str>);

/// Elements in the order of their merge keys. Equal ones come out backwards, as in Go.
fn by_key<'v>(items: &'v [Value], by: &str) -> Vec<Keyed<'v>> {
    let of = |item: &'v Value| (item, text(By::Key(by).id(item)));
    let mut keyed: Vec<_> = items.iter().rev().map(of).collect();
    keyed.sort_by(|(_, a), (_, b)| a.cmp(b));
    keyed
}

/// Changed and added elements, and directives that delete. Go: `diffListsOfMaps`.
fn diff_keyed<S: PatchSchema>(
    original: &[Value],
    modified: &[Value],
    schema: S,
    by: &str,
    options: DiffOptions,
) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let (mut patch, mut deleted) = (Vec::new(), Vec::new());
    let mut olds = by_key(original, by).into_iter().peekable();
    let mut news = by_key(modified, by).into_iter().peekable();
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => break,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(_), None) => std::cmp::Ordering::Less,
            (Some((_, old)), Some((_, new))) => old.cmp(new),
        };
        // Both are looked at, whichever comes first.
        let old = olds.peek().map(|(item, _)| keyed(item, by)).transpose()?;
        let new = news.peek().map(|(item, _)| keyed(item, by)).transpose()?;
        match (old, new) {
            (Some((old, _)), Some((new, key))) if order.is_eq() => {
                let mut changes = diff_objects(old, new, schema, options)?;
                if !changes.is_empty() {
                    changes.insert(by.to_owned(), key.clone());
                    patch.push(Value::Object(changes));
                }
                olds.next();
                news.next();
            }
            (Some((_, key)), _) if order.is_lt() => {
                if options.deletions {
                    let members =
                        [(by.to_owned(), key.clone()), (PATCH.to_owned(), "delete".into())];
                    deleted.push(Value::Object(members.into_iter().collect()));
                }
                olds.next();
            }
            (_, new) => {
                if let Some((new, _)) = new.filter(|_| options.changes) {
                    patch.push(Value::Object(new.clone()));
                }
                news.next();
            }
        }
    }
    Ok((patch, deleted))
}

/// Sorts the lists of scalars in `compared` that making the patch to `modified` looks at: Go sorts
/// them where they are, which shows in the message of a conflict.
pub(super) fn sort_compared<S: PatchSchema>(compared: &mut Object, modified: &Object, schema: S) {
    for (key, old) in compared {
        match (old, modified.get(key)) {
            (Value::Object(old), Some(Value::Object(new))) => {
                if let Ok((inner, meta)) = schema.object(key)
                    && meta.strategy().is_ok_and(|strategy| !strategy.replace)
                {
                    sort_compared(old, new, inner);
                }
            }
            (Value::Array(old), Some(Value::Array(new))) => {
                let Ok((inner, meta)) = schema.list(key) else { continue };
                if !meta.strategy().is_ok_and(|strategy| strategy.merge) {
                    continue;
                }
                if !old.iter().any(Value::is_object) {
                    sort_scalars(old);
                    continue;
                }
                let by = By::Key(&meta.merge_key);
                for old in old {
                    let new = new.iter().find(|new| by.id(new) == by.id(old));
                    if let (Value::Object(old), Some(Value::Object(new))) = (old, new) {
                        sort_compared(old, new, inner);
                    }
                }
            }
            _ => {}
        }
    }
}
