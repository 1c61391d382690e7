//! Errors about fields, and paths to fields. Go: `k8s.io/apimachinery/pkg/util/validation/field`.

use std::fmt;

use crate::Str;
use crate::parse_error::quote;

/// A path to a field, such as `spec.containers[0].env[HOME]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath(String);

impl FieldPath {
    /// A path that begins with this field.
    pub fn new(name: impl Into<String>) -> FieldPath {
        FieldPath(name.into())
    }

    /// No path, which shows as Go's nil path does: `<nil>`.
    pub fn nil() -> FieldPath {
        FieldPath(String::new())
    }

    /// A field of the object that this leads to.
    #[must_use]
    pub fn child(&self, name: &str) -> FieldPath {
        let dot = if self.0.is_empty() || name.is_empty() { "" } else { "." };
        FieldPath(format!("{}{dot}{name}", self.0))
    }

    /// An element of the list that this leads to.
    #[must_use]
    pub fn index(&self, index: usize) -> FieldPath {
        FieldPath(format!("{}[{index}]", self.0))
    }

    /// The value of a key in the map that this leads to.
    #[must_use]
    pub fn key(&self, key: &str) -> FieldPath {
        FieldPath(format!("{}[{key}]", self.0))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "<nil>" } else { &self.0 })
    }
}

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

/// The value that a field error is about, as its message shows it: texts in quotes, numbers and booleans bare,
/// anything else as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BadValue(String);

impl BadValue {
    /// A value whose JSON is this.
    pub fn json(json: impl Into<String>) -> BadValue {
        BadValue(json.into())
    }

    /// A list of texts, as JSON.
    pub fn list<T: AsRef<str>>(texts: &[T]) -> BadValue {
        let texts: Vec<String> = texts.iter().map(|text| go_json_string(text.as_ref())).collect();
        BadValue(format!("[{}]", texts.join(",")))
    }
}

impl From<&str> for BadValue {
    fn from(text: &str) -> BadValue {
        BadValue(quote(text).to_string())
    }
}

impl From<&Str> for BadValue {
    fn from(text: &Str) -> BadValue {
        BadValue::from(text.as_str())
    }
}

impl From<&String> for BadValue {
    fn from(text: &String) -> BadValue {
        BadValue::from(text.as_str())
    }
}

macro_rules! bare_values {
    ($($type:ty)+) => {$(
        impl From<$type> for BadValue {
            fn from(value: $type) -> BadValue {
                BadValue(value.to_string())
            }
        }
    )+};
}
bare_values!(i32 i64 usize bool);

/// Go's JSON of a text, which escapes what means something in HTML.
pub(crate) fn go_json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
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
}

impl FieldError {
    fn new(
        kind: FieldErrorKind,
        field: &FieldPath,
        value: Option<BadValue>,
        detail: impl Into<String>,
    ) -> FieldError {
        FieldError { kind, field: field.to_string(), bad_value: value, detail: detail.into() }
    }

    /// The field must be given.
    pub fn required(field: &FieldPath, detail: impl Into<String>) -> FieldError {
        FieldError::new(FieldErrorKind::Required, field, None, detail)
    }

    /// The value is malformed.
    pub fn invalid(
        field: &FieldPath,
        value: impl Into<BadValue>,
        detail: impl Into<String>,
    ) -> FieldError {
        FieldError::new(FieldErrorKind::Invalid, field, Some(value.into()), detail)
    }

    /// The value is not of the right type.
    pub fn type_invalid(
        field: &FieldPath,
        value: impl Into<BadValue>,
        detail: impl Into<String>,
    ) -> FieldError {
        FieldError::new(FieldErrorKind::TypeInvalid, field, Some(value.into()), detail)
    }

    /// The value is none of those supported.
    pub fn not_supported(
        field: &FieldPath,
        value: impl Into<BadValue>,
        supported: &[&str],
    ) -> FieldError {
        let supported: Vec<String> =
            supported.iter().map(|value| quote(value).to_string()).collect();
        let detail = if supported.is_empty() {
            String::new()
        } else {
            format!("supported values: {}", supported.join(", "))
        };
        FieldError::new(FieldErrorKind::NotSupported, field, Some(value.into()), detail)
    }

