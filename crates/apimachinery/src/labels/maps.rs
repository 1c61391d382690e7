//! Labels as text, and two sets of labels side by side. Go: `labels.FormatLabels`,
//! `ConvertSelectorToLabelsMap`, `Conflicts`, `Merge`.

use super::requirement::key_error;
use super::set::{LabelSet, Labels};
use crate::parse_error::ParseError;
use crate::validation::{self, FieldError, FieldPath};
use crate::{Map, Str};

/// Labels for people to read: `a=1,b=2`, in order, or `<none>`. Go: `FormatLabels`.
///
/// ```
/// use pintle_apimachinery::labels::format_labels;
/// assert_eq!(format_labels(&[("tier", "front"), ("app", "web")]), "app=web,tier=front");
/// assert_eq!(format_labels(&[("", ""); 0]), "<none>");
/// ```
pub fn format_labels(labels: &impl LabelSet) -> String {
    let mut text: Vec<String> =
        labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    text.sort_unstable();
    if text.is_empty() { "<none>".to_owned() } else { text.join(",") }
}

/// The labels of a text such as `app=web,tier=front`: what a command line takes to put labels on
/// something. Of equal keys the last counts. Go: `ConvertSelectorToLabelsMap`.
///
/// ```
/// use pintle_apimachinery::labels::parse_labels;
/// let labels = parse_labels("app=web, tier = front")?;
/// assert_eq!(labels.get("tier").map(|value| &**value), Some("front"));
/// assert_eq!(parse_labels("app").unwrap_err().to_string(), "invalid selector: [app]");
/// # Ok::<(), pintle_apimachinery::ParseError>(())
/// ```
///
/// # Errors
/// A part is not a key, `=` and a value, or key or value are not those of labels.
pub fn parse_labels(text: &str) -> Result<Map<Str>, ParseError> {
    let mut labels = Map::default();
    if text.is_empty() {
        return Ok(labels);
    }
    for part in text.split(',') {
        let sides: Vec<&str> = part.split('=').collect();
        let [key, value] = sides[..] else {
            return Err(ParseError::new(format!("invalid selector: [{}]", sides.join(" "))));
        };
        let (key, value) = (key.trim(), value.trim());
        if let Some(error) = key_error(key, FieldPath::nil) {
            return Err(ParseError::new(error.to_string()));
        }
        let problems = validation::label_value(value);
        if !problems.is_empty() {
            let path = FieldPath::nil().key(key);
            let error = FieldError::invalid(&path, value, problems.join("; "));
            return Err(ParseError::new(error.to_string()));
        }
        labels.insert(key.into(), value.into());
    }
    Ok(labels)
}

/// Whether some label is in both sets, with different values. Go: `Conflicts`.
///
/// ```
/// use pintle_apimachinery::labels::labels_conflict;
/// assert!(labels_conflict(&[("app", "web")], &[("app", "db")]));
/// assert!(!labels_conflict(&[("app", "web")], &[("tier", "front")]));
/// ```
pub fn labels_conflict(left: &impl LabelSet, right: &impl Labels) -> bool {
    left.iter().any(|(key, value)| right.get(key).is_some_and(|other| other != value))
}

/// The labels of both sets; where both have one, that of `right`. Go: `Merge`.
///
/// ```
/// use pintle_apimachinery::labels::{format_labels, merge_labels};
/// let merged = merge_labels(&[("app", "web"), ("a", "1")], &[("a", "2")]);
/// assert_eq!(format_labels(&merged), "a=2,app=web");
/// ```
pub fn merge_labels(left: &impl LabelSet, right: &impl LabelSet) -> Map<Str> {
    let all = left.iter().chain(right.iter());
    let mut merged = Map::default();
    for (key, value) in all {
        merged.insert(Str::from(key), Str::from(value));
    }
    merged
}
