//! Errors about fields. Go: `field.Error` and `field.ErrorList` of
//! `k8s.io/apimachinery/pkg/util/validation/field`.

use std::fmt;

use super::{BadValue, FieldPath};
use crate::StatusCause;
use crate::parse_error::quote;

/// The kind of a field error, which is also the type of the cause in a Status. Go: `field.ErrorType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldErrorKind {
    /// Something that is referred to does not exist.
    NotFound,
    /// A value that must be given is missing.
    Required,
    /// A value occurs twice that must be unique.
    Duplicate,
    /// A value is malformed.
    Invalid,
    /// A value is not one of those that are known.
    NotSupported,
    /// A value is well formed, but not permitted here.
    Forbidden,
    /// A value is too long.
    TooLong,
    /// A list has too many elements.
    TooMany,
    /// A list has too few elements.
    TooFew,
    /// Something unrelated to the value went wrong.
    Internal,
    /// A value is not of the type that the schema asks for.
    TypeInvalid,
    /// A value is too short.
    TooShort,
}

impl FieldErrorKind {
    /// The type of the cause in a Status, such as `FieldValueRequired`.
    pub const fn cause_type(self) -> &'static str {
        match self {
            FieldErrorKind::NotFound => "FieldValueNotFound",
            FieldErrorKind::Required => "FieldValueRequired",
            FieldErrorKind::Duplicate => "FieldValueDuplicate",
            FieldErrorKind::Invalid => "FieldValueInvalid",
            FieldErrorKind::NotSupported => "FieldValueNotSupported",
            FieldErrorKind::Forbidden => "FieldValueForbidden",
            FieldErrorKind::TooLong => "FieldValueTooLong",
            FieldErrorKind::TooMany => "FieldValueTooMany",
            FieldErrorKind::TooFew => "FieldValueTooFew",
            FieldErrorKind::Internal => "InternalError",
            FieldErrorKind::TypeInvalid => "FieldValueTypeInvalid",
            FieldErrorKind::TooShort => "FieldValueTooShort",
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            FieldErrorKind::NotFound => "Not found",
            FieldErrorKind::Required => "Required value",
            FieldErrorKind::Duplicate => "Duplicate value",
            FieldErrorKind::Invalid | FieldErrorKind::TypeInvalid => "Invalid value",
            FieldErrorKind::NotSupported => "Unsupported value",
            FieldErrorKind::Forbidden => "Forbidden",
            FieldErrorKind::TooLong => "Too long",
            FieldErrorKind::TooMany => "Too many",
            FieldErrorKind::TooFew => "Too few",
            FieldErrorKind::Internal => "Internal error",
            FieldErrorKind::TooShort => "Too short",
        }
    }
}

impl fmt::Display for FieldErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How firm a rule of declarative validation is. Go: `field.ValidationStabilityLevel`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stability {
    /// In force.
    #[default]
    Standard,
    /// Computed beside the hand-written rule, and in force where the server says so.
    Beta,
    /// Computed, and never in force.
    Alpha,
}

/// One thing that is wrong with a field. Shows as `field: Kind: value: detail`. Go: `field.Error`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldError {
    /// What is wrong.
    pub kind: FieldErrorKind,
    /// The path of the field.
    pub field: String,
    /// The value, where the message shows it.
    pub bad_value: Option<BadValue>,
    /// More about it; may be empty.
    pub detail: String,
    /// Which rule was broken, such as `maxLength` or `format=k8s-label-key`; mostly empty. No message has it.
    pub origin: &'static str,
    /// Whether a declarative rule finds the same. No message has it.
    pub covered_by_declarative: bool,
    /// How firm the declarative rule is that found it. No message has it.
    pub stability: Stability,
}

impl FieldError {
    fn new(
        kind: FieldErrorKind,
        field: impl Into<FieldPath>,
        value: Option<BadValue>,
        detail: impl Into<String>,
    ) -> FieldError {
        FieldError {
            kind,
            field: field.into().into_text(),
            bad_value: value,
            detail: detail.into(),
            origin: "",
            covered_by_declarative: false,
            stability: Stability::Standard,
        }
    }