    /// The value is not permitted here.
    pub fn forbidden(field: &FieldPath, detail: impl Into<String>) -> FieldError {
        FieldError::new(FieldErrorKind::Forbidden, field, None, detail)
    }

    /// The value is not unique.
    pub fn duplicate(field: &FieldPath, value: impl Into<BadValue>) -> FieldError {
        FieldError::new(FieldErrorKind::Duplicate, field, Some(value.into()), "")
    }

    /// What the value names does not exist.
    pub fn not_found(field: &FieldPath, value: impl Into<BadValue>) -> FieldError {
        FieldError::new(FieldErrorKind::NotFound, field, Some(value.into()), "")
    }

    /// The value has more than `most` bytes.
    pub fn too_long(field: &FieldPath, most: usize) -> FieldError {
        let unit = if most == 1 { "byte" } else { "bytes" };
        FieldError::new(
            FieldErrorKind::TooLong,
            field,
            None,
            format!("may not be more than {most} {unit}"),
        )
    }

    /// The value has fewer than `least` characters.
    pub fn too_short(field: &FieldPath, least: usize) -> FieldError {
        let unit = if least == 1 { "character" } else { "characters" };
        FieldError::new(
            FieldErrorKind::TooShort,
            field,
            None,
            format!("must be at least {least} {unit}"),
        )
    }

    /// The list has `actual` elements, which is more than `most`.
    pub fn too_many(field: &FieldPath, actual: usize, most: usize) -> FieldError {
        let unit = if most == 1 { "item" } else { "items" };
        let detail = format!("must have at most {most} {unit}");
        FieldError::new(FieldErrorKind::TooMany, field, Some(actual.into()), detail)
    }

    /// Something went wrong that is not about the value.
    pub fn internal(field: &FieldPath, error: impl fmt::Display) -> FieldError {
        FieldError::new(FieldErrorKind::Internal, field, None, error.to_string())
    }

    /// The message without the field; what the cause in a Status says. Go: `ErrorBody`.
    pub fn body(&self) -> String {
        let mut body = self.kind.as_str().to_owned();
        let value = self.bad_value.as_ref().map_or("", |value| &value.0);
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

/// Everything that is wrong with an object. Shows as Go's aggregate does: one error as itself, several as
/// `[a, b]`, each message once. Go: `field.ErrorList`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Adds an error.
    pub fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// Nothing wrong, or these errors.
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

    // Go: TestPath, TestPathMultiArg
    #[test]
    fn paths() {
        #[track_caller]
        fn check(path: FieldPath, expect: &str) {
            assert_eq!(path.to_string(), expect);
        }
        let root = || FieldPath::new("root");
        check(root(), "root");
        check(root().child("first").child("second"), "root.first.second");
        check(root().index(0), "root[0]");
        check(root().child("child").index(0).key("k").child("x"), "root.child[0][k].x");
        check(FieldPath::nil(), "<nil>");
        check(FieldPath::nil().child("key"), "key");
        check(FieldPath::nil().child("values").index(0).key("a/b"), "values[0][a/b]");
    }

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
        check(FieldError::not_supported(f, "x", &[]), r#"foo: Unsupported value: "x""#);
        check(FieldError::forbidden(f, "no"), "foo: Forbidden: no");
        check(FieldError::duplicate(f, "x"), r#"foo: Duplicate value: "x""#);
        check(FieldError::not_found(f, "x"), r#"foo: Not found: "x""#);
        check(FieldError::too_long(f, 63), "foo: Too long: may not be more than 63 bytes");
        check(FieldError::too_long(f, 1), "foo: Too long: may not be more than 1 byte");
        check(FieldError::too_short(f, 1), "foo: Too short: must be at least 1 character");
        check(FieldError::too_many(f, 3, 2), "foo: Too many: 3: must have at most 2 items");
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
