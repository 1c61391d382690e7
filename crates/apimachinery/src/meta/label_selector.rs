//! Conversions of [`LabelSelector`]. Go: `helpers.go` of `k8s.io/apimachinery/pkg/apis/meta/v1`.

use crate::labels::{LabelSet, Operator, Selector};
use crate::parse_error::{ParseError, quote};
use crate::{LabelSelector, LabelSelectorRequirement, List, Map, Str};

impl LabelSelector {
    /// The selector of labels that all must be there. Go: `SetAsLabelSelector`.
    pub fn from_labels(labels: &impl LabelSet) -> LabelSelector {
        let match_labels = labels.iter().map(|(key, value)| (key, Str::new(value))).collect();
        LabelSelector { match_labels, ..LabelSelector::default() }
    }

    /// The selector that a text means. Go: `ParseToLabelSelector`.
    ///
    /// ```
    /// use pintle_apimachinery::LabelSelector;
    /// let selector = LabelSelector::parse("app=web,tier in (a,b)")?;
    /// assert_eq!(selector.match_labels["app"], "web");
    /// assert_eq!(selector.match_expressions[0].operator, "In");
    /// # Ok::<(), pintle_apimachinery::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// If it is not one, or has an operator that there is not in API objects: `!=`, `>` and `<`
    /// (the first is a `notin` of one value).
    pub fn parse(text: &str) -> Result<LabelSelector, ParseError> {
        let selector = Selector::parse(text).map_err(|error| {
            ParseError::new(format!("couldn't parse the selector string \"{text}\": {error}"))
        })?;
        let mut out = LabelSelector {
            match_labels: Map::from_iter(std::iter::empty::<(Str, Str)>()),
            match_expressions: List::empty(),
        };
        for requirement in selector.requirements().unwrap_or_default() {
            let key = Str::new(requirement.key());
            let operator = match requirement.operator() {
                Operator::Equals | Operator::DoubleEquals => {
                    // A requirement of this kind has one value.
                    let value = requirement.values().first().cloned().unwrap_or_default();
                    out.match_labels.insert(key, value);
                    continue;
                }
                Operator::In => "In",
                Operator::NotIn => "NotIn",
                Operator::Exists => "Exists",
                Operator::DoesNotExist => "DoesNotExist",
                operator @ (Operator::GreaterThan | Operator::LessThan) => {
                    let operator = quote(operator.as_str());
                    let message = format!("{operator} isn't supported in label selectors");
                    return Err(ParseError::new(message));
                }
                operator @ Operator::NotEquals => {
                    let operator = quote(operator.as_str());
                    let message = format!("{operator} is not a valid label selector operator");
                    return Err(ParseError::new(message));
                }
            };
            let mut values: Vec<Str> = requirement.values().to_vec();
            values.sort_unstable();
            values.dedup();
            out.match_expressions.push(LabelSelectorRequirement {
                key,
                operator: operator.into(),
                values: if values.is_empty() { List::empty() } else { values.into() },
            });
        }
        Ok(out)
    }

    /// The labels that an object must have, if that says it all: as the selectors of Services and
    /// of the first controllers are. Go: `LabelSelectorAsMap`.
    ///
    /// # Errors
    /// If there is an expression other than `In` with one value.
    pub fn to_labels(&self) -> Result<Map<Str>, ParseError> {
        let mut labels = self.match_labels.clone();
        for LabelSelectorRequirement { key, operator, values } in &self.match_expressions {
            let quoted = quote(operator);
            let problem = match (operator.as_str(), &values[..]) {
                ("In", [value]) => {
                    labels.insert(key.clone(), value.clone());
                    continue;
                }
                ("In", _) => format!(
                    "operator {quoted} without a single value cannot be converted into the old label selector format"
                ),
                ("NotIn" | "Exists" | "DoesNotExist", _) => format!(
                    "operator {quoted} cannot be converted into the old label selector format"
                ),
                _ => format!("{quoted} is not a valid selector operator"),
            };
            return Err(ParseError::new(problem));
        }
        Ok(labels)
    }
}

/// A selector for people: `<none>` if it selects everything or is absent, `<error>` if it is not
/// valid. Go: `FormatLabelSelector`.
///
/// ```
/// use pintle_apimachinery::{LabelSelector, meta::format_label_selector};
/// let selector = LabelSelector::from_labels(&[("app", "web")]);
/// assert_eq!(format_label_selector(Some(&selector)), "app=web");
/// assert_eq!(format_label_selector(None), "<none>");
/// ```
pub fn format_label_selector(selector: Option<&LabelSelector>) -> String {
    match Selector::from_label_selector(selector).map(|selector| selector.to_string()) {
        Err(_) => "<error>".to_owned(),
        Ok(text) if text.is_empty() => "<none>".to_owned(),
        Ok(text) => text,
    }
}