    /// The field must be given.
    pub fn required(field: impl Into<FieldPath>, detail: impl Into<String>) -> FieldError {
        FieldError::new(FieldErrorKind::Required, field, None, detail)
    }

    /// The value is malformed.
    pub fn invalid(
        field: impl Into<FieldPath>,
        value: impl Into<BadValue>,
        detail: impl Into<String>,
    ) -> FieldError {
        FieldError::new(FieldErrorKind::Invalid, field, Some(value.into()), detail)
    }

    /// The value is not of the right type.
    pub fn type_invalid(
        field: impl Into<FieldPath>,
        value: impl Into<BadValue>,
        detail: impl Into<String>,
    ) -> FieldError {
        FieldError::new(FieldErrorKind::TypeInvalid, field, Some(value.into()), detail)
    }

    /// The value is none of those supported.
    pub fn not_supported<S: AsRef<str>>(
        field: impl Into<FieldPath>,
        value: impl Into<BadValue>,
        supported: &[S],
    ) -> FieldError {
        let supported: Vec<String> =
            supported.iter().map(|value| quote(value.as_ref()).to_string()).collect();
        let detail = if supported.is_empty() {
            String::new()
        } else {
            format!("supported values: {}", supported.join(", "))
        };
        FieldError::new(FieldErrorKind::NotSupported, field, Some(value.into()), detail)
    }

    /// The value is not permitted here.
    pub fn forbidden(field: impl Into<FieldPath>, detail: impl Into<String>) -> FieldError {
        FieldError::new(FieldErrorKind::Forbidden, field, None, detail)
    }

    /// The value is not unique.
    pub fn duplicate(field: impl Into<FieldPath>, value: impl Into<BadValue>) -> FieldError {
        FieldError::new(FieldErrorKind::Duplicate, field, Some(value.into()), "")
    }

    /// What the value names does not exist.
    pub fn not_found(field: impl Into<FieldPath>, value: impl Into<BadValue>) -> FieldError {
        FieldError::new(FieldErrorKind::NotFound, field, Some(value.into()), "")
    }

    /// The value has more than `most` bytes; `None` where the bound is not to be told.
    pub fn too_long(field: impl Into<FieldPath>, most: impl Into<Option<usize>>) -> FieldError {
        let detail = bound(most, "may not be more than", "byte", "value is too long");
        FieldError::new(FieldErrorKind::TooLong, field, None, detail)
    }

    /// The value has more than `most` characters; `None` where the bound is not to be told.
    pub fn too_long_characters(
        field: impl Into<FieldPath>,
        most: impl Into<Option<usize>>,
    ) -> FieldError {
        let detail = bound(most, "may not be more than", "character", "value is too long");
        FieldError::new(FieldErrorKind::TooLong, field, None, detail)
    }

    /// The value has fewer than `least` characters; `None` where the bound is not to be told.
    pub fn too_short(field: impl Into<FieldPath>, least: impl Into<Option<usize>>) -> FieldError {
        let detail = bound(least, "must be at least", "character", "value is too short");
        FieldError::new(FieldErrorKind::TooShort, field, None, detail)
    }

    /// The list has `actual` elements, which is more than `most`; `None` where a number is not to be told.
    pub fn too_many(
        field: impl Into<FieldPath>,
        actual: impl Into<Option<usize>>,
        most: impl Into<Option<usize>>,
    ) -> FieldError {
        let detail = bound(most, "must have at most", "item", "has too many items");
        let actual = actual.into().map(BadValue::from);
        FieldError::new(FieldErrorKind::TooMany, field, actual, detail)
    }

    /// The list has `actual` elements, which is fewer than `least`; `None` where the bound is not to be told.
    pub fn too_few(
        field: impl Into<FieldPath>,
        actual: usize,
        least: impl Into<Option<usize>>,
    ) -> FieldError {
        let detail = bound(least, "must have at least", "item", "has too few items");
        FieldError::new(FieldErrorKind::TooFew, field, Some(actual.into()), detail)
    }

