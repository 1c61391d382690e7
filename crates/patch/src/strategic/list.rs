//! What the functions for lists share: types of elements, merge keys, order.

use std::collections::{HashMap, HashSet};

use pintle_apimachinery::Error;
use serde_json::{Map, Value};

use super::PATCH;
use crate::error::{Reason, fail};
use crate::go::{Kind, print_list, print_object, text};

pub(super) type Object = Map<String, Value>;

static NULL: Value = Value::Null;

/// Go: `mergepatch.ErrBadArgType`.
pub(super) fn bad_type(expected: Kind, actual: &Value) -> Error {
    let (expected, actual) = (expected.go_type(), Kind::of(actual).go_type());
    fail(Reason::Unsuitable, format!("expected a {expected}, but received a {actual}"))
}

/// Go: `mergepatch.ErrNoMergeKey`.
pub(super) fn no_merge_key(item: &Object, key: &str) -> Error {
    let item = print_object(item);
    let message = format!("map: {item} does not contain declared merge key: {key}");
    fail(Reason::Unsuitable, message)
}

/// Go: `mergepatch.ErrNoListOfLists`.
pub(super) fn no_list_of_lists() -> Error {
    fail(Reason::NotApplicable, "lists of lists are not supported")
}

/// Go panics there: objects are compared as if they were scalars.
fn not_scalars() -> Error {
    let message = "a list of objects without merge key cannot be put in order";
    fail(Reason::Unsuitable, message)
}

/// The one type of all elements of some lists. Go: `sliceElementType`; a null there is a panic
/// when it comes first.
pub(super) fn element_kind(lists: &[&[Value]]) -> Result<Kind, Error> {
    let mut kind = None;
    for item in lists.iter().copied().flatten() {
        let this = Kind::of(item);
        match kind {
            None if this == Kind::List => return Err(no_list_of_lists()),
            None if this != Kind::Null => kind = Some(this),
            Some(kind) if kind == this => {}
            _ => {
                let lists: Vec<_> = lists.iter().map(|list| print_list(list)).collect();
                let message =
                    format!("list element types are not identical: [{}]", lists.join(" "));
                return Err(fail(Reason::Unsuitable, message));
            }
        }
    }
    let none = "no elements in any of the given slices";
    kind.ok_or_else(|| fail(Reason::Unsuitable, none))
}

/// An element that must be an object with the merge key, and its key.
pub(super) fn keyed<'v>(item: &'v Value, key: &str) -> Result<(&'v Object, &'v Value), Error> {
    let object = item.as_object().ok_or_else(|| bad_type(Kind::Object, item))?;
    let value = object.get(key).ok_or_else(|| no_merge_key(object, key))?;
    Ok((object, value))
}

/// What identifies an element among its likes.
#[derive(Clone, Copy)]
pub(super) enum By<'k> {
    Item,
    Key(&'k str),
}

impl<'k> By<'k> {
    pub(super) fn of(kind: Kind, key: &'k str) -> Self {
        if kind == Kind::Object { By::Key(key) } else { By::Item }
    }

    pub(super) fn id(self, item: &Value) -> &Value {
        match self {
            By::Item => item,
            By::Key(key) => item.get(key).unwrap_or(&NULL),
        }
    }
}

/// Lists up to this length are searched from the front; longer ones by hash, so that patches of
/// long lists take no quadratic time.
pub(super) const SHORT: usize = 32;

/// Where values are in a list.
pub(super) struct Places<'v> {
    ids: Vec<&'v Value>,
    /// Of a long list: where each string is, in ascending order.
    strings: HashMap<&'v str, Vec<usize>>,
}

impl<'v> Places<'v> {
    pub(super) fn new(ids: impl Iterator<Item = &'v Value>) -> Self {
        let ids: Vec<_> = ids.collect();
        let mut strings = HashMap::new();
        if ids.len() > SHORT {
            for (place, id) in ids.iter().enumerate() {
                if let Value::String(text) = id {
                    strings.entry(text.as_str()).or_insert_with(Vec::new).push(place);
                }
            }
        }
        Places { ids, strings }
    }

    /// Every place of a value, in ascending order.
    pub(super) fn all<'s>(&'s self, id: &'s Value) -> impl Iterator<Item = usize> + 's {
        let hashed = match id {
            Value::String(text) if self.ids.len() > SHORT => {
                Some(self.strings.get(text.as_str()).map_or(&[][..], Vec::as_slice))
            }
            _ => None,
        };
        let searched = if hashed.is_some() { &[][..] } else { &self.ids[..] };
        let searched = searched.iter().enumerate().filter(move |(_, other)| **other == id);
        hashed.unwrap_or_default().iter().copied().chain(searched.map(|(place, _)| place))
    }

    /// The first place of a value.
    pub(super) fn first(&self, id: &Value) -> Option<usize> {
        self.all(id).next()
    }
}

