//! Label selectors: parsing, printing, matching. Go: `k8s.io/apimachinery/pkg/labels`.
//!
//! Matching allocates nothing and takes anything that has labels ([`Labels`]): the labels of an object, or a
//! map of the standard library.
//!
//! ```
//! use pintle_apimachinery::labels::Selector;
//! use std::collections::BTreeMap;
//!
//! let selector: Selector = "env in (prod, staging), tier!=cache, !legacy".parse()?;
//! assert_eq!(selector.to_string(), "env in (prod,staging),!legacy,tier!=cache");
//!
//! let labels = BTreeMap::from([("env", "prod"), ("app", "web")]);
//! assert!(selector.matches(&labels));
//! assert!(!selector.matches(&BTreeMap::from([("env", "prod"), ("legacy", "")])));
//!
//! let error = "env in (prod".parse::<Selector>().unwrap_err();
//! assert_eq!(error.to_string(), "unable to parse requirement: found '', expected: ',' or ')'");
//! # Ok::<(), pintle_apimachinery::ParseError>(())
//! ```
//!
//! `!=` and `notin` also match objects without the key; `a=` asks for the empty value. `>` and `<` compare
//! 64-bit integers.

mod maps;
mod parse;
mod requirement;
mod set;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use self::maps::{format_labels, labels_conflict, merge_labels, parse_labels};
pub use self::requirement::{Operator, Requirement};
pub use self::set::{LabelSet, Labels, SetSelector};

use crate::parse_error::{ParseError, quote};
use crate::validation::FieldPath;
use crate::{LabelSelector, LabelSelectorRequirement, Str};

/// Which objects to select by their labels: those that satisfy all requirements; or none at all.
///
/// The default selects everything. Go: `labels.Selector`.
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

    /// Selects nothing. It shows as the empty text, as [`everything`](Selector::everything) does.
    /// Go: `Nothing`.
    pub const fn nothing() -> Selector {
        Selector { nothing: true, requirements: Vec::new() }
    }

    /// Selects what satisfies all of these.
    pub fn new(requirements: impl IntoIterator<Item = Requirement>) -> Selector {
        Selector::everything().with(requirements)
    }

    /// Reads a selector; the empty text selects everything. Go: `Parse`.
    ///
    /// # Errors
    /// With Go's message if the text is not a selector, or if a key or value is not valid.
    pub fn parse(text: &str) -> Result<Selector, ParseError> {
        parse::parse(text, &FieldPath::nil()).map(Selector::new)
    }

    /// As [`parse`](Selector::parse); errors about keys and values name this field.
    ///
    /// # Errors
    /// As [`parse`](Selector::parse).
    pub fn parse_at(text: &str, path: &FieldPath) -> Result<Selector, ParseError> {
        parse::parse(text, path).map(Selector::new)
    }

    /// Selects what has all of these labels. They are not validated. Go: `SelectorFromSet`; see [`SetSelector`]
    /// for one that copies nothing.
    pub fn from_set(labels: &impl LabelSet) -> Selector {
        Selector::new(labels.iter().map(|(key, value)| Requirement::equals_unchecked(key, value)))
    }

    /// Selects what has all of these labels. Go: `ValidatedSelectorFromSet`.
    ///
    /// # Errors
    /// If a key or value is not valid.
    pub fn from_validated_set(labels: &impl LabelSet) -> Result<Selector, ParseError> {
        let equals = |(key, value): (&str, &str)| Requirement::new(key, Operator::Equals, [value]);
        Ok(Selector::new(labels.iter().map(equals).collect::<Result<Vec<_>, _>>()?))
    }

    /// The selector of an API object: absent selects nothing, empty selects everything.
    /// Go: `metav1.LabelSelectorAsSelector`.
    ///
    /// ```
    /// use pintle_apimachinery::{LabelSelector, labels::Selector};
    /// let of_a_deployment =
    ///     LabelSelector { match_labels: [("app", "web")].into(), ..Default::default() };
    /// let selector = Selector::from_label_selector(Some(&of_a_deployment))?;
    /// assert_eq!(selector.to_string(), "app=web");
    /// # Ok::<(), pintle_apimachinery::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// If an operator is unknown, or a key or value is not valid.
    pub fn from_label_selector(selector: Option<&LabelSelector>) -> Result<Selector, ParseError> {
        let Some(selector) = selector else { return Ok(Selector::nothing()) };
        let mut requirements = Vec::new();
        for (key, value) in &selector.match_labels {
            requirements.push(Requirement::new(key, Operator::Equals, [value.as_str()])?);
        }
        for LabelSelectorRequirement { key, operator, values } in &selector.match_expressions {
            let operator = match operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => {
                    let operator = quote(operator);
                    return Err(ParseError::new(format!(
                        "{operator} is not a valid label selector operator"
                    )));
                }
            };
            let values = values.to_vec();
            requirements.push(Requirement::checked(
                key,
                operator,
                values,
                &FieldPath::nil(),
                true,
            )?);
        }
        Ok(Selector::new(requirements))
    }

    /// This and more requirements; nothing stays nothing. Go: `Add`.
    #[must_use]
    pub fn with(mut self, requirements: impl IntoIterator<Item = Requirement>) -> Selector {
        if !self.nothing {
            self.requirements.extend(requirements);
            self.requirements.sort_by(|a, b| a.key().cmp(b.key()));
        }
        self
    }

    /// Whether these labels are selected. Allocates nothing.
    #[inline]
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L) -> bool {
        !self.nothing && self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether this selects everything. Go: `Empty`.
    pub fn is_empty(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    /// Whether this is [`nothing`](Selector::nothing). Go: `MatchesNothing`.
    pub fn is_nothing(&self) -> bool {
        self.nothing
    }

    /// The requirements, sorted by key; `None` if nothing is selected at all.
    pub fn requirements(&self) -> Option<&[Requirement]> {
        if self.nothing { None } else { Some(&self.requirements) }
    }

    /// The one value that the label must have, if there is one. Go: `RequiresExactMatch`.
    pub fn requires_exact_match(&self, key: &str) -> Option<&str> {
        let requirement = self.requirements.iter().find(|requirement| requirement.key() == key)?;
        match (requirement.operator(), requirement.values()) {
            (Operator::Equals | Operator::DoubleEquals | Operator::In, [value]) => Some(value),
            _ => None,
        }
    }
}

impl FromStr for Selector {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Selector, ParseError> {
        Selector::parse(text)
    }
}

/// The text that [`Selector::parse`] reads back.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, requirement) in self.requirements.iter().enumerate() {
            write!(f, "{}{requirement}", if i > 0 { "," } else { "" })?;
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
