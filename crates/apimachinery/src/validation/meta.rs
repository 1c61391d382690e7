//! Parts of objects that many kinds share: managed fields, conditions, selectors, table options.
//! Go: `k8s.io/apimachinery/pkg/apis/meta/v1/validation`.
//!
//! ```
//! use pintle_apimachinery::{Condition, Time};
//! use pintle_apimachinery::validation::{FieldPath, validate_conditions};
//!
//! let ready = Condition {
//!     type_: "Ready".into(),
//!     status: "Yes".into(),
//!     reason: "Started".into(),
//!     last_transition_time: Time::from_unix(1_700_000_000),
//!     ..Default::default()
//! };
//! assert_eq!(
//!     validate_conditions(&FieldPath::new("status").child("conditions"), &[ready]).to_string(),
//!     r#"status.conditions[0].status: Unsupported value: "Yes": supported values: "False", "True", "Unknown""#,
//! );
//! ```

use super::names::{Shape, label_value, validate_label_name, validate_labels};
use super::options::validate_field_manager;
use super::{BadValue, FieldError, FieldErrors, FieldPath};
use crate::meta_v1::{FieldSelectorRequirement, TableOptions};
use crate::{Condition, LabelSelector, LabelSelectorRequirement, ManagedFieldsEntry, Str};

const SUBRESOURCE_MAX: usize = 256;
const REASON_MAX: usize = 1024;
const MESSAGE_MAX: usize = 32 * 1024;

const CONDITION_REASON: Shape = Shape {
    matches: |text| {
        let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
        text.first().is_some_and(u8::is_ascii_alphabetic)
            && text.last().is_some_and(word)
            && text.iter().all(|c| word(c) || matches!(c, b',' | b':'))
    },
    message: "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
    regex: "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
    examples: &["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"],
};

/// Validates what managers own. Go: `ValidateManagedFields`.
pub fn validate_managed_fields(path: &FieldPath, entries: &[ManagedFieldsEntry]) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (i, entry) in entries.iter().enumerate() {
        let path = path.index(i);
        match entry.operation.as_str() {
            "Apply" | "Update" => {}
            "" => {
                let error = FieldError::required(path.child("operation"), "must not be empty");
                errors.push(error.covered());
            }
            other => {
                let value = BadValue::named(other);
                let path = path.child("operation");
                let error = FieldError::not_supported(path, value, &["Apply", "Update"]);
                errors.push(error.covered());
            }
        }
        if !matches!(entry.fields_type.as_str(), "" | "FieldsV1") {
            let (path, detail) = (path.child("fieldsType"), "must be `FieldsV1`");
            errors.push(FieldError::invalid(path, &entry.fields_type, detail));
        }
        errors.extend(validate_field_manager(&path.child("manager"), &entry.manager));
        if entry.subresource.len() > SUBRESOURCE_MAX {
            errors.push(FieldError::too_long(path.child("subresource"), SUBRESOURCE_MAX));
        }
    }
    errors
}

/// Validates conditions: each on its own, and no type twice. Go: `ValidateConditions`.
pub fn validate_conditions(path: &FieldPath, conditions: &[Condition]) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (i, condition) in conditions.iter().enumerate() {
        if conditions[..i].iter().any(|before| before.type_ == condition.type_) {
            errors.push(FieldError::duplicate(path.index(i), &condition.type_).covered());
        }
        errors.extend(validate_condition(&path.index(i), condition));
    }
    errors
}

/// Validates a condition. Go: `ValidateCondition`.
pub fn validate_condition(path: &FieldPath, condition: &Condition) -> FieldErrors {
    let mut errors = FieldErrors::default();
    let required =
        |field: &str, detail: &str| FieldError::required(path.child(field), detail).covered();
    if condition.type_.is_empty() {
        errors.push(required("type", "is required"));
    } else {
        errors.extend(validate_label_name(&path.child("type"), &condition.type_));
    }
    match condition.status.as_str() {
        "" => errors.push(required("status", "")),
        "True" | "False" | "Unknown" => {}
        other => {
            let supported = ["False", "True", "Unknown"];
            let value = BadValue::named(other);
            let error = FieldError::not_supported(path.child("status"), value, &supported);
            errors.push(error.covered());
        }
    }
    if condition.observed_generation < 0 {
        let detail = "must be greater than or equal to zero";
        let path = path.child("observedGeneration");
        let error = FieldError::invalid(path, condition.observed_generation, detail);
        errors.push(error.with_origin("minimum").covered());
    }
    if condition.last_transition_time.is_zero() {
        errors.push(required("lastTransitionTime", ""));
    }
    if condition.reason.is_empty() {
        errors.push(required("reason", ""));
    } else {
        let path = path.child("reason");
        let problems = condition_reason(&condition.reason).into_iter();
        errors.extend(problems.map(|text| FieldError::invalid(&path, &condition.reason, text)));
        if condition.reason.len() > REASON_MAX {
            let error = FieldError::too_long(&path, REASON_MAX);
            errors.push(error.with_origin("maxBytes").covered());
        }
    }
    if condition.message.len() > MESSAGE_MAX {
        errors.push(FieldError::too_long(path.child("message"), MESSAGE_MAX));
    }
    errors
}

