//! Rules about one value. Go: `required.go`, `limits.go`, `enum.go`, `immutable.go`, `monotonic.go`,
//! `equality.go` and `dependentrequired.go`.

use std::fmt::Display;

use super::{Operation, undefined};
use crate::parse_error::quote;
use crate::validation::{BadValue, FieldError, FieldErrors, FieldPath};

fn unless(valid: bool, error: impl FnOnce() -> FieldError) -> FieldErrors {
    if valid { FieldErrors::default() } else { error().into() }
}

/// A value must be given: it is not the zero of its type, the list or map not empty. Go: `RequiredValue`,
/// `RequiredPointer`, `RequiredSlice`, `RequiredMap`.
pub fn required(path: &FieldPath, set: bool) -> FieldErrors {
    unless(set, || FieldError::required(path, ""))
}

/// A value must not be given. Go: `ForbiddenValue` and its like.
pub fn forbidden(path: &FieldPath, set: bool) -> FieldErrors {
    unless(!set, || FieldError::forbidden(path, ""))
}

/// As [`required`], but what it returns only says that the rules that follow need not be asked.
/// Go: `OptionalValue` and its like.
pub fn optional(path: &FieldPath, set: bool) -> FieldErrors {
    unless(set, || FieldError::required(path, "optional value was not specified"))
}

/// A value must not change. To be asked only when it has: see [`unchanged`](super::unchanged). Go: `Immutable`.
pub fn immutable(op: &Operation, path: &FieldPath) -> FieldErrors {
    unless(!op.is_update(), || {
        FieldError::invalid(path, BadValue::NULL, "field is immutable").with_origin("immutable")
    })
}

/// At most this many characters. Go: `MaxLength`.
pub fn max_length(path: &FieldPath, value: &str, most: usize) -> FieldErrors {
    let fits = value.len() <= most || value.chars().nth(most).is_none();
    unless(fits, || FieldError::too_long_characters(path, most).with_origin("maxLength"))
}

/// At most this many bytes. Go: `MaxBytes`.
pub fn max_bytes(path: &FieldPath, value: &str, most: usize) -> FieldErrors {
    unless(value.len() <= most, || FieldError::too_long(path, most).with_origin("maxBytes"))
}

/// At least this many characters. Go: `MinLength`.
pub fn min_length(path: &FieldPath, value: &str, least: usize) -> FieldErrors {
    let reaches = least == 0 || value.chars().nth(least - 1).is_some();
    unless(reaches, || FieldError::too_short(path, least).with_origin("minLength"))
}

/// A list of this length must have at most so many items. Go: `MaxItems`.
pub fn max_items(path: &FieldPath, length: usize, most: usize) -> FieldErrors {
    unless(length <= most, || FieldError::too_many(path, length, most).with_origin("maxItems"))
}

/// A list of this length must have at least so many items. Go: `MinItems`.
pub fn min_items(path: &FieldPath, length: usize, least: usize) -> FieldErrors {
    unless(length >= least, || FieldError::too_few(path, length, least).with_origin("minItems"))
}

/// A map of this length must have at most so many keys. Go: `MaxProperties`.
pub fn max_properties(path: &FieldPath, length: usize, most: usize) -> FieldErrors {
    max_items(path, length, most).with_origin("maxProperties")
}

/// A map of this length must have at least so many keys. Go: `MinProperties`.
pub fn min_properties(path: &FieldPath, length: usize, least: usize) -> FieldErrors {
    min_items(path, length, least).with_origin("minProperties")
}

/// At least so much. Go: `Minimum`.
pub fn minimum<T>(path: &FieldPath, value: T, least: T) -> FieldErrors
where
    T: PartialOrd + Copy + Display + Into<BadValue>,
{
    unless(value >= least, || {
        let detail = format!("must be greater than or equal to {least}");
        FieldError::invalid(path, value, detail).with_origin("minimum")
    })
}

/// At most so much. Go: `Maximum`.
pub fn maximum<T>(path: &FieldPath, value: T, most: T) -> FieldErrors
where
    T: PartialOrd + Copy + Display + Into<BadValue>,
{
    unless(value <= most, || {
        let detail = format!("must be less than or equal to {most}");
        FieldError::invalid(path, value, detail).with_origin("maximum")
    })
}

