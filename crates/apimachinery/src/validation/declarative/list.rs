//! Rules about the parts of a value: items, members, fields. Go: `each.go`, `item.go`, `subfield.go`.

use super::Operation;
use crate::validation::{BadValue, FieldError, FieldErrors, FieldPath};

/// Compares two values. Go: `MatchFunc`.
type Match<'a, T> = &'a dyn Fn(&T, &T) -> bool;

/// Validates each item of a list. `matching` finds the item that it was before, by its key or as a whole;
/// `equivalent` says whether that one is the same, where `matching` does not. In an update an item that is the
/// same is not validated again. Go: `EachValSliceVal`.
pub fn each_value<T>(
    op: &Operation,
    path: &FieldPath,
    new: &[T],
    old: &[T],
    matching: Option<Match<'_, T>>,
    equivalent: Option<Match<'_, T>>,
    mut validate: impl FnMut(&FieldPath, &T, Option<&T>) -> FieldErrors,
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (i, item) in new.iter().enumerate() {
        let before = matching.and_then(|matching| old.iter().find(|old| matching(old, item)));
        let same = |before: &T| equivalent.is_none_or(|equivalent| equivalent(item, before));
        if !(op.is_update() && before.is_some_and(same)) {
            errors.extend(validate(&path.index(i), item, before));
        }
    }
    errors
}

/// Validates each value of a map; without `equivalent` also those that an update leaves alone. Go: `EachMapVal`,
/// which goes through the map in any order.
pub fn each_map_value<'a, V: 'a>(
    op: &Operation,
    path: &FieldPath,
    new: impl IntoIterator<Item = (&'a str, &'a V)>,
    old: impl Fn(&str) -> Option<&'a V>,
    equivalent: Option<Match<'_, V>>,
    mut validate: impl FnMut(&FieldPath, &V, Option<&V>) -> FieldErrors,
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (key, value) in new {
        let before = old(key);
        let same = |before: &V| equivalent.is_some_and(|equivalent| equivalent(value, before));
        if !(op.is_update() && before.is_some_and(same)) {
            errors.extend(validate(&path.key(key), value, before));
        }
    }
    errors
}

/// Validates each key of a map, in an update only new ones. The path of errors is the map's. Go: `EachMapKey`.
pub fn each_map_key<'a>(
    op: &Operation,
    path: &FieldPath,
    new: impl IntoIterator<Item = &'a str>,
    old: impl Fn(&str) -> bool,
    mut validate: impl FnMut(&FieldPath, &str) -> FieldErrors,
) -> FieldErrors {
    let keys = new.into_iter().filter(|key| !(op.is_update() && old(key)));
    keys.flat_map(|key| validate(path, key)).collect()
}

/// No two items of a list match. `show` is how an error shows an item. Go: `ValSliceUnique`.
pub fn unique<T>(
    path: &FieldPath,
    items: &[T],
    matching: impl Fn(&T, &T) -> bool,
    show: impl Fn(&T) -> BadValue,
) -> FieldErrors {
    let doubles = items
        .iter()
        .enumerate()
        .filter(|(i, item)| items[..*i].iter().any(|before| matching(before, item)));
    doubles.map(|(i, item)| FieldError::duplicate(path.index(i), show(item))).collect()
}

/// No item of a list is null. Go: `PtrSliceNoNils`.
pub fn no_nulls<T>(path: &FieldPath, items: &[Option<T>]) -> FieldErrors {
    let nulls = items.iter().enumerate().filter(|(_, item)| item.is_none());
    nulls.map(|(i, _)| FieldError::required(path.index(i), "")).collect()
}

/// Validates the first item that `matching` picks, unless an update leaves it alone. Go: `ValSliceItem`.
pub fn item<T>(
    op: &Operation,
    path: &FieldPath,
    new: &[T],
    old: &[T],
    matching: impl Fn(&T) -> bool,
    equivalent: impl Fn(&T, &T) -> bool,
    validate: impl FnOnce(&FieldPath, &T, Option<&T>) -> FieldErrors,
) -> FieldErrors {
    let Some(at) = new.iter().position(&matching) else { return FieldErrors::default() };
    let before = old.iter().find(|item| matching(item));
    if op.is_update() && before.is_some_and(|before| equivalent(&new[at], before)) {
        return FieldErrors::default();
    }
    validate(&path.index(at), &new[at], before)
}

/// Validates a field of a struct, unless an update leaves it alone. Go: `Subfield`.
pub fn subfield<S, F: ?Sized>(
    op: &Operation,
    path: &FieldPath,
    (new, old): (&S, Option<&S>),
    name: &str,
    field: impl Fn(&S) -> &F,
    equivalent: impl Fn(&F, &F) -> bool,
    validate: impl FnOnce(&FieldPath, &F, Option<&F>) -> FieldErrors,
) -> FieldErrors {
    let (new, old) = (field(new), old.map(&field));
    if op.is_update() && old.is_some_and(|old| equivalent(new, old)) {
        return FieldErrors::default();
    }
    validate(&path.child(name), new, old)
}
