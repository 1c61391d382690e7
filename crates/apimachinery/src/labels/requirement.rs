//! One requirement of a label selector. Go: `labels.Requirement`, `selection.Operator`.

use std::fmt;

use super::Labels;
use crate::Str;
use crate::parse_error::ParseError;
use crate::validation::{self, BadValue, FieldError, FieldErrors, FieldPath};

/// How a requirement relates a label to its values. Go: `selection.Operator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The label is absent: `!key`.
    DoesNotExist,
    /// The label has the value: `key=value`.
    Equals,
    /// The same as [`Equals`](Operator::Equals), written `key==value`.
    DoubleEquals,
    /// The label has one of the values: `key in (a,b)`.
    In,
    /// The label is absent or has another value: `key!=value`.
    NotEquals,
    /// The label is absent or has none of the values: `key notin (a,b)`.
    NotIn,
    /// The label is present: `key`.
    Exists,
    /// The label is an integer greater than the value: `key>1`.
    GreaterThan,
    /// The label is an integer less than the value: `key<1`.
    LessThan,
}

impl Operator {
    /// The name that Go has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operator::DoesNotExist => "!",
            Operator::Equals => "=",
            Operator::DoubleEquals => "==",
            Operator::In => "in",
            Operator::NotEquals => "!=",
            Operator::NotIn => "notin",
            Operator::Exists => "exists",
            Operator::GreaterThan => "gt",
            Operator::LessThan => "lt",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key, an operator and values: one condition on the labels of an object.
///
/// ```
/// use pintle_apimachinery::labels::{Operator, Requirement};
/// let front = Requirement::new("tier", Operator::In, ["front", "edge"])?;
/// assert_eq!(front.to_string(), "tier in (edge,front)");
/// assert!(front.matches(&[("tier", "edge")][..]) && !front.matches(&[("app", "edge")][..]));
/// # Ok::<(), pintle_apimachinery::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    key: Str,
    operator: Operator,
    values: Vec<Str>,
}

impl Requirement {
    /// A requirement. `In` and `NotIn` take at least one value, the comparisons one, `Exists` and `DoesNotExist`
    /// none. Go: `NewRequirement`.
    ///
    /// # Errors
    /// If the values are too few or too many, if the key or a value is not valid, or if the value of `>` or `<`
    /// is not an integer.
    pub fn new<V: Into<Str>>(
        key: impl Into<Str>,
        operator: Operator,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Requirement, ParseError> {
        let values = values.into_iter().map(Into::into).collect();
        Requirement::checked(key, operator, values, &FieldPath::nil(), false)
    }

    /// `no_list` says that empty values are Go's nil, which its message shows as `null`.
    pub(super) fn checked(
        key: impl Into<Str>,
        operator: Operator,
        values: Vec<Str>,
        path: &FieldPath,
        no_list: bool,
    ) -> Result<Requirement, ParseError> {
        let requirement = Requirement { key: key.into(), operator, values };
        match requirement.errors(path, no_list) {
            Some(errors) => Err(ParseError::new(errors.to_string())),
            None => Ok(requirement),
        }
    }

    pub(super) fn equals_unchecked(key: &str, value: &str) -> Requirement {
        Requirement {
            key: Str::new(key),
            operator: Operator::Equals,
            values: vec![Str::new(value)],
        }
    }

    fn errors(&self, path: &FieldPath, no_list: bool) -> Option<FieldErrors> {
        let mut errors = FieldErrors::default();
        errors.extend(key_error(&self.key, || path.child("key")));
        let values = || path.child("values");
        let count = self.values.len();
        let problem = match self.operator {
            Operator::In | Operator::NotIn => {
                (count == 0).then_some("for 'in', 'notin' operators, values set can't be empty")
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals => {
                (count != 1).then_some("exact-match compatibility requires one single value")
            }
            Operator::Exists | Operator::DoesNotExist => {
                (count != 0).then_some("values set must be empty for exists and does not exist")
            }
            Operator::GreaterThan | Operator::LessThan => {
                (count != 1).then_some("for 'Gt', 'Lt' operators, exactly one value is required")
            }
        };
        errors.extend(problem.map(|problem| {
            let none = count == 0 && no_list;
            let list = if none { BadValue::json("null") } else { BadValue::list(&self.values) };
            FieldError::invalid(values(), list, problem)
        }));
        if matches!(self.operator, Operator::GreaterThan | Operator::LessThan) {
            let numbers = self.values.iter().enumerate();
            errors.extend(numbers.filter(|(_, value)| integer(value).is_none()).map(
                |(i, value)| {
                    let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
                    FieldError::invalid(values().index(i), value, detail)
                },
            ));
        }
        errors.extend(self.values.iter().enumerate().filter_map(|(i, value)| {
            let problems = validation::label_value(value);
            let path = || values().index(i).key(&self.key);
            (!problems.is_empty()).then(|| FieldError::invalid(path(), value, problems.join("; ")))
        }));
        (!errors.is_empty()).then_some(errors)
    }

    /// The key of the label.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How the label relates to the values.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The values, in the order they were given; parsed ones are sorted.
    pub fn values(&self) -> &[Str] {
        &self.values
    }

    /// Whether these labels satisfy the requirement. Allocates nothing.
    #[inline]
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L) -> bool {
        let has = || labels.has_one_of(&self.key, &self.values);
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => has() == Some(true),
            Operator::NotIn | Operator::NotEquals => has() != Some(true),
            // No values are asked for.
            Operator::Exists => has().is_some(),
            Operator::DoesNotExist => has().is_none(),
            Operator::GreaterThan | Operator::LessThan => self.compares(labels.get_str(&self.key)),
        }
    }

    #[cold]
    fn compares(&self, value: Option<&str>) -> bool {
        match self.operator {
            Operator::GreaterThan => self.compare(value, |value, bound| value > bound),
            _ => self.compare(value, |value, bound| value < bound),
        }
    }

    fn compare(&self, value: Option<&str>, holds: impl Fn(i64, i64) -> bool) -> bool {
        let bound = self.values.first().and_then(|bound| integer(bound));
        value.and_then(integer).zip(bound).is_some_and(|(value, bound)| holds(value, bound))
    }
}

/// As Go's `strconv.ParseInt` reads it, which the standard library's parsing also does.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// What is wrong with a key, as one error.
pub(super) fn key_error(key: &str, path: impl Fn() -> FieldPath) -> Option<FieldError> {
    let problems = validation::label_key(key);
    (!problems.is_empty()).then(|| FieldError::invalid(path(), key, problems.join("; ")))
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_str();
        let (between, end) = match self.operator {
            Operator::DoesNotExist => return write!(f, "!{key}"),
            Operator::Exists => return f.write_str(key),
            Operator::Equals => ("=", ""),
            Operator::DoubleEquals => ("==", ""),
            Operator::NotEquals => ("!=", ""),
            Operator::GreaterThan => (">", ""),
            Operator::LessThan => ("<", ""),
            Operator::In => (" in (", ")"),
            Operator::NotIn => (" notin (", ")"),
        };
        let mut values: Vec<&str> = self.values.iter().map(Str::as_str).collect();
        values.sort_unstable();
        write!(f, "{key}{between}{}{end}", values.join(","))
    }
}

/// Guards the assumption that `integer` relies on.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_error::parse_int;

    #[test]
    fn integers_are_read_as_go_does() {
        for text in
            ["0", "+1", "-1", "007", "", "+", "1_0", " 1", "0x1", "9223372036854775808", "٣"]
        {
            assert_eq!(integer(text), parse_int(text, "").ok(), "{text:?}");
        }
    }
}