/// Whether this can be the reason of a condition, but for its length. Go: `IsValidConditionReason`.
pub fn condition_reason(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    CONDITION_REASON.check(text, "", &mut problems);
    problems
}

/// What selectors may have that is wrong today but may be stored already. Go: `LabelSelectorValidationOptions`,
/// `FieldSelectorValidationOptions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectorLeniency {
    /// Values that are not valid as label values. No matter for fields.
    pub invalid_values: bool,
    /// Operators that are not known.
    pub unknown_operators: bool,
}

/// Whether an expression of a label selector has a value that is not valid: what makes
/// [`SelectorLeniency::invalid_values`] right for an update. Go: `LabelSelectorHasInvalidLabelValue`.
pub fn label_selector_has_invalid_value(selector: &LabelSelector) -> bool {
    let mut values = selector.match_expressions.iter().flat_map(|one| one.values.iter());
    values.any(|value| !label_value(value).is_empty())
}

/// Validates a label selector. Go: `ValidateLabelSelector`.
pub fn validate_label_selector(
    path: &FieldPath,
    selector: &LabelSelector,
    leniency: SelectorLeniency,
) -> FieldErrors {
    let labels = selector.match_labels.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let mut errors = validate_labels(&path.child("matchLabels"), labels);
    for (i, one) in selector.match_expressions.iter().enumerate() {
        let path = path.child("matchExpressions").index(i);
        errors.extend(validate_label_selector_requirement(&path, one, leniency));
    }
    errors
}

/// Validates an expression of a label selector. Go: `ValidateLabelSelectorRequirement`.
pub fn validate_label_selector_requirement(
    path: &FieldPath,
    requirement: &LabelSelectorRequirement,
    leniency: SelectorLeniency,
) -> FieldErrors {
    let values = &requirement.values;
    let mut errors = FieldErrors::default();
    errors.extend(operator_error(path, &requirement.operator, values, leniency));
    errors.extend(validate_label_name(&path.child("key"), &requirement.key));
    if !leniency.invalid_values {
        for (i, value) in values.iter().enumerate() {
            let path = || path.child("values").index(i);
            let problems = label_value(value).into_iter();
            errors.extend(problems.map(|problem| FieldError::invalid(path(), value, problem)));
        }
    }
    errors
}

/// Validates an expression of a field selector. Go: `ValidateFieldSelectorRequirement`.
pub fn validate_field_selector_requirement(
    path: &FieldPath,
    requirement: &FieldSelectorRequirement,
    leniency: SelectorLeniency,
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    if requirement.key.is_empty() {
        errors.push(FieldError::required(path.child("key"), "must be specified"));
    }
    errors.extend(operator_error(path, &requirement.operator, &requirement.values, leniency));
    errors
}

fn operator_error(
    path: &FieldPath,
    operator: &str,
    values: &[Str],
    leniency: SelectorLeniency,
) -> Option<FieldError> {
    match operator {
        "In" | "NotIn" => values.is_empty().then(|| {
            let detail = "must be specified when `operator` is 'In' or 'NotIn'";
            FieldError::required(path.child("values"), detail)
        }),
        "Exists" | "DoesNotExist" => (!values.is_empty()).then(|| {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            FieldError::forbidden(path.child("values"), detail)
        }),
        other => (!leniency.unknown_operators).then(|| {
            let detail = "not a valid selector operator";
            FieldError::invalid(path.child("operator"), BadValue::named(other), detail)
        }),
    }
}

/// Validates what a client asks of a Table. Go: `ValidateTableOptions`.
pub fn validate_table_options(options: &TableOptions) -> FieldErrors {
    if matches!(options.include_object.as_str(), "" | "Metadata" | "Object" | "None") {
        return FieldErrors::default();
    }
    let value = BadValue::named(&options.include_object);
    let detail = "must be 'Metadata', 'Object', 'None', or empty";
    FieldError::invalid("includeObject", value, detail).into()
}
