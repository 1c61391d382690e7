//! Whether options of requests make sense together.
//! Go: `pkg/apis/meta/v1/validation` and `pkg/apis/meta/internalversion/validation`.

use super::{BadValue, FieldError, FieldErrors, FieldPath};
use crate::options::{
    CreateOptions, DRY_RUN_ALL, DeleteOptions, DeletionPropagation, ListOptions, PatchOptions,
    ResourceVersionMatch, UpdateOptions,
};
use crate::parse_error::is_print;
use crate::{PatchType, Str};

const FIELD_MANAGER_MAX: usize = 128;

impl ListOptions {
    /// What is wrong with these options, for a list or, if they ask for it, a watch. A server that has no
    /// watch-list says so. Go: `ValidateListOptions`.
    pub fn validate(&self, watch_list_enabled: bool) -> FieldErrors {
        if self.watch { self.validate_watch(watch_list_enabled) } else { self.validate_list() }
    }

    fn validate_list(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        let path = FieldPath::new("resourceVersionMatch");
        let (exact, not_older) =
            (ResourceVersionMatch::Exact.as_str(), ResourceVersionMatch::NotOlderThan.as_str());
        let matching = self.resource_version_match.as_str();
        let mut forbid = |condition: bool, detail: &str| {
            if condition {
                errors.push(FieldError::forbidden(&path, detail));
            }
        };
        let given = !matching.is_empty();
        forbid(
            given && self.resource_version.is_empty(),
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        );
        forbid(
            given && !self.continue_token.is_empty(),
            "resourceVersionMatch is forbidden when continue is provided",
        );
        if given && matching != exact && matching != not_older {
            let value = BadValue::named(matching);
            errors.push(FieldError::not_supported(&path, value, &[exact, not_older, ""]));
        }
        if matching == exact && self.resource_version.as_str() == "0" {
            let detail = r#"resourceVersionMatch "exact" is forbidden for resourceVersion "0""#;
            errors.push(FieldError::forbidden(&path, detail));
        }
        if self.send_initial_events.is_some() {
            let path = FieldPath::new("sendInitialEvents");
            errors.push(FieldError::forbidden(&path, "sendInitialEvents is forbidden for list"));
        }
        errors
    }

    fn validate_watch(&self, watch_list_enabled: bool) -> FieldErrors {
        let mut errors = FieldErrors::default();
        let path = FieldPath::new("resourceVersionMatch");
        let not_older = ResourceVersionMatch::NotOlderThan.as_str();
        let matching = self.resource_version_match.as_str();
        if self.send_initial_events.is_some() {
            if matching != not_older {
                let detail =
                    "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                errors.push(FieldError::forbidden(&path, detail));
            }
            if !watch_list_enabled {
                let detail = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
                errors.push(FieldError::forbidden(FieldPath::new("sendInitialEvents"), detail));
            }
        }
        if matching.is_empty() {
            return errors;
        }
        if self.send_initial_events.is_none() {
            let detail =
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            errors.push(FieldError::forbidden(&path, detail));
        }
        if matching != not_older {
            let value = BadValue::named(matching);
            errors.push(FieldError::not_supported(&path, value, &[not_older]));
        }
        if !self.continue_token.is_empty() {
            let detail = "resourceVersionMatch is forbidden when continue is provided";
            errors.push(FieldError::forbidden(&path, detail));
        }
        errors
    }
}

macro_rules! validate_write {
    ($($type:ident)+) => {$(
        impl $type {
            /// What is wrong with these options.
            pub fn validate(&self) -> FieldErrors {
                write_errors(&self.field_manager, &self.dry_run, &self.field_validation)
            }
        }
    )+};
}
validate_write!(CreateOptions UpdateOptions);