    /// Something went wrong that is not about the value. Go: `InternalError`.
    pub fn internal(field: impl Into<FieldPath>, error: impl fmt::Display) -> FieldError {
        FieldError::new(FieldErrorKind::Internal, field, None, error.to_string())
    }

    /// The same from this rule.
    #[must_use]
    pub fn with_origin(mut self, origin: &'static str) -> FieldError {
        self.origin = origin;
        self
    }

    /// The same, which a declarative rule finds as well. Go: `MarkCoveredByDeclarative`.
    #[must_use]
    pub fn covered(mut self) -> FieldError {
        self.covered_by_declarative = true;
        self
    }

    /// The message without the field; what the cause in a Status says. Go: `ErrorBody`.
    pub fn body(&self) -> String {
        let mut body = self.kind.as_str().to_owned();
        let value = self.bad_value.as_ref().map_or("", BadValue::as_str);
        for part in [value, &self.detail] {
            if !part.is_empty() {
                body.push_str(": ");
                body.push_str(part);
            }
        }
        body
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

impl std::error::Error for FieldError {}

/// A bound in words.
fn bound(bound: impl Into<Option<usize>>, rule: &str, unit: &str, unknown: &str) -> String {
    match bound.into() {
        None => unknown.to_owned(),
        Some(1) => format!("{rule} 1 {unit}"),
        Some(bound) => format!("{rule} {bound} {unit}s"),
    }
}

/// Everything that is wrong with an object. Shows as Go's aggregate does: one error as itself, several as
/// `[a, b]`, each message once. Go: `field.ErrorList`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Adds an error.
    pub fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// The same errors, all from this rule. Go: `WithOrigin`.
    #[must_use]
    pub fn with_origin(mut self, origin: &'static str) -> FieldErrors {
        self.0.iter_mut().for_each(|error| error.origin = origin);
        self
    }

    /// The same errors, which declarative rules find as well. Go: `MarkCoveredByDeclarative`.
    #[must_use]
    pub fn covered(mut self) -> FieldErrors {
        self.0.iter_mut().for_each(|error| error.covered_by_declarative = true);
        self
    }

    /// The same errors, found by rules that are this firm. Go: `MarkAlpha`, `MarkBeta`.
    #[must_use]
    pub fn with_stability(mut self, stability: Stability) -> FieldErrors {
        self.0.iter_mut().for_each(|error| error.stability = stability);
        self
    }

    /// The same errors with something before each detail. Go: `PrefixDetail`.
    #[must_use]
    pub fn prefix_detail(mut self, prefix: &str) -> FieldErrors {
        self.0.iter_mut().for_each(|error| error.detail.insert_str(0, prefix));
        self
    }

    /// The causes that a Status holds for these. Go: in `errors.NewInvalid`.
    pub fn causes(&self) -> impl Iterator<Item = StatusCause> {
        self.0.iter().map(|error| StatusCause {
            reason: error.kind.cause_type().into(),
            message: error.body().into(),
            field: error.field.as_str().into(),
        })
    }

    /// Nothing wrong, or these errors.
    /// Go: `ErrorList.ToAggregate`.
    ///
    /// # Errors
    /// These, if there are any.
    pub fn into_result(self) -> Result<(), FieldErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl std::ops::Deref for FieldErrors {
    type Target = [FieldError];

    fn deref(&self) -> &[FieldError] {
        &self.0
    }
}

impl Extend<FieldError> for FieldErrors {
    fn extend<I: IntoIterator<Item = FieldError>>(&mut self, errors: I) {
        self.0.extend(errors);
    }
}

impl FromIterator<FieldError> for FieldErrors {
    fn from_iter<I: IntoIterator<Item = FieldError>>(errors: I) -> FieldErrors {
        FieldErrors(errors.into_iter().collect())
    }
}

impl From<FieldError> for FieldErrors {
    fn from(error: FieldError) -> FieldErrors {
        FieldErrors(vec![error])
    }
}

impl IntoIterator for FieldErrors {
    type Item = FieldError;
    type IntoIter = std::vec::IntoIter<FieldError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut messages: Vec<String> = Vec::new();
        for error in &self.0 {
            let message = error.to_string();
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
        match messages.as_slice() {
            [one] => f.write_str(one),
            [] => Ok(()),
            several => write!(f, "[{}]", several.join(", ")),
        }
    }
}

impl std::error::Error for FieldErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    // Go: TestErrorUsefulMessage, TestMakeFuncs, TestToAggregate
    #[test]
    fn messages() {
        #[track_caller]
        fn check(error: FieldError, expect: &str) {
            assert_eq!(error.to_string(), expect);
        }
        let f = &FieldPath::new("foo");
        check(FieldError::required(f, ""), "foo: Required value");
        check(FieldError::required(f, "why"), "foo: Required value: why");
        check(FieldError::invalid(f, "a\"b", "detail"), r#"foo: Invalid value: "a\"b": detail"#);
        check(FieldError::invalid(f, "", ""), r#"foo: Invalid value: """#);
        check(FieldError::invalid(f, -5, "d"), "foo: Invalid value: -5: d");
        check(FieldError::invalid(f, true, "d"), "foo: Invalid value: true: d");
        check(
            FieldError::invalid(f, BadValue::list(&["a", "<b>"]), "d"),
            r#"foo: Invalid value: ["a","\u003cb\u003e"]: d"#,
        );
        check(
            FieldError::type_invalid(f, 7i64, "must be a string"),
            "foo: Invalid value: 7: must be a string",
        );
        check(
            FieldError::not_supported(f, "x", &["a", "b"]),
            r#"foo: Unsupported value: "x": supported values: "a", "b""#,
        );
        check(FieldError::not_supported::<&str>(f, "x", &[]), r#"foo: Unsupported value: "x""#);
        check(FieldError::forbidden(f, "no"), "foo: Forbidden: no");
        check(FieldError::duplicate(f, "x"), r#"foo: Duplicate value: "x""#);
        check(FieldError::not_found(f, "x"), r#"foo: Not found: "x""#);
        check(FieldError::too_long(f, 63), "foo: Too long: may not be more than 63 bytes");
        check(FieldError::too_long(f, 1), "foo: Too long: may not be more than 1 byte");
        check(FieldError::too_short(f, 1), "foo: Too short: must be at least 1 character");
        check(FieldError::too_many(f, 3, 2), "foo: Too many: 3: must have at most 2 items");
        check(FieldError::too_many(f, None, None), "foo: Too many: has too many items");
        check(FieldError::too_few(f, 0, 1), "foo: Too few: 0: must have at least 1 item");
        check(FieldError::too_long(f, None), "foo: Too long: value is too long");
        check(
            FieldError::too_long_characters(f, 2),
            "foo: Too long: may not be more than 2 characters",
        );
        check(FieldError::internal(f, "boom"), "foo: Internal error: boom");
        assert_eq!(FieldError::internal(f, "").kind.cause_type(), "InternalError");
        assert_eq!(FieldError::too_many(f, 3, 1).body(), "Too many: 3: must have at most 1 item");
    }

    #[test]
    fn several() {
        let (a, b) = (FieldPath::new("a"), FieldPath::new("b"));
        let mut errors = FieldErrors::default();
        assert_eq!((errors.to_string().as_str(), errors.clone().into_result()), ("", Ok(())));
        errors.push(FieldError::required(&a, ""));
        errors.extend([FieldError::required(&a, "")]);
        assert_eq!(errors.to_string(), "a: Required value");
        errors.push(FieldError::required(&b, ""));
        assert_eq!(errors.to_string(), "[a: Required value, b: Required value]");
        assert_eq!((errors.len(), errors.clone().into_result().is_err()), (3, true));
    }
}