/// The first object whose merge key is `value`. Go: `findMapInSliceBasedOnKeyValue`.
pub(super) fn find_keyed(
    items: &[Value],
    key: &str,
    value: &Value,
) -> Result<Option<usize>, Error> {
    for (i, item) in items.iter().enumerate() {
        let Value::Object(item) = item else {
            return Err(fail(Reason::Unsuitable, format!("value for key {i} is not a map")));
        };
        if item.get(key) == Some(value) {
            return Ok(Some(i));
        }
    }
    Ok(None)
}

/// Elements that are in `listed`, and those that are not. Go: `partitionPrimitivesByPresentInList`,
/// `partitionMapsByPresentInList`.
pub(super) fn partition(
    items: Vec<Value>,
    listed: &[Value],
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let (mut inside, mut outside) = (Vec::with_capacity(items.len()), Vec::new());
    if key.is_empty() && items.iter().chain(listed).any(|v| v.is_object() || v.is_array()) {
        return Err(not_scalars());
    }
    let ids = |item| if key.is_empty() { Some(item) } else { Value::get(item, key) };
    let places = Places::new(listed.iter().filter_map(ids));
    let only_objects = key.is_empty() || listed.iter().all(Value::is_object);
    for item in items {
        let id = if key.is_empty() { &item } else { keyed(&item, key)?.1 };
        let found = if only_objects {
            places.first(id).is_some()
        } else {
            find_keyed(listed, key, id)?.is_some()
        };
        if found { inside.push(item) } else { outside.push(item) }
    }
    Ok((inside, outside))
}

/// Brings elements that were patched and elements that only the server has into one order: the
/// first kind as in `patch_order`, the second as in `server_order`, and a server's element goes
/// before a patched one where the server had it so. Go: `normalizeElementOrder`.
pub(super) fn in_order(
    patched: Vec<Value>,
    server: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    by: By<'_>,
) -> Result<Vec<Value>, Error> {
    let patched = sorted(patched, patch_order, by)?;
    let server = sorted(server, server_order, by)?;
    let places = Places::new(server_order.iter().map(|item| by.id(item)));
    let place = |item: &Value| places.first(by.id(item));
    let mut merged = Vec::with_capacity(patched.len() + server.len());
    let with_place = |item: Value| (place(&item), item);
    let mut patched = patched.into_iter().map(with_place).peekable();
    let mut server = server.into_iter().map(with_place).peekable();
    while let (Some((theirs, _)), Some((ours, _))) = (server.peek(), patched.peek()) {
        let first = matches!((theirs, ours), (Some(theirs), Some(ours)) if theirs < ours);
        let next = if first { server.next() } else { patched.next() };
        merged.extend(next.map(|(_, item)| item));
    }
    merged.extend(patched.chain(server).map(|(_, item)| item));
    Ok(merged)
}

/// Elements as `order` has them, those to be deleted last. Go: `normalizeSliceOrder`.
///
/// An element that `order` lacks is taken to belong before whatever it is compared with, so that
/// such elements come out as a sort by insertion leaves them.
pub(super) fn sorted(items: Vec<Value>, order: &[Value], by: By<'_>) -> Result<Vec<Value>, Error> {
    let (items, deleted) = match by {
        By::Item => (items, Vec::new()),
        By::Key(key) => {
            for item in items.iter().chain(order) {
                keyed(item, key)?;
            }
            let deletes = |item: &Value| item.get(PATCH).is_some_and(|d| d == "delete");
            items.into_iter().partition(|item| !deletes(item))
        }
    };
    let places = Places::new(order.iter().map(|item| by.id(item)));
    let place = |item: Value| (places.first(by.id(&item)), item);
    let mut placed: Vec<_> = items.into_iter().map(place).collect();
    if placed.iter().all(|(place, _)| place.is_some()) {
        placed.sort_by_key(|(place, _)| *place);
    } else {
        for start in 1..placed.len() {
            let before = |left: Option<usize>, right: Option<usize>| match (left, right) {
                (Some(left), Some(right)) => left < right,
                _ => true,
            };
            let mut at = start;
            while at > 0 && before(placed[at].0, placed[at - 1].0) {
                placed.swap(at, at - 1);
                at -= 1;
            }
        }
    }
    Ok(placed.into_iter().map(|(_, item)| item).chain(deleted).collect())
}

/// Removes what is there twice; the last element takes the place of each. Go:
/// `deduplicateScalars`.
pub(super) fn dedup(mut items: Vec<Value>) -> Vec<Value> {
    let mut seen = HashSet::with_capacity(items.len());
    if items.iter().all(|item| item.as_str().is_some_and(|text| seen.insert(text))) {
        return items;
    }
    let mut i = 0;
    while i + 1 < items.len() {
        let mut j = i + 1;
        while j < items.len() {
            if items[i] == items[j] {
                items.swap_remove(j);
            } else {
                j += 1;
            }
        }
        i += 1;
    }
    items
}

/// Sorts by how Go prints the elements. Go: `sortScalars`.
pub(super) fn sort_scalars(items: &mut [Value]) {
    items.sort_by(|a, b| text(a).cmp(&text(b)));
}
