//! What an update may do to a field. Go: `update.go`.

use super::Operation;
use crate::validation::{BadValue, FieldError, FieldErrors, FieldPath};

/// Something that an update must not do. Go: `UpdateConstraint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpdateConstraint {
    /// Give a value that was not there.
    NoSet,
    /// Take the value away.
    NoUnset,
    /// Replace the value by another.
    NoModify,
    /// Add an item to a list or map.
    NoAddItem,
    /// Remove an item from a list or map.
    NoRemoveItem,
}

use UpdateConstraint::{NoAddItem, NoModify, NoRemoveItem, NoSet, NoUnset};

fn broken(path: &FieldPath, detail: &str) -> FieldError {
    FieldError::invalid(path, BadValue::NULL, detail).with_origin("update")
}

/// Setting, unsetting and modifying.
fn change(
    path: &FieldPath,
    set: bool,
    was_set: bool,
    constraint: UpdateConstraint,
) -> Option<FieldError> {
    let detail = match (constraint, was_set, set) {
        (NoSet, false, true) => "field cannot be set once created",
        (NoUnset, true, false) => "field cannot be cleared once set",
        (NoModify, true, true) => "field cannot be modified once set",
        _ => return None,
    };
    Some(broken(path, detail))
}

/// Whether a value that has changed may: to be asked only when it has. `set` is whether it is given now, `old`
/// whether it was; `None` if there was nothing to hold it, as for a new item. Go: `UpdateValueByCompare`,
/// `UpdateValueByReflect` and, with `old` never `None`, `UpdatePointer`.
pub fn update_value(
    op: &Operation,
    path: &FieldPath,
    set: bool,
    old: Option<bool>,
    constraints: &[UpdateConstraint],
) -> FieldErrors {
    let Some(was_set) = old.filter(|_| op.is_update()) else { return FieldErrors::default() };
    constraints.iter().filter_map(|one| change(path, set, was_set, *one)).collect()
}

/// The same for a struct that is always there. Go: `UpdateStruct`.
pub fn update_struct(
    op: &Operation,
    path: &FieldPath,
    had_old: bool,
    constraints: &[UpdateConstraint],
) -> FieldErrors {
    let constraints: Vec<_> = constraints.iter().copied().filter(|one| *one == NoModify).collect();
    update_value(op, path, true, had_old.then_some(true), &constraints)
}

/// Whether a list may change as it has. `matching` finds an item in the other list. Go: `ValSliceUpdate`.
pub fn update_list<T>(
    op: &Operation,
    path: &FieldPath,
    new: &[T],
    old: &[T],
    matching: impl Fn(&T, &T) -> bool,
    constraints: &[UpdateConstraint],
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    if !op.is_update() {
        return errors;
    }
    for constraint in constraints {
        match constraint {
            NoAddItem => {
                for (i, item) in new.iter().enumerate() {
                    if !old.iter().any(|old| matching(old, item)) {
                        let error = FieldError::forbidden(path.index(i), "item may not be added");
                        errors.push(error.with_origin("update"));
                    }
                }
            }
            NoRemoveItem => {
                let gone = old.iter().filter(|item| !new.iter().any(|new| matching(new, item)));
                errors.extend(gone.map(|_| {
                    FieldError::forbidden(path, "item may not be removed").with_origin("update")
                }));
            }
            NoModify => {}
            _ => errors.extend(change(path, !new.is_empty(), !old.is_empty(), *constraint)),
        }
    }
    errors
}

/// Whether a map may change as it has, by its keys. Go: `UpdateMap`, which goes through the maps in any order.
pub fn update_map(
    op: &Operation,
    path: &FieldPath,
    new: &[&str],
    old: &[&str],
    constraints: &[UpdateConstraint],
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    if !op.is_update() {
        return errors;
    }
    for constraint in constraints {
        let (here, there, detail) = match constraint {
            NoAddItem => (new, old, "item may not be added"),
            NoRemoveItem => (old, new, "item may not be removed"),
            NoModify => continue,
            _ => {
                errors.extend(change(path, !new.is_empty(), !old.is_empty(), *constraint));
                continue;
            }
        };
        let missing = here.iter().filter(|key| !there.contains(key));
        errors.extend(
            missing.map(|key| FieldError::forbidden(path.key(key), detail).with_origin("update")),
        );
    }
    errors
}