impl PatchOptions {
    /// What is wrong with these options for such a patch.
    pub fn validate(&self, patch: PatchType) -> FieldErrors {
        let mut errors = FieldErrors::default();
        if patch.is_apply() {
            if self.field_manager.is_empty() {
                let path = FieldPath::new("fieldManager");
                errors.push(FieldError::required(&path, "is required for apply patch"));
            }
        } else if self.force.is_some() {
            let path = FieldPath::new("force");
            errors.push(FieldError::forbidden(&path, "may not be specified for non-apply patch"));
        }
        errors.extend(write_errors(&self.field_manager, &self.dry_run, &self.field_validation));
        errors
    }
}

impl DeleteOptions {
    /// What is wrong with these options.
    pub fn validate(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        if let Some(policy) = &self.propagation_policy {
            let path = FieldPath::new("propagationPolicy");
            let value = || BadValue::named(policy);
            if self.orphan_dependents.is_some() {
                let detail = "orphanDependents and deletionPropagation cannot be both set";
                errors.push(FieldError::invalid(&path, value(), detail));
            }
            if DeletionPropagation::from_name(policy).is_none() {
                let supported = ["Foreground", "Background", "Orphan", "nil"];
                errors.push(FieldError::not_supported(&path, value(), &supported));
            }
        }
        errors.extend(validate_dry_run(&FieldPath::new("dryRun"), &self.dry_run));

        let flag = "ignoreStoreReadErrorWithClusterBreakingPotential";
        if self.ignore_store_read_error_with_cluster_breaking_potential == Some(true) {
            let others = [
                (self.propagation_policy.is_some(), "propagationPolicy"),
                (self.orphan_dependents.is_some(), "orphanDependents"),
                (self.grace_period_seconds.is_some(), "gracePeriodSeconds"),
                (self.preconditions.is_some(), "preconditions"),
            ];
            errors.extend(others.into_iter().filter(|(given, _)| *given).map(|(_, name)| {
                FieldError::invalid(
                    FieldPath::new(flag),
                    true,
                    format!("cannot be set together with .{name}"),
                )
            }));
        }
        errors
    }
}

fn write_errors(manager: &Str, dry_run: &[Str], validation: &Str) -> FieldErrors {
    let mut errors = validate_field_manager(&FieldPath::new("fieldManager"), manager);
    errors.extend(validate_dry_run(&FieldPath::new("dryRun"), dry_run));
    errors.extend(validate_field_validation(&FieldPath::new("fieldValidation"), validation));
    errors
}

/// Whether this can be the name of a field manager: at most 128 bytes, all printable. Go:
/// `ValidateFieldManager`.
///
/// ```
/// use pintle_apimachinery::validation::{FieldPath, validate_field_manager};
/// let path = FieldPath::new("fieldManager");
/// assert!(validate_field_manager(&path, "kubectl").is_empty());
/// assert!(!validate_field_manager(&path, &"x".repeat(129)).is_empty());
/// ```
pub fn validate_field_manager(path: &FieldPath, manager: &str) -> FieldErrors {
    let mut errors = FieldErrors::default();
    if manager.len() > FIELD_MANAGER_MAX {
        errors.push(FieldError::too_long(path, FIELD_MANAGER_MAX));
    }
    errors.extend(manager.char_indices().filter(|(_, c)| !is_print(*c)).map(|(at, c)| {
        let detail = format!("invalid character U+{:04X} (at position {at})", c as u32);
        FieldError::invalid(path, manager, detail)
    }));
    errors
}

/// Whether these are values of `dryRun`. Go: `ValidateDryRun`.
pub fn validate_dry_run(path: &FieldPath, dry_run: &[Str]) -> FieldErrors {
    let unknown = dry_run.iter().any(|stage| stage.as_str() != DRY_RUN_ALL);
    let error = || FieldError::not_supported(path, BadValue::list(dry_run), &[DRY_RUN_ALL]);
    unknown.then(error).into_iter().collect()
}

/// Whether this is a value of `fieldValidation`. Go: `ValidateFieldValidation`.
pub fn validate_field_validation(path: &FieldPath, validation: &str) -> FieldErrors {
    let supported = ["", "Ignore", "Strict", "Warn"];
    let error = || FieldError::not_supported(path, validation, &supported);
    (!supported.contains(&validation)).then(error).into_iter().collect()
}
