//! The rules of declarative validation, as small functions: what validation generated from markers in the API's
//! sources calls, and what a server or a webhook can call by hand. Go: `k8s.io/apimachinery/pkg/api/validate`
//! and `pkg/api/operation`.
//!
//! A rule returns what is wrong, each error with the [origin](super::FieldError::origin) that Go gives it. Rules
//! about changes take the [`Operation`]; a caller skips a field that has not changed ([`unchanged`]), so that
//! an update need not mend what was wrong before it: ratcheting.
//!
//! ```
//! use pintle_apimachinery::validation::declarative::{self as rules, Operation, UnionMember, UnionMembership};
//! use pintle_apimachinery::validation::{FieldErrors, FieldPath};
//!
//! struct Source { git: Option<String>, image: Option<String>, name: String }
//! const MEMBERS: UnionMembership =
//!     UnionMembership::new(&[UnionMember::new("git"), UnionMember::new("image")]);
//!
//! fn validate(op: &Operation, path: &FieldPath, new: &Source, old: Option<&Source>) -> FieldErrors {
//!     let set = |source: &Source| [source.git.is_some(), source.image.is_some()];
//!     let before = old.map(set);
//!     let mut errors = rules::union(op, path, &MEMBERS, &set(new), before.as_ref().map(|b| &b[..]));
//!     if !rules::unchanged(op, &new.name, old.map(|old| &old.name)) {
//!         let name = path.child("name");
//!         errors.extend(rules::required(&name, !new.name.is_empty()));
//!         errors.extend(rules::max_length(&name, &new.name, 8));
//!         errors.extend(rules::immutable(op, &name));
//!     }
//!     errors
//! }
//!
//! let source = |git: Option<&str>, name: &str| Source { git: git.map(Into::into), image: None, name: name.into() };
//! let path = FieldPath::new("spec");
//! let bad = source(None, "far too long");
//! assert_eq!(
//!     validate(&Operation::create(), &path, &bad, None).to_string(),
//!     "[spec: Invalid value: \"\": must specify one of: `git`, `image`, \
//!      spec.name: Too long: may not be more than 8 characters]",
//! );
//! // What was stored when the rules were laxer stays valid while it is left alone.
//! assert!(validate(&Operation::update(), &path, &bad, Some(&bad)).is_empty());
//! ```

mod format;
mod limit;
mod list;
mod union;
mod update;

pub use self::format::{
    extended_resource_name, label_key, label_value, long_name, long_name_caseless,
    path_segment_name, prefixed_label_key, resource_fully_qualified_name, resource_pool_name,
    short_name, uuid,
};
pub use self::limit::{
    EnumExclusion, dependent_forbidden, dependent_required, enum_value, forbidden, immutable,
    max_bytes, max_items, max_length, max_properties, maximum, min_items, min_length,
    min_properties, minimum, monotonic, not_equal, not_equal_text, optional, required,
};
pub use self::list::{each_map_key, each_map_value, each_value, item, no_nulls, subfield, unique};
pub use self::union::{
    DiscriminatedRule, FieldRule, UnionMember, UnionMembership, discriminated, discriminated_union,
    union, zero_or_one_of,
};
pub use self::update::{UpdateConstraint, update_list, update_map, update_struct, update_value};

use std::collections::BTreeMap;

use super::{FieldError, FieldErrorKind, FieldErrors, FieldPath, Stability};
use crate::parse_error::quote;

/// What is being done to the object that is validated. Go: `operation.Operation`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    update: bool,
    options: BTreeMap<String, bool>,
    subresources: Vec<String>,
}

impl Operation {
    /// A new object.
    pub fn create() -> Operation {
        Operation::default()
    }

    /// A change, whether by PUT, patch or apply.
    pub fn update() -> Operation {
        Operation { update: true, ..Operation::default() }
    }

    /// The same with an option, mostly a feature of the server, that is on or off.
    /// Go: `operation.Operation.Options`.
    #[must_use]
    pub fn with_option(mut self, name: impl Into<String>, on: bool) -> Operation {
        self.options.insert(name.into(), on);
        self
    }

    /// The same on a subresource, such as `["status"]`.
    /// Go: `operation.Request.Subresources`.
    #[must_use]
    pub fn with_subresources<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Operation {
        self.subresources = names.into_iter().map(Into::into).collect();
        self
    }

    /// Whether this is an update.
    pub fn is_update(&self) -> bool {
        self.update
    }

    /// Whether an option is on; `None` if nobody has said, which is a mistake of the server. Go: `HasOption`.
    pub fn option(&self, name: &str) -> Option<bool> {
        self.options.get(name).copied()
    }

    /// The path of the subresource, such as `/status`; `/` for the object itself. Go: `SubresourcePath`.
    pub fn subresource_path(&self) -> String {
        format!("/{}", self.subresources.join("/"))
    }
}

/// Whether a field need not be validated again: it is an update, and the value is as it was. Generated code in Go
/// asks this before every rule.
pub fn unchanged<T: PartialEq + ?Sized>(op: &Operation, new: &T, old: Option<&T>) -> bool {
    op.is_update() && old.is_some_and(|old| old == new)
}

/// Applies a rule only while an option is on, or, with `wanted` false, off. Go: `IfOption`.
pub fn if_option(
    op: &Operation,
    path: &FieldPath,
    option: &str,
    wanted: bool,
    rule: impl FnOnce() -> FieldErrors,
) -> FieldErrors {
    match op.option(option) {
        None => undefined(path, option),
        Some(on) if on == wanted => rule(),
        Some(_) => FieldErrors::default(),
    }
}

fn undefined(path: &FieldPath, option: &str) -> FieldErrors {
    let text = format!("undefined validation option {}", quote(option));
    FieldError::internal(path, text).into()
}

/// The errors of declarative rules that are in force: those of firm rules, beta ones if they are enabled, never
/// alpha ones, and internal errors always. Go: `FilterEnforcedDeclarativeErrors`.
pub fn enforced(errors: FieldErrors, beta_enabled: bool) -> FieldErrors {
    let holds = |error: &FieldError| {
        error.kind == FieldErrorKind::Internal
            || match error.stability {
                Stability::Standard => true,
                Stability::Beta => beta_enabled,
                Stability::Alpha => false,
            }
    };
    errors.into_iter().filter(holds).collect()
}

/// The errors of hand-written rules without those that an enforced beta rule has found as well, and each only
/// once. Go: `FilterCoveredHandwrittenErrors`.
pub fn without_covered(handwritten: FieldErrors, enforced: &FieldErrors) -> FieldErrors {
    let same = |a: &FieldError, b: &FieldError| {
        let origin = a.kind != FieldErrorKind::Invalid || !a.origin.is_empty();
        a.kind == b.kind && a.field == b.field && origin && a.origin == b.origin
    };
    let mut kept = FieldErrors::default();
    let mut texts = std::collections::HashSet::new();
    for error in handwritten {
        let beta = |other: &FieldError| other.stability == Stability::Beta && same(&error, other);
        let covered = error.covered_by_declarative && enforced.iter().any(beta);
        if texts.insert(error.to_string()) && !covered {
            kept.push(error);
        }
    }
    kept
}