/// A number must not become less. Go: `Monotonic`.
pub fn monotonic<T>(op: &Operation, path: &FieldPath, value: T, old: Option<T>) -> FieldErrors
where
    T: PartialOrd + Copy + Display + Into<BadValue>,
{
    match old {
        Some(old) if op.is_update() && value < old => {
            let detail = format!("may not be decreased from {old}");
            FieldError::invalid(path, value, detail).with_origin("monotonic").into()
        }
        _ => FieldErrors::default(),
    }
}

/// A number or truth value must not be this one. Go: `NEQ`.
pub fn not_equal<T>(path: &FieldPath, value: T, disallowed: T) -> FieldErrors
where
    T: PartialEq + Copy + Display + Into<BadValue>,
{
    unless(value != disallowed, || {
        let detail = format!("must not be equal to {disallowed}");
        FieldError::invalid(path, value, detail).with_origin("neq")
    })
}

/// A text must not be this one. Go: `NEQ`.
pub fn not_equal_text(path: &FieldPath, value: &str, disallowed: &str) -> FieldErrors {
    unless(value != disallowed, || {
        let detail = format!("must not be equal to {}", quote(disallowed));
        FieldError::invalid(path, value, detail).with_origin("neq")
    })
}

/// Takes a value out of an enumeration while an option is on, or off. Go: `EnumExclusion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnumExclusion<'a> {
    /// The value that is no longer one.
    pub value: &'a str,
    /// Whether the option must be on for that, or off.
    pub when: bool,
    /// The name of the option.
    pub option: &'a str,
}

/// A value must be one of these. Go: `Enum`.
pub fn enum_value(
    op: &Operation,
    path: &FieldPath,
    value: &str,
    valid: &[&str],
    exclusions: &[EnumExclusion<'_>],
) -> FieldErrors {
    // As in Go, an option that nobody has defined is found only where it is asked for.
    let excluded = |value: &str| {
        for rule in exclusions {
            match op.option(rule.option) {
                None => return Err(undefined(path, rule.option)),
                Some(on) if rule.value == value && rule.when == on => return Ok(true),
                Some(_) => {}
            }
        }
        Ok(false)
    };
    let check = || {
        if !excluded(value)? && valid.contains(&value) {
            return Ok(FieldErrors::default());
        }
        let mut supported = Vec::with_capacity(valid.len());
        for value in valid {
            if !excluded(value)? {
                supported.push(*value);
            }
        }
        supported.sort_unstable();
        supported.dedup();
        Ok(FieldError::not_supported(path, BadValue::named(value), &supported).into())
    };
    check().unwrap_or_else(|error| error)
}

/// Whether a trigger and what depends on it are set, now and, in an update, before.
fn dependency_changed(op: &Operation, new: [bool; 2], old: Option<[bool; 2]>) -> bool {
    !(op.is_update() && old == Some(new))
}

/// When one field is set, another must be. `new` and `old` are whether the trigger and the dependent field are
/// set. Go: `DependentRequired`.
pub fn dependent_required(
    op: &Operation,
    path: &FieldPath,
    [trigger, dependent]: [&str; 2],
    new: [bool; 2],
    old: Option<[bool; 2]>,
) -> FieldErrors {
    unless(!(dependency_changed(op, new, old) && new == [true, false]), || {
        let detail = format!("must be set when {trigger} is set");
        FieldError::required(path.child(dependent), detail).with_origin("dependentRequired")
    })
}

/// When one field is set, another must not be. Go: `DependentForbidden`.
pub fn dependent_forbidden(
    op: &Operation,
    path: &FieldPath,
    [trigger, dependent]: [&str; 2],
    new: [bool; 2],
    old: Option<[bool; 2]>,
) -> FieldErrors {
    unless(!(dependency_changed(op, new, old) && new == [true, true]), || {
        let detail = format!("may not be set when {trigger} is set");
        FieldError::forbidden(path.child(dependent), detail).with_origin("dependentForbidden")
    })
}
