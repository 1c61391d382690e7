//! Field selectors: parsing, printing, matching. Go: `k8s.io/apimachinery/pkg/fields`.
//!
//! ```
//! use pintle_apimachinery::fields::Selector;
//!
//! let selector: Selector = "spec.nodeName=n1,status.phase!=Failed".parse()?;
//! let fields = |field: &str| match field {
//!     "spec.nodeName" => Some("n1"),
//!     "status.phase" => Some("Running"),
//!     _ => None,
//! };
//! assert!(selector.matches(&fields));
//! assert_eq!(selector.requires_exact_match("spec.nodeName"), Some("n1"));
//! assert_eq!(Selector::equal("metadata.name", "a,b").to_string(), r"metadata.name=a\,b");
//! # Ok::<(), pintle_apimachinery::ParseError>(())
//! ```
//!
//! An absent field is the same as an empty one: `a=` selects what has no `a`.

use std::fmt;
use std::str::FromStr;

use crate::Str;
use crate::parse_error::ParseError;

#[cfg(test)]
mod tests;

/// Something whose fields can be looked up; closures can.
pub trait Fields {
    /// The value of this field; absent is the same as empty.
    fn get(&self, field: &str) -> Option<&str>;
}

impl<F: Fn(&str) -> Option<&'static str>> Fields for F {
    fn get(&self, field: &str) -> Option<&str> {
        self(field)
    }
}

/// Pairs; of equal fields the first counts.
impl<K: AsRef<str>, V: AsRef<str>> Fields for [(K, V)] {
    fn get(&self, field: &str) -> Option<&str> {
        self.iter().find(|(name, _)| name.as_ref() == field).map(|(_, value)| value.as_ref())
    }
}

/// Pairs; of equal fields the first counts.
impl<K: AsRef<str>, V: AsRef<str>, const N: usize> Fields for [(K, V); N] {
    fn get(&self, field: &str) -> Option<&str> {
        Fields::get(self.as_slice(), field)
    }
}

impl<K: std::borrow::Borrow<str> + Ord, V: AsRef<str>> Fields for std::collections::BTreeMap<K, V> {
    fn get(&self, field: &str) -> Option<&str> {
        std::collections::BTreeMap::get(self, field).map(AsRef::as_ref)
    }
}

/// One condition on a field. Go: `fields.Requirement`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The path of the field, such as `spec.nodeName`.
    pub field: Str,
    /// Whether the field must have the value, or must not.
    pub equal: bool,
    /// The value, without escapes.
    pub value: Str,
}

impl Requirement {
    /// Whether these fields satisfy it. Allocates nothing.
    pub fn matches<F: Fields + ?Sized>(&self, fields: &F) -> bool {
        (fields.get(&self.field).unwrap_or_default() == self.value.as_str()) == self.equal
    }
}

/// Which objects to select by their fields: those that satisfy all requirements; or none at all.
///
/// The default selects everything. Go: `fields.Selector`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector {
    nothing: bool,
    requirements: Vec<Requirement>,
}

impl Selector {
    /// Selects everything. Go: `Everything`.
    pub const fn everything() -> Selector {
        Selector { nothing: false, requirements: Vec::new() }
    }

    /// Selects nothing. It shows as the empty text. Go: `Nothing`.
    pub const fn nothing() -> Selector {
        Selector { nothing: true, requirements: Vec::new() }
    }

    /// Selects what has this value in this field. Go: `OneTermEqualSelector`.
    pub fn equal(field: impl Into<Str>, value: impl Into<Str>) -> Selector {
        Selector::new([Requirement { field: field.into(), equal: true, value: value.into() }])
    }

    /// Selects what has not this value in this field. Go: `OneTermNotEqualSelector`.
    pub fn not_equal(field: impl Into<Str>, value: impl Into<Str>) -> Selector {
        Selector::new([Requirement { field: field.into(), equal: false, value: value.into() }])
    }

    /// Selects what satisfies all of these.
    pub fn new(requirements: impl IntoIterator<Item = Requirement>) -> Selector {
        Selector { nothing: false, requirements: requirements.into_iter().collect() }
    }

    /// Selects what both select. Go: `AndSelectors`.
    #[must_use]
    pub fn and(mut self, other: Selector) -> Selector {
        self.nothing |= other.nothing;
        self.requirements.extend(other.requirements);
        self
    }

    /// Reads a selector; the empty text selects everything. Terms are sorted, empty ones skipped.
    /// Go: `ParseSelector`.
    ///
    /// # Errors
    /// With Go's message if a term has none of `=`, `==`, `!=`, or an escape is not `\\`, `\,` or `\=`.
    pub fn parse(text: &str) -> Result<Selector, ParseError> {
        let mut terms = split_terms(text);
        terms.sort_unstable();
        let terms = terms.into_iter().filter(|term| !term.is_empty());
        let mut requirements = Vec::new();
        for term in terms {
            let (field, equal, value) = split_term(term).ok_or_else(|| {
                ParseError::new(format!("invalid selector: '{text}'; can't understand '{term}'"))
            })?;
            let value = unescape_value(value)?;
            // As in Go, a term without field and value is no term.
            if !(field.is_empty() && value.is_empty()) {
                requirements.push(Requirement {
                    field: Str::new(field),
                    equal,
                    value: Str::from(value),
                });
            }
        }
        Ok(Selector { nothing: false, requirements })
    }

    /// Rewrites each field and value, or refuses it: how a server checks that a field can be selected by. A
    /// requirement whose field and value both become empty is dropped. Go: `Transform`.
    ///
    /// # Errors
    /// The first that the function returns.
    pub fn transform<E>(
        &self,
        mut rewrite: impl FnMut(&str, &str) -> Result<(Str, Str), E>,
    ) -> Result<Selector, E> {
        let mut requirements = Vec::with_capacity(self.requirements.len());
        for requirement in &self.requirements {
            let (field, value) = rewrite(&requirement.field, &requirement.value)?;
            if !(field.is_empty() && value.is_empty()) {
                requirements.push(Requirement { field, equal: requirement.equal, value });
            }
        }
        Ok(Selector { nothing: self.nothing, requirements })
    }

    /// Whether these fields are selected. Allocates nothing.
    pub fn matches<F: Fields + ?Sized>(&self, fields: &F) -> bool {
        !self.nothing && self.requirements.iter().all(|requirement| requirement.matches(fields))
    }

    /// Whether this selects everything. Go: `Empty`.
    pub fn is_empty(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    /// Whether this is [`nothing`](Selector::nothing).
    pub fn is_nothing(&self) -> bool {
        self.nothing
    }

    /// The requirements.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// The value that the field must have, if there is one. Go: `RequiresExactMatch`.
    pub fn requires_exact_match(&self, field: &str) -> Option<&str> {
        let requirement =
            self.requirements.iter().find(|one| one.equal && one.field.as_str() == field);
        requirement.map(|requirement| requirement.value.as_str())
    }
}

impl FromStr for Selector {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Selector, ParseError> {
        Selector::parse(text)
    }
}

/// The text that [`Selector::parse`] reads back, with escapes.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Requirement { field, equal, value }) in self.requirements.iter().enumerate() {
            let (comma, operator) = (if i > 0 { "," } else { "" }, if *equal { "=" } else { "!=" });
            write!(f, "{comma}{}{operator}{}", field.as_str(), escape_value(value))?;
        }
        Ok(())
    }
}

impl From<&Selector> for Str {
    fn from(selector: &Selector) -> Str {
        Str::new(&selector.to_string())
    }
}

impl From<Selector> for Str {
    fn from(selector: Selector) -> Str {
        Str::from(&selector)
    }
}

/// Escapes a value for a selector: a backslash before each `\`, `,` and `=`. Go: `EscapeValue`.
pub fn escape_value(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '=') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Undoes [`escape_value`]. Go: `UnescapeValue`.
///
/// # Errors
/// With Go's message for an unknown escape, or a `,` or `=` without one.
pub fn unescape_value(value: &str) -> Result<String, ParseError> {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => out.push(escaped),
                other => {
                    let sequence: String = Some('\\').into_iter().chain(other).collect();
                    return Err(ParseError::new(format!(
                        "invalid field selector: invalid escape sequence: {sequence}"
                    )));
                }
            },
            ',' | '=' => {
                let code = c as u32;
                return Err(ParseError::new(format!(
                    "invalid field selector: unescaped character in value: {code}"
                )));
            }
            _ => out.push(c),
        }
    }
    Ok(out)
}

/// The terms between commas that are not escaped; their escapes stay.
fn split_terms(text: &str) -> Vec<&str> {
    let mut escaped = false;
    text.split(|c| {
        let splits = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        splits
    })
    .collect()
}

/// Splits at the first operator; fields have no escapes.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    let bytes = term.as_bytes();
    let operator = |at: &usize| bytes[*at] == b'=' || bytes[*at..].starts_with(b"!=");
    let at = (0..bytes.len()).find(operator)?;
    let (field, rest) = term.split_at(at);
    if let Some(value) = rest.strip_prefix("!=") {
        return Some((field, false, value));
    }
    Some((field, true, rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?))
}
